//! Requests to other servers.

use super::{ByteRange, Later};

/// HTTP methods that connectors use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
}

impl Method {
    /// The method's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// What a request carries. No connector holds a file in memory: files travel as [`Body::Blob`]. It may be secret, and cannot
/// be printed.
#[derive(Clone)]
pub enum Body {
    /// Nothing.
    Empty,
    /// Text, typically JSON or a form.
    Text(String),
    /// At most 1 MiB.
    Bytes(Vec<u8>),
    /// A stored blob, or a run of it.
    Blob {
        /// The blob's key.
        key: String,
        /// Which of its bytes.
        range: ByteRange,
    },
}

/// Where the body of the answer goes.
#[derive(Clone, Debug)]
pub enum ResponseSink {
    /// Into memory; more than `limit` bytes are a fault.
    Memory {
        /// Most bytes accepted.
        limit: usize,
    },
    /// Into the blob store; more than `limit` bytes are a fault and leave nothing stored.
    Blob {
        /// The key to store under.
        key: String,
        /// Most bytes accepted.
        limit: u64,
    },
}

/// A request to another server. Redirects are never followed by the port. It carries credentials, and cannot be printed.
#[derive(Clone)]
pub struct OutgoingRequest {
    /// The method.
    pub method: Method,
    /// The absolute address. It may contain secrets.
    pub url: String,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// Gives up after this many milliseconds.
    pub timeout_millis: u32,
    /// Where the answer's body goes.
    pub sink: ResponseSink,
}

/// An answer from another server, of any status. It may be credentials, and cannot be printed.
#[derive(Clone)]
pub struct ReceivedResponse {
    /// The status code.
    pub status: u16,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body; empty when it went into the blob store.
    pub body: Vec<u8>,
}

impl ReceivedResponse {
    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpFault {
    /// Nothing reached the other server.
    NotSent(String),
    /// The answer was larger than the sink allows.
    TooLarge,
    /// The request may have taken effect: it timed out or the connection broke.
    Unknown(String),
}

/// Sends requests.
pub trait HttpClient {
    /// Sends `request` once.
    ///
    /// # Errors
    /// See [`HttpFault`].
    fn send(&self, request: OutgoingRequest) -> Later<'_, Result<ReceivedResponse, HttpFault>>;
}

/// Sends nothing.
pub(super) struct Nobody;

impl HttpClient for Nobody {
    fn send(&self, _request: OutgoingRequest) -> Later<'_, Result<ReceivedResponse, HttpFault>> {
        Box::pin(async { Err(HttpFault::NotSent("nobody is reached from here".to_owned())) })
    }
}
