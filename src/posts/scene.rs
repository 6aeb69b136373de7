//! What a call on posts starts from, read in one batch, and how it ends, written in one batch.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    DeliveryState, sent,
    store::{self, DeliveryRow, PostRow, RememberedRow},
    view::{PostGroupView, show},
    write::{Target, statements},
};
use crate::{
    desk::{
        Act, Answer, Caller, ChangeId, Code, Facts, Fix, PostId, Problem, Refusal, TimeZoneName,
        WorkspaceFacts, next_call, sha256_text,
    },
    platform::{Statement, Value},
    profiles::{self, Profile},
};

/// A repeated call without a key within this time is taken for the same one, in seconds.
const SAME_BODY_SECONDS: i64 = 600;

/// What was read for a call.
pub struct Scene {
    /// The caller.
    pub facts: Facts,
    /// The profiles that the caller may see.
    pub profiles: Vec<Profile>,
    /// The posts that were named and may be seen, deleted ones included.
    pub posts: Vec<PostRow>,
    /// What the same call gave before.
    pub remembered: Option<RememberedRow>,
    /// In a rehearsal, the post by which the rest of a call is judged whose own post is not found.
    stand_in: Option<PostRow>,
}

/// How a repeated call is recognised.
pub struct Repeat {
    tool: &'static str,
    key: String,
    body_hash: String,
    lives_seconds: Option<i64>,
    replaces: Option<String>,
}

/// What making posts gave, as it is remembered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Made {
    /// The posts, in the order of the arguments.
    pub posts: Vec<PostId>,
    /// What takes them back.
    pub change_id: ChangeId,
}

impl Repeat {
    /// By the key that the caller gave, else by the body, unless duplicates are allowed.
    pub fn of(
        tool: &'static str,
        key: Option<&str>,
        body: &impl Serialize,
        allow_duplicate: bool,
    ) -> Option<Self> {
        let by_key = Self::by_key(tool, key, body);
        if by_key.is_some() || allow_duplicate {
            return by_key;
        }
        let body_hash = hash_of(body);
        Some(Self {
            tool,
            key: format!("body:{body_hash}"),
            body_hash,
            lives_seconds: Some(SAME_BODY_SECONDS),
            replaces: None,
        })
    }

    /// By the key that the caller gave, and by nothing else.
    pub fn by_key(tool: &'static str, key: Option<&str>, body: &impl Serialize) -> Option<Self> {
        key.map(|key| Self {
            tool,
            key: format!("key:{key}"),
            body_hash: hash_of(body),
            lives_seconds: None,
            replaces: None,
        })
    }

    /// The same, forgetting what `scene` remembers.
    #[must_use]
    pub fn anew(mut self, scene: &Scene) -> Self {
        self.replaces = scene.remembered.as_ref().map(|row| row.result.clone());
        self
    }

    fn look_up(&self, caller: &Caller<'_>) -> Statement {
        store::REMEMBERED.with([
            Value::from(&caller.tenant().id),
            caller.holder().into(),
            self.tool.into(),
            self.key.as_str().into(),
        ])
    }

    /// The statements that remember a result, or abort the batch because the same call was remembered in parallel.
    pub fn remember(&self, caller: &Caller<'_>, result: &impl Serialize) -> [Statement; 2] {
        let now = caller.now();
        let replaced = self.lives_seconds.map_or(-1, |seconds| now.plus_seconds(-seconds).as_millis());
        [
            store::REMEMBER.with([
                Value::from(&caller.tenant().id),
                caller.holder().into(),
                self.tool.into(),
                self.key.as_str().into(),
                self.body_hash.as_str().into(),
                serde_json::to_string(result).unwrap_or_default().into(),
                now.into(),
                replaced.into(),
                self.replaces.clone().into(),
            ]),
            Caller::require_changes(1),
        ]
    }

