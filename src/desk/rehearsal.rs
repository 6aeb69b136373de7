//! Rehearsing a call that was refused: with what is wrong mended, or supposed to be right, it is carried out up to its first
//! effect, to find what else is wrong, and to give a corrected call only if that works.

use serde_json::{Value, json};

use super::{
    Caller, Code, Fix, NextCall, Problem, Refusal,
    fix::{Mend, is_given, leave_out, mend_in_place, mended},
    next_call,
    tool::Call,
};

/// Every way in which arguments do not have the shape that their tool demands.
pub type Shape<'s> = &'s dyn Fn(&Value) -> Vec<Problem>;

/// Most rounds of mending what was found and looking for more.
const ROUNDS: usize = 5;

/// Most rounds of mending what only the corrected call shows.
const CORRECTIONS: usize = 2;

/// In so many workspaces the rest of a call is judged whose own workspace is not known.
const STAND_INS: usize = 4;

/// Most problems that a refusal tells.
const MOST_TOLD: usize = 100;

/// The longest call that a refusal repeats, as JSON, in bytes.
const MAX_CALL: usize = 64 * 1024;

/// A tool's call, to be rehearsed.
pub(super) struct Rehearsal<'r> {
    pub(super) caller: &'r Caller<'r>,
    pub(super) tool: &'static str,
    pub(super) call: Call,
    pub(super) shape: Shape<'r>,
}

/// What a call was refused for.
pub(super) enum Found {
    /// The shape of its arguments; what they mean was not judged.
    InShape(Vec<Problem>),
    /// What they mean.
    InMeaning(Vec<Problem>),
}

impl Rehearsal<'_> {
    /// The refusal of a call: what was found `first`, all else that is wrong, and in the first the corrected call, or the one that
    /// finds what is missing.
    pub(super) async fn refusal(&self, arguments: &Value, first: Found) -> Refusal {
        let mut script = Script::of(arguments);
        let looked = self.look_further(&mut script, first).await;
        let corrected = match looked {
            Ok(()) => self.corrected(&script).await,
            Err(Refusal::Unauthenticated) => return Refusal::Unauthenticated,
            Err(_) => None,
        };
        let mut told = script.told;
        let is_lost = told.iter().all(|problem| problem.next.is_none());
        let next = match corrected {
            Some(arguments) => Some(NextCall { tool: self.tool.to_owned(), arguments }),
            None => is_lost.then(|| finding(arguments, &told)),
        };
        if let (Some(first), Some(next)) = (told.first_mut(), next) {
            first.next = Some(next);
        }
        told.truncate(MOST_TOLD);
        bound_echoes(&mut told);
        self.name_workspaces(arguments, &mut told).await;
        Refusal::Problems(told)
    }

    /// Gives each list of posts that is offered the workspace it needs where the grant has several: the one that the call
    /// names, or else the first.
    async fn name_workspaces(&self, arguments: &Value, told: &mut [Problem]) {
        let needs_one =
            |next: &NextCall| next.tool == "list_posts" && next.arguments.get("workspace").is_none();
        let mut lists: Vec<&mut NextCall> = told
            .iter_mut()
            .filter_map(|problem| problem.next.as_mut())
            .filter(|next| needs_one(next))
            .collect();
        if lists.is_empty() {
            return;
        }
        let Ok(facts) = self.caller.facts().await else { return };
        if facts.workspaces.len() < 2 {
            return;
        }
        let named = facts.workspace(arguments.get("workspace").and_then(Value::as_str)).ok();
        let Some(workspace) = named.or_else(|| facts.workspaces.first()) else { return };
        for next in &mut lists {
            next.arguments = json!({ "workspace": workspace.name });
        }
    }

    /// Puts into the script all that is wrong with the call.
    async fn look_further(&self, script: &mut Script, first: Found) -> Result<(), Refusal> {
        let (mut fresh, mut was_judged) = match first {
            Found::InShape(problems) => (problems, false),
            Found::InMeaning(problems) => (problems, true),
        };
        for _ in 0..ROUNDS {
            if !script.take(fresh) && was_judged {
                return Ok(());
            }
            let misshapen = (self.shape)(&script.supposed);
            let in_shape = misshapen.is_empty();
            fresh = script.unheard(misshapen);
            if fresh.is_empty() {
                let found = self.judged(script).await?;
                was_judged = true;
                script.works = in_shape && found.is_empty();
                fresh = script.unheard(found);
                if fresh.is_empty() {
                    return Ok(());
                }
            }
        }
        script.take(fresh);
        Ok(())
    }

    /// What is wrong with what the supposed arguments mean, wherever they mean it.
    async fn judged(&self, script: &Script) -> Result<Vec<Problem>, Refusal> {
        if !script.told.iter().any(is_look_up) {
            return self.rehearsed(&script.supposed, None).await;
        }
        let mut common = self.rehearsed(&script.supposed, Some(0)).await?;
        if !common.iter().any(is_not_found) {
            return Ok(common);
        }
        let workspaces = self.caller.facts().await?.workspaces.len();
        for stand_in in 1..workspaces.min(STAND_INS) {
            let found = self.rehearsed(&script.supposed, Some(stand_in)).await?;
            let is_there = |one: &Problem| found.iter().any(|other| is_same(one, other));
            common.retain(is_there);
        }
        if workspaces > STAND_INS {
            common.retain(|problem| !is_of_workspace(problem));
        }
        Ok(common)
    }

    /// What is wrong with what arguments mean.
    async fn rehearsed(&self, arguments: &Value, stand_in: Option<usize>) -> Result<Vec<Problem>, Refusal> {
        match (self.call)(&self.caller.rehearsing(stand_in), arguments).await {
            Ok(_) | Err(Refusal::Rehearsed) => Ok(Vec::new()),
            Err(Refusal::Problems(found)) => Ok(found),
            Err(other) => Err(other),
        }
    }

    /// The arguments with everything mended; nothing unless they are taken then.
    async fn corrected(&self, script: &Script) -> Option<Value> {
        let mut arguments = script.certain.clone();
        let is_shorter = leave_out(&mut arguments, &script.told);
        if !is_shorter && arguments == script.supposed && script.works {
            return Some(arguments);
        }
        if arguments == script.given {
            return None;
        }
        for _ in 0..CORRECTIONS {
            let mut found = (self.shape)(&arguments);
            if found.is_empty() {
                found = self.rehearsed(&arguments, None).await.ok()?;
            }
            if found.is_empty() {
                return Some(arguments);
            }
            let again = mended(&arguments, &found);
            if again == arguments {
                return None;
            }
            arguments = again;
        }
        None
    }
}

