//! The call that a refusal holds: the corrected one, or the one that finds what is missing.
//!
//! A corrected call is taken as it is, and does nothing that was not meant. Where something that the caller said has no place
//! in it, it only reads or keeps a draft; of what was guessed, nothing goes out before somebody saw it.

use serde_json::{Value, json};

use super::{
    Caller, Code, Effect, Fix, NextCall, Problem, Scope, Scopes,
    fix::{drop_times, drop_times_of, is_changed, is_lost, mended},
    next_call,
    rehearsal::{Ending, Rehearsal},
};

/// Most rounds of mending what only the corrected call shows.
const ROUNDS: usize = 2;

/// The capability that everything needs which goes out soon, or is taken down.
const PUBLISH: Scopes = Scopes::of(&[Scope::PostsPublish]);

/// What a draft may be of.
const CONTENT: [&str; 5] = ["text", "media", "thread", "copy_from", "posts"];

/// Arguments that are taken.
pub(super) struct Correction {
    pub(super) arguments: Value,
    /// Whether a time was left out, so that nothing goes out by it.
    is_put_off: bool,
}

impl Correction {
    /// The call of this tool, which the hint of the refusal's first problem explains.
    pub(super) fn told_in(self, first: Option<&mut Problem>, tool: &str) -> NextCall {
        if let Some(first) = first.filter(|_| self.is_put_off) {
            first.hint.push_str(
                " The corrected call leaves when out, so that nothing goes out by it before somebody saw it.",
            );
        }
        NextCall { tool: tool.to_owned(), arguments: self.arguments }
    }
}

/// What a corrected call makes of the call that was given.
struct Mended<'m> {
    arguments: Value,
    /// Where something was dropped or guessed.
    changed: Vec<&'m str>,
    /// Where something was dropped.
    lost: Vec<&'m str>,
    /// Whether it is of a revision that the caller has not seen.
    is_unseen: bool,
}

impl Rehearsal<'_> {
    /// The arguments with everything mended; nothing unless they are taken then.
    pub(super) async fn corrected(&self, given: &Value, told: &[Problem]) -> Option<Correction> {
        let mut problems =
            if self.tool.hints.effect == Effect::Reads { without_supposed(told) } else { told.to_vec() };
        let mut arguments = mended(given, &problems);
        if arguments == *given && !told.is_empty() {
            return None;
        }
        for _ in 0..=ROUNDS {
            let found = match self.ending(&arguments).await? {
                Ending::Refused(found) => found,
                Ending::Harmless => {
                    let mended = Mended::of(given, arguments, &problems);
                    return self
                        .may_lose(&mended)
                        .then_some(Correction { arguments: mended.arguments, is_put_off: false });
                }
                Ending::Effect(needs) => {
                    return self.put_off(Mended::of(given, arguments, &problems), needs).await;
                }
            };
            let again = mended(&arguments, &found);
            if again == arguments {
                return None;
            }
            arguments = again;
            problems.extend(found);
        }
        None
    }

    async fn ending(&self, arguments: &Value) -> Option<Ending> {
        let misshapen = (self.shape)(arguments);
        if misshapen.is_empty() {
            self.rehearsed(arguments, None).await.ok()
        } else {
            Some(Ending::Refused(misshapen))
        }
    }

    /// Whether what was dropped to mend a call makes nothing of it that was not meant: reading, or a draft of something.
    fn may_lose(&self, mended: &Mended<'_>) -> bool {
        let says = |field: &&str| mended.arguments.get(*field).is_some_and(|said| !said.is_null());
        mended.lost.is_empty()
            || self.tool.hints.effect == Effect::Reads
            || (self.tool.keeps_drafts && CONTENT.iter().any(says))
    }

    /// The same without the times at which something would go out of which something was dropped, or that soon of what was guessed,
    /// or that the caller may not send. Nothing where that is not all that it takes.
    async fn put_off(&self, mended: Mended<'_>, needs: Scopes) -> Option<Correction> {
        if !self.may_lose(&mended) {
            return None;
        }
        let Mended { mut arguments, changed, lost, is_unseen } = mended;
        let is_soon = needs.contains(PUBLISH);
        let is_destroying = self.tool.hints.effect == Effect::Destroys;
        if !changed.is_empty() && (is_destroying || is_soon && is_unseen) {
            return None;
        }
        let may = self.may(needs).await;
        let before = arguments.clone();
        let unsure = if is_soon { &changed } else { &lost };
        let of_items = drop_times_of(&mut arguments, unsure);
        if !may || !(unsure.is_empty() || of_items) {
            drop_times(&mut arguments);
        }
        if arguments == before {
            return (may && (changed.is_empty() || !is_soon))
                .then_some(Correction { arguments, is_put_off: false });
        }
        let left = match self.ending(&arguments).await? {
            Ending::Harmless => Scopes::NONE,
            Ending::Effect(needs) => needs,
            Ending::Refused(_) => return None,
        };
        let is_safe = !left.contains(PUBLISH) || of_items;
        (is_safe && self.may(left).await).then_some(Correction { arguments, is_put_off: true })
    }

    async fn may(&self, needs: Scopes) -> bool {
        self.caller.facts().await.is_ok_and(|facts| facts.allowed.contains(needs))
    }
}