    /// What the same call gave before, if it was made before.
    ///
    /// # Errors
    /// `idempotency_key_reused`.
    pub fn earlier<T: DeserializeOwned>(
        &self,
        caller: &Caller<'_>,
        scene: &Scene,
    ) -> Result<Option<T>, Refusal> {
        let Some(row) = &scene.remembered else { return Ok(None) };
        let expired =
            self.lives_seconds.is_some_and(|seconds| row.created_at.plus_seconds(seconds) <= caller.now());
        if expired {
            return Ok(None);
        }
        if row.body_hash != self.body_hash {
            return Err(Problem::new(
                Code::IdempotencyKeyReused,
                "idempotency_key",
                "Use a new key for other arguments, or the same arguments for this key.",
            )
            .fix(Fix::Remove)
            .into());
        }
        Ok(serde_json::from_str(&row.result).ok())
    }

    /// Whether it was recognised by a key.
    pub fn has_key(&self) -> bool {
        self.lives_seconds.is_none()
    }
}

fn hash_of(body: &impl Serialize) -> String {
    sha256_text(serde_json::to_string(body).unwrap_or_default().as_bytes())
}

impl Scene {
    /// Reads the caller, the profiles in sight, the posts of these ids, and what the same call gave before.
    ///
    /// # Errors
    /// When the gate is closed or the database fails.
    pub async fn read(caller: &Caller<'_>, posts: &[&str], repeat: Option<&Repeat>) -> Result<Self, Refusal> {
        let mut batch = vec![profiles::in_sight(caller)];
        batch.extend(by_id(caller, posts));
        batch.extend(repeat.map(|repeat| repeat.look_up(caller)));
        let mut answer = caller.read(batch).await?;
        let profiles = answer.next_as()?;
        let posts = next_posts(&mut answer)?;
        let remembered = if repeat.is_some() { answer.next_first()? } else { None };
        Ok(Self { remembered, ..Self::of(answer.facts, profiles, posts) })
    }

    /// What was read.
    pub fn of(facts: Facts, profiles: Vec<Profile>, posts: Vec<PostRow>) -> Self {
        let stand_in = facts.stand_in().and_then(|workspace| PostRow::stand_in(&workspace.id));
        Self { facts, profiles, posts, remembered: None, stand_in }
    }

    /// What stands in, in a rehearsal, for a post that is not found, with its workspace.
    pub fn stand_in(&self) -> Option<(&PostRow, &WorkspaceFacts)> {
        Some((self.stand_in.as_ref()?, self.facts.stand_in()?))
    }

    /// The post of this id, with its workspace.
    ///
    /// # Errors
    /// `post_not_found`, the same whether it exists elsewhere or not.
    pub fn post(&self, post_id: &str, field: &str) -> Result<(&PostRow, &WorkspaceFacts), Refusal> {
        self.posts
            .iter()
            .find(|row| row.post_id.as_str() == post_id && row.deleted_at.is_none())
            .and_then(|row| Some((row, self.facts.workspace_by_id(&row.workspace_id)?)))
            .ok_or_else(|| post_not_found(field).into())
    }

    /// The post of this id even if it is deleted, with its workspace.
    pub fn post_or_remains(&self, post_id: &PostId) -> Option<(&PostRow, &WorkspaceFacts)> {
        let row = self.posts.iter().find(|row| row.post_id == *post_id)?;
        Some((row, self.facts.workspace_by_id(&row.workspace_id)?))
    }

    /// The profiles of a workspace.
    pub fn profiles_of(&self, workspace: &WorkspaceFacts) -> Vec<Profile> {
        self.profiles.iter().filter(|profile| profile.workspace_id == workspace.id).cloned().collect()
    }
}

/// The problem of a post that is not in sight.
pub fn post_not_found(field: &str) -> Problem {
    Problem::new(Code::PostNotFound, field, "Take a post_id from list_posts.")
        .next(next_call("list_posts", json!({})))
}

