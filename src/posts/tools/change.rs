//! `update_post`, `schedule_post`, `unschedule_post`, `publish_post`: one post from what it is to what it shall be.

use serde::Deserialize;
use serde_json::{Value, json};

use super::create::CreatePost;
use crate::{
    desk::{
        Caller, Code, Due, Fix, Hints, NextCall, PostId, Problem, Problems, ProfileId, Refusal, Scope,
        Scopes, Tool, ToolEntry, WorkspaceFacts, next_call,
    },
    posts::{
        Content, DeliveryState,
        input::PostBody,
        resolve::{Resolved, Wish, due_of, is_near, resolve_bodies, unsendable},
        scene::{Scene, busy, check_revision, check_seen, commit_one},
        store::{DeliveryRow, PostRow},
        view::{PostGroupView, show},
        write::{Desired, Target},
    },
    profiles::Profile,
};

const WRITE: Scopes = Scopes::of(&[Scope::PostsWrite]);
const PUBLISH: Scopes = Scopes::of(&[Scope::PostsPublish]);

/// Changes what a post says.
pub struct UpdatePost;

/// Arguments of `update_post`.
#[derive(Debug, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct UpdateInput {
    /// The post.
    post_id: String,
    #[serde(flatten)]
    body: PostBody,
    /// Refuse if the post is at another revision by now.
    #[serde(default)]
    expected_revision: Option<i64>,
}

impl Tool for UpdatePost {
    const NAME: &'static str = "update_post";
    const TITLE: &'static str = "Change a post";
    const DESCRIPTION: &'static str = "Changes the fields you give and keeps the others, the time included. A list replaces the whole list ([] empties it), \"\" empties a text. What is already live is not changed; profiles it was not sent to yet get the new version. A post that stays scheduled must be without problems.";
    const NEEDS: Scopes = WRITE;
    const HINTS: Hints = Hints::write().idempotent();
    type Input = UpdateInput;
    type Output = PostGroupView;

    fn needs_of(input: &UpdateInput) -> Scopes {
        input.body.needs()
    }

    async fn call(caller: &Caller<'_>, input: UpdateInput) -> Result<PostGroupView, Refusal> {
        let scene = Scene::read(caller, &[&input.post_id], None).await?;
        let (change, mut problems) =
            Change::of(caller, &scene, &input.post_id, input.expected_revision, check_revision)?;
        if let Some(named) = &input.body.workspace {
            problems.keep_all(change.is_there(named))?;
        }
        change.apply(Self::NAME, &input.body, problems).await
    }
}

/// Gives a draft the time at which it is published.
pub struct SchedulePost;

/// Arguments of `schedule_post`.
#[derive(Debug, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ScheduleInput {
    /// The post.
    post_id: String,
    /// When: 2026-12-01T09:00 (workspace time, or with +01:00 or [Zone]), a duration such as PT2H or P7D, now.
    when: String,
    /// Also set where it goes: ids, handles, networks or "all".
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(min = 1, max = 50)))]
    profiles: Option<Vec<String>>,
    /// Refuse if the post is at another revision by now.
    #[serde(default)]
    expected_revision: Option<i64>,
}

impl Tool for SchedulePost {
    const NAME: &'static str = "schedule_post";
    const TITLE: &'static str = "Schedule a post";
    const DESCRIPTION: &'static str = "Gives a draft its time, or a scheduled post another one. At that time it goes out by itself. The post must have a profile and no problems (see preview_post). A time within the workspace's notice needs posts:publish. To send at once use publish_post.";
    const NEEDS: Scopes = WRITE;
    const HINTS: Hints = Hints::write().idempotent();
    type Input = ScheduleInput;
    type Output = PostGroupView;

    fn needs_of(input: &ScheduleInput) -> Scopes {
        needs_of_when(Some(&input.when))
    }

    async fn call(caller: &Caller<'_>, input: ScheduleInput) -> Result<PostGroupView, Refusal> {
        let scene = Scene::read(caller, &[&input.post_id], None).await?;
        let (change, problems) =
            Change::of(caller, &scene, &input.post_id, input.expected_revision, check_seen)?;
        let body = PostBody { profiles: input.profiles, when: Some(input.when), ..PostBody::default() };
        change.apply(Self::NAME, &body, problems).await
    }
}

/// Makes a scheduled post a draft again.
pub struct UnschedulePost;

/// Arguments of `unschedule_post`.
#[derive(Debug, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct UnscheduleInput {
    /// The post.
    post_id: String,
}

