//! A grant: one authorization of a client by a person in a tenant.

use super::{client::AuthMethod, snapshot, store::shard as sql};
use crate::{
    desk::{Act, Authority, Caller, GrantId, Refusal, Scopes, Tenant, UserId, change_by},
    platform::{DatabaseFault, Platform, Value, only},
};

/// A grant ends 180 days after consent.
pub(super) const LIFE_SECONDS: i64 = 180 * 86_400;

/// Whose a token is.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) tenant: Tenant,
    pub(super) grant_id: GrantId,
    pub(super) generation: i64,
    pub(super) user_id: UserId,
    pub(super) client_id: String,
}

/// Why a grant ends by itself or by its client. People who end one are other acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A used code was presented with a wrong verifier or by another client: somebody else has it.
    CodeStolen,
    /// A refresh token came back long after its successor was used.
    RefreshReplayed,
    /// The client gave a token back (RFC 7009).
    ByClient,
}

impl End {
    const fn act(self) -> &'static str {
        match self {
            Self::CodeStolen => "end_grant_code_replay",
            Self::RefreshReplayed => "end_grant_refresh_replay",
            Self::ByClient => "end_grant_by_client",
        }
    }

    const fn why(self) -> &'static str {
        match self {
            Self::CodeStolen => "code_replay",
            Self::RefreshReplayed => "refresh_replay",
            Self::ByClient => "client",
        }
    }
}

impl Holder {
    /// The grant's whole authority.
    pub(super) fn authority(&self) -> Authority {
        Authority::Grant {
            grant_id: self.grant_id.clone(),
            generation: self.generation,
            user_id: self.user_id.clone(),
            client_id: self.client_id.clone(),
            scopes: Scopes::EVERY,
        }
    }

    /// A caller through this grant. Its gate checks grant, membership, role and tenant in each batch.
    pub(super) fn caller<'a>(&self, platform: &Platform<'a>) -> Result<Caller<'a>, Refusal> {
        Caller::new(*platform, self.tenant.clone(), self.authority()).ok_or(Refusal::Unauthenticated)
    }

    /// Writes down that something was refused to whoever holds a genuine code or token of this grant: it may have been
    /// stolen.
    pub(super) async fn note_denial(
        &self,
        platform: &Platform<'_>,
        act: &'static str,
        outcome: &'static str,
    ) {
        if let Ok(caller) = self.caller(platform) {
            caller.note_denial(Act { name: act, subjects: &[self.grant_id.as_str()] }, outcome).await;
        }
    }

    /// How the grant's client must prove itself. One that is gone asks for nothing: there is nothing left to guard.
    pub(super) async fn client_auth(&self, platform: &Platform<'_>) -> Result<AuthMethod, DatabaseFault> {
        let Some(shard) = platform.shard(self.tenant.shard) else { return Ok(AuthMethod::None) };
        let find = sql::GRANT_CLIENT_AUTH.with([Value::from(&self.tenant.id), (&self.grant_id).into()]);
        let rows = only(shard, find).await?;
        rows.first().map_or(Ok(AuthMethod::None), |row| Ok(row.get("client_auth")?))
    }

    /// Ends the grant and its refresh family at once. One that is over already stays over. No gate stands before it: a
    /// grant that its tenant's closing only holds back must not live on when the tenant is had back.
    ///
    /// # Errors
    /// When the shard fails.
    pub(super) async fn end(&self, platform: &Platform<'_>, how: End) -> Result<(), DatabaseFault> {
        let shard = platform
            .shard(self.tenant.shard)
            .ok_or_else(|| DatabaseFault::Rejected("the shard is not bound".to_owned()))?;
        let ids = || [Value::from(&self.tenant.id), Value::from(&self.grant_id), platform.now().into()];
        let [tenant, grant, now] = ids();
        let act = Act { name: how.act(), subjects: &[self.grant_id.as_str()] };
        let batch = vec![
            sql::END_FAMILY.with(ids()),
            sql::END_GRANT.with([tenant, grant, now, how.why().into()]),
            change_by(platform, &self.tenant.id, &self.authority(), &act),
        ];
        shard.batch(batch).await?;
        snapshot::forget(platform, &self.tenant.id, &self.grant_id).await;
        Ok(())
    }
}
