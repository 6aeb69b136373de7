//! What the engine takes from the rooms below, in one place, so that a test can put simulated networks there.

use serde_json::Value;

use crate::{
    desk::TenantId,
    networks::{self, Account, Connector, Network, NetworkError, Rendered, Session},
    platform::{Database, Later, Platform},
    posts::Content,
    profiles::{self, Profile},
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
    /// The profile.
    pub profile: &'a Profile,
}

/// Networks, content and credentials, as delivery needs them.
pub trait Trade {
    /// The connector of a network.
    fn connector(&self, network: Network) -> &dyn Connector;

    /// What a post group's stored content becomes for one account, and the network's settings for it. Nothing when the
    /// content is of a version that this release does not know.
    fn render(&self, content: &str, account: &Account) -> Option<(Rendered, Value)>;

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

/// The networks, posts and profiles of this crate.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealTrade;

impl Trade for RealTrade {
    fn connector(&self, network: Network) -> &dyn Connector {
        networks::connector(network)
    }

    fn render(&self, content: &str, account: &Account) -> Option<(Rendered, Value)> {
        Some(Content::parse(content)?.render_for(&account.profile_id, account.network))
    }

    fn session<'a>(&'a self, holder: Holder<'a>) -> Later<'a, Result<Option<Session>, NetworkError>> {
        Box::pin(profiles::session(holder.platform, holder.database, holder.tenant_id, holder.profile))
    }

    fn renew<'a>(
        &'a self,
        holder: Holder<'a>,
        over: &'a Session,
    ) -> Later<'a, Result<Option<Session>, NetworkError>> {
        Box::pin(profiles::renew_session(
            holder.platform,
            holder.database,
            holder.tenant_id,
            holder.profile,
            over,
        ))
    }

    fn mark_reauthorise<'a>(&'a self, holder: Holder<'a>, why: &'a str) -> Later<'a, ()> {
        Box::pin(async move {
            let marked =
                profiles::mark_reauthorise(holder.database, holder.tenant_id, holder.profile, why).await;
            // A profile that could not be marked refuses the next delivery again, and is marked then.
            drop(marked);
        })
    }
}
