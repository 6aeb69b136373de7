//! Networks: what they make of drafts, what their connectors do to the world, and what visitors see.

mod bluesky;
pub mod pds;
mod text;
mod tools;
mod wall;
mod xml;
