//! The MCP tools of delivery: sending again, settling what is unknown, taking down, and pausing.

mod pause;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    confirm::{Outcome, Word, confirm, not_unknown},
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
    networks::Attachment,
    platform::Statement,
    posts::{
        self, Content, DeliveryRow, DeliveryState, Desired, Override, PostGroupView, PostRow, Repeat, Scene,
        Target,
    },
    profiles::{self, Profile},
};

/// Every tool of this room.
pub const TOOLS: &[ToolEntry] = &[
    ToolEntry::of::<RetryPost>(),
    ToolEntry::of::<ConfirmDelivery>(),
    ToolEntry::of::<DeletePost>(),
    ToolEntry::of::<pause::PausePublishing>(),
    ToolEntry::of::<pause::ResumePublishing>(),
];

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
        let mut problems = Problems::default();
        let (row, workspace) = problems.keep_or(scene.post(&input.post_id, "post_id"), scene.stand_in())?;
        let earlier = |scene: &Scene| match &repeat {
            Some(repeat) => repeat.earlier::<Vec<Retried>>(caller, scene),
            None => Ok(None),
        };
        let retried = match earlier(&scene)? {
            Some(retried) => retried,
            None => match send_again(caller, &scene, row, workspace, &input, repeat.as_ref()).await {
                Ok(retried) => retried,
                // The same call may have won in parallel.
                Err(rehearsed @ Refusal::Rehearsed(_)) => return Err(rehearsed),
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
    let mut problems = Problems::default();
    let chosen = chosen_profiles(scene, workspace, input.profiles.as_deref(), &mut problems);
    let plan = problems.keep_all(plan(caller, &RealTrade, &row.post_id, chosen.as_deref()).await)?;
    let own: Vec<ProfileId> = match (&plan, chosen) {
        (Some(plan), _) => plan.retried.iter().map(|one| one.profile.clone()).collect(),
        (None, Some(chosen)) if !chosen.is_empty() => chosen,
        (None, _) => row.content.profiles.clone(),
    };
    let words = Words { caller, scene, row, workspace, own: &own, input };
    let content = words.content(&mut problems).await?;
    problems.refuse_if_any()?;
    let Retry { statements, retried } = plan.ok_or(Refusal::Conflict)?;
    let mut batch: Vec<Statement> = Vec::new();
    if let Some(repeat) = repeat {
        batch.extend(repeat.remember(caller, &retried));
    }
    batch.extend(statements);
    let Some(content) = content else {
        carry_out(caller, &row.post_id, batch).await?;
        return Ok(retried);
    };
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
    problems: &mut Problems,
) -> Option<Vec<ProfileId>> {
    let chosen = profiles::choose(&scene.profiles, &workspace.id, named?, "profiles", problems);
    Some(chosen.into_iter().map(|profile| profile.id.clone()).collect())
}

/// The call's words and pictures for those of a post's profiles that are retried.
struct Words<'w> {
    caller: &'w Caller<'w>,
    scene: &'w Scene,
    row: &'w PostRow,
    workspace: &'w WorkspaceFacts,
    own: &'w [ProfileId],
    input: &'w RetryInput,
}

