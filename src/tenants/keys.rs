//! Wrapping the tenants' keys again under the current root key.

use super::store;
use crate::{
    desk::{Act, TenantId, change_by_operator},
    platform::{DatabaseFault, FromRow, Platform, Row, RowFault, Sealed, Value, only},
};

/// Most keys of a shard that one call wraps.
const PAGE: i64 = 100;

/// How far a rotation has come.
pub struct Rotation {
    /// Keys that this call wrapped again.
    pub done: i64,
    /// Keys that still are under another root key and can be wrapped.
    pub remaining: i64,
    /// Tenants whose key cannot be opened: their root key is retired or lost.
    pub lost: Vec<TenantId>,
}

struct KeyRow {
    tenant_id: TenantId,
    wrapped_key: Sealed,
}

impl FromRow for KeyRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { tenant_id: row.get("tenant_id")?, wrapped_key: row.get("wrapped_key")? })
    }
}

/// Wraps up to a page of every shard's keys again. What the keys seal is untouched. Call it until nothing remains.
///
/// # Errors
/// When a shard fails; what was wrapped stays so.
pub async fn rotate_keys(platform: &Platform<'_>) -> Result<Rotation, DatabaseFault> {
    let mut rotation = Rotation { done: 0, remaining: 0, lost: Vec::new() };
    for number in (0_i64..).zip(platform.shards).map(|(number, _)| number) {
        rotate_shard(platform, number, &mut rotation).await?;
    }
    Ok(rotation)
}

async fn rotate_shard(
    platform: &Platform<'_>,
    number: i64,
    rotation: &mut Rotation,
) -> Result<(), DatabaseFault> {
    let shard = super::directory::numbered(platform, number)?;
    let keys = &platform.config.keys;
    let mut after = String::new();
    let mut lost_here = 0;
    loop {
        let page = store::KEYS_TO_WRAP.with([keys.current_id().into(), after.as_str().into(), PAGE.into()]);
        let rows = only(shard, page).await?;
        let mut wraps = Vec::new();
        for row in &rows {
            let KeyRow { tenant_id, wrapped_key } = KeyRow::from_row(row)?;
            tenant_id.as_str().clone_into(&mut after);
            match keys.rewrap_tenant_key(tenant_id.as_str(), platform.entropy, &wrapped_key) {
                Ok(Some(new)) => {
                    wraps.push(store::WRAP_KEY.with([
                        Value::from(&tenant_id),
                        wrapped_key.into(),
                        new.into(),
                    ]));
                    let act = Act { name: "operator_rotate_key", subjects: &[keys.current_id()] };
                    wraps.push(change_by_operator(platform, &tenant_id, &act));
                    rotation.done += 1;
                }
                Ok(None) => {}
                Err(_) => {
                    lost_here += 1;
                    rotation.lost.push(tenant_id);
                }
            }
        }
        // A page of nothing but lost keys must not hide those behind it.
        if wraps.is_empty() && !rows.is_empty() {
            continue;
        }
        wraps.push(store::COUNT_KEYS_TO_WRAP.with([keys.current_id().into()]));
        let counted = shard.batch(wraps).await?;
        let left: i64 =
            counted.last().and_then(|rows| rows.first()).map_or(Ok(0), |row| row.get("tenants"))?;
        rotation.remaining += (left - lost_here).max(0);
        return Ok(());
    }
}
