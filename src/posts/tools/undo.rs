//! `undo_change`: takes back what a call did, as far as nothing irreversible has happened.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::change::{Late, keeping_time};
use crate::{
    desk::{
        Caller, ChangeId, Code, Due, Hints, NextCall, PostId, Problem, Refusal, Scope, Scopes, Tool,
        WorkspaceFacts, next_call,
    },
    platform::Value,
    posts::{
        Content, DeliveryState,
        resolve::is_near,
        scene::{Scene, commit, next_posts},
        store::{self, ChangeRow, ChangedPost, DeliveryRow, PostRow, RevisionRow},
        view::PostGroupView,
        write::{Desired, Target},
    },
    profiles::{self, Profile},
};

/// Takes back a change.
pub struct UndoChange;

/// Arguments of `undo_change`.
#[derive(Debug, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct UndoInput {
    /// The change to take back; when left out, this grant's newest that was not taken back yet.
    #[serde(default)]
    change_id: Option<String>,
}

/// What was taken back.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Undone {
    /// The change that was taken back.
    undone: ChangeId,
    /// The call that had made it.
    act: String,
    /// The posts as they are now; deleted ones are not listed.
    posts: Vec<PostGroupView>,
    /// What could not be taken back, and why.
    not_undone: Vec<NotUndone>,
    /// The change that this call made; only undo_change with this id brings everything back.
    change_id: Option<ChangeId>,
}

/// A post of which something stays.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
struct NotUndone {
    /// The post.
    post_id: PostId,
    /// Why it stays.
    why: &'static str,
}

impl Tool for UndoChange {
    const NAME: &'static str = "undo_change";
    const TITLE: &'static str = "Undo a change";
    const DESCRIPTION: &'static str = "Takes back this grant's last change to posts, or the one with change_id: made posts go away, edits and schedules return to what they were, deleted posts come back. Called again it takes back the change before; to undo an undoing give the change_id that it gave. What is already public, or was changed again since, stays and is named.";
    const NEEDS: Scopes = Scopes::of(&[Scope::PostsWrite]);
    const HINTS: Hints = Hints::write();
    type Input = UndoInput;
    type Output = Undone;

    async fn call(caller: &Caller<'_>, input: UndoInput) -> Result<Undone, Refusal> {
        let Found { change, scene, earlier } = find(caller, input.change_id.as_deref()).await?;
        if change.is_undone {
            return Err(undone_already().into());
        }
        let Sorted { back, stays } = sort_out(caller, &scene, &change.posts, &earlier);
        if back.is_empty() {
            return Err(nothing_to_undo(stays.into_iter().next()).into());
        }
        let mark = store::MARK_UNDONE.with([
            Value::from(&caller.tenant().id),
            caller.holder().into(),
            (&change.change_id).into(),
            caller.now().into(),
        ]);
        let extra = vec![mark, Caller::require_changes(1)];
        let near = back.iter().any(|one| one.near);
        let writer = if near { caller.needing(Scopes::of(&[Scope::PostsPublish])) } else { caller.clone() };
        let partly = back.iter().filter(|one| one.leaves_public).map(|one| Stays {
            post_id: one.target.post_id.clone(),
            why: "What of it is, or may be, public already stays so.",
            next: None,
        });
        let not_undone =
            stays.into_iter().chain(partly).map(|Stays { post_id, why, .. }| NotUndone { post_id, why });
        let not_undone: Vec<NotUndone> = not_undone.collect();
        let late: Vec<PostId> =
            back.iter().filter(|one| one.late).map(|one| one.target.post_id.clone()).collect();
        let targets: Vec<Target> = back.into_iter().map(|one| one.target).collect();
        // What brings something back is a change like others: the next call takes it back.
        let act = if change.act == Self::NAME { "redo_change" } else { Self::NAME };
        let mut posts = commit(&writer, act, &targets, None, extra).await?;
        let deleted =
            |id: &PostId| targets.iter().any(|target| target.post_id == *id && target.desired.deleted);
        posts.iter_mut().filter(|post| late.contains(&post.post_id)).for_each(warn_of_past);
        Ok(Undone {
            undone: change.change_id,
            act: change.act,
            change_id: posts.first().and_then(|post| post.change_id.clone()),
            posts: posts.into_iter().filter(|post| !deleted(&post.post_id)).collect(),
            not_undone,
        })
    }
}

