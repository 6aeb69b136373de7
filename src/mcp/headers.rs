//! What a request's headers must say: where it may come from, its media type, and what 2026-07-28 mirrors of the body.

use std::borrow::Cow;

use data_encoding::BASE64;
use serde_json::{Map, Value};
use url::{Host, Url};

use super::fault::{Fault, Kind};
use super::message;
use crate::http::{Request, RequestMethod};
use crate::platform::Config;

pub(super) const PROTOCOL_VERSION: &str = "mcp-protocol-version";
const METHOD: &str = "mcp-method";
const NAME: &str = "mcp-name";

/// The rungs below JSON: `Origin`, method, media type. Which answers a client accepts is not asked: it can read JSON.
///
/// # Errors
/// The first rung that does not hold.
pub(super) fn check_transport(config: &Config, http: &Request) -> Result<(), Fault> {
    if !http.header("origin").is_none_or(|origin| is_welcome(origin, config)) {
        return Err(Fault::new(Kind::ForeignOrigin, "Pages of this origin may not call this endpoint."));
    }
    if http.method != RequestMethod::Post {
        return Err(Fault::new(Kind::NotPost, "This endpoint answers POST only; it has no stream to GET."));
    }
    if !http.header("content-type").is_some_and(is_json) {
        return Err(Fault::new(Kind::NotJsonMedia, "Send the message as application/json."));
    }
    Ok(())
}

/// Our own origin, and on a developer's machine any loopback one.
fn is_welcome(origin: &str, config: &Config) -> bool {
    let Ok(url) = Url::parse(origin.trim()) else { return false };
    url.origin().ascii_serialization() == config.public_origin || (config.is_local() && is_loopback(&url))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn is_json(content_type: &str) -> bool {
    content_type
        .split(';')
        .next()
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// The revision that the headers name, if they name one.
pub(super) fn revision(http: &Request) -> Option<&str> {
    http.header(PROTOCOL_VERSION).map(str::trim)
}

/// Checks that the headers say what the body says (2026-07-28, Streamable HTTP, standard request headers).
///
/// # Errors
/// [`Kind::HeaderMismatch`].
pub(super) fn check_mirror(http: &Request, request: &message::Request, version: &str) -> Result<(), Fault> {
    check_one(http, PROTOCOL_VERSION, Some(version))?;
    check_one(http, METHOD, Some(&request.method))?;
    match name_member(&request.method) {
        Some(member) => check_one(http, NAME, text(&request.params, member)),
        None => Ok(()),
    }
}

/// The member of `params` that `Mcp-Name` repeats.
fn name_member(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        _ => None,
    }
}

fn text<'a>(params: &'a Map<String, Value>, member: &str) -> Option<&'a str> {
    params.get(member).and_then(Value::as_str)
}

fn check_one(http: &Request, name: &str, body: Option<&str>) -> Result<(), Fault> {
    let mut values = http.headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.trim());
    let said = match (values.next(), values.next()) {
        (_, Some(_)) => None,
        (Some(value), None) if name == NAME => unwrapped(value).map(Some),
        (value, None) => Some(value.map(Cow::Borrowed)),
    };
    if said.is_some_and(|value| value.as_deref() == body) { Ok(()) } else { Err(mirror_fault(name)) }
}

/// The fault of a header that does not say what the body says.
pub(super) fn mirror_fault(name: &str) -> Fault {
    Fault::new(Kind::HeaderMismatch, format!("The header {name} must say what the body says, once."))
}

/// A header's value, decoded when it is wrapped as `=?base64?…?=`; nothing when what is wrapped is no base64 of text.
pub(super) fn unwrapped(value: &str) -> Option<Cow<'_, str>> {
    let Some(encoded) = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) else {
        return Some(Cow::Borrowed(value));
    };
    let bytes = BASE64.decode(encoded.as_bytes()).ok()?;
    String::from_utf8(bytes).ok().map(Cow::Owned)
}
