//! One root secret, one derived key per purpose, and sealed values.

use std::collections::BTreeMap;

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use data_encoding::BASE64URL_NOPAD;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{Entropy, random_array};

/// What a derived key is for. Each has its own HKDF label, so that nothing made for one is accepted by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signs access tokens.
    AccessToken,
    /// Binds a page's form to its session.
    Csrf,
    /// Seals list cursors.
    Cursor,
    /// Seals the token that applies a bulk change's dry run.
    DryRun,
    /// Signs addresses of media.
    MediaAddress,
    /// Wraps the keys of tenants.
    TenantKey,
    /// Authenticates the operator's shell.
    Operator,
    /// Binds the code of a sign-in link to the link.
    SignInCode,
    /// Makes the challenges that passkeys answer.
    PasskeyChallenge,
    /// Makes the states of sign-ins through providers, and the secrets that belong to each.
    UpstreamState,
    /// Hides what sign-in attempts are counted by.
    SignInAttempt,
    /// Makes the names under which callers' addresses are counted.
    PeerAddress,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::AccessToken => "postern/access-token/v1",
            Self::Csrf => "postern/csrf/v1",
            Self::Cursor => "postern/cursor/v1",
            Self::DryRun => "postern/dry-run/v1",
            Self::MediaAddress => "postern/media-address/v1",
            Self::TenantKey => "postern/tenant-key/v1",
            Self::Operator => "postern/operator/v1",
            Self::SignInCode => "postern/sign-in-code/v1",
            Self::PasskeyChallenge => "postern/passkey-challenge/v1",
            Self::UpstreamState => "postern/upstream-state/v1",
            Self::SignInAttempt => "postern/sign-in-attempt/v1",
            Self::PeerAddress => "postern/peer-address/v1",
        }
    }
}

/// The root keys of a deployment, from the secret `POSTERN_KEYS`.
pub struct Keyring {
    current: String,
    current_root: [u8; 32],
    roots: BTreeMap<String, [u8; 32]>,
    leaked: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyringText {
    current: String,
    keys: BTreeMap<String, String>,
    #[serde(default)]
    leaked: Vec<String>,
    #[serde(default)]
    retired: Vec<String>,
}

impl Keyring {
    /// Parses `{"current": id, "keys": {id: 32 bytes in base64url}, "leaked": [ids], "retired": [ids]}`. Retired keys are
    /// dropped: nothing that they made is accepted. Leaked ones only open what is to be sealed anew.
    ///
    /// # Errors
    /// A sentence that says what is wrong and holds none of the secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parsed: KeyringText = serde_json::from_str(text)
            .map_err(|_| "it is not JSON of the form {current, keys, leaked, retired}".to_owned())?;
        let mut roots = BTreeMap::new();
        for (id, encoded) in parsed.keys {
            if parsed.retired.contains(&id) {
                continue;
            }
            if id.is_empty() || id.len() > 16 || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err("a key id is not 1 to 16 letters and digits".to_owned());
            }
            let root = BASE64URL_NOPAD
                .decode(encoded.as_bytes())
                .ok()
                .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
                .ok_or_else(|| format!("key {id} is not 32 bytes in base64url"))?;
            roots.insert(id, root);
        }
        let usable = roots.get(&parsed.current).filter(|_| !parsed.leaked.contains(&parsed.current));
        let current_root = *usable.ok_or("the current key is missing, leaked or retired")?;
        Ok(Self { current: parsed.current, current_root, roots, leaked: parsed.leaked })
    }

    /// The id of the key that new things are made with.
    pub fn current_id(&self) -> &str {
        &self.current
    }

    /// The current key for `purpose`.
    pub fn current(&self, purpose: Purpose) -> SecretKey {
        derive(&self.current_root, purpose.label())
    }

    /// The key with this id for `purpose`, unless it is unknown or retired. A leaked one is there for the keys of tenants
    /// alone: whoever has it could have made everything else.
    pub fn by_id(&self, id: &str, purpose: Purpose) -> Option<SecretKey> {
        let trusted = purpose == Purpose::TenantKey || !self.leaked.iter().any(|leaked| leaked == id);
        self.roots.get(id).filter(|_| trusted).map(|root| derive(root, purpose.label()))
    }

    /// Seals `plaintext` under the current key for `purpose`. The text names the key.
    pub fn seal(
        &self,
        purpose: Purpose,
        entropy: &dyn Entropy,
        context: &[&str],
        plaintext: &[u8],
    ) -> Result<Sealed, SealFault> {
        let sealed = self.current(purpose).seal(entropy, context, plaintext)?;
        Ok(Sealed(format!("{}.{}", self.current, sealed.0)))
    }

    /// Opens what [`Keyring::seal`] made with the same purpose and context.
    ///
    /// # Errors
    /// When it was made for something else, with a retired key, or was changed.
    pub fn open(&self, purpose: Purpose, context: &[&str], sealed: &Sealed) -> Result<Vec<u8>, SealFault> {
        let (id, rest) = sealed.0.split_once('.').ok_or(SealFault)?;
        let key = self.by_id(id, purpose).ok_or(SealFault)?;
        key.open(context, &Sealed(rest.to_owned()))
    }

    /// The id of the key that a value was sealed with.
    pub fn key_id(sealed: &Sealed) -> Option<&str> {
        sealed.0.split_once('.').map(|(id, _)| id)
    }

    /// Makes a fresh key for a tenant.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn new_tenant_key(&self, tenant: &str, entropy: &dyn Entropy) -> Result<Sealed, SealFault> {
        let key: [u8; 32] = random_array(entropy);
        self.seal(Purpose::TenantKey, entropy, &["tenant", tenant], &key)
    }

    /// Unwraps a tenant's key.
    ///
    /// # Errors
    /// When the wrapping is not this tenant's or its root key is retired.
    pub fn tenant_key(&self, tenant: &str, wrapped: &Sealed) -> Result<TenantKey, SealFault> {
        let bytes = self.open(Purpose::TenantKey, &["tenant", tenant], wrapped)?;
        <[u8; 32]>::try_from(bytes).map(|key| TenantKey(SecretKey(key))).map_err(|_| SealFault)
    }

    /// Wraps a tenant's key again under the current root key; nothing to do gives nothing.
    ///
    /// # Errors
    /// When the present wrapping cannot be opened.
    pub fn rewrap_tenant_key(
        &self,
        tenant: &str,
        entropy: &dyn Entropy,
        wrapped: &Sealed,
    ) -> Result<Option<Sealed>, SealFault> {
        if Self::key_id(wrapped) == Some(self.current_id()) {
            return Ok(None);
        }
        let TenantKey(SecretKey(key)) = self.tenant_key(tenant, wrapped)?;
        self.seal(Purpose::TenantKey, entropy, &["tenant", tenant], &key).map(Some)
    }
}

