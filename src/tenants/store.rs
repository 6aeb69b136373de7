//! The SQL of tenants, members and workspaces, and of all that a tenant has.

mod domains;
mod members;
mod tables;

pub(super) use directory::*;
pub(super) use domains::*;
pub(super) use members::*;
pub(super) use shard::*;

pub use directory::STATEMENTS as DIRECTORY_STATEMENTS;
pub use domains::STATEMENTS as DOMAIN_STATEMENTS;
pub use members::STATEMENTS as MEMBER_STATEMENTS;
pub use shard::STATEMENTS;
pub use tables::{TABLES, TenantTable};

mod directory {
    use crate::platform::statements;

    statements! { Directory:
        /// A tenant that can be used. ?1 safename
        pub(in super::super) FIND_BY_SAFENAME = "find_tenant_by_safename", "SELECT tenant_id, safename, shard
    FROM tenant WHERE safename = ?1 AND state = 'active'";

        /// A tenant that can be used. ?1 id
        pub(in super::super) FIND_BY_ID = "find_tenant_by_id", "SELECT tenant_id, safename, shard
    FROM tenant WHERE tenant_id = ?1 AND state = 'active'";

        /// A tenant that can be used, or be had back. ?1 id
        pub(in super::super) FIND_EVEN_CLOSED = "find_tenant_even_closed", "SELECT tenant_id, safename, shard
    FROM tenant WHERE tenant_id = ?1 AND state IN ('active', 'deleting')";

        /// A tenant in any state. ?1 safename
        pub(in super::super) REGISTRATION = "tenant_registration", "SELECT tenant_id, safename, shard, state, created_at, delete_after, step, founding
    FROM tenant WHERE safename = ?1";

        /// Tenants in any state, by name. ?1 after this name ?2 limit
        pub(in super::super) LIST_TENANTS = "list_tenants", "SELECT tenant_id, safename, shard, state, created_at, delete_after, step
    FROM tenant WHERE safename > ?1 ORDER BY safename LIMIT ?2";

        /// How many tenants each shard has.
        pub(in super::super) SHARD_LOADS = "shard_loads", "SELECT shard, count(tenant_id) AS tenants FROM tenant GROUP BY shard";

        /// Takes a name for a tenant to be made, unless it was ever taken. ?1 id ?2 safename ?3 shard ?4 now ?5 what it is made from
        pub(in super::super) RESERVE_NAME = "reserve_name", "INSERT INTO tenant (tenant_id, safename, shard, state, created_at, pending, founding)
    VALUES (?1, ?2, ?3, 'creating', ?4, 1, ?5) ON CONFLICT (safename) DO NOTHING";

        /// Changes decided and not yet carried out. ?1 limit
        pub(in super::super) PENDING_CHANGES = "pending_changes", "SELECT tenant_id, safename, shard, state, created_at, delete_after, step, founding
    FROM tenant WHERE pending = 1 ORDER BY tenant_id LIMIT ?1";

        /// Decides that a tenant is deleted. ?1 id ?2 end of its grace
        pub(in super::super) DECIDE_CLOSE = "decide_close", "UPDATE tenant SET state = 'deleting', delete_after = ?2, step = step + 1, pending = 1
    WHERE tenant_id = ?1 AND state = 'active'";

        /// Takes a deletion back within its grace. ?1 id ?2 now
        pub(in super::super) DECIDE_REOPEN = "decide_reopen", "UPDATE tenant SET state = 'active', delete_after = NULL, step = step + 1, pending = 1
    WHERE tenant_id = ?1 AND state = 'deleting' AND delete_after > ?2";

        /// Strikes out a change that was carried out. ?1 id ?2 step
        pub(in super::super) STRIKE_OUT = "strike_out", "UPDATE tenant SET pending = 0, founding = NULL,
  state = CASE state WHEN 'creating' THEN 'active' ELSE state END
WHERE tenant_id = ?1 AND step = ?2 AND pending = 1";

        /// Begins to erase the tenants whose grace is over. ?1 now
        pub(in super::super) BEGIN_ERASING = "begin_erasing", "UPDATE tenant SET state = 'erasing', step = step + 1
    WHERE delete_after <= ?1 AND state = 'deleting' AND pending = 0";

        /// Tenants that are being erased. ?1 now ?2 limit
        pub(in super::super) ERASING = "erasing", "SELECT tenant_id, safename, shard FROM tenant
    WHERE delete_after <= ?1 AND state = 'erasing' ORDER BY delete_after LIMIT ?2";

        /// Leaves only the name. ?1 id
        pub(in super::super) END_ERASING = "end_erasing", "UPDATE tenant SET state = 'deleted', delete_after = NULL
    WHERE tenant_id = ?1 AND state = 'erasing'";

        /// Points from a person to a tenant. ?1 person ?2 tenant
        pub(in super::super) POINT = "point_to_tenant", "INSERT INTO person_tenant (user_id, tenant_id) VALUES (?1, ?2)
    ON CONFLICT (user_id, tenant_id) DO NOTHING";

        /// The tenants to look for a person in. ?1 person
        pub(in super::super) POINTERS = "tenants_of_person", "SELECT t.tenant_id, t.safename, t.shard
FROM person_tenant pt JOIN tenant t ON t.tenant_id = pt.tenant_id
WHERE pt.user_id = ?1 AND t.state = 'active' ORDER BY t.safename LIMIT 500";

        /// People who are in this tenant and in no other. ?1 tenant ?2 limit
        pub(in super::super) ONLY_HERE = "people_only_here", "SELECT pt.user_id FROM person_tenant pt
WHERE pt.tenant_id = ?1 AND NOT EXISTS (
  SELECT 1 FROM person_tenant other WHERE other.user_id = pt.user_id AND other.tenant_id <> ?1)
LIMIT ?2";

        /// ?1 list of people
        pub(in super::super) FORGET_SESSIONS = "forget_sessions", "DELETE FROM session WHERE user_id IN (SELECT value FROM json_each(?1))";

        /// ?1 list of people
        pub(in super::super) FORGET_LINKS = "forget_links", "DELETE FROM sign_in_link WHERE user_id IN (SELECT value FROM json_each(?1))";

        /// ?1 list of people
        pub(in super::super) FORGET_PASSKEYS = "forget_passkeys", "DELETE FROM passkey WHERE user_id IN (SELECT value FROM json_each(?1))";

        /// ?1 list of people
        pub(in super::super) FORGET_IDENTITIES = "forget_upstream_identities", "DELETE FROM upstream_identity WHERE user_id IN (SELECT value FROM json_each(?1))";

        /// Removes links to a tenant's providers. ?1 tenant ?2 limit
        pub(in super::super) UNLINK_TENANT = "unlink_tenant", "DELETE FROM upstream_identity WHERE (tenant_id, provider_id, subject) IN (
    SELECT tenant_id, provider_id, subject FROM upstream_identity WHERE tenant_id = ?1 LIMIT ?2) RETURNING user_id";

