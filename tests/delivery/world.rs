//! A company with two profiles on simulated networks, and the hands that posts would lay on its deliveries.

use postern::{
    delivery::{Budget, DeliveryState, Release, TickReport, release, tick},
    desk::{DeliveryId, PostId, ProfileId},
    networks::Network,
    platform::{Clock, Timestamp},
};
use rusqlite::params;

use super::network::{SimTrade, content};
use crate::sim::{Sim, run, world::Company};

const HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The states in which a tick may still look at a delivery.
pub const OPEN: &str =
    "('waiting', 'retrying', 'paused', 'claimed', 'preparing', 'armed', 'sent', 'unknown')";

pub struct World {
    pub sim: Sim,
    pub trade: SimTrade,
    pub company: Company,
    pub wall: ProfileId,
    pub bluesky: ProfileId,
}

/// A delivery as the database has it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub delivery: DeliveryId,
    pub post: PostId,
    pub profile: ProfileId,
    pub network: Network,
    pub state: DeliveryState,
    pub reason: Option<String>,
    pub text: Option<String>,
    /// The network's words.
    pub said: Option<String>,
    pub next_at: Option<i64>,
    pub url: Option<String>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let sim = Sim::new(seed);
        let company = Company::found(&sim, "acme");
        let trade = SimTrade::new(seed, &sim.clock, &sim.faults);
        let now = sim.clock.now();
        let bluesky = ProfileId::new(now, &sim.entropy);
        sim.shard().execute(
            "INSERT INTO profile (tenant_id, profile_id, workspace_id, network, handle, name, remote_id, server, state, created_at, updated_at)
             VALUES (?1, ?2, ?3, 'bluesky', 'acme.example', 'Acme', 'did:plc:acme', 'https://pds.example', 'healthy', ?4, ?4)",
            params![
                company.tenant.id.as_str(),
                bluesky.as_str(),
                company.workspace.as_str(),
                now.as_millis()
            ],
        );
        let wall = company.wall.clone();
        Self { sim, trade, company, wall, bluesky }
    }

    pub fn now(&self) -> Timestamp {
        self.sim.clock.now()
    }

    /// A post of so many parts on these profiles, due at `due`.
    pub fn schedule(&self, profiles: &[&ProfileId], parts: usize, due: Timestamp) -> PostId {
        let post = PostId::new(self.now(), &self.sim.entropy);
        self.sim.shard().execute(
            "INSERT INTO post_group (tenant_id, post_id, workspace_id, content, content_hash, due_at, user_id, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
            params![
                self.company.tenant.id.as_str(),
                post.as_str(),
                self.company.workspace.as_str(),
                content(&lines(&post, parts, "first")),
                HASH,
                due.as_millis(),
                self.company.owner.as_str(),
                self.now().as_millis()
            ],
        );
        for profile in profiles {
            self.want(&post, profile, due);
        }
        post
    }

    fn want(&self, post: &PostId, profile: &ProfileId, due: Timestamp) {
        self.sim.shard().execute(
            "INSERT INTO delivery (tenant_id, delivery_id, post_id, profile_id, workspace_id, network, state, due_at, next_at, created_at, updated_at)
             SELECT tenant_id, ?2, ?3, profile_id, workspace_id, network, 'waiting', ?5, ?5, ?6, ?6 FROM profile
             WHERE tenant_id = ?1 AND profile_id = ?4",
            params![
                self.company.tenant.id.as_str(),
                DeliveryId::new(self.now(), &self.sim.entropy).as_str(),
                post.as_str(),
                profile.as_str(),
                due.as_millis(),
                self.now().as_millis()
            ],
        );
    }

    /// Changes a post's words, unless something of it is being sent. Whether it did.
    pub fn edit(&self, post: &PostId, parts: usize, words: &str) -> bool {
        let changed = self.sim.shard().execute(
            "UPDATE post_group SET content = ?3, revision = revision + 1 WHERE tenant_id = ?1 AND post_id = ?2
             AND NOT EXISTS (SELECT 1 FROM delivery d JOIN delivery_state s ON s.state = d.state
               WHERE d.tenant_id = ?1 AND d.post_id = ?2 AND s.phase = 'busy')",
            params![
                self.company.tenant.id.as_str(),
                post.as_str(),
                content(&lines(post, parts, words))
            ],
        );
        changed == 1
    }

    /// Calls off what is not being sent.
    pub fn unschedule(&self, post: &PostId) {
        self.sim.shard().execute(
            "UPDATE delivery SET state = 'cancelled', next_at = NULL WHERE tenant_id = ?1 AND post_id = ?2
             AND state IN ('waiting', 'retrying', 'missed', 'paused')",
            params![self.company.tenant.id.as_str(), post.as_str()],
        );
    }

    /// Gives what is not being sent another time.
    pub fn reschedule(&self, post: &PostId, due: Timestamp) {
        self.sim.shard().execute(
            "UPDATE delivery SET state = 'waiting', due_at = ?3, next_at = ?3, reason = NULL, reason_code = NULL, reason_text = NULL
             WHERE tenant_id = ?1 AND post_id = ?2 AND state IN ('waiting', 'retrying', 'missed', 'cancelled', 'paused')",
            params![self.company.tenant.id.as_str(), post.as_str(), due.as_millis()],
        );
    }

    /// A person connects the accounts again.
    pub fn reconnect(&self) {
        self.sim.shard().execute("UPDATE profile SET state = 'healthy', state_why = NULL", []);
    }

    pub fn tick(&self) -> TickReport {
        run(tick(&self.sim.platform(), &self.trade, 0, Budget::default()))
    }

    pub fn release(&self) -> Release {
        run(release(&self.sim.platform(), 0)).unwrap()
    }

    /// Every delivery, the oldest first.
    pub fn deliveries(&self) -> Vec<Seen> {
        let rows = self.sim.shard().query(
            "SELECT delivery_id, post_id, profile_id, network, state, reason, reason_text, provider_words, next_at, url FROM delivery ORDER BY delivery_id",
            [],
        );
        rows.iter()
            .map(|row| Seen {
                delivery: row.get("delivery_id").unwrap(),
                post: row.get("post_id").unwrap(),
                profile: row.get("profile_id").unwrap(),
                network: row.get("network").unwrap(),
                state: row.get("state").unwrap(),
                reason: row.get("reason").unwrap(),
                text: row.get("reason_text").unwrap(),
                said: row.get("provider_words").unwrap(),
                next_at: row.get("next_at").unwrap(),
                url: row.get("url").unwrap(),
            })
            .collect()
    }

    /// The only delivery there is.
    pub fn only(&self) -> Seen {
        let mut all = self.deliveries();
        assert_eq!(all.len(), 1);
        all.pop().unwrap()
    }
}

fn lines(post: &PostId, parts: usize, words: &str) -> Vec<String> {
    (0..parts).map(|_| format!("{post} {words}")).collect()
}
