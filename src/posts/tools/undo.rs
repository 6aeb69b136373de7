//! `undo_change`: takes back what a call did, as far as nothing irreversible has happened.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    desk::{Caller, ChangeId, Code, Due, Hints, PostId, Problem, Refusal, Scope, Scopes, Tool, next_call},
    platform::{Timestamp, Value},
    posts::{
        scene::{Scene, commit},
        store::{self, ChangeRow, ChangedPost, DeliveryRow, PostRow, RevisionRow},
        view::PostGroupView,
        write::{Desired, Target},
    },
    profiles::Profile,
};

/// Takes back a change.
pub struct UndoChange;

/// Arguments of `undo_change`.
#[derive(Debug, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct UndoInput {
    /// The change to take back; this grant's newest when left out.
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
    /// The change that this call made; undo_change with it brings everything back.
    change_id: Option<ChangeId>,
}

/// A post that stays as it is.
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
    const DESCRIPTION: &'static str = "Takes back this grant's last change to posts, or the one with change_id: made posts go away, edits and schedules return to what they were, deleted posts come back. What is already public, or was changed again since, stays and is named.";
    const NEEDS: Scopes = Scopes::of(&[Scope::PostsWrite]);
    const HINTS: Hints = Hints::write();
    type Input = UndoInput;
    type Output = Undone;

    async fn call(caller: &Caller<'_>, input: UndoInput) -> Result<Undone, Refusal> {
        let change = find(caller, input.change_id.as_deref()).await?;
        let ids: Vec<&str> = change.posts.iter().map(|post| post.post_id.as_str()).collect();
        let scene = Scene::read(caller, &ids, None).await?;
        let earlier = revisions(caller, &change.posts).await?;
        let (targets, not_undone) = sort_out(caller, &scene, &change.posts, &earlier);
        if targets.is_empty() {
            return Err(Problem::new(
                Code::NothingToUndo,
                "change_id",
                not_undone.first().map_or("Everything is as it was before already.", |first| first.why),
            )
            .into());
        }
        let mark = store::MARK_UNDONE.with([
            Value::from(&caller.tenant().id),
            caller.holder().into(),
            (&change.change_id).into(),
            caller.now().into(),
        ]);
        let extra = vec![mark, Caller::require_changes(1)];
        let near = targets.iter().any(|target| sends_soon(caller, &scene, target));
        let writer = if near { caller.needing(Scopes::of(&[Scope::PostsPublish])) } else { caller.clone() };
        let posts = commit(&writer, Self::NAME, &targets, None, extra).await?;
        let deleted =
            |id: &PostId| targets.iter().any(|target| target.post_id == *id && target.desired.deleted);
        Ok(Undone {
            undone: change.change_id,
            act: change.act,
            change_id: posts.first().and_then(|post| post.change_id.clone()),
            posts: posts.into_iter().filter(|post| !deleted(&post.post_id)).collect(),
            not_undone,
        })
    }
}

async fn find(caller: &Caller<'_>, change_id: Option<&str>) -> Result<ChangeRow, Refusal> {
    let statement = store::CHANGE_TO_UNDO.with([
        Value::from(&caller.tenant().id),
        caller.holder().into(),
        change_id.into(),
    ]);
    caller.read(vec![statement]).await?.next_first()?.ok_or_else(|| {
        Problem::new(
            Code::ChangeNotFound,
            "change_id",
            "Use the change_id that a write gave back, of this grant.",
        )
        .next(next_call("list_posts", json!({})))
        .into()
    })
}

async fn revisions(caller: &Caller<'_>, posts: &[ChangedPost]) -> Result<Vec<RevisionRow>, Refusal> {
    let wanted: Vec<serde_json::Value> = posts
        .iter()
        .filter_map(|post| Some(json!({ "post_id": post.post_id, "revision": post.before? })))
        .collect();
    let statement =
        store::REVISIONS.with([Value::from(&caller.tenant().id), json!(wanted).to_string().into()]);
    caller.read(vec![statement]).await?.next_as()
}

fn sort_out(
    caller: &Caller<'_>,
    scene: &Scene,
    posts: &[ChangedPost],
    earlier: &[RevisionRow],
) -> (Vec<Target>, Vec<NotUndone>) {
    let mut targets = Vec::new();
    let mut not_undone = Vec::new();
    for changed in posts {
        let Some(row) = scene.posts.iter().find(|row| row.post_id == changed.post_id) else { continue };
        let before = earlier.iter().find(|revision| {
            revision.post_id == changed.post_id && Some(revision.revision) == changed.before
        });
        match desired(row, changed, before, caller.now()) {
            Ok(desired) => {
                let profiles: Vec<&Profile> = scene.profiles.iter().collect();
                targets.push(Target::existing(row, desired, &profiles));
            }
            Err(why) => not_undone.push(NotUndone { post_id: changed.post_id.clone(), why }),
        }
    }
    (targets, not_undone)
}

/// What the post was before the change, if it can go back there.
fn desired(
    row: &PostRow,
    changed: &ChangedPost,
    before: Option<&RevisionRow>,
    now: Timestamp,
) -> Result<Desired, &'static str> {
    if row.revision != changed.after {
        return Err("It was changed again since then.");
    }
    if row.deliveries.iter().any(DeliveryRow::is_busy) {
        return Err("It is being sent right now.");
    }
    if row.deliveries.iter().any(DeliveryRow::may_be_public) {
        return Err("It is, or may be, public already.");
    }
    let Some(before) = before else {
        return Ok(Desired { content: row.content.clone(), due: None, deleted: true });
    };
    let due = match (before.due_at, &before.due_local, &before.due_zone) {
        (Some(at), Some(local), Some(zone)) => Some(Due { at, local: local.clone(), zone: zone.clone() }),
        _ => None,
    };
    if !before.deleted && due.as_ref().is_some_and(|due| due.at <= now) {
        return Err("The time that it had is past.");
    }
    Ok(Desired { content: before.content.clone(), due, deleted: before.deleted })
}

fn sends_soon(caller: &Caller<'_>, scene: &Scene, target: &Target) -> bool {
    let workspace = scene.facts.workspace_by_id(&target.workspace_id);
    match (&target.desired.due, workspace) {
        (Some(due), Some(workspace)) if !target.desired.deleted => {
            crate::posts::resolve::is_near(caller, workspace, due)
        }
        _ => false,
    }
}
