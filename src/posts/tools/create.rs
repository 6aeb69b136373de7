//! `create_post` and `create_posts`: one creation path for one post or fifty.

use serde::{Deserialize, Serialize};

use crate::{
    desk::{Caller, Fix, Hints, PostId, Problems, Refusal, Scope, Scopes, Tool, When, WorkspaceFacts},
    posts::{
        Content,
        input::PostBody,
        resolve::{Resolved, Wish, due_of, is_near, resolve_bodies, unsendable},
        scene::{Made, Repeat, Scene, commit, post_not_found},
        view::{PostGroupView, show},
        write::{Desired, Target},
    },
    profiles::Profile,
};

const PUBLISH: Scopes = Scopes::of(&[Scope::PostsPublish]);

/// Makes a post: a draft, or scheduled.
pub struct CreatePost;

/// Arguments of `create_post`.
#[derive(Debug, Deserialize, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct CreateInput {
    #[serde(flatten)]
    body: PostBody,
    /// Start from this post's content; what you give besides replaces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    copy_from: Option<String>,
    /// Make it even if you made an identical post within 10 minutes.
    #[serde(default, skip_serializing)]
    allow_duplicate: Option<bool>,
    /// Your own key for this call: repeating it with the same arguments makes nothing new.
    #[serde(default, skip_serializing)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(min = 1, max = 100)))]
    idempotency_key: Option<String>,
}

impl Tool for CreatePost {
    const NAME: &'static str = "create_post";
    const TITLE: &'static str = "Create a post";
    const DESCRIPTION: &'static str = "Makes one post for one or many social profiles. Without `when` it is a draft, which may be imperfect; with `when` it is scheduled and goes out by itself. Profiles take names (\"bluesky\", a handle, \"all\"). Use overrides where a network needs other words. For several posts use create_posts; to try without writing use preview_post. Never repeat a call that was answered.";
    const NEEDS: Scopes = Scopes::of(&[Scope::PostsWrite]);
    const HINTS: Hints = Hints::write();
    const KEEPS_DRAFTS: bool = true;
    type Input = CreateInput;
    type Output = PostGroupView;

    fn needs_of(input: &CreateInput) -> Scopes {
        input.body.needs()
    }

    async fn call(caller: &Caller<'_>, input: CreateInput) -> Result<PostGroupView, Refusal> {
        let repeat = Repeat::of(
            Self::NAME,
            input.idempotency_key.as_deref(),
            &input,
            input.allow_duplicate.unwrap_or(false),
        );
        let bodies = [(String::new(), &input.body, input.copy_from.as_deref())];
        let views = create(caller, Self::NAME, &bodies, repeat).await?;
        views.into_iter().next().ok_or(Refusal::Conflict)
    }
}

/// Makes several posts, all or none.
pub struct CreatePosts;

/// Arguments of `create_posts`.
#[derive(Debug, Deserialize, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct CreateManyInput {
    /// The posts, each as for create_post.
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(min = 1, max = 50)))]
    posts: Vec<PostItem>,
    /// Make them even if you made identical ones within 10 minutes.
    #[serde(default, skip_serializing)]
    allow_duplicate: Option<bool>,
    /// Your own key for this call: repeating it with the same arguments makes nothing new.
    #[serde(default, skip_serializing)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(min = 1, max = 100)))]
    idempotency_key: Option<String>,
}

/// One of several posts.
#[derive(Debug, Deserialize, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct PostItem {
    #[serde(flatten)]
    body: PostBody,
    /// Start from this post's content; what you give besides replaces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    copy_from: Option<String>,
    /// As for the whole call, where every post says so.
    #[serde(default, skip_serializing)]
    allow_duplicate: Option<bool>,
}

/// Posts that were made.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct CreatedPosts {
    /// The posts in the order of the arguments.
    posts: Vec<PostGroupView>,
}

