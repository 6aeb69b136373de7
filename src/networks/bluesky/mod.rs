//! Bluesky and other servers of the AT Protocol: posts are records in the account's own repository.
//!
//! A record's key is chosen from the delivery and its due time before the first call, and `putRecord` is told that
//! nothing may be there yet: repeating it is a no-op for ever (`app.bsky.feed.post`, `com.atproto.repo.putRecord`).

mod card;
mod connector;
mod progress;
mod record;
mod render;
mod session;
mod settings;
mod tid;
mod xrpc;

pub use connector::Bluesky;
pub use render::{render, rules};
pub use settings::problems as settings_problems;

/// Where most accounts sign in; a person with a server of their own names it.
pub const DEFAULT_SERVER: &str = "https://bsky.social";
