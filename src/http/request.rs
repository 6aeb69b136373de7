//! A request that reached the worker.

use std::{borrow::Cow, net::IpAddr};

/// The methods that routes answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestMethod {
    /// GET, and HEAD, which is answered like it.
    Get,
    /// POST.
    Post,
    /// OPTIONS, the CORS preflight.
    Options,
    /// DELETE.
    Delete,
    /// Any other method.
    Other,
}

impl RequestMethod {
    /// The method's name on the wire, of those that have one.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Get => Some("GET"),
            Self::Post => Some("POST"),
            Self::Options => Some("OPTIONS"),
            Self::Delete => Some("DELETE"),
            Self::Other => None,
        }
    }
}

/// A request, with its body read. It carries secrets of every kind, and cannot be printed.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: RequestMethod,
    /// The host that the client named, in lower case, with its port.
    pub host: String,
    /// The path, as sent.
    pub path: String,
    /// The query string without `?`, as sent.
    pub query: String,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body; at most [`Request::MAX_BODY`] bytes.
    pub body: Vec<u8>,
    /// The client's network address, as the platform tells it.
    pub peer: String,
}

impl Request {
    /// Larger bodies are answered 413 before any room sees them: 1 MiB.
    pub const MAX_BODY: usize = 1 << 20;

    /// The value of the first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Who the client's address is, to count visits by: an IPv6 network of 64 bits is one visitor, since anybody may have
    /// as many addresses in theirs.
    pub fn visitor(&self) -> String {
        match self.peer.parse() {
            Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
                Some(address) => address.to_string(),
                None => format!("{:x}/64", address.to_bits() >> 64),
            },
            Ok(IpAddr::V4(address)) => address.to_string(),
            Err(_) => "unknown".to_owned(),
        }
    }

    /// The query's parameters.
    pub fn query(&self) -> Query {
        Query::parse(self.query.as_bytes())
    }

    /// The body's fields, if it is an `application/x-www-form-urlencoded` form.
    pub fn form(&self) -> Option<Form> {
        let content_type = self.header("content-type")?;
        let essence = content_type.split(';').next()?.trim();
        essence.eq_ignore_ascii_case("application/x-www-form-urlencoded").then(|| Form::parse(&self.body))
    }

    /// The value of the cookie `name`.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.header("cookie")?
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The path's segments, without empty ones at the ends.
    pub fn segments(&self) -> Vec<&str> {
        self.path.trim_matches('/').split('/').collect()
    }
}

/// Decoded parameters of a query or form, in order, repeats included. They cannot be printed.
#[derive(Clone, Default)]
pub struct Query(Vec<(String, String)>);

/// A form's fields read like a query's parameters.
pub type Form = Query;

impl Query {
    /// Parses `application/x-www-form-urlencoded` bytes (WHATWG URL, 5.1).
    pub fn parse(bytes: &[u8]) -> Self {
        Self(
            url::form_urlencoded::parse(bytes)
                .map(|(key, value)| (Cow::into_owned(key), Cow::into_owned(value)))
                .collect(),
        )
    }

    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every value of `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first name that occurs more than once, which OAuth forbids (RFC 6749 section 3.1).
    pub fn repeated(&self) -> Option<&str> {
        self.0
            .iter()
            .enumerate()
            .find(|(index, (key, _))| self.0.iter().take(*index).any(|(other, _)| other == key))
            .map(|(_, (key, _))| key.as_str())
    }
}
