//! What every implementation of a port must do: one suite per port, run natively over the simulated platform and, in a
//! build with the feature `contract`, inside the real runtime.

mod blobs;
mod database;
mod key_value;
mod senses;
mod signatures;

use super::{Home, Platform, Sql};

/// What came of one promise of a port.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// The port's name.
    pub port: &'static str,
    /// The promise, in words.
    pub promise: String,
    /// What went otherwise; nothing when it was kept.
    pub broken: Option<String>,
}

/// Runs every suite over `platform`, and prepares every one of `statements` on its database. Leaves nothing behind.
pub async fn run(platform: &Platform<'_>, statements: impl Iterator<Item = Sql>) -> Vec<Check> {
    let statements: Vec<Sql> = statements.collect();
    let mut checks = Vec::new();
    checks.extend(database::suite(platform.directory, Home::Directory, "DIRECTORY", &statements).await);
    for shard in platform.shards {
        checks.extend(database::suite(*shard, Home::Shard, "SHARD", &statements).await);
    }
    checks.extend(key_value::suite(platform.key_value).await);
    checks.extend(blobs::suite(platform.blobs).await);
    checks.extend(signatures::suite(platform.signatures).await);
    checks.extend(senses::suite(platform.clock, platform.entropy));
    checks
}

/// Collects checks of one port.
struct Suite {
    port: &'static str,
    checks: Vec<Check>,
}

impl Suite {
    const fn new(port: &'static str) -> Self {
        Self { port, checks: Vec::new() }
    }

    fn check(&mut self, promise: impl Into<String>, outcome: Result<(), String>) {
        self.checks.push(Check { port: self.port, promise: promise.into(), broken: outcome.err() });
    }
}

/// Kept when both are equal; else tells both.
fn same<T: PartialEq + std::fmt::Debug>(given: &T, wanted: &T) -> Result<(), String> {
    if given == wanted { Ok(()) } else { Err(format!("gave {given:?}, not {wanted:?}")) }
}
