//! Epochs: how a shard that was restored from a backup is known, and held until what may have gone out since is in doubt.
//!
//! The shard and the directory each keep an epoch of the shard. Every tick advances it before anything is armed, and
//! again after it armed something; each time in the shard first and in the directory then, so that the directory is
//! never ahead of a shard that was not restored. A copy of the shard from before something went out is therefore behind
//! the directory, at the latest from the next tick on.
//!
//! Between the two databases a process can stop at any point:
//! * after the shard's write: the shard is ahead, which is as good as equal; nothing was armed yet in that epoch.
//! * after the directory's: both agree. What was armed is found by its lease.
//! * while holding: the hold stands in one row and is set once.
//! * while releasing: the hold is the last thing to go, and everything before it can be done again.

use super::{
    model::cut,
    store::{self, directory},
};
use crate::platform::{Database, DatabaseFault, FromRow, Platform, Row, RowFault, Timestamp, first, only};

const RESTORED: &str = "The shard is behind the directory: it was restored from a backup.";
/// Deliveries put in doubt by one statement.
const DOUBTED_AT_ONCE: i64 = 1000;

/// What a release did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// The shard was not on hold.
    NotHeld,
    /// It was on hold, and is as it was: it goes on.
    Resumed,
    /// It had been restored: so many deliveries are looked up before anything is sent.
    Doubted(u64),
}

/// Puts a shard on hold: its ticks send nothing until [`release`]. A hold that stands stays as it is.
///
/// # Errors
/// The directory's.
pub async fn hold(platform: &Platform<'_>, shard: i64, why: &str) -> Result<(), DatabaseFault> {
    let statements = vec![
        directory::KNOW_SHARD.with([shard.into()]),
        directory::HOLD.with([shard.into(), platform.now().into(), cut(why, 500).into()]),
    ];
    platform.directory.batch(statements).await.map(drop)
}

/// Ends a hold. Where the shard had been restored, everything that may have gone out since the copy was made becomes
/// unknown first, and is looked up before it is sent. Can be repeated after a fault.
///
/// # Errors
/// The databases'; the hold then stands.
pub async fn release(platform: &Platform<'_>, shard: i64) -> Result<Release, DatabaseFault> {
    let Some(database) = platform.shard(shard) else {
        return Err(DatabaseFault::Rejected("no such shard".to_owned()));
    };
    let known = only(platform.directory, directory::SHARD.with([shard.into()])).await?;
    let Some(known) = first::<KnownShard>(&known)?.filter(|known| known.held_why.is_some()) else {
        return Ok(Release::NotHeld);
    };
    let restored = shard_epoch(database).await? < known.epoch;
    let doubted = if restored { doubt_everything_open(platform, database).await? } else { 0 };
    if restored {
        let raised = vec![
            store::DOUBT_SETTLED.with([]),
            store::RAISE_EPOCH.with([known.epoch.into()]),
            store::ADVANCE_EPOCH.with([known.epoch.into()]),
        ];
        database.batch(raised).await?;
    }
    let epoch = shard_epoch(database).await?;
    only(platform.directory, directory::LIFT_HOLD.with([shard.into(), epoch.into()])).await?;
    Ok(if restored { Release::Doubted(doubted) } else { Release::Resumed })
}

async fn doubt_everything_open(
    platform: &Platform<'_>,
    database: &dyn Database,
) -> Result<u64, DatabaseFault> {
    let mut doubted = 0;
    loop {
        let doubt = store::DOUBT_OPEN.with([platform.now().into(), DOUBTED_AT_ONCE.into()]);
        match only(database, doubt).await?.len() {
            0 => return Ok(doubted),
            some => doubted += some as u64,
        }
    }
}

/// The shard's own epoch.
pub(super) async fn shard_epoch(database: &dyn Database) -> Result<i64, DatabaseFault> {
    let rows = only(database, store::EPOCH.with([])).await?;
    first::<EpochRow>(&rows)?.map(|row| row.0).ok_or_else(no_epoch)
}

/// Whether a tick may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It may, in this epoch.
    Open(i64),
    /// The shard is on hold.
    Held(String),
}

/// Advances the epoch in both databases, given what the directory knew before. A shard that turns out to be behind the
/// directory is put on hold: the directory is read first and is never ahead, so that what moves on in between is no
/// false alarm.
pub(super) async fn advance(
    platform: &Platform<'_>,
    shard: i64,
    database: &dyn Database,
    known: &KnownShard,
) -> Result<Standing, DatabaseFault> {
    if let Some(why) = &known.held_why {
        return Ok(Standing::Held(why.clone()));
    }
    let rows = only(database, store::ADVANCE_EPOCH.with([known.epoch.into()])).await?;
    let Some(EpochRow(epoch)) = first(&rows)? else { return hold_restored(platform, shard).await };
    let raised = platform
        .directory
        .batch(vec![
            directory::RAISE_EPOCH.with([shard.into(), epoch.into()]),
            directory::SHARD.with([shard.into()]),
        ])
        .await?;
    let known = raised.get(1).map(first::<KnownShard>).transpose()?.flatten().ok_or_else(no_epoch)?;
    match known.held_why {
        Some(why) => Ok(Standing::Held(why)),
        // Another tick may have gone further; then the shard did so before the directory.
        None if known.epoch > epoch && shard_epoch(database).await? < known.epoch => {
            hold_restored(platform, shard).await
        }
        None => Ok(Standing::Open(epoch)),
    }
}

async fn hold_restored(platform: &Platform<'_>, shard: i64) -> Result<Standing, DatabaseFault> {
    hold(platform, shard, RESTORED).await?;
    Ok(Standing::Held(RESTORED.to_owned()))
}

fn no_epoch() -> DatabaseFault {
    DatabaseFault::Rejected("the shard has no epoch".to_owned())
}

/// A shard's epoch, read.
struct EpochRow(i64);

impl FromRow for EpochRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        row.get("epoch").map(Self)
    }
}

/// What the directory knows of a shard.
#[derive(Clone, Debug)]
pub(super) struct KnownShard {
    pub epoch: i64,
    pub held_since: Option<Timestamp>,
    pub held_why: Option<String>,
    pub tick_started_at: Option<Timestamp>,
    pub tick_ended_at: Option<Timestamp>,
    pub good_at: Option<Timestamp>,
    pub fault: Option<String>,
}

impl FromRow for KnownShard {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            epoch: row.get("epoch")?,
            held_since: row.get("held_since")?,
            held_why: row.get("held_why")?,
            tick_started_at: row.get("started_at")?,
            tick_ended_at: row.get("ended_at")?,
            good_at: row.get("good_at")?,
            fault: row.get("fault")?,
        })
    }
}