impl Tool for CreatePosts {
    const NAME: &'static str = "create_posts";
    const TITLE: &'static str = "Create several posts";
    const DESCRIPTION: &'static str = "Makes up to 50 posts in one call, all of them or none: one problem in one post refuses the whole call and every problem is listed with its place (posts[3].when). Use it for a plan of a week or month. One change_id takes them all back with undo_change.";
    const NEEDS: Scopes = Scopes::of(&[Scope::PostsWrite]);
    const HINTS: Hints = Hints::write();
    const KEEPS_DRAFTS: bool = true;
    type Input = CreateManyInput;
    type Output = CreatedPosts;

    fn needs_of(input: &CreateManyInput) -> Scopes {
        input.posts.iter().map(|item| item.body.needs()).fold(Scopes::NONE, Scopes::union)
    }

    async fn call(caller: &Caller<'_>, input: CreateManyInput) -> Result<CreatedPosts, Refusal> {
        let each_allowed = input.posts.iter().all(|item| item.allow_duplicate == Some(true));
        let repeat = Repeat::of(
            Self::NAME,
            input.idempotency_key.as_deref(),
            &input,
            input.allow_duplicate.unwrap_or(each_allowed),
        );
        let bodies: Vec<(String, &PostBody, Option<&str>)> = input
            .posts
            .iter()
            .enumerate()
            .map(|(index, item)| (format!("posts[{index}]."), &item.body, item.copy_from.as_deref()))
            .collect();
        Ok(CreatedPosts { posts: create(caller, Self::NAME, &bodies, repeat).await? })
    }
}

async fn create(
    caller: &Caller<'_>,
    act: &'static str,
    bodies: &[(String, &PostBody, Option<&str>)],
    repeat: Option<Repeat>,
) -> Result<Vec<PostGroupView>, Refusal> {
    let copied: Vec<&str> = bodies.iter().filter_map(|(_, _, copy)| *copy).collect();
    let scene = Scene::read(caller, &copied, repeat.as_ref()).await?;
    let mut repeat = repeat;
    if let Some(same) = repeat.take() {
        if let Some(views) = earlier(caller, &scene, &same).await? {
            return Ok(views);
        }
        repeat = Some(same.anew(&scene));
    }
    let (targets, near) = targets_of(caller, &scene, bodies).await?;
    let writer = if near { caller.needing(PUBLISH) } else { caller.clone() };
    match commit(&writer, act, &targets, repeat.as_ref(), Vec::new()).await {
        Err(Refusal::Conflict) => after_conflict(caller, repeat).await,
        other => other,
    }
}

/// The same call won in parallel: its posts are this call's result.
async fn after_conflict(caller: &Caller<'_>, repeat: Option<Repeat>) -> Result<Vec<PostGroupView>, Refusal> {
    let Some(repeat) = repeat else { return Err(Refusal::Conflict) };
    let scene = Scene::read(caller, &[], Some(&repeat)).await?;
    earlier(caller, &scene, &repeat).await?.ok_or(Refusal::Conflict)
}

/// What the same call made before. By its body it is the same one only as long as any of it is left.
async fn earlier(
    caller: &Caller<'_>,
    scene: &Scene,
    repeat: &Repeat,
) -> Result<Option<Vec<PostGroupView>>, Refusal> {
    let Some(made) = repeat.earlier::<Made>(caller, scene)? else { return Ok(None) };
    let ids: Vec<&str> = made.posts.iter().map(PostId::as_str).collect();
    let scene = Scene::read(caller, &ids, None).await?;
    let found: Vec<_> = made.posts.iter().filter_map(|id| scene.post_or_remains(id)).collect();
    if !repeat.has_key() && found.iter().all(|(row, _)| row.deleted_at.is_some()) {
        return Ok(None);
    }
    if found.is_empty() {
        return Err(post_not_found("idempotency_key").into());
    }
    let views = found.into_iter().map(|(row, workspace)| {
        let mut view = show(caller, row, workspace, &scene.profiles);
        if repeat.has_key() {
            view.change_id = Some(made.change_id.clone());
        } else {
            view.duplicate_of = Some(row.post_id.clone());
            view.warnings.push(
                "You made this same post within the last 10 minutes; nothing new was made. Set allow_duplicate to make another.".to_owned(),
            );
        }
        if row.deleted_at.is_some() {
            view.warnings.push(
                "It was deleted since; nothing new was made. To make it again leave idempotency_key out, or use a new one.".to_owned(),
            );
            view.next = Vec::new();
        }
        view
    });
    Ok(Some(views.collect()))
}

