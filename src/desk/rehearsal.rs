//! Rehearsing a call that was refused: with what is wrong mended, or supposed to be right, it is carried out up to its first
//! effect, to find what else is wrong.

use serde_json::Value;

use super::{
    Caller, Code, Fix, NextCall, Problem, Refusal, Scopes, ToolEntry, WorkspaceFacts,
    correction::{finding, name_workspaces},
    fix::{Mend, is_given, mend_in_place, without_lost},
};

/// Every way in which arguments do not have the shape that their tool demands.
pub type Shape<'s> = &'s dyn Fn(&Value) -> Vec<Problem>;

/// Most rounds of mending what was found and looking for more. What only a later one would find is told when the corrected call is
/// refused in its turn; that call is not given then, since it is given only if it is taken.
const ROUNDS: usize = 5;

/// In so many workspaces the rest of a call is judged whose own workspace is not known. Where there are more, what others of
/// them might have is not told.
const STAND_INS: usize = 4;

/// Most problems that a refusal tells.
const MOST_TOLD: usize = 100;

/// The longest call that a refusal repeats, as JSON, in bytes.
const MAX_CALL: usize = 64 * 1024;

/// A tool's call, to be rehearsed.
pub(super) struct Rehearsal<'r> {
    pub(super) caller: &'r Caller<'r>,
    pub(super) tool: &'r ToolEntry,
    pub(super) shape: Shape<'r>,
}

/// What a call was refused for.
pub(super) enum Found {
    /// The shape of its arguments; what they mean was not judged.
    InShape(Vec<Problem>),
    /// What they mean.
    InMeaning(Vec<Problem>),
    /// The grant lacks one of these capabilities; nothing else was judged.
    Lacking(Scopes),
}

/// What came of a rehearsal.
pub(super) enum Ending {
    /// The call changes nothing.
    Harmless,
    /// It came to its first effect, for which these capabilities are needed.
    Effect(Scopes),
    /// It is refused.
    Refused(Vec<Problem>),
}

