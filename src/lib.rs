//! Postern: an MCP server for a company's publishing.
//!
//! The rooms, from top to bottom. A room imports only rooms below it; rooms on one line do not import each other.
//!
//! ```text
//! edge                     Cloudflare; which request and which tick goes to which room
//! operator                 what an operator's shell may ask; what is kept how long
//! mcp, studio, oauth       the protocol and its catalogue; members' pages; the authorization server
//! delivery                 from due to published, once
//! posts                    post groups: what they say, to whom and when they go
//! media                    pictures, kept when a post is written
//! profiles                 connected accounts and their sealed credentials
//! networks                 one connector for each social network
//! identity, tenants, audit people and how they sign in; organisations and workspaces; who did what
//! desk                     what every room speaks, and the gate through which all data is reached
//! http                     requests, responses, routes, the guarded client
//! platform                 the ports: databases, key-value store, blobs, clock, entropy, fetching
//! ```
//!
//! The way of a request: the worker's event ([`edge`]) becomes a [`http::Request`]; [`edge::serve`] finds its origin and
//! route, counts its visitor, and hands it to one room. A tool call is authenticated by [`oauth`], judged by [`mcp`], and
//! run by the tool's own room, which reaches data through a [`desk::Caller`] only: the gate stands in the batch of
//! statements that the tool asks for, so that a call that is not allowed reads and writes nothing. A call that is refused
//! is rehearsed by the desk, mended, up to its first effect: so that its refusal tells all that is wrong, and a call that works.
//!
//! The way of a post: a tool of [`posts`] writes it and its schedule in one gated batch. Each minute [`edge::tick`] has
//! [`delivery`] claim what is due under a lease, have the connector of its network in [`networks`] carry out one step at
//! a time, and commit what came of it under that lease.

pub mod audit;
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