/// The statements that read the posts of these ids, with their deliveries; [`next_posts`] takes what they gave.
pub fn by_id(caller: &Caller<'_>, posts: &[&str]) -> [Statement; 2] {
    let (tenant, grant) = caller.sight();
    let ids = json!(posts).to_string();
    [
        store::POSTS_BY_ID.with([tenant.clone(), grant, ids.as_str().into()]),
        store::SENT.with([tenant, ids.into()]),
    ]
}

/// The posts that the statements of [`by_id`] gave.
///
/// # Errors
/// When a column does not parse.
pub fn next_posts(answer: &mut Answer) -> Result<Vec<PostRow>, Refusal> {
    let mut posts = answer.next_as()?;
    sent::put_to(&mut posts, answer.next_as()?);
    Ok(posts)
}

/// Takes posts to what they shall be, carries out `extra` after that, and shows them as they are then, in the order of `targets`.
///
/// # Errors
/// [`Refusal::Conflict`] when a post is not at its revision any more, is being sent, or the call was repeated in
/// parallel; nothing has changed then.
pub async fn commit(
    caller: &Caller<'_>,
    act: &'static str,
    targets: &[Target],
    repeat: Option<&Repeat>,
    extra: Vec<Statement>,
) -> Result<Vec<PostGroupView>, Refusal> {
    let platform = caller.platform();
    let change_id = ChangeId::new(caller.now(), platform.entropy);
    let ids: Vec<PostId> = targets.iter().map(|target| target.post_id.clone()).collect();
    let subjects: Vec<&str> = ids.iter().map(PostId::as_str).collect();

    let mut batch: Vec<Statement> = Vec::new();
    if let Some(repeat) = repeat {
        batch.extend(repeat.remember(caller, &Made { posts: ids.clone(), change_id: change_id.clone() }));
    }
    batch.extend(statements(caller, act, &change_id, targets));
    batch.extend(extra);
    let before_reads = batch.len();
    batch.push(profiles::in_sight(caller));
    batch.extend(by_id(caller, &subjects));

    let mut answer = caller.write(Act { name: act, subjects: &subjects }, batch).await?;
    for _ in 0..before_reads {
        answer.next_rows();
    }
    let profiles: Vec<Profile> = answer.next_as()?;
    let rows = next_posts(&mut answer)?;
    let views = targets.iter().filter_map(|target| {
        let row = rows.iter().find(|row| row.post_id == target.post_id)?;
        let workspace = answer.facts.workspace_by_id(&row.workspace_id)?;
        let mut view = show(caller, row, workspace, &profiles);
        view.change_id = Some(change_id.clone());
        view.warnings.extend(hold_words(caller, row, workspace, &profiles));
        Some(view)
    });
    Ok(views.collect())
}

/// Says until when a post is held back that is due before that; nothing where publishing is paused.
fn hold_words(
    caller: &Caller<'_>,
    row: &PostRow,
    workspace: &WorkspaceFacts,
    profiles: &[Profile],
) -> Option<String> {
    let is_paused = |delivery: &DeliveryRow, at| {
        let profile = profiles.iter().find(|profile| profile.id == delivery.profile_id);
        profile.and_then(|profile| profile.pause.as_ref()).is_some_and(|pause| pause.holds_at(at))
    };
    let waiting = row.deliveries.iter().filter(|delivery| delivery.state == DeliveryState::Waiting);
    let next_at = waiting.filter_map(|one| one.next_at.filter(|at| !is_paused(one, *at))).min()?;
    if row.due_at.is_none_or(|due| due >= next_at) || next_at <= caller.now() {
        return None;
    }
    let seconds = next_at.millis_since(caller.now()).div_euclid(1000);
    let until = TimeZoneName::or_utc(&workspace.time_zone).local(next_at);
    Some(format!(
        "It is held for {seconds} seconds, until {}, and goes out within a minute after that; until then unschedule_post stops it.",
        until.strftime("%H:%M:%S")
    ))
}

