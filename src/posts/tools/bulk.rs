//! `change_posts`: many posts at once, first dry, then with the token that the dry run gave.

use jiff::Span;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::select::{Filter, matching};
use crate::{
    desk::{
        Caller, ChangeId, ClockChange, Code, Due, Fix, Hints, Moment, NextCall, PostId, Problem, Problems,
        Refusal, Scope, Scopes, TimeZoneName, Tool, Unreachable, WorkspaceFacts, WorkspaceId, moved_by,
        next_call, resolve_shift, resolve_when, sha256_text,
    },
    platform::{Purpose, Sealed, Timestamp},
    posts::{
        resolve::{due_of, is_near},
        scene::{Scene, commit},
        store::{DeliveryRow, PostRow},
        view::{Renderings, no_profiles, pause_warnings},
        write::{Desired, Target},
    },
    profiles::Profile,
};

/// Most posts that one call changes.
const MOST: usize = 50;

/// A dry run's token is good for this long, in seconds.
const TOKEN_SECONDS: i64 = 600;

/// Changes many posts.
pub struct ChangePosts;

/// Arguments of `change_posts`.
#[derive(Debug, Deserialize, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct BulkInput {
    /// The posts.
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(min = 1, max = 50)))]
    post_ids: Option<Vec<String>>,
    /// Or the posts that fit this; at most 50.
    #[serde(default)]
    filter: Option<Filter>,
    /// Move their times by this: P7D, -P1D, PT2H. Days keep the local time of day.
    #[serde(default)]
    shift: Option<String>,
    /// Give all of them this time.
    #[serde(default)]
    when: Option<String>,
    /// Make them drafts again.
    #[serde(default)]
    unschedule: Option<bool>,
    /// Delete the records of those that are not public.
    #[serde(default)]
    delete: Option<bool>,
    /// Give all of them these labels instead of theirs.
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 20), inner(length(min = 1, max = 50))))]
    labels: Option<Vec<String>>,
    /// true: only show what would happen. Without a token that is so anyway.
    #[serde(default, skip_serializing)]
    dry_run: Option<bool>,
    /// The token of the dry run, to apply it. Left out: a dry run, which changes nothing.
    #[serde(default, skip_serializing)]
    token: Option<String>,
}

/// What would change, or was changed.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct BulkResult {
    /// Whether it was changed; false for a dry run.
    applied: bool,
    /// The posts that change.
    posts: Vec<BulkItem>,
    /// The posts that stay as they are, and why.
    skipped: Vec<Skipped>,
    /// What will happen that you may not expect.
    warnings: Vec<String>,
    /// Pass it as token with the same arguments to apply this dry run within 10 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// Pass it to undo_change to take all of it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    change_id: Option<ChangeId>,
    /// The call that applies it.
    next: Vec<NextCall>,
}

/// A post that changes.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
struct BulkItem {
    /// The post.
    post_id: PostId,
    /// The beginning of its text.
    text: String,
    /// Its time before.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Moment>,
    /// Its time after; absent when it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Moment>,
}

/// A post that stays.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
struct Skipped {
    /// The post.
    post_id: PostId,
    /// Why it stays.
    why: String,
}

#[derive(Serialize, Deserialize)]
struct DryRun {
    expires_at: Timestamp,
    posts: Vec<(PostId, i64)>,
}

impl Tool for ChangePosts {
    const NAME: &'static str = "change_posts";
    const TITLE: &'static str = "Change many posts";
    const DESCRIPTION: &'static str = "Moves, schedules, unschedules, deletes or labels many posts at once. Call it first without token: a dry run that changes nothing and lists what would happen. Then call it again with the same arguments and the token it gave. Give post_ids or a filter, and one of shift, when, unschedule, delete, labels. Moving by days keeps 09:00 at 09:00.";
    const NEEDS: Scopes = Scopes::of(&[Scope::PostsWrite]);
    const HINTS: Hints = Hints::destructive();
    type Input = BulkInput;
    type Output = BulkResult;

