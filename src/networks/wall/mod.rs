//! The Wall: a tenant's own public page per profile, with permalinks and feeds. It needs no account anywhere.
//!
//! Every part is a row of `wall_entry`, written in the batch that settles it: exact by transaction. A thread's further
//! parts and first comments are shown with their post, under its permalink.

mod answer;
mod connector;
mod feeds;
mod pages;
mod render;
mod store;
mod view;

pub use connector::Wall;
pub use feeds::{atom, json_feed};
pub use pages::{entry_page, not_found, page};
pub use render::{render, rules, settings_problems};
pub use store::STATEMENTS;
