//! The SQL of personal tokens. The grants behind them are the grants of everybody.

use crate::platform::statements;

statements! { Shard:
    /// What the owner allows. ?1 tenant
    pub(super) SETTING = "personal_token_setting", "SELECT coalesce(json_extract(settings, '$.personal_tokens'), 'off') AS setting FROM tenant WHERE tenant_id = ?1";

    /// Changes it, if the person is an owner. ?1 tenant ?2 person ?3 setting
    pub(super) SET = "set_personal_tokens", "UPDATE tenant SET settings = json_set(settings, '$.personal_tokens', ?3)
WHERE tenant_id = ?1 AND EXISTS (
  SELECT 1 FROM membership m WHERE m.tenant_id = ?1 AND m.user_id = ?2 AND m.role = 'owner' AND m.ended_at IS NULL)";

    /// Adds a token to its grant, if the owner allows its kind at this moment. ?1 tenant ?2 grant ?3 hash ?4 whether it is in an address ?5 label
    pub(super) ADD = "add_personal_token", "INSERT INTO personal_token (tenant_id, grant_id, token_hash, in_address, label)
SELECT tenant_id, ?2, ?3, ?4, ?5 FROM tenant
WHERE tenant_id = ?1 AND (json_extract(settings, '$.personal_tokens') = 'header_and_address'
  OR (?4 = 0 AND json_extract(settings, '$.personal_tokens') = 'header'))";

    /// The grant of a token, while the owner allows its kind. ?1 tenant ?2 hash ?3 whether it came in an address
    pub(super) FIND = "find_personal_token", "SELECT g.grant_id, g.generation, g.user_id, g.client_id, g.capabilities, g.used_at
FROM personal_token p
JOIN oauth_grant g ON g.tenant_id = p.tenant_id AND g.grant_id = p.grant_id
JOIN tenant t ON t.tenant_id = p.tenant_id
WHERE p.tenant_id = ?1 AND p.token_hash = ?2 AND p.in_address = ?3
  AND (json_extract(t.settings, '$.personal_tokens') = 'header_and_address'
    OR (?3 = 0 AND json_extract(t.settings, '$.personal_tokens') = 'header'))";

    /// The tokens that a person may see, the newest first: one's own, or all for owners and admins. ?1 tenant ?2 person
    pub(super) LIST = "list_personal_tokens", "SELECT p.grant_id, p.label, p.in_address, g.user_id, m.name AS person, g.capabilities, g.created_at, g.expires_at,
  g.used_at, g.revoked_at, (
    SELECT json_group_array(w.name) FROM grant_workspace gw
    JOIN workspace w ON w.tenant_id = gw.tenant_id AND w.workspace_id = gw.workspace_id
    WHERE gw.tenant_id = p.tenant_id AND gw.grant_id = p.grant_id) AS workspaces
FROM personal_token p
JOIN oauth_grant g ON g.tenant_id = p.tenant_id AND g.grant_id = p.grant_id
JOIN membership m ON m.tenant_id = g.tenant_id AND m.user_id = g.user_id
WHERE p.tenant_id = ?1 AND (g.user_id = ?2 OR EXISTS (
  SELECT 1 FROM membership own
  WHERE own.tenant_id = ?1 AND own.user_id = ?2 AND own.role IN ('owner', 'admin') AND own.ended_at IS NULL))
ORDER BY p.grant_id DESC LIMIT 200";

    /// Aborts the batch unless the grant is a personal token of this person, or the person manages the tenant.
    /// ?1 tenant ?2 grant ?3 person
    pub(super) MAY_REVOKE = "may_revoke_personal_token", "SELECT CASE WHEN EXISTS (
  SELECT 1 FROM personal_token p JOIN oauth_grant g ON g.tenant_id = p.tenant_id AND g.grant_id = p.grant_id
  WHERE p.tenant_id = ?1 AND p.grant_id = ?2 AND (g.user_id = ?3 OR EXISTS (
    SELECT 1 FROM membership m
    WHERE m.tenant_id = ?1 AND m.user_id = ?3 AND m.role IN ('owner', 'admin') AND m.ended_at IS NULL))
) THEN 1 ELSE json('{revoke') END AS may";
}
