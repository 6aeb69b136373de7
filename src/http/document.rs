//! JSON documents of other servers: fetched by the guarded client, kept for as long as their headers allow.

use data_encoding::BASE64URL_NOPAD;
use jiff::fmt::rfc2822;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{FetchFault, Forbidden, GuardedClient};
use crate::platform::{
    Body, HttpFault, Method, OutgoingRequest, Platform, ReceivedResponse, ResponseSink, Timestamp,
};

/// Kept for 5 minutes, whatever the headers say.
const SHORTEST_SECONDS: i64 = 300;
/// Kept for a day at most.
const LONGEST_SECONDS: i64 = 86_400;
/// An isolate keeps its own copy for a minute.
const MEMORY_SECONDS: i64 = 60;
const TIMEOUT_MILLIS: u32 = 5000;

/// Which document is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its address.
    pub address: &'a str,
    /// Most bytes it may have.
    pub most_bytes: usize,
    /// A copy must have been read after this instant.
    pub newer_than: Option<Timestamp>,
}

/// A document that was understood.
#[derive(Clone, Debug)]
pub struct Document<T> {
    /// What it says.
    pub content: T,
    /// When it was read from its server.
    pub read_at: Timestamp,
}

/// Why there is no document. It tells nothing of the other side's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentFault {
    /// Its address may not be fetched.
    Forbidden(Forbidden),
    /// No answer, or none in time.
    Unreachable,
    /// The answer was not 200: redirects are not followed.
    Status,
    /// It is too long.
    TooLarge,
    /// It is not JSON.
    NotJson,
}

impl DocumentFault {
    /// One sentence for whoever gave the address.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Forbidden(fault) => fault.sentence(),
            Self::Unreachable => "Its server did not answer within 5 seconds.",
            Self::Status => "Its server answered with something else than 200; redirects are not followed.",
            Self::TooLarge => "It is too long.",
            Self::NotJson => "It is not JSON (application/json).",
        }
    }
}

/// A copy, as KV and isolates hold it.
#[derive(Serialize, Deserialize)]
struct Kept {
    address: String,
    body: String,
    read_at: Timestamp,
    until: Timestamp,
}

/// The document as `read` understands it, from a copy or else from its server. What cannot be fetched or is not
/// understood is not kept. `kind` keeps apart what is understood in different ways.
///
/// # Errors
/// Why it could not be had, or why `read` did not take it.
pub async fn document<T, E: From<DocumentFault>>(
    platform: &Platform<'_>,
    kind: &str,
    wanted: Wanted<'_>,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Document<T>, E> {
    let key = format!("{kind}/{}", BASE64URL_NOPAD.encode(&Sha256::digest(wanted.address)));
    if let Some(kept) = recall(platform, &wanted, &key).await
        && let Ok(content) = read(&kept.body)
    {
        return Ok(Document { content, read_at: kept.read_at });
    }
    let read_at = platform.now();
    let response = fetch(platform, &wanted).await?;
    let seconds = lifetime(&response, read_at);
    let body = String::from_utf8(response.body).map_err(|_| DocumentFault::NotJson)?;
    let content = read(&body)?;
    let address = wanted.address.to_owned();
    keep(platform, &key, &Kept { address, body, read_at, until: read_at.plus_seconds(seconds) }, seconds)
        .await;
    Ok(Document { content, read_at })
}

async fn fetch(platform: &Platform<'_>, wanted: &Wanted<'_>) -> Result<ReceivedResponse, DocumentFault> {
    let request = OutgoingRequest {
        method: Method::Get,
        url: wanted.address.to_owned(),
        headers: vec![("accept".to_owned(), "application/json".to_owned())],
        body: Body::Empty,
        timeout_millis: TIMEOUT_MILLIS,
        sink: ResponseSink::Memory { limit: wanted.most_bytes },
    };
    let guarded = GuardedClient::new(platform.http, platform.config);
    let response = guarded.send(request).await.map_err(|fault| match fault {
        FetchFault::Forbidden(why) => DocumentFault::Forbidden(why),
        FetchFault::Http(HttpFault::TooLarge) => DocumentFault::TooLarge,
        FetchFault::Http(_) | FetchFault::Redirects => DocumentFault::Unreachable,
    })?;
    match response.status {
        200 if is_json(&response) => Ok(response),
        200 => Err(DocumentFault::NotJson),
        _ => Err(DocumentFault::Status),
    }
}

/// `application/json`, or a type whose suffix says that it is JSON (RFC 6839).
fn is_json(response: &ReceivedResponse) -> bool {
    let given = response.header("content-type").unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

/// For how long the answer's headers let it be kept (RFC 9111 section 4.2.1), in seconds within our own bounds.
fn lifetime(response: &ReceivedResponse, now: Timestamp) -> i64 {
    let headers = |name: &'static str| response.headers.iter().filter(move |(key, _)| key == name);
    let control: Vec<String> = headers("cache-control")
        .flat_map(|(_, value)| value.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase())
        .collect();
    let seconds_of = |name: &str| {
        let given = control.iter().find_map(|directive| directive.strip_prefix(name)?.strip_prefix('='));
        given.map(|text| text.trim_matches('"').parse::<i64>().unwrap_or(0))
    };
    let age = response.header("age").and_then(|text| text.trim().parse::<i64>().ok()).unwrap_or(0);
    let seconds = if control.iter().any(|directive| directive == "no-store" || directive == "no-cache") {
        0
    } else if let Some(most) = seconds_of("s-maxage").or_else(|| seconds_of("max-age")) {
        most.saturating_sub(age)
    } else {
        response.header("expires").and_then(http_date).map_or(0, |end| end.saturating_sub(now.as_seconds()))
    };
    seconds.clamp(SHORTEST_SECONDS, LONGEST_SECONDS)
}

/// Seconds since the epoch of an HTTP date (RFC 9110 section 5.6.7).
fn http_date(text: &str) -> Option<i64> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok().map(jiff::Timestamp::as_second)
}

/// This isolate's copy, or KV's. A KV that fails, misses or lies is only slower.
async fn recall(platform: &Platform<'_>, wanted: &Wanted<'_>, key: &str) -> Option<Kept> {
    let now = platform.now();
    let is_good = |kept: &Kept| {
        kept.address == wanted.address
            && (kept.read_at..kept.until).contains(&now)
            && wanted.newer_than.is_none_or(|than| kept.read_at > than)
    };
    let own = platform.memory.recall(key, now).and_then(|text| serde_json::from_str(&text).ok());
    if let Some(kept) = own.filter(is_good) {
        return Some(kept);
    }
    let text = platform.key_value.get(key).await.ok()??;
    let kept: Kept = serde_json::from_str(&text).ok().filter(is_good)?;
    let left = kept.until.millis_since(now) / 1000;
    platform.memory.keep(key.to_owned(), text, now, left.min(MEMORY_SECONDS));
    Some(kept)
}

async fn keep(platform: &Platform<'_>, key: &str, kept: &Kept, seconds: i64) {
    if let Ok(text) = serde_json::to_string(kept) {
        platform.memory.keep(key.to_owned(), text.clone(), kept.read_at, MEMORY_SECONDS);
        let _ = platform.key_value.put(key, text, u32::try_from(seconds).unwrap_or(u32::MAX)).await;
    }
}
