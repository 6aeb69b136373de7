//! `preview_post`: what would be sent, by the code that sends it; writes nothing.

use serde::{Deserialize, Serialize};

use super::create::start;
use crate::{
    desk::{
        Caller, Code, Fix, Hints, Moment, NextCall, Problem, Problems, Refusal, Scope, Scopes, TimeZoneName,
        Tool, next_call,
    },
    posts::{
        input::PostBody,
        resolve::{Wish, due_of, resolve_bodies},
        scene::Scene,
        view::{ProfilePreview, Renderings, no_profiles},
        views,
    },
};

/// Shows what a post would be on each profile.
pub struct PreviewPost;

/// Arguments of `preview_post`.
#[derive(Debug, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct PreviewInput {
    #[serde(flatten)]
    body: PostBody,
    /// Preview this post, with what you give besides in place of what it says.
    #[serde(default)]
    post_id: Option<String>,
    /// Or start from this post's content, as for create_post.
    #[serde(default)]
    copy_from: Option<String>,
}

/// What a post would be.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Preview {
    /// Whether it could be scheduled as it is.
    ready: bool,
    /// When it would go out.
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<Moment>,
    /// What each profile would get.
    profiles: Vec<ProfilePreview>,
    /// What must be mended, over all profiles.
    problems: Vec<Problem>,
    /// What will happen that you may not expect.
    warnings: Vec<String>,
    /// Calls that are sensible now.
    next: Vec<NextCall>,
}

impl Tool for PreviewPost {
    const NAME: &'static str = "preview_post";
    const TITLE: &'static str = "Preview a post";
    const DESCRIPTION: &'static str = "Shows for every profile the final text, its length in the network's own measure, media, warnings and problems, by the same code that sends it. Writes nothing. Takes the body of create_post, or post_id with changes. Pictures given by address are fetched only when the post is made. Use it before scheduling anything that matters.";
    const NEEDS: Scopes = Scopes::of(&[Scope::PostsRead]);
    const HINTS: Hints = Hints::read();
    const VIEW: Option<&'static str> = Some(views::POST);
    type Input = PreviewInput;
    type Output = Preview;

    async fn call(caller: &Caller<'_>, input: PreviewInput) -> Result<Preview, Refusal> {
        let mut problems = Problems::default();
        if input.post_id.is_some() && input.copy_from.is_some() {
            let hint = "Give post_id to preview a change of that post, or copy_from to preview a new one.";
            problems.add(Problem::new(Code::Conflicting, "copy_from", hint).fix(Fix::Remove));
        }
        let named: Vec<&str> = input.post_id.iter().chain(&input.copy_from).map(String::as_str).collect();
        let scene = Scene::read(caller, &named, None).await?;
        let begun = match &input.post_id {
            Some(id) => {
                let (row, workspace) = problems.keep_or(scene.post(id, "post_id"), scene.stand_in())?;
                Some((workspace, row.content.clone()))
            }
            None => start(&scene, &input.body, input.copy_from.as_deref(), "", &mut problems)?,
        };
        let Some((workspace, base)) = begun else { return Err(Refusal::Problems(problems.into_vec())) };
        let (body, addresses) = without_addresses(input.body);
        let wishes = vec![Wish { workspace, body: &body, base, prefix: "", is_new: true }];
        let bodies = resolve_bodies(caller, &scene.profiles, wishes, &mut problems).await?;
        let resolved = bodies.discard(caller).await.into_iter().next().ok_or(Refusal::Conflict)?;
        let due = resolved.when.map(|when| due_of(caller, workspace, when, "when"));
        let due = due.and_then(|due| problems.keep(due.map_err(|problem| problem.fix(Fix::Remove))));
        problems.refuse_if_any()?;

        let profiles = scene.profiles_of(workspace);
        let renderings = Renderings::of(&resolved.content, &profiles);
        let mut problems = renderings.problems();
        if resolved.content.profiles.is_empty() {
            problems.push(no_profiles());
        }
        let mut warnings = renderings.warnings();
        if addresses > 0 {
            warnings.push(format!(
                "{addresses} of the media are given by address; they are fetched and checked when the post is made."
            ));
        }
        let zone = TimeZoneName::or_utc(&workspace.time_zone);
        Ok(Preview {
            ready: problems.is_empty(),
            when: due.map(|due| Moment::new(due.at, &zone, caller.now())),
            profiles: renderings.previews(),
            next: next(&input.post_id, &body, input.copy_from, problems.is_empty() && addresses == 0),
            problems,
            warnings,
        })
    }
}

fn next(post_id: &Option<String>, body: &PostBody, copy_from: Option<String>, ready: bool) -> Vec<NextCall> {
    if !ready || post_id.is_some() {
        return Vec::new();
    }
    let mut arguments = serde_json::to_value(body).unwrap_or_default();
    if let (Some(object), Some(copy_from)) = (arguments.as_object_mut(), copy_from) {
        object.insert("copy_from".to_owned(), copy_from.into());
    }
    vec![next_call("create_post", arguments)]
}

/// The body without media that would have to be fetched, and how many those were.
fn without_addresses(mut body: PostBody) -> (PostBody, usize) {
    let mut dropped = 0;
    let mut keep = |media: &mut Option<Vec<crate::media::MediaInput>>| {
        if let Some(list) = media {
            let before = list.len();
            list.retain(|item| item.url.is_none());
            dropped += before - list.len();
        }
    };
    keep(&mut body.media);
    for part in body.thread.iter_mut().flatten() {
        keep(&mut part.media);
    }
    for own in body.overrides.iter_mut().flatten() {
        keep(&mut own.media);
    }
    (body, dropped)
}
