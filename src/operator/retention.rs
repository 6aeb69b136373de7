//! Nothing grows for ever: applies the rules of what goes after how long.

use super::{RULES, store};
use crate::platform::{Database, DatabaseFault, Home, Platform};

/// Deletes at most 500 rows by each rule in the directory and in every shard. A database that fails holds
/// back no other.
///
/// # Errors
/// The first failure, after every database was tried.
pub async fn retain(platform: &Platform<'_>) -> Result<(), DatabaseFault> {
    let mut result = apply(platform, platform.directory, Home::Directory).await;
    for shard in platform.shards {
        result = result.and(apply(platform, *shard, Home::Shard).await);
    }
    result
}

async fn apply(platform: &Platform<'_>, database: &dyn Database, home: Home) -> Result<(), DatabaseFault> {
    let now = platform.now();
    let due = RULES.iter().filter(|rule| rule.sql.home == home).flat_map(|rule| {
        let before = now.plus_seconds(-rule.seconds);
        let permit = (rule.table == "audit").then(|| store::MOVE_AUDIT_HORIZON.with([before.into()]));
        permit.into_iter().chain([rule.sql.with([before.into()])])
    });
    database.batch(due.collect()).await.map(drop)
}
