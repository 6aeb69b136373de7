//! Native integration tests over the simulated platform: one binary, everything above `edge` in milliseconds.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod app;
mod audit;
mod canary;
mod clauses;
mod contract;
mod costs;
mod delivery;
mod desk;
mod docs;
mod elsewhere;
mod fetching;
mod guard;
mod house;
mod identity;
mod limits;
mod mcp;
mod media;
mod networks;
mod oauth;
mod operator;
mod personal;
mod plans;
mod posts;
mod profiles;
mod settings;
mod sim;
mod simulator;
mod tenants;