    async fn call(caller: &Caller<'_>, input: BulkInput) -> Result<BulkResult, Refusal> {
        let mut problems = Problems::default();
        let act = Asked::of(&input, &mut problems);
        if input.dry_run == Some(false) && input.token.is_none() {
            problems.add(dry_run_needed());
        }
        let token = input.token.as_deref().filter(|_| input.dry_run != Some(true));
        let dry_run = token.and_then(|token| problems.keep(open_token(caller, &input, token)));
        let scene = match &dry_run {
            Some(dry_run) => {
                let ids: Vec<&str> = dry_run.posts.iter().map(|(id, _)| id.as_str()).collect();
                Scene::read(caller, &ids, None).await?
            }
            None => selected(caller, &input, &mut problems).await?,
        };
        let act = act.and_then(|asked| Action::of(caller, &scene, asked, &mut problems));
        problems.refuse_if_any()?;
        let act = act.ok_or(Refusal::Conflict)?;
        let plan = Plan::of(caller, &scene, &act);
        match dry_run {
            None => plan.show_dry_run(caller, &input),
            Some(dry_run) => plan.apply(caller, &dry_run).await,
        }
    }
}

/// The one change that a call asks for.
enum Asked<'i> {
    Shift(Span),
    When(&'i str),
    Unschedule,
    Delete,
    Labels(&'i [String]),
}

impl<'i> Asked<'i> {
    /// The one change that the arguments ask for, if it can be told.
    fn of(input: &'i BulkInput, problems: &mut Problems) -> Option<Self> {
        if input.post_ids.is_some() == input.filter.is_some() {
            problems.add(
                contradiction("post_ids", "Give either post_ids or filter.")
                    .message("Exactly one of post_ids and filter is needed."),
            );
        }
        let asked = [
            input.shift.is_some(),
            input.when.is_some(),
            input.unschedule == Some(true),
            input.delete == Some(true),
            input.labels.is_some(),
        ];
        if asked.into_iter().filter(|asked| *asked).count() != 1 {
            problems.add(
                contradiction("", "Give one of shift, when, unschedule, delete, labels.")
                    .message("Exactly one change is made by a call."),
            );
        }
        let shift = input.shift.as_deref().and_then(|text| problems.keep(shift(text))).map(Self::Shift);
        let when = input.when.as_deref().map(Self::When);
        let labels = input.labels.as_deref().map(Self::Labels);
        let unschedule = (input.unschedule == Some(true)).then_some(Self::Unschedule);
        let delete = (input.delete == Some(true)).then_some(Self::Delete);
        shift.or(when).or(unschedule).or(delete).or(labels)
    }
}

fn contradiction(field: &str, hint: &str) -> Problem {
    Problem::new(Code::Conflicting, field, hint).next(next_call("list_posts", json!({})))
}

/// The one thing to do with every post.
enum Action<'i> {
    Label(&'i [String]),
    Bring(To),
}

/// To what a post is brought of which nothing is public.
enum To {
    /// So much later or earlier.
    Shifted(Span),
    /// The time that is meant in its workspace.
    Time(Vec<(WorkspaceId, Due)>),
    Draft,
    Deleted,
}

impl<'i> Action<'i> {
    /// What is asked for, of the posts that it is asked for.
    fn of(caller: &Caller<'_>, scene: &Scene, asked: Asked<'i>, problems: &mut Problems) -> Option<Self> {
        Some(match asked {
            Asked::Shift(span) => Self::Bring(To::Shifted(span)),
            Asked::When(text) => Self::Bring(To::Time(problems.keep(times(caller, scene, text))?)),
            Asked::Unschedule => Self::Bring(To::Draft),
            Asked::Delete => Self::Bring(To::Deleted),
            Asked::Labels(labels) => Self::Label(labels),
        })
    }
}

/// A time as each workspace of the posts reads it; where there are no posts, as the first one does.
fn times(caller: &Caller<'_>, scene: &Scene, text: &str) -> Result<Vec<(WorkspaceId, Due)>, Problem> {
    let has_posts =
        |workspace: &&WorkspaceFacts| scene.posts.iter().any(|row| row.workspace_id == workspace.id);
    let all = &scene.facts.workspaces;
    let mut concerned: Vec<&WorkspaceFacts> = all.iter().filter(has_posts).collect();
    if concerned.is_empty() {
        concerned.extend(all.first());
    }
    let time = |workspace: &WorkspaceFacts| {
        let zone = TimeZoneName::or_utc(&workspace.time_zone);
        let when = resolve_when(text, &zone, caller.now(), "when")?;
        Ok((workspace.id.clone(), due_of(caller, workspace, when, "when")?))
    };
    concerned.into_iter().map(time).collect()
}

/// How far posts are moved. Nothing mends what cannot be read: the list shows their times.
fn shift(text: &str) -> Result<Span, Problem> {
    let list = next_call("list_posts", json!({}));
    resolve_shift(text, "shift").map_err(|problem| problem.next(list))
}

async fn selected(caller: &Caller<'_>, input: &BulkInput, problems: &mut Problems) -> Result<Scene, Refusal> {
    if let Some(filter) = &input.filter {
        let scene = matching(caller, filter, MOST, problems).await?;
        if scene.posts.len() > MOST {
            problems.add(too_many(&scene));
        }
        return Ok(scene);
    }
    let named = input.post_ids.iter().flatten().enumerate();
    let mut ids: Vec<(usize, &str)> = Vec::new();
    for (index, id) in named {
        if !ids.iter().any(|(_, known)| known == id) {
            ids.push((index, id));
        }
    }
    let scene = Scene::read(caller, &ids.iter().map(|(_, id)| *id).collect::<Vec<_>>(), None).await?;
    for (index, id) in ids {
        problems.keep_all(scene.post(id, &format!("post_ids[{index}]")).map(drop))?;
    }
    Ok(scene)
}

/// More posts fit the filter than one call changes: the corrected call names the first of them, so that no post is moved twice.
fn too_many(scene: &Scene) -> Problem {
    let first: Vec<&PostId> = scene.posts.iter().take(MOST).map(|row| &row.post_id).collect();
    let named = vec![("filter".to_owned(), Fix::Remove), ("post_ids".to_owned(), Fix::Set(json!(first)))];
    Problem::new(
        Code::TooMany,
        "filter",
        "Change them in several calls: next names the first 50. For the others name them by post_ids, as list_posts gives them, or narrow the filter with from, to, profile or label to posts that no call has changed yet.",
    )
    .message("More than 50 posts fit the filter; nothing was changed.")
    .fix(Fix::Elsewhere(named))
}

/// The arguments as they were given.
fn arguments_of(input: &BulkInput) -> serde_json::Value {
    serde_json::to_value(input).unwrap_or_default()
}

struct Change<'s> {
    row: &'s PostRow,
    workspace: &'s WorkspaceFacts,
    desired: Desired,
    /// Whether it changes when something is sent.
    moves: bool,
}

