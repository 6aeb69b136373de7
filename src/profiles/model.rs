//! Profiles, and how an assistant's words choose among them.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::store;
use crate::{
    desk::{Caller, Code, Fix, NextCall, Problem, Problems, ProfileId, WorkspaceId, nearest, next_call},
    networks::{self, Account, Network},
    platform::{FromRow, FromValue, Row, RowFault, Statement, Timestamp, Value},
};

/// Whether a profile can be posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub enum ProfileState {
    /// It works.
    Healthy,
    /// The network no longer accepts its credentials: a person must connect it again.
    Reauthorise,
    /// A person disconnected it; its history stays.
    Disconnected,
}

impl ProfileState {
    /// The name on the wire and in the databases.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Reauthorise => "reauthorise",
            Self::Disconnected => "disconnected",
        }
    }
}

impl From<ProfileState> for Value {
    fn from(state: ProfileState) -> Self {
        Self::from(state.as_str())
    }
}

/// A state that this code does not know cannot be posted to.
impl FromValue for ProfileState {
    fn from_value(value: &Value) -> Option<Self> {
        Some(match String::from_value(value)?.as_str() {
            "healthy" => Self::Healthy,
            "reauthorise" => Self::Reauthorise,
            _ => Self::Disconnected,
        })
    }
}

/// A connected account of a workspace, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// Its workspace.
    pub workspace_id: WorkspaceId,
    /// The account on its network.
    pub account: Account,
    /// What people here call it.
    pub name: String,
    /// Whether it can be posted to.
    pub state: ProfileState,
    /// Why it cannot.
    pub state_why: Option<String>,
    /// The pause of publishing that holds for it, of those [in sight](in_sight).
    pub pause: Option<Pause>,
}

/// A pause of publishing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Pause {
    /// When it ends, if not only by being ended.
    pub until: Option<Timestamp>,
    /// Why it was begun, in somebody's words.
    pub reason: String,
}

impl Pause {
    /// Whether it still holds at a time to come.
    pub fn holds_at(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| until > at)
    }
}

impl Profile {
    /// Whether a person took it out of use.
    fn is_connected(&self) -> bool {
        self.state != ProfileState::Disconnected
    }

    /// Whether `wanted`, in lower case, names it: its id, handle, network or display name.
    fn answers_to(&self, wanted: &str) -> bool {
        self.id.as_str() == wanted
            || self.has_handle(wanted)
            || self.account.network.as_str() == wanted
            || self.name.to_lowercase() == wanted
    }

    /// What somebody may call it: a handle on a server of many is known by its first label.
    fn names(&self) -> [&str; 4] {
        let handle = self.account.handle.as_str();
        let label = handle.split('.').next().unwrap_or(handle);
        [handle, label, &self.name, self.account.network.as_str()]
    }

    fn has_handle(&self, wanted: &str) -> bool {
        self.account.handle.to_lowercase() == wanted.strip_prefix('@').unwrap_or(wanted)
    }

    fn begins_with(&self, wanted: &str) -> bool {
        let start = wanted.strip_prefix('@').unwrap_or(wanted);
        let begins = |text: &str| text.to_lowercase().starts_with(start);
        start.len() > 1 && (begins(&self.account.handle) || begins(&self.name))
    }

    /// The profile before words about it: `handle (network)`.
    pub fn label(&self) -> String {
        format!("{} ({})", self.account.handle, networks::rules(self.account.network).name)
    }

    /// The profile in a hint: `@handle (bluesky, prf_…)`.
    fn said(&self) -> String {
        format!("@{} ({}, {})", self.account.handle, self.account.network.as_str(), self.id)
    }
}

impl FromRow for Profile {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let id: ProfileId = row.get("profile_id")?;
        Ok(Self {
            id: id.clone(),
            workspace_id: row.get("workspace_id")?,
            account: Account {
                profile_id: id,
                network: row.get::<Network>("network")?,
                handle: row.get("handle")?,
                remote_id: row.get("remote_id")?,
                server: row.get("server")?,
            },
            name: row.get("name")?,
            state: row.get("state")?,
            state_why: row.get("state_why")?,
            // Only those in sight are read with it.
            pause: row.get::<String>("pause").ok().and_then(|pause| serde_json::from_str(&pause).ok()),
        })
    }
}

/// A statement whose rows are all [`Profile`]s of the workspaces that this caller may see, by workspace, network and
/// handle.
pub fn in_sight(caller: &Caller<'_>) -> Statement {
    let (tenant, grant) = caller.sight();
    store::PROFILES_IN_SIGHT.with([tenant, grant, caller.now().into()])
}

/// A profile as tools show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct ProfileView {
    /// Its id; `profiles` takes it, the handle, the name or the network.
    pub profile_id: ProfileId,
    /// Its workspace.
    pub workspace_id: WorkspaceId,
    /// Its network.
    pub network: Network,
    /// Its handle there.
    pub handle: String,
    /// What people here call it.
    pub name: String,
    /// `healthy`, `reauthorise` (posts wait until a person connects it again) or `disconnected`.
    pub state: ProfileState,
    /// Why it is not healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The call that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<NextCall>,
}

/// A profile as tools show it, with the call that mends it when it is not healthy.
pub fn view(profile: &Profile) -> ProfileView {
    let healthy = profile.state == ProfileState::Healthy;
    let network = profile.account.network;
    ProfileView {
        profile_id: profile.id.clone(),
        workspace_id: profile.workspace_id.clone(),
        network,
        handle: profile.account.handle.clone(),
        name: profile.name.clone(),
        state: profile.state,
        why: profile.state_why.clone().filter(|_| !healthy),
        next: (!healthy).then(|| {
            next_call(
                "connect_social_profile",
                json!({ "network": network, "workspace": profile.workspace_id, "reconnect": profile.id }),
            )
        }),
    }
}

