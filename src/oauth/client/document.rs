//! Client-ID metadata documents: a client whose id is the address of the document that describes it
//! (draft-ietf-oauth-client-id-metadata-document).

use serde::Deserialize;
use url::Url;

use super::{AuthMethod, Client, Declared, KeySource, Keys, MetadataFault, Redirects};
use crate::{
    http::{Algorithm, DocumentFault, KeySet, Wanted, document},
    platform::{Config, Platform},
};

const MOST_BYTES: usize = 5 * 1024;
const LONGEST_ADDRESS: usize = 500;

/// Why a client's document is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oauth) enum DescriptionFault {
    /// The id is no address of a document.
    Address,
    /// The document cannot be had.
    Document(DocumentFault),
    /// It is not an object of client metadata.
    NotMetadata,
    /// Its `client_id` is not its address.
    OtherClient,
    /// It has no name for people.
    NoName,
    /// It speaks of a secret, which a public document cannot keep.
    Secret,
    /// It names no way to authenticate that is served.
    AuthMethod,
    /// Its metadata cannot be served.
    Metadata(MetadataFault),
}

impl DescriptionFault {
    /// One sentence for the app's developer.
    pub(in crate::oauth) const fn sentence(self) -> &'static str {
        match self {
            Self::Address => {
                "Its client_id must be an https address with a path, written the usual way, without user name, fragment or dot segments."
            }
            Self::Document(fault) => fault.sentence(),
            Self::NotMetadata => "It is not a JSON object of client metadata.",
            Self::OtherClient => "Its client_id is not the address at which it stands.",
            Self::NoName => "It has no client_name.",
            Self::Secret => "It speaks of a client secret; token_endpoint_auth_method must be none.",
            Self::AuthMethod => "token_endpoint_auth_method must be none or private_key_jwt.",
            Self::Metadata(fault) => fault.sentence(),
        }
    }
}

impl From<DocumentFault> for DescriptionFault {
    fn from(fault: DocumentFault) -> Self {
        Self::Document(fault)
    }
}

/// What a document says beside the metadata that every client has.
#[derive(Deserialize)]
struct Described {
    client_id: String,
    token_endpoint_auth_method: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_signing_alg: Option<String>,
    jwks: Option<KeySet>,
    jwks_uri: Option<String>,
    client_secret: Option<serde_json::Value>,
    client_secret_expires_at: Option<serde_json::Value>,
    #[serde(flatten)]
    declared: Declared,
}

const SECRET_METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "client_secret_jwt"];

impl Described {
    fn speaks_of_secrets(&self) -> bool {
        self.client_secret.is_some()
            || self.client_secret_expires_at.is_some()
            || self.token_endpoint_auth_method.as_deref().is_some_and(|name| SECRET_METHODS.contains(&name))
    }

    /// The method that the client prefers, or else the strongest that it offers as well. It is fixed with each
    /// authorization: a client that can sign is not taken for one that cannot.
    fn auth_method(&self) -> Option<AuthMethod> {
        let served = [AuthMethod::PrivateKeyJwt, AuthMethod::None];
        let preferred = self.token_endpoint_auth_method.as_deref();
        let offered = self.token_endpoint_auth_methods_supported.as_deref();
        if preferred.is_none() && offered.is_none() {
            return Some(AuthMethod::None);
        }
        let is_preferred = |method: &AuthMethod| preferred == Some(method.as_str());
        let is_offered =
            |method: &AuthMethod| offered.unwrap_or_default().iter().any(|name| name == method.as_str());
        served.into_iter().find(is_preferred).or_else(|| served.into_iter().find(is_offered))
    }

    /// The keys that it signs with: in the document or at an address, not both (RFC 7591 section 2).
    fn keys(&self, config: &Config) -> Result<Keys, MetadataFault> {
        let algorithm = match self.token_endpoint_auth_signing_alg.as_deref() {
            None => None,
            Some(name) => Some(Algorithm::named(name).ok_or(MetadataFault::Keys)?),
        };
        let keys = match (&self.jwks, &self.jwks_uri) {
            (Some(keys), None) if keys.is_usable() => {
                Keys { source: KeySource::Jwks(keys.clone()), algorithm: None }
            }
            (None, Some(address)) => Keys::at(address.clone(), config)?,
            _ => return Err(MetadataFault::Keys),
        };
        Ok(Keys { algorithm, ..keys })
    }
}

/// Whether an id is to be read as a document's address. Whether it can be one, [`describe`] says.
pub(in crate::oauth) fn is_address(client_id: &str) -> bool {
    client_id.starts_with("https://")
}

/// Whether an address is one that a document may have: what a URL parser would rewrite is not the same text to everybody.
fn is_usual(client_id: &str) -> bool {
    let Ok(url) = Url::parse(client_id) else { return false };
    client_id.len() <= LONGEST_ADDRESS
        && url.as_str() == client_id
        && url.path() != "/"
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

/// The client that the document at `client_id` describes. Only for a person who is signed in, or when a token shows that
/// one was: strangers do not make this server fetch.
pub(in crate::oauth) async fn describe(
    platform: &Platform<'_>,
    client_id: &str,
) -> Result<Client, DescriptionFault> {
    if !(is_address(client_id) && is_usual(client_id)) {
        return Err(DescriptionFault::Address);
    }
    let wanted = Wanted { address: client_id, most_bytes: MOST_BYTES, newer_than: None };
    let found =
        document(platform, "client-document/1", wanted, |body| read(body, client_id, platform.config))
            .await?;
    Ok(found.content)
}

fn read(body: &str, client_id: &str, config: &Config) -> Result<Client, DescriptionFault> {
    let described: Described = serde_json::from_str(body).map_err(|_| DescriptionFault::NotMetadata)?;
    if described.client_id != client_id {
        return Err(DescriptionFault::OtherClient);
    }
    if described.speaks_of_secrets() {
        return Err(DescriptionFault::Secret);
    }
    let keys = match described.auth_method().ok_or(DescriptionFault::AuthMethod)? {
        AuthMethod::None => None,
        AuthMethod::PrivateKeyJwt => Some(described.keys(config).map_err(DescriptionFault::Metadata)?),
    };
    let mut metadata =
        described.declared.accept(config, Redirects::Usable).map_err(DescriptionFault::Metadata)?;
    metadata.keys = keys;
    if metadata.client_name.is_none() {
        return Err(DescriptionFault::NoName);
    }
    Ok(Client { id: client_id.to_owned(), metadata, expires_at: None })
}
