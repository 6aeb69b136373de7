//! The authorization server: metadata, clients and their registration, authorize and consent, token, revocation; and the one check of
//! access tokens.
//!
//! One issuer per deployment, one resource per tenant. A *grant* is one authorization: one code, one refresh family.
//! Grants, codes and families stand in the tenant's shard, behind the same gate as everything else; clients and
//! requests that wait for a decision stand in the directory. Codes and refresh tokens carry the tenant's id in clear,
//! so that no look-up is needed to find their shard.
//!
//! Each endpoint is a module with one list of what can go wrong and one function that puts it on the wire.

mod access_token;
mod apps;
mod authorize;
mod bearer;
mod capability;
mod client;
mod code;
mod consent;
mod grant;
mod metadata;
mod network;
mod params;
mod pending;
mod personal;
mod pkce;
mod redirect;
mod refresh;
mod register;
mod resource;
mod revoke;
mod snapshot;
mod step_up;
mod store;
mod token;
mod unknown;
mod wire;

pub use apps::{apps_page, change_apps};
pub use authorize::authorize;
pub use bearer::{Authenticated, authenticate, grant_over};
pub use client::{KnownClient, MetadataFault, add_client, list_clients, remove_client};
pub use consent::{consent_page, decide};
pub use metadata::{resource_metadata, server_metadata};
pub use personal::{
    PersonalToken, STATEMENTS as PERSONAL_STATEMENTS, Setting as PersonalTokens, authenticate_by_address,
    create_token, is_looked_up, list as personal_tokens, revoke_token, set_tokens, tokens_page,
};
pub use register::register;
pub use revoke::revoke;
pub use snapshot::{Snapshot, snapshot};
pub use step_up::step_up;
pub use store::{DIRECTORY_STATEMENTS, SHARD_STATEMENTS};
pub use token::token;
pub use wire::turned_away;
