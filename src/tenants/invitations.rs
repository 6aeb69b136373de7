//! Invitations: a one-time link by which whoever has an address becomes a member.
//!
//! An invitation never signs in a person who is there already: its link may have passed through other hands, and the
//! person may belong to other tenants. It makes a new person at most, under an id that it holds from the beginning.

use super::{NewMember, Standing, directory, members, store};
use crate::{
    desk::{
        Act, AuditId, Caller, Code, InvitationId, Problem, RecentSignIn, Refusal, Role, Tenant, UserId,
        token_hash,
    },
    platform::{DatabaseFault, FromRow, Platform, Row, RowFault, Timestamp, Value, first, only},
};

/// An invitation can be accepted for 7 days.
const LIFE_SECONDS: i64 = 7 * 86_400;
/// A tenant invites at most so many in a day.
const MOST_A_DAY: i64 = 50;
const DAY: i64 = 86_400;

/// An invitation that can still be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenInvitation {
    /// Its id.
    pub invitation_id: InvitationId,
    /// Who is invited.
    pub email: String,
    /// As what.
    pub standing: Standing,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}

impl FromRow for OpenInvitation {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            invitation_id: row.get("invitation_id")?,
            email: row.get("email")?,
            standing: Standing { role: row.get("role")?, approver: row.get("approver")? },
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

/// Somebody to invite.
pub struct NewInvitation<'a> {
    /// The e-mail address.
    pub email: &'a str,
    /// As what.
    pub standing: Standing,
    /// The link's secret, which only its hash is stored of.
    pub secret: &'a str,
    /// Whether the link goes to the address and is shown to nobody else: then using it proves the address.
    pub mailed: bool,
}

/// Invites an address, in place of any earlier invitation of it. Inviting owners, admins or approvers needs a recent
/// sign-in.
///
/// # Errors
/// `sign_in_again`, `role_not_allowed`, `already_member`, `too_many`, or when the gate is closed.
pub async fn invite(
    caller: &Caller<'_>,
    new: &NewInvitation<'_>,
    recent: Option<RecentSignIn>,
) -> Result<(), Refusal> {
    let plain = Standing { role: Role::Editor, approver: false };
    let now = caller.now();
    let entropy = caller.platform().entropy;
    let id = InvitationId::new(now, entropy);
    let act = Act { name: "invite_member", subjects: &[id.as_str(), new.standing.role.as_str()] };
    if new.standing.exceeds(plain) && recent.is_none() {
        let refusal = RecentSignIn::missing();
        caller.note_refusal(act, &refusal).await;
        return Err(refusal);
    }
    let tenant = || Value::from(&caller.tenant().id);
    let role = new.standing.role;
    let batch = vec![
        store::REPLACE_INVITATIONS.with([tenant(), new.email.into(), now.into(), caller.user_id().into()]),
        store::ADD_INVITATION.with([
            tenant(),
            (&id).into(),
            token_hash(new.secret).into(),
            new.email.into(),
            UserId::new(now, entropy).into(),
            role.as_str().into(),
            new.standing.approver.into(),
            new.mailed.into(),
            caller.user_id().into(),
            now.into(),
            now.plus_seconds(LIFE_SECONDS).into(),
            now.plus_seconds(-DAY).into(),
            MOST_A_DAY.into(),
        ]),
        Caller::require_changes(1),
    ];
    match caller.write(act, batch).await {
        Ok(_) => Ok(()),
        Err(Refusal::Conflict) => Err(why_not_invited(caller, new).await),
        Err(refusal) => Err(refusal),
    }
}

async fn why_not_invited(caller: &Caller<'_>, new: &NewInvitation<'_>) -> Refusal {
    match members::why_not(caller, None, new.standing.role).await {
        Refusal::Conflict => match members::roster(caller).await {
            Ok(roster)
                if roster.members.iter().any(|member| member.email.eq_ignore_ascii_case(new.email)) =>
            {
                Problem::new(Code::AlreadyMember, "email", "Change the role in the list instead.").into()
            }
            Ok(roster)
                if roster.facts.role != Role::Owner
                    && roster.invitations.iter().any(|open| {
                        open.standing.role == Role::Owner && open.email.eq_ignore_ascii_case(new.email)
                    }) =>
            {
                let hint = "Only an owner changes an invitation that an owner made for a new owner.";
                Problem::new(Code::RoleNotAllowed, "email", hint).into()
            }
            Ok(_) => Problem::new(Code::TooMany, "", "Invite the others tomorrow.")
                .message(format!("At most {MOST_A_DAY} people are invited in a day."))
                .into(),
            Err(refusal) => refusal,
        },
        refusal => refusal,
    }
}

