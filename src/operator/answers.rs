//! Carries out a command.

use serde::Serialize;
use serde_json::json;

use super::{
    command::{Command, CreateTenant, Invite},
    status, unavailable, utc,
};
use crate::{
    delivery::{self, Release},
    desk::{ClientId, Safename, Tenant, TenantId, UserId},
    http::{Problem, Response},
    identity::{self, EmailAddress, SignInLink},
    oauth,
    platform::{DatabaseFault, Platform},
    tenants::{self, CreateFault, Listed, NewMember, NewTenant, Registration, State},
};

/// Most tenants in one list.
const LIST: i64 = 200;

/// Why a command was not carried out.
enum Fault {
    Database(DatabaseFault),
    Problem(Problem),
}

impl From<DatabaseFault> for Fault {
    fn from(fault: DatabaseFault) -> Self {
        Self::Database(fault)
    }
}

impl From<CreateFault> for Fault {
    fn from(fault: CreateFault) -> Self {
        let hint = "Choose another safename.";
        match fault {
            CreateFault::Database(fault) => Self::Database(fault),
            CreateFault::Reserved => {
                Self::Problem(Problem::new(400, "safename_reserved", "This safename is reserved.", hint))
            }
            CreateFault::Taken => Self::Problem(Problem::new(
                409,
                "safename_taken",
                "Another tenant has this safename, or had it; it is never given out twice.",
                hint,
            )),
        }
    }
}

/// The answer to a command.
pub(super) async fn answer(platform: &Platform<'_>, command: Command) -> Response {
    let answered = match command {
        Command::CreateTenant(new) => create_tenant(platform, &new).await,
        Command::CreateSignInLink { safename, email } => sign_in_link(platform, &safename, &email).await,
        Command::Invite(invitation) => invite(platform, &invitation).await,
        Command::ListTenants { after } => list_tenants(platform, &after).await,
        Command::Status => status::status(platform).await.map(|status| ok(&status)).map_err(Fault::from),
        Command::HoldShard { shard, reason } => hold(platform, shard, &reason).await,
        Command::ReleaseShard { shard } => release(platform, shard).await,
        Command::ExportTenant { safename, next } => export(platform, &safename, next.as_deref()).await,
        Command::DeleteTenant { safename } => delete(platform, &safename).await,
        Command::RestoreTenant { safename } => restore(platform, &safename).await,
        Command::RotateKeys => rotate_keys(platform).await,
        Command::AddClient { name, redirect_uris, jwks_uri } => {
            add_client(platform, &name, redirect_uris, jwks_uri).await
        }
        Command::ListClients { after } => list_clients(platform, &after).await,
        Command::RemoveClient { client_id } => remove_client(platform, &client_id).await,
    };
    match answered {
        Ok(response) => response,
        Err(Fault::Database(fault)) => unavailable(&fault),
        Err(Fault::Problem(problem)) => problem.response(),
    }
}

fn ok(body: &impl Serialize) -> Response {
    Response::json(200, body)
}

#[derive(Serialize)]
struct TenantBody<'a> {
    tenant_id: &'a TenantId,
    safename: &'a Safename,
    mcp_url: String,
    created: bool,
}

async fn create_tenant(platform: &Platform<'_>, new: &CreateTenant) -> Result<Response, Fault> {
    let owner = identity::find_or_add_person(platform, &new.owner_email, &new.owner_name).await?;
    let created = tenants::create(
        platform,
        &NewTenant {
            safename: &new.safename,
            name: &new.name,
            owner: NewMember { user_id: &owner.user_id, name: &owner.name, email: owner.email.as_str() },
            workspace: &new.workspace,
            time_zone: &new.time_zone,
        },
    )
    .await?;
    let Tenant { id, safename, .. } = &created.tenant;
    Ok(ok(&TenantBody {
        tenant_id: id,
        safename,
        mcp_url: platform.config.resource(safename.as_str()),
        created: created.new,
    }))
}

