//! Lines of the audit: who did what, when, and what came of it. Each is a statement of the act's own batch.
//!
//! A line holds ids and names of acts and never a secret or what somebody wrote. Reading is the audit room's.

use super::{AuditId, Authority, TenantId, UserId, store};
use crate::platform::{Platform, Sql, Statement, Value};

/// What an act is called in the audit, and what it touched.
pub struct Act<'a> {
    /// The tool's or page's name.
    pub name: &'static str,
    /// Ids of what was touched.
    pub subjects: &'a [&'a str],
}

const DONE: &str = "done";

/// A refusal is written down once in so many seconds for the same caller, act and reason: whoever asks in a loop fills
/// no database.
const SAME_REFUSAL_SECONDS: i64 = 60;

impl Act<'_> {
    fn subjects(&self) -> Value {
        serde_json::json!(self.subjects).to_string().into()
    }
}

/// A caller's act that is carried out in the same batch.
pub(super) fn act_of(
    platform: &Platform<'_>,
    tenant: &TenantId,
    authority: &Authority,
    act: &Act<'_>,
) -> Statement {
    line(platform, store::AUDIT_ACT, tenant, Some(authority), act, DONE)
}

/// A caller's act, only if the statement before it changed anything.
pub fn change_by(
    platform: &Platform<'_>,
    tenant: &TenantId,
    authority: &Authority,
    act: &Act<'_>,
) -> Statement {
    line(platform, store::AUDIT_CHANGE, tenant, Some(authority), act, DONE)
}

/// A caller's act that was refused. `outcome`: a code that says why.
pub(super) fn refusal_of(
    platform: &Platform<'_>,
    tenant: &TenantId,
    authority: &Authority,
    act: &Act<'_>,
    outcome: &'static str,
) -> Statement {
    repeatable(platform, line(platform, store::AUDIT_REFUSAL, tenant, Some(authority), act, outcome))
}

/// A refusal with the time since when the same one is not written again.
fn repeatable(platform: &Platform<'_>, mut refusal: Statement) -> Statement {
    let since = platform.now().plus_seconds(-SAME_REFUSAL_SECONDS);
    refusal.parameters.push(AuditId::earliest(since).into());
    refusal
}

/// A refusal of somebody who is not known, with a code that says why.
pub fn refusal_of_stranger(
    platform: &Platform<'_>,
    tenant: &TenantId,
    act: &Act<'_>,
    outcome: &str,
) -> Statement {
    repeatable(platform, line(platform, store::AUDIT_REFUSAL, tenant, None, act, outcome))
}

/// An operator's act on a tenant, for a batch of its shard.
pub fn act_of_operator(platform: &Platform<'_>, tenant: &TenantId, act: &Act<'_>) -> Statement {
    line(platform, store::AUDIT_ACT, tenant, None, act, DONE)
}

/// The same, only if the statement before it changed anything.
pub fn change_by_operator(platform: &Platform<'_>, tenant: &TenantId, act: &Act<'_>) -> Statement {
    line(platform, store::AUDIT_CHANGE, tenant, None, act, DONE)
}

fn line(
    platform: &Platform<'_>,
    sql: Sql,
    tenant: &TenantId,
    authority: Option<&Authority>,
    act: &Act<'_>,
    outcome: &str,
) -> Statement {
    let (person, client, grant) = match authority {
        Some(Authority::Grant { user_id, client_id, grant_id, .. }) => {
            (user_id.into(), client_id.as_str().into(), grant_id.into())
        }
        Some(Authority::Member { user_id }) => (user_id.into(), Value::Null, Value::Null),
        None => (Value::Null, Value::Null, Value::Null),
    };
    let now = platform.now();
    sql.with([
        Value::from(tenant),
        AuditId::new(now, platform.entropy).into(),
        now.into(),
        person,
        client,
        grant,
        act.name.into(),
        act.subjects(),
        outcome.into(),
    ])
}

/// A person's act in the directory, for the audit of `tenant` or of all the person's tenants, if the statement before it
/// changed anything.
pub fn change_by_person(
    platform: &Platform<'_>,
    person: &UserId,
    tenant: Option<&TenantId>,
    act: &Act<'_>,
) -> Statement {
    queued(platform, store::directory::QUEUE_CHANGE, person.into(), tenant, act, DONE)
}

/// What was refused to whoever wanted to act as this person. `outcome`: a code that says why.
pub fn refusal_of_person(
    platform: &Platform<'_>,
    person: &UserId,
    tenant: Option<&TenantId>,
    act: &Act<'_>,
    outcome: &'static str,
) -> Statement {
    repeatable(
        platform,
        queued(platform, store::directory::QUEUE_REFUSAL, person.into(), tenant, act, outcome),
    )
}

/// An act of whoever's session this is: after the statement that begins it, or before the one that ends it.
pub fn act_of_session(
    platform: &Platform<'_>,
    session_hash: &str,
    tenant: Option<&TenantId>,
    act: &Act<'_>,
) -> Statement {
    queued(platform, store::directory::QUEUE_SESSION_ACT, session_hash.into(), tenant, act, DONE)
}

fn queued(
    platform: &Platform<'_>,
    sql: Sql,
    whose: Value,
    tenant: Option<&TenantId>,
    act: &Act<'_>,
    outcome: &'static str,
) -> Statement {
    let now = platform.now();
    sql.with([
        AuditId::new(now, platform.entropy).into(),
        now.into(),
        whose,
        tenant.map_or(Value::Null, Value::from),
        act.name.into(),
        act.subjects(),
        outcome.into(),
    ])
}
