//! The pages on which a person signs in and out.

use askama::Template;

use super::{see_other, unavailable};
use crate::{
    desk::{UserId, token_hash},
    http::{Cookie, FormTarget, Notice, Request, Response, page},
    identity::{
        EmailAddress, NextPage, Person, Session,
        attempts::{self, Subject, TooMany},
        link::{self, Look, Redeemed},
        people,
        session::{self, NewSession, is_same_origin, new_secret, not_from_here},
    },
    platform::{DatabaseFault, Platform, only},
};

/// The page that was wanted before signing in is remembered for 30 minutes.
const NEXT_SECONDS: i64 = 1800;
/// A browser that asked for a link is known again for a day.
const BROWSER_SECONDS: i64 = 86_400;

#[derive(Template)]
#[template(path = "identity/templates/sign_in.html")]
struct SignInPage<'a> {
    origin: &'a str,
    wanted: bool,
    /// Who is signed in already and is asked to do it again.
    again: Option<&'a Session>,
    by_mail: bool,
    email: &'a str,
    /// Whether the address that was typed is none.
    malformed: bool,
}

#[derive(Template)]
#[template(path = "identity/templates/asked.html")]
struct AskedPage<'a> {
    email: &'a str,
    code: String,
}

#[derive(Template)]
#[template(path = "identity/templates/code.html")]
struct CodePage<'a> {
    action: &'a str,
    wrong: bool,
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
    let email = again.map_or("", |session| &session.email);
    let template = SignInPage { wanted: next.is_some(), again, ..SignInPage::new(platform, email) };
    let response = page(200, &template, FormTarget::SelfOnly, None);
    match next {
        Some(next) => response.with_header(
            "set-cookie",
            Cookie::Next.set(next.as_str(), NEXT_SECONDS, platform.config.is_local()),
        ),
        None => response,
    }
}

impl<'a> SignInPage<'a> {
    fn new(platform: &'a Platform<'_>, email: &'a str) -> Self {
        Self {
            origin: &platform.config.public_origin,
            wanted: false,
            again: None,
            by_mail: platform.config.mail.is_some(),
            email,
            malformed: false,
        }
    }
}

/// `POST /sign-in`: sends a link to the address in `email`. The answer is the same whether anybody has it.
pub async fn ask_for_link(platform: &Platform<'_>, request: &Request) -> Response {
    if !is_same_origin(platform.config, request) {
        return not_from_here();
    }
    if platform.config.mail.is_none() {
        return Response::see_other("/sign-in").no_store();
    }
    let form = request.form().unwrap_or_default();
    let typed = form.get("email").unwrap_or_default().trim();
    let Ok(email) = typed.parse::<EmailAddress>() else {
        let template = SignInPage { malformed: true, ..SignInPage::new(platform, typed) };
        return page(422, &template, FormTarget::SelfOnly, None);
    };
    match ask(platform, request, &email).await {
        Ok(response) => response,
        Err(_) => unavailable(),
    }
}

async fn ask(
    platform: &Platform<'_>,
    request: &Request,
    email: &EmailAddress,
) -> Result<Response, DatabaseFault> {
    let counted = attempts::count(platform, &Subject::MailFrom(request), &Subject::MailTo(email)).await?;
    if let Err(too_many) = counted {
        return Ok(later(&too_many));
    }
    let local = platform.config.is_local();
    let browser = match Cookie::Browser.read(request, local) {
        Some(secret) => secret.to_owned(),
        None => new_secret(platform.entropy),
    };
    let code = link::mail_link(platform, email, &token_hash(&browser)).await?;
    let (first, last) = code.split_at_checked(3).unwrap_or((&code, ""));
    let template = AskedPage { email: email.as_str(), code: format!("{first} {last}") };
    Ok(page(200, &template, FormTarget::SelfOnly, None)
        .with_header("set-cookie", Cookie::Browser.set(&browser, BROWSER_SECONDS, local)))
}

fn later(TooMany { retry_after }: &TooMany) -> Response {
    Notice {
        heading: "Too many links were asked for",
        words: "No more links are sent for now, to this address or from this network. Look for the letters that are there already, or try again in an hour.",
    }
    .response(429)
    .with_header("retry-after", retry_after.to_string())
}

fn browser_hash(platform: &Platform<'_>, request: &Request) -> Option<String> {
    Cookie::Browser.read(request, platform.config.is_local()).map(token_hash)
}

/// `GET /sign-in/link/<secret>`: shows who would be signed in, or asks for the code in a browser that did not ask for the
/// link. It uses nothing up: mail scanners and previews open links.
pub async fn link_page(platform: &Platform<'_>, request: &Request, secret: &str) -> Response {
    let action = &request.path;
    match link::look(platform, secret, browser_hash(platform, request)).await {
        Ok(Look::Opens(person)) => {
            page(200, &LinkPage { person: &person, action }, FormTarget::SelfOnly, None)
        }
        Ok(Look::NeedsCode) => page(200, &CodePage { action, wrong: false }, FormTarget::SelfOnly, None),
        Ok(Look::Useless) => useless_link(),
        Err(_) => unavailable(),
    }
}

/// `POST /sign-in/link/<secret>`: uses the link up and signs in. A signed-out browser has no session for a form token;
/// the link's secret and the same-origin rule stand for it.
pub async fn use_link(platform: &Platform<'_>, request: &Request, secret: &str) -> Response {
    if !is_same_origin(platform.config, request) {
        return not_from_here();
    }
    let form = request.form().unwrap_or_default();
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let code = form.get("code").map(digits);
    let new = NewSession::in_browser(platform, request);
    let browser = browser_hash(platform, request);
    match link::redeem(platform, secret, browser, code.as_deref(), &new).await {
        Ok(Redeemed::SignedIn) => signed_in(platform, request, &new),
        Ok(Redeemed::WrongCode) => {
            page(422, &CodePage { action: &request.path, wrong: true }, FormTarget::SelfOnly, None)
        }
        Ok(Redeemed::Useless) => useless_link(),
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
        words: "A sign-in link works once and for 15 minutes. Ask for a new one.",
    }
    .response(404)
}

/// Signs in the person whom an invitation has just made, once, and sends the browser home; a person who was let in before
/// signs in by another way.
///
/// # Errors
/// When the directory fails.
pub async fn enter(
    platform: &Platform<'_>,
    request: &Request,
    person: &UserId,
) -> Result<Response, DatabaseFault> {
    match people::enter(platform, request, person).await? {
        Some(new) => Ok(signed_in(platform, request, &new)),
        None => Ok(sign_in_redirect(request)),
    }
}
