//! Connected accounts: which there are, how they are named, their sealed credentials and sessions, and the pages on
//! which a person connects one.
//!
//! A secret enters on a page and leaves towards its own server only: no tool takes, gives or sees one.

mod model;
mod store;

pub use model::{Profile, ProfileState, ProfileView, choose, in_sight, view};
pub use store::STATEMENTS;
