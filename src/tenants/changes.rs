//! Changes that both databases take part in: decided in the directory, carried out on the shard, struck out.
//!
//! Each change has a number; the shard carries out none that is older than what it already did, so that a worker that
//! was paused in the middle undoes nothing.

use super::{Registration, State, directory, founding::Founding, store};
use crate::{
    desk::{Act, Tenant, change_by_operator},
    platform::{DatabaseFault, FromRow, Platform, Row, RowFault, Statement, Timestamp, Value, first, only},
};

/// A deleted tenant can be had back for 30 days.
const GRACE_SECONDS: i64 = 30 * 86_400;
/// Most changes that one tick finishes.
const MOST: i64 = 50;

/// A tenant, and what it is made from while it is being made.
pub(super) struct Pending {
    pub(super) registration: Registration,
    pub(super) founding: Option<String>,
}

impl FromRow for Pending {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { registration: Registration::from_row(row)?, founding: row.get("founding")? })
    }
}

/// Carries out what was decided and cut short; gives how many changes. One that fails holds back no other.
///
/// # Errors
/// The first failure, after all were tried.
pub async fn finish_pending(platform: &Platform<'_>) -> Result<usize, DatabaseFault> {
    let rows = only(platform.directory, store::PENDING_CHANGES.with([MOST.into()])).await?;
    let mut finished = 0;
    let mut failed = None;
    for row in &rows {
        match carry_out(platform, &Pending::from_row(row)?).await {
            Ok(()) => finished += 1,
            Err(fault) => failed = failed.or(Some(fault)),
        }
    }
    failed.map_or(Ok(finished), Err)
}

/// Closes a tenant: its gate at once, and it is erased after 30 days. Gives when; nothing when it is not one that can
/// be closed. Closing it again gives the same.
///
/// # Errors
/// When a database fails; the tick finishes what was decided.
pub async fn close(
    platform: &Platform<'_>,
    registration: &Registration,
) -> Result<Option<Timestamp>, DatabaseFault> {
    let tenant = &registration.tenant;
    let end = platform.now().plus_seconds(GRACE_SECONDS);
    let decide = store::DECIDE_CLOSE.with([Value::from(&tenant.id), end.into()]);
    let decided = decided(platform, tenant, decide, State::Deleting).await?;
    Ok(decided.and_then(|registration| registration.delete_after))
}

/// Takes a deletion back within its grace; whether it is open now.
///
/// # Errors
/// When a database fails; the tick finishes what was decided.
pub async fn reopen(platform: &Platform<'_>, registration: &Registration) -> Result<bool, DatabaseFault> {
    let tenant = &registration.tenant;
    let decide = store::DECIDE_REOPEN.with([Value::from(&tenant.id), platform.now().into()]);
    Ok(decided(platform, tenant, decide, State::Active).await?.is_some())
}

/// Decides a change and carries it out, if the tenant then is in the state that was wanted.
async fn decided(
    platform: &Platform<'_>,
    tenant: &Tenant,
    decide: Statement,
    wanted: State,
) -> Result<Option<Registration>, DatabaseFault> {
    let batch = vec![decide, store::REGISTRATION.with([(&tenant.safename).into()])];
    let answers = platform.directory.batch(batch).await?;
    let found: Option<Pending> = answers.get(1).map(first).transpose()?.flatten();
    let Some(pending) = found.filter(|found| found.registration.state == wanted) else {
        return Ok(None);
    };
    carry_out(platform, &pending).await?;
    Ok(Some(pending.registration))
}

/// Does on the shard what the directory decided, then strikes it out. Doing it again changes nothing.
pub(super) async fn carry_out(
    platform: &Platform<'_>,
    Pending { registration, founding }: &Pending,
) -> Result<(), DatabaseFault> {
    let tenant = &registration.tenant;
    let shard = directory::shard_of(platform, tenant)?;
    let set_closed = |at: Option<Timestamp>| {
        store::SET_CLOSED.with([Value::from(&tenant.id), registration.step.into(), at.into()])
    };
    let audited = |name| change_by_operator(platform, &tenant.id, &Act { name, subjects: &[] });
    let mut in_directory = Vec::new();
    let on_shard = match registration.state {
        State::Creating => {
            let founding = Founding::read(founding.as_deref())?;
            in_directory.push(founding.in_directory(tenant));
            founding.on_shard(platform, tenant, registration.created_at)?
        }
        State::Deleting => vec![set_closed(Some(platform.now())), audited("operator_close_tenant")],
        State::Active => vec![set_closed(None), audited("operator_reopen_tenant")],
        State::Erasing | State::Deleted => return Ok(()),
    };
    shard.batch(on_shard).await?;
    in_directory.push(store::STRIKE_OUT.with([Value::from(&tenant.id), registration.step.into()]));
    platform.directory.batch(in_directory).await?;
    directory::forget(platform, tenant).await;
    Ok(())
}
