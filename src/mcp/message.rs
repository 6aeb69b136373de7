//! JSON-RPC 2.0 messages as they come in.

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::fault::{Fault, Kind};

/// The id of a request, which its answer repeats.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Id {
    Text(String),
    Number(Number),
}

/// A message from a client.
pub(super) enum Message {
    Request(Request),
    /// Nothing here waits for one, and none is answered.
    Notification,
    /// An answer to a request of ours; we make none.
    Response,
}

/// A request that has an answer.
pub(super) struct Request {
    pub(super) id: Id,
    pub(super) method: String,
    pub(super) params: Map<String, Value>,
}

/// Something that is no message, and its id as far as it has one.
pub(super) struct Malformed {
    pub(super) id: Option<Id>,
    pub(super) fault: Fault,
}

impl Message {
    /// Reads one message. Members that JSON-RPC does not name are ignored.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn read(message: Value) -> Result<Self, Malformed> {
        let Value::Object(mut members) = message else {
            return Err(invalid(None, "A message is a JSON object."));
        };
        let id = members.remove("id").map(Id::read).transpose()?;
        if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(invalid(id, "jsonrpc must be \"2.0\"."));
        }
        let method = match members.remove("method") {
            Some(Value::String(method)) => method,
            None if members.contains_key("result") || members.contains_key("error") => {
                return Ok(Self::Response);
            }
            _ => return Err(invalid(id, "method must be a string.")),
        };
        match id {
            None => Ok(Self::Notification),
            Some(id) => {
                let params = params(&id, members.remove("params"))?;
                Ok(Self::Request(Request { id, method, params }))
            }
        }
    }
}

impl Id {
    fn read(id: Value) -> Result<Self, Malformed> {
        match id {
            Value::String(text) => Ok(Self::Text(text)),
            Value::Number(number) if !number.is_f64() => Ok(Self::Number(number)),
            _ => Err(invalid(None, "id must be a string or an integer.")),
        }
    }
}

fn params(id: &Id, params: Option<Value>) -> Result<Map<String, Value>, Malformed> {
    match params {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(params)) => Ok(params),
        Some(_) => Err(Malformed {
            id: Some(id.clone()),
            fault: Fault::new(Kind::InvalidParams, "params must be an object."),
        }),
    }
}

fn invalid(id: Option<Id>, message: &str) -> Malformed {
    Malformed { id, fault: Fault::new(Kind::InvalidRequest, message) }
}
