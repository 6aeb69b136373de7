//! Making a tenant: its name in the directory, then all it begins with in its shard, then the door is opened.

use serde::{Deserialize, Serialize};

use super::{
    State,
    changes::{self, Pending},
    directory,
    model::handle_of,
    store,
};
use crate::{
    desk::{
        Act, ProfileId, Role, Safename, Tenant, TenantId, TimeZoneName, UserId, WorkspaceId,
        change_by_operator,
    },
    http::reserved_names,
    platform::{DatabaseFault, FromRow, Platform, Row, RowFault, Statement, Timestamp, Value, first, only},
};

/// A tenant to be made.
pub struct NewTenant<'a> {
    /// Its name in addresses.
    pub safename: &'a Safename,
    /// Its display name, 1 to 200 characters.
    pub name: &'a str,
    /// Who owns it.
    pub owner: super::NewMember<'a>,
    /// The name of its first workspace, 1 to 100 characters.
    pub workspace: &'a str,
    /// The zone of its first workspace.
    pub time_zone: &'a TimeZoneName,
}

/// A tenant that is there.
pub struct Created {
    /// The tenant.
    pub tenant: Tenant,
    /// Whether this call made it; else it was there already, with the same owner.
    pub new: bool,
}

/// Why no tenant was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateFault {
    /// The name begins a path of ours.
    Reserved,
    /// Another tenant has the name, or had it.
    Taken,
    /// A database failed. The name may be taken for this very tenant; asking again finishes it, and so does the tick.
    Database(DatabaseFault),
}

impl From<DatabaseFault> for CreateFault {
    fn from(fault: DatabaseFault) -> Self {
        Self::Database(fault)
    }
}

/// What a tenant is made from, kept with its name until it is made.
#[derive(Serialize, Deserialize)]
pub(super) struct Founding {
    v: u8,
    name: String,
    owner_id: UserId,
    owner_name: String,
    owner_email: String,
    workspace_id: WorkspaceId,
    workspace: String,
    time_zone: String,
    profile_id: ProfileId,
}

/// Makes a tenant with an owner, a workspace and a Wall. The same again gives the same tenant.
///
/// # Errors
/// See [`CreateFault`].
pub async fn create(platform: &Platform<'_>, new: &NewTenant<'_>) -> Result<Created, CreateFault> {
    if reserved_names().any(|name| name == new.safename.as_str()) {
        return Err(CreateFault::Reserved);
    }
    let id = TenantId::new(platform.now(), platform.entropy);
    let reservation = reserve(platform, &id, new).await?;
    let Pending { registration, founding } = &reservation;
    let tenant = registration.tenant.clone();
    let same_owner = match registration.state {
        State::Creating => Founding::read(founding.as_deref())?.owner_id == *new.owner.user_id,
        State::Active => is_owner(platform, &tenant, new.owner.user_id).await?,
        State::Deleting | State::Erasing | State::Deleted => false,
    };
    if !same_owner {
        return Err(CreateFault::Taken);
    }
    if registration.state == State::Creating {
        changes::carry_out(platform, &reservation).await?;
    }
    Ok(Created { new: tenant.id == id, tenant })
}

/// Takes the name for `id`, or finds who has it.
async fn reserve(
    platform: &Platform<'_>,
    id: &TenantId,
    new: &NewTenant<'_>,
) -> Result<Pending, DatabaseFault> {
    let find = || store::REGISTRATION.with([new.safename.into()]);
    if let Some(taken) = first(&only(platform.directory, find()).await?)? {
        return Ok(taken);
    }
    let shard = emptiest_shard(platform).await?;
    let founding = Founding::of(platform, new).write();
    let batch = vec![
        store::RESERVE_NAME.with([
            id.into(),
            new.safename.into(),
            shard.into(),
            platform.now().into(),
            founding.into(),
        ]),
        find(),
    ];
    let answers = platform.directory.batch(batch).await?;
    let reserved = answers.get(1).map(first).transpose()?.flatten();
    reserved.ok_or_else(|| DatabaseFault::Unknown("a name that was just taken is not there".to_owned()))
}

