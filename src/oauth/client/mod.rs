//! Clients: what is known of one, and the ways in which it becomes known.

mod assertion;
mod document;
mod metadata;
mod presented;
mod registered;

pub use metadata::MetadataFault;
pub use registered::{KnownClient, add_client, list_clients, remove_client};

pub(super) use document::{DescriptionFault, describe, is_address};
pub(super) use metadata::{AuthMethod, Declared, GrantType, KeySource, Keys, Metadata, Redirects};
pub(super) use presented::{PresentFault, Presented};
pub(super) use registered::{Registration, find, register, touch};

use serde::{Deserialize, Serialize};
use url::Url;

use super::redirect::RedirectUri;
use crate::platform::{Config, Timestamp};

/// What vouches in one request for the name that a client goes by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Vouched {
    /// This host: its document names the address on the web that the answer goes to, or the key by which the client proves
    /// itself before it gets a token.
    ByHost(String),
    /// Nobody, though this host's document describes the client: the answer goes to a program on the person's own device,
    /// and any program there can call itself so.
    Claimed(String),
    /// Nobody: the name is the client's own.
    Nobody,
}

/// A client that may ask for authorization.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) metadata: Metadata,
    /// When it expires unless it is used; nothing for one that an operator registered or a document describes.
    expires_at: Option<Timestamp>,
}

impl Client {
    /// The address to answer to: the one asked for, if the client registered it; without one asked for, the only one
    /// registered (RFC 6749 section 3.1.2.3).
    pub(super) fn redirect(&self, asked: Option<&str>, config: &Config) -> Option<RedirectUri> {
        let registered = &self.metadata.redirect_uris;
        let Some(asked) = asked else {
            let [only] = registered.as_slice() else { return None };
            return RedirectUri::parse(only, config).ok();
        };
        let asked = RedirectUri::parse(asked, config).ok()?;
        registered.iter().any(|registered| asked.matches(registered, config)).then_some(asked)
    }

    /// What vouches for the client when its answer goes to `redirect`.
    pub(super) fn vouched(&self, redirect: &RedirectUri) -> Vouched {
        let host = Url::parse(&self.id).ok().and_then(|url| url.host_str().map(str::to_owned));
        match host {
            Some(host) if redirect.is_web() || self.auth_method() == AuthMethod::PrivateKeyJwt => {
                Vouched::ByHost(host)
            }
            Some(host) => Vouched::Claimed(host),
            None => Vouched::Nobody,
        }
    }

    /// How the client must prove itself at the token endpoint. A grant keeps the method that was in force when it was asked
    /// for.
    pub(super) fn auth_method(&self) -> AuthMethod {
        if self.metadata.keys.is_some() { AuthMethod::PrivateKeyJwt } else { AuthMethod::None }
    }

    /// Whether the client's registration asks for refresh tokens.
    pub(super) fn refreshes(&self) -> bool {
        self.metadata.grant_types.contains(&GrantType::RefreshToken)
    }
}
