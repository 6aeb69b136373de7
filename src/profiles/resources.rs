//! The profiles' resources: the connected accounts of a workspace.

use super::{Profile, ProfileView, in_sight, view};
use crate::desk::{
    Arguments, Caller, Contents, ListedResource, Refusal, ResourceEntry, Scope, Scopes, WORKSPACES,
};

/// The resources of this room.
pub const RESOURCES: &[ResourceEntry] = &[ResourceEntry {
    name: "social_profiles",
    title: "Social profiles of a workspace",
    description: "The connected accounts that posts of a workspace can go to, with their health.",
    mime_type: "application/json",
    template: "postern://{workspace}/profiles",
    needs: Scopes::of(&[Scope::SocialProfilesRead]),
    list: |facts| {
        facts
            .workspaces
            .iter()
            .map(|workspace| ListedResource {
                uri: format!("postern://{}/profiles", workspace.id),
                title: format!("Social profiles of {}", workspace.name),
            })
            .collect()
    },
    read: |caller, variables| Box::pin(read(caller, variables)),
    completes: &[("workspace", WORKSPACES)],
}];

async fn read(caller: &Caller<'_>, variables: Arguments) -> Result<Vec<Contents>, Refusal> {
    let mut answer = caller.read(vec![in_sight(caller)]).await?;
    let profiles: Vec<Profile> = answer.next_as()?;
    let workspace = answer.facts.workspace(variables.get("workspace"))?;
    let views: Vec<ProfileView> =
        profiles.iter().filter(|profile| profile.workspace_id == workspace.id).map(view).collect();
    Ok(vec![Contents::json(&serde_json::json!({ "workspace": workspace.name, "profiles": views }))])
}
