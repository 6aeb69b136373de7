//! Stopping everything that goes out, and letting it go on without a flood.
//!
//! A pause stands in a row that the claim itself reads, so that nothing is claimed from the moment it is written; what is
//! under way is carried to its end. What falls due in a pause is put on hold, and stays so when the pause ends by its time:
//! it goes out only when somebody says what becomes of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::store;
use crate::{
    desk::{
        Act, Answer, Caller, Code, DeliveryId, Problem, ProfileId, Refusal, WorkspaceFacts, next_call,
        sort_by,
    },
    platform::{FromRow, Row, RowFault, Statement, Timestamp, Value},
    posts::spaced,
};

/// The most that one resumption settles.
const AT_ONCE: i64 = 200;
/// The least time between two posts of a profile that were overdue together, in seconds.
const LEAST_GAP: i64 = 300;
/// What is scheduled for a profile in that time is left room, in seconds.
const LOOK_AHEAD: i64 = 14 * 86_400;

/// What is paused: a workspace, or some of its profiles.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The workspace.
    pub workspace: &'a WorkspaceFacts,
    /// The profiles; all there are, and all that come, when none is named.
    pub profiles: &'a [ProfileId],
}

impl Scope<'_> {
    /// The keys of the pauses: the profiles' ids, or the empty one that stands for the workspace.
    fn keys(&self) -> Vec<&str> {
        if self.profiles.is_empty() {
            vec![""]
        } else {
            self.profiles.iter().map(ProfileId::as_str).collect()
        }
    }

    fn covers(&self, profile: &ProfileId) -> bool {
        self.profiles.is_empty() || self.profiles.contains(profile)
    }
}

/// What becomes of posts whose time passed in a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub enum Overdue {
    /// They do not go out.
    Skip,
    /// They go out one after the other, with a gap between two of one profile.
    Respace,
    /// They stay on hold until each is given a time.
    Review,
}

/// What came of a resumption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resumed {
    /// Overdue deliveries that do not go out.
    pub skipped: usize,
    /// Overdue deliveries with their new times, in order.
    pub respaced: Vec<(ProfileId, Timestamp)>,
    /// Overdue deliveries that stay on hold; as far as they were looked at.
    pub on_hold: usize,
}

/// Pauses publishing until `until`, or until it is resumed. A pause of the same scope that stands is replaced.
///
/// # Errors
/// Those of the write.
pub async fn pause(
    caller: &Caller<'_>,
    scope: Scope<'_>,
    until: Option<Timestamp>,
    reason: &str,
) -> Result<(), Refusal> {
    let keys = serde_json::json!(scope.keys()).to_string();
    let begin = store::PAUSE.with([
        (&caller.tenant().id).into(),
        (&scope.workspace.id).into(),
        keys.into(),
        until.into(),
        reason.into(),
        caller.user_id().into(),
        caller.now().into(),
    ]);
    let act = Act { name: "pause_publishing", subjects: &[scope.workspace.id.as_str()] };
    caller.write(act, vec![begin]).await.map(drop)
}

/// Ends the pauses of a scope and settles what was due in them; what lies on hold from a pause that has ended by its time
/// is settled too.
///
/// # Errors
/// `not_paused` when there is neither a pause nor anything on hold; `conflicting` when profiles are named and the whole
/// workspace is paused; those of the write.
pub async fn resume(caller: &Caller<'_>, scope: Scope<'_>, overdue: Overdue) -> Result<Resumed, Refusal> {
    let tenant = || Value::from(&caller.tenant().id);
    let now = caller.now();
    // What has just become due is on hold too before its pause ends.
    caller.keep_up(vec![store::PUT_ON_HOLD.with([now.into(), AT_ONCE.into(), tenant()])]).await?;
    let read = vec![
        store::PAUSES.with([tenant(), (&scope.workspace.id).into(), now.into()]),
        store::ON_HOLD.with([tenant(), (&scope.workspace.id).into(), AT_ONCE.into()]),
    ];
    let mut answer = caller.read(read).await?;
    let paused = texts(&mut answer, "profile_id")?;
    let mut held: Vec<Held> = answer.next_as()?;
    held.retain(|held| scope.covers(&held.profile));
    refuse_if_nothing(scope, &paused, &held)?;

    let mut resumed = Resumed::default();
    let moved: Vec<(DeliveryId, Option<Timestamp>)> = match overdue {
        Overdue::Review => {
            resumed.on_hold = held.len();
            Vec::new()
        }
        Overdue::Skip => {
            resumed.skipped = held.len();
            held.into_iter().map(|held| (held.delivery, None)).collect()
        }
        Overdue::Respace => {
            let times = respaced(caller, scope.workspace, held).await?;
            resumed.respaced = times.iter().map(|(held, at)| (held.profile.clone(), *at)).collect();
            times.into_iter().map(|(held, at)| (held.delivery, Some(at))).collect()
        }
    };
    let keys = if scope.profiles.is_empty() {
        Value::Null
    } else {
        serde_json::json!(scope.keys()).to_string().into()
    };
    let mut statements = vec![store::END_PAUSES.with([tenant(), (&scope.workspace.id).into(), keys])];
    statements.extend(settling(caller, &moved));
    let act = Act { name: "resume_publishing", subjects: &[scope.workspace.id.as_str()] };
    caller.write(act, statements).await?;
    Ok(resumed)
}