/// A post that came back after its time.
fn warn_of_past(post: &mut PostGroupView) {
    post.warnings.push(
        "Its time passed while it was deleted, so it does not go out by itself: give it a new one with schedule_post."
            .to_owned(),
    );
    post.next = vec![next_call("schedule_post", json!({ "post_id": post.post_id, "when": "PT1H" }))];
}

fn undone_already() -> Problem {
    let hint = "Nothing needs to be done. To bring it back give the change_id that undo_change gave then.";
    Problem::new(Code::NothingToUndo, "change_id", hint).message("That change was taken back already.")
}

fn nothing_to_undo(stays: Option<Stays>) -> Problem {
    let Some(stays) = stays else {
        return Problem::new(Code::NothingToUndo, "change_id", "Everything is as it was before already.");
    };
    let problem = Problem::new(Code::NothingToUndo, "change_id", stays.why);
    match stays.next {
        Some(next) => problem.next(next),
        None => problem,
    }
}

/// A change to undo, and all that it is about.
struct Found {
    change: ChangeRow,
    scene: Scene,
    earlier: Vec<RevisionRow>,
}

async fn find(caller: &Caller<'_>, change_id: Option<&str>) -> Result<Found, Refusal> {
    let (tenant, grant) = caller.sight();
    let which = || [tenant.clone(), caller.holder().into(), change_id.into()];
    let [of_tenant, holder, id] = which();
    let batch = vec![
        store::CHANGE_TO_UNDO.with(which()),
        profiles::in_sight(caller),
        store::POSTS_TO_UNDO.with([of_tenant, holder, id, grant]),
        store::SENT_TO_UNDO.with(which()),
        store::REVISIONS_TO_UNDO.with(which()),
    ];
    let mut answer = caller.read(batch).await?;
    let change = answer.next_first()?.ok_or_else(|| {
        Problem::new(
            Code::ChangeNotFound,
            "change_id",
            "Use the change_id that a write gave back, of this grant.",
        )
        .next(next_call("list_posts", json!({})))
    })?;
    let profiles = answer.next_as()?;
    let posts = next_posts(&mut answer)?;
    let earlier = answer.next_as()?;
    Ok(Found { change, scene: Scene::of(answer.facts, profiles, posts), earlier })
}

/// What becomes of a change that is undone.
struct Sorted {
    back: Vec<Back>,
    stays: Vec<Stays>,
}

/// A post on its way back.
struct Back {
    target: Target,
    /// Whether that sends something so soon that it needs the capability to publish.
    near: bool,
    /// Whether something of it is public, which undoing does not change.
    leaves_public: bool,
    /// Whether what was to be sent of it stays called off, because its time is past.
    late: bool,
}

/// A post that stays as it is.
struct Stays {
    post_id: PostId,
    why: &'static str,
    /// What can be done instead.
    next: Option<NextCall>,
}

fn sort_out(caller: &Caller<'_>, scene: &Scene, posts: &[ChangedPost], earlier: &[RevisionRow]) -> Sorted {
    let mut sorted = Sorted { back: Vec::new(), stays: Vec::new() };
    for changed in posts {
        let Some(row) = scene.posts.iter().find(|row| row.post_id == changed.post_id) else { continue };
        let Some(workspace) = scene.facts.workspace_by_id(&row.workspace_id) else { continue };
        let at =
            |number: i64| earlier.iter().find(|one| one.post_id == changed.post_id && one.revision == number);
        let stands = row.revision == changed.after || at(changed.after).is_some_and(|after| after.is_of(row));
        let way = Way { caller, workspace, profiles: &scene.profiles, row };
        let back = if stands { way.back(changed.before.and_then(at)) } else { Err(way.changed_since()) };
        match back {
            Ok(back) => sorted.back.push(back),
            Err(stays) => sorted.stays.push(stays),
        }
    }
    sorted
}

/// From what a post is to what it was.
struct Way<'s> {
    caller: &'s Caller<'s>,
    workspace: &'s WorkspaceFacts,
    profiles: &'s [Profile],
    row: &'s PostRow,
}

