//! Who belongs to a tenant.

use super::{OpenInvitation, directory, store};
use crate::{
    desk::{
        Act, Authority, Caller, Code, Facts, Problem, Reach, RecentSignIn, Refusal, Role, Safename, Tenant,
        TenantId, UserId, act_of_operator, change_by_operator, sort_by,
    },
    platform::{DatabaseFault, FromRow, Platform, Row, RowFault, Timestamp, Value, only},
};

/// Somebody who is to belong to a tenant.
pub struct NewMember<'a> {
    /// The person.
    pub user_id: &'a UserId,
    /// The person's name.
    pub name: &'a str,
    /// The person's e-mail address.
    pub email: &'a str,
}

/// A tenant that a person belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The tenant.
    pub tenant: Tenant,
    /// Its display name.
    pub name: String,
    /// The person's role in it.
    pub role: Role,
    /// Whether the person may approve posts.
    pub approver: bool,
}

struct MembershipRow {
    tenant_id: TenantId,
    name: String,
    role: Role,
    approver: bool,
}

impl FromRow for MembershipRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            tenant_id: row.get("tenant_id")?,
            name: row.get("name")?,
            role: row.get("role")?,
            approver: row.get("approver")?,
        })
    }
}

/// The tenants that a person belongs to at this moment, as far as the sign-in reaches, by name.
///
/// # Errors
/// When a database fails.
pub async fn of_person(platform: &Platform<'_>, reach: &Reach) -> Result<Vec<Membership>, DatabaseFault> {
    let person = &reach.user_id;
    let rows = only(platform.directory, store::POINTERS.with([person.into()])).await?;
    let mut tenants = rows.iter().map(directory::read_tenant).collect::<Result<Vec<Tenant>, _>>()?;
    tenants.retain(|tenant| reach.covers(&tenant.id));
    let mut memberships = Vec::with_capacity(tenants.len());
    for (shard, tenants) in directory::by_shard(tenants) {
        let ids: Vec<&TenantId> = tenants.iter().map(|tenant| &tenant.id).collect();
        let find = store::MEMBERSHIPS.with([serde_json::json!(ids).to_string().into(), person.into()]);
        let rows = only(directory::numbered(platform, shard)?, find).await?;
        for row in &rows {
            let row = MembershipRow::from_row(row)?;
            let tenant = tenants.iter().find(|tenant| tenant.id == row.tenant_id).cloned();
            memberships.extend(tenant.map(|tenant| Membership {
                tenant,
                name: row.name,
                role: row.role,
                approver: row.approver,
            }));
        }
    }
    sort_by(&mut memberships, |a, b| a.name.cmp(&b.name).then_with(|| a.tenant.id.cmp(&b.tenant.id)));
    Ok(memberships)
}

/// A person's way to the data of the tenant with this safename, as a member on pages; nothing when there is no such
/// tenant, or the sign-in does not reach it. Whether the person is a member, the gate says in each batch.
///
/// # Errors
/// When the tenant cannot be looked up, or its shard is not bound.
pub async fn member<'a>(
    platform: &Platform<'a>,
    reach: &Reach,
    safename: &Safename,
) -> Result<Option<Caller<'a>>, DatabaseFault> {
    let found = directory::find(platform, safename).await?;
    let Some(tenant) = found.filter(|tenant| reach.covers(&tenant.id)) else { return Ok(None) };
    let authority = Authority::Member { user_id: reach.user_id.clone() };
    let unbound = || DatabaseFault::Rejected("a tenant's shard is not bound".to_owned());
    Caller::new(*platform, tenant, authority).map(Some).ok_or_else(unbound)
}

/// Whether a person belongs to a tenant at this moment.
///
/// # Errors
/// When the shard fails.
pub async fn is_member(
    platform: &Platform<'_>,
    tenant: &Tenant,
    person: &UserId,
) -> Result<bool, DatabaseFault> {
    let database = directory::shard_of(platform, tenant)?;
    let rows = only(database, store::ROLE_OF.with([Value::from(&tenant.id), person.into()])).await?;
    Ok(!rows.is_empty())
}

