//! Authorization requests that wait for a person's decision.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{
    client::{AuthMethod, Vouched},
    store::directory as sql,
};
use crate::{
    desk::{PendingId, Safename, Scopes},
    identity::Session,
    platform::{DatabaseFault, Platform, only},
};

/// A person has 10 minutes to decide.
const LIFE_SECONDS: i64 = 600;

/// What a client asked for, checked: everything that the decision and the code need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// The form in which it is stored: 1.
    pub(super) v: u8,
    pub(super) client_id: String,
    pub(super) client_name: Option<String>,
    /// How the client must prove itself when it redeems the code, and ever after.
    pub(super) client_auth: AuthMethod,
    /// What vouches for the client's name.
    pub(super) vouched: Vouched,
    /// Whether the answer goes to a program on the person's own computer, and nothing proves which.
    pub(super) loopback_only: bool,
    pub(super) redirect_uri: String,
    /// Whether the client named the address; it must then name it again with the code (RFC 6749 section 4.1.3).
    pub(super) redirect_given: bool,
    pub(super) state: Option<String>,
    pub(super) challenge: String,
    #[serde(serialize_with = "write_scopes", deserialize_with = "read_scopes")]
    pub(super) scopes: Scopes,
    /// Whether the client's registration asks for refresh tokens.
    pub(super) offline: bool,
    /// The tenant that `resource` named; nothing when the person chooses.
    #[serde(deserialize_with = "read_safename")]
    pub(super) tenant: Option<Safename>,
}

fn write_scopes<S: Serializer>(scopes: &Scopes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&scopes.to_text())
}

fn read_scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Scopes, D::Error> {
    String::deserialize(deserializer).map(|text| Scopes::parse(&text))
}

fn read_safename<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Safename>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(|_| D::Error::custom("not a safename"))).transpose()
}

/// Keeps a request for this session to decide.
pub(super) async fn keep(
    platform: &Platform<'_>,
    session: &Session,
    asked: &Asked,
) -> Result<PendingId, DatabaseFault> {
    let now = platform.now();
    let id = PendingId::new(now, platform.entropy);
    let text = serde_json::to_string(asked)
        .map_err(|_| DatabaseFault::Rejected("a request cannot be serialised".to_owned()))?;
    let add = sql::ADD_PENDING.with([
        (&id).into(),
        session.hash.as_str().into(),
        text.into(),
        now.into(),
        now.plus_seconds(LIFE_SECONDS).into(),
    ]);
    only(platform.directory, add).await?;
    Ok(id)
}

/// The request, if it is this session's and waits.
pub(super) async fn find(
    platform: &Platform<'_>,
    session: &Session,
    id: &PendingId,
) -> Result<Option<Asked>, DatabaseFault> {
    let find = sql::FIND_PENDING.with([id.into(), session.hash.as_str().into(), platform.now().into()]);
    let rows = only(platform.directory, find).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let text: String = row.get("request")?;
    // One that an earlier or later release stored in another form is asked again.
    Ok(serde_json::from_str(&text).ok())
}

/// Takes the decision on a request. Exactly one caller gets `true`.
///
/// It comes before anything is granted: when what follows fails or is cut short, nothing was given away and the client
/// asks again; two decisions can never both be carried out.
pub(super) async fn claim(
    platform: &Platform<'_>,
    session: &Session,
    id: &PendingId,
) -> Result<bool, DatabaseFault> {
    let claim = sql::CLAIM_PENDING.with([id.into(), session.hash.as_str().into(), platform.now().into()]);
    Ok(!only(platform.directory, claim).await?.is_empty())
}
