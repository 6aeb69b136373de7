//! An eventually consistent store of text by key. It caches misses and has no compare-and-swap: a read path only.

use super::Later;

/// Reads and writes text by key.
pub trait KeyValue {
    /// The value of `key`, possibly 60 s old or more; `None` may be a cached miss.
    ///
    /// # Errors
    /// When the store cannot be reached.
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<String>, KvFault>>;

    /// Stores `value` under `key` for `ttl_seconds` (60 at least).
    ///
    /// # Errors
    /// When the store cannot be reached or refuses the write.
    fn put<'a>(&'a self, key: &'a str, value: String, ttl_seconds: u32) -> Later<'a, Result<(), KvFault>>;

    /// Removes `key`; readers elsewhere may see it for a while.
    ///
    /// # Errors
    /// When the store cannot be reached.
    fn delete<'a>(&'a self, key: &'a str) -> Later<'a, Result<(), KvFault>>;
}

/// The store did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KvFault(pub String);