impl Change<'_> {
    fn is_near(&self, caller: &Caller<'_>) -> bool {
        let due = self.desired.due.as_ref().filter(|_| self.moves && !self.desired.deleted);
        due.is_some_and(|due| is_near(caller, self.workspace, due))
    }

    fn into_target(self, caller: &Caller<'_>, profiles: &[&Profile]) -> Target {
        let target = Target::existing(self.row, self.desired, profiles);
        if self.moves {
            target.held_until(caller.now().plus_seconds(self.workspace.hold_seconds))
        } else {
            target.leaving_deliveries()
        }
    }
}

struct Plan<'s> {
    changes: Vec<Change<'s>>,
    skipped: Vec<Skipped>,
    scene: &'s Scene,
}

impl<'s> Plan<'s> {
    fn of(caller: &Caller<'_>, scene: &'s Scene, action: &Action<'_>) -> Self {
        let mut plan = Self { changes: Vec::new(), skipped: Vec::new(), scene };
        for row in scene.posts.iter().filter(|row| row.deleted_at.is_none()) {
            let Some(workspace) = scene.facts.workspace_by_id(&row.workspace_id) else { continue };
            match desired(caller, scene, row, workspace, action) {
                Ok(desired) => {
                    let moves = matches!(action, Action::Bring(_));
                    plan.changes.push(Change { row, workspace, desired, moves });
                }
                Err(why) => plan.skipped.push(Skipped { post_id: row.post_id.clone(), why }),
            }
        }
        plan
    }

