//! Redirect addresses: what may be registered, and what matches it.

use url::Url;

use crate::platform::Config;

const LONGEST: usize = 2000;

/// Schemes of known desktop clients, which are not in the reverse-domain form of RFC 8252 section 7.1.
const KNOWN_APP_SCHEMES: [&str; 10] =
    ["cursor", "vscode", "vscode-insiders", "vscodium", "windsurf", "zed", "kiro", "trae", "claude", "goose"];

/// An address that an authorization response may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RedirectUri {
    text: String,
    url: Url,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Https,
    Loopback,
    App,
}

/// A text that is no such address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RedirectFault;

impl RedirectUri {
    /// Parses an address: https anywhere but here; http on loopback (RFC 8252 section 7.3); a private-use scheme in
    /// reverse-domain form (section 7.1) or a known client's. Never with a user name or a fragment (RFC 6749 section
    /// 3.1.2), nor with characters that a browser would mend.
    pub(super) fn parse(text: &str, config: &Config) -> Result<Self, RedirectFault> {
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#'));
        if !plain || text.len() > LONGEST {
            return Err(RedirectFault);
        }
        let url = Url::parse(text).map_err(|_| RedirectFault)?;
        if !url.username().is_empty() || url.password().is_some() || is_ours(&url, config) {
            return Err(RedirectFault);
        }
        let kind = match url.scheme() {
            "https" => Kind::Https,
            "http" if is_loopback(&url) => Kind::Loopback,
            scheme if is_app_scheme(scheme) => Kind::App,
            _ => return Err(RedirectFault),
        };
        Ok(Self { text: text.to_owned(), url, kind })
    }

    /// The address as it was given.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `registered` allows this address: the same text, or on loopback the same but for the port, which
    /// native apps choose as they start (RFC 8252 section 7.3).
    pub(super) fn matches(&self, registered: &str, config: &Config) -> bool {
        if self.text == registered {
            return true;
        }
        let Ok(registered) = Self::parse(registered, config) else { return false };
        self.kind == Kind::Loopback
            && registered.kind == Kind::Loopback
            && self.url.host() == registered.url.host()
            && self.url.path() == registered.url.path()
            && self.url.query() == registered.url.query()
    }

    /// Whether it leads to a program on the person's own computer that nobody vouches for.
    pub(super) fn is_loopback(&self) -> bool {
        self.kind == Kind::Loopback
    }

    /// Whether it leads to a server, whose name the web's certificates prove.
    pub(super) fn is_web(&self) -> bool {
        self.kind == Kind::Https
    }

    /// Where it leads, for people.
    pub(super) fn destination(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match (self.kind, self.url.port()) {
            (Kind::Https, None) => host.to_owned(),
            (Kind::Https, Some(port)) => format!("{host}:{port}"),
            (Kind::Loopback, _) => format!("this computer ({host})"),
            (Kind::App, _) => format!("the app on this device that opens {}: links", self.url.scheme()),
        }
    }

    /// The address with these parameters added to its query (RFC 6749 section 4.1.2).
    pub(super) fn with(&self, parameters: &[(&str, &str)]) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        let joint = match self.url.query() {
            None => "?",
            Some("") => "",
            Some(_) => "&",
        };
        format!("{}{joint}{}", self.text, query.finish())
    }
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// An answer sent to our own origins would be read by whatever page stands there.
fn is_ours(url: &Url, config: &Config) -> bool {
    [&config.public_origin, &config.content_origin].into_iter().filter_map(|own| Url::parse(own).ok()).any(
        |own| {
            // A name with its root's dot leads to the same host.
            let host = url.host_str().map(|host| host.trim_end_matches('.'));
            let same_host = host == own.host_str();
            url.origin() == own.origin() || (same_host && !is_loopback(url))
        },
    )
}

fn is_app_scheme(scheme: &str) -> bool {
    let reverse_domain = scheme.contains('.') && scheme.split('.').all(|label| !label.is_empty());
    reverse_domain || KNOWN_APP_SCHEMES.contains(&scheme)
}
