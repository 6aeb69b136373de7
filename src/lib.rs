//! Postern: an MCP server for a company's publishing.
//!
//! The rooms, from top to bottom. A room imports only rooms below it; rooms on one line do not import each other.
//!
//! ```text
//! edge
//! operator
//! mcp, studio, oauth
//! delivery
//! posts
//! media
//! profiles
//! networks
//! identity, tenants, audit
//! desk
//! http
//! platform
//! ```

pub mod delivery;
pub mod desk;
pub mod edge;
pub mod http;
pub mod identity;
pub mod mcp;
pub mod media;
pub mod networks;
pub mod oauth;
pub mod operator;
pub mod platform;
pub mod posts;
pub mod profiles;
pub mod studio;
pub mod tenants;