impl Tool for UnschedulePost {
    const NAME: &'static str = "unschedule_post";
    const TITLE: &'static str = "Unschedule a post";
    const DESCRIPTION: &'static str = "Makes a scheduled post a draft again; nothing is lost. Works until it is being sent, also within the hold after publish_post.";
    const NEEDS: Scopes = WRITE;
    const HINTS: Hints = Hints::write().idempotent();
    type Input = UnscheduleInput;
    type Output = PostGroupView;

    async fn call(caller: &Caller<'_>, input: UnscheduleInput) -> Result<PostGroupView, Refusal> {
        unschedule(caller, &input.post_id).await
    }
}

/// Makes a scheduled post a draft again.
///
/// # Errors
/// `post_not_found`, `not_scheduled`, `post_busy`, `post_already_live`.
pub async fn unschedule(caller: &Caller<'_>, post_id: &str) -> Result<PostGroupView, Refusal> {
    let scene = Scene::read(caller, &[post_id], None).await?;
    let (row, workspace) = scene.post(post_id, "post_id")?;
    if let Some(problem) = out_of_reach(row) {
        return Err(problem.next(next_call("get_post", json!({ "post_id": row.post_id }))).into());
    }
    if row.due_at.is_none() {
        return Err(Problem::new(
            Code::NotScheduled,
            "post_id",
            "It is a draft already; nothing needs to be done.",
        )
        .next(next_call("get_post", json!({ "post_id": row.post_id })))
        .into());
    }
    let change = Change { caller, scene: &scene, row, workspace, expected: None };
    let desired = Desired { content: row.content.clone(), due: None, deleted: false };
    commit_one(caller, UnschedulePost::NAME, change.target(desired), None, Vec::new()).await
}

/// Publishes a post at once.
pub struct PublishPost;

/// Arguments of `publish_post`.
#[derive(Debug, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct PublishInput {
    /// The post.
    post_id: String,
    /// Also set where it goes: ids, handles, networks or "all".
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(min = 1, max = 50)))]
    profiles: Option<Vec<String>>,
    /// Refuse if the post is at another revision by now.
    #[serde(default)]
    expected_revision: Option<i64>,
}

impl Tool for PublishPost {
    const NAME: &'static str = "publish_post";
    const TITLE: &'static str = "Publish a post now";
    const DESCRIPTION: &'static str = "Sends a post to its profiles at once, after a short hold (30 seconds unless the workspace says otherwise) in which unschedule_post still stops it. Only when the person asked for it. See what became of it with get_post about a minute later; do not call it twice.";
    const NEEDS: Scopes = Scopes::of(&[Scope::PostsWrite, Scope::PostsPublish]);
    const HINTS: Hints = Hints::destructive().idempotent().open_world();
    type Input = PublishInput;
    type Output = PostGroupView;

    async fn call(caller: &Caller<'_>, input: PublishInput) -> Result<PostGroupView, Refusal> {
        let scene = Scene::read(caller, &[&input.post_id], None).await?;
        let (change, problems) =
            Change::of(caller, &scene, &input.post_id, input.expected_revision, check_seen)?;
        let now = Some("now".to_owned());
        let body = PostBody { profiles: input.profiles, when: now, ..PostBody::default() };
        change.apply(Self::NAME, &body, problems).await
    }
}

/// One post on its way, with what was read for it.
struct Change<'s> {
    caller: &'s Caller<'s>,
    scene: &'s Scene,
    row: &'s PostRow,
    workspace: &'s WorkspaceFacts,
    /// The revision that the caller named.
    expected: Option<i64>,
}

/// What a stale revision is answered with: [`check_revision`] or [`check_seen`].
type RevisionCheck = fn(&PostRow, Option<i64>) -> Result<(), Refusal>;

impl<'s> Change<'s> {
    /// A post to be changed, and what is wrong with changing it; `check` is for the revision that is `expected`.
    ///
    /// # Errors
    /// `post_not_found`.
    fn of(
        caller: &'s Caller<'s>,
        scene: &'s Scene,
        post_id: &str,
        expected: Option<i64>,
        check: RevisionCheck,
    ) -> Result<(Self, Problems), Refusal> {
        let mut problems = Problems::default();
        let (row, workspace) = problems.keep_or(scene.post(post_id, "post_id"), scene.stand_in())?;
        problems.keep_all(check(row, expected))?;
        Ok((Self { caller, scene, row, workspace, expected }, problems))
    }

