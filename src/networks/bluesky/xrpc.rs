//! Calls to a server of the AT Protocol (XRPC), and what its errors mean.

use data_encoding::HEXUPPER;
use jiff::fmt::rfc2822;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    http::{FetchFault, GuardedClient},
    networks::{ErrorClass, Link, NetworkError},
    platform::{Body, HttpFault, Method, OutgoingRequest, ReceivedResponse, ResponseSink, Timestamp},
};

/// Answers are small; more than this is no answer.
const MAX_ANSWER: usize = 256 * 1024;
/// Longest wait that a server may ask for: its longest window.
const MAX_WAIT_SECONDS: i64 = 24 * 3600;

/// What a call is for. The same answer means different things at different moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Proving who we are, with a password or a refresh token.
    SignIn,
    /// Asking, or storing what nobody sees yet: it can be repeated.
    Reversible,
    /// Putting a record into the repository.
    Send,
}

/// A call.
pub struct Call<'a> {
    /// What it is for.
    pub purpose: Purpose,
    /// GET for queries, POST for procedures.
    pub method: Method,
    /// The method's name, with the query if there is one.
    pub path: String,
    /// The bearer token.
    pub token: Option<&'a str>,
    /// The media type of the body.
    pub content_type: Option<&'a str>,
    /// The body.
    pub body: Body,
}

impl<'a> Call<'a> {
    /// A query without a token.
    pub fn query(method: &str, parameters: &[(&str, &str)]) -> Self {
        let query: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
        Self {
            purpose: Purpose::Reversible,
            method: Method::Get,
            path: format!("{method}?{}", query.join("&")),
            token: None,
            content_type: None,
            body: Body::Empty,
        }
    }

    /// A procedure with a JSON input.
    pub fn procedure(purpose: Purpose, method: &str, token: Option<&'a str>, input: &Value) -> Self {
        Self {
            purpose,
            method: Method::Post,
            path: method.to_owned(),
            token,
            content_type: Some("application/json"),
            body: Body::Text(input.to_string()),
        }
    }

    /// Makes the call on the server at `origin` and gives the output.
    ///
    /// # Errors
    /// What the answer, or its absence, means for this purpose.
    pub async fn make(self, origin: &str, link: &Link<'_>) -> Result<Value, NetworkError> {
        let purpose = self.purpose;
        match self.exchange(origin, link.web).await {
            Ok(response) => read(purpose, &response, link.now),
            Err(fault) => Err(no_answer(purpose, fault)),
        }
    }

    async fn exchange(self, origin: &str, web: GuardedClient<'_>) -> Result<ReceivedResponse, FetchFault> {
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        headers.extend(self.token.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))));
        headers.extend(self.content_type.map(|media| ("content-type".to_owned(), media.to_owned())));
        let uploads = matches!(self.body, Body::Blob { .. } | Body::Bytes(_));
        web.send(OutgoingRequest {
            method: self.method,
            url: format!("{}/xrpc/{}", origin.trim_end_matches('/'), self.path),
            headers,
            body: self.body,
            timeout_millis: if uploads { 60_000 } else { 20_000 },
            sink: ResponseSink::Memory { limit: MAX_ANSWER },
        })
        .await
    }
}

/// RFC 3986 percent-encoding of everything but unreserved characters.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{}", HEXUPPER.encode(&[byte])),
        })
        .collect()
}

/// The error body of an XRPC call.
#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorBody {
    error: String,
    message: String,
}

fn read(purpose: Purpose, response: &ReceivedResponse, now: Timestamp) -> Result<Value, NetworkError> {
    if response.status == 200 {
        return serde_json::from_slice(&response.body)
            .map_err(|_| NetworkError::of(unsure(purpose), "unreadable_answer"));
    }
    let body: ErrorBody = serde_json::from_slice(&response.body).unwrap_or_default();
    let class = classify(purpose, response.status, &body.error);
    let code = if body.error.is_empty() { format!("http_{}", response.status) } else { body.error };
    Err(NetworkError {
        class,
        code: code.chars().take(100).collect(),
        words: body.message.chars().take(1000).collect(),
        retry_at: retry_at(response, now).filter(|_| class == ErrorClass::Retry),
    })
}

/// What a refusal means (the table of the lexicons' errors and the statuses of the XRPC specification).
pub fn classify(purpose: Purpose, status: u16, error: &str) -> ErrorClass {
    match (status, error) {
        (_, "AccountTakedown") => ErrorClass::Refused,
        (429, _) => ErrorClass::Retry,
        (500.., _) => unsure(purpose),
        (_, _) if purpose == Purpose::SignIn => ErrorClass::Reauthorise,
        (400, "ExpiredToken" | "InvalidToken") | (401, _) => ErrorClass::SessionOver,
        (400, "InvalidSwap") => ErrorClass::Verify,
        (400, "BlobNotFound") => ErrorClass::PrepareAgain,
        (400, "AccountDeactivated" | "RepoNotFound" | "RepoDeactivated" | "RepoTakendown") => {
            ErrorClass::Refused
        }
        (400 | 413 | 415 | 422, _) => ErrorClass::Fix,
        _ => ErrorClass::Refused,
    }
}

/// What to do when nothing certain is known: what can be repeated is repeated, what may be public is looked up.
const fn unsure(purpose: Purpose) -> ErrorClass {
    match purpose {
        Purpose::Send => ErrorClass::Verify,
        Purpose::SignIn | Purpose::Reversible => ErrorClass::Retry,
    }
}

fn no_answer(purpose: Purpose, fault: FetchFault) -> NetworkError {
    match fault {
        FetchFault::Http(HttpFault::NotSent(_)) => NetworkError::of(ErrorClass::Retry, "not_reached"),
        FetchFault::Http(HttpFault::Unknown(_)) => NetworkError::of(unsure(purpose), "connection_lost"),
        FetchFault::Http(HttpFault::TooLarge) => NetworkError::of(unsure(purpose), "answer_too_large"),
        FetchFault::Forbidden(_) | FetchFault::Redirects => {
            NetworkError::of(ErrorClass::Refused, "address_not_allowed")
        }
    }
}

/// When the server said to come again: `Retry-After` (RFC 9110 10.2.3), else `RateLimit-Reset` in epoch seconds, as
/// Bluesky sends it.
fn retry_at(response: &ReceivedResponse, now: Timestamp) -> Option<Timestamp> {
    let asked = response
        .header("retry-after")
        .and_then(|text| after(text, now))
        .or_else(|| response.header("ratelimit-reset").and_then(|text| reset(text, now)))?;
    Some(asked.clamp(now.plus_seconds(1), now.plus_seconds(MAX_WAIT_SECONDS)))
}

fn after(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(now.plus_seconds(seconds));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(Timestamp::from_millis(date.as_millisecond()))
}

/// A number that cannot be a present epoch time is seconds from now (IETF draft of the RateLimit headers).
fn reset(text: &str, now: Timestamp) -> Option<Timestamp> {
    let number: i64 = text.trim().parse().ok()?;
    let is_epoch = number > 1_000_000_000;
    Some(if is_epoch {
        Timestamp::from_millis(number.saturating_mul(1000))
    } else {
        now.plus_seconds(number)
    })
}