        /// Removes sessions that a tenant's providers began. ?1 tenant ?2 limit
        pub(in super::super) END_TENANT_SESSIONS = "end_tenant_sessions", "DELETE FROM session WHERE session_hash IN (
    SELECT session_hash FROM session WHERE tenant_id = ?1 LIMIT ?2) RETURNING user_id";

        /// ?1 tenant ?2 list of people
        pub(in super::super) FORGET_QUEUED_ACTS = "forget_queued_acts", "DELETE FROM audit_queue
    WHERE tenant_id = ?1 OR user_id IN (SELECT value FROM json_each(?2))";

        /// ?1 tenant ?2 list of people
        pub(in super::super) FORGET_POINTERS = "forget_pointers", "DELETE FROM person_tenant
    WHERE tenant_id = ?1 AND user_id IN (SELECT value FROM json_each(?2))";

        /// ?1 list of people
        pub(in super::super) FORGET_PEOPLE = "forget_people", "DELETE FROM person WHERE user_id IN (SELECT value FROM json_each(?1))
    AND NOT EXISTS (SELECT 1 FROM person_tenant pt WHERE pt.user_id = person.user_id)";

        /// Removes pointers to a tenant. ?1 tenant ?2 limit
        pub(in super::super) UNPOINT = "unpoint", "DELETE FROM person_tenant WHERE (user_id, tenant_id) IN (
    SELECT user_id, tenant_id FROM person_tenant WHERE tenant_id = ?1 LIMIT ?2) RETURNING user_id";
    }
}

