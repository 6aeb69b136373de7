//! What operators see: one typed JSON line per request, tick and fault. No free text, secrets or addresses.

use serde::Serialize;

/// A line for the operator.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A request was answered.
    Request {
        /// The request's id.
        request: String,
        /// The trace it belongs to (W3C traceparent), if it named one.
        #[serde(skip_serializing_if = "Option::is_none")]
        traceparent: Option<String>,
        /// The route's name.
        route: &'static str,
        /// The tool's name, if one was called.
        #[serde(skip_serializing_if = "Option::is_none")]
        tool: Option<String>,
        /// The tenant's id, once known.
        #[serde(skip_serializing_if = "Option::is_none")]
        tenant: Option<String>,
        /// The grant's id, once known.
        #[serde(skip_serializing_if = "Option::is_none")]
        grant: Option<String>,
        /// The HTTP status.
        status: u16,
        /// The refusal's code, if it was one.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'static str>,
        /// Milliseconds from arrival to answer.
        millis: i64,
    },
    /// A cron tick ended.
    Tick {
        /// The shard.
        shard: i64,
        /// Milliseconds it took.
        millis: i64,
        /// Deliveries claimed.
        claimed: i64,
        /// Deliveries published.
        published: i64,
        /// Deliveries that failed for good.
        failed: i64,
        /// Deliveries whose outcome is unknown.
        unknown: i64,
        /// Whether it stopped before everything due was looked at.
        stopped: bool,
        /// Whether the tick itself met a fault.
        fault: bool,
    },
    /// Something that should not happen did.
    Fault {
        /// Where: a route, a step or a statement's name.
        place: &'static str,
        /// Its kind.
        kind: &'static str,
    },
}

/// Takes events.
pub trait Events {
    /// Writes one line.
    fn emit(&self, event: Event);
}
