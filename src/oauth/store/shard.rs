//! Grants, codes and refresh families. Statements that write stand in batches behind the gate.

use crate::platform::statements;

statements! { Shard:
    /// ?1 tenant ?2 new id ?3 person ?4 client ?5 client's name ?6 now
    pub(in crate::oauth) KEEP_APP = "keep_app", "INSERT INTO app_entry (tenant_id, app_id, user_id, client_id, client_name, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (tenant_id, user_id, client_id) DO UPDATE SET client_name = excluded.client_name";

    /// Adds a grant under the person's entry of the client. It lives as long as its code, until that is redeemed.
    /// ?1 tenant ?2 grant ?3 person ?4 client ?5 capabilities ?6 offline ?7 now ?8 expiry ?9 how the client proves itself
    /// ?10 how the person signed in ?11 which tools it is narrowed to
    pub(in crate::oauth) ADD_GRANT = "add_grant", "INSERT INTO oauth_grant (tenant_id, grant_id, app_id, user_id, client_id, capabilities, offline, created_at, expires_at, client_auth, signed_in_by, selection)
SELECT tenant_id, ?2, app_id, user_id, client_id, ?5, ?6, ?7, ?8, ?9, ?10, ?11 FROM app_entry
WHERE tenant_id = ?1 AND user_id = ?3 AND client_id = ?4";

    /// Writes down what a call needed that the grant does not allow.
    /// ?1 tenant ?2 grant ?3 capabilities ?4 now ?5 the time after which the same stands there already
    pub(in crate::oauth) NOTE_STEP_UP = "note_step_up", "UPDATE oauth_grant SET wanted = ?3, wanted_at = ?4
WHERE tenant_id = ?1 AND grant_id = ?2 AND capabilities & ?3 <> ?3
  AND (wanted_at IS NULL OR wanted <> ?3 OR wanted_at <= ?5)";

    /// The live grant of a person to a client that was told last to ask for more, if what it lacks is asked for now.
    /// ?1 tenant ?2 person ?3 client ?4 now ?5 the earliest challenge that still counts ?6 capabilities asked for
    pub(in crate::oauth) FIND_HELD = "find_held", "SELECT g.grant_id, g.capabilities, g.selection, (
  SELECT json_group_array(gw.workspace_id) FROM grant_workspace gw
  WHERE gw.tenant_id = g.tenant_id AND gw.grant_id = g.grant_id) AS workspaces
FROM app_entry a
JOIN oauth_grant g ON g.tenant_id = a.tenant_id AND g.app_id = a.app_id
JOIN membership m ON m.tenant_id = a.tenant_id AND m.user_id = a.user_id AND m.created_at <= g.created_at
WHERE a.tenant_id = ?1 AND a.user_id = ?2 AND a.client_id = ?3 AND g.revoked_at IS NULL AND g.expires_at > ?4
  AND g.wanted_at > ?5 AND g.wanted & ~g.capabilities & ~?6 = 0
ORDER BY g.wanted_at DESC LIMIT 1";

    /// ?1 tenant ?2 grant
    pub(in crate::oauth) TAKE_UP_STEP_UP = "take_up_step_up", "UPDATE oauth_grant SET wanted_at = NULL WHERE tenant_id = ?1 AND grant_id = ?2";

    /// ?1 tenant ?2 grant ?3 JSON list of workspaces
    pub(in crate::oauth) ADD_GRANT_WORKSPACES = "add_grant_workspaces", "INSERT INTO grant_workspace (tenant_id, grant_id, workspace_id)
