//! `pause_publishing` and `resume_publishing`.

use serde::{Deserialize, Serialize};

use crate::{
    delivery::pause::{self, Overdue, Scope, pause, resume},
    desk::{
        self, Caller, Code, Hints, Moment, Problem, Problems, ProfileId, Refusal, Scopes, TimeZoneName, Tool,
        WorkspaceFacts, resolve_bound,
    },
    posts::Scene,
    profiles::{self, Profile},
};

/// Stops everything that would go out.
pub struct PausePublishing;

/// Arguments of `pause_publishing`.
#[derive(Debug, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct PauseInput {
    /// Workspace id or name. May be left out when the grant has one.
    #[serde(default)]
    workspace: Option<String>,
    /// Only these of its profiles: ids, handles or networks. The whole workspace when left out.
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(min = 1, max = 50)))]
    profiles: Option<Vec<String>>,
    /// Until when; until resume_publishing when left out.
    #[serde(default)]
    until: Option<String>,
    /// Why, for the team.
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 300)))]
    reason: String,
}

/// A pause.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct PauseOutput {
    /// The workspace.
    workspace: String,
    /// The handles that are paused; none stands for all of the workspace.
    profiles: Vec<String>,
    /// Until when; absent when until it is resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Moment>,
    /// What to know.
    warnings: Vec<String>,
}

impl Tool for PausePublishing {
    const NAME: &'static str = "pause_publishing";
    const TITLE: &'static str = "Pause publishing";
    const DESCRIPTION: &'static str = "Stops everything that would go out from a workspace, or to some of its profiles, at once; schedules stay. What falls due in the pause is put on hold and goes out only after resume_publishing says how. Use it when the person wants everything stopped; for one post use unschedule_post.";
    const NEEDS: Scopes = Scopes::of(&[desk::Scope::PostsWrite]);
    const HINTS: Hints = Hints::write().idempotent();
    type Input = PauseInput;
    type Output = PauseOutput;

    async fn call(caller: &Caller<'_>, input: PauseInput) -> Result<PauseOutput, Refusal> {
        let scene = Scene::read(caller, &[], None).await?;
        let mut problems = Problems::default();
        let named = scene.facts.workspace(input.workspace.as_deref());
        let workspace = problems.keep_or(named, scene.facts.stand_in())?;
        let zone = TimeZoneName::or_utc(&workspace.time_zone);
        let chosen = chosen(&scene, workspace, input.profiles.as_deref(), &mut problems);
        let until = input.until.as_deref().and_then(|text| {
            let until = resolve_bound(text, &zone, caller.now(), "until").and_then(|until| {
                let past =
                    || Problem::new(Code::InvalidSchedule, "until", "Give a time to come, or leave it out.");
                if until > caller.now() { Ok(until) } else { Err(past().message("That time is past.")) }
            });
            problems.keep(until)
        });
        let reason = input.reason.trim();
        if reason.is_empty() {
            problems.add(Problem::new(Code::Missing, "reason", "Say why in a few words."));
        }
        problems.refuse_if_any()?;
        let ids: Vec<ProfileId> = chosen.iter().map(|profile| profile.id.clone()).collect();
        pause(caller, Scope { workspace, profiles: &ids }, until, reason).await?;
        Ok(PauseOutput {
            workspace: workspace.name.clone(),
            profiles: chosen.iter().map(|profile| profile.account.handle.clone()).collect(),
            until: until.map(|until| Moment::new(until, &zone, caller.now())),
            warnings: vec![
                "What is being sent at this moment is carried to its end. What falls due until then stays on hold, also after that time, until resume_publishing says what becomes of it.".to_owned(),
            ],
        })
    }
}

/// Lets publishing go on.
pub struct ResumePublishing;

/// Arguments of `resume_publishing`.
#[derive(Debug, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ResumeInput {
    /// Workspace id or name. May be left out when the grant has one.
    #[serde(default)]
    workspace: Option<String>,
    /// Only these of its profiles: ids, handles or networks.
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(min = 1, max = 50)))]
    profiles: Option<Vec<String>>,
    /// What becomes of posts whose time passed: skip (they do not go out), respace (one after the other from now on) or review (they stay on hold).
    overdue: Overdue,
}

/// What came of resuming.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ResumeOutput {
    /// The workspace.
    workspace: String,
    /// How many overdue posts will not go out.
    skipped: usize,
    /// When overdue posts go out now.
    respaced: Vec<RespacedProfile>,
    /// How many overdue posts stay on hold; list_posts with status needs_attention finds them.
    on_hold: usize,
}

/// An overdue post's new time.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
struct RespacedProfile {
    /// The profile's handle.
    profile: String,
    /// When it goes out.
    when: Moment,
}

impl Tool for ResumePublishing {
    const NAME: &'static str = "resume_publishing";
    const TITLE: &'static str = "Resume publishing";
    const DESCRIPTION: &'static str = "Ends a pause and says what becomes of the posts whose time passed in it; never sends them all at once. Ask the person which of skip, respace and review it shall be. Also settles what is still on hold after a pause ended by its time.";
    const NEEDS: Scopes = Scopes::of(&[desk::Scope::PostsWrite, desk::Scope::PostsPublish]);
    const HINTS: Hints = Hints::destructive().idempotent().open_world();
    type Input = ResumeInput;
    type Output = ResumeOutput;

    async fn call(caller: &Caller<'_>, input: ResumeInput) -> Result<ResumeOutput, Refusal> {
        let scene = Scene::read(caller, &[], None).await?;
        let mut problems = Problems::default();
        let named = scene.facts.workspace(input.workspace.as_deref());
        let workspace = problems.keep_or(named, scene.facts.stand_in())?;
        let zone = TimeZoneName::or_utc(&workspace.time_zone);
        let chosen = chosen(&scene, workspace, input.profiles.as_deref(), &mut problems);
        problems.refuse_if_any()?;
        let ids: Vec<ProfileId> = chosen.iter().map(|profile| profile.id.clone()).collect();
        let resumed = resume(caller, Scope { workspace, profiles: &ids }, input.overdue).await?;
        let handle = |id: &ProfileId| {
            let found = scene.profiles.iter().find(|profile| profile.id == *id);
            found.map(|profile| profile.account.handle.clone()).unwrap_or_default()
        };
        let pause::Resumed { skipped, respaced, on_hold } = resumed;
        let respaced = respaced.into_iter().map(|(profile, at)| RespacedProfile {
            profile: handle(&profile),
            when: Moment::new(at, &zone, caller.now()),
        });
        Ok(ResumeOutput { workspace: workspace.name.clone(), skipped, respaced: respaced.collect(), on_hold })
    }
}

fn chosen<'s>(
    scene: &'s Scene,
    workspace: &WorkspaceFacts,
    named: Option<&[String]>,
    problems: &mut Problems,
) -> Vec<&'s Profile> {
    let Some(named) = named else { return Vec::new() };
    profiles::choose(&scene.profiles, &workspace.id, named, "profiles", problems)
}
