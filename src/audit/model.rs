//! Lines of the audit, and which of them are wanted.

use serde::Serialize;

use crate::{
    desk::{AuditId, GrantId, UserId},
    platform::{FromRow, Row, RowFault, Timestamp},
};

/// A line of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id, which sorts by time.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// The person; nobody for an operator's act.
    pub user_id: Option<UserId>,
    /// The person's name, if they are or were a member.
    pub person: Option<String>,
    /// The client through which the person acted.
    pub client_id: Option<String>,
    /// The client's name.
    pub app: Option<String>,
    /// The grant.
    pub grant_id: Option<GrantId>,
    /// The tool or page.
    pub act: String,
    /// Ids of what it touched.
    pub subjects: Vec<String>,
    /// `done`, or the code of the refusal.
    pub outcome: String,
}

impl FromRow for Entry {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let subjects: String = row.get("subjects")?;
        Ok(Self {
            id: row.get("audit_id")?,
            at: row.get("at")?,
            user_id: row.get("user_id")?,
            person: row.get("person")?,
            client_id: row.get("client_id")?,
            app: row.get("app")?,
            grant_id: row.get("grant_id")?,
            act: row.get("act")?,
            subjects: serde_json::from_str(&subjects).map_err(|_| RowFault { column: "subjects" })?,
            outcome: row.get("outcome")?,
        })
    }
}

/// A line as it is exported.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    audit_id: &'a AuditId,
    at: String,
    user_id: Option<&'a UserId>,
    person: Option<&'a str>,
    client_id: Option<&'a str>,
    app: Option<&'a str>,
    grant_id: Option<&'a GrantId>,
    act: &'a str,
    subjects: &'a [String],
    outcome: &'a str,
}

impl<'a> From<&'a Entry> for Line<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            audit_id: &entry.id,
            at: entry.at_utc(),
            user_id: entry.user_id.as_ref(),
            person: entry.person.as_deref(),
            client_id: entry.client_id.as_deref(),
            app: entry.app.as_deref(),
            grant_id: entry.grant_id.as_ref(),
            act: &entry.act,
            subjects: &entry.subjects,
            outcome: &entry.outcome,
        }
    }
}

impl Entry {
    /// When, as RFC 3339 in UTC.
    pub fn at_utc(&self) -> String {
        jiff::Timestamp::from_millisecond(self.at.as_millis()).map(|at| at.to_string()).unwrap_or_default()
    }
}

/// Which lines are wanted: those that fit everything that is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this person.
    pub person: Option<UserId>,
    /// Through this client.
    pub client_id: Option<String>,
    /// Whose act has this in its name, or whose grant or subject has this id.
    pub what: Option<String>,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

/// A person to filter by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The person.
    pub user_id: UserId,
    /// The person's name.
    pub name: String,
    /// The person's e-mail address.
    pub email: String,
}

impl FromRow for Person {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { user_id: row.get("user_id")?, name: row.get("name")?, email: row.get("email")? })
    }
}

/// A client to filter by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// The client.
    pub client_id: String,
    /// Its name.
    pub name: String,
}

impl FromRow for App {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { client_id: row.get("client_id")?, name: row.get("client_name")? })
    }
}
