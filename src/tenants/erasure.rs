//! The end of a tenant: all of its rows, files and people, in portions, until only its name is left.
//!
//! Like [`TABLES`], this knows tables of every room: erasing is about the schema, not about what the rows mean.

use super::{TABLES, directory, store};
use crate::{
    desk::{Tenant, UserId},
    platform::{BlobFault, DatabaseFault, Platform, Statement, Value, only},
};

/// Most rows of a table, and most files, that one run erases.
const PORTION: i64 = 500;
/// Most files that one run erases; each is a call.
const FILES: usize = 40;
/// Most tenants that one run works at.
const TENANTS: i64 = 3;

/// Erases a portion of every tenant whose grace is over; gives how many are finished. Run it again until there is
/// nothing to do.
///
/// # Errors
/// When a database or the blob store fails; what was erased stays so.
pub async fn delete_due(platform: &Platform<'_>) -> Result<usize, DatabaseFault> {
    let now = Value::from(platform.now());
    let batch = vec![store::BEGIN_ERASING.with([now.clone()]), store::ERASING.with([now, TENANTS.into()])];
    let answers = platform.directory.batch(batch).await?;
    let mut finished = 0;
    for row in answers.get(1).into_iter().flatten() {
        let tenant = directory::read_tenant(row)?;
        if erase_portion(platform, &tenant).await? {
            finished += 1;
        }
    }
    Ok(finished)
}

/// Whether nothing but the name is left.
async fn erase_portion(platform: &Platform<'_>, tenant: &Tenant) -> Result<bool, DatabaseFault> {
    // Files first: once the rows are gone, nothing else tells whose they were.
    if !erase_files(platform, tenant).await? || !erase_rows(platform, tenant).await? {
        return Ok(false);
    }
    if !erase_people(platform, tenant).await? {
        return Ok(false);
    }
    only(platform.directory, store::END_ERASING.with([Value::from(&tenant.id)])).await?;
    directory::forget(platform, tenant).await;
    Ok(true)
}

async fn erase_files(platform: &Platform<'_>, tenant: &Tenant) -> Result<bool, DatabaseFault> {
    let unreachable = |BlobFault(why)| DatabaseFault::Unknown(why);
    let keys = platform.blobs.list(&format!("{}/", tenant.id), FILES).await.map_err(unreachable)?;
    for key in &keys {
        platform.blobs.delete(key).await.map_err(unreachable)?;
    }
    Ok(keys.len() < FILES)
}

/// Erases a portion of the first table that has rows; those that refer to others come first.
async fn erase_rows(platform: &Platform<'_>, tenant: &Tenant) -> Result<bool, DatabaseFault> {
    let shard = directory::shard_of(platform, tenant)?;
    for table in TABLES {
        let erased = only(shard, table.erase.with([Value::from(&tenant.id), PORTION.into()])).await?;
        if is_full(erased.len()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Erases the people who were in this tenant only, then the pointers of all others.
async fn erase_people(platform: &Platform<'_>, tenant: &Tenant) -> Result<bool, DatabaseFault> {
    let find = store::ONLY_HERE.with([Value::from(&tenant.id), PORTION.into()]);
    let rows = only(platform.directory, find).await?;
    let people = rows.iter().map(|row| row.get("user_id")).collect::<Result<Vec<UserId>, _>>()?;
    let list = || Value::from(serde_json::json!(people).to_string());
    let batch: Vec<Statement> = vec![
        store::FORGET_SESSIONS.with([list()]),
        store::FORGET_LINKS.with([list()]),
        store::FORGET_QUEUED_ACTS.with([Value::from(&tenant.id), list()]),
        store::FORGET_PASSKEYS.with([list()]),
        store::FORGET_IDENTITIES.with([list()]),
        store::FORGET_POINTERS.with([Value::from(&tenant.id), list()]),
        store::FORGET_PEOPLE.with([list()]),
        store::UNPOINT.with([Value::from(&tenant.id), PORTION.into()]),
        store::UNLINK_TENANT.with([Value::from(&tenant.id), PORTION.into()]),
        store::END_TENANT_SESSIONS.with([Value::from(&tenant.id), PORTION.into()]),
    ];
    let answers = platform.directory.batch(batch).await?;
    let others = answers.iter().any(|rows| is_full(rows.len()));
    Ok(!is_full(people.len()) && !others)
}

fn is_full(rows: usize) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows >= PORTION)
}
