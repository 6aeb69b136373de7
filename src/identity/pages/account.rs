//! A person's account: where they are signed in.

use askama::Template;

use super::{
    sign_in::{sign_in_redirect, signed_out},
    unavailable,
};
use crate::{
    desk::{SessionId, TimeFromNow},
    http::{FormTarget, Request, Response, page},
    identity::{
        Session,
        session::{self, Listed},
    },
    platform::{Platform, Timestamp, only},
};

#[derive(Template)]
#[template(path = "identity/templates/account.html")]
struct AccountPage<'a> {
    person: &'a Session,
    csrf: String,
    sessions: Vec<SessionRow>,
}

struct SessionRow {
    id: SessionId,
    browser: String,
    method: &'static str,
    signed_in: TimeFromNow,
    seen: TimeFromNow,
    is_this: bool,
}

/// `GET /account`: the person's sessions.
pub async fn account_page(platform: &Platform<'_>, request: &Request) -> Response {
    show(platform, request).await.unwrap_or_else(|answer| answer)
}

async fn show(platform: &Platform<'_>, request: &Request) -> Result<Response, Response> {
    let person = signed_in(platform, request).await?;
    let sessions = session::of_person(platform, &person.user_id).await.map_err(|_| unavailable())?;
    let now = platform.now();
    let mut sessions: Vec<SessionRow> =
        sessions.into_iter().map(|listed| row(listed, &person, now)).collect();
    sessions.sort_by_key(|session| !session.is_this);
    let template = AccountPage { csrf: person.csrf(platform.config), sessions, person: &person };
    Ok(page(200, &template, FormTarget::SelfOnly, None))
}

fn row(listed: Listed, person: &Session, now: Timestamp) -> SessionRow {
    SessionRow {
        is_this: listed.session_id == person.session_id,
        id: listed.session_id,
        browser: listed.browser,
        method: listed.method.plain_words(),
        signed_in: TimeFromNow::new(listed.signed_in_at, now),
        seen: TimeFromNow::new(listed.seen_at, now),
    }
}

/// `POST /account/sessions`: signs out the browser that `session` names, or `all`.
pub async fn end_sessions(platform: &Platform<'_>, request: &Request) -> Response {
    end(platform, request).await.unwrap_or_else(|answer| answer)
}

async fn end(platform: &Platform<'_>, request: &Request) -> Result<Response, Response> {
    let person = signed_in(platform, request).await?;
    let form = request.form().unwrap_or_default();
    person.allows(platform.config, request, &form)?;
    match form.get("session") {
        Some("all") => {
            let end = session::end_all(&person.user_id, platform.now());
            platform.directory.batch(end).await.map_err(|_| unavailable())?;
            Ok(signed_out(platform))
        }
        Some(id) if id == person.session_id.as_str() => {
            only(platform.directory, session::end(&person.hash)).await.map_err(|_| unavailable())?;
            Ok(signed_out(platform))
        }
        named => {
            if let Some(Ok(other)) = named.map(str::parse::<SessionId>) {
                let end = session::end_one(&person.user_id, &other);
                only(platform.directory, end).await.map_err(|_| unavailable())?;
            }
            Ok(Response::see_other("/account").no_store())
        }
    }
}

/// The person, or the way to sign in.
async fn signed_in(platform: &Platform<'_>, request: &Request) -> Result<Session, Response> {
    session::session(platform, request)
        .await
        .map_err(|_| unavailable())?
        .ok_or_else(|| sign_in_redirect(request))
}
