//! Postern: an MCP server for a company's publishing.

#[cfg(target_arch = "wasm32")]
mod edge;
