//! The Wall's SQL.

use serde::{Deserialize, Serialize};

use crate::{
    desk::{DeliveryId, EntryId, ProfileId, TenantId, TimeZoneName},
    networks::{Attachment, PartKind},
    platform::{FromRow, FromValue, Row, RowFault, Statement, Timestamp, Value, statements},
};

statements! { Shard:
    /// Puts a part on the Wall; repeating it changes nothing.
    /// ?1 tenant ?2 entry ?3 profile ?4 delivery ?5 position ?6 content ?7 time
    ADD_ENTRY = "wall_add_entry", "INSERT INTO wall_entry (tenant_id, entry_id, profile_id, delivery_id, position, content, published_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";

    /// Takes a part off the Wall. ?1 tenant ?2 delivery ?3 position
    REMOVE_ENTRY = "wall_remove_entry", "DELETE FROM wall_entry WHERE tenant_id = ?1 AND delivery_id = ?2 AND position = ?3";

    /// The profile that a Wall belongs to. ?1 tenant ?2 handle
    PROFILE = "wall_profile", "SELECT p.handle, p.name, p.created_at, t.name AS organisation, w.time_zone
FROM profile p
JOIN tenant t ON t.tenant_id = p.tenant_id
JOIN workspace w ON w.tenant_id = p.tenant_id AND w.workspace_id = p.workspace_id
WHERE p.tenant_id = ?1 AND p.network = 'wall' AND p.handle = ?2 AND p.state <> 'disconnected'";

    /// A page of entries, newest first, each with its further parts in order. It begins after the entry that stood at
    /// ?3, ?4. Without the hint the planner reads the tenant's whole Wall for each post.
    /// ?1 tenant ?2 handle ?3 time ?4 entry ?5 how many
    PAGE = "wall_page", "SELECT e.entry_id, e.delivery_id, e.position, e.content, e.published_at
FROM (SELECT delivery_id, published_at, entry_id FROM wall_entry
  WHERE tenant_id = ?1
    AND profile_id = (SELECT profile_id FROM profile WHERE tenant_id = ?1 AND network = 'wall' AND handle = ?2)
    AND position = 0 AND (published_at, entry_id) < (?3, ?4)
  ORDER BY published_at DESC, entry_id DESC LIMIT ?5) page
JOIN wall_entry e INDEXED BY wall_entry_once ON e.tenant_id = ?1 AND e.delivery_id = page.delivery_id
ORDER BY page.published_at DESC, page.entry_id DESC, e.position";

    /// An entry of a Wall with its further parts in order. ?1 tenant ?2 handle ?3 entry
    ENTRY = "wall_entry", "SELECT e.entry_id, e.delivery_id, e.position, e.content, e.published_at
FROM wall_entry post
JOIN profile p ON p.tenant_id = ?1 AND p.profile_id = post.profile_id AND p.network = 'wall' AND p.handle = ?2
JOIN wall_entry e ON e.tenant_id = ?1 AND e.delivery_id = post.delivery_id
WHERE post.tenant_id = ?1 AND post.entry_id = ?3 AND post.position = 0
ORDER BY e.position";
}

/// What a part on the Wall says; stored as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The version of this form.
    pub v: u32,
    /// What the part is.
    pub kind: PartKind,
    /// Its text.
    pub text: String,
    /// Its media.
    pub media: Vec<Attachment>,
}

impl FromValue for Content {
    fn from_value(value: &Value) -> Option<Self> {
        serde_json::from_str(&String::from_value(value)?).ok()
    }
}

/// A part that stands on the Wall.
pub struct EntryRow {
    /// Its id.
    pub entry_id: EntryId,
    /// The delivery that it came by: parts of one delivery are shown together.
    pub delivery_id: DeliveryId,
    /// Its place in the delivery.
    pub position: i64,
    /// What it says.
    pub content: Content,
    /// The time that it carries.
    pub published_at: Timestamp,
}

impl FromRow for EntryRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            entry_id: row.get("entry_id")?,
            delivery_id: row.get("delivery_id")?,
            position: row.get("position")?,
            content: row.get("content")?,
            published_at: row.get("published_at")?,
        })
    }
}

/// Whose Wall it is.
pub struct ProfileRow {
    /// The profile's handle.
    pub handle: String,
    /// The profile's name.
    pub name: String,
    /// The tenant's name.
    pub organisation: String,
    /// When the profile was made.
    pub created_at: Timestamp,
    /// The workspace's time zone.
    pub time_zone: TimeZoneName,
}

impl FromRow for ProfileRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            handle: row.get("handle")?,
            name: row.get("name")?,
            organisation: row.get("organisation")?,
            created_at: row.get("created_at")?,
            time_zone: row.get("time_zone")?,
        })
    }
}

/// Where a page of entries begins: after the entry of this time and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// Its time.
    pub published_at: Timestamp,
    /// Its id.
    pub entry_id: String,
}

impl After {
    /// Before every entry there can be.
    pub const fn beginning() -> Self {
        Self { published_at: Timestamp::from_millis((1 << 53) - 1), entry_id: String::new() }
    }
}

/// A part to put on the Wall.
pub struct NewEntry<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The entry's id.
    pub entry: &'a EntryId,
    /// The profile whose Wall it is.
    pub profile: &'a ProfileId,
    /// The delivery.
    pub delivery: &'a DeliveryId,
    /// The part's place in the delivery.
    pub position: i64,
    /// What it says.
    pub content: &'a Content,
    /// The time that it carries.
    pub at: Timestamp,
}

/// See [`ADD_ENTRY`].
pub fn add(entry: &NewEntry<'_>) -> Statement {
    ADD_ENTRY.with([
        entry.tenant.into(),
        entry.entry.into(),
        entry.profile.into(),
        entry.delivery.into(),
        entry.position.into(),
        serde_json::to_string(entry.content).unwrap_or_default().into(),
        entry.at.into(),
    ])
}

/// See [`REMOVE_ENTRY`].
pub fn remove(tenant: &TenantId, delivery: &DeliveryId, position: i64) -> Statement {
    REMOVE_ENTRY.with([tenant.into(), delivery.into(), position.into()])
}

/// See [`PROFILE`].
pub fn profile(tenant: &TenantId, handle: &str) -> Statement {
    PROFILE.with([tenant.into(), handle.into()])
}

/// See [`PAGE`].
pub fn page(tenant: &TenantId, handle: &str, after: &After, limit: u32) -> Statement {
    PAGE.with([
        tenant.into(),
        handle.into(),
        after.published_at.into(),
        after.entry_id.as_str().into(),
        i64::from(limit).into(),
    ])
}

/// See [`ENTRY`].
pub fn entry(tenant: &TenantId, handle: &str, entry: &EntryId) -> Statement {
    ENTRY.with([tenant.into(), handle.into(), entry.into()])
}
