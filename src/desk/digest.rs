//! Hashes as the databases hold them.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

/// SHA-256 of `bytes` in base64url: 43 characters.
pub fn sha256_text(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(bytes))
}

/// What is stored instead of a secret of 256 random bits, which needs no salt or stretching.
pub fn token_hash(secret: &str) -> String {
    sha256_text(secret.as_bytes())
}
