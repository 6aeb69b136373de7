//! All SQL of post groups. Writes are set-based: `?2` is a JSON list of posts, so that one call changes one post or
//! fifty in the same statements.

use crate::{
    desk::{ChangeId, DeliveryId, Due, Moment, PostId, ProfileId, TimeZoneName, UserId, WorkspaceId},
    networks::Network,
    platform::{FromRow, Row, RowFault, Timestamp, statements},
};
use serde::Deserialize;

use super::{Content, DeliveryState, Phase, PlanPart, Reason};

/// A post group `p` with its deliveries, as [`PostRow`] reads it.
macro_rules! post_columns {
    () => {
        "SELECT p.post_id, p.workspace_id, p.revision, p.content, p.due_at, p.due_local, p.due_zone, p.user_id,
  p.created_at, p.updated_at, p.deleted_at,
  (SELECT json_group_array(json_object('delivery_id', d.delivery_id, 'profile_id', d.profile_id, 'network', d.network, 'state', d.state,
     'reason', d.reason, 'reason_code', d.reason_code, 'reason_text', d.reason_text, 'provider_words', d.provider_words, 'url', d.url, 'due_at', d.due_at, 'next_at', d.next_at,
     'published_at', d.published_at, 'attempts', d.attempts))
   FROM delivery d WHERE d.tenant_id = p.tenant_id AND d.post_id = p.post_id) AS deliveries
"
    };
}

/// What of a delivery `d` went out, or may have: all parts of the plan, or the first that are public.
macro_rules! sent_columns {
    () => {
        "SELECT d.post_id, d.profile_id, d.plan->'$.parts' AS parts,
  CASE WHEN d.state IN ('published', 'armed', 'unknown') THEN json_array_length(d.plan, '$.parts')
    ELSE (SELECT count(*) FROM delivery_part part
      WHERE part.tenant_id = ?1 AND part.delivery_id = d.delivery_id AND part.state IN ('live', 'removed')) END AS public
"
    };
}

/// The change to undo, of tenant `?1` and holder `?2`: the one with id `?3`, or the newest that is not undone and undid nothing.
macro_rules! change_to_undo {
    () => {
        "FROM change WHERE tenant_id = ?1 AND holder = ?2 AND (?3 IS NULL OR change_id = ?3)
  AND (?3 IS NOT NULL OR (undone_at IS NULL AND act <> 'undo_change')) ORDER BY change_id DESC LIMIT 1"
    };
}

/// Its posts, each as `j`.
macro_rules! posts_to_undo {
    () => {
        concat!("FROM json_each((SELECT posts ", change_to_undo!(), ")) j\n")
    };
}

