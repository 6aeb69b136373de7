//! Clients in the directory: those that registered themselves (RFC 7591), which expire and are counted, and those that
//! the operator registered, which do neither.

use std::net::IpAddr;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::{Client, Metadata, MetadataFault};
use crate::{
    desk::ClientId,
    oauth::store::directory as sql,
    platform::{DatabaseFault, FromRow, Platform, Purpose, Row, RowFault, Timestamp, Value, first, only},
};

/// A client that registered itself expires when it was not used for 90 days.
const LIFE_SECONDS: i64 = 90 * 86_400;
/// Being used is written down at most this often: once a day.
const TOUCH_SECONDS: i64 = 86_400;
/// KV holds a copy for a day.
const COPY_SECONDS: u32 = 86_400;
/// An isolate keeps its own for 15 s.
const MEMORY_SECONDS: i64 = 15;
/// Registrations are counted by the hour.
const WINDOW_SECONDS: i64 = 3600;
/// The part of the deployment's registrations that one address may make. Hosted assistants register all of their users'
/// from a few.
const SHARE_OF_ADDRESS: i64 = 3;
/// Under this name the registrations from anywhere are counted.
const EVERYONE: &str = "everyone";
/// Most clients in one list.
const LIST: i64 = 200;

/// Metadata as they are stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    v: u8,
    #[serde(flatten)]
    metadata: Metadata,
}

fn to_stored(metadata: &Metadata) -> Result<String, DatabaseFault> {
    serde_json::to_string(&Stored { v: 1, metadata: metadata.clone() })
        .map_err(|_| DatabaseFault::Rejected("metadata cannot be serialised".to_owned()))
}

fn from_stored(row: &Row) -> Result<Metadata, RowFault> {
    let text: String = row.get("metadata")?;
    let stored: Stored = serde_json::from_str(&text).map_err(|_| RowFault { column: "metadata" })?;
    Ok(stored.metadata)
}

impl FromRow for Client {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            id: row.get("client_id")?,
            metadata: from_stored(row)?,
            expires_at: row.get("expires_at")?,
        })
    }
}

/// What became of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oauth) enum Registration {
    /// The client is known from now on.
    Kept,
    /// This hour's registrations are used up, from its address or from everywhere; seconds until the next hour.
    TooMany { seconds: i64 },
}

/// Keeps a client that registers itself from `peer`, unless too many have done so this hour: asking, keeping and counting
/// are one batch.
pub(in crate::oauth) async fn register(
    platform: &Platform<'_>,
    peer: &str,
    id: &ClientId,
    metadata: Metadata,
) -> Result<Registration, DatabaseFault> {
    let now = platform.now();
    let expires_at = now.plus_seconds(LIFE_SECONDS);
    let past = now.as_seconds().rem_euclid(WINDOW_SECONDS);
    let hour = Timestamp::from_millis((now.as_seconds() - past) * 1000);
    let address = address_name(platform, peer);
    let most = platform.config.registrations_per_hour;
    let keep = sql::REGISTER_CLIENT.with([
        id.into(),
        to_stored(&metadata)?.into(),
        now.into(),
        expires_at.into(),
        hour.into(),
        address.as_str().into(),
        most.into(),
        (most / SHARE_OF_ADDRESS).max(1).into(),
    ]);
    let count = |name: &str| sql::COUNT_REGISTRATION.with([Value::from(name), hour.into()]);
    let rows = platform.directory.batch(vec![keep, count(EVERYONE), count(&address)]).await?;
    if rows.first().is_none_or(Vec::is_empty) {
        return Ok(Registration::TooMany { seconds: WINDOW_SECONDS - past });
    }
    keep_copy(platform, id.as_str(), &Copy { metadata, expires_at }).await;
    Ok(Registration::Kept)
}

