//! Proof Key for Code Exchange (RFC 7636), S256 only.

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

use crate::desk::sha256_text;

/// A code challenge: SHA-256 of the verifier in base64url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge(String);

impl Challenge {
    /// Parses a challenge (RFC 7636 section 4.2): 43 characters that are 32 bytes in base64url.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let hash = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        (hash.len() == 32).then(|| Self(text.to_owned()))
    }

    /// The challenge as text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `verifier` is what the challenge was made of (RFC 7636 section 4.6), in constant time.
    pub(super) fn answered_by(&self, verifier: &str) -> bool {
        is_verifier(verifier)
            && bool::from(sha256_text(verifier.as_bytes()).as_bytes().ct_eq(self.0.as_bytes()))
    }
}

/// RFC 7636 section 4.1: 43 to 128 unreserved characters.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}
