//! Clients: what is known of one, and the ways in which it becomes known.

mod metadata;
mod registered;

pub use metadata::MetadataFault;
pub use registered::{KnownClient, add_client, list_clients, remove_client};

pub(super) use metadata::{Declared, GrantType, Metadata};
pub(super) use registered::{Registration, find, register, touch};

use super::redirect::RedirectUri;
use crate::platform::{Config, Timestamp};

/// A client that may ask for authorization.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) metadata: Metadata,
    /// When it expires unless it is used; nothing for one that an operator registered.
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

    /// Whether every address of the client is a program on the person's computer: nothing proves who it is.
    pub(super) fn is_loopback_only(&self, config: &Config) -> bool {
        self.metadata
            .redirect_uris
            .iter()
            .all(|text| RedirectUri::parse(text, config).is_ok_and(|address| address.is_loopback()))
    }

    /// Whether the client's registration asks for refresh tokens.
    pub(super) fn refreshes(&self) -> bool {
        self.metadata.grant_types.contains(&GrantType::RefreshToken)
    }
}