mod shard {
    use crate::platform::statements;

    statements! { Shard:
        /// ?1 tenant ?2 safename ?3 name ?4 wrapped key ?5 now
        pub(in super::super) ADD_TENANT = "add_tenant", "INSERT INTO tenant (tenant_id, safename, name, wrapped_key, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (tenant_id) DO NOTHING";

        /// The first owner, who may approve. ?1 tenant ?2 person ?3 role ?4 name ?5 e-mail ?6 now
        pub(in super::super) ADD_OWNER = "add_owner", "INSERT INTO membership (tenant_id, user_id, role, approver, name, email, created_at)
    VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6) ON CONFLICT (tenant_id, user_id) DO NOTHING";

        /// Adds a member, or gives one another role; an owner stays one. Who comes back is a member from now on.
        /// ?1 tenant ?2 person ?3 role ?4 approver ?5 name ?6 e-mail ?7 now
        pub(in super::super) ADD_MEMBER = "add_member", "INSERT INTO membership (tenant_id, user_id, role, approver, name, email, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (tenant_id, user_id) DO UPDATE SET role = excluded.role, approver = excluded.approver, ended_at = NULL,
  created_at = CASE WHEN membership.ended_at IS NULL THEN membership.created_at ELSE excluded.created_at END
WHERE membership.ended_at IS NOT NULL OR membership.role <> 'owner'";

        /// ?1 tenant ?2 workspace ?3 name ?4 zone ?5 now
        pub(in super::super) ADD_WORKSPACE = "add_workspace", "INSERT INTO workspace (tenant_id, workspace_id, name, time_zone, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (tenant_id, workspace_id) DO NOTHING";

        /// ?1 tenant ?2 profile ?3 workspace ?4 handle ?5 name ?6 now
        pub(in super::super) ADD_WALL = "add_wall", "INSERT INTO profile (tenant_id, profile_id, workspace_id, network, handle, name, remote_id, state, created_at, updated_at)
    VALUES (?1, ?2, ?3, 'wall', ?4, ?5, ?2, 'healthy', ?6, ?6) ON CONFLICT (tenant_id, profile_id) DO NOTHING";

        /// A further workspace, unless one of the name is there. ?1 tenant ?2 workspace ?3 name ?4 zone ?5 now
        pub(in super::super) ADD_FURTHER_WORKSPACE = "add_further_workspace", "INSERT INTO workspace (tenant_id, workspace_id, name, time_zone, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (tenant_id, name COLLATE NOCASE) DO NOTHING";

        /// Its Wall, if the statement before it made it; a handle that is taken gets an ending of its own.
        /// ?1 tenant ?2 profile ?3 workspace ?4 handle ?5 name ?6 now ?7 ending
        pub(in super::super) ADD_FURTHER_WALL = "add_further_wall", "INSERT INTO profile (tenant_id, profile_id, workspace_id, network, handle, name, remote_id, state, created_at, updated_at)
SELECT ?1, ?2, ?3, 'wall',
  CASE WHEN EXISTS (SELECT 1 FROM profile WHERE tenant_id = ?1 AND network = 'wall' AND handle = ?4) THEN ?4 || ?7 ELSE ?4 END,
  ?5, ?2, 'healthy', ?6, ?6
WHERE changes() = 1";

        /// The workspace of a name. ?1 tenant ?2 name
        pub(in super::super) WORKSPACE_NAMED = "workspace_named", "SELECT workspace_id FROM workspace WHERE tenant_id = ?1 AND name = ?2 COLLATE NOCASE";

