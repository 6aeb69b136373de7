//! Fan-out: with a queue bound the tick claims and hands out, and whoever gets an errand publishes; without one the tick
//! publishes itself. Both carry deliveries by the same code ([`super::engine`]), under the lease of the claim: an errand
//! that comes twice finds the token changed, and one that never comes is found by the lease's end.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    engine::{self, Budget, TickReport},
    trade::Trade,
};
use crate::platform::{Errand, Event, Platform, Timestamp};

/// Most errands that a queue takes at once.
const AT_ONCE: usize = 100;

/// What an errand is, in its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(super) enum Task {
    /// Do a tick of a shard. `cron`: in the place of the minute's own.
    Tick { shard: i64, cron: bool },
    /// Carry out what a claim took: it is found by the end of its lease and the fencing token, unless someone has begun.
    Publish { shard: i64, token: String, lease_ends: Timestamp, deliveries: Vec<Claim> },
}

/// A claimed delivery, for those who read the queue: its tenant, its id, and which claim in a row it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claim(pub String, pub String, pub i64);

impl Task {
    /// The errand that does it after so many seconds.
    pub(super) fn errand(&self, delay_seconds: u32) -> Errand {
        Errand { body: serde_json::to_string(self).unwrap_or_default(), delay_seconds }
    }
}

/// Hands errands over. Whether all were taken.
pub(super) async fn hand_out(platform: &Platform<'_>, errands: Vec<Errand>) -> bool {
    let Some(queue) = platform.queue else { return false };
    for portion in errands.chunks(AT_ONCE) {
        if queue.send(portion.to_vec()).await.is_err() {
            platform.events.emit(Event::Fault { place: "publish_queue", kind: "not_sent" });
            return false;
        }
    }
    true
}

/// The ticks that are to be done on the second, one for each second of `due`, none of them now.
pub(super) fn on_the_second(shard: i64, now: Timestamp, due: &[Timestamp]) -> Vec<Errand> {
    let seconds = |at: &Timestamp| u32::try_from((at.millis_since(now) + 999).div_euclid(1000)).unwrap_or(0);
    let delays: BTreeSet<u32> = due.iter().map(seconds).filter(|seconds| *seconds > 0).collect();
    delays.into_iter().map(|delay| Task::Tick { shard, cron: false }.errand(delay)).collect()
}

/// The minute's work of every shard. With a queue and several shards each is an errand of its own; what the queue does not
/// take is done here.
pub async fn minute(platform: &Platform<'_>, trade: &dyn Trade, shard: i64, budget: Budget) {
    let alone = platform.shards.len() <= 1;
    let errand = Task::Tick { shard, cron: true }.errand(0);
    if alone || !hand_out(platform, vec![errand]).await {
        engine::tick(platform, trade, shard, budget).await;
    }
}

/// Does an errand of the queue. Nothing when it is not one of ours: then nobody can do it.
pub async fn run_errand(
    platform: &Platform<'_>,
    trade: &dyn Trade,
    body: &str,
    budget: Budget,
) -> Option<TickReport> {
    Some(match serde_json::from_str::<Task>(body).ok()? {
        Task::Tick { shard, cron: true } => engine::tick(platform, trade, shard, budget).await,
        Task::Tick { shard, cron: false } => engine::tick_between(platform, trade, shard, budget).await,
        Task::Publish { shard, token, lease_ends, .. } => {
            engine::publish(platform, trade, shard, (token, lease_ends), budget).await
        }
    })
}
