//! Progress: `notifications/progress` about one request, on the stream that then carries its answer.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::{revision::Revision, writer::ObjectWriter};
use crate::desk::Progress;
use crate::http::Request;
use crate::platform::Notices;

/// The token with which a request asks to hear of its progress, if its client reads streams of events.
pub(super) fn token(http: &Request, params: &Map<String, Value>) -> Option<Value> {
    let token = params.get("_meta")?.get("progressToken")?;
    let reads_streams =
        http.header("accept").is_some_and(|accept| accept.to_ascii_lowercase().contains("text/event-stream"));
    let is_token = token.is_string() || token.is_i64() || token.is_u64();
    (reads_streams && is_token).then(|| token.clone())
}

/// Tells the client of one request how far it has come.
pub(super) struct Reporter<'a> {
    pub(super) notices: &'a dyn Notices,
    pub(super) revision: Revision,
    pub(super) token: Option<Value>,
    /// How far the client was told already: what it hears only grows.
    pub(super) told: Cell<Option<usize>>,
}

impl Reporter<'_> {
    /// Whether the answer goes out as the last event of a stream, with status 200 sent already.
    pub(super) fn has_told(&self) -> bool {
        self.told.get().is_some()
    }
}

impl Progress for Reporter<'_> {
    fn tell(&self, done: usize, total: usize, message: &str) -> bool {
        let Some(token) = &self.token else { return true };
        if self.told.get().is_some_and(|told| told >= done) {
            return true;
        }
        self.told.set(Some(done));
        let params = ObjectWriter::default()
            .member("progressToken", token)
            .member("progress", &done)
            .member("total", &total);
        let params =
            if self.revision.knows_annotations() { params.member("message", &message) } else { params };
        self.notices.send(notification("notifications/progress", &params.finish()))
    }
}

/// A notification as JSON text.
pub(super) fn notification(method: &str, params: &str) -> String {
    ObjectWriter::default().member("jsonrpc", &"2.0").member("method", &method).raw("params", params).finish()
}
