//! The ports: everything Postern asks of the world it runs in, and [`Platform`], which bundles them.
//!
//! Ports are object-safe and their futures are not `Send`, so that one set of code above `edge` runs on workerd
//! and on the simulated platform of the tests.

mod blobs;
mod clock;
mod config;
#[cfg(any(feature = "contract", not(target_arch = "wasm32")))]
pub mod contract;
mod database;
mod entropy;
mod events;
mod http_client;
mod key_value;
mod keys;
mod limits;
mod mail;
mod memory;
mod notices;
mod queue;
mod signatures;

use std::{future::Future, pin::Pin};

pub use blobs::{BlobFault, BlobInfo, Blobs, ByteRange};
pub use clock::{Clock, Timestamp};
pub use config::{ApiKey, Config, ConfigProblem, MailSender, MailSettings};
pub use database::{
    Database, DatabaseFault, FromRow, FromValue, Home, Row, RowFault, Rows, Sql, Statement, Value, first,
    only,
};
pub use entropy::{Entropy, random_array};
pub use events::{Event, Events};
pub use http_client::{Body, HttpClient, HttpFault, Method, OutgoingRequest, ReceivedResponse, ResponseSink};
pub use key_value::{KeyValue, KvFault};
pub use keys::{Keyring, Purpose, SealFault, Sealed, SecretKey, TenantKey};
pub use limits::{Door, LimitFault, RETRY_AFTER_SECONDS, RateLimits, TurnedAway};
pub use mail::{Letter, Mail};
pub use memory::Memory;
pub use notices::Notices;
pub use queue::{Errand, Queue, QueueFault};
pub use signatures::{PublicKey, Signatures};

pub(crate) use database::statements;
use http_client::Nobody;

/// A port's answer in the making. Not `Send`: a worker's isolate has one thread.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Everything outside Postern, as the code above `edge` sees it.
#[derive(Clone, Copy)]
pub struct Platform<'a> {
    /// The directory database: tenants, people, sessions, OAuth clients.
    pub directory: &'a dyn Database,
    /// The shard databases, by number.
    pub shards: &'a [&'a dyn Database],
    /// Read path for what may lag by seconds. Never an authority.
    pub key_value: &'a dyn KeyValue,
    /// This isolate's copies of what may lag by seconds.
    pub memory: &'a Memory,
    /// The web. Use it through `http::guard` only.
    pub http: &'a dyn HttpClient,
    /// Checks what others signed.
    pub signatures: &'a dyn Signatures,
    /// Media and other large bytes.
    pub blobs: &'a dyn Blobs,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Randomness for ids, nonces and secrets.
    pub entropy: &'a dyn Entropy,
    /// Mail to people. Only where [`Config::mail`] is set does anybody send it.
    pub mail: &'a dyn Mail,
    /// What the client of this request reads before its answer.
    pub notices: &'a dyn Notices,
    /// Errands for other isolates, where a queue is bound.
    pub queue: Option<&'a dyn Queue>,
    /// How often doors may be knocked at.
    pub limits: &'a dyn RateLimits,
    /// What operators see.
    pub events: &'a dyn Events,
    /// The deployment's settings and keys.
    pub config: &'a Config,
}

impl<'a> Platform<'a> {
    /// The present time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The same, where every request to other servers fails unsent and no database is reached but those in hand.
    #[must_use]
    pub const fn reaching_nobody(self) -> Self {
        Self { http: &Nobody, shards: &[], ..self }
    }

    /// Counts a visit to a door.
    ///
    /// # Errors
    /// When the visitor comes too often, or cannot be counted where that matters.
    pub async fn admit(&self, door: Door, visitor: &str) -> Result<(), TurnedAway> {
        match self.limits.count(door, visitor).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(TurnedAway::TooOften),
            Err(LimitFault(_)) => {
                self.tell_uncounted(door);
                if door.opens_uncounted() { Ok(()) } else { Err(TurnedAway::Uncounted) }
            }
        }
    }

    /// Tells the operator that a door's visitors are not counted, at most once a minute in each isolate: every request
    /// would say it again.
    fn tell_uncounted(&self, door: Door) {
        let key = format!("not_counted/{}", door.binding());
        if self.memory.recall(&key, self.now()).is_none() {
            self.memory.keep(key, String::new(), self.now(), 60);
            self.events.emit(Event::Fault { place: door.binding(), kind: "not_counted" });
        }
    }

    /// The shard with this number, if this deployment has it bound.
    pub fn shard(&self, number: i64) -> Option<&'a dyn Database> {
        usize::try_from(number).ok().and_then(|index| self.shards.get(index)).copied()
    }
}
