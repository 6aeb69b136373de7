//! Rate limits, as far as they can be tried without waiting for a period to end.

use super::{Check, Suite, same};
use crate::platform::{Door, RateLimits};

pub(super) async fn suite(limits: &dyn RateLimits) -> Vec<Check> {
    let mut suite = Suite::new("RateLimits");
    for door in Door::ALL {
        let admitted = limits.count(door, "contract/visitor").await;
        suite.check(format!("lets a first visitor in at {}", door.binding()), same(&admitted, &Ok(true)));
    }
    suite.checks
}
