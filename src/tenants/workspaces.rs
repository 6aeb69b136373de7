//! A tenant's workspaces: further ones, and their settings as managers see and change them.

use super::{WorkspaceSettings, directory, model::handle_of, store};
use crate::{
    desk::{
        Act, Caller, Code, Facts, Problem, ProfileId, Refusal, Tenant, TimeZoneName, WorkspaceFacts,
        WorkspaceId, change_by_operator,
    },
    platform::{DatabaseFault, Platform, Value},
};

/// A workspace that is there.
pub struct AddedWorkspace {
    /// Its id.
    pub workspace_id: WorkspaceId,
    /// Whether this call made it; else one of the name was there.
    pub new: bool,
}

/// Adds a workspace of this name, 1 to 100 characters, with its Wall. The same again changes nothing.
///
/// # Errors
/// When the shard fails.
pub async fn add_workspace(
    platform: &Platform<'_>,
    tenant: &Tenant,
    name: &str,
    time_zone: &TimeZoneName,
) -> Result<AddedWorkspace, DatabaseFault> {
    let now = platform.now();
    let id = WorkspaceId::new(now, platform.entropy);
    let wall = ProfileId::new(now, platform.entropy);
    let ending =
        format!("-{}", wall.as_str().get(wall.as_str().len().saturating_sub(4)..).unwrap_or_default());
    let batch = vec![
        store::ADD_FURTHER_WORKSPACE.with([
            Value::from(&tenant.id),
            (&id).into(),
            name.into(),
            time_zone.as_str().into(),
            now.into(),
        ]),
        store::ADD_FURTHER_WALL.with([
            Value::from(&tenant.id),
            (&wall).into(),
            (&id).into(),
            handle_of(name).into(),
            name.into(),
            now.into(),
            ending.into(),
        ]),
        change_by_operator(
            platform,
            &tenant.id,
            &Act { name: "operator_add_workspace", subjects: &[id.as_str()] },
        ),
        store::WORKSPACE_NAMED.with([Value::from(&tenant.id), name.into()]),
    ];
    let answers = directory::shard_of(platform, tenant)?.batch(batch).await?;
    let found: Option<WorkspaceId> =
        answers.last().and_then(|rows| rows.first()).map(|row| row.get("workspace_id")).transpose()?;
    let workspace_id = found
        .ok_or_else(|| DatabaseFault::Unknown("a workspace that was just added is not there".to_owned()))?;
    Ok(AddedWorkspace { new: workspace_id == id, workspace_id })
}

/// A workspace with its settings, and the caller's facts.
///
/// # Errors
/// `workspace_not_found`, or when the gate is closed.
pub async fn settings(
    caller: &Caller<'_>,
    workspace: &WorkspaceId,
) -> Result<(Facts, WorkspaceFacts), Refusal> {
    let facts = caller.facts().await?;
    let found = facts.workspace_by_id(workspace).cloned().ok_or_else(not_found)?;
    Ok((facts, found))
}

/// Sets a workspace, if the caller manages the tenant at that moment.
///
/// # Errors
/// `role_not_allowed`, `workspace_not_found`, or when the gate is closed.
pub async fn save_settings(
    caller: &Caller<'_>,
    workspace: &WorkspaceId,
    settings: &WorkspaceSettings,
) -> Result<(), Refusal> {
    let save = store::SAVE_SETTINGS.with([
        Value::from(&caller.tenant().id),
        workspace.into(),
        caller.user_id().into(),
        settings.time_zone.as_str().into(),
        settings.grace_seconds.into(),
        settings.notice_seconds.into(),
        settings.hold_seconds.into(),
    ]);
    let act = Act { name: "save_workspace_settings", subjects: &[workspace.as_str()] };
    match caller.write(act, vec![save, Caller::require_changes(1)]).await {
        Ok(_) => Ok(()),
        Err(Refusal::Conflict) => Err(why_not_saved(caller, workspace).await),
        Err(refusal) => Err(refusal),
    }
}

async fn why_not_saved(caller: &Caller<'_>, workspace: &WorkspaceId) -> Refusal {
    match self::settings(caller, workspace).await {
        Ok((facts, _)) if facts.role.manages() => Refusal::Conflict,
        Ok(_) => Problem::new(Code::RoleNotAllowed, "", "Ask an owner or admin of the organisation.").into(),
        Err(refusal) => refusal,
    }
}

fn not_found() -> Refusal {
    Problem::new(Code::WorkspaceNotFound, "workspace", "Open it from the page of your organisations.").into()
}
