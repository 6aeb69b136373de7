//! What a grant allowed a short while ago: for answers that touch no database, such as a list of tools or a challenge.

use serde::{Deserialize, Serialize};

use super::Authenticated;
use crate::{
    desk::{Authority, Caller, GrantId, Refusal, Scopes, TenantId},
    platform::{Platform, Timestamp},
};

/// A copy is believed for 60 s of our own clock, however old KV's answer is.
const TRUST_MILLIS: i64 = 60_000;
/// The shortest that KV keeps anything.
const COPY_SECONDS: u32 = 60;

/// What a grant allows, at most 75 s old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What the person granted.
    pub granted: Scopes,
    /// What the person's role leaves of it.
    pub allowed: Scopes,
}

#[derive(Serialize, Deserialize)]
struct Copy {
    read_at: Timestamp,
    generation: i64,
    granted: i64,
    allowed: i64,
}

/// The grant's snapshot, from KV or else from its shard.
///
/// # Errors
/// [`Refusal::Unauthenticated`] when the grant is over; otherwise the shard's fault.
pub async fn snapshot(platform: &Platform<'_>, who: &Authenticated) -> Result<Snapshot, Refusal> {
    let Authority::Grant { grant_id, generation, .. } = &who.authority else {
        return Err(Refusal::Unauthenticated);
    };
    let key = key(&who.tenant.id, grant_id);
    let now = platform.now();
    if let Some(copy) = copy(platform, &key).await
        && copy.generation == *generation
        && (0..TRUST_MILLIS).contains(&now.millis_since(copy.read_at))
    {
        return Ok(Snapshot {
            granted: Scopes::from_bits(copy.granted),
            allowed: Scopes::from_bits(copy.allowed),
        });
    }
    let caller =
        Caller::new(*platform, who.tenant.clone(), who.authority.clone()).ok_or(Refusal::Unauthenticated)?;
    let facts = caller.facts().await?;
    let copy = Copy {
        read_at: now,
        generation: *generation,
        granted: facts.granted.bits(),
        allowed: facts.allowed.bits(),
    };
    if let Ok(text) = serde_json::to_string(&copy) {
        let _ = platform.key_value.put(&key, text, COPY_SECONDS).await;
    }
    Ok(Snapshot { granted: facts.granted, allowed: facts.allowed })
}

/// Drops a grant's copy. Readers elsewhere may see it a while longer, within its trust.
pub(super) async fn forget(platform: &Platform<'_>, tenant: &TenantId, grant: &GrantId) {
    let _ = platform.key_value.delete(&key(tenant, grant)).await;
}

fn key(tenant: &TenantId, grant: &GrantId) -> String {
    format!("grant/1/{tenant}/{grant}")
}

async fn copy(platform: &Platform<'_>, key: &str) -> Option<Copy> {
    let text = platform.key_value.get(key).await.ok()??;
    serde_json::from_str(&text).ok()
}
