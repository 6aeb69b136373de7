//! Large bytes by key: media files.

use super::Later;

/// Stores and reads bytes by key. A key is written once and never changed.
pub trait Blobs {
    /// Stores `bytes` under `key`.
    ///
    /// # Errors
    /// When the store cannot be reached.
    fn put<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
        bytes: Vec<u8>,
    ) -> Later<'a, Result<(), BlobFault>>;

    /// Size and type of what `key` holds, if anything.
    ///
    /// # Errors
    /// When the store cannot be reached.
    fn head<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<BlobInfo>, BlobFault>>;

    /// The bytes of `key` in `range`, if there are any.
    ///
    /// # Errors
    /// When the store cannot be reached.
    fn read<'a>(&'a self, key: &'a str, range: ByteRange) -> Later<'a, Result<Option<Vec<u8>>, BlobFault>>;

    /// At most `limit` keys that begin with `prefix`, in no order that matters.
    ///
    /// # Errors
    /// When the store cannot be reached.
    fn list<'a>(&'a self, prefix: &'a str, limit: usize) -> Later<'a, Result<Vec<String>, BlobFault>>;

    /// Removes `key`; removing what is not there succeeds.
    ///
    /// # Errors
    /// When the store cannot be reached.
    fn delete<'a>(&'a self, key: &'a str) -> Later<'a, Result<(), BlobFault>>;
}

/// What is known of stored bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobInfo {
    /// Length in bytes.
    pub size: u64,
    /// The media type given when it was stored.
    pub content_type: String,
}

/// A run of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// How many bytes at most.
    pub length: u64,
}

/// The store did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobFault(pub String);
