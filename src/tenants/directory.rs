//! From a name or an id to a tenant: this isolate's copy, over KV, over the directory.

use serde::{Deserialize, Serialize};

use super::store;
use crate::{
    desk::{Safename, Tenant, TenantId},
    platform::{DatabaseFault, FromRow, Platform, Row, RowFault, Statement, first, only},
};

/// An isolate believes its own copy for 15 s.
const COPY_SECONDS: i64 = 15;
/// KV holds a copy for a day. What it says never changes while the tenant lives; whether it lives, the gate asks.
const KV_SECONDS: u32 = 86_400;

/// What a tenant is looked up by.
#[derive(Clone, Copy)]
enum By<'a> {
    Safename(&'a Safename),
    Id(&'a TenantId),
}

impl By<'_> {
    /// The copies' key. Ids hold an underscore, which safenames cannot.
    fn key(self) -> String {
        let name = match self {
            Self::Safename(safename) => safename.as_str(),
            Self::Id(id) => id.as_str(),
        };
        format!("tenant/1/{name}")
    }

    fn statement(self) -> Statement {
        match self {
            Self::Safename(safename) => store::FIND_BY_SAFENAME.with([safename.into()]),
            Self::Id(id) => store::FIND_BY_ID.with([id.into()]),
        }
    }

    fn names(self, tenant: &Tenant) -> bool {
        match self {
            Self::Safename(safename) => tenant.safename == *safename,
            Self::Id(id) => tenant.id == *id,
        }
    }
}

/// A tenant as the copies hold it.
#[derive(Serialize, Deserialize)]
struct Kept {
    id: TenantId,
    safename: String,
    shard: i64,
}

impl Kept {
    fn write(tenant: &Tenant) -> String {
        serde_json::json!({ "id": tenant.id, "safename": tenant.safename, "shard": tenant.shard }).to_string()
    }

    fn read(text: &str, by: By<'_>) -> Option<Tenant> {
        let copy: Self = serde_json::from_str(text).ok()?;
        let tenant = Tenant { id: copy.id, safename: copy.safename.parse().ok()?, shard: copy.shard };
        by.names(&tenant).then_some(tenant)
    }
}

pub(super) struct TenantRow(pub(super) Tenant);

impl FromRow for TenantRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self(Tenant {
            id: row.get("tenant_id")?,
            safename: row.get("safename")?,
            shard: row.get("shard")?,
        }))
    }
}

/// The tenant of this name. The answer may be a copy: up to 15 s old here, over one in KV. No copy ever denies, and
/// whether the tenant still lives is the gate's to say.
///
/// # Errors
/// When no copy has it and the directory fails.
pub async fn find(platform: &Platform<'_>, safename: &Safename) -> Result<Option<Tenant>, DatabaseFault> {
    look_up(platform, By::Safename(safename)).await
}

/// The tenant with this id; see [`find`].
///
/// # Errors
/// When no copy has it and the directory fails.
pub async fn find_by_id(platform: &Platform<'_>, id: &TenantId) -> Result<Option<Tenant>, DatabaseFault> {
    look_up(platform, By::Id(id)).await
}

async fn look_up(platform: &Platform<'_>, by: By<'_>) -> Result<Option<Tenant>, DatabaseFault> {
    let key = by.key();
    let copied = platform.memory.recall(&key, platform.now());
    if let Some(tenant) = copied.and_then(|text| Kept::read(&text, by)) {
        return Ok(Some(tenant));
    }
    // A KV that fails, misses or lies is only slower.
    let stored = platform.key_value.get(&key).await.ok().flatten();
    if let Some(tenant) = stored.and_then(|text| Kept::read(&text, by)) {
        remember(platform, key, &tenant);
        return Ok(Some(tenant));
    }
    let rows = only(platform.directory, by.statement()).await?;
    let Some(TenantRow(tenant)) = first(&rows)? else {
        return Ok(None);
    };
    let _ = platform.key_value.put(&key, Kept::write(&tenant), KV_SECONDS).await;
    remember(platform, key, &tenant);
    Ok(Some(tenant))
}

fn remember(platform: &Platform<'_>, key: String, tenant: &Tenant) {
    platform.memory.keep(key, Kept::write(tenant), platform.now(), COPY_SECONDS);
}

/// Drops the copies of a tenant whose state has changed. Those of other isolates end by themselves.
pub(super) async fn forget(platform: &Platform<'_>, tenant: &Tenant) {
    for by in [By::Safename(&tenant.safename), By::Id(&tenant.id)] {
        let key = by.key();
        let _ = platform.key_value.delete(&key).await;
        platform.memory.forget(&key);
    }
}
