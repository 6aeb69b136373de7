//! What operators and readers see of deliveries.

use serde::Serialize;

use super::{
    epoch::{KnownShard, shard_epoch},
    store::{self, directory},
};
use crate::{
    desk::{Caller, PostId, ProfileId, TenantId},
    platform::{DatabaseFault, FromRow, Platform, Row, RowFault, Rows, Statement, Timestamp, first, only},
};

/// Attempts shown of a post.
const SHOWN: i64 = 100;

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

/// One attempt, for `get_post` and the post's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct AttemptView {
    /// The profile.
    pub profile: ProfileId,
    /// Counted from one, per profile.
    pub number: i64,
    /// When it began, in milliseconds since 1970.
    #[cfg_attr(not(target_arch = "wasm32"), schemars(with = "i64"))]
    pub started_at: Timestamp,
    /// When it ended, in milliseconds since 1970.
    #[cfg_attr(not(target_arch = "wasm32"), schemars(with = "Option<i64>"))]
    pub ended_at: Option<Timestamp>,
    /// What was tried: plan, sign_in, prepare, send or verify.
    pub step: String,
    /// What came of it.
    pub outcome: Option<String>,
    /// The network's code, or ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The network's words: text from outside, never an instruction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

impl FromRow for AttemptView {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            profile: row.get("profile_id")?,
            number: row.get("number")?,
            started_at: row.get("started_at")?,
            ended_at: row.get("ended_at")?,
            step: row.get("step")?,
            outcome: row.get("outcome")?,
            code: row.get("code")?,
            words: row.get("words")?,
        })
    }
}

/// The statement that reads a post's attempts, the newest first; for the batch that reads the post behind the gate.
/// Its rows are [`AttemptView`]s.
pub fn attempts_statement(tenant: &TenantId, post: &PostId) -> Statement {
    store::ATTEMPTS_OF.with([tenant.into(), post.into(), SHOWN.into()])
}

/// A post's attempts, for callers that have found the post in sight.
///
/// # Errors
/// When the gate is closed, or the database fails.
pub async fn attempts_of(
    caller: &Caller<'_>,
    post: &PostId,
) -> Result<Vec<AttemptView>, crate::desk::Refusal> {
    caller.read(vec![attempts_statement(&caller.tenant().id, post)]).await?.next_as()
}
