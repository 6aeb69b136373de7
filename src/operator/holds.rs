//! Holding a shard: nothing is sent from it until it is released.

use super::store;
use crate::platform::{DatabaseFault, Platform, only};

/// Holds a shard, and says why. One that is held already keeps its time and gets the new reason.
///
/// # Errors
/// When the directory fails.
pub async fn hold_shard(platform: &Platform<'_>, shard: i64, reason: &str) -> Result<(), DatabaseFault> {
    let hold = store::HOLD_SHARD.with([shard.into(), platform.now().into(), reason.into()]);
    only(platform.directory, hold).await.map(drop)
}

/// Releases a shard.
///
/// # Errors
/// When the directory fails.
pub async fn release_shard(platform: &Platform<'_>, shard: i64) -> Result<(), DatabaseFault> {
    only(platform.directory, store::RELEASE_SHARD.with([shard.into()])).await.map(drop)
}
