//! Passkeys: registering them, signing in by them, taking them away.

use data_encoding::BASE64URL_NOPAD;

use super::{
    Session,
    challenge::{self, Challenge, Use},
    session::{NewSession, note_refused},
    store,
    webauthn::{self, AuthenticatorData, Ceremony},
};
use crate::{
    desk::{Act, PasskeyId, RecentSignIn, UserId, change_by_person, sort_by},
    http::Form,
    platform::{DatabaseFault, FromRow, Platform, Row, RowFault, Timestamp, first, only},
};

/// A person has at most so many.
const MOST: i64 = 20;

/// A passkey as the account page lists it.
pub(super) struct Passkey {
    pub(super) passkey_id: PasskeyId,
    pub(super) credential_id: String,
    pub(super) name: String,
    pub(super) synced: bool,
    pub(super) created_at: Timestamp,
    pub(super) used_at: Option<Timestamp>,
}

impl FromRow for Passkey {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            passkey_id: row.get("passkey_id")?,
            credential_id: row.get("credential_id")?,
            name: row.get("name")?,
            synced: row.get("synced")?,
            created_at: row.get("created_at")?,
            used_at: row.get("used_at")?,
        })
    }
}

/// Why no passkey was registered, or nobody signed in.
pub(super) enum PasskeyFault {
    /// What the authenticator said is not taken, for whatever reason.
    Refused,
    /// The directory did not do its part.
    Database,
}

impl From<DatabaseFault> for PasskeyFault {
    fn from(fault: DatabaseFault) -> Self {
        match fault {
            // The challenge was answered before, or the credential is there already.
            DatabaseFault::Aborted(_) => Self::Refused,
            DatabaseFault::Rejected(_) | DatabaseFault::Unknown(_) => Self::Database,
        }
    }
}

impl From<webauthn::Fault> for PasskeyFault {
    fn from(_: webauthn::Fault) -> Self {
        Self::Refused
    }
}

/// A person's passkeys, the oldest first.
///
/// # Errors
/// When the directory fails.
pub(super) async fn of_person(
    platform: &Platform<'_>,
    person: &UserId,
) -> Result<Vec<Passkey>, DatabaseFault> {
    let rows = only(platform.directory, store::PASSKEYS_OF_PERSON.with([person.into()])).await?;
    let mut passkeys = rows.iter().map(Passkey::from_row).collect::<Result<Vec<_>, _>>()?;
    sort_by(&mut passkeys, |a, b| a.passkey_id.cmp(&b.passkey_id));
    Ok(passkeys)
}

/// The bytes of a form's base64url field.
fn bytes(form: &Form, name: &str) -> Result<Vec<u8>, PasskeyFault> {
    let text = form.get(name).unwrap_or_default();
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| PasskeyFault::Refused)
}

/// The challenge that client data answer, if it is right for this ceremony and binding.
fn challenge_of(
    platform: &Platform<'_>,
    ceremony: Ceremony,
    binding: &str,
    client_data: &[u8],
) -> Result<Challenge, PasskeyFault> {
    let answered = webauthn::challenge(platform.config, ceremony, client_data)?;
    challenge::answered(platform, Use::Passkey(ceremony), binding, &answered).ok_or(PasskeyFault::Refused)
}

/// Registers what an authenticator made (Level 3, section 7.1) from the fields `client_data`, `authenticator_data` and
/// `name`.
///
/// # Errors
/// When it is not taken, is there already, or the directory fails.
pub(super) async fn register(
    platform: &Platform<'_>,
    session: &Session,
    _recent: RecentSignIn,
    form: &Form,
) -> Result<(), PasskeyFault> {
    let challenge = challenge_of(platform, Ceremony::Create, &session.hash, &bytes(form, "client_data")?)?;
    let said = bytes(form, "authenticator_data")?;
    let data = AuthenticatorData::read(platform.config, &said)?;
    let made = data.made.ok_or(PasskeyFault::Refused)?;
    let now = platform.now();
    let id = PasskeyId::new(now, platform.entropy);
    let act = Act { name: "add_passkey", subjects: &[id.as_str()] };
    let batch = vec![
        challenge.use_up(),
        store::ADD_PASSKEY.with([
            (&id).into(),
            BASE64URL_NOPAD.encode(made.id).into(),
            (&session.user_id).into(),
            BASE64URL_NOPAD.encode(made.key).into(),
            i64::from(data.counter).into(),
            data.synced.into(),
            passkey_name(form.get("name").unwrap_or_default()).into(),
            now.into(),
            MOST.into(),
        ]),
        change_by_person(platform, &session.user_id, None, &act),
    ];
    let answers = platform.directory.batch(batch).await?;
    if answers.get(1).is_some_and(|rows| !rows.is_empty()) { Ok(()) } else { Err(PasskeyFault::Refused) }
}

