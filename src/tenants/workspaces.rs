//! A workspace's settings, as its managers see and change them.

use super::{WorkspaceSettings, store};
use crate::{
    desk::{Act, Caller, Code, Facts, Problem, Refusal, WorkspaceFacts, WorkspaceId},
    platform::Value,
};

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