/// Withdraws an invitation.
///
/// # Errors
/// `role_not_allowed`; a conflict when it was accepted or withdrawn already; or when the gate is closed.
pub async fn withdraw_invitation(caller: &Caller<'_>, id: &InvitationId) -> Result<(), Refusal> {
    let withdraw = store::WITHDRAW_INVITATION.with([
        Value::from(&caller.tenant().id),
        id.into(),
        caller.user_id().into(),
        caller.now().into(),
    ]);
    let act = Act { name: "withdraw_invitation", subjects: &[id.as_str()] };
    match caller.write(act, vec![withdraw, Caller::require_changes(1)]).await {
        Ok(_) => Ok(()),
        Err(Refusal::Conflict) => Err(members::why_not(caller, None, Role::Viewer).await),
        Err(refusal) => Err(refusal),
    }
}

/// An invitation as its link finds it.
pub struct Invitation {
    /// Who is invited.
    pub email: String,
    /// Whom accepting makes, if nobody has the address.
    pub user_id: UserId,
    /// As what.
    pub role: Role,
    /// Whether the link went to the address alone.
    pub mailed: bool,
    /// Who accepted it already.
    pub used_by: Option<UserId>,
    /// The tenant's display name.
    pub tenant_name: String,
    /// Who invites.
    pub inviter: String,
}

impl FromRow for Invitation {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            email: row.get("email")?,
            user_id: row.get("user_id")?,
            role: row.get("role")?,
            mailed: row.get("mailed")?,
            used_by: row.get("used_by")?,
            tenant_name: row.get("tenant_name")?,
            inviter: row.get("inviter")?,
        })
    }
}

/// The invitation of a link's secret, unless it was withdrawn, is too old, or whoever made it no longer could.
///
/// # Errors
/// When the shard fails.
pub async fn find_invitation(
    platform: &Platform<'_>,
    tenant: &Tenant,
    secret: &str,
) -> Result<Option<Invitation>, DatabaseFault> {
    let database = directory::shard_of(platform, tenant)?;
    let find = store::FIND_INVITATION.with([
        Value::from(&tenant.id),
        token_hash(secret).into(),
        platform.now().into(),
    ]);
    first(&only(database, find).await?)
}

/// Accepts an invitation for a person; whether this person has. Repeating it gives the same, so that an answer that got
/// lost costs nothing. The pointer comes first: alone it shows nothing.
///
/// # Errors
/// When a database fails.
pub async fn accept_invitation(
    platform: &Platform<'_>,
    tenant: &Tenant,
    secret: &str,
    person: &NewMember<'_>,
) -> Result<bool, DatabaseFault> {
    let database = directory::shard_of(platform, tenant)?;
    only(platform.directory, store::POINT.with([person.user_id.into(), (&tenant.id).into()])).await?;
    let id = || Value::from(&tenant.id);
    let link = || Value::from(token_hash(secret));
    let user = || Value::from(person.user_id);
    let now = platform.now();
    let audit_id = AuditId::new(now, platform.entropy);
    let batch = vec![
        store::USE_INVITATION.with([id(), link(), now.into(), user()]),
        store::JOIN_BY_INVITATION.with([
            id(),
            link(),
            now.into(),
            user(),
            person.name.into(),
            person.email.into(),
        ]),
        store::AUDIT_JOIN.with([
            id(),
            audit_id.into(),
            now.into(),
            user(),
            serde_json::json!([person.user_id]).to_string().into(),
            "accept_invitation".into(),
        ]),
        store::INVITATION_USED_BY.with([id(), link()]),
    ];
    let answers = database.batch(batch).await?;
    let used_by = answers.last().and_then(|rows| rows.first()).map(|row| row.get::<UserId>("used_by"));
    Ok(used_by.transpose()?.as_ref() == Some(person.user_id))
}
