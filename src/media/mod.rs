//! Pictures that posts are made of: fetched, looked at, hashed and stored when a post is written, never when it is sent.

mod model;
mod store;

pub use model::{Media, MediaInput};
pub use store::STATEMENTS;
