//! The SQL of members and invitations. What a member may do is decided by the row that is changed and the member's own, in
//! one statement: owners everything, admins everything but what concerns owners.

use crate::platform::statements;

statements! { Shard:
    /// Who belongs to a tenant. ?1 tenant
    pub(in super::super) LIST_MEMBERS = "list_members", "SELECT user_id, name, email, role, approver, created_at
FROM membership WHERE tenant_id = ?1 AND ended_at IS NULL LIMIT 1000";

    /// One of them. ?1 tenant ?2 person
    pub(in super::super) FIND_MEMBER = "find_member", "SELECT user_id, name, email, role, approver, created_at
FROM membership WHERE tenant_id = ?1 AND user_id = ?2 AND ended_at IS NULL";

    /// Gives a member another role, if the member still has the one that was seen, the person may, and an owner stays.
    /// ?1 tenant ?2 member ?3 person ?4 role ?5 approver ?6 role that was seen ?7 approver that was seen
    pub(in super::super) CHANGE_MEMBER = "change_member", "UPDATE membership SET role = ?4, approver = ?5
WHERE tenant_id = ?1 AND user_id = ?2 AND ended_at IS NULL AND role = ?6 AND approver = ?7
  AND EXISTS (SELECT 1 FROM membership me
    WHERE me.tenant_id = ?1 AND me.user_id = ?3 AND me.ended_at IS NULL
      AND (me.role = 'owner' OR me.role = 'admin' AND membership.role <> 'owner' AND ?4 <> 'owner'))
  AND (role <> 'owner' OR ?4 = 'owner' OR EXISTS (SELECT 1 FROM membership o
    WHERE o.tenant_id = ?1 AND o.user_id <> ?2 AND o.role = 'owner' AND o.ended_at IS NULL))";

    /// Ends a membership, if the person may or it is the person's own, and an owner stays. ?1 tenant ?2 member ?3 person ?4 now
    pub(in super::super) END_MEMBERSHIP = "end_membership", "UPDATE membership SET ended_at = ?4
WHERE tenant_id = ?1 AND user_id = ?2 AND ended_at IS NULL
  AND (user_id = ?3 OR EXISTS (SELECT 1 FROM membership me
    WHERE me.tenant_id = ?1 AND me.user_id = ?3 AND me.ended_at IS NULL
      AND (me.role = 'owner' OR me.role = 'admin' AND membership.role <> 'owner')))
  AND (role <> 'owner' OR EXISTS (SELECT 1 FROM membership o
    WHERE o.tenant_id = ?1 AND o.user_id <> ?2 AND o.role = 'owner' AND o.ended_at IS NULL))";

    /// Ends what a member had allowed apps to do, so that none of it comes back with the member. ?1 tenant ?2 member ?3 now
    pub(in super::super) END_GRANTS_OF_MEMBER = "end_grants_of_member", "UPDATE oauth_grant SET revoked_at = ?3, revoked_why = 'membership_ended'
WHERE (tenant_id, app_id) IN (SELECT tenant_id, app_id FROM app_entry WHERE tenant_id = ?1 AND user_id = ?2)
  AND revoked_at IS NULL";

    /// Invitations that can still be accepted. ?1 tenant ?2 now
    pub(in super::super) LIST_INVITATIONS = "list_invitations", "SELECT invitation_id, email, role, approver, created_at, expires_at
FROM invitation WHERE tenant_id = ?1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > ?2 LIMIT 1000";

    /// Withdraws what an address was invited by before, if the person may. ?1 tenant ?2 address ?3 now ?4 person
    pub(in super::super) REPLACE_INVITATIONS = "replace_invitations", "UPDATE invitation SET withdrawn_at = ?3
WHERE tenant_id = ?1 AND email = ?2 AND used_at IS NULL AND withdrawn_at IS NULL
  AND (role <> 'owner' OR EXISTS (SELECT 1 FROM membership me
    WHERE me.tenant_id = ?1 AND me.user_id = ?4 AND me.ended_at IS NULL AND me.role = 'owner'))";

    /// Invites an address, if the person may, nobody who belongs to the tenant has it, no invitation of it is left, and there
    /// were not too many.
    /// ?1 tenant ?2 id ?3 link's hash ?4 address ?5 whom it makes ?6 role ?7 approver ?8 whether the link is mailed
    /// ?9 person ?10 now ?11 expiry ?12 the time since when they are counted ?13 most
    pub(in super::super) ADD_INVITATION = "add_invitation", "INSERT INTO invitation (tenant_id, invitation_id, link_hash, email, user_id, role, approver, mailed, invited_by, created_at, expires_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
WHERE EXISTS (SELECT 1 FROM membership me
    WHERE me.tenant_id = ?1 AND me.user_id = ?9 AND me.ended_at IS NULL
      AND (me.role = 'owner' OR me.role = 'admin' AND ?6 <> 'owner'))
  AND NOT EXISTS (SELECT 1 FROM membership m
    WHERE m.tenant_id = ?1 AND m.email = ?4 COLLATE NOCASE AND m.ended_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM invitation other
    WHERE other.tenant_id = ?1 AND other.email = ?4 AND other.used_at IS NULL AND other.withdrawn_at IS NULL AND other.expires_at > ?10)
  AND (SELECT count(i.invitation_id) FROM invitation i WHERE i.tenant_id = ?1 AND i.created_at > ?12) < ?13";

    /// ?1 tenant ?2 id ?3 person ?4 now
    pub(in super::super) WITHDRAW_INVITATION = "withdraw_invitation", "UPDATE invitation SET withdrawn_at = ?4
WHERE tenant_id = ?1 AND invitation_id = ?2 AND used_at IS NULL AND withdrawn_at IS NULL
  AND EXISTS (SELECT 1 FROM membership me
    WHERE me.tenant_id = ?1 AND me.user_id = ?3 AND me.ended_at IS NULL
      AND (me.role = 'owner' OR me.role = 'admin' AND invitation.role <> 'owner'))";

    /// An invitation that was not withdrawn, is not too old, and whose maker could still make it. ?1 tenant ?2 link's hash ?3 now
    pub(in super::super) FIND_INVITATION = "find_invitation", "SELECT i.email, i.user_id, i.role, i.mailed, i.used_by, t.name AS tenant_name, me.name AS inviter
FROM invitation i
JOIN tenant t ON t.tenant_id = i.tenant_id
JOIN membership me ON me.tenant_id = i.tenant_id AND me.user_id = i.invited_by
WHERE i.tenant_id = ?1 AND i.link_hash = ?2 AND i.withdrawn_at IS NULL AND i.expires_at > ?3 AND t.deleted_at IS NULL
  AND me.ended_at IS NULL AND (me.role = 'owner' OR me.role = 'admin' AND i.role <> 'owner')";

    /// Uses an invitation up, under the same conditions: changes one row for exactly one caller.
    /// ?1 tenant ?2 link's hash ?3 now ?4 person
    pub(in super::super) USE_INVITATION = "use_invitation", "UPDATE invitation SET used_at = ?3, used_by = ?4
WHERE tenant_id = ?1 AND link_hash = ?2 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > ?3
  AND EXISTS (SELECT 1 FROM tenant t WHERE t.tenant_id = ?1 AND t.deleted_at IS NULL)
  AND EXISTS (SELECT 1 FROM membership me
    WHERE me.tenant_id = ?1 AND me.user_id = invitation.invited_by AND me.ended_at IS NULL
      AND (me.role = 'owner' OR me.role = 'admin' AND invitation.role <> 'owner'))";

    /// Makes a member of whoever used the invitation up in the statement before; who belongs to the tenant stays as they are.
    /// ?1 tenant ?2 link's hash ?3 now ?4 person ?5 name ?6 e-mail
    pub(in super::super) JOIN_BY_INVITATION = "join_by_invitation", "INSERT INTO membership (tenant_id, user_id, role, approver, name, email, created_at)
SELECT tenant_id, ?4, role, approver, ?5, ?6, ?3 FROM invitation WHERE tenant_id = ?1 AND link_hash = ?2 AND changes() = 1
ON CONFLICT (tenant_id, user_id) DO UPDATE SET role = excluded.role, approver = excluded.approver, name = excluded.name,
  email = excluded.email, created_at = excluded.created_at, ended_at = NULL
WHERE membership.ended_at IS NOT NULL";

    /// Writes that somebody joined into the audit, if the statement before it made a member.
    /// ?1 tenant ?2 id ?3 now ?4 person ?5 subjects ?6 act
    pub(in super::super) AUDIT_JOIN = "audit_join", "INSERT INTO audit (tenant_id, audit_id, at, user_id, act, subjects, outcome)
SELECT ?1, ?2, ?3, ?4, ?6, ?5, 'done' WHERE changes() = 1";

    /// Who used an invitation up. ?1 tenant ?2 link's hash
    pub(in super::super) INVITATION_USED_BY = "invitation_used_by", "SELECT used_by FROM invitation WHERE tenant_id = ?1 AND link_hash = ?2 AND used_at IS NOT NULL";
}
