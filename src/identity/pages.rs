//! The pages on which a person signs in and out.

use askama::Template;

use super::{
    NextPage, Person, link,
    session::{self, cookie_hash, is_same_origin, not_from_here},
};
use crate::{
    desk::{Act, act_of_session},
    http::{Cookie, FormTarget, Notice, Request, Response, page},
    platform::{DatabaseFault, Platform},
};

/// The page that was wanted before signing in is remembered for 30 minutes.
const NEXT_SECONDS: i64 = 1800;

#[derive(Template)]
#[template(path = "identity/templates/sign_in.html")]
struct SignInPage<'a> {
    origin: &'a str,
    wanted: bool,
}

#[derive(Template)]
#[template(path = "identity/templates/link.html")]
struct LinkPage<'a> {
    person: &'a Person,
    action: &'a str,
}

/// Sends a signed-out person to sign in, and back to this page afterwards.
pub fn sign_in_redirect(request: &Request) -> Response {
    let location = NextPage::of(request).map_or_else(
        || "/sign-in".to_owned(),
        |next| {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("next", next.as_str())
                .finish();
            format!("/sign-in?{query}")
        },
    );
    Response::see_other(&location).no_store()
}

/// `GET /sign-in`: how to get a link. Whoever is signed in already goes on.
pub async fn sign_in_page(platform: &Platform<'_>, request: &Request) -> Response {
    let next = request.query().get("next").and_then(NextPage::parse);
    match session::session(platform, request).await {
        Ok(Some(_)) => return see_other(next.as_ref()),
        Ok(None) => {}
        Err(_) => return unavailable(),
    }
    let template = SignInPage { origin: &platform.config.public_origin, wanted: next.is_some() };
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
    match link::redeem(platform, secret, cookie_hash(platform, request)).await {
        Ok(Some(session_secret)) => signed_in(platform, request, &session_secret),
        Ok(None) => useless_link(),
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
    let act = Act { name: "sign_out", subjects: &[] };
    let batch = vec![act_of_session(platform, &session.hash, None, &act), session::end(&session.hash)];
    match platform.directory.batch(batch).await {
        Ok(_) => signed_out(platform),
        Err(_) => unavailable(),
    }
}

fn signed_in(platform: &Platform<'_>, request: &Request, secret: &str) -> Response {
    let local = platform.config.is_local();
    let next = Cookie::Next.read(request, local).and_then(NextPage::parse);
    see_other(next.as_ref())
        .with_header("set-cookie", Cookie::Session.set(secret, session::LONGEST_SECONDS, local))
        .with_header("set-cookie", Cookie::Next.clear(local))
}

fn signed_out(platform: &Platform<'_>) -> Response {
    Response::see_other("/sign-in")
        .no_store()
        .with_header("set-cookie", Cookie::Session.clear(platform.config.is_local()))
}

fn see_other(next: Option<&NextPage>) -> Response {
    Response::see_other(next.map_or("/", NextPage::as_str)).no_store()
}

/// One answer for links that never were, were used, or are too old: which it is tells nothing to whoever holds them.
fn useless_link() -> Response {
    Notice {
        heading: "This link does not work",
        words: "A sign-in link works once and for 15 minutes. Ask whoever runs this server for a new one.",
    }
    .response(404)
}

fn unavailable() -> Response {
    Notice::UNAVAILABLE.response(503)
}
