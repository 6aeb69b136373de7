//! The platform's rate limits: one binding per door, which says how many visits it lets in per period.

use worker::Env;

use crate::platform::{Door, Later, LimitFault, RateLimits};

/// The bindings.
pub struct Limits(pub Env);

impl RateLimits for Limits {
    fn count<'a>(&'a self, door: Door, visitor: &'a str) -> Later<'a, Result<bool, LimitFault>> {
        Box::pin(async move {
            let limiter = self.0.rate_limiter(door.binding()).map_err(failed)?;
            limiter.limit(visitor.to_owned()).await.map(|outcome| outcome.success).map_err(failed)
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn failed(fault: worker::Error) -> LimitFault {
    LimitFault(fault.to_string())
}