struct Load {
    shard: i64,
    tenants: i64,
}

impl FromRow for Load {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { shard: row.get("shard")?, tenants: row.get("tenants")? })
    }
}

/// The shard with the fewest tenants: a new one fills first.
async fn emptiest_shard(platform: &Platform<'_>) -> Result<i64, DatabaseFault> {
    let rows = only(platform.directory, store::SHARD_LOADS.with([])).await?;
    let loads = rows.iter().map(Load::from_row).collect::<Result<Vec<_>, _>>()?;
    let load_of = |shard: i64| loads.iter().find(|load| load.shard == shard).map_or(0, |load| load.tenants);
    (0_i64..)
        .zip(platform.shards)
        .map(|(shard, _)| shard)
        .min_by_key(|shard| load_of(*shard))
        .ok_or_else(|| DatabaseFault::Rejected("no shard is bound".to_owned()))
}

async fn is_owner(platform: &Platform<'_>, tenant: &Tenant, person: &UserId) -> Result<bool, DatabaseFault> {
    let database = directory::shard_of(platform, tenant)?;
    let rows = only(database, store::ROLE_OF.with([Value::from(&tenant.id), person.into()])).await?;
    let role: Option<String> = rows.first().map(|row| row.get("role")).transpose()?;
    Ok(role.as_deref() == Some(Role::Owner.as_str()))
}

impl Founding {
    fn of(platform: &Platform<'_>, new: &NewTenant<'_>) -> Self {
        let now = platform.now();
        Self {
            v: 1,
            name: new.name.to_owned(),
            owner_id: new.owner.user_id.clone(),
            owner_name: new.owner.name.to_owned(),
            owner_email: new.owner.email.to_owned(),
            workspace_id: WorkspaceId::new(now, platform.entropy),
            workspace: new.workspace.to_owned(),
            time_zone: new.time_zone.as_str().to_owned(),
            profile_id: ProfileId::new(now, platform.entropy),
        }
    }

    fn write(&self) -> String {
        serde_json::json!(self).to_string()
    }

    pub(super) fn read(text: Option<&str>) -> Result<Self, DatabaseFault> {
        text.and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| DatabaseFault::Rejected("what a tenant is made from cannot be read".to_owned()))
    }

    /// All that a tenant begins with. Doing it again changes nothing.
    pub(super) fn on_shard(
        &self,
        platform: &Platform<'_>,
        tenant: &Tenant,
        at: Timestamp,
    ) -> Result<Vec<Statement>, DatabaseFault> {
        let wrapped_key = platform
            .config
            .keys
            .new_tenant_key(tenant.id.as_str(), platform.entropy)
            .map_err(|_| DatabaseFault::Rejected("a tenant's key could not be wrapped".to_owned()))?;
        let id = || Value::from(&tenant.id);
        Ok(vec![
            store::ADD_TENANT.with([
                id(),
                (&tenant.safename).into(),
                self.name.as_str().into(),
                wrapped_key.into(),
                at.into(),
            ]),
            change_by_operator(
                platform,
                &tenant.id,
                &Act { name: "operator_create_tenant", subjects: &[self.owner_id.as_str()] },
            ),
            store::ADD_OWNER.with([
                id(),
                (&self.owner_id).into(),
                Role::Owner.as_str().into(),
                self.owner_name.as_str().into(),
                self.owner_email.as_str().into(),
                at.into(),
            ]),
            store::ADD_WORKSPACE.with([
                id(),
                (&self.workspace_id).into(),
                self.workspace.as_str().into(),
                self.time_zone.as_str().into(),
                at.into(),
            ]),
            store::ADD_WALL.with([
                id(),
                (&self.profile_id).into(),
                (&self.workspace_id).into(),
                handle_of(&self.workspace).into(),
                self.workspace.as_str().into(),
                at.into(),
            ]),
        ])
    }

    /// The pointer from the owner to the tenant.
    pub(super) fn in_directory(&self, tenant: &Tenant) -> Statement {
        store::POINT.with([(&self.owner_id).into(), (&tenant.id).into()])
    }
}
