//! Pictures that posts are made of: fetched, looked at, hashed and stored when a post is written, never when it is sent.

mod fetch;
mod library;
mod model;
mod serve;
mod sniff;
mod store;

pub use library::{Gathered, Wanted, attachments, gather};
pub use model::{Media, MediaInput};
pub use serve::serve;
pub use store::STATEMENTS;
