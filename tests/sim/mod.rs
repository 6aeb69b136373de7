//! The simulated platform: every port, owned by a [`Sim`], deterministic in its seed.
//!
//! The databases are SQLite with what D1 refuses refused; the clock moves only when a test (or a slow call) moves it;
//! the web is whatever [`Peer`] a test plugs in; and [`Faults`] decides which calls fail, and how. Every port call
//! waits at least once before and once after its effect, so that [`run_until_crash`] and [`interleave`] meet every
//! state a real isolate can be left in.

mod blobs;
pub mod browser;
mod clock;
mod database;
mod entropy;
mod events;
mod executor;
mod faults;
mod key_value;
mod limits;
mod mail;
mod notices;
mod queue;
mod seeds;
mod signatures;
mod web;
pub mod world;

use std::rc::Rc;

use postern::platform::{Config, Database, Memory, Platform, Timestamp};

pub use blobs::SimBlobs;
pub use clock::SimClock;
pub use database::{SimDatabase, Snapshot, Work};
pub use entropy::{Random, SimEntropy};
pub use events::SimEvents;
pub use executor::{interleave, interleave_until_crash, run, run_until_crash, yield_now};
pub use faults::{Call, Fault, Faults, Odds, Port};
pub use key_value::SimKeyValue;
pub use limits::SimLimits;
pub use mail::SimMail;
pub use notices::SimNotices;
pub use queue::SimQueue;
pub use seeds::for_each_seed;
pub use web::{Incoming, Peer, Reply, SimWeb};

/// Friday 20 November 2026, 09:00 UTC: when every simulation begins.
pub const BEGIN: Timestamp = Timestamp::from_millis(1_795_165_200_000);

/// A world of its own.
pub struct Sim {
    pub clock: Rc<SimClock>,
    pub faults: Rc<Faults>,
    pub entropy: SimEntropy,
    pub directory: SimDatabase,
    pub shards: Vec<SimDatabase>,
    pub key_value: SimKeyValue,
    pub limits: SimLimits,
    pub memory: Memory,
    pub blobs: Rc<SimBlobs>,
    pub web: SimWeb,
    pub mail: SimMail,
    pub notices: SimNotices,
    /// Bound only where a test says so.
    pub queue: SimQueue,
    pub events: SimEvents,
    pub config: Config,
}

impl Sim {
    /// A world with a directory and one shard, migrated and empty.
    pub fn new(seed: u64) -> Self {
        Self::with_shards(seed, 1)
    }

    /// A world with `shards` shards.
    pub fn with_shards(seed: u64, shards: usize) -> Self {
        let clock = Rc::new(SimClock::new(BEGIN));
        let faults = Rc::new(Faults::new(seed, Rc::clone(&clock)));
        let blobs = Rc::new(SimBlobs::new(Rc::clone(&faults)));
        Self {
            entropy: SimEntropy::new(seed),
            directory: SimDatabase::directory(Rc::clone(&faults)),
            shards: (0..shards).map(|_| SimDatabase::shard(Rc::clone(&faults))).collect(),
            key_value: SimKeyValue::new(Rc::clone(&faults), Rc::clone(&clock)),
            limits: SimLimits::new(Rc::clone(&faults), Rc::clone(&clock)),
            memory: Memory::default(),
            web: SimWeb::new(Rc::clone(&faults), Rc::clone(&clock), Rc::clone(&blobs)),
            blobs,
            mail: SimMail::default(),
            notices: SimNotices::default(),
            queue: SimQueue::new(Rc::clone(&clock)),
            events: SimEvents::default(),
            config: local_config(),
            clock,
            faults,
        }
    }

    /// The platform as the code above `edge` sees it.
    pub fn platform(&self) -> Platform<'_> {
        let shards: Vec<&dyn Database> = self.shards.iter().map(|shard| shard as &dyn Database).collect();
        Platform {
            directory: &self.directory,
            // A platform borrows its list of shards, which nothing here can own beside them; a few bytes are let go.
            shards: Vec::leak(shards),
            key_value: &self.key_value,
            memory: &self.memory,
            http: &self.web,
            signatures: &signatures::SimSignatures,
            blobs: &*self.blobs,
            clock: &*self.clock,
            entropy: &self.entropy,
            mail: &self.mail,
            notices: &self.notices,
            queue: self.queue.is_bound.get().then_some(&self.queue as &dyn postern::platform::Queue),
            limits: &self.limits,
            events: &self.events,
            config: &self.config,
        }
    }

    /// The only shard of a world that has one.
    pub fn shard(&self) -> &SimDatabase {
        &self.shards[0]
    }
}

/// The settings of a worker on loopback, with a fixed key.
pub fn local_config() -> Config {
    config_from(&local_settings()).unwrap_or_else(|_| panic!("the settings of the tests are good"))
}

/// The settings behind [`local_config`], to change one and read them again.
pub fn local_settings() -> Vec<(&'static str, String)> {
    vec![
        ("PUBLIC_ORIGIN", "http://localhost:8790".to_owned()),
        ("CONTENT_ORIGIN", "http://127.0.0.1:8790".to_owned()),
        (
            "POSTERN_KEYS",
            r#"{"current":"t1","keys":{"t1":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}}"#.to_owned(),
        ),
    ]
}

/// Reads a configuration from these settings.
pub fn config_from(
    settings: &[(&'static str, String)],
) -> Result<Config, Vec<postern::platform::ConfigProblem>> {
    Config::read(|name| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone()))
}

/// [`local_config`] with a second root key, t2; `current` is in use and `retired` are not accepted.
pub fn config_with_keys(current: &str, retired: &[&str]) -> Config {
    let keys = serde_json::json!({
        "current": current,
        "keys": {
            "t1": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
            "t2": "IAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        },
        "retired": retired,
    });
    let mut settings = local_settings();
    settings.retain(|(name, _)| *name != "POSTERN_KEYS");
    settings.push(("POSTERN_KEYS", keys.to_string()));
    config_from(&settings).unwrap_or_else(|_| panic!("these keys are good"))
}