        /// Closes or opens a tenant's gate, unless a newer change did. ?1 tenant ?2 step ?3 when it was closed, or NULL
        pub(in super::super) SET_CLOSED = "set_closed", "UPDATE tenant SET deleted_at = ?3, step = ?2 WHERE tenant_id = ?1 AND step < ?2";

        /// A person's live memberships in these tenants. ?1 list of tenants ?2 person
        pub(in super::super) MEMBERSHIPS = "memberships", "SELECT t.tenant_id, t.name, m.role, m.approver
FROM tenant t JOIN membership m ON m.tenant_id = t.tenant_id
WHERE t.tenant_id IN (SELECT value FROM json_each(?1)) AND t.deleted_at IS NULL AND m.user_id = ?2 AND m.ended_at IS NULL";

        /// A live membership's role. ?1 tenant ?2 person
        pub(in super::super) ROLE_OF = "role_of", "SELECT role FROM membership WHERE tenant_id = ?1 AND user_id = ?2 AND ended_at IS NULL";

        /// The names of these tenants and the address of the owner of longest standing. ?1 list of tenants
        pub(in super::super) DESCRIBE_TENANTS = "describe_tenants", "SELECT t.tenant_id, t.name, (
  SELECT m.email FROM membership m WHERE m.tenant_id = t.tenant_id AND m.role = 'owner' AND m.ended_at IS NULL
  ORDER BY m.created_at, m.user_id LIMIT 1) AS owner_email
FROM tenant t WHERE t.tenant_id IN (SELECT value FROM json_each(?1))";

        /// Sets a workspace, if the person manages the tenant.
        /// ?1 tenant ?2 workspace ?3 person ?4 zone ?5 grace ?6 notice ?7 hold
        pub(in super::super) SAVE_SETTINGS = "save_workspace_settings", "UPDATE workspace
SET time_zone = ?4, grace_seconds = ?5, notice_seconds = ?6, hold_seconds = ?7
WHERE tenant_id = ?1 AND workspace_id = ?2 AND EXISTS (
  SELECT 1 FROM membership m
  WHERE m.tenant_id = ?1 AND m.user_id = ?3 AND m.ended_at IS NULL AND m.role IN ('owner', 'admin'))";

        /// The profiles that the caller may see, counted by health. ?1 tenant ?2 grant or NULL
        pub(in super::super) PROFILE_COUNTS = "profile_counts", "SELECT p.workspace_id, p.state, count(p.profile_id) AS profiles
FROM profile p
WHERE p.tenant_id = ?1 AND (?2 IS NULL OR EXISTS (
  SELECT 1 FROM grant_workspace gw WHERE gw.tenant_id = ?1 AND gw.grant_id = ?2 AND gw.workspace_id = p.workspace_id))
GROUP BY p.workspace_id, p.state";

        /// How the caller's app is connected. ?1 tenant ?2 grant
        pub(in super::super) CONNECTION = "grant_connection", "SELECT a.client_name, g.signed_in_by, g.created_at
FROM oauth_grant g JOIN app_entry a ON a.tenant_id = g.tenant_id AND a.app_id = g.app_id
WHERE g.tenant_id = ?1 AND g.grant_id = ?2";

        /// Tenants whose key is wrapped by another root key than this. ?1 root key's id ?2 after this tenant ?3 limit
        pub(in super::super) KEYS_TO_WRAP = "keys_to_wrap", "SELECT tenant_id, wrapped_key FROM tenant
    WHERE tenant_id > ?2 AND substr(wrapped_key, 1, instr(wrapped_key, '.') - 1) <> ?1 ORDER BY tenant_id LIMIT ?3";

        /// How many of them there are. ?1 root key's id
        pub(in super::super) COUNT_KEYS_TO_WRAP = "count_keys_to_wrap", "SELECT count(tenant_id) AS tenants FROM tenant
    WHERE substr(wrapped_key, 1, instr(wrapped_key, '.') - 1) <> ?1";

        /// ?1 tenant ?2 the wrapping before ?3 the new one
        pub(in super::super) WRAP_KEY = "wrap_key", "UPDATE tenant SET wrapped_key = ?3 WHERE tenant_id = ?1 AND wrapped_key = ?2";
    }
}
