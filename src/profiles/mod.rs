//! Connected accounts: which there are, how they are named, their sealed credentials and sessions, and the page on
//! which a person connects one.
//!
//! A secret enters on that page and leaves towards its own server only: no tool takes, gives or sees one.

mod connect;
mod model;
mod pages;
mod resources;
mod session;
mod store;
mod tools;
mod vault;

pub use model::{Pause, Profile, ProfileState, ProfileView, choose, choose_one, in_sight, view};
pub use pages::{connect_page, connect_submit};
pub use resources::RESOURCES;
pub use session::{mark_reauthorise, renew_session, session};
pub use store::STATEMENTS;
pub use tools::TOOLS;