/// Commits a change of one existing post and tells what stood in its way. `expected` is the revision that the caller named.
///
/// # Errors
/// `post_changed`, `conflict`, `post_busy`, or those of the batch.
pub async fn commit_one(
    caller: &Caller<'_>,
    act: &'static str,
    target: Target,
    expected: Option<i64>,
    extra: Vec<Statement>,
) -> Result<PostGroupView, Refusal> {
    let post_id = target.post_id.clone();
    let before = target.revision;
    match commit(caller, act, &[target], None, extra).await {
        Ok(views) => views.into_iter().next().ok_or_else(|| post_not_found("post_id").into()),
        Err(Refusal::Conflict) => Err(why_conflict(caller, &post_id, before, expected).await),
        Err(refusal) => Err(refusal),
    }
}

/// Deletes a post's record. `expected` is the revision that the caller named.
///
/// # Errors
/// `post_changed`, `conflict`, `post_busy`, or those of the batch.
pub async fn delete(
    caller: &Caller<'_>,
    act: &'static str,
    target: Target,
    expected: Option<i64>,
) -> Result<ChangeId, Refusal> {
    let view = commit_one(caller, act, target, expected, Vec::new()).await?;
    view.change_id.ok_or(Refusal::Conflict)
}

async fn why_conflict(
    caller: &Caller<'_>,
    post_id: &PostId,
    before: Option<i64>,
    expected: Option<i64>,
) -> Refusal {
    let scene = match Scene::read(caller, &[post_id.as_str()], None).await {
        Ok(scene) => scene,
        Err(refusal) => return refusal,
    };
    let row = match scene.post(post_id.as_str(), "post_id") {
        Ok((row, _)) => row,
        Err(refusal) => return refusal,
    };
    if let Err(stale) = check_seen(row, expected) {
        return stale;
    }
    if Some(row.revision) == before {
        return busy(post_id).into();
    }
    Problem::new(
        Code::Conflict,
        "post_id",
        "Look at what it says now; if you still want it, repeat the call as it was.",
    )
    .message(format!("The post was changed at the same moment and is at revision {} now.", row.revision))
    .next(next_call("get_post", json!({ "post_id": post_id })))
    .into()
}

/// Refuses a stale revision of a post that is edited, telling what it says now; the corrected call is of the present one.
///
/// # Errors
/// `post_changed`.
pub fn check_revision(row: &PostRow, expected: Option<i64>) -> Result<(), Refusal> {
    stale(row, expected).map_or(Ok(()), |problem| Err(problem.fix(Fix::Set(json!(row.revision))).into()))
}

/// Refuses a stale revision of a post that is sent or deleted: what nobody has read is neither, so that the next call is to
/// look at it.
///
/// # Errors
/// `post_changed`.
pub fn check_seen(row: &PostRow, expected: Option<i64>) -> Result<(), Refusal> {
    let look = next_call("get_post", json!({ "post_id": row.post_id }));
    stale(row, expected)
        .map_or(Ok(()), |problem| Err(problem.fix(Fix::Suppose(json!(row.revision))).next(look).into()))
}

fn stale(row: &PostRow, expected: Option<i64>) -> Option<Problem> {
    let expected = expected.filter(|expected| *expected != row.revision && !row.is_stand_in())?;
    let hint = "Look at what it says now before you repeat the call.";
    Some(Problem::new(Code::PostChanged, "expected_revision", hint).message(format!(
        "You expected revision {expected}; the post is at revision {} and says: {}",
        row.revision,
        row.content.text.chars().take(300).collect::<String>()
    )))
}

/// The problem of a post that is being sent.
pub fn busy(post_id: &PostId) -> Problem {
    Problem::new(Code::PostBusy, "post_id", "Call get_post in a minute to see what became of it.")
        .next(next_call("get_post", json!({ "post_id": post_id })))
}
