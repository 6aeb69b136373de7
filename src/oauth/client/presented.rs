//! A client as it presents itself at the token and revocation endpoints.

use super::{
    AuthMethod, Client, DescriptionFault,
    assertion::{self, AssertionFault},
    describe, find, is_address, registered,
};
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
    assertion: Option<String>,
}

/// Why a client is not taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oauth) enum PresentFault {
    /// `client_id` is missing.
    NoId,
    /// There is no such client, it has expired, it did not prove itself, or it brought a secret, which no client has.
    Unknown,
    /// `client_assertion` came without its type, or with one that is not served, or the other way round.
    Assertion,
    /// The directory, or the client's own server, failed.
    Unavailable,
}

impl From<AssertionFault> for PresentFault {
    fn from(fault: AssertionFault) -> Self {
        match fault {
            AssertionFault::Refused => Self::Unknown,
            AssertionFault::Unavailable => Self::Unavailable,
        }
    }
}

impl From<DescriptionFault> for PresentFault {
    fn from(fault: DescriptionFault) -> Self {
        match fault {
            DescriptionFault::Document(fault) => AssertionFault::from(fault).into(),
            _ => Self::Unknown,
        }
    }
}

impl From<DatabaseFault> for PresentFault {
    fn from(_: DatabaseFault) -> Self {
        Self::Unavailable
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
        let assertion = match (parameters.get("client_assertion_type"), parameters.get("client_assertion")) {
            (None, None) => None,
            (Some(assertion::TYPE), Some(text)) => Some(text.to_owned()),
            _ => return Err(PresentFault::Assertion),
        };
        let named = parameters.get("client_id").map(str::to_owned);
        // Who signs may leave `client_id` out (RFC 7521 section 4.2).
        let id = named.or_else(|| assertion::subject(assertion.as_deref()?)).ok_or(PresentFault::NoId)?;
        let registered = if is_address(&id) {
            None
        } else {
            Some(find(platform, &id).await?.ok_or(PresentFault::Unknown)?)
        };
        Ok(Self { id, registered, assertion })
    }

    /// Lets the client prove itself by the method that its grant was asked for with: neither a document that has changed
    /// since nor a client that signs less than it could gets around that. Only for what shows that a person let this client
    /// in, since keys may have to be fetched. An assertion is used up by it.
    pub(in crate::oauth) async fn prove(
        &self,
        platform: &Platform<'_>,
        fixed: AuthMethod,
    ) -> Result<(), PresentFault> {
        match (fixed, &self.assertion) {
            (AuthMethod::None, None) => Ok(()),
            (AuthMethod::None, Some(_)) | (AuthMethod::PrivateKeyJwt, None) => Err(PresentFault::Unknown),
            (AuthMethod::PrivateKeyJwt, Some(text)) => {
                let described = match &self.registered {
                    Some(_) => None,
                    None => Some(describe(platform, &self.id).await?),
                };
                let client = self.registered.as_ref().or(described.as_ref());
                let keys = client.and_then(|client| client.metadata.keys.as_ref());
                let keys = keys.ok_or(PresentFault::Unknown)?;
                Ok(assertion::check(platform, &self.id, keys, text).await?)
            }
        }
    }

    /// Writes down that the client was used.
    pub(in crate::oauth) async fn touch(self, platform: &Platform<'_>) {
        if let Some(client) = self.registered {
            registered::touch(platform, client).await;
        }
    }
}
