//! The SQL of reading the audit, and of what waits to be written into it.

pub mod shard {
    //! Reading.

    use crate::platform::statements;

    statements! { Shard:
        /// The lines that fit, the newest first. Filters are tried on at most `?7` lines, so that no filter reads all of
        /// a tenant's years.
        /// ?1 tenant ?2 before this id ?3 from this id on ?4 person ?5 client ?6 act or id ?7 most lines tried ?8 limit
        pub(in crate::audit) LINES = "audit_lines", "SELECT a.audit_id, a.at, a.user_id, a.client_id, a.grant_id, a.act, a.subjects, a.outcome,
  m.name AS person, p.client_name AS app
FROM (SELECT audit_id, at, user_id, client_id, grant_id, act, subjects, outcome FROM audit
  WHERE tenant_id = ?1 AND audit_id < ?2 AND audit_id >= ?3 ORDER BY audit_id DESC LIMIT ?7) a
LEFT JOIN membership m ON m.tenant_id = ?1 AND m.user_id = a.user_id
LEFT JOIN app_entry p ON p.tenant_id = ?1 AND p.user_id = a.user_id AND p.client_id = a.client_id
WHERE (?4 IS NULL OR a.user_id = ?4) AND (?5 IS NULL OR a.client_id = ?5)
  AND (?6 IS NULL OR instr(a.act, ?6) > 0 OR a.grant_id = ?6
    OR EXISTS (SELECT 1 FROM json_each(a.subjects) s WHERE s.value = ?6))
ORDER BY a.audit_id DESC LIMIT ?8";

        /// How many lines were tried, and the oldest of them. ?1 tenant ?2 before this id ?3 from this id on ?4 most lines tried
        pub(in crate::audit) TRIED = "audit_tried", "SELECT count(audit_id) AS tried, min(audit_id) AS oldest
FROM (SELECT audit_id FROM audit
  WHERE tenant_id = ?1 AND audit_id < ?2 AND audit_id >= ?3 ORDER BY audit_id DESC LIMIT ?4)";

        /// Everybody who is or was a member, to choose from. ?1 tenant
        pub(in crate::audit) PEOPLE = "audit_people", "SELECT user_id, name, email FROM membership WHERE tenant_id = ?1 LIMIT 500";

        /// Every client that was connected, to choose from. ?1 tenant
        pub(in crate::audit) APPS = "audit_apps", "SELECT client_id, client_name FROM app_entry WHERE tenant_id = ?1 LIMIT 500";

        /// Writes a line that has waited. The same again changes nothing.
        /// ?1 tenant ?2 id ?3 time ?4 person ?5 act ?6 subjects ?7 outcome
        pub(in crate::audit) ADD_LINE = "add_queued_line", "INSERT INTO audit (tenant_id, audit_id, at, user_id, act, subjects, outcome)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM tenant WHERE tenant_id = ?1 AND deleted_at IS NULL)";
    }
}

pub mod directory {
    //! What waits.

    use crate::platform::statements;

    statements! { Directory:
        /// The acts that have waited the longest, each with a tenant that it is for, or none; those left out that are for a
        /// tenant in a shard that takes none. ?1 limit ?2 JSON list of such shards
        pub(in crate::audit) WAITING = "queued_acts", "SELECT q.audit_id, q.at, q.user_id, q.act, q.subjects, q.outcome, t.tenant_id, t.shard
FROM (SELECT audit_id, at, user_id, tenant_id, act, subjects, outcome FROM audit_queue a
  WHERE NOT EXISTS (
    SELECT 1 FROM person_tenant p JOIN tenant o ON o.tenant_id = p.tenant_id AND o.state = 'active'
    WHERE p.user_id = a.user_id AND (a.tenant_id IS NULL OR p.tenant_id = a.tenant_id)
      AND o.shard IN (SELECT value FROM json_each(?2)))
  ORDER BY audit_id LIMIT ?1) q
LEFT JOIN person_tenant pt ON pt.user_id = q.user_id AND (q.tenant_id IS NULL OR pt.tenant_id = q.tenant_id)
LEFT JOIN tenant t ON t.tenant_id = pt.tenant_id AND t.state = 'active'";

        /// Takes acts away that were written. ?1 list of ids
        pub(in crate::audit) WRITTEN = "queued_acts_written", "DELETE FROM audit_queue WHERE audit_id IN (SELECT value FROM json_each(?1))";
    }
}
