//! The way in: which request and which tick goes to which room, and Cloudflare's side of every port.
//!
//! [`serve`] and [`tick`] run on any platform; only what stands under `cloudflare` knows the `worker` crate.

mod app;
#[cfg(target_arch = "wasm32")]
mod cloudflare;
#[cfg(feature = "contract")]
mod contract_route;
mod endpoint;
mod fault;
mod health;
mod limits;
mod mail;
mod statements;
mod store;

pub use app::{run_errands, serve, tick};
pub use fault::database_fault;
pub use health::{DIRECTORY_SCHEMA, SHARD_SCHEMA};
pub use mail::{NotSent, Outbox, send_by_api};
pub use statements::statements;
