//! How the deployment is doing.

use serde::Serialize;

use super::{store, utc};
use crate::{
    delivery,
    platform::{Database, DatabaseFault, FromRow, Platform, Row, RowFault, first, only},
};

/// The whole deployment.
#[derive(Serialize)]
pub(super) struct Status {
    directory: DirectoryStatus,
    shards: Vec<ShardStatus>,
}

#[derive(Serialize)]
struct DirectoryStatus {
    schema_version: i64,
    /// Changes of tenants that were decided and not yet carried out.
    pending_changes: i64,
}

impl FromRow for DirectoryStatus {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { schema_version: row.get("version")?, pending_changes: row.get("pending")? })
    }
}

/// One shard. Times are RFC 3339 in UTC.
#[derive(Serialize)]
struct ShardStatus {
    shard: i64,
    answers: bool,
    schema_version: Option<i64>,
    /// Nothing until its first tick or hold.
    publishing: Option<Publishing>,
}

#[derive(Serialize)]
struct Publishing {
    last_good_tick: Option<String>,
    last_fault: Option<String>,
    oldest_due_delivery: Option<String>,
    unknown_outcomes: i64,
    held_since: Option<String>,
    held_why: Option<String>,
    /// It is behind what the directory knows: it is a copy from a backup.
    restored: bool,
}

impl From<delivery::ShardStatus> for Publishing {
    fn from(status: delivery::ShardStatus) -> Self {
        Self {
            last_good_tick: status.good_at.map(utc),
            last_fault: status.fault,
            oldest_due_delivery: status.oldest_due.map(utc),
            unknown_outcomes: status.unknown,
            held_since: status.held_since.map(utc),
            held_why: status.held_why,
            restored: status.epoch < status.known_epoch,
        }
    }
}

/// Asks the directory and every shard; a shard that does not answer is told as such.
pub(super) async fn status(platform: &Platform<'_>) -> Result<Status, DatabaseFault> {
    let rows = only(platform.directory, store::DIRECTORY_STATUS.with([])).await?;
    let directory = first(&rows)?
        .ok_or_else(|| DatabaseFault::Rejected("the directory does not tell its version".to_owned()))?;
    let mut shards = Vec::new();
    for (shard, database) in (0_i64..).zip(platform.shards) {
        shards.push(shard_status(platform, shard, *database).await);
    }
    Ok(Status { directory, shards })
}

async fn shard_status(platform: &Platform<'_>, shard: i64, database: &dyn Database) -> ShardStatus {
    let version = only(database, store::SHARD_VERSION.with([])).await;
    let publishing = delivery::status(platform, shard).await;
    ShardStatus {
        shard,
        answers: version.is_ok() && publishing.is_ok(),
        schema_version: version.ok().and_then(|rows| rows.first()?.get("version").ok()),
        publishing: publishing.ok().flatten().map(Publishing::from),
    }
}
