//! How the deployment is doing.

use serde::Serialize;

use super::{store, utc};
use crate::platform::{DatabaseFault, FromRow, Platform, Row, RowFault, Timestamp, first, only};

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

/// One shard. Times are RFC 3339 in UTC.
#[derive(Serialize)]
struct ShardStatus {
    shard: i64,
    /// Nothing when the shard does not answer.
    schema_version: Option<i64>,
    last_good_tick: Option<String>,
    last_fault: Option<String>,
    oldest_due_delivery: Option<String>,
    unknown_outcomes: Option<i64>,
    held_since: Option<String>,
    held_why: Option<String>,
}

impl FromRow for DirectoryStatus {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { schema_version: row.get("version")?, pending_changes: row.get("pending")? })
    }
}

struct Known {
    shard: i64,
    held_since: Option<Timestamp>,
    held_why: Option<String>,
}

impl FromRow for Known {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            shard: row.get("shard")?,
            held_since: row.get("held_since")?,
            held_why: row.get("held_why")?,
        })
    }
}

struct Tick {
    shard: i64,
    good_at: Option<Timestamp>,
    fault: Option<String>,
}

impl FromRow for Tick {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { shard: row.get("shard")?, good_at: row.get("good_at")?, fault: row.get("fault")? })
    }
}

struct Work {
    version: i64,
    oldest_due: Option<Timestamp>,
    unknown: i64,
}

impl FromRow for Work {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            version: row.get("version")?,
            oldest_due: row.get("oldest_due")?,
            unknown: row.get("unknown")?,
        })
    }
}

/// Asks the directory and every shard; a shard that does not answer is told as such.
pub(super) async fn status(platform: &Platform<'_>) -> Result<Status, DatabaseFault> {
    let batch = vec![store::DIRECTORY_STATUS.with([]), store::KNOWN_SHARDS.with([]), store::TICKS.with([])];
    let mut answers = platform.directory.batch(batch).await?.into_iter();
    let mut next = || answers.next().unwrap_or_default();
    let directory = first(&next())?
        .ok_or_else(|| DatabaseFault::Rejected("the directory has no schema version".to_owned()))?;
    let known = next().iter().map(Known::from_row).collect::<Result<Vec<_>, _>>()?;
    let ticks = next().iter().map(Tick::from_row).collect::<Result<Vec<_>, _>>()?;
    let mut shards = Vec::new();
    for (shard, database) in (0_i64..).zip(platform.shards) {
        let asked = only(*database, store::SHARD_STATUS.with([platform.now().into()])).await;
        let work: Option<Work> = asked.ok().and_then(|rows| first(&rows).ok().flatten());
        let hold = known.iter().find(|known| known.shard == shard);
        let tick = ticks.iter().find(|tick| tick.shard == shard);
        shards.push(ShardStatus {
            shard,
            schema_version: work.as_ref().map(|work| work.version),
            oldest_due_delivery: work.as_ref().and_then(|work| work.oldest_due).map(utc),
            unknown_outcomes: work.as_ref().map(|work| work.unknown),
            last_good_tick: tick.and_then(|tick| tick.good_at).map(utc),
            last_fault: tick.and_then(|tick| tick.fault.clone()),
            held_since: hold.and_then(|hold| hold.held_since).map(utc),
            held_why: hold.and_then(|hold| hold.held_why.clone()),
        });
    }
    Ok(Status { directory, shards })
}
