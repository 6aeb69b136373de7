//! How a post group gets from what it is to what it shall be. Every tool that changes posts, one or many, comes through
//! here, and so does undoing.

use serde_json::{Map, Value, json};

use super::{
    Content,
    store::{self, ChangedPost, PostRow},
};
use crate::{
    desk::{Caller, ChangeId, DeliveryId, Due, PostId, WorkspaceId},
    networks::Network,
    platform::{Statement, Timestamp},
    profiles::Profile,
};

/// What a post group shall be.
#[derive(Clone, Debug)]
pub struct Desired {
    /// What it says.
    pub content: Content,
    /// When it goes out; none makes it a draft.
    pub due: Option<Due>,
    /// Whether it is deleted.
    pub deleted: bool,
}

/// A post group on its way to a new state.
pub struct Target {
    /// The post.
    pub post_id: PostId,
    /// Its workspace.
    pub workspace_id: WorkspaceId,
    /// The revision it must still have; none makes it.
    pub revision: Option<i64>,
    /// What it shall be.
    pub desired: Desired,
    /// The profiles, with their networks, that it shall go to when it is due.
    pub profiles: Vec<(crate::desk::ProfileId, Network)>,
    /// Not claimed before this, besides its due time.
    pub held_until: Timestamp,
    reach: Reach,
}

/// Which of a post's deliveries a change reaches. What is public, unknown or being sent is never reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// All: what failed, was missed or cancelled is to be sent too.
    All,
    /// What is pending, and what was cancelled.
    CalledOff,
    /// What is pending.
    Pending,
    /// None: they stay as they are.
    Nothing,
}

impl Reach {
    /// The settled states that come back.
    const fn revives(self) -> &'static [&'static str] {
        match self {
            Self::All => &["failed", "missed", "cancelled"],
            Self::CalledOff => &["cancelled"],
            Self::Pending | Self::Nothing => &[],
        }
    }
}

impl Target {
    /// A post that does not exist yet.
    pub fn new_post(
        post_id: PostId,
        workspace_id: WorkspaceId,
        desired: Desired,
        profiles: &[&Profile],
    ) -> Self {
        Self {
            post_id,
            workspace_id,
            revision: None,
            profiles: wanted(&desired.content, profiles),
            desired,
            held_until: Timestamp::from_millis(0),
            reach: Reach::All,
        }
    }

    /// An existing post, which must still be as `row` says.
    pub fn existing(row: &PostRow, desired: Desired, profiles: &[&Profile]) -> Self {
        Self {
            post_id: row.post_id.clone(),
            workspace_id: row.workspace_id.clone(),
            revision: Some(row.revision),
            profiles: wanted(&desired.content, profiles),
            desired,
            held_until: Timestamp::from_millis(0),
            reach: Reach::All,
        }
    }

    /// The same, not claimed before `time`.
    #[must_use]
    pub const fn held_until(mut self, time: Timestamp) -> Self {
        self.held_until = time;
        self
    }

    /// The same, leaving alone what failed, was missed or cancelled.
    #[must_use]
    pub const fn leaving_settled(mut self) -> Self {
        self.reach = Reach::Pending;
        self
    }

    /// The same, bringing back what was cancelled, and leaving alone what failed or was missed.
    #[must_use]
    pub const fn bringing_back(mut self) -> Self {
        self.reach = Reach::CalledOff;
        self
    }

    /// The same, leaving every delivery as it is: for what does not change what is published, nor when.
    #[must_use]
    pub const fn leaving_deliveries(mut self) -> Self {
        self.reach = Reach::Nothing;
        self
    }

    /// The revision that it will have.
    pub fn next_revision(&self) -> i64 {
        self.revision.unwrap_or(0) + 1
    }