async fn targets_of(
    caller: &Caller<'_>,
    scene: &Scene,
    bodies: &[(String, &PostBody, Option<&str>)],
) -> Result<(Vec<Target>, bool), Refusal> {
    let mut problems = Problems::default();
    let mut wishes = Vec::new();
    for (prefix, body, copy_from) in bodies {
        if let Some((workspace, base)) = start(scene, body, *copy_from, prefix, &mut problems)? {
            wishes.push(Wish { workspace, body, base, prefix, is_new: true });
        }
    }
    let bodies = resolve_bodies(caller, &scene.profiles, wishes, &mut problems).await?;
    let planned: Vec<(Target, bool)> =
        bodies.each.iter().map(|body| target_of(caller, scene, body, &mut problems)).collect();
    let bodies = bodies.if_fine(caller, problems).await?;
    let near = planned.iter().any(|(_, near)| *near);
    let writer = if near { caller.needing(PUBLISH) } else { caller.clone() };
    let contents = bodies.keep(&writer).await?;
    let targets = planned.into_iter().zip(contents).map(|((mut target, _), content)| {
        target.desired.content = content;
        target
    });
    Ok((targets.collect(), near))
}

/// The post that a body makes, and whether it goes out so soon that it needs the capability to publish.
fn target_of(
    caller: &Caller<'_>,
    scene: &Scene,
    body: &Resolved<'_>,
    problems: &mut Problems,
) -> (Target, bool) {
    let Resolved { workspace, prefix, content, when, goes_out, .. } = body;
    let profiles = scene.profiles_of(workspace);
    let due = when.clone().map(|when| due_of(caller, workspace, when, &format!("{prefix}when")));
    let due = due.and_then(|due| problems.keep(due.map_err(|problem| problem.fix(Fix::Remove))));
    let near = *when == Some(When::Now) || due.as_ref().is_some_and(|due| is_near(caller, workspace, due));
    if *goes_out {
        problems.extend(unsendable(body, &profiles, true));
    }
    let chosen: Vec<&Profile> = profiles.iter().collect();
    let post_id = PostId::new(caller.now(), caller.platform().entropy);
    let desired = Desired { content: content.clone(), due, deleted: false };
    let target = Target::new_post(post_id, workspace.id.clone(), desired, &chosen);
    let hold = if near { workspace.hold_seconds } else { 0 };
    (target.held_until(caller.now().plus_seconds(hold)), near)
}

/// The workspace of a new post, and what it says before `body`: what the post says that it is a copy of. Nothing where one of
/// them is not found and nothing stands in; `problems` has why.
///
/// # Errors
/// What is no problem of the arguments.
pub(super) fn start<'s>(
    scene: &'s Scene,
    body: &PostBody,
    copy_from: Option<&str>,
    prefix: &str,
    problems: &mut Problems,
) -> Result<Option<(&'s WorkspaceFacts, Content)>, Refusal> {
    let facts = &scene.facts;
    let copied = match copy_from {
        None => None,
        Some(id) => problems.keep_all(scene.post(id, &format!("{prefix}copy_from")))?.or(scene.stand_in()),
    };
    let workspace = match (&body.workspace, copied) {
        (None, Some((_, workspace))) => Some(workspace),
        // Where it belongs is told with the post that it is a copy of.
        (None, None) if copy_from.is_some() => None,
        (named, _) => {
            let found = facts.workspace(named.as_deref()).map_err(|refusal| refusal.within(prefix));
            problems.keep_all(found)?.or(facts.stand_in())
        }
    };
    let mut base = copied.map(|(row, _)| row.content.clone()).unwrap_or_default();
    Ok(workspace.filter(|_| copied.is_some() || copy_from.is_none()).map(|workspace| {
        let profiles = scene.profiles_of(workspace);
        base.profiles.retain(|id| profiles.iter().any(|profile| profile.id == *id));
        (workspace, base)
    }))
}
