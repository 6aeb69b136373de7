//! Organisations: their names in addresses, their members and roles, their workspaces.
//!
//! The directory only points: it knows a tenant's safename, shard and state, and which people to look for where. What
//! it points to stands in the shard, and a pointer to what is not there (yet, or any more) shows nothing. A step
//! that needs both databases is written into the directory's `tenant.pending` first, carried out on the shard, and then
//! struck out; [`finish_pending`] carries on where a step was cut short.

mod directory;
mod store;

pub use directory::{find, find_by_id};
pub use store::STATEMENTS;