impl<'m> Mended<'m> {
    fn of(given: &Value, arguments: Value, problems: &'m [Problem]) -> Self {
        let fields = |is_one: &dyn Fn(&Problem) -> bool| -> Vec<&'m str> {
            problems.iter().filter(|problem| is_one(problem)).map(|problem| problem.field.as_str()).collect()
        };
        Self {
            changed: fields(&|problem| is_changed(given, &arguments, problem)),
            lost: fields(&|problem| is_lost(given, &arguments, problem)),
            is_unseen: problems.iter().any(|problem| problem.code == Code::PostChanged),
            arguments,
        }
    }
}

/// A call that only reads does without what it cannot be told.
fn without_supposed(told: &[Problem]) -> Vec<Problem> {
    let without = |problem: &Problem| match &problem.fix {
        Some(Fix::Suppose(_)) => problem.clone().fix(Fix::Remove),
        _ => problem.clone(),
    };
    told.iter().map(without).collect()
}

/// The call that finds what a call lacks which nothing mends.
pub(super) fn finding(arguments: &Value, told: &[Problem]) -> NextCall {
    let lacks = |names: &[&str]| {
        told.iter().any(|problem| {
            let name = problem.field.rsplit('.').next().unwrap_or_default();
            names.contains(&name.split('[').next().unwrap_or_default())
        })
    };
    let is_filter = |problem: &Problem| problem.field.starts_with("filter");
    let of_state = told.iter().any(is_about_state);
    let post = arguments.get("post_id").filter(|id| id.is_string());
    match post {
        Some(post_id) if of_state => next_call("get_post", json!({ "post_id": post_id })),
        _ if lacks(&["post_id", "post_ids", "copy_from", "change_id"]) || told.iter().any(is_filter) => {
            next_call("list_posts", json!({}))
        }
        _ if lacks(&["profiles", "profile", "reconnect", "network"]) => {
            next_call("list_social_profiles", json!({}))
        }
        _ if lacks(&["overdue"]) => next_call("list_posts", json!({ "status": "needs_attention" })),
        Some(post_id) if lacks(&["media", "thread", "overrides"]) => {
            next_call("get_post", json!({ "post_id": post_id }))
        }
        _ if lacks(&["posts", "media", "thread", "overrides"]) => {
            next_call("describe_network", json!({ "network": "wall" }))
        }
        _ if lacks(&["when", "until", "from", "to"]) => next_call("list_workspaces", json!({})),
        Some(post_id) => next_call("get_post", json!({ "post_id": post_id })),
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

/// Gives each list of posts that is offered the workspace it needs where the grant has several: the one that the call names, or
/// else the first, of which the hint says that there are others.
pub(super) async fn name_workspaces(caller: &Caller<'_>, arguments: &Value, told: &mut [Problem]) {
    let needs_one = |next: &NextCall| next.tool == "list_posts" && next.arguments.get("workspace").is_none();
    let is_one = |problem: &&mut Problem| problem.next.as_ref().is_some_and(needs_one);
    let mut lists: Vec<&mut Problem> = told.iter_mut().filter(is_one).collect();
    if lists.is_empty() {
        return;
    }
    let Ok(facts) = caller.facts().await else { return };
    let [first, others @ ..] = facts.workspaces.as_slice() else { return };
    if others.is_empty() {
        return;
    }
    let named = arguments.get("workspace").and_then(Value::as_str);
    let named = named.and_then(|named| facts.workspace(Some(named)).ok());
    for problem in &mut lists {
        if named.is_none() {
            let others: Vec<String> = others.iter().map(|other| format!("\"{}\"", other.name)).collect();
            problem.hint.push_str(&format!(
                " next lists those of \"{}\"; look in {} too.",
                first.name,
                others.join(", ")
            ));
        }
        if let Some(Value::Object(fields)) = problem.next.as_mut().map(|next| &mut next.arguments) {
            fields.insert("workspace".to_owned(), json!(named.unwrap_or(first).name));
        }
    }
}
