//! Post groups: one piece of content for many profiles with one schedule.

mod state;

pub use state::{DeliveryFacts, DeliveryState, GroupStatus, Phase, Reason, group_status};