/// What is known of a call that was refused.
struct Script {
    given: Value,
    /// With what can be mended, but for items that are left out at last.
    certain: Value,
    /// With what is supposed besides, so that the rest can be judged.
    supposed: Value,
    told: Vec<Problem>,
    /// Whether nothing is wrong with what is supposed.
    works: bool,
}

impl Script {
    fn of(given: &Value) -> Self {
        Self {
            given: given.clone(),
            certain: given.clone(),
            supposed: given.clone(),
            told: Vec::new(),
            works: false,
        }
    }

    /// Adds problems. Whether judging again can show more.
    fn take(&mut self, fresh: Vec<Problem>) -> bool {
        let before = self.supposed.clone();
        mend_in_place(&mut self.certain, &fresh, Mend::Certain);
        mend_in_place(&mut self.supposed, &fresh, Mend::Supposing);
        let look_up = fresh.iter().any(is_look_up);
        self.told.extend(fresh);
        look_up || self.supposed != before
    }

    /// Those of what was found that were not told yet and do not come from what is only supposed.
    fn unheard(&self, found: Vec<Problem>) -> Vec<Problem> {
        let is_told =
            |new: &Problem| self.told.iter().any(|old| is_same(old, new) && old.message == new.message);
        let is_supposing = self.told.iter().any(is_look_up);
        let is_own = |new: &Problem| {
            let is_supposed = |old: &Problem| is_supposition(old) && is_within(&new.field, &old.field);
            !is_supposing
                || new.field.is_empty()
                || (is_given(&self.certain, &new.field) && !self.told.iter().any(is_supposed))
        };
        found.into_iter().filter(|new| !is_told(new) && is_own(new)).collect()
    }
}

/// Leaves out calls that are too long to be said back: what is to be changed in them stands in the problems.
fn bound_echoes(told: &mut [Problem]) {
    for problem in told {
        let is_long = |next: &NextCall| next.arguments.to_string().len() > MAX_CALL;
        if let Some(next) = problem.next.take_if(|next| is_long(next)) {
            let words = format!(
                " The corrected call of {} is too long to be repeated: change the fields that are told, and no others.",
                next.tool
            );
            problem.hint.push_str(&words);
        }
    }
}

fn is_same(one: &Problem, other: &Problem) -> bool {
    one.field == other.field && one.code == other.code
}

fn is_within(field: &str, outer: &str) -> bool {
    field.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

const fn is_supposition(problem: &Problem) -> bool {
    matches!(problem.fix, Some(Fix::Suppose(_)))
}

/// Whether it is not known what the rest of the call is about.
const fn is_look_up(problem: &Problem) -> bool {
    is_supposition(problem) || is_not_found(problem)
}

/// Whether something stands in for what is not found, in a rehearsal.
const fn is_not_found(problem: &Problem) -> bool {
    matches!(problem.code, Code::WorkspaceNotFound | Code::WorkspaceNeeded | Code::PostNotFound)
        && problem.fix.is_none()
}

/// Whether another workspace may have it.
const fn is_of_workspace(problem: &Problem) -> bool {
    matches!(problem.code, Code::SocialProfileRejected | Code::AmbiguousProfile | Code::MediaNotFound)
}

/// The call that finds what a call lacks which nothing mends.
fn finding(arguments: &Value, told: &[Problem]) -> NextCall {
    let lacks = |names: &[&str]| {
        told.iter().any(|problem| {
            let name = problem.field.rsplit('.').next().unwrap_or_default();
            names.contains(&name.split('[').next().unwrap_or_default())
        })
    };
    if lacks(&["post_id", "post_ids", "copy_from", "change_id"]) && !told.iter().any(is_about_state) {
        return next_call("list_posts", json!({}));
    }
    match arguments.get("post_id").filter(|id| id.is_string()) {
        Some(post_id) => next_call("get_post", json!({ "post_id": post_id })),
        None if lacks(&["profiles", "profile", "reconnect"]) => next_call("list_social_profiles", json!({})),
        None => next_call("whoami", json!({})),
    }
}

/// Whether it is about what became of a post that was found.
const fn is_about_state(problem: &Problem) -> bool {
    matches!(
        problem.code,
        Code::PostAlreadyLive | Code::PostBusy | Code::NotScheduled | Code::NotRetryable | Code::Conflict
    )
}