/// The profiles of `workspace` that `wanted` names, each once, in the order of its first mention.
///
/// Each wanted is an id, a handle with or without `@`, a network, a display name, or `all`, in any case. Disconnected
/// profiles are never chosen. `field` is the argument's name; the second wanted is `field[1]`. For each wanted that does not
/// name exactly one, `problems` gets `ambiguous_profile` with the candidates, or `social_profile_rejected` with the workspace's
/// profiles. The answer never depends on what exists outside `workspace`.
pub fn choose<'p>(
    profiles: &'p [Profile],
    workspace: &WorkspaceId,
    wanted: &[String],
    field: &str,
    problems: &mut Problems,
) -> Vec<&'p Profile> {
    let here = connected_in(profiles, workspace);
    let mut chosen: Vec<&Profile> = Vec::new();
    for (index, name) in wanted.iter().enumerate() {
        let found = named(&here, workspace, name, &format!("{field}[{index}]"));
        for profile in problems.keep(found).unwrap_or_default() {
            if !chosen.contains(&profile) {
                chosen.push(profile);
            }
        }
    }
    chosen
}

/// The one profile of `workspace` that an argument names, which is no list.
///
/// # Errors
/// `ambiguous_profile` or `social_profile_rejected`, as [`choose`] tells them.
pub fn choose_one<'p>(
    profiles: &'p [Profile],
    workspace: &WorkspaceId,
    wanted: &str,
    field: &str,
) -> Result<&'p Profile, Problem> {
    the_one(&connected_in(profiles, workspace), workspace, wanted, field)
}

fn connected_in<'p>(profiles: &'p [Profile], workspace: &WorkspaceId) -> Vec<&'p Profile> {
    profiles.iter().filter(|profile| profile.workspace_id == *workspace && profile.is_connected()).collect()
}

fn named<'p>(
    here: &[&'p Profile],
    workspace: &WorkspaceId,
    name: &str,
    field: &str,
) -> Result<Vec<&'p Profile>, Problem> {
    if name.trim().eq_ignore_ascii_case("all") && !here.is_empty() {
        return Ok(here.to_vec());
    }
    the_one(here, workspace, name, field).map(|profile| vec![profile])
}

fn the_one<'p>(
    here: &[&'p Profile],
    workspace: &WorkspaceId,
    name: &str,
    field: &str,
) -> Result<&'p Profile, Problem> {
    let wanted = name.trim().to_lowercase();
    let candidates: Vec<&Profile> =
        here.iter().copied().filter(|profile| profile.answers_to(&wanted)).collect();
    match candidates.as_slice() {
        [] => Err(rejected(here, workspace, &wanted, field)),
        [only] => Ok(only),
        several => Err(ambiguous(several, &wanted, field)),
    }
}

/// The profile of `workspace` and `network` that is to be connected again, disconnected ones included.
///
/// # Errors
/// As [`choose`].
pub(super) fn choose_to_reconnect<'p>(
    profiles: &'p [Profile],
    workspace: &WorkspaceId,
    network: Network,
    wanted: &str,
    field: &str,
) -> Result<&'p Profile, Problem> {
    let here: Vec<&Profile> = profiles
        .iter()
        .filter(|profile| profile.workspace_id == *workspace && profile.account.network == network)
        .collect();
    the_one(&here, workspace, wanted, field)
}

/// The corrected value is the one candidate that the word names most closely, if there is one: by its handle.
fn ambiguous(candidates: &[&Profile], wanted: &str, field: &str) -> Problem {
    let said: Vec<String> = candidates.iter().map(|profile| profile.said()).collect();
    let ids: Vec<String> = candidates.iter().map(|profile| format!("\"{}\"", profile.id)).collect();
    let others = if field.ends_with(']') { ", or by several of them as items of their own" } else { "" };
    let hint = format!("Replace it by {}{others}.", ids.join(" or "));
    let workspace = candidates.first().map(|profile| &profile.workspace_id);
    let problem = Problem::new(Code::AmbiguousProfile, field, hint)
        .message(format!("It fits {}.", said.join(" and ")))
        .next(next_call("list_social_profiles", json!({ "workspace": workspace })));
    mended(problem, candidates.iter().copied().filter(|profile| profile.has_handle(wanted)))
}

/// The corrected value is the only profile whose handle or name begins as the word does, or is spelt almost like it.
fn rejected(here: &[&Profile], workspace: &WorkspaceId, wanted: &str, field: &str) -> Problem {
    if here.is_empty() {
        let hint = "This workspace has no such social profile yet; connect one first.";
        return Problem::new(Code::SocialProfileRejected, field, hint).next(next_call(
            "connect_social_profile",
            json!({ "workspace": workspace, "network": Network::Wall }),
        ));
    }
    let said: Vec<String> = here.iter().map(|profile| profile.said()).collect();
    let hint = format!("Use \"all\" or one of {}.", said.join(", "));
    let problem = Problem::new(Code::SocialProfileRejected, field, hint)
        .next(next_call("list_social_profiles", json!({ "workspace": workspace })));
    let meant = nearest(wanted.trim_start_matches('@'), here.iter().flat_map(|profile| profile.names()));
    let close = |profile: &&Profile| {
        profile.begins_with(wanted) || meant.is_some_and(|name| profile.names().contains(&name))
    };
    mended(problem, here.iter().copied().filter(close))
}

fn mended<'p>(problem: Problem, mut close: impl Iterator<Item = &'p Profile>) -> Problem {
    match (close.next(), close.next()) {
        (Some(only), None) => problem.fix(Fix::Set(json!(only.id))),
        _ => problem,
    }
}
