//! What an owner allows, what a person asks for, and what is listed.

use std::str::FromStr;

use super::Kind;
use crate::{
    desk::{Facts, GrantId, Scopes, UserId, WorkspaceId, sort_by},
    http::Form,
    platform::{FromRow, FromValue, Row, RowFault, Timestamp, Value},
};

/// What a tenant's owner allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// No personal tokens.
    Off,
    /// Tokens in the header.
    Header,
    /// Tokens in the header and in addresses.
    HeaderAndAddress,
}

impl Setting {
    /// Every setting, the strictest first.
    pub const ALL: [Self; 3] = [Self::Off, Self::Header, Self::HeaderAndAddress];

    /// Its name in the database and in forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Header => "header",
            Self::HeaderAndAddress => "header_and_address",
        }
    }

    pub(super) const fn allows(self, kind: Kind) -> bool {
        match self {
            Self::Off => false,
            Self::Header => matches!(kind, Kind::Header),
            Self::HeaderAndAddress => true,
        }
    }
}

impl FromStr for Setting {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|setting| setting.as_str() == text).ok_or(())
    }
}

/// What this code does not know is off.
impl FromValue for Setting {
    fn from_value(value: &Value) -> Option<Self> {
        Some(String::from_value(value)?.parse().unwrap_or(Self::Off))
    }
}

impl FromRow for Setting {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        row.get("setting")
    }
}

/// Longest name of a token.
const LONGEST_LABEL: usize = 60;

/// How long tokens live, in days.
pub(super) const LIVES: [i64; 5] = [7, 30, 90, 180, 365];

/// A token that a person asks for.
pub(super) struct NewToken {
    /// Made with the form: sending it twice makes one token.
    pub(super) grant_id: GrantId,
    pub(super) kind: Kind,
    pub(super) label: String,
    pub(super) scopes: Scopes,
    pub(super) workspaces: Vec<WorkspaceId>,
    pub(super) days: i64,
}

impl NewToken {
    /// Reads the form. What the person's role does not allow, and workspaces that are not there, cannot be ticked.
    ///
    /// # Errors
    /// What is wrong, for the person.
    pub(super) fn parse(form: &Form, facts: &Facts, setting: Setting) -> Result<Self, &'static str> {
        let get = |name| form.get(name).unwrap_or_default().trim();
        let kind = match get("kind") {
            "address" => Kind::Address,
            _ => Kind::Header,
        };
        if !setting.allows(kind) {
            return Err("An owner of the organisation has not switched such tokens on.");
        }
        let label: String = get("label").split_whitespace().collect::<Vec<_>>().join(" ");
        let is_shown = !label.is_empty() && label.chars().count() <= LONGEST_LABEL;
        if !is_shown || label.chars().any(char::is_control) {
            return Err("Give the token a name of 1 to 60 characters, such as what will use it.");
        }
        let workspaces: Vec<WorkspaceId> = form
            .all("workspace")
            .filter_map(|id| id.parse().ok())
            .filter(|id| facts.workspace_by_id(id).is_some())
            .collect();
        if workspaces.is_empty() {
            return Err("Tick at least one workspace.");
        }
        let asked = Scopes::parse(&form.all("capability").collect::<Vec<_>>().join(" "));
        let scopes = asked.intersection(kind.grantable()).intersection(facts.allowed);
        if scopes.is_empty() {
            return Err("Tick at least one thing that the token may do.");
        }
        if scopes != asked {
            return Err("A token of this kind, or your role, does not allow all that is ticked.");
        }
        let days = get("days").parse().ok().filter(|days| LIVES.contains(days));
        let days = days.filter(|days| *days <= kind.longest_days());
        Ok(Self {
            grant_id: get("id").parse().map_err(|_| "Load the page again and repeat it.")?,
            kind,
            label,
            scopes,
            workspaces,
            days: days.ok_or("Choose how long the token lives; one in an address lives 90 days at most.")?,
        })
    }
}

/// A token as it is listed. The token itself is known to nobody any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalToken {
    /// Its grant.
    pub grant_id: GrantId,
    /// The name that its person gave it.
    pub label: String,
    /// Whether it is part of an address.
    pub in_address: bool,
    /// Whose it is.
    pub user_id: UserId,
    /// That person's name.
    pub person: String,
    /// What it may do.
    pub scopes: Scopes,
    /// The names of its workspaces.
    pub workspaces: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used, to the hour.
    pub used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl FromRow for PersonalToken {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let workspaces: String = row.get("workspaces")?;
        let mut workspaces: Vec<String> =
            serde_json::from_str(&workspaces).map_err(|_| RowFault { column: "workspaces" })?;
        sort_by(&mut workspaces, Ord::cmp);
        Ok(Self {
            grant_id: row.get("grant_id")?,
            label: row.get("label")?,
            in_address: row.get("in_address")?,
            user_id: row.get("user_id")?,
            person: row.get("person")?,
            scopes: row.get("capabilities")?,
            workspaces,
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
            used_at: row.get("used_at")?,
            revoked_at: row.get("revoked_at")?,
        })
    }
}