fn derive(root: &[u8], label: &str) -> SecretKey {
    let mut key = [0; 32];
    // 32 bytes are far below HKDF's limit, so expanding cannot fail.
    let _ = Hkdf::<Sha256>::new(None, root).expand(label.as_bytes(), &mut key);
    SecretKey(key)
}

/// A derived key. It cannot be printed.
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// A key of random bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's bytes, for libraries that sign.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// HMAC-SHA256 of `message` (RFC 2104).
    pub fn hmac(&self, message: &[u8]) -> [u8; 32] {
        match <Hmac<Sha256> as Mac>::new_from_slice(&self.0) {
            Ok(mut mac) => {
                mac.update(message);
                mac.finalize().into_bytes().into()
            }
            // HMAC takes keys of any length.
            Err(_) => [0; 32],
        }
    }

    /// Whether `tag` is the HMAC of `message`, in constant time. An all-zero tag never is.
    pub fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        let expected = self.hmac(message);
        expected != [0; 32] && bool::from(expected.as_slice().ct_eq(tag))
    }

    /// Seals `plaintext` with AES-256-GCM under a fresh random nonce, bound to `context`.
    ///
    /// # Errors
    /// When the cipher refuses, which it does for no length used here.
    pub fn seal(
        &self,
        entropy: &dyn Entropy,
        context: &[&str],
        plaintext: &[u8],
    ) -> Result<Sealed, SealFault> {
        let nonce: [u8; 12] = random_array(entropy);
        let cipher = Aes256Gcm::new_from_slice(&self.0).map_err(|_| SealFault)?;
        let associated = associated_data(context);
        let ciphertext = cipher
            .encrypt((&nonce).into(), Payload { msg: plaintext, aad: &associated })
            .map_err(|_| SealFault)?;
        let mut bytes = nonce.to_vec();
        bytes.extend(ciphertext);
        Ok(Sealed(BASE64URL_NOPAD.encode(&bytes)))
    }

    /// Opens what [`SecretKey::seal`] made with the same context.
    ///
    /// # Errors
    /// When key or context differ or the text was changed.
    pub fn open(&self, context: &[&str], sealed: &Sealed) -> Result<Vec<u8>, SealFault> {
        let bytes = BASE64URL_NOPAD.decode(sealed.0.as_bytes()).map_err(|_| SealFault)?;
        let (nonce, ciphertext) = bytes.split_at_checked(12).ok_or(SealFault)?;
        let nonce: [u8; 12] = nonce.try_into().map_err(|_| SealFault)?;
        let cipher = Aes256Gcm::new_from_slice(&self.0).map_err(|_| SealFault)?;
        let associated = associated_data(context);
        cipher.decrypt((&nonce).into(), Payload { msg: ciphertext, aad: &associated }).map_err(|_| SealFault)
    }
}

/// Each part with its length before it, so that no two contexts give the same bytes.
fn associated_data(context: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in context {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

/// The key that a tenant's secrets are sealed under.
pub struct TenantKey(SecretKey);

impl TenantKey {
    /// Seals a secret for one place: purpose, tenant, table, row, column and the origin it is for.
    ///
    /// # Errors
    /// See [`SecretKey::seal`].
    pub fn seal(&self, entropy: &dyn Entropy, place: &[&str], secret: &[u8]) -> Result<Sealed, SealFault> {
        self.0.seal(entropy, place, secret)
    }

    /// Opens a secret at the place it was sealed for.
    ///
    /// # Errors
    /// See [`SecretKey::open`].
    pub fn open(&self, place: &[&str], sealed: &Sealed) -> Result<Vec<u8>, SealFault> {
        self.0.open(place, sealed)
    }
}

/// Sealed text: safe to store, useless without the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(String);

impl Sealed {
    /// Sealed text as it was stored.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Sealed> for super::Value {
    fn from(sealed: Sealed) -> Self {
        Self::Text(sealed.0)
    }
}

impl super::FromValue for Sealed {
    fn from_value(value: &super::Value) -> Option<Self> {
        String::from_value(value).map(Self)
    }
}

/// Something sealed did not open. It says nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealFault;
