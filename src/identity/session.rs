//! Browser sessions.

use data_encoding::BASE64URL_NOPAD;

use super::{SignInMethod, browser, store};
use crate::{
    desk::{
        Act, Reach, RecentSignIn, SessionId, TenantId, UserId, act_of_session, change_by_person,
        refusal_of_person, sort_by, token_hash,
    },
    http::{Cookie, Form, Notice, Request, Response},
    platform::{
        Config, DatabaseFault, Entropy, Event, FromRow, Platform, Purpose, Row, RowFault, Statement,
        Timestamp, Value, first, only, random_array,
    },
};

/// A session ends this long after signing in, whatever happens: 30 days.
pub(super) const LONGEST_SECONDS: i64 = 30 * 86_400;
/// A session ends when it was not used for this long: 12 hours.
const IDLE_SECONDS: i64 = 12 * 3600;
/// Being used is written down at most this often: every 10 minutes.
const SEEN_SECONDS: i64 = 600;

/// A signed-in person's browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id, which is no secret.
    pub session_id: SessionId,
    /// The person.
    pub user_id: UserId,
    /// The one tenant that the session is valid for: it was begun through that tenant's provider.
    pub only: Option<TenantId>,
    /// The person's name.
    pub name: String,
    /// The person's e-mail address.
    pub email: String,
    /// The hash by which the session is known here.
    pub hash: String,
    /// How the person signed in.
    pub method: SignInMethod,
    /// When the person signed in.
    pub signed_in_at: Timestamp,
}

struct SessionRow {
    session: Session,
    seen_at: Timestamp,
}

impl FromRow for SessionRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let session = Session {
            session_id: row.get("session_id")?,
            user_id: row.get("user_id")?,
            only: row.get("tenant_id")?,
            name: row.get("name")?,
            email: row.get("email")?,
            hash: row.get("session_hash")?,
            method: row.get("method")?,
            signed_in_at: row.get("signed_in_at")?,
        };
        Ok(Self { session, seen_at: row.get("seen_at")? })
    }
}

/// A session as the account page lists it.
pub(super) struct Listed {
    pub(super) session_id: SessionId,
    pub(super) method: SignInMethod,
    pub(super) browser: String,
    pub(super) signed_in_at: Timestamp,
    pub(super) seen_at: Timestamp,
}

impl FromRow for Listed {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            session_id: row.get("session_id")?,
            method: row.get("method")?,
            browser: row.get("browser")?,
            signed_in_at: row.get("signed_in_at")?,
            seen_at: row.get("seen_at")?,
        })
    }
}

/// The session that the request's cookie names, if it is live.
///
/// # Errors
/// When the directory fails.
pub async fn session(platform: &Platform<'_>, request: &Request) -> Result<Option<Session>, DatabaseFault> {
    let Some(hash) = cookie_hash(platform, request) else {
        return Ok(None);
    };
    let now = platform.now();
    let find = store::FIND_SESSION.with([hash.as_str().into(), now.into(), idle_since(now).into()]);
    let Some(row) = first::<SessionRow>(&only(platform.directory, find).await?)? else {
        return Ok(None);
    };
    if now.millis_since(row.seen_at) >= SEEN_SECONDS * 1000 {
        only(platform.directory, store::TOUCH_SESSION.with([hash.into(), now.into()])).await?;
    }
    Ok(Some(row.session))
}

/// A person's live sessions, the one used last first.
pub(super) async fn of_person(
    platform: &Platform<'_>,
    person: &UserId,
) -> Result<Vec<Listed>, DatabaseFault> {
    let now = platform.now();
    let find = store::SESSIONS_OF_PERSON.with([person.into(), now.into(), idle_since(now).into()]);
    let rows = only(platform.directory, find).await?;
    let mut sessions = rows.iter().map(Listed::from_row).collect::<Result<Vec<_>, _>>()?;
    sort_by(&mut sessions, |a, b| b.seen_at.cmp(&a.seen_at).then_with(|| b.session_id.cmp(&a.session_id)));
    Ok(sessions)
}

const fn idle_since(now: Timestamp) -> Timestamp {
    now.plus_seconds(-IDLE_SECONDS)
}

/// The hash of the session secret that the browser sent.
pub(super) fn cookie_hash(platform: &Platform<'_>, request: &Request) -> Option<String> {
    Cookie::Session.read(request, platform.config.is_local()).map(token_hash)
}

/// The statements that end this session.
pub(super) fn end(platform: &Platform<'_>, session: &Session) -> Vec<Statement> {
    vec![ending(platform, session, "this"), store::END_SESSION.with([session.hash.as_str().into()])]
}

/// The statements that end another session of the same person, if there is one.
pub(super) fn end_other(platform: &Platform<'_>, session: &Session, other: &SessionId) -> Vec<Statement> {
    let person = &session.user_id;
    let act = Act { name: "sign_out", subjects: &[other.as_str()] };
    vec![
        store::END_SESSION_OF_PERSON.with([person.into(), other.into()]),
        change_by_person(platform, person, None, &act),
    ]
}