/// Writes an operator's act on a tenant into its audit, before the act itself: one that stands in no batch of the
/// tenant's shard.
///
/// # Errors
/// When the shard fails; the act must not follow then.
pub async fn note_by_operator(
    platform: &Platform<'_>,
    tenant: &Tenant,
    act: &Act<'_>,
) -> Result<(), DatabaseFault> {
    let database = directory::shard_of(platform, tenant)?;
    only(database, act_of_operator(platform, &tenant.id, act)).await.map(drop)
}

/// Makes a person a member, or gives a member another role; an owner stays owner. The pointer comes first: alone it
/// shows nothing, and asking again finishes the rest.
///
/// # Errors
/// When a database fails.
pub async fn add_member(
    platform: &Platform<'_>,
    tenant: &Tenant,
    member: &NewMember<'_>,
    role: Role,
    approver: bool,
) -> Result<(), DatabaseFault> {
    let database = directory::shard_of(platform, tenant)?;
    only(platform.directory, store::POINT.with([member.user_id.into(), (&tenant.id).into()])).await?;
    let add = store::ADD_MEMBER.with([
        Value::from(&tenant.id),
        member.user_id.into(),
        role.as_str().into(),
        approver.into(),
        member.name.into(),
        member.email.into(),
        platform.now().into(),
    ]);
    let act = Act { name: "operator_invite", subjects: &[member.user_id.as_str(), role.as_str()] };
    database.batch(vec![add, change_by_operator(platform, &tenant.id, &act)]).await?;
    Ok(())
}

/// A role, and whether posts may be approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The role.
    pub role: Role,
    /// Whether the member may approve posts.
    pub approver: bool,
}

impl Standing {
    /// Whether this allows anything that `other` does not.
    pub const fn exceeds(self, other: Self) -> bool {
        rank(self.role) > rank(other.role) || (self.approver && !other.approver)
    }
}

const fn rank(role: Role) -> u8 {
    match role {
        Role::Viewer => 0,
        Role::Editor => 1,
        Role::Admin => 2,
        Role::Owner => 3,
    }
}

/// Somebody who belongs to a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub user_id: UserId,
    /// The person's name.
    pub name: String,
    /// The person's e-mail address.
    pub email: String,
    /// What the person is here.
    pub standing: Standing,
    /// Since when.
    pub created_at: Timestamp,
}

impl FromRow for Member {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            user_id: row.get("user_id")?,
            name: row.get("name")?,
            email: row.get("email")?,
            standing: Standing { role: row.get("role")?, approver: row.get("approver")? },
            created_at: row.get("created_at")?,
        })
    }
}

/// Who belongs to a tenant and who is invited, by name and address, and who asks.
pub struct Roster {
    /// Who asks.
    pub facts: Facts,
    /// The members.
    pub members: Vec<Member>,
    /// Invitations that can still be accepted.
    pub invitations: Vec<OpenInvitation>,
}

/// Everybody of a tenant.
///
/// # Errors
/// When the gate is closed.
pub async fn roster(caller: &Caller<'_>) -> Result<Roster, Refusal> {
    let tenant = || Value::from(&caller.tenant().id);
    let batch = vec![
        store::LIST_MEMBERS.with([tenant()]),
        store::LIST_INVITATIONS.with([tenant(), caller.now().into()]),
    ];
    let mut answer = caller.read(batch).await?;
    let mut members: Vec<Member> = answer.next_as()?;
    let mut invitations: Vec<OpenInvitation> = answer.next_as()?;
    sort_by(&mut members, |a, b| a.name.cmp(&b.name).then_with(|| a.email.cmp(&b.email)));
    sort_by(&mut invitations, |a, b| a.email.cmp(&b.email));
    Ok(Roster { facts: answer.facts, members, invitations })
}