statements! { Shard:
    /// The posts of these ids that the caller may see, with their deliveries. ?1 tenant ?2 grant ?3 ids
    pub(super) POSTS_BY_ID = "posts_by_id", concat!(post_columns!(), "FROM json_each(?3) j CROSS JOIN post_group p ON p.tenant_id = ?1 AND p.post_id = j.value
WHERE (?2 IS NULL OR EXISTS (SELECT 1 FROM grant_workspace gw WHERE gw.tenant_id = ?1 AND gw.grant_id = ?2 AND gw.workspace_id = p.workspace_id))");

    /// What of these posts' deliveries went out, or may have. ?1 tenant ?2 posts
    pub(super) SENT = "sent_parts", concat!(sent_columns!(), "FROM json_each(?2) j CROSS JOIN delivery d ON d.tenant_id = ?1 AND d.post_id = j.value
WHERE d.plan->>'$.v' = 1");

    /// A page of a workspace's posts, newest first.
    /// ?1 tenant ?2 grant ?3 workspace ?4 last post id or NULL ?5 how many ?6 delivery states or NULL ?7 only drafts ?8 profile or NULL
    /// ?9 label or NULL ?10 folded text or NULL
    pub(super) POSTS_NEWEST = "posts_newest", concat!(post_columns!(), "FROM post_group p
WHERE p.tenant_id = ?1 AND p.workspace_id = ?3 AND p.deleted_at IS NULL AND p.post_id < coalesce(?4, 'post_~')
  AND (?2 IS NULL OR EXISTS (SELECT 1 FROM grant_workspace gw WHERE gw.tenant_id = ?1 AND gw.grant_id = ?2 AND gw.workspace_id = p.workspace_id))
  AND (?6 IS NULL OR EXISTS (SELECT 1 FROM delivery d WHERE d.tenant_id = ?1 AND d.post_id = p.post_id AND d.state IN (SELECT value FROM json_each(?6))))
  AND (?7 = 0 OR p.due_at IS NULL)
  AND (?8 IS NULL OR EXISTS (SELECT 1 FROM json_each(p.content, '$.profiles') c WHERE c.value = ?8))
  AND (?9 IS NULL OR EXISTS (SELECT 1 FROM json_each(p.content, '$.labels') c WHERE c.value = ?9))
  AND (?10 IS NULL OR instr(p.searched, ?10) > 0)
ORDER BY p.post_id DESC LIMIT ?5");

    /// A page of a workspace's posts that are due in a span of time, soonest first.
    /// ?1 tenant ?2 grant ?3 workspace ?4 last post id or '' ?5 how many ?6 delivery states or NULL ?7 from ?8 profile or NULL
    /// ?9 label or NULL ?10 folded text or NULL ?11 to ?12 last due time
    pub(super) POSTS_BY_DUE = "posts_by_due", concat!(post_columns!(), "FROM post_group p
WHERE p.tenant_id = ?1 AND p.workspace_id = ?3 AND p.deleted_at IS NULL AND p.due_at IS NOT NULL
  AND p.due_at >= ?7 AND p.due_at < ?11 AND (p.due_at, p.post_id) > (?12, ?4)
  AND (?2 IS NULL OR EXISTS (SELECT 1 FROM grant_workspace gw WHERE gw.tenant_id = ?1 AND gw.grant_id = ?2 AND gw.workspace_id = p.workspace_id))
  AND (?6 IS NULL OR EXISTS (SELECT 1 FROM delivery d WHERE d.tenant_id = ?1 AND d.post_id = p.post_id AND d.state IN (SELECT value FROM json_each(?6))))
  AND (?8 IS NULL OR EXISTS (SELECT 1 FROM json_each(p.content, '$.profiles') c WHERE c.value = ?8))
  AND (?9 IS NULL OR EXISTS (SELECT 1 FROM json_each(p.content, '$.labels') c WHERE c.value = ?9))
  AND (?10 IS NULL OR instr(p.searched, ?10) > 0)
ORDER BY p.due_at, p.post_id LIMIT ?5");

    /// Makes posts. ?1 tenant ?2 posts ?3 person ?4 grant or NULL ?5 now ?6 their folded texts by id
    pub(super) INSERT_POSTS = "insert_posts", "INSERT INTO post_group (tenant_id, post_id, workspace_id, content, content_hash, searched, due_at, due_local,
  due_zone, user_id, grant_id, scheduled_by, created_at, updated_at)
SELECT ?1, j.value->>'post_id', j.value->>'workspace_id', j.value->'content', j.value->>'content_hash', ?6->>(j.value->>'post_id'), j.value->>'due_at', j.value->>'due_local',
  j.value->>'due_zone', ?3, ?4, CASE WHEN j.value->>'due_at' IS NOT NULL THEN ?4 END, ?5, ?5 FROM json_each(?2) j";

    /// Changes posts that are at the revision named and of which nothing is being sent. Who gives a post another time has
    /// scheduled it. ?1 tenant ?2 posts ?3 grant ?4 now ?5 their folded texts by id
    pub(super) UPDATE_POSTS = "update_posts", "UPDATE post_group SET revision = post_group.revision + 1, content = j.value->'content', content_hash = j.value->>'content_hash',
  searched = ?5->>(j.value->>'post_id'), due_at = j.value->>'due_at', due_local = j.value->>'due_local', due_zone = j.value->>'due_zone',
  scheduled_by = CASE WHEN j.value->>'due_at' IS NULL THEN NULL WHEN j.value->>'due_at' = post_group.due_at THEN post_group.scheduled_by ELSE ?3 END,
  deleted_at = j.value->>'deleted_at', updated_at = ?4
FROM json_each(?2) j
WHERE post_group.tenant_id = ?1 AND post_group.post_id = j.value->>'post_id' AND post_group.revision = j.value->>'revision'
  AND (?3 IS NULL OR EXISTS (SELECT 1 FROM grant_workspace gw WHERE gw.tenant_id = ?1 AND gw.grant_id = ?3 AND gw.workspace_id = post_group.workspace_id))
  AND NOT EXISTS (SELECT 1 FROM delivery d JOIN delivery_state s ON s.state = d.state
    WHERE d.tenant_id = ?1 AND d.post_id = post_group.post_id AND s.phase = 'busy')";

    /// How many posts wait to be sent at a time that each of these grants gave them. ?1 tenant ?2 grants ?3 the earliest time
    pub(super) COUNT_SCHEDULED = "count_scheduled", "SELECT p.scheduled_by AS grant_id, count(*) AS posts
FROM json_each(?2) j CROSS JOIN post_group p ON p.tenant_id = ?1 AND p.scheduled_by = j.value
WHERE p.deleted_at IS NULL AND p.due_at >= ?3 AND EXISTS (
  SELECT 1 FROM delivery d WHERE d.tenant_id = ?1 AND d.post_id = p.post_id AND d.state IN ('waiting', 'retrying'))
GROUP BY j.value";

    /// Those posts, at most 50, soonest first, after one of them.
    /// ?1 tenant ?2 grant ?3 the earliest time ?4 due time and ?5 id of the one before
    pub(super) SCHEDULED = "scheduled_by_grant", "SELECT p.post_id, p.due_at FROM post_group p
WHERE p.tenant_id = ?1 AND p.scheduled_by = ?2 AND p.deleted_at IS NULL AND p.due_at >= ?3 AND (p.due_at, p.post_id) > (?4, ?5)
  AND EXISTS (SELECT 1 FROM delivery d WHERE d.tenant_id = ?1 AND d.post_id = p.post_id AND d.state IN ('waiting', 'retrying'))
ORDER BY p.due_at, p.post_id LIMIT 50";

    /// Keeps each post's present revision. ?1 tenant ?2 posts ?3 now
    pub(super) KEEP_REVISIONS = "keep_revisions", "INSERT INTO post_revision (tenant_id, post_id, revision, content, due_at, due_local, due_zone, deleted, at)
SELECT ?1, p.post_id, p.revision, p.content, p.due_at, p.due_local, p.due_zone, p.deleted_at IS NOT NULL, ?3
FROM json_each(?2) j CROSS JOIN post_group p ON p.tenant_id = ?1 AND p.post_id = j.value->>'post_id'";

    /// Removes deliveries that were never tried and are not wanted any more. ?1 tenant ?2 posts
    pub(super) DROP_DELIVERIES = "drop_deliveries", "DELETE FROM delivery WHERE tenant_id = ?1 AND attempts = 0 AND state IN ('waiting', 'missed', 'cancelled', 'paused')
  AND post_id IN (SELECT j.value->>'post_id' FROM json_each(?2) j)
  AND NOT EXISTS (SELECT 1 FROM json_each(?2) j, json_each(j.value->'deliveries') w
    WHERE j.value->>'post_id' = delivery.post_id AND w.value->>'profile_id' = delivery.profile_id)";

    /// Cancels deliveries that are not on the network and not wanted any more; what was missed stays so under a deleted
    /// post. ?1 tenant ?2 posts ?3 now
    pub(super) CANCEL_DELIVERIES = "cancel_deliveries", "UPDATE delivery SET state = 'cancelled', next_at = NULL, updated_at = ?3
WHERE tenant_id = ?1 AND state IN ('waiting', 'retrying', 'missed', 'paused')
  AND post_id IN (SELECT j.value->>'post_id' FROM json_each(?2) j)
  AND NOT (state = 'missed' AND EXISTS (SELECT 1 FROM json_each(?2) j
    WHERE j.value->>'post_id' = delivery.post_id AND j.value->>'deleted_at' IS NOT NULL))
  AND NOT EXISTS (SELECT 1 FROM json_each(?2) j, json_each(j.value->'deliveries') w
    WHERE j.value->>'post_id' = delivery.post_id AND w.value->>'profile_id' = delivery.profile_id)";

    /// Makes or re-times the deliveries that are wanted. What is live, unknown or busy stays as it is; what failed, was missed
    /// or cancelled comes back only where the change says so. Of what is public in part, that part stays so. ?1 tenant ?2 posts ?3 now
    pub(super) WANT_DELIVERIES = "want_deliveries", "INSERT INTO delivery (tenant_id, delivery_id, post_id, profile_id, workspace_id, network, state, due_at, next_at, created_at, updated_at)
SELECT ?1, w.value->>'delivery_id', j.value->>'post_id', w.value->>'profile_id', j.value->>'workspace_id', w.value->>'network', 'waiting',
  j.value->>'due_at', w.value->>'next_at', ?3, ?3
FROM json_each(?2) j, json_each(j.value->'deliveries') w
WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.tenant_id = ?1 AND d.post_id = j.value->>'post_id'
  AND d.profile_id = w.value->>'profile_id' AND d.state IN ('failed', 'missed', 'cancelled')
  AND d.state NOT IN (SELECT r.value FROM json_each(j.value->'revive') r))
ON CONFLICT (tenant_id, post_id, profile_id) DO UPDATE SET state = 'waiting', due_at = excluded.due_at, next_at = excluded.next_at,
  reason = CASE WHEN delivery.reason = 'incomplete' THEN delivery.reason END,
  reason_code = CASE WHEN delivery.reason = 'incomplete' THEN delivery.reason_code END,
  reason_text = CASE WHEN delivery.reason = 'incomplete' THEN delivery.reason_text END,
  provider_words = NULL, updated_at = excluded.updated_at,
  plan = CASE WHEN delivery.reason = 'incomplete' THEN json_set(delivery.plan, '$.tries', 0, '$.looks', 0, '$.polls', 0)
    WHEN json_extract(delivery.plan, '$.suspect') THEN delivery.plan END
WHERE delivery.state IN ('waiting', 'retrying', 'missed', 'cancelled', 'failed', 'paused')";

    /// Every attempt to send a post, oldest first. ?1 tenant ?2 post
    pub(super) ATTEMPTS = "attempts", "SELECT d.profile_id, a.position, a.started_at, a.step, a.outcome, a.code, a.words
FROM delivery d JOIN attempt a ON a.tenant_id = d.tenant_id AND a.delivery_id = d.delivery_id
WHERE d.tenant_id = ?1 AND d.post_id = ?2 ORDER BY a.started_at, a.delivery_id, a.number LIMIT 200";

    /// Records what a call changed. ?1 tenant ?2 id ?3 holder ?4 act ?5 posts ?6 now
    pub(super) INSERT_CHANGE = "insert_change", "INSERT INTO change (tenant_id, change_id, holder, act, posts, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

    /// The change to undo. ?1 tenant ?2 holder ?3 id or NULL
    pub(super) CHANGE_TO_UNDO = "change_to_undo", concat!("SELECT change_id, act, posts, undone_at IS NOT NULL AS is_undone ", change_to_undo!());

    /// Marks a change undone, once. ?1 tenant ?2 holder ?3 id ?4 now
    pub(super) MARK_UNDONE = "mark_undone", "UPDATE change SET undone_at = ?4 WHERE tenant_id = ?1 AND holder = ?2 AND change_id = ?3 AND undone_at IS NULL";

    /// The posts of a change to undo that the caller may see. ?1 tenant ?2 holder ?3 id or NULL ?4 grant
    pub(super) POSTS_TO_UNDO = "posts_to_undo", concat!(post_columns!(), posts_to_undo!(), "CROSS JOIN post_group p ON p.tenant_id = ?1 AND p.post_id = j.value->>'post_id'
WHERE (?4 IS NULL OR EXISTS (SELECT 1 FROM grant_workspace gw WHERE gw.tenant_id = ?1 AND gw.grant_id = ?4 AND gw.workspace_id = p.workspace_id))");

    /// What of their deliveries went out, or may have. ?1 tenant ?2 holder ?3 id or NULL
    pub(super) SENT_TO_UNDO = "sent_to_undo", concat!(sent_columns!(), posts_to_undo!(), "CROSS JOIN delivery d ON d.tenant_id = ?1 AND d.post_id = j.value->>'post_id'
WHERE d.plan->>'$.v' = 1");

    /// Their revisions before the change and after it. ?1 tenant ?2 holder ?3 id or NULL
    pub(super) REVISIONS_TO_UNDO = "revisions_to_undo", concat!("SELECT r.post_id, r.revision, r.content, r.due_at, r.due_local, r.due_zone, r.deleted
", posts_to_undo!(), "CROSS JOIN post_revision r ON r.tenant_id = ?1 AND r.post_id = j.value->>'post_id' AND r.revision IN (j.value->>'before', j.value->>'after')");

    /// What a call with this key, or the same body, gave before. ?1 tenant ?2 holder ?3 tool ?4 key
    pub(super) REMEMBERED = "remembered", "SELECT body_hash, result, created_at FROM idempotency WHERE tenant_id = ?1 AND holder = ?2 AND tool = ?3 AND key = ?4";

    /// Remembers a call's result unless it is remembered already, younger than `?8` and another one than `?9`.
    /// ?1 tenant ?2 holder ?3 tool ?4 key ?5 body hash ?6 result ?7 now ?8 replaced when made at or before
    /// ?9 the result that is replaced, or NULL
    pub(super) REMEMBER = "remember", "INSERT INTO idempotency (tenant_id, holder, tool, key, body_hash, result, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (tenant_id, holder, tool, key) DO UPDATE SET body_hash = excluded.body_hash, result = excluded.result, created_at = excluded.created_at
WHERE idempotency.created_at <= ?8 OR idempotency.result = ?9";
}

/// A post group as it is stored, with its deliveries.
#[derive(Clone, Debug)]
pub struct PostRow {
    /// Its id.
    pub post_id: PostId,
    /// Its workspace.
    pub workspace_id: WorkspaceId,
    /// Its revision, from 1.
    pub revision: i64,
    /// What it says.
    pub content: Content,
    /// When it is due, if it is scheduled.
    pub due_at: Option<Timestamp>,
    /// That time as it was given.
    pub due_local: Option<String>,
    /// The zone of that local time.
    pub due_zone: Option<String>,
    /// Who made it.
    pub user_id: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was deleted, if it was.
    pub deleted_at: Option<Timestamp>,
    /// Its deliveries.
    pub deliveries: Vec<DeliveryRow>,
}

impl PostRow {
    /// A draft that says nothing, of a workspace: what the rest of a call is judged by whose own post is not found.
    pub fn stand_in(workspace: &WorkspaceId) -> Option<Self> {
        let then = Timestamp::from_millis(0);
        Some(Self {
            post_id: "post_00000000000000000000000000".parse().ok()?,
            workspace_id: workspace.clone(),
            revision: 0,
            content: Content::default(),
            due_at: None,
            due_local: None,
            due_zone: None,
            user_id: "usr_00000000000000000000000000".parse().ok()?,
            created_at: then,
            updated_at: then,
            deleted_at: None,
            deliveries: Vec::new(),
        })
    }

    /// Whether it only stands in: what is stored has a revision.
    pub const fn is_stand_in(&self) -> bool {
        self.revision == 0
    }
}

/// A delivery as posts see it.
#[derive(Clone, Debug, Deserialize)]
pub struct DeliveryRow {
    /// Its id.
    pub delivery_id: DeliveryId,
    /// The profile it goes to.
    pub profile_id: ProfileId,
    /// That profile's network.
    pub network: Network,
    /// Its state.
    #[serde(deserialize_with = "state")]
    pub state: DeliveryState,
    /// Why, for states that need a why.
    pub reason: Option<Reason>,
    /// The provider's or our code.
    pub reason_code: Option<String>,
    /// In our words.
    pub reason_text: Option<String>,
    /// What the network said: text from outside, never an instruction.
    pub provider_words: Option<String>,
    /// Its public address.
    pub url: Option<String>,
    /// When it is due.
    pub due_at: Timestamp,
    /// When it is looked at next.
    pub next_at: Option<Timestamp>,
    /// When it went out.
    pub published_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: i64,
    /// The parts that went out, or may have, as they were sent. Empty where they were not read: in lists.
    #[serde(skip)]
    pub sent: Vec<PlanPart>,
}

fn state<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<DeliveryState, D::Error> {
    String::deserialize(deserializer).map(|name| DeliveryState::parse(&name))
}

impl PostRow {
    /// The time that it has, as people read it at `now`. What still waits, as in its hold, did not happen "just now".
    pub fn due_moment(&self, zone: &TimeZoneName, now: Timestamp) -> Option<Moment> {
        let at = self.due_at?;
        let waits = self.deliveries.iter().any(|delivery| delivery.is_to_be_sent() || delivery.is_busy());
        let just_due = (0..60_000).contains(&now.millis_since(at));
        Some(Moment::new(at, zone, if waits && just_due { at } else { now }))
    }

    /// The time that it has, as it was given.
    pub fn due(&self) -> Option<Due> {
        Some(Due { at: self.due_at?, local: self.due_local.clone()?, zone: self.due_zone.clone()? })
    }
}

impl DeliveryRow {
    /// Whether it is being sent.
    pub fn is_busy(&self) -> bool {
        self.state.phase() == Phase::Busy
    }

    /// Whether it will be sent, or is held up before that.
    pub fn is_to_be_sent(&self) -> bool {
        self.state.phase() == Phase::Pending || self.state == DeliveryState::Paused
    }

    /// Whether it is, or may be, public.
    pub fn may_be_public(&self) -> bool {
        matches!(self.state, DeliveryState::Published | DeliveryState::Unknown)
            || self.reason == Some(Reason::Incomplete)
    }
}

impl FromRow for PostRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let content: String = row.get("content")?;
        let deliveries: String = row.get("deliveries")?;
        Ok(Self {
            post_id: row.get("post_id")?,
            workspace_id: row.get("workspace_id")?,
            revision: row.get("revision")?,
            content: Content::parse(&content).ok_or(RowFault { column: "content" })?,
            due_at: row.get("due_at")?,
            due_local: row.get("due_local")?,
            due_zone: row.get("due_zone")?,
            user_id: row.get("user_id")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            deleted_at: row.get("deleted_at")?,
            deliveries: serde_json::from_str(&deliveries).map_err(|_| RowFault { column: "deliveries" })?,
        })
    }
}

/// A change that may be undone.
pub struct ChangeRow {
    /// Its id.
    pub change_id: ChangeId,
    /// What made it.
    pub act: String,
    /// The posts, each with its revisions before and after.
    pub posts: Vec<ChangedPost>,
    /// Whether it is undone already.
    pub is_undone: bool,
}

/// What a change did to one post.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct ChangedPost {
    /// The post.
    pub post_id: PostId,
    /// Its revision before; none when the change made it.
    pub before: Option<i64>,
    /// Its revision after.
    pub after: i64,
}

impl FromRow for ChangeRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let posts: String = row.get("posts")?;
        Ok(Self {
            change_id: row.get("change_id")?,
            act: row.get("act")?,
            posts: serde_json::from_str(&posts).map_err(|_| RowFault { column: "posts" })?,
            is_undone: row.get("is_undone")?,
        })
    }
}

