//! Who did what in a tenant: read by its managers, page by page, and exported as JSON lines.
//!
//! A line is written in the batch of the act itself: by `desk`, for every caller's write. What a person does before any
//! tenant is concerned, such as signing in, waits in the directory for [`deliver`].

mod deliver;
mod export;
mod model;
mod read;
mod store;

pub use deliver::deliver;
pub use export::{Export, export};
pub use model::{App, Entry, Filter, Person};
pub use read::{AuditPage, read};
pub use store::{directory::STATEMENTS as DIRECTORY_STATEMENTS, shard::STATEMENTS};
