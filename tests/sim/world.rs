//! Companies to act for: rows put in place by SQL, as sign-up, consent and connecting would leave them.

use postern::{
    desk::{
        AppId, Authority, Caller, ClientId, GrantId, MediaId, ProfileId, Role, Safename, Scopes, Tenant,
        TenantId, UserId, WorkspaceId, sha256_text,
    },
    platform::{Clock, Timestamp},
};
use rusqlite::params;

use super::{Sim, SimDatabase};

/// A tenant with an owner, a workspace, a Wall profile and a grant that allows everything in it.
#[derive(Clone, Debug)]
pub struct Company {
    pub tenant: Tenant,
    pub owner: UserId,
    /// The first workspace, "Main" in Europe/Stockholm.
    pub workspace: WorkspaceId,
    /// The Wall profile of the first workspace; its handle is the safename.
    pub wall: ProfileId,
    pub grant: Grant,
}

/// A grant to a client.
#[derive(Clone, Debug)]
pub struct Grant {
    pub id: GrantId,
    pub user: UserId,
    pub client_id: ClientId,
}

impl Company {
    /// Founds a company on the first shard.
    pub fn found(sim: &Sim, safename: &str) -> Self {
        Self::found_on(sim, safename, 0)
    }

    /// Founds a company on a shard.
    pub fn found_on(sim: &Sim, safename: &str, shard: i64) -> Self {
        let now = sim.clock.now();
        let id = TenantId::new(now, &sim.entropy);
        let tenant = Tenant { id, safename: safename.parse::<Safename>().unwrap(), shard };
        insert_tenant(sim, &tenant, now);
        let owner = add_person(sim, &tenant, &format!("owner@{safename}.example"), Role::Owner);
        let workspace = add_workspace(sim, &tenant, "Main", "Europe/Stockholm");
        let wall = add_wall(sim, &tenant, &workspace, safename);
        let grant = add_grant(sim, &tenant, &owner, Scopes::EVERY, &[&workspace]);
        Self { tenant, owner, workspace, wall, grant }
    }

    /// The owner's assistant, through the grant.
    pub fn caller<'a>(&self, sim: &'a Sim) -> Caller<'a> {
        self.caller_by(sim, &self.grant)
    }

    /// An assistant, through this grant.
    pub fn caller_by<'a>(&self, sim: &'a Sim, grant: &Grant) -> Caller<'a> {
        let authority = Authority::Grant {
            grant_id: grant.id.clone(),
            generation: 1,
            user_id: grant.user.clone(),
            client_id: grant.client_id.to_string(),
            scopes: Scopes::EVERY,
        };
        Caller::new(sim.platform(), self.tenant.clone(), authority).unwrap()
    }

    /// A signed-in member, on a page.
    pub fn member<'a>(&self, sim: &'a Sim, user: &UserId) -> Caller<'a> {
        Caller::new(sim.platform(), self.tenant.clone(), Authority::Member { user_id: user.clone() }).unwrap()
    }

    /// Another member with this role.
    pub fn add_member(&self, sim: &Sim, name: &str, role: Role) -> UserId {
        add_person(sim, &self.tenant, &format!("{name}@{}.example", self.tenant.safename), role)
    }

    /// Another workspace, not ticked in any grant.
    pub fn add_workspace(&self, sim: &Sim, name: &str, time_zone: &str) -> WorkspaceId {
        add_workspace(sim, &self.tenant, name, time_zone)
    }

    /// Another Wall profile.
    pub fn add_wall(&self, sim: &Sim, workspace: &WorkspaceId, handle: &str) -> ProfileId {
        add_wall(sim, &self.tenant, workspace, handle)
    }

    /// A picture in the library, without bytes behind it.
    pub fn add_media(&self, sim: &Sim, workspace: &WorkspaceId) -> MediaId {
        let now = sim.clock.now();
        let id = MediaId::new(now, &sim.entropy);
        let hash = sha256_text(id.as_str().as_bytes());
        shard(sim, &self.tenant).execute(
            "INSERT INTO media (tenant_id, media_id, workspace_id, hash, content_type, bytes, width, height, created_at)
             VALUES (?1, ?2, ?3, ?4, 'image/png', 100, 10, 10, ?5)",
            params![self.tenant.id.as_str(), id.as_str(), workspace.as_str(), hash, now.as_millis()],
        );
        id
    }

    /// Another grant, with a client of its own.
    pub fn add_grant(&self, sim: &Sim, user: &UserId, scopes: Scopes, workspaces: &[&WorkspaceId]) -> Grant {
        add_grant(sim, &self.tenant, user, scopes, workspaces)
    }
}