impl Way<'_> {
    fn changed_since(&self) -> Stays {
        self.stays("It was changed again since then.", None)
    }

    /// Back to `before`; away where there was none.
    fn back(&self, before: Option<&RevisionRow>) -> Result<Back, Stays> {
        let row = self.row;
        if row.deliveries.iter().any(DeliveryRow::is_busy) {
            return Err(self.stays("It is being sent right now.", Some("get_post")));
        }
        match before {
            None => self.unmade(),
            Some(before) if before.deleted => Ok(self.quietly(before.content.clone(), row.due(), true)),
            Some(before) if row.deleted_at.is_some() => Ok(self.undeleted(before)),
            Some(before) if before.due() == row.due() => self.reworded(before),
            Some(before) => self.retimed(before),
        }
    }

    /// A post that the change made goes away, unless the world has seen it.
    fn unmade(&self) -> Result<Back, Stays> {
        if self.row.deliveries.iter().any(DeliveryRow::may_be_public) {
            return Err(self.public());
        }
        Ok(self.quietly(self.row.content.clone(), None, true))
    }

    /// A deleted post comes back. What waited waits again, unless its time is past.
    fn undeleted(&self, before: &RevisionRow) -> Back {
        let ahead = before.due().filter(|due| due.at > self.caller.now());
        match ahead {
            Some(due) => self.due_again(before.content.clone(), due),
            None => {
                let called_off =
                    self.row.deliveries.iter().any(|delivery| delivery.state == DeliveryState::Cancelled);
                let back = self.quietly(before.content.clone(), before.due(), false);
                Back {
                    target: back.target.leaving_deliveries(),
                    late: before.due_at.is_some() && called_off,
                    ..back
                }
            }
        }
    }

    /// Its words return, and its time stays.
    fn reworded(&self, before: &RevisionRow) -> Result<Back, Stays> {
        let row = self.row;
        let worded = before.content.hash() != row.content.hash();
        let is_public = |delivery: &&DeliveryRow| delivery.may_be_public();
        let loses_public = row
            .deliveries
            .iter()
            .filter(is_public)
            .any(|delivery| !before.content.profiles.contains(&delivery.profile_id));
        if worded && (loses_public || self.is_wholly_public()) {
            return Err(self.public());
        }
        let kept = keeping_time(self.caller, self.workspace, self.profiles, row, before.content.clone())
            .map_err(|Late| self.past())?;
        let leaves_public = worded && row.deliveries.iter().any(DeliveryRow::may_be_public);
        Ok(Back { target: kept.target, near: kept.near, leaves_public, late: false })
    }

    /// Its time returns, or goes away; what is public already stays.
    fn retimed(&self, before: &RevisionRow) -> Result<Back, Stays> {
        if self.is_wholly_public() {
            return Err(self.public());
        }
        let leaves_public = self.row.deliveries.iter().any(DeliveryRow::may_be_public);
        let back = match before.due() {
            None => self.quietly(before.content.clone(), None, false),
            Some(due) if due.at <= self.caller.now() => return Err(self.past()),
            Some(due) => self.due_again(before.content.clone(), due),
        };
        Ok(Back { leaves_public, ..back })
    }

    fn due_again(&self, content: Content, due: Due) -> Back {
        let near = is_near(self.caller, self.workspace, &due);
        let hold = if near { self.workspace.hold_seconds } else { 0 };
        let back = self.quietly(content, Some(due), false);
        let target = back.target.held_until(self.caller.now().plus_seconds(hold)).bringing_back();
        Back { target, near, ..back }
    }

    /// To what it was, where that sends nothing.
    fn quietly(&self, content: Content, due: Option<Due>, deleted: bool) -> Back {
        let profiles: Vec<&Profile> = self.profiles.iter().collect();
        let target = Target::existing(self.row, Desired { content, due, deleted }, &profiles);
        Back { target, near: false, leaves_public: false, late: false }
    }

    fn is_wholly_public(&self) -> bool {
        !self.row.deliveries.is_empty() && self.row.deliveries.iter().all(DeliveryRow::may_be_public)
    }

    fn stays(&self, why: &'static str, tool: Option<&str>) -> Stays {
        let post_id = self.row.post_id.clone();
        let next = tool.map(|tool| next_call(tool, json!({ "post_id": post_id })));
        Stays { post_id, why, next }
    }

    fn public(&self) -> Stays {
        let post_id = self.row.post_id.clone();
        let next = next_call("delete_post", json!({ "post_id": post_id, "on_networks": true }));
        let why = "It is, or may be, public already. If the person wants it taken down, call delete_post with on_networks.";
        Stays { post_id, why, next: Some(next) }
    }

    fn past(&self) -> Stays {
        if self.row.deliveries.iter().any(DeliveryRow::is_to_be_sent) {
            return self.stays(
                "The time that it had is past. If it must not go out, call unschedule_post.",
                Some("unschedule_post"),
            );
        }
        self.stays("The time that it had is past. Give it a new one with schedule_post.", None)
    }
}