/// Gives a member another standing. One that exceeds the present needs a recent sign-in.
///
/// # Errors
/// `sign_in_again`, `role_not_allowed`, `member_not_found`, `last_owner`; a conflict when somebody else changed the
/// member at the same moment; or when the gate is closed.
pub async fn change_member(
    caller: &Caller<'_>,
    member: &UserId,
    to: Standing,
    recent: Option<RecentSignIn>,
) -> Result<(), Refusal> {
    let tenant = Value::from(&caller.tenant().id);
    let find = store::FIND_MEMBER.with([tenant.clone(), member.into()]);
    let from = caller.read(vec![find]).await?.next_first::<Member>()?.ok_or_else(member_not_found)?.standing;
    if to == from {
        return Ok(());
    }
    let act =
        Act { name: "change_member", subjects: &[member.as_str(), from.role.as_str(), to.role.as_str()] };
    if to.exceeds(from) && recent.is_none() {
        let refusal = RecentSignIn::missing();
        caller.note_refusal(act, &refusal).await;
        return Err(refusal);
    }
    let change = store::CHANGE_MEMBER.with([
        tenant,
        member.into(),
        caller.user_id().into(),
        to.role.as_str().into(),
        to.approver.into(),
        from.role.as_str().into(),
        from.approver.into(),
    ]);
    match caller.write(act, vec![change, Caller::require_changes(1)]).await {
        Ok(_) => Ok(()),
        Err(Refusal::Conflict) => Err(why_not(caller, Some(member), to.role).await),
        Err(refusal) => Err(refusal),
    }
}

/// Ends a membership, and with it all that the member had allowed apps to do. Members may end their own.
///
/// # Errors
/// `role_not_allowed`, `member_not_found`, `last_owner`, or when the gate is closed.
pub async fn remove_member(caller: &Caller<'_>, member: &UserId) -> Result<(), Refusal> {
    let tenant = || Value::from(&caller.tenant().id);
    let now = caller.now();
    let batch = vec![
        store::END_MEMBERSHIP.with([tenant(), member.into(), caller.user_id().into(), now.into()]),
        Caller::require_changes(1),
        store::END_GRANTS_OF_MEMBER.with([tenant(), member.into(), now.into()]),
    ];
    let act = Act { name: "remove_member", subjects: &[member.as_str()] };
    match caller.write(act, batch).await {
        Ok(_) => Ok(()),
        Err(Refusal::Conflict) => Err(why_not(caller, Some(member), Role::Viewer).await),
        Err(refusal) => Err(refusal),
    }
}

/// Why a member was not changed or invited, as it looks afterwards. `wanted` is the role that was to be given.
pub(super) async fn why_not(caller: &Caller<'_>, member: Option<&UserId>, wanted: Role) -> Refusal {
    let Roster { facts, members, .. } = match roster(caller).await {
        Ok(roster) => roster,
        Err(refusal) => return refusal,
    };
    let target = member.map(|id| members.iter().find(|member| member.user_id == *id));
    let concerns_owners =
        wanted == Role::Owner || target.flatten().is_some_and(|member| member.standing.role == Role::Owner);
    let own = member.is_some_and(|id| *id == facts.user_id);
    if target == Some(None) {
        member_not_found()
    } else if !facts.role.manages() && !own {
        Problem::new(Code::RoleNotAllowed, "", "Ask an owner or admin of the organisation.").into()
    } else if concerns_owners && facts.role != Role::Owner {
        Problem::new(Code::RoleNotAllowed, "", "Only an owner makes, changes or removes owners.").into()
    } else if target.flatten().is_some_and(|target| is_last_owner(target, &members)) {
        Problem::new(Code::LastOwner, "", "Make somebody else an owner first.").into()
    } else {
        Refusal::Conflict
    }
}

fn is_last_owner(target: &Member, members: &[Member]) -> bool {
    target.standing.role == Role::Owner
        && members.iter().filter(|member| member.standing.role == Role::Owner).count() == 1
}

fn member_not_found() -> Refusal {
    Problem::new(Code::MemberNotFound, "", "Load the page of the members again.").into()
}
