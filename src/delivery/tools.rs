//! The MCP tools of delivery: sending again, settling what is unknown, and taking down.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    confirm::{Outcome, Word, confirm},
    removal::{RemovalOutcome, remove_live},
    retry::{Retried, Retry, RetryAnswer, carry_out, plan},
    trade::RealTrade,
};
use crate::{
    desk::{
        Caller, Code, Fix, Hints, PostId, Problem, Problems, ProfileId, Refusal, Scope, Scopes, Tool,
        ToolEntry, WorkspaceFacts, next_call,
    },
    media::{self, MediaInput, Wanted},
    networks::{Attachment, Rendered},
    platform::Statement,
    posts::{self, Content, Desired, Override, PostGroupView, PostRow, Repeat, Scene, Target},
    profiles::{self, Profile},
};

/// Every tool of this room.
pub const TOOLS: &[ToolEntry] =
    &[ToolEntry::of::<RetryPost>(), ToolEntry::of::<ConfirmDelivery>(), ToolEntry::of::<DeletePost>()];

/// Sends again what did not go out.
pub struct RetryPost;

/// Arguments of `retry_post`.
#[derive(Debug, Deserialize, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct RetryInput {
    /// The post.
    post_id: String,
    /// Only these of its profiles: ids, handles or networks. All that can be retried when left out.
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(min = 1, max = 50)))]
    profiles: Option<Vec<String>>,
    /// Another text for the profiles that are retried.
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 20000)))]
    text: Option<String>,
    /// Other pictures for the profiles that are retried; [] for none.
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 20)))]
    media: Option<Vec<MediaInput>>,
    /// Your own key for this call: repeating it with the same arguments sends nothing again.
    #[serde(default, skip_serializing)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(min = 1, max = 100)))]
    idempotency_key: Option<String>,
}

/// A post of which something is sent again.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct RetryOutput {
    #[serde(flatten)]
    post: PostGroupView,
    /// What happens for each profile.
    retried: Vec<RetriedProfile>,
}

/// A profile that is sent to again.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
struct RetriedProfile {
    /// Its handle.
    profile: String,
    /// sent_again, goes_on (the rest of what is partly public), or looked_up (sent only if it is not there).
    answer: RetryAnswer,
}

impl Tool for RetryPost {
    const NAME: &'static str = "retry_post";
    const TITLE: &'static str = "Retry a post";
    const DESCRIPTION: &'static str = "Sends a post again to profiles where it failed or was left incomplete, after the workspace's hold, optionally with another text or other pictures for them. Never touches what is public; what may be public is looked up first. See why it failed with get_post before.";
    const NEEDS: Scopes = Scopes::of(&[Scope::PostsWrite, Scope::PostsPublish]);
    const HINTS: Hints = Hints::destructive().open_world();
    type Input = RetryInput;
    type Output = RetryOutput;

    async fn call(caller: &Caller<'_>, input: RetryInput) -> Result<RetryOutput, Refusal> {
        let repeat = Repeat::by_key(Self::NAME, input.idempotency_key.as_deref(), &input);
        let scene = Scene::read(caller, &[&input.post_id], repeat.as_ref()).await?;
        let (row, workspace) = scene.post(&input.post_id, "post_id")?;
        let earlier = |scene: &Scene| match &repeat {
            Some(repeat) => repeat.earlier::<Vec<Retried>>(caller, scene),
            None => Ok(None),
        };
        let retried = match earlier(&scene)? {
            Some(retried) => retried,
            None => match send_again(caller, &scene, row, workspace, &input, repeat.as_ref()).await {
                Ok(retried) => retried,
                // The same call may have won in parallel.
                Err(refusal) => {
                    let scene = Scene::read(caller, &[&input.post_id], repeat.as_ref()).await?;
                    earlier(&scene)?.ok_or(refusal)?
                }
            },
        };
        let post = shown(caller, &row.post_id).await?;
        let handle = |id: &ProfileId| {
            scene
                .profiles
                .iter()
                .find(|profile| profile.id == *id)
                .map(|profile| profile.account.handle.clone())
        };
        let retried = retried
            .into_iter()
            .map(|one| RetriedProfile {
                profile: handle(&one.profile).unwrap_or_default(),
                answer: one.answer,
            })
            .collect();
        Ok(RetryOutput { post, retried })
    }
}

