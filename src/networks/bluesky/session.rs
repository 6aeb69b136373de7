//! Sessions by app password (`com.atproto.server.createSession`, `refreshSession`).

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::xrpc::{Call, Purpose};
use crate::{
    networks::{ErrorClass, Identity, Link, NetworkError, Session, SignIn},
    platform::Timestamp,
};

/// A session is renewed this long before its token expires.
const MARGIN_SECONDS: i64 = 60;

/// What a session's secret holds.
#[derive(Serialize, Deserialize)]
pub struct Tokens {
    /// The token for calls.
    pub access: String,
    /// The token for a new session; it is used once.
    pub refresh: String,
    /// The account's DID.
    pub did: String,
    /// The account's handle.
    pub handle: String,
    /// The origin of the server that the account's repository is on.
    pub pds: String,
}

/// The output of createSession and refreshSession, as far as it is needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    access_jwt: String,
    refresh_jwt: String,
    did: String,
    handle: String,
    did_doc: Option<Value>,
    active: Option<bool>,
}

impl Tokens {
    /// The tokens of a session that this network made.
    pub fn of(session: &Session) -> Option<Self> {
        serde_json::from_str(session.expose()).ok()
    }

    /// The tokens of the step's session.
    ///
    /// # Errors
    /// [`ErrorClass::SessionOver`] when there is none.
    pub fn of_link(link: &Link<'_>) -> Result<Self, NetworkError> {
        link.session.and_then(Self::of).ok_or_else(|| NetworkError::of(ErrorClass::SessionOver, "no_session"))
    }

    fn into_session(self) -> Result<Session, NetworkError> {
        let expires_at = expiry(&self.access);
        let secret = serde_json::to_string(&self)
            .map_err(|_| NetworkError::of(ErrorClass::Retry, "unreadable_answer"))?;
        Ok(Session::new(secret, expires_at))
    }
}

/// Whom a session is for.
pub fn identity(session: &Session) -> Option<Identity> {
    let tokens = Tokens::of(session)?;
    Some(Identity { remote_id: tokens.did, name: tokens.handle.clone(), handle: tokens.handle })
}

/// Signs in with a handle, DID or e-mail address and an app password.
///
/// # Errors
/// [`ErrorClass::Reauthorise`] when they are refused.
pub async fn create(credentials: SignIn<'_>, link: Link<'_>) -> Result<Session, NetworkError> {
    let identifier = credentials.identifier.trim().trim_start_matches('@');
    let input = json!({ "identifier": identifier, "password": credentials.secret.trim() });
    let call = Call::procedure(Purpose::SignIn, "com.atproto.server.createSession", None, &input);
    let output = parse(call.make(credentials.server, &link).await?)?;
    let pds = pds_of(&output, &link).unwrap_or_else(|| credentials.server.to_owned());
    tokens(output, pds).into_session()
}

/// Makes a new session of one whose token has expired. The old refresh token is used up.
///
/// # Errors
/// [`ErrorClass::Reauthorise`] when it is no longer accepted.
pub async fn refresh(server: &str, session: &Session, link: Link<'_>) -> Result<Session, NetworkError> {
    let old = Tokens::of(session).ok_or_else(|| NetworkError::of(ErrorClass::Reauthorise, "no_session"))?;
    let call = Call {
        content_type: None,
        body: crate::platform::Body::Empty,
        ..Call::procedure(
            Purpose::SignIn,
            "com.atproto.server.refreshSession",
            Some(&old.refresh),
            &Value::Null,
        )
    };
    let output = parse(call.make(server, &link).await?)?;
    if output.did != old.did {
        return Err(NetworkError::of(ErrorClass::Reauthorise, "other_account"));
    }
    let pds = pds_of(&output, &link).unwrap_or(old.pds);
    tokens(output, pds).into_session()
}

fn parse(output: Value) -> Result<Output, NetworkError> {
    let output: Output = serde_json::from_value(output)
        .map_err(|_| NetworkError::of(ErrorClass::Retry, "unreadable_answer"))?;
    if output.active == Some(false) {
        return Err(NetworkError::of(ErrorClass::Reauthorise, "AccountDeactivated"));
    }
    if [&output.access_jwt, &output.refresh_jwt, &output.did].iter().any(|field| field.is_empty()) {
        return Err(NetworkError::of(ErrorClass::Retry, "unreadable_answer"));
    }
    Ok(output)
}

fn tokens(output: Output, pds: String) -> Tokens {
    Tokens {
        access: output.access_jwt,
        refresh: output.refresh_jwt,
        did: output.did,
        handle: output.handle,
        pds,
    }
}

/// The repository's server as the account's DID document names it, if it may be asked at all.
fn pds_of(output: &Output, link: &Link<'_>) -> Option<String> {
    let services = output.did_doc.as_ref()?.get("service")?.as_array()?;
    let endpoint = services
        .iter()
        .find(|service| {
            let id = service.get("id").and_then(Value::as_str).unwrap_or_default();
            id.ends_with("#atproto_pds")
        })?
        .get("serviceEndpoint")?
        .as_str()?;
    link.web.address(endpoint).ok().map(|address| address.origin())
}

/// When a token should be renewed: a little before its `exp` (RFC 7519 4.1.4). It is not verified: it is not for us.
fn expiry(token: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Claims {
        exp: i64,
    }
    let payload = token.split('.').nth(1)?;
    let bytes = BASE64URL_NOPAD.decode(payload.trim_end_matches('=').as_bytes()).ok()?;
    let claims: Claims = serde_json::from_slice(&bytes).ok()?;
    Some(Timestamp::from_millis(claims.exp.saturating_mul(1000)).plus_seconds(-MARGIN_SECONDS))
}
