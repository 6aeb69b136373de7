//! Clock and entropy.

use super::{Check, Suite};
use crate::platform::{Clock, Entropy, Timestamp, random_array};

/// 2026-01-01T00:00:00Z: before any clock that this runs under.
const PAST: Timestamp = Timestamp::from_millis(1_767_225_600_000);

pub(super) fn suite(clock: &dyn Clock, entropy: &dyn Entropy) -> Vec<Check> {
    let mut suite = Suite::new("Clock");
    let first = clock.now();
    suite.check("tells a time of our days", if first > PAST { Ok(()) } else { Err(format!("{first:?}")) });
    suite.check(
        "does not run backwards",
        if clock.now() >= first { Ok(()) } else { Err("it did".to_owned()) },
    );
    let mut checks = suite.checks;

    let mut suite = Suite::new("Entropy");
    let (one, other): ([u8; 32], [u8; 32]) = (random_array(entropy), random_array(entropy));
    let fresh = one != other && one != [0; 32] && other != [0; 32];
    suite.check("never gives the same bytes twice", if fresh { Ok(()) } else { Err("it did".to_owned()) });
    checks.extend(suite.checks);
    checks
}