/// The retry, with other words where they are given, and its key, in one batch.
async fn send_again(
    caller: &Caller<'_>,
    scene: &Scene,
    row: &PostRow,
    workspace: &WorkspaceFacts,
    input: &RetryInput,
    repeat: Option<&Repeat>,
) -> Result<Vec<Retried>, Refusal> {
    let chosen = chosen_profiles(scene, workspace, input.profiles.as_deref())?;
    let Retry { statements, retried } = plan(caller, &RealTrade, &row.post_id, chosen.as_deref()).await?;
    let mut batch: Vec<Statement> = Vec::new();
    if let Some(repeat) = repeat {
        batch.extend(repeat.remember(caller, &retried));
    }
    batch.extend(statements);
    if input.text.is_none() && input.media.is_none() {
        carry_out(caller, &row.post_id, batch).await?;
        return Ok(retried);
    }
    let own: Vec<ProfileId> = retried.iter().map(|one| one.profile.clone()).collect();
    let content = with_words(caller, workspace, row, &own, input, &scene.profiles).await?;
    let profiles: Vec<&Profile> = scene.profiles.iter().collect();
    let target = Target::existing(row, Desired { content, due: row.due(), deleted: false }, &profiles)
        .leaving_deliveries();
    posts::commit_one(caller, RetryPost::NAME, target, None, batch).await?;
    Ok(retried)
}

fn chosen_profiles(
    scene: &Scene,
    workspace: &WorkspaceFacts,
    named: Option<&[String]>,
) -> Result<Option<Vec<ProfileId>>, Refusal> {
    let Some(named) = named else { return Ok(None) };
    let chosen =
        profiles::choose(&scene.profiles, &workspace.id, named, "profiles").map_err(Refusal::Problems)?;
    Ok(Some(chosen.into_iter().map(|profile| profile.id.clone()).collect()))
}

/// The content with the call's words and pictures for those of its profiles that are retried. The pictures are kept only if
/// the networks take them.
async fn with_words(
    caller: &Caller<'_>,
    workspace: &WorkspaceFacts,
    row: &PostRow,
    own: &[ProfileId],
    input: &RetryInput,
    profiles: &[Profile],
) -> Result<Content, Refusal> {
    let (post_id, content) = (&row.post_id, row.content.clone());
    let Some(list) = &input.media else {
        let content = with_own(content, own, input, None);
        refuse_problems(post_id, &content, own, profiles)?;
        return Ok(content);
    };
    let wanted = list.iter().enumerate().map(|(index, one)| Wanted {
        workspace: workspace.id.clone(),
        field: format!("media[{index}]"),
        input: one.clone(),
    });
    let (gathered, problems) = media::gather(caller, wanted.collect()).await?;
    let pictures = (0..list.len()).filter_map(|index| gathered.attachment(index)).collect();
    let content = with_own(content, own, input, Some(pictures));
    let checked = if problems.is_empty() {
        refuse_problems(post_id, &content, own, profiles)
    } else {
        Err(Refusal::Problems(problems))
    };
    if let Err(refusal) = checked {
        gathered.discard(caller).await;
        return Err(refusal);
    }
    let renamed = gathered.keep(caller).await?;
    Ok(content.with_media_renamed(&renamed))
}

fn with_own(
    mut content: Content,
    own: &[ProfileId],
    input: &RetryInput,
    pictures: Option<Vec<Attachment>>,
) -> Content {
    for profile in own {
        let before = content.overrides.iter().rev().find(|one| one.profiles.contains(profile)).cloned();
        content.overrides.push(Override {
            text: input.text.clone().or_else(|| before.as_ref()?.text.clone()),
            media: pictures.clone().or_else(|| before.as_ref()?.media.clone()),
            thread: before.as_ref().and_then(|one| one.thread.clone()),
            settings: before.as_ref().and_then(|one| one.settings.clone()),
            profiles: vec![profile.clone()],
        });
    }
    content
}

