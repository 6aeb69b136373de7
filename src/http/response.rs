//! A response on its way out.

use std::fmt;

use serde::Serialize;

use super::Problem;

/// A response. It may hold cookies and tokens: printed, it is its status alone.
#[derive(Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// What the operator's event tells of the request. It is not sent.
    pub about: About,
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Response({})", self.status)
    }
}

/// What is known of a request once it is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The tool that was called.
    pub tool: Option<String>,
    /// The tenant's id.
    pub tenant: Option<String>,
    /// The grant's id.
    pub grant: Option<String>,
    /// The code of a refusal or problem.
    pub code: Option<&'static str>,
}

impl Response {
    /// A response without a body.
    pub const fn empty(status: u16) -> Self {
        let about = About { tool: None, tenant: None, grant: None, code: None };
        Self { status, headers: Vec::new(), body: Vec::new(), about }
    }

    /// A response of this media type.
    pub fn of(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::empty(status)
            .with_header("content-type", content_type)
            .with_header("x-content-type-options", "nosniff")
            .with_body(body.into())
    }

    /// A JSON response. What cannot be serialised, which no type here is, answers 500.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => Self::of(status, "application/json", bytes),
            Err(_) => Self::of(500, "application/json", Problem::INTERNAL.as_bytes()),
        }
    }

    /// A stream of events that is whole already: each text, without line breaks, is one event.
    pub fn events(texts: impl IntoIterator<Item = String>) -> Self {
        let events: String = texts.into_iter().map(|text| Self::event(&text)).collect();
        Self::of(200, Self::EVENT_STREAM, events).with_header("x-accel-buffering", "no")
    }

    /// The media type of a stream of events (WHATWG HTML, server-sent events).
    pub const EVENT_STREAM: &str = "text/event-stream";

    /// One event of such a stream.
    pub fn event(text: &str) -> String {
        format!("data: {text}\n\n")
    }

    /// 303 See Other: go and GET `location`.
    pub fn see_other(location: &str) -> Self {
        Self::empty(303).with_header("location", location)
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Replaces the body.
    #[must_use]
    pub fn with_body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// Says what the operator's event tells of the request.
    #[must_use]
    pub fn with_about(mut self, about: About) -> Self {
        self.about = about;
        self
    }

    /// Forbids every cache to keep it.
    #[must_use]
    pub fn no_store(self) -> Self {
        self.with_header("cache-control", "no-store")
    }

    /// Lets scripts of any origin read it (no credentials).
    #[must_use]
    pub fn cors(self) -> Self {
        self.with_header("access-control-allow-origin", "*").with_header(
            "access-control-expose-headers",
            "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version",
        )
    }

    /// The answer to a CORS preflight for endpoints that take `methods`.
    pub fn preflight(methods: &str) -> Self {
        Self::empty(204)
            .cors()
            .with_header("access-control-allow-methods", methods)
            .with_header(
                "access-control-allow-headers",
                "authorization, content-type, accept, mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, last-event-id, postern-toolsets, postern-read-only",
            )
            .with_header("access-control-max-age", "86400")
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
