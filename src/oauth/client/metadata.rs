//! What a client says of itself (RFC 7591 section 2), and what of it is kept.

use serde::{Deserialize, Serialize};

use crate::{
    desk::{LONGEST_NAME, presentable},
    http::{Address, Algorithm, DocumentFault, KeySet, SignedToken},
    oauth::redirect::RedirectUri,
    platform::{Config, FromValue, Platform, Value},
};

const MOST_REDIRECTS: usize = 10;

/// What a client may do to get tokens (RFC 7591 section 2), as far as it is served here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::oauth) enum GrantType {
    AuthorizationCode,
    RefreshToken,
}

/// How a client proves at the token endpoint who it is (RFC 7591 section 2). No method with a shared secret is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::oauth) enum AuthMethod {
    /// Not at all: its redirect address and PKCE stand for it.
    None,
    /// By an assertion that it signs (RFC 7523).
    PrivateKeyJwt,
}

impl AuthMethod {
    /// The names of all of them, for metadata.
    pub(in crate::oauth) const NAMES: [&str; 2] = [Self::None.as_str(), Self::PrivateKeyJwt.as_str()];

    /// Its registered name.
    pub(in crate::oauth) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }
}

impl From<AuthMethod> for Value {
    fn from(method: AuthMethod) -> Self {
        method.as_str().into()
    }
}

impl FromValue for AuthMethod {
    fn from_value(value: &Value) -> Option<Self> {
        let name = String::from_value(value)?;
        [Self::None, Self::PrivateKeyJwt].into_iter().find(|method| method.as_str() == name)
    }
}

/// The keys of a client that signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::oauth) struct Keys {
    pub(in crate::oauth) source: KeySource,
    /// The one algorithm that it signs with, if it names one.
    pub(in crate::oauth) algorithm: Option<Algorithm>,
}

/// Where a client's keys are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::oauth) enum KeySource {
    /// In its metadata.
    Jwks(KeySet),
    /// At this address.
    JwksUri(String),
}

impl Keys {
    /// The keys at an address that may be fetched.
    pub(in crate::oauth) fn at(address: String, config: &Config) -> Result<Self, MetadataFault> {
        let fetchable = address.starts_with("https://") && Address::parse(&address, config).is_ok();
        fetchable
            .then_some(Self { source: KeySource::JwksUri(address), algorithm: None })
            .ok_or(MetadataFault::Keys)
    }

    /// Whether one of them signed the token.
    ///
    /// # Errors
    /// When they cannot be had.
    pub(in crate::oauth) async fn signed(
        &self,
        platform: &Platform<'_>,
        token: &SignedToken,
    ) -> Result<bool, DocumentFault> {
        match &self.source {
            KeySource::Jwks(keys) => Ok(token.is_signed_by(platform, keys).await),
            KeySource::JwksUri(address) => token.is_signed_by_keys_at(platform, address).await,
        }
    }
}

/// A client's metadata as they were accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::oauth) struct Metadata {
    pub(in crate::oauth) redirect_uris: Vec<String>,
    pub(in crate::oauth) grant_types: Vec<GrantType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::oauth) client_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::oauth) application_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::oauth) software_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::oauth) software_version: Option<String>,
    /// Nothing for a public client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::oauth) keys: Option<Keys>,
}

/// What a client says of itself. Members that are not known here are passed over.
#[derive(Deserialize)]
pub(in crate::oauth) struct Declared {
    #[serde(default)]
    redirect_uris: Vec<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    client_name: Option<String>,
    application_type: Option<String>,
    software_id: Option<String>,
    software_version: Option<String>,
}

/// What is done about redirect addresses that may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oauth) enum Redirects {
    /// One of them spoils the registration: its client learns of it at once.
    All,
    /// They are passed over: a document is read by other servers as well, and cannot be mended for this one. Nor are they
    /// counted, since the document's length is bounded.
    Usable,
}

/// Why metadata are not accepted (RFC 7591 section 3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataFault {
    /// Neither the code grant nor its response type is among what the client wants.
    NoCodeGrant,
    /// There is no redirect address.
    NoRedirect,
    /// There are more than 10.
    TooManyRedirects,
    /// One of them may not be used.
    Redirect,
    /// The client's keys can be neither read nor fetched.
    Keys,
}