/// Refuses words and pictures that the networks do not take, by the arguments of `retry_post`.
fn refuse_problems(
    post_id: &PostId,
    content: &Content,
    own: &[ProfileId],
    profiles: &[Profile],
) -> Result<(), Refusal> {
    let retried = profiles.iter().filter(|profile| own.contains(&profile.id));
    let rendered: Vec<(&Profile, Rendered)> = retried
        .map(|profile| (profile, content.render_for(&profile.id, profile.account.network).0))
        .collect();
    let cut = rendered.iter().filter_map(|(_, rendered)| posts::shortened(rendered.parts.first()?));
    let shortest = cut.min_by_key(|text| text.chars().count());
    let problems: Vec<Problem> = rendered
        .into_iter()
        .flat_map(|(profile, rendered)| {
            rendered.problems.into_iter().map(|problem| {
                let message = format!("{}: {}", profile.label(), problem.message);
                as_argument(problem, post_id, shortest.as_deref()).message(message)
            })
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(Refusal::Problems(problems)) }
}

/// A problem of content as one of the arguments that can mend it; what they cannot, `update_post` can.
fn as_argument(problem: Problem, post_id: &PostId, shortest: Option<&str>) -> Problem {
    let code = problem.code;
    let own = match problem.field.split_once("].") {
        Some((list, own)) if list.starts_with("overrides[") => own,
        _ => &problem.field,
    };
    match own {
        "text" => {
            let fix = shortest.filter(|_| code == Code::ContentTooLong).map(|text| Fix::Set(text.into()));
            Problem { fix, ..Problem::new(code, own, "Give another text that the network takes.") }
        }
        own if own.starts_with("media") => {
            Problem::new(code, own, "Give other pictures with media, or [] for none.")
        }
        _ => Problem::new(
            code,
            "post_id",
            "Mend this with update_post, then call retry_post without text and media.",
        )
        .next(next_call("preview_post", json!({ "post_id": post_id }))),
    }
}

async fn shown(caller: &Caller<'_>, post_id: &PostId) -> Result<PostGroupView, Refusal> {
    let scene = Scene::read(caller, &[post_id.as_str()], None).await?;
    let (row, workspace) = scene.post(post_id.as_str(), "post_id")?;
    Ok(posts::show(caller, row, workspace, &scene.profiles))
}

/// Settles an outcome that is unknown.
pub struct ConfirmDelivery;

/// Arguments of `confirm_delivery`.
#[derive(Debug, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ConfirmInput {
    /// The post.
    post_id: String,
    /// The profile that was looked at: id, handle or network. May be left out when only one outcome is unknown.
    #[serde(default)]
    profile: Option<String>,
    /// live: it is there. send_again: it is not there and goes out again.
    outcome: Outcome,
    /// Its public address, if it is live and you know it.
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 2000)))]
    url: Option<String>,
}

impl Tool for ConfirmDelivery {
    const NAME: &'static str = "confirm_delivery";
    const TITLE: &'static str = "Confirm what became of a post";
    const DESCRIPTION: &'static str = "Settles a delivery whose status is unknown, once a person has looked at the account and said whether the post is there. Never guess: send_again for a post that is there publishes it twice, live for one that is not loses it.";
    const NEEDS: Scopes = Scopes::of(&[Scope::PostsWrite]);
    const HINTS: Hints = Hints::destructive().idempotent().open_world();
    type Input = ConfirmInput;
    type Output = PostGroupView;

    fn needs_of(input: &ConfirmInput) -> Scopes {
        match input.outcome {
            Outcome::Live => Scopes::NONE,
            Outcome::SendAgain => Scopes::of(&[Scope::PostsPublish]),
        }
    }

    async fn call(caller: &Caller<'_>, input: ConfirmInput) -> Result<PostGroupView, Refusal> {
        let mut problems = Problems::default();
        let address = problems.keep(address_of(&input)).flatten();
        let scene = Scene::read(caller, &[&input.post_id], None).await?;
        let (row, workspace) = scene.post(&input.post_id, "post_id")?;
        let profile = match &input.profile {
            Some(named) => {
                let chosen = chosen_profile(&scene, workspace, named);
                problems.keep(chosen)
            }
            None => None,
        };
        problems.refuse_if_any()?;
        let hold_seconds = workspace.hold_seconds;
        let word = Word { profile: profile.as_ref(), outcome: input.outcome, address, hold_seconds };
        confirm(caller, &row.post_id, &word).await?;
        shown(caller, &row.post_id).await
    }
}

fn address_of(input: &ConfirmInput) -> Result<Option<&str>, Problem> {
    let Some(given) = input.url.as_deref().map(str::trim) else { return Ok(None) };
    if input.outcome == Outcome::SendAgain {
        let hint = "Leave url out: what is sent again gets an address of its own.";
        return Err(Problem::new(Code::Conflicting, "url", hint).fix(Fix::Remove));
    }
    match url::Url::parse(given) {
        Ok(url) if matches!(url.scheme(), "https" | "http") && url.has_host() => Ok(Some(given)),
        _ => {
            Err(Problem::new(Code::Malformed, "url", "Give the https address of the post, or leave it out.")
                .fix(Fix::Remove))
        }
    }
}

fn chosen_profile(scene: &Scene, workspace: &WorkspaceFacts, named: &str) -> Result<ProfileId, Problem> {
    let hint = "Name one profile of the post.";
    let unfit = || Problem::new(Code::AmbiguousProfile, "profile", hint).fix(Fix::Remove);
    match profiles::choose(&scene.profiles, &workspace.id, &[named.to_owned()], "profile").as_deref() {
        Ok([only]) => Ok(only.id.clone()),
        Ok(_) => Err(unfit()),
        // The one wanted profile is the argument itself, not an item of a list.
        Err(found) => {
            let problem = found.first().cloned().unwrap_or_else(unfit);
            Err(Problem { field: "profile".to_owned(), ..problem })
        }
    }
}

