//! A client as it presents itself at the token and revocation endpoints.

use super::{Client, find, is_address, registered};
use crate::{
    http::Request,
    oauth::params::Params,
    platform::{DatabaseFault, Platform},
};

/// A client that says who it is. Of one that has a document nothing is fetched before a code or token of its own shows
/// that a person let it in.
pub(in crate::oauth) struct Presented {
    pub(in crate::oauth) id: String,
    registered: Option<Client>,
}

/// Why a client is not taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oauth) enum PresentFault {
    /// `client_id` is missing.
    NoId,
    /// There is no such client, it has expired, or it brought a secret, which no client has.
    Unknown,
    /// The directory failed.
    Database,
}

impl From<DatabaseFault> for PresentFault {
    fn from(_: DatabaseFault) -> Self {
        Self::Database
    }
}

impl Presented {
    /// Reads who calls. One that brings a secret mistakes this server for another.
    pub(in crate::oauth) async fn read(
        platform: &Platform<'_>,
        request: &Request,
        parameters: &Params,
    ) -> Result<Self, PresentFault> {
        if request.header("authorization").is_some() || parameters.get("client_secret").is_some() {
            return Err(PresentFault::Unknown);
        }
        let id = parameters.get("client_id").ok_or(PresentFault::NoId)?;
        let registered =
            if is_address(id) { None } else { Some(find(platform, id).await?.ok_or(PresentFault::Unknown)?) };
        Ok(Self { id: id.to_owned(), registered })
    }

    /// Writes down that the client was used.
    pub(in crate::oauth) async fn touch(self, platform: &Platform<'_>) {
        if let Some(client) = self.registered {
            registered::touch(platform, client).await;
        }
    }
}