impl Rehearsal<'_> {
    /// The refusal of a call: what was found `first`, all else that is wrong, and in the first problem the corrected call, or the one
    /// that finds what is missing. Where nothing but a capability is lacking, that is the refusal.
    pub(super) async fn refusal(&self, arguments: &Value, first: Found) -> Refusal {
        let lacking = match first {
            Found::Lacking(needs) => Some(Refusal::InsufficientScope(needs)),
            Found::InShape(_) | Found::InMeaning(_) => None,
        };
        let mut script = Script::of(arguments);
        let looked = self.look_further(&mut script, first).await;
        if let Err(Refusal::Unauthenticated) = looked {
            return Refusal::Unauthenticated;
        }
        let needs = script.needs.union(self.tool.needs_of(&script.supposed));
        let mut told = script.told;
        if let Some(lacking) = lacking.filter(|_| told.is_empty()) {
            return lacking;
        }
        let corrected = if looked.is_ok() { self.corrected(arguments, &told).await } else { None };
        let next = match corrected {
            Some(correction) => Some(correction.told_in(told.first_mut(), self.tool.name)),
            None => told
                .iter()
                .find_map(|problem| problem.next.clone())
                .map(|next| NextCall { arguments: without_lost(&next.arguments, &told), ..next })
                .or_else(|| Some(finding(arguments, &told))),
        };
        if let Some(first) = told.first_mut() {
            first.next = next;
        }
        if !self.tool.needs.contains(needs) {
            told.extend(self.lacking(needs).await.filter(|lack| !told.iter().any(|one| is_same(one, lack))));
        }
        told.truncate(MOST_TOLD);
        bound_echoes(&mut told);
        name_workspaces(self.caller, arguments, &mut told).await;
        Refusal::Problems(told)
    }

    /// That the grant lacks what the call needs besides what its tool needs, if it does.
    async fn lacking(&self, needs: Scopes) -> Option<Problem> {
        match self.caller.needing(needs).facts().await {
            Err(Refusal::InsufficientScope(_)) => {
                let hint =
                    "Mend the rest: the call that is otherwise right makes the app ask the person for it.";
                let lacks = needs.without(self.caller.facts().await.ok()?.allowed).to_text();
                Some(
                    Problem::new(Code::InsufficientScope, "", hint)
                        .message(format!("The call needs {lacks}.")),
                )
            }
            Err(Refusal::Problems(found)) => found.into_iter().next(),
            _ => None,
        }
    }

    /// Puts into the script all that is wrong with the call.
    async fn look_further(&self, script: &mut Script, first: Found) -> Result<(), Refusal> {
        let (mut fresh, mut was_judged) = match first {
            Found::InShape(problems) => (problems, false),
            Found::InMeaning(problems) => (problems, true),
            Found::Lacking(_) => (Vec::new(), false),
        };
        for _ in 0..ROUNDS {
            if !script.take(fresh) && was_judged {
                return Ok(());
            }
            let misshapen = (self.shape)(&script.supposed);
            let is_unreadable = misshapen.iter().any(is_of_type);
            fresh = script.unheard(misshapen);
            if fresh.is_empty() && is_unreadable {
                return Ok(());
            }
            if fresh.is_empty() {
                let found = self.judged(script).await?;
                was_judged = true;
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
    async fn judged(&self, script: &mut Script) -> Result<Vec<Problem>, Refusal> {
        if !script.told.iter().any(is_look_up) {
            return self.found(script, None).await;
        }
        let common = self.found(script, Some(0)).await?;
        if !common.iter().any(is_not_found) {
            return Ok(common);
        }
        let workspaces = self.caller.facts().await?.workspaces;
        let mut everywhere: Vec<Vec<Problem>> = common.into_iter().map(|problem| vec![problem]).collect();
        for stand_in in 1..workspaces.len().min(STAND_INS) {
            let found = self.found(script, Some(stand_in)).await?;
            everywhere.retain_mut(|same| {
                let here = found.iter().find(|here| same.first().is_some_and(|one| is_same(one, here)));
                same.extend(here.cloned());
                here.is_some()
            });
        }
        let is_told = |problem: &Problem| workspaces.len() <= STAND_INS || !is_of_workspace(problem);
        let told = everywhere.into_iter().filter_map(|same| as_one(same, &workspaces));
        Ok(told.filter(is_told).collect())
    }

    async fn found(&self, script: &mut Script, stand_in: Option<usize>) -> Result<Vec<Problem>, Refusal> {
        match self.rehearsed(&script.supposed, stand_in).await? {
            Ending::Harmless => Ok(Vec::new()),
            Ending::Effect(needs) => {
                script.needs = script.needs.union(needs);
                Ok(Vec::new())
            }
            Ending::Refused(found) => Ok(found),
        }
    }

    /// What comes of the call with these arguments, whose shape is right.
    ///
    /// # Errors
    /// When it was refused for no reason that is in its arguments.
    pub(super) async fn rehearsed(
        &self,
        arguments: &Value,
        stand_in: Option<usize>,
    ) -> Result<Ending, Refusal> {
        let caller = self.caller.rehearsing(self.tool.needs, stand_in);
        match (self.tool.call)(&caller, arguments).await {
            Ok(_) => Ok(Ending::Harmless),
            Err(Refusal::Rehearsed(needs)) => Ok(Ending::Effect(needs)),
            Err(Refusal::Problems(found)) => Ok(Ending::Refused(found)),
            Err(other) => Err(other),
        }
    }
}

/// What is known of a call that was refused.
struct Script {
    /// With what can be mended, but for items that are left out at last.
    certain: Value,
    /// With what is supposed besides, so that the rest can be judged.
    supposed: Value,
    told: Vec<Problem>,
    /// The capabilities that the call needs, as far as that was seen.
    needs: Scopes,
}

impl Script {
    fn of(given: &Value) -> Self {
        Self { certain: given.clone(), supposed: given.clone(), told: Vec::new(), needs: Scopes::NONE }
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

/// A problem that was found in each of the first `workspaces`. What differs between them is told of each.
fn as_one(found: Vec<Problem>, workspaces: &[WorkspaceFacts]) -> Option<Problem> {
    let first = found.first()?.clone();
    if found.iter().all(|other| other.hint == first.hint) {
        return Some(first);
    }
    let hint =
        |(one, workspace): (&Problem, &WorkspaceFacts)| format!("In \"{}\": {}", workspace.name, one.hint);
    let hints: Vec<String> = found.iter().zip(workspaces).map(hint).collect();
    Some(Problem { hint: hints.join(" "), fix: None, next: None, ..first })
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

/// Whether what stands there cannot be read as what should.
const fn is_of_type(problem: &Problem) -> bool {
    matches!(problem.code, Code::WrongType | Code::Missing)
}

/// Whether another workspace may have it.
const fn is_of_workspace(problem: &Problem) -> bool {
    matches!(problem.code, Code::SocialProfileRejected | Code::AmbiguousProfile | Code::MediaNotFound)
}
