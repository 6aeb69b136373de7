//! A page of the audit.

use super::{
    model::{App, Entry, Filter, Person},
    store::shard as sql,
};
use crate::{
    desk::{Act, Answer, AuditId, Caller, Code, Facts, Problem, Refusal, sort_by},
    platform::{FromRow, Row, RowFault, Statement, Timestamp, Value},
};

/// Most lines of a page.
const PAGE: i64 = 50;
/// Most lines that one request tries its filter on.
const MOST_TRIED: i64 = 5000;

/// A page of the audit, with what can be chosen from.
pub struct AuditPage {
    /// The caller.
    pub facts: Facts,
    /// The lines, the newest first.
    pub entries: Vec<Entry>,
    /// Where older lines begin, if there are any. The page itself may be empty then: nothing fitted among the lines that
    /// were tried.
    pub older: Option<AuditId>,
    /// Everybody who is or was a member, by name.
    pub people: Vec<Person>,
    /// Every client that was connected, by name.
    pub apps: Vec<App>,
}

/// A page of the tenant's audit before the line `before`.
///
/// # Errors
/// `role_not_allowed` to all but owners and admins, or when the gate is closed.
pub async fn read(
    caller: &Caller<'_>,
    filter: &Filter,
    before: Option<&AuditId>,
) -> Result<AuditPage, Refusal> {
    let tenant = || Value::from(&caller.tenant().id);
    let mut statements = lines(caller, filter, before, PAGE);
    statements.extend([sql::PEOPLE.with([tenant()]), sql::APPS.with([tenant()])]);
    let mut answer = caller.read(statements).await?;
    if let Some(refusal) = refusal_of(&answer.facts) {
        caller.note_refusal(Act { name: "read_audit", subjects: &[] }, &refusal).await;
        return Err(refusal);
    }
    let (entries, older) = found(&mut answer, PAGE)?;
    let mut people: Vec<Person> = answer.next_as()?;
    sort_by(&mut people, |a, b| a.name.cmp(&b.name).then_with(|| a.user_id.cmp(&b.user_id)));
    // Each of a client's people has an entry of its own.
    let mut apps: Vec<App> = answer.next_as()?;
    sort_by(&mut apps, |a, b| a.client_id.cmp(&b.client_id));
    apps.dedup_by(|one, other| one.client_id == other.client_id);
    sort_by(&mut apps, |a, b| a.name.cmp(&b.name));
    Ok(AuditPage { facts: answer.facts, entries, older, people, apps })
}

/// Why the caller may not read the audit, which owners and admins may.
pub(super) fn refusal_of(facts: &Facts) -> Option<Refusal> {
    let problem = || Problem::new(Code::RoleNotAllowed, "", "Ask an owner or admin of the organisation.");
    (!facts.role.manages()).then(|| problem().into())
}

/// The statements that read at most `limit` lines.
pub(super) fn lines(
    caller: &Caller<'_>,
    filter: &Filter,
    before: Option<&AuditId>,
    limit: i64,
) -> Vec<Statement> {
    let tenant = || Value::from(&caller.tenant().id);
    let end = filter.until.unwrap_or(FOREVER);
    let below = AuditId::earliest(end);
    let below = before.filter(|before| **before < below).cloned().unwrap_or(below);
    let from = AuditId::earliest(filter.from.unwrap_or(Timestamp::from_millis(0)));
    let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
    vec![
        sql::LINES.with([
            tenant(),
            (&below).into(),
            (&from).into(),
            filter.person.as_ref().map_or(Value::Null, Value::from),
            text(&filter.client_id),
            text(&filter.what),
            MOST_TRIED.into(),
            limit.into(),
        ]),
        sql::TRIED.with([tenant(), below.into(), from.into(), MOST_TRIED.into()]),
    ]
}

/// Later than any line: the last instant that an id can hold.
const FOREVER: Timestamp = Timestamp::from_millis((1 << 48) - 1);

struct Tried {
    lines: i64,
    oldest: Option<AuditId>,
}

impl FromRow for Tried {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { lines: row.get("tried")?, oldest: row.get("oldest")? })
    }
}

/// What [`lines`] found, and where older lines begin.
pub(super) fn found(answer: &mut Answer, limit: i64) -> Result<(Vec<Entry>, Option<AuditId>), Refusal> {
    let entries: Vec<Entry> = answer.next_as()?;
    let tried: Option<Tried> = answer.next_first()?;
    let is_full = i64::try_from(entries.len()).is_ok_and(|count| count >= limit);
    let older = if is_full {
        entries.last().map(|entry| entry.id.clone())
    } else {
        tried.filter(|tried| tried.lines >= MOST_TRIED).and_then(|tried| tried.oldest)
    };
    Ok((entries, older))
}
