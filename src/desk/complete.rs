//! What may be filled in: the sources of completion, and what of them fits what was typed.

use super::{Arguments, Caller, Refusal, TimeZoneName};
use crate::platform::Later;

/// Gives every value that there may be, the likeliest first; the other arguments are those that were filled in before.
pub type Complete = for<'a> fn(&'a Caller<'a>, Arguments) -> Later<'a, Result<Vec<String>, Refusal>>;

/// Completes a workspace: the names of those in sight.
pub const WORKSPACES: Complete = |caller, _| {
    Box::pin(async move {
        Ok(caller.facts().await?.workspaces.into_iter().map(|workspace| workspace.name).collect())
    })
};

/// Completes a time zone: those of the workspaces, then every other by name.
pub const TIME_ZONES: Complete = |caller, _| {
    Box::pin(async move {
        let mut zones: Vec<String> = Vec::new();
        let own = caller.facts().await?.workspaces.into_iter().map(|workspace| workspace.time_zone);
        for zone in own.chain(TimeZoneName::every()) {
            if !zones.contains(&zone) {
                zones.push(zone);
            }
        }
        Ok(zones)
    })
};

/// Those of `values` that begin with what was typed, in any case, then those that hold it elsewhere.
pub fn fitting(values: Vec<String>, typed: &str) -> Vec<String> {
    let typed = typed.to_lowercase();
    let (begins, others): (Vec<_>, Vec<_>) =
        values.into_iter().partition(|value| value.to_lowercase().starts_with(&typed));
    begins
        .into_iter()
        .chain(others.into_iter().filter(|value| value.to_lowercase().contains(&typed)))
        .collect()
}
