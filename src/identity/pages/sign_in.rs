//! The pages on which a person signs in and out.

use askama::Template;

use super::{see_other, unavailable};
use crate::{
    http::{Cookie, FormTarget, Notice, Request, Response, page},
    identity::{
        NextPage, Person, Session, link,
        session::{self, NewSession, is_same_origin, not_from_here},
    },
    platform::{DatabaseFault, Platform, only},
};

/// The page that was wanted before signing in is remembered for 30 minutes.
const NEXT_SECONDS: i64 = 1800;

#[derive(Template)]
#[template(path = "identity/templates/sign_in.html")]
struct SignInPage<'a> {
    origin: &'a str,
    wanted: bool,
    /// Who is signed in already and is asked to do it again.
    again: Option<&'a Session>,
}

#[derive(Template)]
#[template(path = "identity/templates/link.html")]
struct LinkPage<'a> {
    person: &'a Person,
    action: &'a str,
}

/// Sends a signed-out person to sign in, and back to this page afterwards.
pub fn sign_in_redirect(request: &Request) -> Response {
    to_sign_in(NextPage::of(request).as_ref(), false)
}

/// Sends a person whose sign-in is not recent enough to sign in again, and to `next` afterwards.
pub fn sign_in_again(next: &str) -> Response {
    to_sign_in(NextPage::parse(next).as_ref(), true)
}

fn to_sign_in(next: Option<&NextPage>, again: bool) -> Response {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if again {
        query.append_pair("again", "1");
    }
    if let Some(next) = next {
        query.append_pair("next", next.as_str());
    }
    let query = query.finish();
    let location = if query.is_empty() { "/sign-in".to_owned() } else { format!("/sign-in?{query}") };
    Response::see_other(&location).no_store()
}

/// `GET /sign-in`: how to sign in. Whoever is signed in already goes on, unless it is to be done again.
pub async fn sign_in_page(platform: &Platform<'_>, request: &Request) -> Response {
    let query = request.query();
    let next = query.get("next").and_then(NextPage::parse);
    let session = match session::session(platform, request).await {
        Ok(session) => session,
        Err(_) => return unavailable(),
    };
    let again = session.as_ref().filter(|_| query.get("again").is_some());
    if session.is_some() && again.is_none() {
        return see_other(next.as_ref());
    }
    let template = SignInPage { origin: &platform.config.public_origin, wanted: next.is_some(), again };
    let response = page(200, &template, FormTarget::SelfOnly, None);
    match next {
        Some(next) => response.with_header(
            "set-cookie",
            Cookie::Next.set(next.as_str(), NEXT_SECONDS, platform.config.is_local()),
        ),
        None => response,
    }
}

/// `GET /sign-in/link/<secret>`: shows who would be signed in. It uses nothing up: mail scanners and previews open links.
pub async fn link_page(platform: &Platform<'_>, request: &Request, secret: &str) -> Response {
    match link::bearer(platform, secret).await {
        Ok(Some(person)) => {
            page(200, &LinkPage { person: &person, action: &request.path }, FormTarget::SelfOnly, None)
        }
        Ok(None) => useless_link(),
        Err(_) => unavailable(),
    }
}

/// `POST /sign-in/link/<secret>`: uses the link up and signs in. A signed-out browser has no session for a form token;
/// the link's secret and the same-origin rule stand for it.
pub async fn use_link(platform: &Platform<'_>, request: &Request, secret: &str) -> Response {
    if !is_same_origin(platform.config, request) {
        return not_from_here();
    }
    let new = NewSession::in_browser(platform, request);
    match link::redeem(platform, secret, &new).await {
        Ok(true) => signed_in(platform, request, &new),
        Ok(false) => useless_link(),
        Err(DatabaseFault::Unknown(_)) => Notice {
            heading: "Not sure",
            words: "The database did not answer, and the link may have been used up. Open it again; if it does not work, ask for a new one.",
        }
        .response(503),
        Err(_) => unavailable(),
    }
}

/// `POST /sign-out`: ends the session.
pub async fn sign_out(platform: &Platform<'_>, request: &Request) -> Response {
    let session = match session::session(platform, request).await {
        Ok(Some(session)) => session,
        Ok(None) => return signed_out(platform),
        Err(_) => return unavailable(),
    };
    if let Err(refused) = session.allows(platform.config, request, &request.form().unwrap_or_default()) {
        return refused;
    }
    match only(platform.directory, session::end(&session.hash)).await {
        Ok(_) => signed_out(platform),
        Err(_) => unavailable(),
    }
}

/// The one answer that hands a browser its session.
fn signed_in(platform: &Platform<'_>, request: &Request, new: &NewSession) -> Response {
    let local = platform.config.is_local();
    let next = Cookie::Next.read(request, local).and_then(NextPage::parse);
    see_other(next.as_ref())
        .with_header("set-cookie", Cookie::Session.set(&new.secret, session::LONGEST_SECONDS, local))
        .with_header("set-cookie", Cookie::Next.clear(local))
}

pub(super) fn signed_out(platform: &Platform<'_>) -> Response {
    Response::see_other("/sign-in")
        .no_store()
        .with_header("set-cookie", Cookie::Session.clear(platform.config.is_local()))
}

/// One answer for links that never were, were used, or are too old: which it is tells nothing to whoever holds them.
fn useless_link() -> Response {
    Notice {
        heading: "This link does not work",
        words: "A sign-in link works once and for 15 minutes. Ask whoever runs this server for a new one.",
    }
    .response(404)
}
