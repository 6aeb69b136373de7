//! The SQL of e-mail domains whose people may join.

use crate::platform::statements;

statements! { Shard:
    /// ?1 tenant
    pub(in super::super) LIST_DOMAINS = "list_mail_domains", "SELECT domain, role, token, proved_at
FROM mail_domain WHERE tenant_id = ?1 ORDER BY domain LIMIT 50";

    /// A domain, if the tenant is open. ?1 tenant ?2 domain
    pub(in super::super) FIND_DOMAIN = "find_mail_domain", "SELECT d.domain, d.role, d.token, d.proved_at
FROM mail_domain d JOIN tenant t ON t.tenant_id = d.tenant_id
WHERE d.tenant_id = ?1 AND d.domain = ?2 AND t.deleted_at IS NULL";

    /// Names a domain, without any proof yet, if the person manages the tenant and it has fewer than `?7`.
    /// ?1 tenant ?2 domain ?3 role ?4 token ?5 person ?6 now ?7 most
    pub(in super::super) ADD_DOMAIN = "add_mail_domain", "INSERT INTO mail_domain (tenant_id, domain, role, token, created_at)
SELECT ?1, ?2, ?3, ?4, ?6
WHERE EXISTS (SELECT 1 FROM membership me
    WHERE me.tenant_id = ?1 AND me.user_id = ?5 AND me.ended_at IS NULL AND me.role IN ('owner', 'admin'))
  AND (SELECT count(d.domain) FROM mail_domain d WHERE d.tenant_id = ?1) < ?7";

    /// Takes a domain for proved by the token that was looked for. ?1 tenant ?2 domain ?3 token ?4 person ?5 now
    pub(in super::super) PROVE_DOMAIN = "prove_mail_domain", "UPDATE mail_domain SET proved_at = ?5
WHERE tenant_id = ?1 AND domain = ?2 AND token = ?3 AND EXISTS (SELECT 1 FROM membership me
    WHERE me.tenant_id = ?1 AND me.user_id = ?4 AND me.ended_at IS NULL AND me.role IN ('owner', 'admin'))";

    /// ?1 tenant ?2 domain ?3 person
    pub(in super::super) REMOVE_DOMAIN = "remove_mail_domain", "DELETE FROM mail_domain
WHERE tenant_id = ?1 AND domain = ?2 AND EXISTS (SELECT 1 FROM membership me
    WHERE me.tenant_id = ?1 AND me.user_id = ?3 AND me.ended_at IS NULL AND me.role IN ('owner', 'admin'))";

    /// Takes a proof back that does not stand in DNS any more. ?1 tenant ?2 domain ?3 token
    pub(in super::super) LOSE_PROOF = "lose_mail_domain_proof", "UPDATE mail_domain SET proved_at = NULL
WHERE tenant_id = ?1 AND domain = ?2 AND token = ?3 AND proved_at IS NOT NULL";

    /// Makes a member of somebody with an address of a proved domain; who is or was a member stays as they are.
    /// ?1 tenant ?2 domain ?3 now ?4 person ?5 name ?6 e-mail
    pub(in super::super) JOIN_BY_DOMAIN = "join_by_domain", "INSERT INTO membership (tenant_id, user_id, role, approver, name, email, created_at)
SELECT ?1, ?4, d.role, 0, ?5, ?6, ?3 FROM mail_domain d JOIN tenant t ON t.tenant_id = d.tenant_id
WHERE d.tenant_id = ?1 AND d.domain = ?2 AND d.proved_at IS NOT NULL AND t.deleted_at IS NULL
ON CONFLICT (tenant_id, user_id) DO NOTHING";
}