impl Words<'_> {
    /// The content with them, if there are any. The pictures are kept only if nothing is wrong with the call.
    async fn content(&self, problems: &mut Problems) -> Result<Option<Content>, Refusal> {
        let Self { caller, input, .. } = self;
        let Some(list) = &input.media else {
            let content =
                input.text.as_ref().map(|_| with_own(self.row.content.clone(), self.own, input, None));
            if let Some(content) = &content {
                problems.extend(self.unsendable(content).await);
            }
            return Ok(content);
        };
        let wanted = list.iter().enumerate().map(|(index, one)| Wanted {
            workspace: self.workspace.id.clone(),
            field: format!("media[{index}]"),
            input: one.clone(),
        });
        let (gathered, found) = media::gather(caller, wanted.collect()).await?;
        problems.extend(found);
        let pictures = (0..list.len()).filter_map(|index| gathered.attachment(index)).collect();
        let content = with_own(self.row.content.clone(), self.own, input, Some(pictures));
        problems.extend(self.unsendable(&content).await);
        if !problems.is_empty() {
            gathered.discard(caller).await;
            return Ok(None);
        }
        let renamed = gathered.keep(caller).await?;
        Ok(Some(content.with_media_renamed(&renamed)))
    }

    /// The words and pictures that the networks do not take, by the arguments of `retry_post`. What is too long is answered with the
    /// call that keeps it shortened: nothing that nobody wrote goes out.
    async fn unsendable(&self, content: &Content) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut kept = Vec::new();
        for profile in self.scene.profiles.iter().filter(|profile| self.own.contains(&profile.id)) {
            let rendered = content.render_for(&profile.id, profile.account.network).0;
            if let Some(text) = rendered.parts.first().and_then(posts::shortened) {
                let own = json!({ "profiles": [profile.account.handle], "text": text });
                kept.push(Problem::new(Code::ContentTooLong, "overrides", "").fix(Fix::Append(own)));
            }
            problems.extend(rendered.problems.into_iter().map(|problem| {
                let message = format!("{}: {}", profile.label(), problem.message);
                as_argument(problem, &self.row.post_id).message(message)
            }));
        }
        let keeps_all = self.row.content.overrides.is_empty() && self.input.media.is_none();
        if let Some(first) = problems.first_mut()
            && keeps_all
            && !kept.is_empty()
        {
            let next = posts::update_with(self.caller, &self.row.post_id, &kept).await;
            first.next = next.or(first.next.take());
        }
        problems
    }
}

fn with_own(
    mut content: Content,
    own: &[ProfileId],
    input: &RetryInput,
    pictures: Option<Vec<Attachment>>,
) -> Content {
    for profile in own {
        let before = content.own_of(profile).map(|(_, own)| own.clone());
        content.overrides.iter_mut().for_each(|one| one.profiles.retain(|other| other != profile));
        content.overrides.retain(|one| !one.profiles.is_empty());
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

/// A problem of content as one of the arguments that can mend it; what they cannot, `update_post` can.
fn as_argument(problem: Problem, post_id: &PostId) -> Problem {
    let code = problem.code;
    let own = match problem.field.split_once("].") {
        Some((list, own)) if list.starts_with("overrides[") => own,
        _ => &problem.field,
    };
    match own {
        "text" => Problem::new(code, own, "Give another text that the network takes."),
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
        let (row, workspace) = problems.keep_or(scene.post(&input.post_id, "post_id"), scene.stand_in())?;
        let named = input.profile.as_deref();
        let profile = named.and_then(|named| problems.keep(chosen_profile(&scene, workspace, named)));
        let is_in_doubt = |delivery: &DeliveryRow| {
            let is_it = profile.as_ref().is_none_or(|profile| delivery.profile_id == *profile);
            is_it && delivery.state == DeliveryState::Unknown
        };
        if !row.is_stand_in() && !row.deliveries.iter().any(is_in_doubt) {
            problems.add(not_unknown(&row.post_id));
        }
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

/// Where several fit, it may be that only one of them is to be settled.
fn chosen_profile(scene: &Scene, workspace: &WorkspaceFacts, named: &str) -> Result<ProfileId, Problem> {
    match profiles::choose_one(&scene.profiles, &workspace.id, named, "profile") {
        Ok(profile) => Ok(profile.id.clone()),
        Err(problem) if problem.code == Code::AmbiguousProfile => Err(problem.fix(Fix::Remove)),
        Err(problem) => Err(problem),
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
        let mut problems = Problems::default();
        problems.keep_all(posts::check_seen(row, input.expected_revision))?;
        if row.deliveries.iter().any(DeliveryRow::is_busy) {
            problems.add(posts::busy(&row.post_id));
        }
        problems.refuse_if_any()?;
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
        let public = row.deliveries.iter().any(DeliveryRow::may_be_public);
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