    fn items(&self, caller: &Caller<'_>) -> Vec<BulkItem> {
        self.changes
            .iter()
            .map(|Change { row, workspace, desired, .. }| {
                let zone = TimeZoneName::or_utc(&workspace.time_zone);
                let moment = |at| Moment::new(at, &zone, caller.now());
                BulkItem {
                    post_id: row.post_id.clone(),
                    text: row.content.text.chars().take(80).collect(),
                    from: row.due_at.map(moment),
                    to: desired.due.as_ref().filter(|_| !desired.deleted).map(|due| moment(due.at)),
                }
            })
            .collect()
    }

    /// Which of the new times are in a pause.
    fn warnings(&self, caller: &Caller<'_>) -> Vec<String> {
        let Some(first) = self.changes.first() else { return Vec::new() };
        let moved = self.changes.iter().filter(|change| change.moves && !change.desired.deleted);
        let outgoing = moved.filter_map(|change| Some((change, change.desired.due.as_ref()?.at)));
        let outgoing = outgoing.flat_map(|(change, at)| {
            let goes = |profile: &&Profile| change.desired.content.profiles.contains(&profile.id);
            self.scene.profiles.iter().filter(goes).map(move |profile| (profile, at))
        });
        pause_warnings(outgoing, &TimeZoneName::or_utc(&first.workspace.time_zone), caller.now())
    }

    fn show_dry_run(self, caller: &Caller<'_>, input: &BulkInput) -> Result<BulkResult, Refusal> {
        let posts = self.items(caller);
        let token = (!posts.is_empty()).then(|| self.seal_token(caller, input)).flatten();
        let next = token.as_ref().map(|token| {
            let mut arguments = arguments_of(input);
            if let Some(object) = arguments.as_object_mut() {
                object.insert("token".to_owned(), json!(token));
            }
            next_call(ChangePosts::NAME, arguments)
        });
        Ok(BulkResult {
            applied: false,
            posts,
            warnings: self.warnings(caller),
            skipped: self.skipped,
            token,
            change_id: None,
            next: next.into_iter().collect(),
        })
    }

    async fn apply(self, caller: &Caller<'_>, dry_run: &DryRun) -> Result<BulkResult, Refusal> {
        let same = self.changes.len() == dry_run.posts.len()
            && self.changes.iter().all(|Change { row, .. }| {
                dry_run.posts.iter().any(|(id, revision)| *id == row.post_id && *revision == row.revision)
            });
        if !same {
            return Err(stale().into());
        }
        let (posts, warnings) = (self.items(caller), self.warnings(caller));
        let profiles: Vec<&Profile> = self.scene.profiles.iter().collect();
        let near = self.changes.iter().any(|change| change.is_near(caller));
        let writer = if near { caller.needing(Scopes::of(&[Scope::PostsPublish])) } else { caller.clone() };
        let targets: Vec<Target> =
            self.changes.into_iter().map(|change| change.into_target(caller, &profiles)).collect();
        let views = match commit(&writer, ChangePosts::NAME, &targets, None, Vec::new()).await {
            Err(Refusal::Conflict) => return Err(stale().into()),
            other => other?,
        };
        Ok(BulkResult {
            applied: true,
            posts,
            warnings,
            skipped: self.skipped,
            token: None,
            change_id: views.first().and_then(|view| view.change_id.clone()),
            next: Vec::new(),
        })
    }

    fn seal_token(&self, caller: &Caller<'_>, input: &BulkInput) -> Option<String> {
        let dry_run = DryRun {
            expires_at: caller.now().plus_seconds(TOKEN_SECONDS),
            posts: self
                .changes
                .iter()
                .map(|Change { row, .. }| (row.post_id.clone(), row.revision))
                .collect(),
        };
        let platform = caller.platform();
        let body = serde_json::to_vec(&dry_run).ok()?;
        let arguments = arguments_hash(input);
        let context = [caller.tenant().id.as_str(), &caller.holder(), &arguments];
        platform
            .config
            .keys
            .seal(Purpose::DryRun, platform.entropy, &context, &body)
            .ok()
            .map(|sealed| sealed.as_str().to_owned())
    }
}

