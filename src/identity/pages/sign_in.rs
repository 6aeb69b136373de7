//! The pages on which a person signs in and out.

use askama::Template;

use super::{Asked, script, see_other, unavailable};
use crate::{
    desk::UserId,
    http::{Cookie, FormTarget, Notice, Request, Response, page, page_with_script},
    identity::{
        EmailAddress, NextPage, Person, Session,
        attempts::{self, Subject, TooMany},
        browser::{self, KnownBrowser},
        challenge::{Use, new_challenge},
        link::{self, Look, Redeemed},
        passkeys::{self, PasskeyFault},
        people,
        session::{self, NewSession, is_same_origin, not_from_here},
        webauthn::Ceremony,
    },
    platform::{DatabaseFault, Platform},
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
    by_mail: bool,
    /// The organisation that the wanted page is of, whether there is one or not.
    organisation: Option<String>,
    email: &'a str,
    /// Whether the address that was typed is none.
    malformed: bool,
    /// What a passkey is asked with.
    passkey: Asked,
    problem: Option<&'static str>,
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
    let known = KnownBrowser::of(platform, request);
    let email = again.map_or("", |session| &session.email);
    let organisation = next.as_ref().and_then(|next| next.organisation(platform.config));
    let template = SignInPage {
        wanted: next.is_some(),
        again,
        organisation: organisation.map(|safename| safename.to_string()),
        ..SignInPage::new(platform, &known, email)
    };
    let response = known.keep(platform, page_with_script(200, &template, script(platform)));
    match next {
        Some(next) => response.with_header(
            "set-cookie",
            Cookie::Next.set(next.as_str(), NEXT_SECONDS, platform.config.is_local()),
        ),
        None => response,
    }
}

impl<'a> SignInPage<'a> {
    fn new(platform: &'a Platform<'_>, browser: &KnownBrowser, email: &'a str) -> Self {
        let challenge = new_challenge(platform, Use::Passkey(Ceremony::Get), &browser.hash());
        Self {
            origin: &platform.config.public_origin,
            wanted: false,
            again: None,
            by_mail: platform.config.mail.is_some(),
            organisation: None,
            email,
            malformed: false,
            passkey: Asked::new(platform, challenge),
            problem: None,
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
        let known = KnownBrowser::of(platform, request);
        let template = SignInPage { malformed: true, ..SignInPage::new(platform, &known, typed) };
        return known.keep(platform, page_with_script(422, &template, script(platform)));
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
    let known = KnownBrowser::of(platform, request);
    let code = link::mail_link(platform, email, &known.hash()).await?;
    let (first, last) = code.split_at_checked(3).unwrap_or((&code, ""));
    let template = AskedPage { email: email.as_str(), code: format!("{first} {last}") };
    Ok(known.keep(platform, page(200, &template, FormTarget::SelfOnly, None)))
}

fn later(TooMany { retry_after }: &TooMany) -> Response {
    Notice {
        heading: "Too many links were asked for",
        words: "No more links are sent for now, to this address or from this network. Look for the letters that are there already, or try again in an hour.",
    }
    .response(429)
    .with_header("retry-after", retry_after.to_string())
}

/// `GET /sign-in/link/<secret>`: shows who would be signed in, or asks for the code in a browser that did not ask for the
/// link. It uses nothing up: mail scanners and previews open links.
pub async fn link_page(platform: &Platform<'_>, request: &Request, secret: &str) -> Response {
    let action = &request.path;
    match link::look(platform, secret, browser::known_hash(platform, request)).await {
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
    let browser = browser::known_hash(platform, request);
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

/// `POST /sign-in/passkey`: signs in by what the browser's authenticator signed, without a name typed. A signed-out browser
/// has no session for a form token; the challenge, bound to the browser, and the same-origin rule stand for it.
pub async fn sign_in_by_passkey(platform: &Platform<'_>, request: &Request) -> Response {
    const REFUSED: &str = "This passkey does not sign anybody in. Try again, or use another way.";
    if !is_same_origin(platform.config, request) {
        return not_from_here();
    }
    let known = KnownBrowser::of(platform, request);
    let form = request.form().unwrap_or_default();
    let new = NewSession::in_browser(platform, request);
    match passkeys::sign_in(platform, &known.hash(), &form, &new).await {
        Ok(()) => signed_in(platform, request, &new),
        Err(PasskeyFault::Refused) => {
            let template = SignInPage { problem: Some(REFUSED), ..SignInPage::new(platform, &known, "") };
            known.keep(platform, page_with_script(422, &template, script(platform)))
        }
        Err(PasskeyFault::Database) => unavailable(),
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
    match platform.directory.batch(session::end(platform, &session)).await {
        Ok(_) => signed_out(platform),
        Err(_) => unavailable(),
    }
}

/// The one answer that hands a browser its session.
pub(in crate::identity) fn signed_in(
    platform: &Platform<'_>,
    request: &Request,
    new: &NewSession,
) -> Response {
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
