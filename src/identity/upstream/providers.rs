//! The providers of a tenant: added, given a new secret, and removed by its managers.

use super::{
    ClientSecret,
    secret::Place,
    store::{directory, shard},
};
use crate::{
    desk::{
        Act, Caller, Facts, Kept, ProviderId, RecentSignIn, Refusal, Tenant, TenantId, Visitor, presentable,
    },
    http::Form,
    platform::{
        Database, DatabaseFault, FromRow, Platform, Row, RowFault, Rows, Sealed, Statement, Value, first,
        only,
    },
};

/// A tenant has at most so many.
const MOST: i64 = 5;
/// Most removals that one run finishes.
const PORTION: i64 = 20;
/// A name has at most so many characters.
const LONGEST: usize = 60;

/// A provider, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its id, which is part of its callback's address.
    pub id: ProviderId,
    /// What people know it by.
    pub name: String,
    /// Its issuer, exactly as it writes it.
    pub issuer: String,
    /// What it calls this deployment.
    pub client_id: String,
}

impl FromRow for Provider {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            id: row.get("provider_id")?,
            name: row.get("name")?,
            issuer: row.get("issuer")?,
            client_id: row.get("client_id")?,
        })
    }
}

/// A provider, with its secret under seal.
pub struct KnownProvider {
    /// The provider.
    pub provider: Provider,
    sealed: Sealed,
    wrapped_key: Sealed,
}

impl FromRow for KnownProvider {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            provider: Provider::from_row(row)?,
            sealed: row.get("sealed")?,
            wrapped_key: row.get("wrapped_key")?,
        })
    }
}

impl KnownProvider {
    /// Its secret; nothing when the tenant's key does not open it.
    pub(super) fn secret(&self, platform: &Platform<'_>, tenant: &TenantId) -> Option<ClientSecret> {
        let place = Place { tenant, provider: &self.provider.id, issuer: &self.provider.issuer };
        place.open(&platform.config.keys, &self.wrapped_key, &self.sealed).ok()
    }
}

/// A provider to be added.
pub struct NewProvider {
    /// The provider.
    pub provider: Provider,
    secret: ClientSecret,
}

impl NewProvider {
    /// Reads a form's `id`, `name`, `issuer`, `client_id` and `client_secret`.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn parse(form: &Form) -> Result<Self, &'static str> {
        let field = |name| form.get(name).unwrap_or_default().trim();
        let id = field("id").parse().map_err(|_| "Load the page again and repeat it.")?;
        let name = presentable(field("name"), LONGEST)
            .ok_or("Give a name, such as “Acme’s Okta”: people see it on the button.")?;
        let client_id = field("client_id");
        if !(1..=255).contains(&client_id.len()) || client_id.bytes().any(|byte| byte.is_ascii_control()) {
            return Err("Give the client id that the provider shows.");
        }
        let secret = ClientSecret::parse(field("client_secret"))
            .ok_or("Give the client secret that the provider shows.")?;
        let issuer = field("issuer").to_owned();
        let provider = Provider { id, name, issuer, client_id: client_id.to_owned() };
        Ok(Self { provider, secret })
    }
}

/// The providers of a caller's tenant, the oldest first, and who asks.
///
/// # Errors
/// When the gate is closed.
pub async fn providers(caller: &Caller<'_>) -> Result<(Facts, Vec<Provider>), Refusal> {
    let mut answer = caller.read(vec![shard::LIST.with([Value::from(&caller.tenant().id)])]).await?;
    let providers = answer.next_as()?;
    Ok((answer.facts, providers))
}

/// The providers through which anybody may try to sign in to a tenant, the oldest first.
///
/// # Errors
/// When the shard fails.
pub async fn offered(platform: &Platform<'_>, tenant: &Tenant) -> Result<Vec<Provider>, DatabaseFault> {
    let rows = visit(platform, tenant, vec![shard::LIST.with([Value::from(&tenant.id)])]).await?;
    Ok(rows.iter().map(Provider::from_row).collect::<Result<_, _>>()?)
}

/// One provider of a tenant that is open.
///
/// # Errors
/// When the shard fails.
pub async fn provider(
    platform: &Platform<'_>,
    tenant: &Tenant,
    id: &ProviderId,
) -> Result<Option<KnownProvider>, DatabaseFault> {
    let find = shard::FIND.with([Value::from(&tenant.id), id.into()]);
    first(&visit(platform, tenant, vec![find]).await?)
}

async fn visit(
    platform: &Platform<'_>,
    tenant: &Tenant,
    statements: Vec<Statement>,
) -> Result<Rows, DatabaseFault> {
    let Some(visitor) = Visitor::new(platform, tenant.clone()) else { return Ok(Rows::default()) };
    Ok(visitor.read(statements).await?.unwrap_or_default().into_iter().next().unwrap_or_default())
}

