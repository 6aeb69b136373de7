//! What a grant allowed a short while ago: for answers that touch no database, such as discovery, a list of tools or a
//! challenge.

use serde::{Deserialize, Serialize};

use super::Authenticated;
use crate::{
    desk::{Authority, Caller, GrantId, Refusal, Scopes, Selection, Tenant, TenantId},
    platform::{Platform, Timestamp},
};

/// A copy is believed for 60 s of our own clock, however old KV's answer is.
const TRUST_MILLIS: i64 = 60_000;
/// The shortest that KV keeps anything.
const COPY_SECONDS: u32 = 60;
/// An isolate keeps its own for 15 s, so that nothing said here is older than 75 s.
const MEMORY_SECONDS: i64 = 15;

/// What a grant allows, at most 75 s old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What the person's role allows, whatever was granted.
    pub by_role: Scopes,
    /// What the role leaves of what was granted.
    pub allowed: Scopes,
    /// Which tools the grant was narrowed to.
    pub selection: Selection,
}

#[derive(Serialize, Deserialize)]
struct Copy {
    read_at: Timestamp,
    generation: i64,
    by_role: i64,
    allowed: i64,
    selection: i64,
}

impl Copy {
    fn says(&self) -> Snapshot {
        Snapshot {
            by_role: Scopes::from_bits(self.by_role),
            allowed: Scopes::from_bits(self.allowed),
            selection: Selection::from_bits(self.selection),
        }
    }
}

/// The grant's snapshot: from this isolate's memory, from KV, or else from its shard. A miss is never a denial.
///
/// # Errors
/// [`Refusal::Unauthenticated`] when the grant is over; otherwise the shard's fault.
pub async fn snapshot(platform: &Platform<'_>, who: &Authenticated) -> Result<Snapshot, Refusal> {
    let (grant_id, generation, authority) = whole_grant(&who.authority).ok_or(Refusal::Unauthenticated)?;
    let key = key(&who.tenant.id, grant_id);
    let now = platform.now();
    let own = platform.memory.recall(&key, now).and_then(|text| serde_json::from_str::<Copy>(&text).ok());
    if let Some(copy) = own.filter(|copy| copy.generation == generation) {
        return Ok(copy.says());
    }
    let copy = match distant_copy(platform, &key).await.filter(|copy| copy.generation == generation) {
        Some(copy) if (0..TRUST_MILLIS).contains(&now.millis_since(copy.read_at)) => copy,
        _ => {
            let copy = read(platform, &who.tenant, generation, authority).await?;
            if let Ok(text) = serde_json::to_string(&copy) {
                let _ = platform.key_value.put(&key, text, COPY_SECONDS).await;
            }
            copy
        }
    };
    if let Ok(text) = serde_json::to_string(&copy) {
        platform.memory.keep(key, text, now, MEMORY_SECONDS);
    }
    Ok(copy.says())
}

/// The grant behind a token, and the authority of all of it: a copy serves every token of the grant.
fn whole_grant(authority: &Authority) -> Option<(&GrantId, i64, Authority)> {
    let mut whole = authority.clone();
    if let Authority::Grant { scopes, .. } = &mut whole {
        *scopes = Scopes::EVERY;
    }
    match authority {
        Authority::Grant { grant_id, generation, .. } => Some((grant_id, *generation, whole)),
        Authority::Member { .. } => None,
    }
}

async fn read(
    platform: &Platform<'_>,
    tenant: &Tenant,
    generation: i64,
    authority: Authority,
) -> Result<Copy, Refusal> {
    let read_at = platform.now();
    let caller = Caller::new(*platform, tenant.clone(), authority).ok_or(Refusal::Unauthenticated)?;
    let facts = caller.facts().await?;
    Ok(Copy {
        read_at,
        generation,
        by_role: facts.by_role.bits(),
        allowed: facts.allowed.bits(),
        selection: facts.selection.bits(),
    })
}

/// Drops a grant's copy. Readers elsewhere may see it a while longer, within its trust.
pub(super) async fn forget(platform: &Platform<'_>, tenant: &TenantId, grant: &GrantId) {
    let key = key(tenant, grant);
    platform.memory.forget(&key);
    let _ = platform.key_value.delete(&key).await;
}

fn key(tenant: &TenantId, grant: &GrantId) -> String {
    format!("grant/2/{tenant}/{grant}")
}

async fn distant_copy(platform: &Platform<'_>, key: &str) -> Option<Copy> {
    let text = platform.key_value.get(key).await.ok()??;
    serde_json::from_str(&text).ok()
}
