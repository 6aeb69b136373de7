//! A signed-in person as a member of the organisation that a page is about.

use crate::{
    desk::{Caller, Refusal, Safename},
    http::{Form, Notice, Request, Response},
    identity::{self, Session},
    platform::Platform,
    tenants,
};

/// The person's session and, as a member of the organisation in the address, the way to its data.
///
/// # Errors
/// The page that answers instead: sign in first, not found, or not right now.
pub(super) async fn member<'a>(
    platform: &Platform<'a>,
    request: &Request,
    safename: &str,
) -> Result<(Session, Caller<'a>), Response> {
    let session = identity::session(platform, request)
        .await
        .map_err(|_| unavailable())?
        .ok_or_else(|| identity::sign_in_redirect(request))?;
    let safename: Safename = safename.parse().map_err(|_| not_found())?;
    let caller = tenants::member(platform, &session.reach(), &safename).await.map_err(|_| unavailable())?;
    Ok((session, caller.ok_or_else(not_found)?))
}

/// The same for a form: whose session it was made for, the way to the organisation's data, and what was sent.
///
/// # Errors
/// The page that answers instead, also when the form was not made for this session.
pub(super) async fn member_with_form<'a>(
    platform: &Platform<'a>,
    request: &Request,
    safename: &str,
) -> Result<(Session, Caller<'a>, Form), Response> {
    let (session, caller) = member(platform, request, safename).await?;
    let form = request.form().unwrap_or_default();
    session.allows(platform.config, request, &form)?;
    Ok((session, caller, form))
}

/// The page that answers a refusal with no page of its own. Whoever is no member finds nothing.
pub(super) fn refused(refusal: Refusal) -> Response {
    match refusal {
        Refusal::Fault(_) | Refusal::Rehearsed(_) => unavailable(),
        Refusal::Problems(_) | Refusal::Unauthenticated | Refusal::InsufficientScope(_) => not_found(),
        Refusal::Conflict => Notice {
            heading: "Somebody else was faster",
            words: "This was changed at the same moment. Load the page again and repeat what you did.",
        }
        .response(409),
    }
}

pub(super) fn not_found() -> Response {
    Notice { heading: "Not found", words: "There is nothing here, or nothing that this account may see." }
        .response(404)
}

fn unavailable() -> Response {
    Notice::UNAVAILABLE.response(503)
}