/// Deletes a post.
pub struct DeletePost;

/// Arguments of `delete_post`.
#[derive(Debug, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct DeleteInput {
    /// The post.
    post_id: String,
    /// Also take down what is public, on every network that can.
    #[serde(default)]
    on_networks: Option<bool>,
    /// Refuse if the post is at another revision by now.
    #[serde(default)]
    expected_revision: Option<i64>,
}

/// What came of deleting.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct DeleteOutput {
    /// The post.
    post_id: PostId,
    /// Whether its record is deleted. It stays while something of it that should go is still public.
    deleted: bool,
    /// What came of taking it down, for each profile.
    networks: Vec<RemovedProfile>,
    /// What to know.
    warnings: Vec<String>,
    /// Pass it to undo_change within 30 days to bring the record back.
    #[serde(skip_serializing_if = "Option::is_none")]
    change_id: Option<crate::desk::ChangeId>,
}

/// What came of taking a post down on one profile.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
struct RemovedProfile {
    /// Its handle.
    profile: String,
    #[serde(flatten)]
    outcome: RemovalOutcome,
}

impl Tool for DeletePost {
    const NAME: &'static str = "delete_post";
    const TITLE: &'static str = "Delete a post";
    const DESCRIPTION: &'static str = "Deletes a post's record and cancels what is scheduled; undo_change brings it back within 30 days. What is public stays public unless on_networks, which takes it down there too and cannot be undone: only when the person asked for that. Tells the result for each profile.";
    const NEEDS: Scopes = Scopes::of(&[Scope::PostsWrite]);
    const HINTS: Hints = Hints::destructive().idempotent().open_world();
    type Input = DeleteInput;
    type Output = DeleteOutput;

    fn needs_of(input: &DeleteInput) -> Scopes {
        if input.on_networks == Some(true) { Scopes::of(&[Scope::PostsPublish]) } else { Scopes::NONE }
    }

    async fn call(caller: &Caller<'_>, input: DeleteInput) -> Result<DeleteOutput, Refusal> {
        let scene = Scene::read(caller, &[&input.post_id], None).await?;
        let (row, _) = scene.post(&input.post_id, "post_id")?;
        posts::check_revision(row, input.expected_revision)?;
        if row.deliveries.iter().any(posts::DeliveryRow::is_busy) {
            return Err(posts::busy(&row.post_id).into());
        }
        let networks = match input.on_networks {
            Some(true) => taken_down(caller, &scene, row).await?,
            _ => Vec::new(),
        };
        let stuck = networks
            .iter()
            .any(|one| matches!(one.outcome, RemovalOutcome::Failed { .. } | RemovalOutcome::NotSettled));
        let mut output = DeleteOutput {
            post_id: row.post_id.clone(),
            deleted: false,
            networks,
            warnings: Vec::new(),
            change_id: None,
        };
        if stuck {
            output.warnings.push(
                "Something of it is still public, or may be. The record is kept so that you can call this again."
                    .to_owned(),
            );
            return Ok(output);
        }
        let public = row.deliveries.iter().any(posts::DeliveryRow::may_be_public);
        if public && input.on_networks != Some(true) {
            output.warnings.push("What is public stays public; only the record here is deleted.".to_owned());
        }
        output.change_id = Some(delete_record(caller, &scene, row, input.expected_revision).await?);
        output.deleted = true;
        Ok(output)
    }
}

async fn taken_down(
    caller: &Caller<'_>,
    scene: &Scene,
    row: &PostRow,
) -> Result<Vec<RemovedProfile>, Refusal> {
    let removals = remove_live(caller, &RealTrade, &row.post_id).await?;
    Ok(removals
        .into_iter()
        .map(|removal| RemovedProfile {
            profile: scene
                .profiles
                .iter()
                .find(|profile| profile.id == removal.profile)
                .map(|profile| profile.account.handle.clone())
                .unwrap_or_default(),
            outcome: removal.outcome,
        })
        .collect())
}

async fn delete_record(
    caller: &Caller<'_>,
    scene: &Scene,
    row: &PostRow,
    expected: Option<i64>,
) -> Result<crate::desk::ChangeId, Refusal> {
    let profiles: Vec<&Profile> = scene.profiles.iter().collect();
    let desired = Desired { content: row.content.clone(), due: row.due(), deleted: true };
    posts::delete(caller, DeletePost::NAME, Target::existing(row, desired, &profiles), expected).await
}
