//! What a provider says of itself (OpenID Connect Discovery 1.0, section 4).

use serde::Deserialize;
use url::Url;

use super::UpstreamFault;
use crate::{
    http::{Address, Wanted, document},
    platform::{Config, Platform},
};

const MOST_BYTES: usize = 64 * 1024;
const LONGEST_ISSUER: usize = 500;

/// How the client secret is presented (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presentation {
    Header,
    Body,
}

/// A provider's metadata, as far as it is used (section 3).
#[derive(Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) jwks_uri: String,
    /// Whether answers name their issuer (RFC 9207 section 3).
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
}

impl Metadata {
    /// What `issuer` says of itself, from a copy or from its server.
    ///
    /// # Errors
    /// When it cannot be had, is of another issuer, or is not enough.
    pub(super) async fn of(platform: &Platform<'_>, issuer: &str) -> Result<Self, UpstreamFault> {
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let wanted = Wanted { address: &address, most_bytes: MOST_BYTES, newer_than: None };
        let read = |body: &str| Self::read(body, issuer, platform.config);
        Ok(document(platform, "openid/1", wanted, read).await?.content)
    }

    fn read(body: &str, issuer: &str, config: &Config) -> Result<Self, UpstreamFault> {
        let metadata: Self = serde_json::from_str(body).map_err(|_| UpstreamFault::Description)?;
        if metadata.issuer != issuer {
            return Err(UpstreamFault::IssuerMismatch);
        }
        let endpoints = [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri];
        let reachable = endpoints.iter().all(|address| Address::parse(address, config).is_ok());
        let proves = lists(metadata.code_challenge_methods_supported.as_deref(), "S256");
        if reachable && proves && metadata.presentation().is_some() {
            Ok(metadata)
        } else {
            Err(UpstreamFault::Description)
        }
    }

    /// How it takes the secret; in the header where it does not say (section 3). Nothing when it takes none.
    pub(super) fn presentation(&self) -> Option<Presentation> {
        let methods = self.token_endpoint_auth_methods_supported.as_deref();
        if lists(methods, "client_secret_basic") {
            Some(Presentation::Header)
        } else {
            lists(methods, "client_secret_post").then_some(Presentation::Body)
        }
    }
}

/// Whether a list has `wanted`, or is not given.
fn lists(values: Option<&[String]>, wanted: &str) -> bool {
    values.is_none_or(|values| values.iter().any(|value| value == wanted))
}

/// Whether there is a provider of this issuer that can be used: https, without query and fragment (section 3), at an
/// address that may be asked.
///
/// # Errors
/// What is the matter with it.
pub async fn check_issuer(platform: &Platform<'_>, issuer: &str) -> Result<(), UpstreamFault> {
    let url = Url::parse(issuer).map_err(|_| UpstreamFault::Description)?;
    let plain = url.query().is_none() && url.fragment().is_none() && issuer.len() <= LONGEST_ISSUER;
    if !plain || Address::parse(issuer, platform.config).is_err() {
        return Err(UpstreamFault::Description);
    }
    Metadata::of(platform, issuer).await.map(drop)
}
