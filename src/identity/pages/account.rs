//! A person's account: passkeys, and where they are signed in.

use askama::Template;

use super::{
    Asked, script,
    sign_in::{sign_in_again, sign_in_redirect, signed_out},
    unavailable,
};
use crate::{
    desk::{PasskeyId, SessionId, TimeFromNow, sort_by},
    http::{Form, Notice, Request, Response, page_with_script},
    identity::{
        Session,
        challenge::{Use, new_challenge},
        passkeys::{self, Passkey, PasskeyFault},
        session::{self, Listed},
        webauthn::Ceremony,
    },
    platform::{Platform, Timestamp},
};

#[derive(Template)]
#[template(path = "identity/templates/account.html")]
struct AccountPage<'a> {
    person: &'a Session,
    csrf: String,
    passkeys: Vec<PasskeyRow>,
    /// What a new passkey is made with; nothing when the sign-in is not recent enough.
    add: Option<Asked>,
    /// The credentials that the person has, so that no device makes a second one.
    known: String,
    problem: Option<&'static str>,
    sessions: Vec<SessionRow>,
}

struct PasskeyRow {
    id: PasskeyId,
    name: String,
    synced: bool,
    made: TimeFromNow,
    used: Option<TimeFromNow>,
}

struct SessionRow {
    id: SessionId,
    browser: String,
    method: &'static str,
    signed_in: TimeFromNow,
    seen: TimeFromNow,
    is_this: bool,
}

/// `GET /account`: the person's passkeys and sessions.
pub async fn account_page(platform: &Platform<'_>, request: &Request) -> Response {
    match signed_in(platform, request).await {
        Ok(person) => show(platform, &person, 200, None).await.unwrap_or_else(|answer| answer),
        Err(answer) => answer,
    }
}

async fn show(
    platform: &Platform<'_>,
    person: &Session,
    status: u16,
    problem: Option<&'static str>,
) -> Result<Response, Response> {
    let mut passkeys = passkeys::of_person(platform, &person.user_id).await.map_err(|_| unavailable())?;
    let mut sessions = session::of_person(platform, &person.user_id).await.map_err(|_| unavailable())?;
    let now = platform.now();
    // What a tenant's provider vouches for reaches that tenant alone, and nothing that is the person's own.
    if person.only.is_some() {
        passkeys.clear();
        sessions.retain(|listed| listed.session_id == person.session_id);
    }
    let mut sessions: Vec<SessionRow> = sessions.into_iter().map(|listed| row(listed, person, now)).collect();
    sort_by(&mut sessions, |a, b| b.is_this.cmp(&a.is_this));
    let challenge = || new_challenge(platform, Use::Passkey(Ceremony::Create), &person.hash);
    let known: Vec<&str> = passkeys.iter().map(|passkey| passkey.credential_id.as_str()).collect();
    let template = AccountPage {
        csrf: person.csrf(platform.config),
        add: person.recent(now).map(|_| Asked::new(platform, challenge())),
        known: known.join(" "),
        passkeys: passkeys.into_iter().map(|passkey| passkey_row(passkey, now)).collect(),
        problem,
        sessions,
        person,
    };
    Ok(page_with_script(status, &template, script(platform)))
}

fn passkey_row(passkey: Passkey, now: Timestamp) -> PasskeyRow {
    PasskeyRow {
        id: passkey.passkey_id,
        name: passkey.name,
        synced: passkey.synced,
        made: TimeFromNow::new(passkey.created_at, now),
        used: passkey.used_at.map(|at| TimeFromNow::new(at, now)),
    }
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
        Some("all") if person.only.is_none() => {
            let end = session::end_all(platform, &person);
            platform.directory.batch(end).await.map_err(|_| unavailable())?;
            Ok(signed_out(platform))
        }
        Some(id) if id == person.session_id.as_str() => {
            let end = session::end(platform, &person);
            platform.directory.batch(end).await.map_err(|_| unavailable())?;
            Ok(signed_out(platform))
        }
        named => {
            if let Some(Ok(other)) = named.map(str::parse::<SessionId>).filter(|_| person.only.is_none()) {
                let end = session::end_other(platform, &person, &other);
                platform.directory.batch(end).await.map_err(|_| unavailable())?;
            }
            Ok(Response::see_other("/account").no_store())
        }
    }
}

/// `POST /account/passkeys`: adds the passkey that the browser has made, after a recent sign-in, or removes one.
pub async fn change_passkeys(platform: &Platform<'_>, request: &Request) -> Response {
    change(platform, request).await.unwrap_or_else(|answer| answer)
}

async fn change(platform: &Platform<'_>, request: &Request) -> Result<Response, Response> {
    let person = signed_in(platform, request).await?;
    let form = request.form().unwrap_or_default();
    person.allows(platform.config, request, &form)?;
    if person.only.is_some() {
        return Err(not_by_provider());
    }
    match form.get("act") {
        Some("add") => return add(platform, &person, &form).await,
        Some("remove") => {
            if let Some(Ok(passkey)) = form.get("passkey").map(str::parse::<PasskeyId>) {
                let removed = passkeys::remove(platform, &person.user_id, &passkey).await;
                removed.map_err(|_| unavailable())?;
            }
        }
        _ => {}
    }
    Ok(Response::see_other("/account").no_store())
}

async fn add(platform: &Platform<'_>, person: &Session, form: &Form) -> Result<Response, Response> {
    const REFUSED: &str = "The passkey was not added. It is here already, you have twenty of them, or the page was too old: try again.";
    let recent = person.recent(platform.now()).ok_or_else(|| sign_in_again("/account"))?;
    match passkeys::register(platform, person, recent, form).await {
        Ok(()) => Ok(Response::see_other("/account").no_store()),
        Err(PasskeyFault::Refused) => show(platform, person, 422, Some(REFUSED)).await,
        Err(PasskeyFault::Database) => Err(unavailable()),
    }
}

/// The person, or the way to sign in.
async fn signed_in(platform: &Platform<'_>, request: &Request) -> Result<Session, Response> {
    session::session(platform, request)
        .await
        .map_err(|_| unavailable())?
        .ok_or_else(|| sign_in_redirect(request))
}

/// The answer to whoever a tenant's provider has signed in, where it is about the person's own account.
pub fn not_by_provider() -> Response {
    Notice {
        heading: "Sign in another way for this",
        words: "You signed in through your organisation’s provider. That opens your organisation, and not what is your own, such as passkeys and other ways to sign in. Sign out, sign in by a link or a passkey, and repeat it.",
    }
    .response(403)
}
