//! The posts' resources: one post, and the calendar of a week.

use super::{
    calendar::{calendar, weeks},
    details::details_within,
    tools::newest_ids,
};
use crate::desk::{
    Arguments, Caller, Complete, Contents, ListedResource, Refusal, ResourceEntry, Scope, Scopes,
    TimeZoneName, WORKSPACES,
};

const NEEDS: Scopes = Scopes::of(&[Scope::PostsRead]);

/// The resources of this room.
pub const RESOURCES: &[ResourceEntry] = &[
    ResourceEntry {
        name: "post",
        title: "A post",
        description: "One post whole: what it says, its schedule, where it stands on each profile with its public address, why something failed and every attempt.",
        mime_type: "application/json",
        template: "postern://{workspace}/posts/{post_id}",
        needs: NEEDS,
        list: |_| Vec::new(),
        read: |caller, variables| Box::pin(read_post(caller, variables)),
        completes: &[("workspace", WORKSPACES), ("post_id", POST_IDS)],
    },
    ResourceEntry {
        name: "calendar",
        title: "The calendar of a week",
        description: "A workspace's posts of one week by day, as text and as JSON. The week is this, next, or ISO 8601 such as 2026-W48.",
        mime_type: "text/plain",
        template: "postern://{workspace}/calendar/{week}",
        needs: NEEDS,
        list: |facts| {
            let weeks = [("this", "This week"), ("next", "Next week")];
            facts
                .workspaces
                .iter()
                .flat_map(|workspace| {
                    weeks.map(|(week, title)| ListedResource {
                        uri: address(workspace.id.as_str(), week),
                        title: format!("{title} in {}", workspace.name),
                    })
                })
                .collect()
        },
        read: |caller, variables| Box::pin(read_calendar(caller, variables)),
        completes: &[("workspace", WORKSPACES), ("week", WEEKS)],
    },
];

/// The address of a week's calendar.
fn address(workspace: &str, week: &str) -> String {
    format!("postern://{workspace}/calendar/{week}")
}

/// Completes a post: the newest of the workspace named before, or of the only one.
pub const POST_IDS: Complete =
    |caller, others| Box::pin(async move { newest_ids(caller, others.get("workspace")).await });

/// Completes a week: those around the present one.
const WEEKS: Complete = |caller, others| {
    Box::pin(async move {
        let facts = caller.facts().await?;
        let zone = facts.workspace(others.get("workspace")).map(|workspace| workspace.time_zone.as_str());
        Ok(weeks(&TimeZoneName::or_utc(zone.unwrap_or("UTC")), caller.now()))
    })
};

async fn read_post(caller: &Caller<'_>, variables: Arguments) -> Result<Vec<Contents>, Refusal> {
    let post_id = variables.get("post_id").unwrap_or_default();
    Ok(vec![Contents::json(&details_within(caller, post_id, variables.get("workspace")).await?)])
}

async fn read_calendar(caller: &Caller<'_>, variables: Arguments) -> Result<Vec<Contents>, Refusal> {
    let week = variables.get("week").unwrap_or_default();
    let calendar = calendar(caller, variables.get("workspace"), week, None).await?;
    Ok(vec![Contents::text("text/plain", calendar.to_text()), Contents::json(&calendar)])
}