fn refuse_if_nothing(scope: Scope<'_>, paused: &[String], held: &[Held]) -> Result<(), Problem> {
    let is_paused = |profile: &str| paused.iter().any(|one| one == profile);
    if !scope.profiles.is_empty() && is_paused("") {
        return Err(Problem::new(
            Code::Conflicting,
            "profiles",
            "The whole workspace is paused: leave profiles out.",
        )
        .fix(crate::desk::Fix::Remove));
    }
    let stands = if scope.profiles.is_empty() {
        !paused.is_empty()
    } else {
        scope.profiles.iter().any(|profile| is_paused(profile.as_str()))
    };
    if stands || !held.is_empty() {
        return Ok(());
    }
    let hint = "Nothing needs to be done: what is scheduled goes out.";
    Err(Problem::new(Code::NotPaused, "", hint)
        .next(next_call("list_posts", serde_json::json!({ "workspace": scope.workspace.id }))))
}

fn settling(caller: &Caller<'_>, moved: &[(DeliveryId, Option<Timestamp>)]) -> Vec<Statement> {
    if moved.is_empty() {
        return Vec::new();
    }
    let list: Vec<Leaving> = moved.iter().map(|(delivery, at)| Leaving { delivery, at: *at }).collect();
    let list = serde_json::to_string(&list).unwrap_or_default();
    let settle = store::SETTLE_HELD.with([(&caller.tenant().id).into(), list.into(), caller.now().into()]);
    let all = i64::try_from(moved.len()).unwrap_or(i64::MAX);
    vec![settle, Caller::require_changes(all)]
}

/// A delivery that leaves its hold, and when it goes out, if it does.
#[derive(Serialize)]
struct Leaving<'a> {
    delivery: &'a DeliveryId,
    at: Option<Timestamp>,
}

/// A time for each, in the order in which they were due: nothing is nearer to another post of its profile than the gap.
async fn respaced(
    caller: &Caller<'_>,
    workspace: &WorkspaceFacts,
    held: Vec<Held>,
) -> Result<Vec<(Held, Timestamp)>, Refusal> {
    let now = caller.now();
    let mut profiles: Vec<&str> = held.iter().map(|held| held.profile.as_str()).collect();
    sort_by(&mut profiles, Ord::cmp);
    profiles.dedup();
    let ahead = store::AHEAD.with([
        (&caller.tenant().id).into(),
        serde_json::json!(profiles).to_string().into(),
        now.into(),
        now.plus_seconds(LOOK_AHEAD).into(),
    ]);
    let mut taken: BTreeMap<ProfileId, Vec<Timestamp>> = BTreeMap::new();
    for Ahead { profile, at } in caller.read(vec![ahead]).await?.next_as()? {
        taken.entry(profile).or_default().push(at);
    }
    let start = now.plus_seconds(workspace.hold_seconds);
    let times = held.into_iter().map(|held| {
        let of_profile = taken.entry(held.profile.clone()).or_default();
        let at = spaced(start, LEAST_GAP, of_profile);
        of_profile.push(at);
        (held, at)
    });
    Ok(times.collect())
}

fn texts(answer: &mut Answer, column: &'static str) -> Result<Vec<String>, Refusal> {
    answer.next_rows().iter().map(|row| row.get(column).map_err(Refusal::from)).collect()
}

/// A delivery on hold.
struct Held {
    delivery: DeliveryId,
    profile: ProfileId,
}

impl FromRow for Held {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { delivery: row.get("delivery_id")?, profile: row.get("profile_id")? })
    }
}

/// When a profile has a post to come.
struct Ahead {
    profile: ProfileId,
    at: Timestamp,
}

impl FromRow for Ahead {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { profile: row.get("profile_id")?, at: row.get("due_at")? })
    }
}
