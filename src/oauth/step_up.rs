//! Step-up: a grant turned out too narrow for a call, and the consent that follows adds what is missing to what the app
//! has (MCP authorization, "Scope Challenge Handling").
//!
//! The challenge is written down at the grant. When the same app then asks the same person for what it lacked, the page
//! keeps what that grant allows and asks for the rest; any other request starts from nothing, so that a second device of
//! the same client neither inherits nor narrows anything.

use super::{Authenticated, bearer, store::shard as sql};
use crate::{
    desk::{Act, Authority, Caller, GrantId, Scopes, Selection, WorkspaceId},
    http::Response,
    platform::{FromRow, Platform, Row, RowFault, Statement, Value},
};

/// A challenge is taken up within an hour.
const LIFE_SECONDS: i64 = 3600;
/// The same challenge is written down at most every 10 minutes.
const AGAIN_SECONDS: i64 = 600;

/// 403 that names every capability the call needs (RFC 6750 section 3.1), so that one step up is enough.
pub async fn step_up(platform: &Platform<'_>, who: &Authenticated, needed: Scopes) -> Response {
    note(platform, who, needed).await;
    bearer::insufficient_scope(platform.config, &who.tenant.safename, needed)
}

/// Writes the challenge down, once. Where that fails the person ticks again what the app had.
async fn note(platform: &Platform<'_>, who: &Authenticated, needed: Scopes) {
    let Authority::Grant { grant_id, .. } = &who.authority else { return };
    let Some(caller) = Caller::new(*platform, who.tenant.clone(), who.authority.clone()) else { return };
    let now = platform.now();
    let note = sql::NOTE_STEP_UP.with([
        Value::from(&who.tenant.id),
        grant_id.into(),
        needed.into(),
        now.into(),
        now.plus_seconds(-AGAIN_SECONDS).into(),
    ]);
    let act = Act { name: "step_up", subjects: &[grant_id.as_str()] };
    let _ = caller.write(act, vec![note, Caller::require_changes(1)]).await;
}

/// What an app has that was told to ask for more.
pub(super) struct Held {
    /// The grant.
    pub(super) grant_id: GrantId,
    /// The grant's capabilities.
    pub(super) scopes: Scopes,
    /// Which tools it was narrowed to.
    pub(super) selection: Selection,
    /// The grant's workspaces.
    pub(super) workspaces: Vec<WorkspaceId>,
}

impl FromRow for Held {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let workspaces: String = row.get("workspaces")?;
        Ok(Self {
            grant_id: row.get("grant_id")?,
            scopes: row.get("capabilities")?,
            selection: row.get("selection")?,
            workspaces: serde_json::from_str(&workspaces).map_err(|_| RowFault { column: "workspaces" })?,
        })
    }
}

/// Finds the grant of this member to this client that was challenged last, if all that it lacked is asked for now.
pub(super) fn find_held(caller: &Caller<'_>, client_id: &str, asked: Scopes) -> Statement {
    let now = caller.now();
    sql::FIND_HELD.with([
        Value::from(&caller.tenant().id),
        caller.user_id().into(),
        client_id.into(),
        now.into(),
        now.plus_seconds(-LIFE_SECONDS).into(),
        asked.into(),
    ])
}

impl Held {
    /// Takes the challenge up: it widens one consent only.
    pub(super) fn take_up(&self, caller: &Caller<'_>) -> Statement {
        sql::TAKE_UP_STEP_UP.with([Value::from(&caller.tenant().id), (&self.grant_id).into()])
    }
}
