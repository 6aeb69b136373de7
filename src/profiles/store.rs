//! The SQL of profiles, their secrets and the requests to connect them.

use crate::platform::statements;

statements! { Shard:
    /// The profiles of the workspaces in sight. ?1 tenant ?2 grant or NULL
    pub(super) PROFILES_IN_SIGHT = "profiles_in_sight", "SELECT p.profile_id, p.workspace_id, p.network, p.handle, p.name, p.remote_id, p.server, p.state, p.state_why
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
}
