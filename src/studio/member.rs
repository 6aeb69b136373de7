//! The signed-in member behind a page of a tenant.

use crate::{
    desk::{Authority, Caller, Refusal, Safename},
    http::{Form, Notice, Request, Response},
    identity::{self, Session},
    platform::Platform,
    tenants,
};

/// Someone signed in, as a caller in one tenant. Whether they belong to it, the gate tells.
pub struct Member<'a> {
    /// The browser's session.
    pub session: Session,
    /// The person as a caller.
    pub caller: Caller<'a>,
}

/// The member that a page request comes from.
///
/// # Errors
/// A redirect to signing in, or a page.
pub async fn of<'a>(platform: &Platform<'a>, request: &Request, safename: &str) -> Result<Member<'a>, Response> {
    let session = identity::session(platform, request)
        .await
        .map_err(|_| unavailable())?
        .ok_or_else(|| identity::sign_in_redirect(request))?;
    let safename: Safename = safename.parse().map_err(|_| no_access())?;
    let tenant = tenants::find(platform, &safename).await.map_err(|_| unavailable())?.ok_or_else(no_access)?;
    let authority = Authority::Member { user_id: session.user_id.clone() };
    let caller = Caller::new(*platform, tenant, authority).ok_or_else(unavailable)?;
    Ok(Member { session, caller })
}

/// The member that an unsafe page request comes from, and its form, once it is known to come from our own page.
///
/// # Errors
/// A redirect to signing in, or a page.
pub async fn of_form<'a>(
    platform: &Platform<'a>,
    request: &Request,
    safename: &str,
) -> Result<(Member<'a>, Form), Response> {
    let member = of(platform, request, safename).await?;
    let form = request.form().unwrap_or_default();
    member.session.allows(platform.config, request, &form)?;
    Ok((member, form))
}

/// A refusal as a page.
pub fn refused(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Fault(_) | Refusal::Conflict => unavailable(),
        Refusal::Problems(problems) => {
            let words = problems
                .first()
                .map(|problem| format!("{} {}", problem.message, problem.hint))
                .unwrap_or_default();
            Notice { heading: "That cannot be done", words: &words }.response(403)
        }
        Refusal::InsufficientScope(_) | Refusal::Unauthenticated => no_access(),
    }
}

/// The same page whether the organisation does not exist or the person is not in it.
pub fn no_access() -> Response {
    Notice {
        heading: "Nothing here for you",
        words: "There is no such page, or you are not a member of that organisation. Ask its owner for an invitation.",
    }
    .response(404)
}

fn unavailable() -> Response {
    Notice { heading: "Not right now", words: "Something went wrong here. Try again in a minute." }.response(503)
}
