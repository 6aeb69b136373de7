//! `fetch` as the client: a timeout over the whole exchange, redirects as they are, bodies bounded and streamed.

use worker::{
    AbortSignal, Data, Fetch, Headers, Request, RequestInit, RequestRedirect, Response, ResponseBody,
    js_sys::Uint8Array, wasm_bindgen::JsValue, web_sys,
};

use super::{
    blobs::{R2, StreamFault},
    stream,
};
use crate::platform::{
    Body, HttpClient, HttpFault, Later, Method, OutgoingRequest, ReceivedResponse, ResponseSink,
};

/// Most bytes of a body in memory: 1 MiB. Longer ones are blobs.
const MAX_BYTES: usize = 1 << 20;

/// `fetch`, with the store that blobs come from and go to.
pub struct Web<'a> {
    /// The blob store.
    pub blobs: &'a R2,
}

impl HttpClient for Web<'_> {
    fn send(&self, request: OutgoingRequest) -> Later<'_, Result<ReceivedResponse, HttpFault>> {
        Box::pin(self.exchange(request))
    }
}

impl Web<'_> {
    async fn exchange(&self, outgoing: OutgoingRequest) -> Result<ReceivedResponse, HttpFault> {
        let request = self.request(&outgoing).await?;
        let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(outgoing.timeout_millis));
        let mut response = Fetch::Request(request).send_with_signal(&signal).await.map_err(unknown)?;
        let mut received = ReceivedResponse {
            status: response.status_code(),
            headers: response.headers().entries().map(|(name, value)| (name.to_lowercase(), value)).collect(),
            body: Vec::new(),
        };
        match outgoing.sink {
            ResponseSink::Memory { limit } => received.body = in_memory(&mut response, limit).await?,
            ResponseSink::Blob { key, limit } => self.to_blob(response, &received, &key, limit).await?,
        }
        Ok(received)
    }

    async fn request(&self, outgoing: &OutgoingRequest) -> Result<Request, HttpFault> {
        let headers = Headers::new();
        for (name, value) in &outgoing.headers {
            headers.append(name, value).map_err(not_sent)?;
        }
        let mut init = RequestInit::new();
        init.with_method(method(outgoing.method))
            .with_headers(headers)
            .with_redirect(RequestRedirect::Manual)
            .with_body(self.body(&outgoing.body).await?);
        Request::new_with_init(&outgoing.url, &init).map_err(not_sent)
    }

    async fn body(&self, body: &Body) -> Result<Option<JsValue>, HttpFault> {
        match body {
            Body::Empty => Ok(None),
            Body::Text(text) => Ok(Some(JsValue::from_str(text))),
            Body::Bytes(bytes) if bytes.len() > MAX_BYTES => {
                Err(HttpFault::NotSent("bytes in memory are at most 1 MiB".to_owned()))
            }
            Body::Bytes(bytes) => Ok(Some(Uint8Array::from(bytes.as_slice()).into())),
            Body::Blob { key, range } => match self.blobs.stream(key, *range).await.map_err(not_sent)? {
                Some(stream) => Ok(Some(stream.into())),
                None => Err(HttpFault::NotSent("no such blob".to_owned())),
            },
        }
    }

    async fn to_blob(
        &self,
        mut response: Response,
        received: &ReceivedResponse,
        key: &str,
        limit: u64,
    ) -> Result<(), HttpFault> {
        let content_type = received.header("content-type").unwrap_or("application/octet-stream");
        let stored = match (known_length(received), response.body()) {
            (Some(length), _) if length > limit => return Err(HttpFault::TooLarge),
            (Some(_), ResponseBody::Stream(body)) => {
                let data = Data::ReadableStream(body.clone());
                self.blobs.store(key, content_type, data).await.map_err(StreamFault::Lost)
            }
            (_, ResponseBody::Stream(_)) => {
                let stream = response.stream().map_err(unknown)?;
                self.blobs.store_stream(key, content_type, stream, limit).await
            }
            (_, ResponseBody::Body(_) | ResponseBody::Empty) => {
                self.blobs.store(key, content_type, Data::Empty).await.map_err(StreamFault::Lost)
            }
        };
        stored.map_err(|fault| match fault {
            StreamFault::TooLarge => HttpFault::TooLarge,
            StreamFault::Lost(fault) => unknown(fault),
        })
    }
}

/// The body's length, if the runtime knows it too: not of compressed ones, which it unpacks.
fn known_length(received: &ReceivedResponse) -> Option<u64> {
    if received.header("content-encoding").is_some() {
        return None;
    }
    received.header("content-length")?.parse().ok()
}

async fn in_memory(response: &mut Response, limit: usize) -> Result<Vec<u8>, HttpFault> {
    if matches!(response.body(), ResponseBody::Empty) {
        return Ok(Vec::new());
    }
    let stream = response.stream().map_err(unknown)?;
    let bytes = stream::read(stream, limit).await.map_err(unknown)?;
    if bytes.len() > limit { Err(HttpFault::TooLarge) } else { Ok(bytes) }
}

const fn method(method: Method) -> worker::Method {
    match method {
        Method::Get => worker::Method::Get,
        Method::Post => worker::Method::Post,
        Method::Put => worker::Method::Put,
        Method::Delete => worker::Method::Delete,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn not_sent(fault: worker::Error) -> HttpFault {
    HttpFault::NotSent(fault.to_string())
}

/// The runtime tells a refused connection no differently from one that broke after the request was read.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn unknown(fault: worker::Error) -> HttpFault {
    HttpFault::Unknown(fault.to_string())
}
