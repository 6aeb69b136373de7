//! From a name or an id to a tenant: this isolate's copy, over KV, over the directory.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Registration, store};
use crate::{
    desk::{Safename, Tenant, TenantId},
    platform::{Database, DatabaseFault, FromRow, Platform, Row, RowFault, Statement, first, only},
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

/// Reads a tenant's id, name and shard.
pub(super) fn read_tenant(row: &Row) -> Result<Tenant, RowFault> {
    Ok(Tenant { id: row.get("tenant_id")?, safename: row.get("safename")?, shard: row.get("shard")? })
}

struct Found(Tenant);

impl FromRow for Found {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        read_tenant(row).map(Self)
    }
}

impl FromRow for Registration {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            tenant: read_tenant(row)?,
            state: row.get("state")?,
            created_at: row.get("created_at")?,
            delete_after: row.get("delete_after")?,
            step: row.get("step")?,
        })
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

/// The tenant with this id, even one that is closed and can be had back, read from the directory itself.
///
/// # Errors
/// When the directory fails.
pub async fn find_even_closed(
    platform: &Platform<'_>,
    id: &TenantId,
) -> Result<Option<Tenant>, DatabaseFault> {
    let rows = only(platform.directory, store::FIND_EVEN_CLOSED.with([id.into()])).await?;
    Ok(first(&rows)?.map(|Found(tenant)| tenant))
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
    let Some(Found(tenant)) = first(&rows)? else {
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

/// The tenant of this name in whatever state, read from the directory itself.
///
/// # Errors
/// When the directory fails.
pub async fn registration(
    platform: &Platform<'_>,
    safename: &Safename,
) -> Result<Option<Registration>, DatabaseFault> {
    first(&only(platform.directory, store::REGISTRATION.with([safename.into()])).await?)
}

/// A tenant in a list for the operator.
pub struct Listed {
    /// What the directory has.
    pub registration: Registration,
    /// Its display name and its owner's address, as long as its shard has them.
    pub description: Option<Description>,
}

/// What a tenant's shard says of it.
#[derive(Clone)]
pub struct Description {
    /// Its display name.
    pub name: String,
    /// The e-mail address of the owner of longest standing.
    pub owner_email: Option<String>,
}

struct Described {
    id: TenantId,
    description: Description,
}

impl FromRow for Described {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let description = Description { name: row.get("name")?, owner_email: row.get("owner_email")? };
        Ok(Self { id: row.get("tenant_id")?, description })
    }
}

/// Tenants in any state by safename, from the one after `after`; at most `limit`.
///
/// # Errors
/// When a database fails.
pub async fn list(platform: &Platform<'_>, after: &str, limit: i64) -> Result<Vec<Listed>, DatabaseFault> {
    let rows = only(platform.directory, store::LIST_TENANTS.with([after.into(), limit.into()])).await?;
    let found = rows.iter().map(Registration::from_row).collect::<Result<Vec<_>, _>>()?;
    let mut described = Vec::new();
    for (shard, tenants) in by_shard(found.iter().map(|found| found.tenant.clone()).collect()) {
        let ids: Vec<&TenantId> = tenants.iter().map(|tenant| &tenant.id).collect();
        let describe = store::DESCRIBE_TENANTS.with([serde_json::json!(ids).to_string().into()]);
        for row in only(numbered(platform, shard)?, describe).await? {
            described.push(Described::from_row(&row)?);
        }
    }
    let description_of = |id: &TenantId| {
        described.iter().find(|described| described.id == *id).map(|described| described.description.clone())
    };
    Ok(found
        .into_iter()
        .map(|registration| Listed { description: description_of(&registration.tenant.id), registration })
        .collect())
}

/// The database of a tenant's shard.
pub(super) fn shard_of<'a>(
    platform: &Platform<'a>,
    tenant: &Tenant,
) -> Result<&'a dyn Database, DatabaseFault> {
    numbered(platform, tenant.shard)
}

/// The database of a shard.
pub(super) fn numbered<'a>(platform: &Platform<'a>, shard: i64) -> Result<&'a dyn Database, DatabaseFault> {
    platform.shard(shard).ok_or_else(|| DatabaseFault::Rejected(format!("shard {shard} is not bound")))
}

/// Tenants by the number of their shard.
pub(super) fn by_shard(tenants: Vec<Tenant>) -> BTreeMap<i64, Vec<Tenant>> {
    let mut shards: BTreeMap<i64, Vec<Tenant>> = BTreeMap::new();
    for tenant in tenants {
        shards.entry(tenant.shard).or_default().push(tenant);
    }
    shards
}