/// A post at an earlier revision.
pub struct RevisionRow {
    /// The post.
    pub post_id: PostId,
    /// The revision.
    pub revision: i64,
    /// What it said.
    pub content: Content,
    /// When it was due, if it was scheduled.
    pub due_at: Option<Timestamp>,
    /// That time as it was given.
    pub due_local: Option<String>,
    /// The zone of that local time.
    pub due_zone: Option<String>,
    /// Whether it was deleted.
    pub deleted: bool,
}

impl RevisionRow {
    /// Whether the post is as it was then.
    pub fn is_of(&self, row: &PostRow) -> bool {
        self.content == row.content && self.due() == row.due() && self.deleted == row.deleted_at.is_some()
    }

    /// The time that it had, as it was given.
    pub fn due(&self) -> Option<Due> {
        Some(Due { at: self.due_at?, local: self.due_local.clone()?, zone: self.due_zone.clone()? })
    }
}

impl FromRow for RevisionRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let content: String = row.get("content")?;
        Ok(Self {
            post_id: row.get("post_id")?,
            revision: row.get("revision")?,
            content: Content::parse(&content).ok_or(RowFault { column: "content" })?,
            due_at: row.get("due_at")?,
            due_local: row.get("due_local")?,
            due_zone: row.get("due_zone")?,
            deleted: row.get("deleted")?,
        })
    }
}

/// The remembered result of a call.
pub struct RememberedRow {
    /// The hash of the arguments it had.
    pub body_hash: String,
    /// The result, as JSON.
    pub result: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl FromRow for RememberedRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            body_hash: row.get("body_hash")?,
            result: row.get("result")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// An attempt to send a post.
pub struct AttemptRow {
    /// The profile it was for.
    pub profile_id: ProfileId,
    /// The position of the part that it was about, if it was about one.
    pub position: Option<i64>,
    /// When it began.
    pub started_at: Timestamp,
    /// What was tried.
    pub step: String,
    /// What came of it.
    pub outcome: Option<String>,
    /// The network's or our code.
    pub code: Option<String>,
    /// Words of the network.
    pub words: Option<String>,
}

impl FromRow for AttemptRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            profile_id: row.get("profile_id")?,
            position: row.get("position")?,
            started_at: row.get("started_at")?,
            step: row.get("step")?,
            outcome: row.get("outcome")?,
            code: row.get("code")?,
            words: row.get("words")?,
        })
    }
}