SELECT tenant_id, ?2, workspace_id FROM workspace
WHERE tenant_id = ?1 AND workspace_id IN (SELECT value FROM json_each(?3))";

    /// ?1 tenant ?2 code's hash ?3 grant ?4 client ?5 redirect address ?6 whether the client named it ?7 challenge ?8 resource ?9 now ?10 expiry
    pub(in crate::oauth) ADD_CODE = "add_code", "INSERT INTO auth_code (tenant_id, code_hash, grant_id, client_id, redirect_uri, redirect_given, challenge, resource, created_at, expires_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

    /// A code, whatever its state, and the grant it is for. ?1 tenant ?2 code's hash
    pub(in crate::oauth) FIND_CODE = "find_code", "SELECT c.grant_id, c.client_id, c.redirect_uri, c.redirect_given, c.challenge, c.resource, c.used_at,
  g.user_id, g.generation, g.offline, g.client_auth, g.created_at AS consented_at, t.wrapped_key
FROM auth_code c
JOIN oauth_grant g ON g.tenant_id = c.tenant_id AND g.grant_id = c.grant_id
JOIN tenant t ON t.tenant_id = c.tenant_id
WHERE c.tenant_id = ?1 AND c.code_hash = ?2";

    /// Uses a code up: changes one row for exactly one caller. ?1 tenant ?2 code's hash ?3 now
    pub(in crate::oauth) USE_CODE = "use_code", "UPDATE auth_code SET used_at = ?3
WHERE tenant_id = ?1 AND code_hash = ?2 AND used_at IS NULL AND expires_at > ?3";

    /// Lets a grant live on once its code was redeemed. ?1 tenant ?2 grant ?3 now ?4 expiry ?5 network
    pub(in crate::oauth) BEGIN_GRANT = "begin_grant", "UPDATE oauth_grant SET used_at = ?3, expires_at = ?4, used_from = ?5 WHERE tenant_id = ?1 AND grant_id = ?2";

    /// ?1 tenant ?2 family ?3 grant ?4 sealed secret ?5 resource ?6 token's number ?7 now ?8 expiry
    pub(in crate::oauth) ADD_FAMILY = "add_family", "INSERT INTO refresh_family (tenant_id, family_id, grant_id, secret, resource, token_number, rotated_at, expires_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

    /// A family, whatever its state, and its grant. ?1 tenant ?2 family
    pub(in crate::oauth) FIND_FAMILY = "find_family", "SELECT f.grant_id, f.secret, f.resource, f.token_number, f.first_uses, f.expires_at, f.ended_at,
  g.user_id, g.client_id, g.client_auth, g.generation, g.capabilities, g.used_at, g.expires_at AS grant_expires_at, t.wrapped_key
FROM refresh_family f
JOIN oauth_grant g ON g.tenant_id = f.tenant_id AND g.grant_id = f.grant_id
JOIN tenant t ON t.tenant_id = f.tenant_id
WHERE f.tenant_id = ?1 AND f.family_id = ?2";

    /// Makes the next token the current one: changes one row for exactly one caller.
    /// ?1 tenant ?2 family ?3 current number ?4 next number ?5 now ?6 first uses ?7 expiry
    pub(in crate::oauth) ROTATE_FAMILY = "rotate_family", "UPDATE refresh_family SET token_number = ?4, rotated_at = ?5, first_uses = ?6, expires_at = ?7
WHERE tenant_id = ?1 AND family_id = ?2 AND token_number = ?3 AND ended_at IS NULL AND expires_at > ?5";

    /// Counts that the current pair was given again. ?1 tenant ?2 family ?3 current number ?4 now ?5 expiry
    pub(in crate::oauth) COUNT_REPEAT = "count_refresh_repeat", "UPDATE refresh_family SET replays = replays + 1, expires_at = ?5
WHERE tenant_id = ?1 AND family_id = ?2 AND token_number = ?3 AND ended_at IS NULL AND expires_at > ?4";

    /// A person's grants, the newest first, at most 200, those included that ended while they are kept.
    /// ?1 tenant ?2 person ?3 now
    pub(in crate::oauth) LIST_GRANTS = "list_grants", "SELECT a.app_id, a.client_id, a.client_name, g.grant_id, g.capabilities, g.selection, g.created_at, g.used_at,
  g.used_from, coalesce(f.replays, 0) AS replays, coalesce(f.expires_at, g.expires_at) AS ends_at,
  g.revoked_at IS NULL AND coalesce(f.expires_at, g.expires_at) > ?3 AND m.created_at <= g.created_at AS live, (
  SELECT json_group_array(json_object('id', w.workspace_id, 'name', w.name))
  FROM grant_workspace gw JOIN workspace w ON w.tenant_id = gw.tenant_id AND w.workspace_id = gw.workspace_id
  WHERE gw.tenant_id = g.tenant_id AND gw.grant_id = g.grant_id) AS workspaces