/// Adds a provider, after a recent sign-in.
///
/// # Errors
/// `role_not_allowed`, `too_many`; a conflict when the form was sent before; or when the gate is closed.
pub async fn add_provider(
    caller: &Caller<'_>,
    new: &NewProvider,
    _recent: RecentSignIn,
) -> Result<(), Refusal> {
    let Provider { id, name, issuer, client_id } = &new.provider;
    let add = shard::ADD.with([
        Value::from(&caller.tenant().id),
        id.into(),
        name.as_str().into(),
        issuer.as_str().into(),
        client_id.as_str().into(),
        seal(caller, &new.provider, &new.secret).await?.into(),
        caller.user_id().into(),
        caller.now().into(),
        MOST.into(),
    ]);
    let act = Act { name: "add_provider", subjects: &[id.as_str()] };
    manage(caller, act, add).await
}

/// Replaces a provider's secret, after a recent sign-in.
///
/// # Errors
/// `sign_in_again`, `role_not_allowed`; a conflict when there is no such provider; or when the gate is closed.
pub async fn replace_secret(
    caller: &Caller<'_>,
    provider: &Provider,
    secret: &ClientSecret,
    recent: Option<RecentSignIn>,
) -> Result<(), Refusal> {
    recent.ok_or_else(RecentSignIn::missing)?;
    let replace = shard::REPLACE_SECRET.with([
        Value::from(&caller.tenant().id),
        (&provider.id).into(),
        seal(caller, provider, secret).await?.into(),
        caller.user_id().into(),
    ]);
    let act = Act { name: "replace_provider_secret", subjects: &[provider.id.as_str()] };
    manage(caller, act, replace).await
}

/// Removes a provider: nobody signs in through it any more, and the sessions that it began end. The tick finishes what is
/// cut short.
///
/// # Errors
/// `role_not_allowed`; a conflict when there is no such provider; or when the gate is closed.
pub async fn remove_provider(caller: &Caller<'_>, id: &ProviderId) -> Result<(), Refusal> {
    let tenant = caller.tenant();
    let remove = shard::REMOVE.with([
        Value::from(&tenant.id),
        id.into(),
        caller.now().into(),
        caller.user_id().into(),
    ]);
    manage(caller, Act { name: "remove_provider", subjects: &[id.as_str()] }, remove).await?;
    let platform = caller.platform();
    if let Some(database) = platform.shard(tenant.shard) {
        finish(platform, database, &tenant.id, id).await?;
    }
    Ok(())
}

/// A change of one of them.
async fn manage(caller: &Caller<'_>, act: Act<'_>, change: Statement) -> Result<(), Refusal> {
    let list = shard::LIST.with([Value::from(&caller.tenant().id)]);
    Kept { list, most: MOST, of: "providers" }.change(caller, act, change).await
}

async fn seal(caller: &Caller<'_>, provider: &Provider, secret: &ClientSecret) -> Result<Sealed, Refusal> {
    let tenant = &caller.tenant().id;
    let platform = caller.platform();
    let rows = caller.read(vec![shard::TENANT_KEY.with([Value::from(tenant)])]).await?.next_rows();
    let wrapped: Sealed =
        rows.first().map(|row| row.get("wrapped_key")).transpose()?.ok_or(Refusal::Unauthenticated)?;
    let place = Place { tenant, provider: &provider.id, issuer: &provider.issuer };
    place
        .seal(&platform.config.keys, platform.entropy, &wrapped, secret)
        .map_err(|_| DatabaseFault::Rejected("a tenant's key does not open".to_owned()).into())
}

/// Finishes removals that were cut short in a shard.
///
/// # Errors
/// When a database fails; the rest waits for the next run.
pub async fn finish_removals(platform: &Platform<'_>, shard: i64) -> Result<(), DatabaseFault> {
    let Some(database) = platform.shard(shard) else { return Ok(()) };
    let find = shard::REMOVED.with([platform.now().into(), PORTION.into()]);
    for row in only(database, find).await? {
        finish(platform, database, &row.get("tenant_id")?, &row.get("provider_id")?).await?;
    }
    Ok(())
}

/// Ends what the directory has of a removed provider, then forgets it.
async fn finish(
    platform: &Platform<'_>,
    database: &dyn Database,
    tenant: &TenantId,
    provider: &ProviderId,
) -> Result<(), DatabaseFault> {
    let both = || [Value::from(tenant), provider.into()];
    let end = vec![
        directory::END_IDENTITIES_OF_PROVIDER.with(both()),
        directory::END_SESSIONS_OF_PROVIDER.with(both()),
    ];
    platform.directory.batch(end).await?;
    only(database, shard::FORGET.with(both())).await.map(drop)
}