async fn sign_in_link(
    platform: &Platform<'_>,
    safename: &Safename,
    email: &EmailAddress,
) -> Result<Response, Fault> {
    let tenant = open(platform, safename).await?;
    let person = identity::find_person(platform, email).await?;
    match person {
        Some(person) if tenants::is_member(platform, &tenant, &person.user_id).await? => {
            link(platform, &person.user_id).await
        }
        _ => Err(Fault::Problem(Problem::new(
            404,
            "member_not_found",
            "Nobody with this address is a member of the tenant.",
            "Make the person a member with scripts/admin invite.",
        ))),
    }
}

async fn invite(platform: &Platform<'_>, invitation: &Invite) -> Result<Response, Fault> {
    let tenant = open(platform, &invitation.safename).await?;
    let person = identity::find_or_add_person(platform, &invitation.email, &invitation.name).await?;
    let member = NewMember { user_id: &person.user_id, name: &person.name, email: person.email.as_str() };
    tenants::add_member(platform, &tenant, &member, invitation.role, invitation.approver).await?;
    link(platform, &person.user_id).await
}

async fn link(platform: &Platform<'_>, person: &UserId) -> Result<Response, Fault> {
    let SignInLink { url, expires_at } = identity::make_link(platform, person).await?;
    Ok(ok(&json!({ "url": url, "expires_at": utc(expires_at) })))
}

async fn list_tenants(platform: &Platform<'_>, after: &str) -> Result<Response, Fault> {
    let found = tenants::list(platform, after, LIST).await?;
    let full = i64::try_from(found.len()).is_ok_and(|count| count >= LIST);
    let next = found.last().filter(|_| full).map(|last| last.registration.tenant.safename.clone());
    let listed: Vec<_> = found.iter().map(|tenant| listed(platform, tenant)).collect();
    Ok(ok(&json!({ "tenants": listed, "next": next })))
}

fn listed(platform: &Platform<'_>, Listed { registration, description }: &Listed) -> serde_json::Value {
    let Registration { tenant, state, created_at, delete_after, .. } = registration;
    json!({
        "tenant_id": tenant.id,
        "safename": tenant.safename,
        "name": description.as_ref().map(|description| &description.name),
        "owner_email": description.as_ref().and_then(|description| description.owner_email.as_ref()),
        "mcp_url": platform.config.resource(tenant.safename.as_str()),
        "state": state,
        "shard": tenant.shard,
        "created_at": utc(*created_at),
        "delete_after": delete_after.map(utc),
    })
}

async fn hold(platform: &Platform<'_>, shard: i64, reason: &str) -> Result<Response, Fault> {
    must_be_bound(platform, shard)?;
    delivery::hold(platform, shard, reason).await?;
    Ok(ok(&json!({ "shard": shard, "held": true })))
}

/// `doubted`: deliveries that are looked up before anything is sent, because the shard had been restored.
async fn release(platform: &Platform<'_>, shard: i64) -> Result<Response, Fault> {
    must_be_bound(platform, shard)?;
    let doubted = match delivery::release(platform, shard).await? {
        Release::NotHeld | Release::Resumed => 0,
        Release::Doubted(doubted) => doubted,
    };
    Ok(ok(&json!({ "shard": shard, "held": false, "doubted": doubted })))
}

fn must_be_bound(platform: &Platform<'_>, shard: i64) -> Result<(), Fault> {
    platform.shard(shard).map(drop).ok_or_else(|| {
        let hint = "See scripts/admin status.";
        Fault::Problem(Problem::new(404, "shard_not_found", "There is no such shard.", hint))
    })
}

/// Rows as JSON lines; a last line `{"next": …}` only where more follows.
async fn export(platform: &Platform<'_>, safename: &Safename, next: Option<&str>) -> Result<Response, Fault> {
    let registration = registered(platform, safename).await?;
    let page = tenants::export(platform, &registration.tenant, next).await?.ok_or_else(|| {
        Fault::Problem(Problem::new(
            400,
            "malformed",
            "next is not one that an export gave.",
            "Begin again without it.",
        ))
    })?;
    let mut lines = page.lines;
    if let Some(next) = page.next {
        lines.push_str(&format!("{}\n", json!({ "next": next })));
    }
    Ok(Response::of(200, "application/jsonl", lines))
}

