//! The envelope of a modern request: `params._meta` (2026-07-28, "Request metadata").

use serde_json::{Map, Value};

use super::fault::{Fault, Kind};

const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// Where a result tells who the server is.
pub(super) const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// Where what a subscription hears tells which one it is.
pub(super) const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";

/// The `_meta` of a request, if it has any key that only the modern era has.
pub(super) fn find(params: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let meta = params.get("_meta")?.as_object()?;
    [PROTOCOL_VERSION, CLIENT_CAPABILITIES, CLIENT_INFO, LOG_LEVEL]
        .into_iter()
        .any(|key| meta.contains_key(key))
        .then_some(meta)
}

/// Whether a message of any kind has an envelope.
pub(super) fn is_in(message: &Value) -> bool {
    message.get("params").and_then(Value::as_object).is_some_and(|params| find(params).is_some())
}

/// The protocol version that an envelope names, once its required members are there.
///
/// # Errors
/// When one is missing or has the wrong type.
pub(super) fn version(meta: &Map<String, Value>) -> Result<&str, Fault> {
    let version = meta
        .get(PROTOCOL_VERSION)
        .and_then(Value::as_str)
        .ok_or_else(|| missing(PROTOCOL_VERSION, "a string"))?;
    if !meta.get(CLIENT_CAPABILITIES).is_some_and(Value::is_object) {
        return Err(missing(CLIENT_CAPABILITIES, "an object"));
    }
    Ok(version)
}

/// The fault of a modern request without an envelope.
pub(super) fn absent() -> Fault {
    missing(PROTOCOL_VERSION, "a string")
}

fn missing(key: &str, what: &str) -> Fault {
    Fault::new(Kind::InvalidParams, format!("params._meta[\"{key}\"] must be {what}."))
}
