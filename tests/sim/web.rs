//! The web: one peer, given by the test, answers for every other server.

use std::{cell::RefCell, rc::Rc};

use postern::platform::{
    Body, ByteRange, Clock, HttpClient, HttpFault, Later, Method, OutgoingRequest, ReceivedResponse,
    ResponseSink, Timestamp,
};

use super::{Fault, Faults, Port, SimBlobs, SimClock};

/// A request as the other server sees it.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub at: Timestamp,
}

impl Incoming {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What the other server answers.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// A JSON answer.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::of(status, "application/json", body.to_string().into_bytes())
    }

    /// An answer of a media type.
    pub fn of(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self { status, headers: vec![("content-type".to_owned(), content_type.to_owned())], body }
    }

    /// A redirect.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self { status, headers: vec![("location".to_owned(), location.to_owned())], body: Vec::new() }
    }
}

/// All the other servers there are.
pub trait Peer {
    /// Answers, or is not there: [`HttpFault::NotSent`].
    fn answer(&self, request: &Incoming) -> Result<Reply, HttpFault>;
}

struct Nobody;

impl Peer for Nobody {
    fn answer(&self, _: &Incoming) -> Result<Reply, HttpFault> {
        Err(HttpFault::NotSent("no such host".to_owned()))
    }
}

impl<F: Fn(&Incoming) -> Result<Reply, HttpFault>> Peer for F {
    fn answer(&self, request: &Incoming) -> Result<Reply, HttpFault> {
        self(request)
    }
}

pub struct SimWeb {
    faults: Rc<Faults>,
    clock: Rc<SimClock>,
    blobs: Rc<SimBlobs>,
    peer: RefCell<Rc<dyn Peer>>,
    requests: RefCell<Vec<Incoming>>,
}

impl SimWeb {
    pub fn new(faults: Rc<Faults>, clock: Rc<SimClock>, blobs: Rc<SimBlobs>) -> Self {
        Self { faults, clock, blobs, peer: RefCell::new(Rc::new(Nobody)), requests: RefCell::default() }
    }

    /// From now on `peer` answers. The test may keep a copy to look at what it holds.
    pub fn set_peer(&self, peer: Rc<dyn Peer>) {
        *self.peer.borrow_mut() = peer;
    }

    /// Every request that reached the peer.
    pub fn requests(&self) -> Vec<Incoming> {
        self.requests.borrow().clone()
    }

    fn deliver(&self, request: &OutgoingRequest) -> Result<Reply, HttpFault> {
        let incoming = Incoming {
            method: request.method,
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: self.body(&request.body)?,
            at: self.clock.now(),
        };
        let peer = Rc::clone(&self.peer.borrow());
        let reply = peer.answer(&incoming);
        self.requests.borrow_mut().push(incoming);
        reply
    }

    fn body(&self, body: &Body) -> Result<Vec<u8>, HttpFault> {
        match body {
            Body::Empty => Ok(Vec::new()),
            Body::Text(text) => Ok(text.clone().into_bytes()),
            Body::Bytes(bytes) if bytes.len() > 1 << 20 => {
                Err(HttpFault::NotSent("bytes in memory are at most 1 MiB".to_owned()))
            }
            Body::Bytes(bytes) => Ok(bytes.clone()),
            Body::Blob { key, range } => self
                .blobs
                .peek(key, ByteRange { start: range.start, length: range.length })
                .ok_or_else(|| HttpFault::NotSent("no such blob".to_owned())),
        }
    }

    fn receive(&self, reply: Reply, sink: ResponseSink) -> Result<ReceivedResponse, HttpFault> {
        let headers: Vec<(String, String)> =
            reply.headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        let mut response = ReceivedResponse { status: reply.status, headers, body: Vec::new() };
        match sink {
            ResponseSink::Memory { limit } if reply.body.len() > limit => return Err(HttpFault::TooLarge),
            ResponseSink::Memory { .. } => response.body = reply.body,
            ResponseSink::Blob { limit, .. } if reply.body.len() as u64 > limit => {
                return Err(HttpFault::TooLarge);
            }
            ResponseSink::Blob { key, .. } => {
                let content_type = response.header("content-type").unwrap_or("application/octet-stream");
                self.blobs.insert(&key, content_type, reply.body);
            }
        }
        Ok(response)
    }
}

impl HttpClient for SimWeb {
    fn send(&self, request: OutgoingRequest) -> Later<'_, Result<ReceivedResponse, HttpFault>> {
        let fault = self.faults.next(Port::Web, &[]);
        let timeout = i64::from(request.timeout_millis);
        let too_slow = matches!(fault, Some(Fault::SlowRequest(ms) | Fault::SlowReply(ms)) if ms > timeout);
        Box::pin(async move {
            let delivered =
                self.faults.call(fault.map(|fault| patience(fault, timeout)), || self.deliver(&request));
            match delivered.await {
                Err(Fault::NotSent) => Err(HttpFault::NotSent("connection refused".to_owned())),
                Err(_) => Err(HttpFault::Unknown("connection lost".to_owned())),
                Ok(Ok(_)) if too_slow => Err(HttpFault::Unknown("timed out".to_owned())),
                Ok(reply) => self.receive(reply?, request.sink),
            }
        })
    }
}

/// The caller waits no longer than its timeout; what was sent takes effect all the same.
fn patience(fault: Fault, timeout: i64) -> Fault {
    match fault {
        Fault::SlowRequest(millis) => Fault::SlowRequest(millis.min(timeout)),
        Fault::SlowReply(millis) => Fault::SlowReply(millis.min(timeout)),
        other => other,
    }
}
