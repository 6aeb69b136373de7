//! The guarded client: the only way to the web. It decides which addresses may be asked at all.
//!
//! What a name resolves to cannot be pinned in a Worker; production relies on the runtime's
//! `global_fetch_strictly_public` for that.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::platform::{
    Body, Config, HttpClient, HttpFault, Method, OutgoingRequest, ReceivedResponse, ResponseSink,
};

const MAX_REDIRECTS: usize = 4;

/// An address that may be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Url);

/// Why an address may not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// It is not an absolute address, or has a user name or password in it.
    Malformed,
    /// It is not https, or its port is not allowed.
    SchemeOrPort,
    /// Its host is not on the public internet, or is one of ours.
    Host,
}

impl Forbidden {
    /// One sentence for whoever gave the address.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Malformed => "It is not an absolute https address without a user name.",
            Self::SchemeOrPort => "Only https on port 443 is fetched.",
            Self::Host => "Its host is not a public host name.",
        }
    }
}

impl Address {
    /// Parses `text` as a browser would and checks scheme, port and host.
    ///
    /// # Errors
    /// When it may not be fetched.
    pub fn parse(text: &str, config: &Config) -> Result<Self, Forbidden> {
        let url = Url::parse(text).map_err(|_| Forbidden::Malformed)?;
        Self::check(url, config)
    }

    fn check(url: Url, config: &Config) -> Result<Self, Forbidden> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Forbidden::Malformed);
        }
        check_scheme_and_port(&url, config)?;
        check_host(&url, config)?;
        Ok(Self(url))
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Its scheme, host and port.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The address that `location` names, seen from this one.
    fn join(&self, location: &str, config: &Config) -> Result<Self, Forbidden> {
        let url = self.0.join(location).map_err(|_| Forbidden::Malformed)?;
        Self::check(url, config)
    }
}

fn check_scheme_and_port(url: &Url, config: &Config) -> Result<(), Forbidden> {
    let local = config.is_local() && is_loopback(url) && matches!(url.scheme(), "http" | "https");
    let port = url.port_or_known_default().unwrap_or(0);
    let https = url.scheme() == "https" && (port == 443 || config.outgoing_ports.contains(&port));
    if https || local { Ok(()) } else { Err(Forbidden::SchemeOrPort) }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn check_host(url: &Url, config: &Config) -> Result<(), Forbidden> {
    let origin = url.origin().ascii_serialization();
    if origin == config.public_origin || origin == config.content_origin {
        return Err(Forbidden::Host);
    }
    if config.is_local() && is_loopback(url) {
        return Ok(());
    }
    let public = match url.host() {
        Some(Host::Ipv4(address)) => is_global(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_global(IpAddr::V6(address)),
        Some(Host::Domain(name)) => is_public_name(name) && !is_own_host(name, config),
        None => false,
    };
    if public { Ok(()) } else { Err(Forbidden::Host) }
}

fn is_own_host(name: &str, config: &Config) -> bool {
    [&config.public_origin, &config.content_origin]
        .into_iter()
        .filter_map(|origin| Url::parse(origin).ok())
        .any(|own| own.host_str() == Some(name.trim_end_matches('.')))
}

/// Names that resolve only inside somebody's network are not public (RFC 6761, RFC 6762, ICANN `.internal`).
fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    const PRIVATE: [&str; 8] = ["localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa"];
    let mut labels = name.rsplit('.');
    let last = labels.next().unwrap_or_default();
    labels.next().is_some() && !PRIVATE.contains(&last)
}

/// Global unicast, after decoding the IPv6 forms that carry an IPv4 address.
fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_global_v4(v4),
        IpAddr::V6(v6) => embedded_v4(v6).map_or_else(|| is_global_v6(v6), is_global_v4),
    }
}

/// IANA IPv4 special-purpose registry.
fn is_global_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmarking = a == 198 && (b == 18 || b == 19);
    let protocol = a == 192 && b == 0 && c == 0;
    let relay_anycast = a == 192 && b == 88 && c == 99;
    !(a == 0
        || a >= 224
        || shared
        || benchmarking
        || protocol
        || relay_anycast
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation())
}

/// 2000::/3 without the documentation and ORCHID ranges (IANA IPv6 special-purpose registry).
fn is_global_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let documentation = (first == 0x2001 && second == 0x0db8) || (first & 0xfff0) == 0x3ff0;
    let special = first == 0x2001 && second < 0x0200;
    (first & 0xe000) == 0x2000 && !documentation && !special
}

/// The IPv4 address inside a mapped, compatible, NAT64 (RFC 6052, RFC 8215) or 6to4 (RFC 3056) address.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let pair = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => Some(pair(high, low)),
        [0, 0, 0, 0, 0xffff, 0, high, low] => Some(pair(high, low)),
        [0x64, 0xff9b, 0 | 1, _, _, _, high, low] => Some(pair(high, low)),
        [0x2002, high, low, ..] => Some(pair(high, low)),
        _ => None,
    }
}

/// Why a fetch gave nothing. It carries no body, headers or timing of the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchFault {
    /// The address, or one it redirected to, may not be fetched.
    Forbidden(Forbidden),
    /// Too many redirects.
    Redirects,
    /// The request failed.
    Http(HttpFault),
}

/// An answer, and where it came from after redirects.
pub struct Fetched {
    /// The answer.
    pub response: ReceivedResponse,
    /// The address that answered.
    pub address: Address,
}

/// The client that checks every address, each redirect again.
#[derive(Clone, Copy)]
pub struct GuardedClient<'a> {
    client: &'a dyn HttpClient,
    config: &'a Config,
}

impl<'a> GuardedClient<'a> {
    /// A guarded client over the port.
    pub const fn new(client: &'a dyn HttpClient, config: &'a Config) -> Self {
        Self { client, config }
    }

    /// Checks an address.
    ///
    /// # Errors
    /// When it may not be fetched.
    pub fn address(&self, text: &str) -> Result<Address, Forbidden> {
        Address::parse(text, self.config)
    }

    /// GETs `text` without credentials, following redirects by hand.
    ///
    /// # Errors
    /// See [`FetchFault`].
    pub async fn get(
        &self,
        text: &str,
        sink: ResponseSink,
        timeout_millis: u32,
    ) -> Result<Fetched, FetchFault> {
        let mut address = self.address(text).map_err(FetchFault::Forbidden)?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self
                .client
                .send(OutgoingRequest {
                    method: Method::Get,
                    url: address.as_str().to_owned(),
                    headers: Vec::new(),
                    body: Body::Empty,
                    timeout_millis,
                    sink: sink.clone(),
                })
                .await
                .map_err(FetchFault::Http)?;
            let redirect = (300..400).contains(&response.status);
            match response.header("location").filter(|_| redirect) {
                Some(location) => {
                    address = address.join(location, self.config).map_err(FetchFault::Forbidden)?;
                }
                None => return Ok(Fetched { response, address }),
            }
        }
        Err(FetchFault::Redirects)
    }

    /// Sends one request to an address that may carry credentials. Redirects come back as they are.
    ///
    /// # Errors
    /// See [`FetchFault`].
    pub async fn send(&self, request: OutgoingRequest) -> Result<ReceivedResponse, FetchFault> {
        self.address(&request.url).map_err(FetchFault::Forbidden)?;
        self.client.send(request).await.map_err(FetchFault::Http)
    }
}
