//! The SQL of clients, requests, grants, codes and refresh families.

pub(super) mod directory;
pub(super) mod shard;

pub use directory::STATEMENTS as DIRECTORY_STATEMENTS;
pub use shard::STATEMENTS as SHARD_STATEMENTS;
