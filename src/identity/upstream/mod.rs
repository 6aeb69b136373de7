//! Signing in through a tenant's own OpenID provider: OpenID Connect Core 1.0, the authorization code flow with PKCE.
//!
//! Who somebody is upstream is a provider of a tenant and a subject there, never an e-mail address. It is a person here only
//! after that person linked it, or as a new person whom the tenant lets join. Providers stand in the tenant's shard, their
//! secrets sealed under its key; who is linked to whom stands in the directory, and so do sessions, each valid for that
//! tenant alone.

mod discovery;
mod fault;
mod flow;
mod id_token;
mod identities;
mod providers;
mod secret;
mod store;

pub use discovery::check_issuer;
pub use fault::UpstreamFault;
pub use flow::{Arrival, Errand, Intent, arrive, callback_address, depart, note_refusal};
pub use id_token::Asserted;
pub use identities::{Linked, enter_upstream, find_upstream, join_upstream, link_upstream, linked, unlink};
pub use providers::{
    KnownProvider, NewProvider, Provider, add_provider, finish_removals, offered, provider, providers,
    remove_provider, replace_secret,
};
pub use secret::ClientSecret;
pub use store::{directory::STATEMENTS as DIRECTORY_STATEMENTS, shard::STATEMENTS};
