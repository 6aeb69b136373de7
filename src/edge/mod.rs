//! Cloudflare: entry points and adapters.

#[cfg(target_arch = "wasm32")]
mod worker_entry;
