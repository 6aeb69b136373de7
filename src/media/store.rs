//! The SQL of media files.

use crate::platform::statements;

statements! { Shard:
    /// Media files of these ids in sight. ?1 tenant ?2 grant or NULL ?3 ids as JSON
    pub(super) MEDIA_BY_IDS = "media_by_ids", "SELECT m.media_id, m.workspace_id, m.hash, m.content_type, m.bytes, m.width, m.height, m.alt
FROM json_each(?3) wanted
CROSS JOIN media m ON m.tenant_id = ?1 AND m.media_id = wanted.value
WHERE ?2 IS NULL OR EXISTS (SELECT 1 FROM grant_workspace gw
  WHERE gw.tenant_id = ?1 AND gw.grant_id = ?2 AND gw.workspace_id = m.workspace_id)";

    /// Media files of these hashes in a workspace. ?1 tenant ?2 workspace ?3 hashes as JSON
    pub(super) MEDIA_BY_HASHES = "media_by_hashes", "SELECT m.media_id, m.workspace_id, m.hash, m.content_type, m.bytes, m.width, m.height, m.alt
FROM json_each(?3) wanted
CROSS JOIN media m ON m.tenant_id = ?1 AND m.workspace_id = ?2 AND m.hash = wanted.value";

    /// Adds a media file in sight, unless its workspace has the same bytes already.
    /// ?1 tenant ?2 grant or NULL ?3 workspace ?4 id ?5 hash ?6 type ?7 bytes ?8 width ?9 height ?10 alt ?11 now
    pub(super) MEDIA_ADD = "media_add", "INSERT INTO media (tenant_id, media_id, workspace_id, hash, content_type, bytes, width, height, alt, created_at)
SELECT ?1, ?4, ?3, ?5, ?6, ?7, ?8, ?9, ?10, ?11
WHERE ?2 IS NULL OR EXISTS (SELECT 1 FROM grant_workspace gw
  WHERE gw.tenant_id = ?1 AND gw.grant_id = ?2 AND gw.workspace_id = ?3)
ON CONFLICT (tenant_id, workspace_id, hash) DO NOTHING";
}
