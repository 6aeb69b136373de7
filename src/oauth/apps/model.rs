//! A person's grants, and what a person can do about them.

use crate::{
    desk::{Act, AppId, Caller, Facts, GrantId, Refusal, Scope, Scopes, Selection, WorkspaceId, sort_by},
    oauth::{snapshot, store::shard as sql},
    platform::{FromRow, Row, RowFault, Timestamp, Value},
    posts::{self, ScheduledCount},
};
use serde::Deserialize;

/// A grant as its person sees it.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) grant_id: GrantId,
    pub(super) app_id: AppId,
    pub(super) client_id: String,
    pub(super) client_name: String,
    pub(super) capabilities: Scopes,
    pub(super) selection: Selection,
    pub(super) workspaces: Vec<Workspace>,
    pub(super) created_at: Timestamp,
    pub(super) used_at: Option<Timestamp>,
    /// The network of the last use that was written down.
    pub(super) used_from: Option<String>,
    /// How often a refresh token was repeated.
    pub(super) replays: i64,
    pub(super) ends_at: Timestamp,
    pub(super) live: bool,
    /// Posts that wait to be sent at a time that it gave them.
    pub(super) scheduled: i64,
}

/// A workspace of a grant.
#[derive(Clone, Deserialize)]
pub(super) struct Workspace {
    pub(super) id: WorkspaceId,
    pub(super) name: String,
}

impl FromRow for Connection {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let workspaces: String = row.get("workspaces")?;
        let mut workspaces: Vec<Workspace> =
            serde_json::from_str(&workspaces).map_err(|_| RowFault { column: "workspaces" })?;
        sort_by(&mut workspaces, |a, b| a.name.cmp(&b.name));
        Ok(Self {
            grant_id: row.get("grant_id")?,
            app_id: row.get("app_id")?,
            client_id: row.get("client_id")?,
            client_name: row.get("client_name")?,
            capabilities: row.get("capabilities")?,
            selection: row.get("selection")?,
            workspaces,
            created_at: row.get("created_at")?,
            used_at: row.get("used_at")?,
            used_from: row.get("used_from")?,
            replays: row.get("replays")?,
            ends_at: row.get("ends_at")?,
            live: row.get("live")?,
            scheduled: 0,
        })
    }
}

/// The member's grants, the newest first: those that live, and those that are over and whose posts still wait to be sent.
pub(super) async fn connections(caller: &Caller<'_>) -> Result<(Facts, Vec<Connection>), Refusal> {
    let list = sql::LIST_GRANTS.with([
        Value::from(&caller.tenant().id),
        caller.user_id().into(),
        caller.now().into(),
    ]);
    let mut connections: Vec<Connection> = caller.read(vec![list]).await?.next_as()?;
    let grants: Vec<&GrantId> = connections.iter().map(|connection| &connection.grant_id).collect();
    let mut answer = caller.read(vec![posts::count_scheduled(caller, &grants)]).await?;
    let counts: Vec<ScheduledCount> = answer.next_as()?;
    for connection in &mut connections {
        let count = counts.iter().find(|count| count.grant_id == connection.grant_id);
        connection.scheduled = count.map_or(0, |count| count.posts);
    }
    connections.retain(|connection| connection.live || connection.scheduled > 0);
    Ok((answer.facts, connections))
}

/// Leaves a grant what is in `scopes` and `workspaces` of what it has; that it stays connected is not in question.
pub(super) async fn narrow(
    caller: &Caller<'_>,
    grant: &GrantId,
    scopes: Scopes,
    workspaces: &[&WorkspaceId],
) -> Result<(), Refusal> {
    let tenant = || Value::from(&caller.tenant().id);
    let kept = scopes.with(Scope::OfflineAccess);
    let statements = vec![
        sql::NARROW_GRANT.with([
            tenant(),
            grant.into(),
            caller.user_id().into(),
            kept.into(),
            caller.now().into(),
        ]),
        Caller::require_changes(1),
        sql::NARROW_GRANT_WORKSPACES.with([
            tenant(),
            grant.into(),
            serde_json::json!(workspaces).to_string().into(),
        ]),
    ];
    caller.write(Act { name: "narrow_grant", subjects: &[grant.as_str()] }, statements).await?;
    snapshot::forget(caller.platform(), &caller.tenant().id, grant).await;
    Ok(())
}

/// Ends these grants of the member, together. One that is over stays over.
pub(super) async fn end(caller: &Caller<'_>, grants: &[GrantId]) -> Result<(), Refusal> {
    let parameters = || {
        [
            Value::from(&caller.tenant().id),
            serde_json::json!(grants).to_string().into(),
            caller.now().into(),
            caller.user_id().into(),
        ]
    };
    let subjects: Vec<&str> = grants.iter().map(GrantId::as_str).collect();
    let statements = vec![sql::END_FAMILIES.with(parameters()), sql::END_GRANTS.with(parameters())];
    caller.write_change(Act { name: "end_grant_by_person", subjects: &subjects }, statements).await?;
    for grant in grants {
        snapshot::forget(caller.platform(), &caller.tenant().id, grant).await;
    }
    Ok(())
}