    fn to_json(&self, caller: &Caller<'_>) -> Value {
        let due = self.desired.due.as_ref().filter(|_| !self.desired.deleted);
        let deliveries: Vec<Value> = due
            .map(|due| {
                self.profiles
                    .iter()
                    .map(|(profile, network)| {
                        json!({
                            "delivery_id": DeliveryId::new(caller.now(), caller.platform().entropy),
                            "profile_id": profile,
                            "network": network,
                            "next_at": due.at.max(self.held_until),
                        })
                    })
                    .collect()
            })
            .unwrap_or_default();
        json!({
            "post_id": self.post_id,
            "workspace_id": self.workspace_id,
            "revision": self.revision,
            "content": self.desired.content.to_json(),
            "content_hash": self.desired.content.hash(),
            "due_at": self.desired.due.as_ref().map(|due| due.at),
            "due_local": self.desired.due.as_ref().map(|due| &due.local),
            "due_zone": self.desired.due.as_ref().map(|due| &due.zone),
            "deleted_at": self.desired.deleted.then(|| caller.now()),
            "deliveries": deliveries,
            "revive": self.reach.revives(),
        })
    }
}

fn wanted(content: &Content, profiles: &[&Profile]) -> Vec<(crate::desk::ProfileId, Network)> {
    content
        .profiles
        .iter()
        .filter_map(|id| profiles.iter().find(|profile| profile.id == *id))
        .map(|profile| (profile.id.clone(), profile.account.network))
        .collect()
}

/// The statements that take all of `targets` to what they shall be, or abort: another revision, something of them being
/// sent right now, or a workspace out of sight.
pub fn statements(
    caller: &Caller<'_>,
    act: &'static str,
    change_id: &ChangeId,
    targets: &[Target],
) -> Vec<Statement> {
    let tenant = || crate::platform::Value::from(&caller.tenant().id);
    let (_, grant) = caller.sight();
    let now = caller.now();
    let text = |targets: &[&Target]| -> crate::platform::Value {
        Value::Array(targets.iter().map(|target| target.to_json(caller)).collect()).to_string().into()
    };
    // Beside the posts: a parameter takes 2 MB.
    let searched = |targets: &[&Target]| -> crate::platform::Value {
        let texts: Map<String, Value> = targets
            .iter()
            .map(|target| (target.post_id.to_string(), target.desired.content.searched().into()))
            .collect();
        Value::Object(texts).to_string().into()
    };
    let (made, changed): (Vec<&Target>, Vec<&Target>) =
        targets.iter().partition(|target| target.revision.is_none());
    let all: Vec<&Target> = targets.iter().collect();
    let moved: Vec<&Target> = all.iter().filter(|target| target.reach != Reach::Nothing).copied().collect();
    // A deleted post keeps its deliveries, so that it can come back as it was.
    let standing: Vec<&Target> = moved.iter().filter(|target| !target.desired.deleted).copied().collect();

    let mut statements = Vec::new();
    if !made.is_empty() {
        statements.push(store::INSERT_POSTS.with([
            tenant(),
            text(&made),
            caller.user_id().into(),
            grant.clone(),
            now.into(),
            searched(&made),
        ]));
    }
    if !changed.is_empty() {
        statements.push(store::UPDATE_POSTS.with([
            tenant(),
            text(&changed),
            grant,
            now.into(),
            searched(&changed),
        ]));
        statements.push(Caller::require_changes(i64::try_from(changed.len()).unwrap_or(i64::MAX)));
        statements.push(store::DROP_DELIVERIES.with([tenant(), text(&standing)]));
        statements.push(store::CANCEL_DELIVERIES.with([tenant(), text(&moved), now.into()]));
    }
    statements.push(store::KEEP_REVISIONS.with([tenant(), text(&all), now.into()]));
    statements.push(store::WANT_DELIVERIES.with([tenant(), text(&standing), now.into()]));
    let posts: Vec<ChangedPost> = targets
        .iter()
        .map(|target| ChangedPost {
            post_id: target.post_id.clone(),
            before: target.revision,
            after: target.next_revision(),
        })
        .collect();
    statements.push(store::INSERT_CHANGE.with([
        tenant(),
        change_id.into(),
        caller.holder().into(),
        act.into(),
        json!(posts).to_string().into(),
        now.into(),
    ]));
    statements
}
