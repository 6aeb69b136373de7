//! The gate's SQL. It stands first in every batch of a caller and aborts it when it fails.

use crate::platform::statements;

statements! { Shard:
    /// One row `facts` when the grant is live, was not narrowed to other tools than `?9`, and, with the token, allows all
    /// of `?7`, capped by the member's role; else the batch aborts. Who left and came back starts anew: grants from before stay closed.
    /// ?1 tenant ?2 grant ?3 generation ?4 person ?5 client ?6 now ?7 capabilities ?8 the token's capabilities
    /// ?9 the tool's place in selections
    pub(super) GATE_GRANT = "gate_grant", "SELECT CASE WHEN facts IS NULL THEN json('{gate') ELSE facts END AS facts FROM (SELECT (
  SELECT json_object('tenant_name', t.name, 'user_id', m.user_id, 'name', m.name, 'email', m.email, 'role', m.role,
    'approver', m.approver, 'granted', g.capabilities & ?8, 'by_role', r.capabilities, 'allowed', g.capabilities & ?8 & r.capabilities, 'selection', g.selection,
    'workspaces', json((SELECT json_group_array(json_object('id', w.workspace_id, 'name', w.name, 'time_zone', w.time_zone,
        'grace_seconds', w.grace_seconds, 'notice_seconds', w.notice_seconds, 'hold_seconds', w.hold_seconds))
      FROM grant_workspace gw JOIN workspace w ON w.tenant_id = gw.tenant_id AND w.workspace_id = gw.workspace_id
      WHERE gw.tenant_id = ?1 AND gw.grant_id = ?2)))
  FROM oauth_grant g
  JOIN membership m ON m.tenant_id = g.tenant_id AND m.user_id = g.user_id
  JOIN role r ON r.role = m.role
  JOIN tenant t ON t.tenant_id = g.tenant_id
  WHERE g.tenant_id = ?1 AND g.grant_id = ?2 AND g.generation = ?3 AND g.user_id = ?4 AND g.client_id = ?5
    AND g.revoked_at IS NULL AND g.expires_at > ?6 AND g.created_at >= m.created_at AND m.ended_at IS NULL
    AND t.deleted_at IS NULL AND g.selection & ?9 = ?9 AND g.capabilities & ?8 & r.capabilities & ?7 = ?7) AS facts)";

    /// One row `facts` when the person is a member whose role allows all of `?3`; else the batch aborts.
    /// ?1 tenant ?2 person ?3 capabilities
    pub(super) GATE_MEMBER = "gate_member", "SELECT CASE WHEN facts IS NULL THEN json('{gate') ELSE facts END AS facts FROM (SELECT (
  SELECT json_object('tenant_name', t.name, 'user_id', m.user_id, 'name', m.name, 'email', m.email, 'role', m.role,
    'approver', m.approver, 'granted', r.capabilities, 'by_role', r.capabilities, 'allowed', r.capabilities,
    'workspaces', json((SELECT json_group_array(json_object('id', w.workspace_id, 'name', w.name, 'time_zone', w.time_zone,
        'grace_seconds', w.grace_seconds, 'notice_seconds', w.notice_seconds, 'hold_seconds', w.hold_seconds))
      FROM workspace w WHERE w.tenant_id = ?1)))
  FROM membership m
  JOIN role r ON r.role = m.role
  JOIN tenant t ON t.tenant_id = m.tenant_id
  WHERE m.tenant_id = ?1 AND m.user_id = ?2 AND m.ended_at IS NULL AND t.deleted_at IS NULL
    AND r.capabilities & ?3 = ?3) AS facts)";

    /// Aborts the batch unless the tenant exists and is not being deleted: what anybody may read of it. ?1 tenant
    pub(super) GATE_VISITOR = "gate_visitor", "SELECT CASE WHEN EXISTS (
  SELECT 1 FROM tenant WHERE tenant_id = ?1 AND deleted_at IS NULL) THEN 1 ELSE json('{gate') END AS open";

    /// Aborts the batch unless the statement before it changed exactly `?1` rows.
    pub(super) REQUIRE_CHANGES = "require_changes", "SELECT CASE WHEN changes() = ?1 THEN 1 ELSE json('{changes') END AS held";

    /// Writes an act into the audit. ?1 tenant ?2 id ?3 now ?4 person ?5 client ?6 grant ?7 act ?8 subjects ?9 outcome
    pub(super) AUDIT_ACT = "audit_act", "INSERT INTO audit (tenant_id, audit_id, at, user_id, client_id, grant_id, act, subjects, outcome)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

    /// The same, if the statement before it changed anything.
    pub(super) AUDIT_CHANGE = "audit_change", "INSERT INTO audit (tenant_id, audit_id, at, user_id, client_id, grant_id, act, subjects, outcome)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE changes() > 0";

    /// The same for a refusal, unless the same caller was refused the same for the same reason since `?10`.
    /// ?10 the earliest id of that time
    pub(super) AUDIT_REFUSAL = "audit_refusal", "INSERT INTO audit (tenant_id, audit_id, at, user_id, client_id, grant_id, act, subjects, outcome)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
WHERE EXISTS (SELECT 1 FROM tenant WHERE tenant_id = ?1) AND NOT EXISTS (
  SELECT 1 FROM audit WHERE tenant_id = ?1 AND audit_id >= ?10
    AND user_id IS ?4 AND grant_id IS ?6 AND act = ?7 AND outcome = ?9)";
}

pub mod directory {
    //! What people do before any tenant is concerned.

    use crate::platform::statements;

    statements! { Directory:
        /// Keeps a person's act for the audit of the person's tenants, or of the one that is named, if the statement before
        /// it changed anything. ?1 id ?2 now ?3 person ?4 tenant or NULL ?5 act ?6 subjects ?7 outcome
        pub(in crate::desk) QUEUE_CHANGE = "queue_change", "INSERT INTO audit_queue (audit_id, at, user_id, tenant_id, act, subjects, outcome)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE changes() > 0";

        /// The same for a refusal, unless the same person was refused the same for the same reason since `?8`.
        /// ?8 the earliest id of that time
        pub(in crate::desk) QUEUE_REFUSAL = "queue_refusal", "INSERT INTO audit_queue (audit_id, at, user_id, tenant_id, act, subjects, outcome)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (
      SELECT 1 FROM audit_queue WHERE audit_id >= ?8 AND user_id = ?3 AND act = ?5 AND outcome = ?7)";

        /// The same for an act of a session's person, if there is one. ?3 session
        pub(in crate::desk) QUEUE_SESSION_ACT = "queue_session_act", "INSERT INTO audit_queue (audit_id, at, user_id, tenant_id, act, subjects, outcome)
    SELECT ?1, ?2, user_id, ?4, ?5, ?6, ?7 FROM session WHERE session_hash = ?3";
    }
}
