//! The SQL of profiles, their secrets and the requests to connect them.

use crate::platform::statements;

statements! { Shard:
    /// The profiles of the workspaces in sight, each with the pause that holds longest. ?1 tenant ?2 grant or NULL ?3 now
    pub(super) PROFILES_IN_SIGHT = "profiles_in_sight", "SELECT p.profile_id, p.workspace_id, p.network, p.handle, p.name, p.remote_id, p.server, p.state, p.state_why,
  (SELECT json_object('until', h.until, 'reason', h.reason) FROM publishing_pause h
   WHERE h.tenant_id = p.tenant_id AND h.workspace_id = p.workspace_id AND h.profile_id IN ('', p.profile_id) AND (h.until IS NULL OR h.until > ?3)
   ORDER BY h.until IS NOT NULL, h.until DESC LIMIT 1) AS pause
FROM profile p
WHERE p.tenant_id = ?1
  AND (?2 IS NULL OR EXISTS (SELECT 1 FROM grant_workspace gw
    WHERE gw.tenant_id = ?1 AND gw.grant_id = ?2 AND gw.workspace_id = p.workspace_id))
ORDER BY p.workspace_id, p.network, p.handle, p.profile_id";

    /// The key that a tenant's secrets are sealed under. ?1 tenant
    pub(super) TENANT_KEY = "profiles_tenant_key", "SELECT wrapped_key FROM tenant WHERE tenant_id = ?1 AND deleted_at IS NULL";

    /// A profile's secrets for the server that it has now. ?1 tenant ?2 profile
    pub(super) SECRETS = "profile_secrets", "SELECT s.kind, s.origin, s.sealed, s.expires_at
FROM profile p
JOIN profile_secret s ON s.tenant_id = p.tenant_id AND s.profile_id = p.profile_id AND s.origin = p.server
WHERE p.tenant_id = ?1 AND p.profile_id = ?2";

    /// Makes one refresher the only one until its lease ends. ?1 tenant ?2 profile ?3 token ?4 until ?5 now
    pub(super) LEASE_TAKE = "profile_lease_take", "UPDATE profile SET lease_token = ?3, lease_until = ?4
WHERE tenant_id = ?1 AND profile_id = ?2 AND (lease_until IS NULL OR lease_until <= ?5)
RETURNING profile_id";

    /// Ends a lease, unless another has it. ?1 tenant ?2 profile ?3 token
    pub(super) LEASE_END = "profile_lease_end", "UPDATE profile SET lease_token = NULL, lease_until = NULL
WHERE tenant_id = ?1 AND profile_id = ?2 AND lease_token = ?3";

    /// Replaces the session by a newer one of the same server, if the lease still holds.
    /// ?1 tenant ?2 profile ?3 token ?4 origin ?5 sealed ?6 expires ?7 now
    pub(super) SESSION_RENEWED = "profile_session_renewed", "INSERT INTO profile_secret (tenant_id, profile_id, kind, origin, sealed, expires_at, updated_at)
SELECT tenant_id, profile_id, 'session', ?4, ?5, ?6, ?7 FROM profile
WHERE tenant_id = ?1 AND profile_id = ?2 AND lease_token = ?3 AND server = ?4
ON CONFLICT (tenant_id, profile_id, kind) DO UPDATE
SET origin = excluded.origin, sealed = excluded.sealed, expires_at = excluded.expires_at, updated_at = excluded.updated_at";

    /// Says that a person must connect it again. ?1 tenant ?2 profile ?3 why
    pub(super) MARK_REAUTHORISE = "profile_mark_reauthorise", "UPDATE profile SET state = 'reauthorise', state_why = ?3
WHERE tenant_id = ?1 AND profile_id = ?2 AND state = 'healthy'";

    /// A page of the profiles in sight, by id. ?1 tenant ?2 grant or NULL ?3 workspace or NULL ?4 after this id ?5 limit
    pub(super) PROFILES_PAGE = "profiles_page", "SELECT p.profile_id, p.workspace_id, p.network, p.handle, p.name, p.remote_id, p.server, p.state, p.state_why
FROM profile p
WHERE p.tenant_id = ?1 AND p.profile_id > ?4
  AND (?3 IS NULL OR p.workspace_id IN (
    SELECT w.workspace_id FROM workspace w WHERE w.tenant_id = ?1 AND (w.workspace_id = ?3 OR lower(w.name) = lower(?3))))
  AND (?2 IS NULL OR EXISTS (SELECT 1 FROM grant_workspace gw
    WHERE gw.tenant_id = ?1 AND gw.grant_id = ?2 AND gw.workspace_id = p.workspace_id))
ORDER BY p.profile_id
LIMIT ?5";

    /// The profile of an account in a workspace. ?1 tenant ?2 workspace ?3 network ?4 the network's id
    pub(super) PROFILE_OF_ACCOUNT = "profile_of_account", "SELECT profile_id, workspace_id, network, handle, name, remote_id, server, state, state_why
FROM profile
WHERE tenant_id = ?1 AND workspace_id = ?2 AND network = ?3 AND remote_id = ?4";

    /// Adds a profile, or makes the one of this id healthy again. Another server drops its secrets.
    /// ?1 tenant ?2 id ?3 workspace ?4 network ?5 handle ?6 name ?7 the network's id ?8 server or NULL ?9 now
    pub(super) PROFILE_SAVE = "profile_save", "INSERT INTO profile (tenant_id, profile_id, workspace_id, network, handle, name, remote_id, server, state, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'healthy', ?9, ?9)
ON CONFLICT (tenant_id, profile_id) DO UPDATE
SET handle = excluded.handle, name = excluded.name, server = excluded.server, state = 'healthy', state_why = NULL,
  lease_token = NULL, lease_until = NULL, not_before = NULL, updated_at = excluded.updated_at";

    /// What waited for the account to be connected again is looked at now. ?1 tenant ?2 workspace ?3 profile ?4 now
    pub(super) RESUME_DELIVERIES = "profile_resume_deliveries", "UPDATE delivery SET next_at = ?4, updated_at = ?4
WHERE tenant_id = ?1 AND workspace_id = ?2 AND state = 'paused' AND reason = 'reauthorise' AND profile_id = ?3 AND next_at > ?4";

    /// Stores a secret in place of the one of its kind. ?1 tenant ?2 profile ?3 kind ?4 origin ?5 sealed ?6 expires ?7 now
    pub(super) SECRET_SAVE = "profile_secret_save", "INSERT INTO profile_secret (tenant_id, profile_id, kind, origin, sealed, expires_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (tenant_id, profile_id, kind) DO UPDATE
SET origin = excluded.origin, sealed = excluded.sealed, expires_at = excluded.expires_at, updated_at = excluded.updated_at";

    /// Asks for an account to be connected in a workspace in sight.
    /// ?1 tenant ?2 grant or NULL ?3 id ?4 workspace ?5 network ?6 profile or NULL ?7 person ?8 now ?9 expiry
    pub(super) CONNECT_ASK = "connect_ask", "INSERT INTO connect_request (tenant_id, connect_id, workspace_id, network, profile_id, user_id, created_at, expires_at)
SELECT ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9
WHERE ?2 IS NULL OR EXISTS (SELECT 1 FROM grant_workspace gw
  WHERE gw.tenant_id = ?1 AND gw.grant_id = ?2 AND gw.workspace_id = ?4)";

    /// A person's own request, with the profile that it is about, if any. ?1 tenant ?2 id ?3 person
    pub(super) CONNECT_FIND = "connect_find", "SELECT c.workspace_id, w.name AS workspace_name, c.network, c.expires_at, c.used_at,
  p.profile_id, p.handle, p.name, p.remote_id, p.server
FROM connect_request c
JOIN workspace w ON w.tenant_id = c.tenant_id AND w.workspace_id = c.workspace_id
LEFT JOIN profile p ON p.tenant_id = c.tenant_id AND p.profile_id = c.profile_id
WHERE c.tenant_id = ?1 AND c.connect_id = ?2 AND c.user_id = ?3";

    /// Uses a request up: changes one row for exactly one caller. ?1 tenant ?2 id ?3 person ?4 now ?5 profile
    pub(super) CONNECT_USE = "connect_use", "UPDATE connect_request SET used_at = ?4, profile_id = ?5
WHERE tenant_id = ?1 AND connect_id = ?2 AND user_id = ?3 AND used_at IS NULL AND expires_at > ?4";
}
