//! Cloudflare's side of every port, and the worker's entry points.

mod blobs;
mod database;
mod entry;
mod events;
mod http_client;
mod key_value;
mod limits;
mod mail;
mod queue;
mod signatures;
mod small;
mod stream;
