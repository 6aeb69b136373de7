//! Native integration tests over the simulated platform: one binary, everything above `edge` in milliseconds.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod desk;
mod guard;
mod identity;
mod media;
mod networks;
mod operator;
mod posts;
mod settings;
mod sim;
mod simulator;
mod tenants;
