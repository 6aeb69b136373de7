//! What operators see of deliveries.

use serde::Serialize;

use super::{
    epoch::{KnownShard, shard_epoch},
    store::{self, directory},
};
use crate::platform::{DatabaseFault, Platform, Rows, Timestamp, first, only};

/// How publishing stands on a shard, for `/healthz` and `scripts/admin status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShardStatus {
    /// The shard.
    pub shard: i64,
    /// When the delivery that has waited longest should have been looked at.
    pub oldest_due: Option<Timestamp>,
    /// Outcomes that are unknown; 1000 stands for that or more.
    pub unknown: i64,
    /// The shard's own epoch.
    pub epoch: i64,
    /// The epoch that the directory knows. More than the shard's own: it was restored.
    pub known_epoch: i64,
    /// Since when it is on hold.
    pub held_since: Option<Timestamp>,
    /// Why it is on hold.
    pub held_why: Option<String>,
    /// When the last tick began.
    pub tick_started_at: Option<Timestamp>,
    /// When it ended; nothing while it runs, or when it died.
    pub tick_ended_at: Option<Timestamp>,
    /// When the last tick ended without a fault.
    pub good_at: Option<Timestamp>,
    /// What went wrong with the last tick.
    pub fault: Option<String>,
}

/// How publishing stands on a shard. Nothing when the directory does not know it yet.
///
/// # Errors
/// The databases'.
pub async fn status(platform: &Platform<'_>, shard: i64) -> Result<Option<ShardStatus>, DatabaseFault> {
    let Some(database) = platform.shard(shard) else { return Ok(None) };
    let known = only(platform.directory, directory::SHARD.with([shard.into()])).await?;
    let Some(known) = first::<KnownShard>(&known)? else { return Ok(None) };
    let looked = database
        .batch(vec![store::OLDEST_DUE.with([platform.now().into()]), store::COUNT_UNKNOWN.with([])])
        .await?;
    let number = |index: usize, column: &'static str| {
        looked.get(index).and_then(|rows: &Rows| rows.first()).map(|row| row.get::<i64>(column)).transpose()
    };
    Ok(Some(ShardStatus {
        shard,
        oldest_due: number(0, "next_at")?.map(Timestamp::from_millis),
        unknown: number(1, "unknown")?.unwrap_or(0),
        epoch: shard_epoch(database).await?,
        known_epoch: known.epoch,
        held_since: known.held_since,
        held_why: known.held_why,
        tick_started_at: known.tick_started_at,
        tick_ended_at: known.tick_ended_at,
        good_at: known.good_at,
        fault: known.fault,
    }))
}
