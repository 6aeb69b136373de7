//! What others sign: JWS in the compact form (RFC 7515) under keys that they publish as a JWK Set (RFC 7517).

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{DocumentFault, Wanted, document};
use crate::platform::{Platform, PublicKey, Timestamp};

const LONGEST_TOKEN: usize = 8 * 1024;
const MOST_KEY_BYTES: usize = 64 * 1024;
/// RSA keys are 2048 to 8192 bits long.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
/// A key that a copy does not have is looked for again, at most this often.
const RELOAD_SECONDS: i64 = 60;

/// The signatures that are taken. Neither `none` nor a shared secret is among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA over P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
}

impl Algorithm {
    /// The names of all of them, for metadata.
    pub const NAMES: [&str; 2] = ["RS256", "ES256"];

    /// The algorithm of this name (RFC 7518 section 3.1).
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: Algorithm,
    kid: Option<String>,
    typ: Option<String>,
    // Extensions that must be understood (RFC 7515 section 4.1.11): there are none here.
    crit: Option<serde_json::Value>,
    b64: Option<serde_json::Value>,
}

/// A signed token whose signature is still to be checked.
pub struct SignedToken {
    algorithm: Algorithm,
    key_id: Option<String>,
    kind: Option<String>,
    payload: Vec<u8>,
    signed: String,
    signature: Vec<u8>,
}

impl SignedToken {
    /// Parses a token. Nothing for one that is malformed, too long, or of another algorithm or extension.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST_TOKEN {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).ok();
        let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
        if header.crit.is_some() || header.b64.is_some() {
            return None;
        }
        Some(Self {
            algorithm: header.alg,
            key_id: header.kid,
            kind: header.typ,
            payload: decode(payload)?,
            signed: signed.to_owned(),
            signature: decode(signature)?,
        })
    }

    /// The algorithm that its header names.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its `typ`, if it has one.
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// The claims, which are worth nothing before [`SignedToken::is_signed_by`] was asked.
    pub fn claims<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.payload).ok()
    }

    /// Whether one of the keys that it may mean signed it.
    pub async fn is_signed_by(&self, platform: &Platform<'_>, keys: &KeySet) -> bool {
        for key in keys.candidates(self) {
            if platform.signatures.verify(&key, self.signed.as_bytes(), &self.signature).await {
                return true;
            }
        }
        false
    }

    /// Whether one of the keys published at `address` signed it. A key that a copy does not have yet is asked for.
    ///
    /// # Errors
    /// When the keys cannot be had.
    pub async fn is_signed_by_keys_at(
        &self,
        platform: &Platform<'_>,
        address: &str,
    ) -> Result<bool, DocumentFault> {
        let mut keys = key_set(platform, address, None).await?;
        let reload = platform.now().plus_seconds(-RELOAD_SECONDS);
        if keys.content.candidates(self).next().is_none() && keys.read_at <= reload {
            keys = key_set(platform, address, Some(reload)).await?;
        }
        Ok(self.is_signed_by(platform, &keys.content).await)
    }
}

/// Whom a token is for (RFC 7519 section 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// A list.
    Several(Vec<String>),
}

impl Audience {
    /// Whether it is this one and nobody else (draft-ietf-oauth-rfc7523bis section 4, OpenID Connect Core section 3.1.3.7):
    /// a token for several could be passed on by each of them.
    pub fn is_only(&self, wanted: &str) -> bool {
        match self {
            Self::One(audience) => audience == wanted,
            Self::Several(audiences) => matches!(audiences.as_slice(), [audience] if audience == wanted),
        }
    }
}

async fn key_set(
    platform: &Platform<'_>,
    address: &str,
    newer_than: Option<Timestamp>,
) -> Result<super::Document<KeySet>, DocumentFault> {
    let wanted = Wanted { address, most_bytes: MOST_KEY_BYTES, newer_than };
    document(platform, "keys/1", wanted, |body| {
        serde_json::from_str(body).map_err(|_| DocumentFault::NotJson)
    })
    .await
}

/// A JWK Set (RFC 7517 section 5). Keys that are not understood are passed over (section 5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySet {
    keys: Vec<serde_json::Value>,
}

/// The members of a public key that matter (RFC 7517 section 4, RFC 7518 section 6).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Whether there is any key in it that can verify something.
    pub fn is_usable(&self) -> bool {
        self.read().any(|jwk| jwk.public_key().is_some())
    }

    /// The keys that a token's header fits: of its algorithm, and of its key id if it names one.
    fn candidates(&self, token: &SignedToken) -> impl Iterator<Item = PublicKey> {
        self.read()
            .filter(|jwk| token.key_id.is_none() || jwk.kid == token.key_id)
            .filter_map(|jwk| jwk.public_key())
            .filter(|key| match key {
                PublicKey::Rs256 { .. } => token.algorithm == Algorithm::Rs256,
                PublicKey::Es256 { .. } => token.algorithm == Algorithm::Es256,
            })
    }

    fn read(&self) -> impl Iterator<Item = Jwk> {
        self.keys.iter().filter_map(|key| Jwk::deserialize(key).ok())
    }
}

impl Jwk {
    /// The key, if it is one for verifying with an algorithm that is taken.
    fn public_key(&self) -> Option<PublicKey> {
        let verifies = self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        let is_for = |name: &str| verifies && self.alg.as_deref().is_none_or(|alg| alg == name);
        let decode = |part: &Option<String>| BASE64URL_NOPAD.decode(part.as_deref()?.as_bytes()).ok();
        match self.kty.as_str() {
            "RSA" if is_for("RS256") => {
                let (modulus, exponent) = (decode(&self.n)?, decode(&self.e)?);
                let fits = RSA_BYTES.contains(&modulus.len()) && (1..=8).contains(&exponent.len());
                fits.then_some(PublicKey::Rs256 { modulus, exponent })
            }
            "EC" if is_for("ES256") && self.crv.as_deref() == Some("P-256") => Some(PublicKey::Es256 {
                x: decode(&self.x)?.try_into().ok()?,
                y: decode(&self.y)?.try_into().ok()?,
            }),
            _ => None,
        }
    }
}