fn shard<'a>(sim: &'a Sim, tenant: &Tenant) -> &'a SimDatabase {
    &sim.shards[usize::try_from(tenant.shard).unwrap()]
}

fn insert_tenant(sim: &Sim, tenant: &Tenant, now: Timestamp) {
    let id = tenant.id.as_str();
    let safename = tenant.safename.as_str();
    let wrapped = sim.config.keys.new_tenant_key(id, &sim.entropy).unwrap_or_else(|_| panic!("a key"));
    sim.directory.execute("INSERT OR IGNORE INTO shard (shard) VALUES (?1)", [tenant.shard]);
    sim.directory.execute(
        "INSERT INTO tenant (tenant_id, safename, shard, state, created_at) VALUES (?1, ?2, ?3, 'active', ?4)",
        params![id, safename, tenant.shard, now.as_millis()],
    );
    shard(sim, tenant).execute(
        "INSERT INTO tenant (tenant_id, safename, name, wrapped_key, created_at) VALUES (?1, ?2, ?2, ?3, ?4)",
        params![id, safename, wrapped.as_str(), now.as_millis()],
    );
}

fn add_person(sim: &Sim, tenant: &Tenant, email: &str, role: Role) -> UserId {
    let now = sim.clock.now();
    let user = UserId::new(now, &sim.entropy);
    let name = email.split('@').next().unwrap();
    sim.directory.execute(
        "INSERT INTO person (user_id, email, name, created_at, proved_at) VALUES (?1, ?2, ?3, ?4, ?4)",
        params![user.as_str(), email, name, now.as_millis()],
    );
    sim.directory.execute(
        "INSERT INTO person_tenant (user_id, tenant_id) VALUES (?1, ?2)",
        params![user.as_str(), tenant.id.as_str()],
    );
    shard(sim, tenant).execute(
        "INSERT INTO membership (tenant_id, user_id, role, name, email, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![tenant.id.as_str(), user.as_str(), role.as_str(), name, email, now.as_millis()],
    );
    user
}

fn add_workspace(sim: &Sim, tenant: &Tenant, name: &str, time_zone: &str) -> WorkspaceId {
    let now = sim.clock.now();
    let id = WorkspaceId::new(now, &sim.entropy);
    shard(sim, tenant).execute(
        "INSERT INTO workspace (tenant_id, workspace_id, name, time_zone, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![tenant.id.as_str(), id.as_str(), name, time_zone, now.as_millis()],
    );
    id
}

fn add_wall(sim: &Sim, tenant: &Tenant, workspace: &WorkspaceId, handle: &str) -> ProfileId {
    let now = sim.clock.now();
    let id = ProfileId::new(now, &sim.entropy);
    shard(sim, tenant).execute(
        "INSERT INTO profile (tenant_id, profile_id, workspace_id, network, handle, name, remote_id, state, created_at, updated_at)
         VALUES (?1, ?2, ?3, 'wall', ?4, ?4, ?4, 'healthy', ?5, ?5)",
        params![tenant.id.as_str(), id.as_str(), workspace.as_str(), handle, now.as_millis()],
    );
    id
}

fn add_grant(
    sim: &Sim,
    tenant: &Tenant,
    user: &UserId,
    scopes: Scopes,
    workspaces: &[&WorkspaceId],
) -> Grant {
    let now = sim.clock.now();
    let app = AppId::new(now, &sim.entropy);
    let client_id = ClientId::new(now, &sim.entropy);
    let id = GrantId::new(now, &sim.entropy);
    let shard = shard(sim, tenant);
    shard.execute(
        "INSERT INTO app_entry (tenant_id, app_id, user_id, client_id, client_name, created_at)
         VALUES (?1, ?2, ?3, ?4, 'An assistant', ?5)",
        params![tenant.id.as_str(), app.as_str(), user.as_str(), client_id.as_str(), now.as_millis()],
    );
    shard.execute(
        "INSERT INTO oauth_grant (tenant_id, grant_id, app_id, user_id, client_id, capabilities, offline, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8)",
        params![
            tenant.id.as_str(),
            id.as_str(),
            app.as_str(),
            user.as_str(),
            client_id.as_str(),
            scopes.bits(),
            now.as_millis(),
            now.plus_seconds(90 * 86_400).as_millis()
        ],
    );
    for workspace in workspaces {
        shard.execute(
            "INSERT INTO grant_workspace (tenant_id, grant_id, workspace_id) VALUES (?1, ?2, ?3)",
            params![tenant.id.as_str(), id.as_str(), workspace.as_str()],
        );
    }
    Grant { id, user: user.clone(), client_id }
}