fn arguments_hash(input: &BulkInput) -> String {
    sha256_text(&serde_json::to_vec(input).unwrap_or_default())
}

fn open_token(caller: &Caller<'_>, input: &BulkInput, token: &str) -> Result<DryRun, Problem> {
    let arguments = arguments_hash(input);
    let context = [caller.tenant().id.as_str(), &caller.holder(), &arguments];
    caller
        .platform()
        .config
        .keys
        .open(Purpose::DryRun, &context, &Sealed::from_stored(token.to_owned()))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<DryRun>(&bytes).ok())
        .filter(|dry_run| dry_run.expires_at > caller.now())
        .ok_or_else(stale)
}

fn dry_run_needed() -> Problem {
    Problem::new(
        Code::DryRunNeeded,
        "dry_run",
        "Leave dry_run out, look at what the call lists, then repeat it with the token that it gave.",
    )
    .fix(Fix::Set(true.into()))
}

fn stale() -> Problem {
    Problem::new(
        Code::DryRunStale,
        "token",
        "Call change_posts with the same arguments and no token, look at what it lists, then apply its token.",
    )
    .fix(Fix::Elsewhere(vec![("token".to_owned(), Fix::Remove)]))
}

/// What `action` makes of one post, or why it stays.
fn desired(
    caller: &Caller<'_>,
    scene: &Scene,
    row: &PostRow,
    workspace: &WorkspaceFacts,
    action: &Action<'_>,
) -> Result<Desired, String> {
    if row.deliveries.iter().any(DeliveryRow::is_busy) {
        return Err("It is being sent right now.".to_owned());
    }
    let keep = Desired { content: row.content.clone(), due: row.due(), deleted: false };
    let to = match action {
        Action::Label(labels) => {
            let mut content = keep.content;
            (*labels).clone_into(&mut content.labels);
            return Ok(Desired { content, due: keep.due, deleted: keep.deleted });
        }
        Action::Bring(to) => to,
    };
    if row.deliveries.iter().any(DeliveryRow::may_be_public) {
        return Err("It is, or may be, public already.".to_owned());
    }
    match to {
        To::Deleted => Ok(Desired { deleted: true, ..keep }),
        To::Draft if keep.due.is_none() => Err("It is a draft.".to_owned()),
        To::Draft => Ok(Desired { due: None, ..keep }),
        To::Shifted(span) => shifted(caller, workspace, keep, *span),
        To::Time(times) => retimed(scene, workspace, keep, times),
    }
}

/// Its time in its workspace, if it can be sent.
fn retimed(
    scene: &Scene,
    workspace: &WorkspaceFacts,
    keep: Desired,
    times: &[(WorkspaceId, Due)],
) -> Result<Desired, String> {
    let no_profiles = keep.content.profiles.is_empty().then(no_profiles);
    let unsendable = Renderings::of(&keep.content, &scene.profiles).problems();
    match unsendable.into_iter().chain(no_profiles).next() {
        Some(problem) => Err(problem.message),
        None => {
            let due = times.iter().find(|(id, _)| *id == workspace.id).map(|(_, due)| due.clone());
            Ok(Desired { due, ..keep })
        }
    }
}

fn shifted(
    caller: &Caller<'_>,
    workspace: &WorkspaceFacts,
    keep: Desired,
    span: Span,
) -> Result<Desired, String> {
    let due = keep.due.as_ref().ok_or("It is a draft.")?;
    let zone = TimeZoneName::or_utc(&workspace.time_zone);
    let moved = moved_by(due.at, span, &zone).map_err(|fault| match fault {
        Unreachable::OutOfRange => "That time cannot be reached.".to_owned(),
        Unreachable::ClockChange(ClockChange { words, earlier, later }) => {
            format!("{words} Give it {earlier} or {later} with schedule_post.")
        }
    })?;
    let at = Timestamp::from_millis(moved.timestamp().as_millisecond());
    if at <= caller.now() {
        return Err("Its new time would be past.".to_owned());
    }
    Ok(Desired { due: Some(Due::at(at, &zone)), ..keep })
}