async fn delete(platform: &Platform<'_>, safename: &Safename) -> Result<Response, Fault> {
    let registration = registered(platform, safename).await?;
    match tenants::close(platform, &registration).await? {
        Some(end) => {
            Ok(ok(&json!({ "safename": safename, "state": State::Deleting, "delete_after": utc(end) })))
        }
        None => Err(wrong_state(registration.state)),
    }
}

async fn restore(platform: &Platform<'_>, safename: &Safename) -> Result<Response, Fault> {
    let registration = registered(platform, safename).await?;
    if tenants::reopen(platform, &registration).await? {
        Ok(ok(&json!({ "safename": safename, "state": State::Active })))
    } else {
        Err(wrong_state(registration.state))
    }
}

async fn rotate_keys(platform: &Platform<'_>) -> Result<Response, Fault> {
    let rotation = tenants::rotate_keys(platform).await?;
    Ok(ok(&json!({ "done": rotation.done, "remaining": rotation.remaining, "lost": rotation.lost })))
}

async fn add_client(
    platform: &Platform<'_>,
    name: &str,
    redirect_uris: Vec<String>,
    jwks_uri: Option<String>,
) -> Result<Response, Fault> {
    let client_id = oauth::add_client(platform, name, redirect_uris, jwks_uri).await?.map_err(|fault| {
        let hint = "Name 1 to 10 addresses as the app gives them.";
        Fault::Problem(Problem::new(400, "invalid_client_metadata", fault.sentence(), hint))
    })?;
    Ok(ok(&json!({ "client_id": client_id })))
}

async fn list_clients(platform: &Platform<'_>, after: &str) -> Result<Response, Fault> {
    let found = oauth::list_clients(platform, after).await?;
    let clients: Vec<_> = found
        .iter()
        .map(|client| {
            json!({
                "client_id": client.client_id,
                "name": client.name,
                "redirect_uris": client.redirect_uris,
                "created_at": utc(client.created_at),
            })
        })
        .collect();
    Ok(ok(&json!({ "clients": clients })))
}

async fn remove_client(platform: &Platform<'_>, client_id: &ClientId) -> Result<Response, Fault> {
    if oauth::remove_client(platform, client_id).await? {
        return Ok(ok(&json!({ "client_id": client_id, "removed": true })));
    }
    let hint = "See scripts/admin list-clients; those that registered themselves expire by themselves.";
    Err(Fault::Problem(Problem::new(
        404,
        "client_not_found",
        "There is no such client of the operator's.",
        hint,
    )))
}

async fn registered(platform: &Platform<'_>, safename: &Safename) -> Result<Registration, Fault> {
    tenants::registration(platform, safename).await?.ok_or_else(no_tenant)
}

/// A tenant that can be used.
async fn open(platform: &Platform<'_>, safename: &Safename) -> Result<Tenant, Fault> {
    let registration = registered(platform, safename).await?;
    match registration.state {
        State::Active => Ok(registration.tenant),
        other => Err(wrong_state(other)),
    }
}

fn no_tenant() -> Fault {
    Fault::Problem(Problem::new(
        404,
        "tenant_not_found",
        "There is no tenant with this safename.",
        "See scripts/admin list-tenants.",
    ))
}

fn wrong_state(state: State) -> Fault {
    let (message, hint) = match state {
        State::Creating => ("The tenant is still being made.", "Repeat create-tenant, or wait a minute."),
        State::Active => ("The tenant is active.", "There is nothing to do."),
        State::Deleting => {
            ("The tenant is being deleted.", "Within its grace, scripts/admin restore takes it back.")
        }
        State::Erasing | State::Deleted => ("The tenant is gone.", "It cannot be had back."),
    };
    Fault::Problem(Problem::new(409, "wrong_state", message, hint))
}