/// What is left of what was typed; "Passkey" when nothing is.
fn passkey_name(typed: &str) -> String {
    let name: String = typed.trim().chars().filter(|sign| !sign.is_control()).take(60).collect();
    if name.is_empty() { "Passkey".to_owned() } else { name }
}

/// Takes one of a person's passkeys away. It opens nothing any more; sessions that it began go on.
///
/// # Errors
/// When the directory fails.
pub(super) async fn remove(
    platform: &Platform<'_>,
    person: &UserId,
    passkey: &PasskeyId,
) -> Result<(), DatabaseFault> {
    let act = Act { name: "remove_passkey", subjects: &[passkey.as_str()] };
    let batch = vec![
        store::REMOVE_PASSKEY.with([person.into(), passkey.into()]),
        change_by_person(platform, person, None, &act),
    ];
    platform.directory.batch(batch).await.map(drop)
}

struct Stored {
    passkey_id: PasskeyId,
    user_id: UserId,
    public_key: String,
    synced: bool,
}

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            passkey_id: row.get("passkey_id")?,
            user_id: row.get("user_id")?,
            public_key: row.get("public_key")?,
            synced: row.get("synced")?,
        })
    }
}

/// Signs in by what an authenticator signed (Level 3, section 7.2) from the fields `credential_id`, `user_handle`,
/// `client_data`, `authenticator_data` and `signature`; the browser's former session ends.
///
/// # Errors
/// When it is not taken, its counter says that it was copied, or the directory fails.
pub(super) async fn sign_in(
    platform: &Platform<'_>,
    browser_hash: &str,
    form: &Form,
    new: &NewSession,
) -> Result<(), PasskeyFault> {
    let client_data = bytes(form, "client_data")?;
    let challenge = challenge_of(platform, Ceremony::Get, browser_hash, &client_data)?;
    let id = BASE64URL_NOPAD.encode(&bytes(form, "credential_id")?);
    let rows = only(platform.directory, store::FIND_PASSKEY.with([id.into()])).await?;
    let stored: Stored = first(&rows)?.ok_or(PasskeyFault::Refused)?;
    let begun = begin(platform, &stored, &challenge, &client_data, form, new).await;
    if matches!(begun, Err(PasskeyFault::Refused)) {
        note_refused(platform, &stored.user_id, "passkey", "passkey_refused").await;
    }
    begun
}

/// Begins the session if the credential's own authenticator answered the challenge.
async fn begin(
    platform: &Platform<'_>,
    stored: &Stored,
    challenge: &Challenge,
    client_data: &[u8],
    form: &Form,
    new: &NewSession,
) -> Result<(), PasskeyFault> {
    let said = bytes(form, "authenticator_data")?;
    let data = AuthenticatorData::read(platform.config, &said)?;
    let own = bytes(form, "user_handle")? == stored.user_id.as_str().as_bytes();
    if !own || data.made.is_some() || data.synced != stored.synced {
        return Err(PasskeyFault::Refused);
    }
    let cose = BASE64URL_NOPAD.decode(stored.public_key.as_bytes()).map_err(|_| PasskeyFault::Refused)?;
    let key = webauthn::public_key(&cose)?;
    let signature = webauthn::signature(&key, &bytes(form, "signature")?)?;
    if !platform.signatures.verify(&key, &webauthn::signed(&said, client_data), &signature).await {
        return Err(PasskeyFault::Refused);
    }
    let [hash, session_id, browser, now, expires_at] = new.values();
    let passkey = || (&stored.passkey_id).into();
    let batch = vec![
        challenge.use_up(),
        store::USE_PASSKEY.with([passkey(), i64::from(data.counter).into(), now.clone()]),
        store::BEGIN_SESSION_BY_PASSKEY.with([passkey(), hash, session_id, browser, now, expires_at]),
        new.act(platform, None, "passkey"),
        new.end_former(),
    ];
    let answers = platform.directory.batch(batch).await?;
    if answers.get(2).is_some_and(|rows| !rows.is_empty()) { Ok(()) } else { Err(PasskeyFault::Refused) }
}