/// What an address is counted under: nobody reads it back from the directory. Of IPv6 the part that one subscriber gets.
fn address_name(platform: &Platform<'_>, peer: &str) -> String {
    let network = match peer.parse() {
        Ok(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
        Ok(IpAddr::V4(_)) | Err(_) => peer.to_owned(),
    };
    BASE64URL_NOPAD.encode(&platform.config.keys.current(Purpose::PeerAddress).hmac(network.as_bytes()))
}

/// A client as KV holds it.
#[derive(Serialize, Deserialize)]
struct Copy {
    metadata: Metadata,
    expires_at: Timestamp,
}

/// The client with this id, unless it has expired. A copy of one that registered itself may answer, however old: its
/// metadata never change and its end only moves on, so what a copy calls live is live, and what it does not, the
/// directory decides. Of what an operator may remove there are no copies.
pub(in crate::oauth) async fn find(
    platform: &Platform<'_>,
    client_id: &str,
) -> Result<Option<Client>, DatabaseFault> {
    let Ok(id) = client_id.parse::<ClientId>() else { return Ok(None) };
    let now = platform.now();
    if let Some(Copy { metadata, expires_at }) =
        copy(platform, id.as_str()).await.filter(|copy| copy.expires_at > now)
    {
        return Ok(Some(Client { id: id.to_string(), metadata, expires_at: Some(expires_at) }));
    }
    let rows = only(platform.directory, sql::FIND_CLIENT.with([(&id).into(), now.into()])).await?;
    let Some(client) = first::<Client>(&rows)? else { return Ok(None) };
    if let Some(expires_at) = client.expires_at {
        keep_copy(platform, &client.id, &Copy { metadata: client.metadata.clone(), expires_at }).await;
    }
    Ok(Some(client))
}

/// Writes down that a client was used, so that it lives on. Failing is no reason to refuse what it was used for.
pub(in crate::oauth) async fn touch(platform: &Platform<'_>, client: Client) {
    let Some(expires_at) = client.expires_at else { return };
    let later = platform.now().plus_seconds(LIFE_SECONDS);
    if later < expires_at.plus_seconds(TOUCH_SECONDS) {
        return;
    }
    let touch = sql::TOUCH_CLIENT.with([client.id.as_str().into(), later.into()]);
    if only(platform.directory, touch).await.is_ok() {
        keep_copy(platform, &client.id, &Copy { metadata: client.metadata, expires_at: later }).await;
    }
}

fn key(id: &str) -> String {
    format!("client/2/{id}")
}

/// This isolate's copy, or KV's. A KV that fails, misses or lies is only slower.
async fn copy(platform: &Platform<'_>, id: &str) -> Option<Copy> {
    let key = key(id);
    let text = match platform.memory.recall(&key, platform.now()) {
        Some(text) => text,
        None => {
            let text = platform.key_value.get(&key).await.ok()??;
            platform.memory.keep(key, text.clone(), platform.now(), MEMORY_SECONDS);
            text
        }
    };
    serde_json::from_str(&text).ok()
}

async fn keep_copy(platform: &Platform<'_>, id: &str, copy: &Copy) {
    if let Ok(text) = serde_json::to_string(copy) {
        let key = key(id);
        platform.memory.keep(key.clone(), text.clone(), platform.now(), MEMORY_SECONDS);
        let _ = platform.key_value.put(&key, text, COPY_SECONDS).await;
    }
}

/// A client that the operator registered.
#[derive(Clone, Debug)]
pub struct KnownClient {
    /// Its id, for whoever sets the client up.
    pub client_id: String,
    /// Its name.
    pub name: Option<String>,
    /// Where authorization responses may go.
    pub redirect_uris: Vec<String>,
    /// When it was registered.
    pub created_at: Timestamp,
}

impl FromRow for KnownClient {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let Metadata { client_name, redirect_uris, .. } = from_stored(row)?;
        Ok(Self {
            client_id: row.get("client_id")?,
            name: client_name,
            redirect_uris,
            created_at: row.get("created_at")?,
        })
    }
}

/// Registers a client for the operator; it does not expire. With `jwks_uri` it must sign at the token endpoint by a key that
/// stands there; without, it is public. Gives its id.
///
/// # Errors
/// The directory's fault; or, within, why the addresses are not accepted.
pub async fn add_client(
    platform: &Platform<'_>,
    name: &str,
    redirect_uris: Vec<String>,
    jwks_uri: Option<String>,
) -> Result<Result<ClientId, MetadataFault>, DatabaseFault> {
    let metadata = match Metadata::by_operator(name, redirect_uris, jwks_uri, platform.config) {
        Ok(metadata) => metadata,
        Err(fault) => return Ok(Err(fault)),
    };
    let now = platform.now();
    let id = ClientId::new(now, platform.entropy);
    let add = sql::ADD_CLIENT.with([(&id).into(), to_stored(&metadata)?.into(), now.into()]);
    only(platform.directory, add).await?;
    Ok(Ok(id))
}

/// The clients that the operator registered, by id, after `after`; at most 200.
///
/// # Errors
/// The directory's.
pub async fn list_clients(platform: &Platform<'_>, after: &str) -> Result<Vec<KnownClient>, DatabaseFault> {
    let rows = only(platform.directory, sql::LIST_CLIENTS.with([after.into(), LIST.into()])).await?;
    Ok(rows.iter().map(KnownClient::from_row).collect::<Result<_, _>>()?)
}

/// Removes a client that the operator registered. What people granted it ends with its last access token. Gives whether
/// there was one.
///
/// # Errors
/// The directory's.
pub async fn remove_client(platform: &Platform<'_>, id: &ClientId) -> Result<bool, DatabaseFault> {
    Ok(!only(platform.directory, sql::REMOVE_CLIENT.with([id.into()])).await?.is_empty())
}
