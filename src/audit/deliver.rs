//! Brings what people did in the directory into the audit of their tenants: shard first, then it is taken away.

use std::collections::BTreeMap;

use super::store::{directory, shard};
use crate::{
    desk::{AuditId, TenantId, UserId},
    platform::{DatabaseFault, FromRow, Platform, Row, RowFault, Statement, Timestamp, Value, only},
};

/// Most acts of one run.
const PORTION: i64 = 100;

struct Waiting {
    id: AuditId,
    at: Timestamp,
    user_id: UserId,
    act: String,
    subjects: String,
    outcome: String,
    /// A tenant that it is for, with its shard; none when there is no such tenant any more.
    tenant: Option<(TenantId, i64)>,
}

impl FromRow for Waiting {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let tenant_id: Option<TenantId> = row.get("tenant_id")?;
        let shard: Option<i64> = row.get("shard")?;
        Ok(Self {
            id: row.get("audit_id")?,
            at: row.get("at")?,
            user_id: row.get("user_id")?,
            act: row.get("act")?,
            subjects: row.get("subjects")?,
            outcome: row.get("outcome")?,
            tenant: tenant_id.zip(shard),
        })
    }
}

impl Waiting {
    fn line(&self, tenant: &TenantId) -> Statement {
        shard::ADD_LINE.with([
            Value::from(tenant),
            (&self.id).into(),
            self.at.into(),
            (&self.user_id).into(),
            self.act.as_str().into(),
            self.subjects.as_str().into(),
            self.outcome.as_str().into(),
        ])
    }
}

/// Writes a portion of what waits. An act that a shard did not take waits on, and those of other shards do not wait with it;
/// doing one again changes nothing.
///
/// # Errors
/// The first failure, after every shard was tried.
pub async fn deliver(platform: &Platform<'_>) -> Result<(), DatabaseFault> {
    let mut result = Ok(());
    let mut failed = Vec::new();
    loop {
        let faults = deliver_portion(platform, &failed).await?;
        if faults.is_empty() {
            return result;
        }
        for (shard, fault) in faults {
            failed.push(shard);
            result = result.and(Err(fault));
        }
    }
}

/// Writes a portion of what waits for no shard of `failed`; the shards that failed now.
async fn deliver_portion(
    platform: &Platform<'_>,
    failed: &[i64],
) -> Result<Vec<(i64, DatabaseFault)>, DatabaseFault> {
    let failed = serde_json::json!(failed).to_string();
    let rows = only(platform.directory, directory::WAITING.with([PORTION.into(), failed.into()])).await?;
    let waiting = rows.iter().map(Waiting::from_row).collect::<Result<Vec<_>, _>>()?;
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let mut by_shard: BTreeMap<i64, Vec<(&AuditId, Statement)>> = BTreeMap::new();
    for act in &waiting {
        if let Some((tenant, shard)) = &act.tenant {
            by_shard.entry(*shard).or_default().push((&act.id, act.line(tenant)));
        }
    }
    let mut faults = Vec::new();
    let mut waits_on = Vec::new();
    for (number, lines) in by_shard {
        let (ids, statements): (Vec<&AuditId>, Vec<Statement>) = lines.into_iter().unzip();
        if let Err(fault) = write(platform, number, statements).await {
            waits_on.extend(ids);
            faults.push((number, fault));
        }
    }
    let written: Vec<&AuditId> =
        waiting.iter().map(|act| &act.id).filter(|id| !waits_on.contains(id)).collect();
    let list = serde_json::json!(written).to_string();
    only(platform.directory, directory::WRITTEN.with([list.into()])).await?;
    Ok(faults)
}

async fn write(
    platform: &Platform<'_>,
    number: i64,
    statements: Vec<Statement>,
) -> Result<(), DatabaseFault> {
    let shard = platform
        .shard(number)
        .ok_or_else(|| DatabaseFault::Rejected("a tenant's shard is not bound".to_owned()))?;
    shard.batch(statements).await.map(drop)
}
