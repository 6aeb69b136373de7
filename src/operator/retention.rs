//! Nothing grows for ever: applies the rules of what goes after how long.

use super::RULES;
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
    let due = RULES
        .iter()
        .filter(|rule| rule.sql.home == home)
        .map(|rule| rule.sql.with([now.plus_seconds(-rule.seconds).into()]))
        .collect();
    database.batch(due).await.map(drop)
}
