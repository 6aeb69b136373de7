//! What a call on posts starts from, read in one batch, and how it ends, written in one batch.

use serde_json::json;

use super::{
    store::{self, PostRow, RememberedRow},
    view::{PostGroupView, show},
    write::{Target, statements},
};
use crate::{
    desk::{
        Act, Caller, ChangeId, Code, Facts, Fix, PostId, Problem, Refusal, WorkspaceFacts, next_call,
        sha256_text,
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
}

/// How a repeated call is recognised.
pub struct Repeat {
    tool: &'static str,
    key: String,
    body_hash: String,
    lives_seconds: Option<i64>,
}

impl Repeat {
    /// By the key that the caller gave, else by the body, unless duplicates are allowed.
    pub fn of(
        tool: &'static str,
        key: Option<&str>,
        body: &impl serde::Serialize,
        allow_duplicate: bool,
    ) -> Option<Self> {
        let text = serde_json::to_string(body).unwrap_or_default();
        let body_hash = sha256_text(text.as_bytes());
        match key {
            Some(key) => Some(Self { tool, key: format!("key:{key}"), body_hash, lives_seconds: None }),
            None if allow_duplicate => None,
            None => Some(Self {
                tool,
                key: format!("body:{body_hash}"),
                body_hash,
                lives_seconds: Some(SAME_BODY_SECONDS),
            }),
        }
    }

    fn look_up(&self, caller: &Caller<'_>) -> Statement {
        store::REMEMBERED.with([
            Value::from(&caller.tenant().id),
            caller.holder().into(),
            self.tool.into(),
            self.key.as_str().into(),
        ])
    }

    fn remember(&self, caller: &Caller<'_>, posts: &[PostId], change: &ChangeId) -> [Statement; 2] {
        let now = caller.now();
        let replaced = self.lives_seconds.map_or(-1, |seconds| now.plus_seconds(-seconds).as_millis());
        let result = json!({ "posts": posts, "change_id": change });
        [
            store::REMEMBER.with([
                Value::from(&caller.tenant().id),
                caller.holder().into(),
                self.tool.into(),
                self.key.as_str().into(),
                self.body_hash.as_str().into(),
                result.to_string().into(),
                now.into(),
                replaced.into(),
            ]),
            Caller::require_changes(1),
        ]
    }

    /// The posts that the same call made before, if it was made before.
    ///
    /// # Errors
    /// `idempotency_key_reused`.
    pub fn earlier(&self, caller: &Caller<'_>, scene: &Scene) -> Result<Option<Vec<PostId>>, Refusal> {
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
        let posts = row.result.get("posts").cloned().unwrap_or_default();
        Ok(serde_json::from_value(posts).ok())
    }

    /// Whether it was recognised by a key.
    pub fn by_key(&self) -> bool {
        self.lives_seconds.is_none()
    }
}

impl Scene {
    /// Reads the caller, the profiles in sight, the posts of these ids, and what the same call gave before.
    ///
    /// # Errors
    /// When the gate is closed or the database fails.
    pub async fn read(caller: &Caller<'_>, posts: &[&str], repeat: Option<&Repeat>) -> Result<Self, Refusal> {
        let mut batch = vec![profiles::in_sight(caller), by_id(caller, posts)];
        batch.extend(repeat.map(|repeat| repeat.look_up(caller)));
        let mut answer = caller.read(batch).await?;
        Ok(Self {
            profiles: answer.next_as()?,
            posts: answer.next_as()?,
            remembered: if repeat.is_some() { answer.next_first()? } else { None },
            facts: answer.facts,
        })
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

/// The statement that reads the posts of these ids, with their deliveries.
pub fn by_id(caller: &Caller<'_>, posts: &[&str]) -> Statement {
    let (tenant, grant) = caller.sight();
    store::POSTS_BY_ID.with([tenant, grant, json!(posts).to_string().into()])
}

/// Takes posts to what they shall be and shows them as they are then, in the order of `targets`.
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
        batch.extend(repeat.remember(caller, &ids, &change_id));
    }
    batch.extend(extra);
    batch.extend(statements(caller, act, &change_id, targets));
    let before_reads = batch.len();
    batch.push(profiles::in_sight(caller));
    batch.push(by_id(caller, &subjects));

    let mut answer = caller.write(Act { name: act, subjects: &subjects }, batch).await?;
    for _ in 0..before_reads {
        answer.next_rows();
    }
    let profiles: Vec<Profile> = answer.next_as()?;
    let rows: Vec<PostRow> = answer.next_as()?;
    let views = ids.iter().filter_map(|id| {
        let row = rows.iter().find(|row| row.post_id == *id)?;
        let workspace = answer.facts.workspace_by_id(&row.workspace_id)?;
        let mut view = show(caller, row, workspace, &profiles);
        view.change_id = Some(change_id.clone());
        Some(view)
    });
    Ok(views.collect())
}

/// Commits a change of one existing post and tells a stale revision from a post that is being sent.
///
/// # Errors
/// `post_changed`, `post_busy`, or those of the batch.
pub async fn commit_one(
    caller: &Caller<'_>,
    act: &'static str,
    target: Target,
    extra: Vec<Statement>,
) -> Result<PostGroupView, Refusal> {
    let post_id = target.post_id.clone();
    let expected = target.revision;
    match commit(caller, act, &[target], None, extra).await {
        Ok(views) => views.into_iter().next().ok_or_else(|| post_not_found("post_id").into()),
        Err(Refusal::Conflict) => Err(why_conflict(caller, &post_id, expected).await),
        Err(refusal) => Err(refusal),
    }
}

/// Deletes a post's record.
///
/// # Errors
/// `post_changed`, `post_busy`, or those of the batch.
pub async fn delete(caller: &Caller<'_>, act: &'static str, target: Target) -> Result<ChangeId, Refusal> {
    let view = commit_one(caller, act, target, Vec::new()).await?;
    view.change_id.ok_or(Refusal::Conflict)
}

async fn why_conflict(caller: &Caller<'_>, post_id: &PostId, expected: Option<i64>) -> Refusal {
    let scene = match Scene::read(caller, &[post_id.as_str()], None).await {
        Ok(scene) => scene,
        Err(refusal) => return refusal,
    };
    match scene.post(post_id.as_str(), "post_id") {
        Err(refusal) => refusal,
        Ok((row, _)) if Some(row.revision) != expected => Problem::new(
            Code::PostChanged,
            "expected_revision",
            "Read the post again and repeat the call on what it is now.",
        )
        .message(format!("The post is at revision {} now.", row.revision))
        .next(next_call("get_post", json!({ "post_id": post_id })))
        .into(),
        Ok(_) => busy().into(),
    }
}

/// The problem of a post that is being sent.
pub fn busy() -> Problem {
    Problem::new(Code::PostBusy, "post_id", "Call get_post in a minute to see what became of it.")
}
