//! Clients and how they are found.

use serde::{Deserialize, Serialize};

use super::{redirect::RedirectUri, store::directory as sql};
use crate::{
    desk::ClientId,
    platform::{Config, DatabaseFault, FromRow, Platform, Row, RowFault, Timestamp, first, only},
};

/// A registered client expires when it was not used for 90 days.
const LIFE_SECONDS: i64 = 90 * 86_400;
/// Being used is written down at most this often: once a day.
const TOUCH_SECONDS: i64 = 86_400;
/// KV holds a copy for a day.
const COPY_SECONDS: u32 = 86_400;
/// An isolate keeps its own for 15 s.
const MEMORY_SECONDS: i64 = 15;

/// What a client may do to get tokens (RFC 7591 section 2), as far as it is served here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum GrantType {
    AuthorizationCode,
    RefreshToken,
}

/// A client's metadata as it was accepted (RFC 7591 section 2). It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Metadata {
    pub(super) redirect_uris: Vec<String>,
    pub(super) grant_types: Vec<GrantType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) application_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) software_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) software_version: Option<String>,
}

/// Metadata as they are stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    v: u8,
    #[serde(flatten)]
    metadata: Metadata,
}

impl Metadata {
    /// The text to store.
    pub(super) fn to_stored(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Stored { v: 1, metadata: self.clone() })
    }
}

/// A client that may ask for authorization.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) metadata: Metadata,
    used_at: Timestamp,
}

impl Client {
    /// The address to answer to: the one asked for, if the client registered it; without one asked for, the only one
    /// registered (RFC 6749 section 3.1.2.3).
    pub(super) fn redirect(&self, asked: Option<&str>, config: &Config) -> Option<RedirectUri> {
        let registered = &self.metadata.redirect_uris;
        let Some(asked) = asked else {
            let [only] = registered.as_slice() else { return None };
            return RedirectUri::parse(only, config).ok();
        };
        let asked = RedirectUri::parse(asked, config).ok()?;
        registered.iter().any(|registered| asked.matches(registered, config)).then_some(asked)
    }

    /// Whether every address of the client is a program on the person's computer: nothing proves who it is.
    pub(super) fn is_loopback_only(&self, config: &Config) -> bool {
        self.metadata
            .redirect_uris
            .iter()
            .all(|text| RedirectUri::parse(text, config).is_ok_and(|address| address.is_loopback()))
    }

    /// Whether the client's registration asks for refresh tokens.
    pub(super) fn refreshes(&self) -> bool {
        self.metadata.grant_types.contains(&GrantType::RefreshToken)
    }

    fn is_live(&self, now: Timestamp) -> bool {
        self.used_at.plus_seconds(LIFE_SECONDS) > now
    }
}

struct ClientRow(Client);

impl FromRow for ClientRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let text: String = row.get("metadata")?;
        let stored: Stored = serde_json::from_str(&text).map_err(|_| RowFault { column: "metadata" })?;
        Ok(Self(Client {
            id: row.get("client_id")?,
            metadata: stored.metadata,
            used_at: row.get("used_at")?,
        }))
    }
}

/// A client as KV holds it.
#[derive(Serialize, Deserialize)]
struct Copy {
    metadata: Metadata,
    used_at: Timestamp,
}

/// Keeps a new client.
pub(super) async fn add(
    platform: &Platform<'_>,
    id: &ClientId,
    metadata: Metadata,
) -> Result<(), DatabaseFault> {
    let now = platform.now();
    let stored = metadata
        .to_stored()
        .map_err(|_| DatabaseFault::Rejected("metadata cannot be serialised".to_owned()))?;
    only(platform.directory, sql::ADD_CLIENT.with([id.into(), stored.into(), now.into()])).await?;
    keep_copy(platform, &Client { id: id.to_string(), metadata, used_at: now }).await;
    Ok(())
}

/// The client with this id, unless it has expired. A copy may answer, however old: metadata never change and the last
/// use only moves on, so what a copy calls live is live, and what it does not, the directory decides.
pub(super) async fn find(platform: &Platform<'_>, client_id: &str) -> Result<Option<Client>, DatabaseFault> {
    let Ok(id) = client_id.parse::<ClientId>() else { return Ok(None) };
    let now = platform.now();
    if let Some(client) = copy(platform, &id).await.filter(|client| client.is_live(now)) {
        return Ok(Some(client));
    }
    let earliest = now.plus_seconds(-LIFE_SECONDS);
    let rows = only(platform.directory, sql::FIND_CLIENT.with([(&id).into(), earliest.into()])).await?;
    let Some(ClientRow(client)) = first(&rows)? else { return Ok(None) };
    keep_copy(platform, &client).await;
    Ok(Some(client))
}

/// Writes down that a client was used, so that it lives on. Failing is no reason to refuse what it was used for.
pub(super) async fn touch(platform: &Platform<'_>, mut client: Client) {
    let now = platform.now();
    if now < client.used_at.plus_seconds(TOUCH_SECONDS) {
        return;
    }
    let touch = sql::TOUCH_CLIENT.with([client.id.as_str().into(), now.into()]);
    if only(platform.directory, touch).await.is_ok() {
        client.used_at = now;
        keep_copy(platform, &client).await;
    }
}

fn key(id: &str) -> String {
    format!("client/1/{id}")
}

/// This isolate's copy, or KV's. A KV that fails, misses or lies is only slower.
async fn copy(platform: &Platform<'_>, id: &ClientId) -> Option<Client> {
    let key = key(id.as_str());
    let own = platform.memory.recall(&key, platform.now());
    let text = match own {
        Some(text) => text,
        None => {
            let text = platform.key_value.get(&key).await.ok()??;
            platform.memory.keep(key, text.clone(), platform.now(), MEMORY_SECONDS);
            text
        }
    };
    let Copy { metadata, used_at } = serde_json::from_str(&text).ok()?;
    Some(Client { id: id.to_string(), metadata, used_at })
}

async fn keep_copy(platform: &Platform<'_>, client: &Client) {
    let copy = Copy { metadata: client.metadata.clone(), used_at: client.used_at };
    if let Ok(text) = serde_json::to_string(&copy) {
        let key = key(&client.id);
        platform.memory.keep(key.clone(), text.clone(), platform.now(), MEMORY_SECONDS);
        let _ = platform.key_value.put(&key, text, COPY_SECONDS).await;
    }
}
