//! What the engine takes from the rooms below, in one place, so that a test can put simulated networks there.

use serde_json::Value;

use crate::{
    desk::{ProfileId, TenantId},
    networks::{Account, Connector, Network, NetworkError, Rendered, Session},
    platform::{Database, Later, Platform},
};

/// Whose account it is, and where its secrets are.
#[derive(Clone, Copy)]
pub struct Holder<'a> {
    /// The platform.
    pub platform: &'a Platform<'a>,
    /// The tenant's shard.
    pub database: &'a dyn Database,
    /// The tenant.
    pub tenant_id: &'a TenantId,
    /// The account.
    pub account: &'a Account,
}

/// Networks, content and credentials, as delivery needs them.
pub trait Trade {
    /// The connector of a network.
    fn connector(&self, network: Network) -> &dyn Connector;

    /// What a post group's stored content becomes on one profile, and the network's settings for it. Nothing when the
    /// content is of a version that this release does not know.
    fn render(&self, content: &str, profile: &ProfileId, network: Network) -> Option<(Rendered, Value)>;

    /// The account's session, for networks that have one; renewed when it is about to end.
    ///
    /// # Errors
    /// [`crate::networks::ErrorClass::Reauthorise`] when a person must connect the account again.
    fn session<'a>(&'a self, holder: Holder<'a>) -> Later<'a, Result<Option<Session>, NetworkError>>;

    /// A session in the place of `over`, which the network no longer takes.
    ///
    /// # Errors
    /// [`crate::networks::ErrorClass::Reauthorise`] when a person must connect the account again.
    fn renew<'a>(
        &'a self,
        holder: Holder<'a>,
        over: &'a Session,
    ) -> Later<'a, Result<Option<Session>, NetworkError>>;

    /// Records that a person must connect the account again. Best effort: what it fails to record is found again.
    fn mark_reauthorise<'a>(&'a self, holder: Holder<'a>, why: &'a str) -> Later<'a, ()>;
}
