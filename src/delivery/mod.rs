//! From due to published: never twice, never lost, never silent.
//!
//! A delivery is one post group on one profile. A tick claims what is due under a lease, and carries each delivery
//! forward one step at a time: one call of the network, one commit. Every commit is fenced by the lease's token and
//! changes that token, so that it takes effect once, only under the lease, and a lost reply can be read back.
//! Before a call that cannot be taken back the part is *armed*: whoever finds it armed later knows that the call may
//! have been made, and what to do follows from how strong the network is ([`crate::networks::Ladder`]).

mod at_most;
mod commit;
mod confirm;
mod engine;
mod epoch;
mod fan_out;
mod meter;
mod model;
mod pause;
mod removal;
mod retry;
mod run;
mod status;
mod store;
mod tools;
mod trade;

pub use crate::posts::{DeliveryFacts, DeliveryState, GroupStatus, Phase, Reason, group_status};
pub use confirm::{Outcome, Word, confirm};
pub use engine::{Budget, TickReport, tick};
pub use epoch::{Release, hold, release};
pub use fan_out::{minute, run_errand};
pub use pause::{Overdue, Resumed, Scope, pause, resume};
pub use removal::{Removal, RemovalOutcome, remove_live};
pub use retry::{Retried, RetryAnswer, retry};
pub use status::{ShardStatus, status};
pub use store::{DIRECTORY_STATEMENTS, STATEMENTS};
pub use tools::TOOLS;
pub use trade::{Holder, RealTrade, Trade};