    /// Refuses a workspace that is not the post's. Leaving it out is right whatever was meant by it.
    fn is_there(&self, named: &str) -> Result<(), Refusal> {
        let hint = "A post stays in its workspace: leave workspace out, or use create_post with copy_from.";
        let code = match self.scene.facts.workspace(Some(named)) {
            Ok(found) if found.id == self.workspace.id => return Ok(()),
            Ok(_) => Code::Conflicting,
            Err(_) => Code::WorkspaceNotFound,
        };
        Err(Problem::new(code, "workspace", hint).fix(Fix::Remove).into())
    }

    /// What `body` says in place of what the post said, at its time or the one that it has. What changes nothing writes nothing.
    async fn apply(
        &self,
        act: &'static str,
        body: &PostBody,
        mut problems: Problems,
    ) -> Result<PostGroupView, Refusal> {
        let live = self.live(act, body).await;
        problems.extend(live);
        let base = self.row.content.clone();
        let wishes = vec![Wish { workspace: self.workspace, body, base, prefix: "", is_new: false }];
        let bodies = resolve_bodies(self.caller, &self.scene.profiles, wishes, &mut problems).await?;
        let new = bodies.each.first().ok_or(Refusal::Conflict)?;
        let changes = new.goes_out || new.content != self.row.content;
        let (planned, unsendable) = self.planned(new, &mut problems);
        let unsendable = self.mendable(act, body, unsendable, &problems).await;
        problems.extend(unsendable);
        let bodies = bodies.if_fine(self.caller, problems).await?;
        let Some(Kept { mut target, near, .. }) = planned.filter(|_| changes) else {
            bodies.discard(self.caller).await;
            return Ok(show(self.caller, self.row, self.workspace, &self.scene.profiles));
        };
        let writer = if near { self.caller.needing(PUBLISH) } else { self.caller.clone() };
        if let Some(content) = bodies.keep(&writer).await?.pop() {
            target.desired.content = content;
        }
        commit_one(&writer, act, target, self.expected, Vec::new()).await
    }

    /// What the post becomes, if that can be told, and what of it cannot be sent.
    fn planned(&self, body: &Resolved<'_>, problems: &mut Problems) -> (Option<Kept>, Vec<Problem>) {
        let planned = match &body.when {
            Some(when) => {
                let due = due_of(self.caller, self.workspace, when.clone(), "when");
                problems.keep(due).map(|due| self.scheduled(body, due))
            }
            None if body.goes_out => None,
            None => {
                let content = body.content.clone();
                let profiles = &self.scene.profiles;
                let kept = keeping_time(self.caller, self.workspace, profiles, self.row, content);
                problems.keep(kept.map_err(|Late| late()))
            }
        };
        let sends = planned.as_ref().map_or(body.goes_out, |planned| planned.sends);
        let is_draft = self.row.due_at.is_none();
        let profiles = self.scene.profiles_of(self.workspace);
        let unsendable = if sends { unsendable(body, &profiles, is_draft) } else { Vec::new() };
        (planned, unsendable)
    }

    /// New content, and this time.
    fn scheduled(&self, body: &Resolved<'_>, due: Due) -> Kept {
        let near = is_near(self.caller, self.workspace, &due);
        let hold = if near { self.workspace.hold_seconds } else { 0 };
        let desired = Desired { content: body.content.clone(), due: Some(due), deleted: false };
        let target = self.target(desired).held_until(self.caller.now().plus_seconds(hold));
        Kept { target, sends: true, near }
    }

    fn target(&self, desired: Desired) -> Target {
        Target::existing(self.row, desired, &self.scene.profiles.iter().collect::<Vec<_>>())
    }

    /// That nothing of the post can be changed any more. What shall be said or sent instead is a copy's.
    async fn live(&self, act: &'static str, body: &PostBody) -> Option<Problem> {
        let problem = out_of_reach(self.row)?;
        let post_id = &self.row.post_id;
        let look = next_call("get_post", json!({ "post_id": post_id }));
        if problem.code == Code::PostBusy || act == PublishPost::NAME {
            return Some(problem.next(look));
        }
        let copied =
            vec![("post_id".to_owned(), Fix::Remove), ("copy_from".to_owned(), Fix::Set(json!(post_id)))];
        let instead = problem.clone().fix(Fix::Elsewhere(copied));
        let create = ToolEntry::of::<CreatePost>();
        let copy = create.corrected(self.caller, &self.with_body(body), &[instead]).await;
        Some(
            problem
                .next(copy.unwrap_or_else(|| next_call(CreatePost::NAME, json!({ "copy_from": post_id })))),
        )
    }

