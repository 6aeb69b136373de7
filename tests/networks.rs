//! Networks: what they make of drafts, and what their connectors do to the world.

mod bluesky;
pub mod pds;
