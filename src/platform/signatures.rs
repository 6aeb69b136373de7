//! Signatures of others, by their public keys.

use super::Later;

/// A public key and the one algorithm that it is used with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3).
    Rs256 {
        /// The modulus, big-endian.
        modulus: Vec<u8>,
        /// The exponent, big-endian.
        exponent: Vec<u8>,
    },
    /// ECDSA over P-256 with SHA-256 (RFC 7518 section 3.4); signatures are r and s, 32 bytes each.
    Es256 {
        /// The point's x, big-endian.
        x: [u8; 32],
        /// The point's y, big-endian.
        y: [u8; 32],
    },
}

/// Verifies signatures.
pub trait Signatures {
    /// Whether `signature` is this key's over `message`. What is malformed, or cannot be checked, is not.
    fn verify<'a>(&'a self, key: &'a PublicKey, message: &'a [u8], signature: &'a [u8]) -> Later<'a, bool>;
}