/// The statements that end all sessions of the same person, and the links that would begin others.
pub(super) fn end_all(platform: &Platform<'_>, session: &Session) -> Vec<Statement> {
    let person = || Value::from(&session.user_id);
    vec![
        ending(platform, session, "all"),
        store::END_SESSIONS_OF_PERSON.with([person()]),
        store::END_LINKS_OF_PERSON.with([person(), platform.now().into()]),
    ]
}

/// Records a sign-out, before the session that asks for it is gone.
fn ending(platform: &Platform<'_>, session: &Session, which: &str) -> Statement {
    act_of_session(
        platform,
        &session.hash,
        session.only.as_ref(),
        &Act { name: "sign_out", subjects: &[which] },
    )
}

/// Writes down that somebody was refused who wanted to sign in as this person `with` something. Failing is no reason to
/// answer otherwise.
pub(super) async fn note_refused(
    platform: &Platform<'_>,
    person: &UserId,
    with: &str,
    outcome: &'static str,
) {
    let act = Act { name: "sign_in", subjects: &[with] };
    let note = refusal_of_person(platform, person, None, &act, outcome);
    if only(platform.directory, note).await.is_err() {
        platform.events.emit(Event::Fault { place: "audit_refusal", kind: "database" });
    }
}

/// A fresh secret of 256 bits.
pub fn new_secret(entropy: &dyn Entropy) -> String {
    BASE64URL_NOPAD.encode(&random_array::<32>(entropy))
}

/// A session about to begin in the browser that sent a request: a new secret every time, so that nobody who knew the
/// browser's former one knows this.
pub(super) struct NewSession {
    /// What the browser keeps.
    pub(super) secret: String,
    hash: String,
    session_id: SessionId,
    browser: String,
    now: Timestamp,
    former: Option<String>,
}

impl NewSession {
    pub(super) fn in_browser(platform: &Platform<'_>, request: &Request) -> Self {
        let secret = new_secret(platform.entropy);
        let now = platform.now();
        Self {
            hash: token_hash(&secret),
            secret,
            session_id: SessionId::new(now, platform.entropy),
            browser: browser::describe(request.header("user-agent")),
            now,
            former: cookie_hash(platform, request),
        }
    }

    /// The hash by which it is known here.
    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    /// The parameters `?2 … ?6` of every statement that begins a session.
    pub(super) fn values(&self) -> [Value; 5] {
        [
            self.hash.as_str().into(),
            (&self.session_id).into(),
            self.browser.as_str().into(),
            self.now.into(),
            self.now.plus_seconds(LONGEST_SECONDS).into(),
        ]
    }

    /// The statement that records signing in `with` something, after the one that begins the session: for the audit of
    /// `tenant`, or of all the person's tenants.
    pub(super) fn act(&self, platform: &Platform<'_>, tenant: Option<&TenantId>, with: &str) -> Statement {
        act_of_session(platform, &self.hash, tenant, &Act { name: "sign_in", subjects: &[with] })
    }

    /// The statement that ends the browser's former session if this one has begun.
    pub(super) fn end_former(&self) -> Statement {
        store::END_FORMER_SESSION.with([self.former.clone().into(), self.hash.as_str().into()])
    }
}

impl Session {
    /// How far it reaches.
    pub fn reach(&self) -> Reach {
        Reach { user_id: self.user_id.clone(), only: self.only.clone() }
    }

    /// Proof that the person signed in less than 5 minutes ago.
    pub fn recent(&self, now: Timestamp) -> Option<RecentSignIn> {
        RecentSignIn::of(self.signed_in_at, now)
    }

    /// The token that forms of this session carry: the key's id and an HMAC over the session's hash.
    pub fn csrf(&self, config: &Config) -> String {
        let tag = config.keys.current(Purpose::Csrf).hmac(self.hash.as_bytes());
        format!("{}.{}", config.keys.current_id(), BASE64URL_NOPAD.encode(&tag))
    }

    /// Whether an unsafe request really comes from this session's own page: it is same-origin, and the form carries
    /// the session's token in `csrf`.
    ///
    /// # Errors
    /// The page that answers it otherwise, 403.
    pub fn allows(&self, config: &Config, request: &Request, form: &Form) -> Result<(), Response> {
        if is_same_origin(config, request) && self.made(config, form.get("csrf").unwrap_or_default()) {
            Ok(())
        } else {
            Err(not_from_here())
        }
    }

    fn made(&self, config: &Config, token: &str) -> bool {
        let Some((id, tag)) = token.split_once('.') else {
            return false;
        };
        let key = config.keys.by_id(id, Purpose::Csrf);
        let tag = BASE64URL_NOPAD.decode(tag.as_bytes()).ok();
        key.zip(tag).is_some_and(|(key, tag)| key.verify(self.hash.as_bytes(), &tag))
    }
}

/// Whether a browser says that the request comes from a page of this origin. Pages send no referrer, for which browsers
/// make `Origin` null on forms, so `Sec-Fetch-Site` decides where there is one.
pub fn is_same_origin(config: &Config, request: &Request) -> bool {
    match request.header("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => request.header("origin") == Some(config.public_origin.as_str()),
    }
}

/// The answer to a form that does not come from its own page.
pub fn not_from_here() -> Response {
    Notice {
        heading: "This form is not valid any more",
        words: "Go back, load the page again and repeat what you did. Nothing was changed.",
    }
    .response(403)
}
