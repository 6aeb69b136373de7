//! `whoami` and `list_workspaces`: where every conversation begins.

use serde::{Deserialize, Serialize};

use super::store;
use crate::{
    desk::{
        Answer, Caller, Facts, Hints, Moment, Refusal, Role, Scope, Scopes, TimeZoneName, Tool, ToolEntry,
        WorkspaceFacts, WorkspaceId,
    },
    platform::{FromRow, Row, RowFault, Statement, Timestamp},
};

/// The tool with which every conversation begins.
pub const FIRST_TOOL: &str = WhoAmI::NAME;

/// The tools of this room.
pub const TOOLS: &[ToolEntry] = &[ToolEntry::of::<WhoAmI>(), ToolEntry::of::<ListWorkspaces>()];

/// No arguments.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct NoInput {}

/// How many social profiles there are, by what can be done with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct ProfileCounts {
    /// All of them.
    pub total: i64,
    /// Ready to post to.
    pub healthy: i64,
    /// A person must connect them again before anything is sent.
    pub needs_reconnect: i64,
    /// Disconnected by a person.
    pub disconnected: i64,
}

struct CountRow {
    workspace_id: WorkspaceId,
    state: String,
    profiles: i64,
}

impl FromRow for CountRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            workspace_id: row.get("workspace_id")?,
            state: row.get("state")?,
            profiles: row.get("profiles")?,
        })
    }
}

impl ProfileCounts {
    fn of(rows: &[CountRow], workspace: &WorkspaceId) -> Self {
        let mut counts = Self::default();
        for row in rows.iter().filter(|row| row.workspace_id == *workspace) {
            counts.total += row.profiles;
            match row.state.as_str() {
                "healthy" => counts.healthy += row.profiles,
                "reauthorise" => counts.needs_reconnect += row.profiles,
                "disconnected" => counts.disconnected += row.profiles,
                _ => {}
            }
        }
        counts
    }
}

/// A workspace at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct WorkspaceView {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name; tools take it instead of the id.
    pub name: String,
    /// The IANA time zone that local times are read in.
    pub time_zone: String,
    /// The present time there.
    pub now: Moment,
    /// Its social profiles, counted by health.
    pub profiles: ProfileCounts,
}

impl WorkspaceView {
    fn new(workspace: &WorkspaceFacts, counts: &[CountRow], now: Timestamp) -> Self {
        let zone = TimeZoneName::or_utc(&workspace.time_zone);
        Self {
            id: workspace.id.clone(),
            name: workspace.name.clone(),
            now: Moment::new(now, &zone, now),
            time_zone: workspace.time_zone.clone(),
            profiles: ProfileCounts::of(counts, &workspace.id),
        }
    }
}

fn profile_counts(caller: &Caller<'_>) -> Statement {
    let (tenant, grant) = caller.sight();
    store::PROFILE_COUNTS.with([tenant, grant])
}

/// Lists the workspaces of the grant with their settings.
pub struct ListWorkspaces;

/// The workspaces of the grant.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct WorkspaceList {
    /// Each workspace, by name.
    pub workspaces: Vec<WorkspaceWithSettings>,
}

/// A workspace and its settings in words.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct WorkspaceWithSettings {
    /// The workspace.
    #[serde(flatten)]
    pub workspace: WorkspaceView,
    /// What happens to late, near and immediate posts, in words.
    pub settings: Vec<String>,
    /// Where a person with the right role changes them.
    pub settings_url: String,
}

impl Tool for ListWorkspaces {
    const NAME: &'static str = "list_workspaces";
    const TITLE: &'static str = "List workspaces";
    const DESCRIPTION: &'static str = "Lists the workspaces this connection may use, each with its id, name, time zone, present local time, \
        settings and how many social profiles are healthy. Use it when a workspace must be chosen or its rules \
        matter; whoami gives a shorter overview. Any tool's workspace argument takes the name or the id.";
    const NEEDS: Scopes = Scopes::of(&[Scope::WorkspaceRead]);
    const HINTS: Hints = Hints::read();
    type Input = NoInput;
    type Output = WorkspaceList;

    async fn call(caller: &Caller<'_>, _: NoInput) -> Result<WorkspaceList, Refusal> {
        let mut answer = caller.read(vec![profile_counts(caller)]).await?;
        let counts = answer.next_as::<CountRow>()?;
        let workspaces = answer
            .facts
            .workspaces
            .iter()
            .map(|workspace| WorkspaceWithSettings {
                workspace: WorkspaceView::new(workspace, &counts, caller.now()),
                settings: settings_in_words(workspace),
                settings_url: format!(
                    "{}/{}/settings/{}",
                    caller.platform().config.public_origin,
                    caller.tenant().safename,
                    workspace.id
                ),
            })
            .collect();
        Ok(WorkspaceList { workspaces })
    }
}

fn settings_in_words(workspace: &WorkspaceFacts) -> Vec<String> {
    vec![
        format!(
            "A post that is less than {} late still goes out; a later one is marked missed.",
            duration(workspace.grace_seconds)
        ),
        format!(
            "A time less than {} away needs the capability posts:publish.",
            duration(workspace.notice_seconds)
        ),
        format!(
            "Publishing that an assistant asked for is held for {} and can be taken back meanwhile.",
            duration(workspace.hold_seconds)
        ),
    ]
}