impl MetadataFault {
    /// One sentence for the client's developer.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NoCodeGrant => {
                "Only authorization_code with response type code is served, and refresh_token with it."
            }
            Self::NoRedirect => "redirect_uris is missing, or has none that may be used.",
            Self::TooManyRedirects => "A client may have 10 redirect addresses.",
            Self::Keys => {
                "private_key_jwt needs keys for RS256 or ES256, either in jwks or at a public https address in jwks_uri."
            }
            Self::Redirect => {
                "A redirect address must be https, http on loopback, or a private-use scheme in reverse-domain form, without user name and fragment."
            }
        }
    }
}

impl Declared {
    /// What is kept of it, if every part that matters can be served.
    pub(in crate::oauth) fn accept(
        mut self,
        config: &Config,
        redirects: Redirects,
    ) -> Result<Metadata, MetadataFault> {
        let grant_types = grant_types(self.grant_types.as_deref())?;
        if self.response_types.is_some_and(|types| !types.iter().any(|name| name == "code")) {
            return Err(MetadataFault::NoCodeGrant);
        }
        match redirects {
            Redirects::All => check_redirects(&self.redirect_uris, config)?,
            Redirects::Usable => {
                self.redirect_uris.retain(|text| RedirectUri::parse(text, config).is_ok());
                if self.redirect_uris.is_empty() {
                    return Err(MetadataFault::NoRedirect);
                }
            }
        }
        let named = |text: Option<String>| text.and_then(|text| presentable(&text, LONGEST_NAME));
        Ok(Metadata {
            redirect_uris: self.redirect_uris,
            grant_types,
            client_name: named(self.client_name),
            application_type: self.application_type.filter(|kind| matches!(kind.as_str(), "native" | "web")),
            software_id: named(self.software_id),
            software_version: named(self.software_version),
            keys: None,
        })
    }
}

impl Metadata {
    /// The metadata of a client that an operator registers.
    ///
    /// # Errors
    /// When a redirect address may not be used, or there are none or too many; when the keys' address may not be fetched.
    pub(in crate::oauth) fn by_operator(
        name: &str,
        redirect_uris: Vec<String>,
        jwks_uri: Option<String>,
        config: &Config,
    ) -> Result<Self, MetadataFault> {
        check_redirects(&redirect_uris, config)?;
        let keys = jwks_uri.map(|address| Keys::at(address, config)).transpose()?;
        Ok(Self {
            redirect_uris,
            grant_types: EVERY_GRANT.to_vec(),
            client_name: presentable(name, LONGEST_NAME),
            application_type: None,
            software_id: None,
            software_version: None,
            keys,
        })
    }
}

const EVERY_GRANT: [GrantType; 2] = [GrantType::AuthorizationCode, GrantType::RefreshToken];

fn check_redirects(addresses: &[String], config: &Config) -> Result<(), MetadataFault> {
    match addresses.len() {
        0 => return Err(MetadataFault::NoRedirect),
        1..=MOST_REDIRECTS => {}
        _ => return Err(MetadataFault::TooManyRedirects),
    }
    let usable = addresses.iter().all(|text| RedirectUri::parse(text, config).is_ok());
    if usable { Ok(()) } else { Err(MetadataFault::Redirect) }
}

/// The grant types that are served of those asked for; who names none gets both. Clients list others as well, which
/// is no reason to turn them away.
fn grant_types(asked: Option<&[String]>) -> Result<Vec<GrantType>, MetadataFault> {
    let Some(asked) = asked else { return Ok(EVERY_GRANT.to_vec()) };
    let names = |name: &str| asked.iter().any(|asked| asked == name);
    if !names("authorization_code") {
        return Err(MetadataFault::NoCodeGrant);
    }
    let refresh = names("refresh_token").then_some(GrantType::RefreshToken);
    Ok(std::iter::once(GrantType::AuthorizationCode).chain(refresh).collect())
}