FROM app_entry a
JOIN oauth_grant g ON g.tenant_id = a.tenant_id AND g.app_id = a.app_id
JOIN membership m ON m.tenant_id = a.tenant_id AND m.user_id = a.user_id
LEFT JOIN refresh_family f ON f.tenant_id = g.tenant_id AND f.grant_id = g.grant_id
WHERE a.tenant_id = ?1 AND a.user_id = ?2
ORDER BY g.created_at DESC, g.grant_id DESC LIMIT 200";

    /// Takes capabilities from a person's grant. ?1 tenant ?2 grant ?3 person ?4 what it may keep ?5 now
    pub(in crate::oauth) NARROW_GRANT = "narrow_grant", "UPDATE oauth_grant SET capabilities = capabilities & ?4
WHERE tenant_id = ?1 AND grant_id = ?2 AND user_id = ?3 AND revoked_at IS NULL AND expires_at > ?5";

    /// Takes workspaces from a grant. ?1 tenant ?2 grant ?3 JSON list of those that it may keep
    pub(in crate::oauth) NARROW_GRANT_WORKSPACES = "narrow_grant_workspaces", "DELETE FROM grant_workspace
WHERE tenant_id = ?1 AND grant_id = ?2 AND workspace_id NOT IN (SELECT value FROM json_each(?3))";

    /// Ends a person's grants. ?1 tenant ?2 JSON list of grants ?3 now ?4 person
    pub(in crate::oauth) END_GRANTS = "end_grants", "UPDATE oauth_grant SET revoked_at = ?3, revoked_why = 'person', generation = generation + 1
WHERE tenant_id = ?1 AND grant_id IN (SELECT value FROM json_each(?2)) AND user_id = ?4 AND revoked_at IS NULL";

    /// Ends the families of a person's grants. ?1 tenant ?2 JSON list of grants ?3 now ?4 person
    pub(in crate::oauth) END_FAMILIES = "end_families", "UPDATE refresh_family INDEXED BY refresh_family_by_grant SET ended_at = ?3
WHERE tenant_id = ?1 AND grant_id IN (SELECT value FROM json_each(?2)) AND ended_at IS NULL AND EXISTS (
  SELECT 1 FROM oauth_grant g WHERE g.tenant_id = ?1 AND g.grant_id = refresh_family.grant_id AND g.user_id = ?4)";

    /// ?1 tenant ?2 grant ?3 now ?4 network
    pub(in crate::oauth) TOUCH_GRANT = "touch_grant", "UPDATE oauth_grant SET used_at = ?3, used_from = ?4 WHERE tenant_id = ?1 AND grant_id = ?2";

    /// ?1 tenant ?2 grant
    pub(in crate::oauth) GRANT_CLIENT_AUTH = "grant_client_auth", "SELECT client_auth FROM oauth_grant WHERE tenant_id = ?1 AND grant_id = ?2";

    /// Ends a grant. ?1 tenant ?2 grant ?3 now ?4 why
    pub(in crate::oauth) END_GRANT = "end_grant", "UPDATE oauth_grant SET revoked_at = ?3, revoked_why = ?4, generation = generation + 1
WHERE tenant_id = ?1 AND grant_id = ?2 AND revoked_at IS NULL";

    /// ?1 tenant ?2 grant ?3 now
    pub(in crate::oauth) END_FAMILY = "end_family", "UPDATE refresh_family SET ended_at = ?3 WHERE tenant_id = ?1 AND grant_id = ?2 AND ended_at IS NULL";
}
