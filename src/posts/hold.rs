//! What a grant scheduled, and holding it: the posts become drafts again, which whoever ended the grant may schedule anew.

use super::{
    scene::{self, Scene},
    store,
    write::{Desired, Target},
};
use crate::{
    desk::{Caller, GrantId, PostId, Refusal},
    platform::{FromRow, Row, RowFault, Statement, Timestamp, Value},
};

/// A post that is later than this has been given up: a day.
const LATE_SECONDS: i64 = 86_400;

/// How many posts wait to be sent at a time that a grant gave them.
pub struct ScheduledCount {
    /// The grant.
    pub grant_id: GrantId,
    /// The posts; never none.
    pub posts: i64,
}

impl FromRow for ScheduledCount {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { grant_id: row.get("grant_id")?, posts: row.get("posts")? })
    }
}

/// The statement that counts what each of these grants scheduled; a row for each that scheduled anything.
pub fn count_scheduled(caller: &Caller<'_>, grants: &[&GrantId]) -> Statement {
    store::COUNT_SCHEDULED.with([
        Value::from(&caller.tenant().id),
        serde_json::json!(grants).to_string().into(),
        earliest(caller),
    ])
}

fn earliest(caller: &Caller<'_>) -> Value {
    caller.now().plus_seconds(-LATE_SECONDS).into()
}

/// What became of holding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Posts that are drafts now.
    pub held: usize,
    /// Posts that could not be held: they are being sent, are public in part, or changed at the same moment.
    pub left: usize,
}

struct Waiting {
    post_id: PostId,
    due_at: Timestamp,
}

impl FromRow for Waiting {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { post_id: row.get("post_id")?, due_at: row.get("due_at")? })
    }
}

/// Makes drafts of all that a grant scheduled and that was not sent yet, 50 posts in each batch. It may be repeated.
///
/// # Errors
/// When the gate is closed or the database fails; what was held before stays so.
pub async fn hold_scheduled(caller: &Caller<'_>, grant: &GrantId) -> Result<Holding, Refusal> {
    let mut holding = Holding::default();
    let mut after = (Timestamp::from_millis(0), String::new());
    loop {
        let find = store::SCHEDULED.with([
            Value::from(&caller.tenant().id),
            grant.into(),
            earliest(caller),
            after.0.into(),
            after.1.as_str().into(),
        ]);
        let waiting: Vec<Waiting> = caller.read(vec![find]).await?.next_as()?;
        let Some(last) = waiting.last() else { return Ok(holding) };
        after = (last.due_at, last.post_id.to_string());
        let held = hold(caller, &waiting).await?;
        holding.held += held;
        holding.left += waiting.len() - held;
    }
}

/// Holds these together, or, when one of them stands in the way, each for itself. Gives how many were held.
async fn hold(caller: &Caller<'_>, waiting: &[Waiting]) -> Result<usize, Refusal> {
    let ids: Vec<&str> = waiting.iter().map(|waiting| waiting.post_id.as_str()).collect();
    if let Some(held) = try_hold(caller, &ids).await? {
        return Ok(held);
    }
    let mut held = 0;
    for id in ids {
        held += try_hold(caller, &[id]).await?.unwrap_or_default();
    }
    Ok(held)
}

/// Nothing when one of them changed or is being sent; then none is held.
async fn try_hold(caller: &Caller<'_>, ids: &[&str]) -> Result<Option<usize>, Refusal> {
    let scene = Scene::read(caller, ids, None).await?;
    let targets: Vec<Target> = scene
        .posts
        .iter()
        .filter(|row| row.deleted_at.is_none() && row.due_at.is_some())
        .map(|row| {
            let draft = Desired { content: row.content.clone(), due: None, deleted: false };
            Target::existing(row, draft, &[])
        })
        .collect();
    if targets.is_empty() {
        return Ok(Some(0));
    }
    match scene::commit(caller, "hold_scheduled", &targets, None, Vec::new()).await {
        Ok(_) => Ok(Some(targets.len())),
        Err(Refusal::Conflict) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}