/// "6 hours", "15 minutes", "90 seconds": in the largest unit that fits without a rest.
fn duration(seconds: i64) -> String {
    let (amount, unit) = match seconds {
        0 => (0, "second"),
        whole if whole % 3600 == 0 => (whole / 3600, "hour"),
        whole if whole % 60 == 0 => (whole / 60, "minute"),
        _ => (seconds, "second"),
    };
    let ending = if amount == 1 { "" } else { "s" };
    format!("{amount} {unit}{ending}")
}

/// Tells who the assistant acts for and what it may do.
pub struct WhoAmI;

/// Who the assistant acts for, where, and what it may do.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct WhoAmIOutput {
    /// The organisation.
    pub organisation: Organisation,
    /// The person who approved this connection.
    pub person: PersonView,
    /// How this app is connected; absent on pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<Connection>,
    /// The workspaces that may be used, by name.
    pub workspaces: Vec<WorkspaceView>,
    /// The capabilities that this connection can use now.
    pub capabilities: Vec<&'static str>,
    /// Capabilities that were granted but that the person's role does not allow.
    pub withheld_by_role: Vec<&'static str>,
    /// Capabilities that were not granted and that the role allows. Calling a tool that needs one makes the app ask the person for it.
    pub not_granted: Vec<Missing>,
    /// Where the person sees how to widen the connection, in a browser.
    pub widen_url: String,
}

/// An organisation.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct Organisation {
    /// Its display name.
    pub name: String,
    /// Its name in addresses.
    pub safename: String,
}

/// A person.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct PersonView {
    /// The person's name.
    pub name: String,
    /// The person's e-mail address.
    pub email: String,
    /// The person's role in the organisation.
    pub role: Role,
    /// Whether the person may approve posts.
    pub approver: bool,
}

/// How an app is connected.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct Connection {
    /// The app's name, as it gave it.
    pub app: String,
    /// How the person had signed in when approving it: "link" is a one-time link.
    pub signed_in_by: String,
    /// When it was approved, RFC 3339 in UTC.
    pub approved_at: String,
}

/// A capability that was not granted.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct Missing {
    /// Its name.
    pub capability: &'static str,
    /// What it would allow.
    pub allows: &'static str,
}

struct ConnectionRow {
    app: String,
    signed_in_by: String,
    approved_at: Timestamp,
}

impl FromRow for ConnectionRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            app: row.get("client_name")?,
            signed_in_by: row.get("signed_in_by")?,
            approved_at: row.get("created_at")?,
        })
    }
}

impl ConnectionRow {
    fn view(self, now: Timestamp) -> Connection {
        let approved = Moment::new(self.approved_at, &TimeZoneName::or_utc("UTC"), now);
        Connection { app: self.app, signed_in_by: self.signed_in_by, approved_at: approved.utc }
    }
}

impl Tool for WhoAmI {
    const NAME: &'static str = "whoami";
    const TITLE: &'static str = "Who am I";
    const DESCRIPTION: &'static str = "Call this first in every conversation. Tells the organisation and person you act for, the person's role, \
        the workspaces you may use with their time zone, present local time and social profiles' health, which \
        capabilities you hold and which you lack. Read the local time here before you schedule anything.";
    const NEEDS: Scopes = Scopes::NONE;
    const HINTS: Hints = Hints::read();
    type Input = NoInput;
    type Output = WhoAmIOutput;

    async fn call(caller: &Caller<'_>, _: NoInput) -> Result<WhoAmIOutput, Refusal> {
        let (tenant, grant) = caller.sight();
        let connection = store::CONNECTION.with([tenant, grant]);
        let answer = caller.read(vec![profile_counts(caller), connection]).await?;
        who_am_i(caller, answer)
    }
}

fn who_am_i(caller: &Caller<'_>, mut answer: Answer) -> Result<WhoAmIOutput, Refusal> {
    let now = caller.now();
    let counts = answer.next_as::<CountRow>()?;
    let connection = answer.next_first::<ConnectionRow>()?.map(|row| row.view(now));
    let facts = answer.facts;
    let granted = capabilities(facts.granted);
    Ok(WhoAmIOutput {
        connection,
        workspaces: facts
            .workspaces
            .iter()
            .map(|workspace| WorkspaceView::new(workspace, &counts, now))
            .collect(),
        capabilities: names(capabilities(facts.allowed)),
        withheld_by_role: names(granted.without(facts.by_role)),
        not_granted: capabilities(facts.by_role)
            .without(granted)
            .iter()
            .map(|scope| Missing { capability: scope.as_str(), allows: scope.plain_words() })
            .collect(),
        widen_url: format!("{}/#widen", caller.platform().config.public_origin),
        organisation: Organisation {
            name: facts.tenant_name.clone(),
            safename: caller.tenant().safename.to_string(),
        },
        person: person(facts),
    })
}

fn person(facts: Facts) -> PersonView {
    PersonView { name: facts.name, email: facts.email, role: facts.role, approver: facts.approver }
}

/// What a set allows to do; staying connected is none of it.
fn capabilities(scopes: Scopes) -> Scopes {
    scopes.without(Scopes::of(&[Scope::OfflineAccess]))
}

fn names(scopes: Scopes) -> Vec<&'static str> {
    scopes.iter().map(Scope::as_str).collect()
}
