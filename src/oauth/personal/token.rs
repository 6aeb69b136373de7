//! How a token is written: prefix, 256 random bits, checksum. `ps[tu]_[a-z2-7]{59}` finds them in files and logs, and the
//! checksum tells them from what only looks like one without asking anybody.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use super::Kind;
use crate::{
    desk::token_hash,
    platform::{Entropy, random_array},
};

/// Bytes of the checksum: the first of the SHA-256 of all that stands before it.
const CHECK_BYTES: usize = 4;
/// Letters of 4 bytes in base32.
const CHECK_LETTERS: usize = 7;
/// Letters of the prefix, of 32 bytes in base32, and of the checksum.
const LENGTH: usize = 4 + 52 + CHECK_LETTERS;

/// A token. It cannot be printed.
pub(in crate::oauth) struct Token(String);

impl Token {
    /// A fresh one.
    pub(super) fn new(kind: Kind, entropy: &dyn Entropy) -> Self {
        let secret: [u8; 32] = random_array(entropy);
        let text = format!("{}{}", kind.prefix(), base32(&secret));
        let check = checksum(&text);
        Self(text + &check)
    }

    /// Reads a token of this kind whose checksum is right.
    pub(super) fn parse(kind: Kind, text: &str) -> Option<Self> {
        if text.len() != LENGTH || !text.is_ascii() || Kind::of(text) != Some(kind) {
            return None;
        }
        let (body, check) = text.split_at_checked(LENGTH - CHECK_LETTERS)?;
        (checksum(body) == check).then(|| Self(text.to_owned()))
    }

    /// The token, for the person that it is shown to once.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub(super) fn hash(&self) -> String {
        token_hash(&self.0)
    }
}

fn checksum(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    base32(digest.get(..CHECK_BYTES).unwrap_or_default())
}

fn base32(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
}
