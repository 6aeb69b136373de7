//! Who belongs to a tenant.

use super::{directory, store};
use crate::{
    desk::{Authority, Caller, Role, Safename, Tenant, TenantId, UserId},
    platform::{DatabaseFault, FromRow, Platform, Row, RowFault, Value, only},
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

/// The tenants that a person belongs to at this moment, by name.
///
/// # Errors
/// When a database fails.
pub async fn of_person(platform: &Platform<'_>, person: &UserId) -> Result<Vec<Membership>, DatabaseFault> {
    let rows = only(platform.directory, store::POINTERS.with([person.into()])).await?;
    let tenants = rows.iter().map(directory::read_tenant).collect::<Result<Vec<Tenant>, _>>()?;
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
    memberships.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.tenant.id.cmp(&b.tenant.id)));
    Ok(memberships)
}

/// A person's way to the data of the tenant with this safename, as a member on pages; nothing when there is no such
/// tenant. Whether the person is a member, the gate says in each batch.
///
/// # Errors
/// When the tenant cannot be looked up, or its shard is not bound.
pub async fn member<'a>(
    platform: &Platform<'a>,
    person: &UserId,
    safename: &Safename,
) -> Result<Option<Caller<'a>>, DatabaseFault> {
    let Some(tenant) = directory::find(platform, safename).await? else { return Ok(None) };
    let authority = Authority::Member { user_id: person.clone() };
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
    only(database, add).await?;
    Ok(())
}