    /// The post's id, and what is said about it.
    fn with_body(&self, body: &PostBody) -> Value {
        let mut arguments = json!(PostBody { workspace: None, ..body.clone() });
        if let Some(fields) = arguments.as_object_mut() {
            fields.insert("post_id".to_owned(), json!(self.row.post_id));
        }
        arguments
    }

    /// Only `update_post` has the arguments that mend content: others are answered with its call, or the preview's.
    async fn mendable(
        &self,
        act: &'static str,
        body: &PostBody,
        mut unsendable: Vec<Problem>,
        others: &Problems,
    ) -> Vec<Problem> {
        if unsendable.is_empty() || self.row.is_stand_in() {
            return unsendable;
        }
        let given = self.with_body(body);
        let mut next = None;
        if act != UpdatePost::NAME {
            let all = [others.as_slice(), &unsendable].concat();
            next = ToolEntry::of::<UpdatePost>().corrected(self.caller, &given, &all).await;
            unsendable.iter_mut().for_each(|problem| problem.fix = None);
        }
        let next = match next {
            Some(next) => next,
            None if others.is_empty() => next_call("preview_post", given),
            None => next_call("preview_post", json!({ "post_id": self.row.post_id })),
        };
        if let Some(first) = unsendable.first_mut() {
            first.next = Some(next);
        }
        unsendable
    }
}

/// The call of `update_post` that keeps what a retry was given, mended, and sends nothing.
pub async fn update_with(caller: &Caller<'_>, post_id: &PostId, mended: &[Problem]) -> Option<NextCall> {
    ToolEntry::of::<UpdatePost>().corrected(caller, &json!({ "post_id": post_id }), mended).await
}

/// New content for a post, at its time or another.
pub(super) struct Kept {
    /// What the post becomes.
    pub target: Target,
    /// Whether any of it will be sent.
    pub sends: bool,
    /// Whether that is so soon that it needs the capability to publish.
    pub near: bool,
}

/// The time of a post is past, nothing of it waits, and a profile would be added to it.
pub(super) struct Late;

/// What `content` makes of a post that keeps its time. What failed, was missed or cancelled stays so.
///
/// # Errors
/// [`Late`]: it would send something that nobody gave a time to.
pub(super) fn keeping_time(
    caller: &Caller<'_>,
    workspace: &WorkspaceFacts,
    profiles: &[Profile],
    row: &PostRow,
    content: Content,
) -> Result<Kept, Late> {
    let same = content.hash() == row.content.hash();
    let desired = Desired { content, due: row.due(), deleted: false };
    let target = Target::existing(row, desired, &profiles.iter().collect::<Vec<_>>());
    let Some(due) = row.due().filter(|_| !same) else {
        return Ok(Kept { target: target.leaving_deliveries(), sends: false, near: false });
    };
    let delivery =
        |profile: &ProfileId| row.deliveries.iter().find(|delivery| delivery.profile_id == *profile);
    let waits = target.profiles.iter().any(|(id, _)| delivery(id).is_some_and(DeliveryRow::is_to_be_sent));
    let added = target.profiles.iter().any(|(id, _)| delivery(id).is_none());
    if added && !waits && due.at <= caller.now() {
        return Err(Late);
    }
    let sends = waits || added;
    let near = sends && is_near(caller, workspace, &due);
    let hold = if near { workspace.hold_seconds } else { 0 };
    let target = target.held_until(caller.now().plus_seconds(hold)).leaving_settled();
    Ok(Kept { target, sends, near })
}

fn late() -> Problem {
    Problem::new(
        Code::InvalidSchedule,
        "when",
        "Give a time with when, or publish_post if the person wants it to go out now.",
    )
    .message("Its time is past and nothing of it waits any more, so a profile that is added needs a time.")
}

fn needs_of_when(when: Option<&str>) -> Scopes {
    let now = when.is_some_and(|when| when.trim().eq_ignore_ascii_case("now"));
    if now { PUBLISH } else { Scopes::NONE }
}

/// Why a post that is wholly on the networks, or being sent, cannot be changed.
fn out_of_reach(row: &PostRow) -> Option<Problem> {
    if row.deliveries.iter().any(DeliveryRow::is_busy) {
        return Some(busy(&row.post_id));
    }
    let live = !row.deliveries.is_empty()
        && row.deliveries.iter().all(|delivery| delivery.state == DeliveryState::Published);
    live.then(|| {
        let hint = "What is on the networks cannot be changed from here. Make a new post with copy_from, or take it down with delete_post and on_networks.";
        Problem::new(Code::PostAlreadyLive, "post_id", hint)
    })
}
