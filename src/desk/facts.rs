//! What the gate tells of a caller, read in the same batch as the work.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Code, Fix, Problem, Refusal, Scopes, Selection, UserId, WorkspaceId, nearest, next_call};
use crate::platform::{FromValue, Value};

/// A member's role in a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub enum Role {
    /// Everything, and who owns.
    Owner,
    /// Everything but ownership.
    Admin,
    /// Content, not accounts.
    Editor,
    /// Reading only.
    Viewer,
}

impl Role {
    /// The role's name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Editor => "editor",
            Self::Viewer => "viewer",
        }
    }

    /// Every role.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Editor, Self::Viewer];

    /// Whether the role manages settings and members.
    pub const fn manages(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(())
    }
}

impl FromValue for Role {
    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value)?.parse().ok()
    }
}

/// A caller as the database knows it at this moment.
#[derive(Clone, Debug, Deserialize)]
pub struct Facts {
    /// The tenant's display name.
    pub tenant_name: String,
    /// The person.
    pub user_id: UserId,
    /// The person's name.
    pub name: String,
    /// The person's e-mail address.
    pub email: String,
    /// The person's role.
    pub role: Role,
    /// Whether the person may approve posts.
    #[serde(deserialize_with = "bool_from_int")]
    pub approver: bool,
    /// What the token and its grant allow, whatever the role.
    #[serde(deserialize_with = "scopes_from_int")]
    pub granted: Scopes,
    /// What the role allows, whatever the grant.
    #[serde(deserialize_with = "scopes_from_int")]
    pub by_role: Scopes,
    /// What may be done: what is granted, capped by the role.
    #[serde(deserialize_with = "scopes_from_int")]
    pub allowed: Scopes,
    /// Which tools the grant was narrowed to.
    #[serde(default = "everything", deserialize_with = "selection_from_int")]
    pub selection: Selection,
    /// The workspaces that may be seen, by name.
    pub workspaces: Vec<WorkspaceFacts>,
    /// Which of them stands in for one that is not found, in a rehearsal.
    #[serde(skip)]
    pub(super) stand_in: Option<usize>,
}

/// A workspace that the caller may see.
#[derive(Clone, Debug, Deserialize)]
pub struct WorkspaceFacts {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// How late a post may still go out, in seconds.
    pub grace_seconds: i64,
    /// A time nearer than this needs the capability to publish, in seconds.
    pub notice_seconds: i64,
    /// How long publishing that an assistant asked for is held, in seconds.
    pub hold_seconds: i64,
}

impl Facts {
    /// The workspace that the caller means: by id or name, or the only one there is.
    ///
    /// # Errors
    /// `workspace_not_found` or `workspace_needed`, with the choices.
    pub fn workspace(&self, named: Option<&str>) -> Result<&WorkspaceFacts, Refusal> {
        let Some(named) = named else {
            return match self.workspaces.as_slice() {
                [only] => Ok(only),
                [] => Err(self.workspace_problem(Code::WorkspaceNotFound).into()),
                _ => Err(self.workspace_problem(Code::WorkspaceNeeded).into()),
            };
        };
        let wanted = named.trim().to_lowercase();
        self.workspaces
            .iter()
            .find(|workspace| workspace.id.as_str() == named || workspace.name.to_lowercase() == wanted)
            .ok_or_else(|| {
                let names = self.workspaces.iter().map(|workspace| workspace.name.as_str());
                let problem = self.workspace_problem(Code::WorkspaceNotFound);
                match nearest(named, names) {
                    Some(meant) => problem.fix(Fix::Set(meant.into())),
                    None => problem,
                }
                .into()
            })
    }

    /// The workspace in which the rest of a call is judged, in a rehearsal, where the one that is meant is not known.
    pub fn stand_in(&self) -> Option<&WorkspaceFacts> {
        self.workspaces.get(self.stand_in?)
    }

    fn workspace_problem(&self, code: Code) -> Problem {
        let choices: Vec<String> =
            self.workspaces.iter().map(|workspace| format!("\"{}\"", workspace.name)).collect();
        let hint = if choices.is_empty() {
            "This grant has no workspace. The person can tick one when connecting again.".to_owned()
        } else {
            format!("Set workspace to one of {}.", choices.join(", "))
        };
        Problem::new(code, "workspace", hint).next(next_call("list_workspaces", serde_json::json!({})))
    }

    /// The workspace with this id, if the caller may see it.
    pub fn workspace_by_id(&self, id: &WorkspaceId) -> Option<&WorkspaceFacts> {
        self.workspaces.iter().find(|workspace| workspace.id == *id)
    }
}

fn bool_from_int<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    i64::deserialize(deserializer).map(|number| number != 0)
}

fn scopes_from_int<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Scopes, D::Error> {
    i64::deserialize(deserializer).map(Scopes::from_bits)
}

fn selection_from_int<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Selection, D::Error> {
    i64::deserialize(deserializer).map(Selection::from_bits)
}

/// A member's own pages are not narrowed.
const fn everything() -> Selection {
    Selection::EVERYTHING
}
