//! What keeps accounts safe: posts that are not too close to each other.

use crate::{desk::sort_by, platform::Timestamp};

/// The first time from `start` on that is at least `gap` seconds from every one of `taken`.
pub fn spaced(start: Timestamp, gap: i64, taken: &[Timestamp]) -> Timestamp {
    let mut taken = taken.to_vec();
    sort_by(&mut taken, Ord::cmp);
    let gap = gap.saturating_mul(1000);
    taken.into_iter().fold(start, |at, other| {
        let apart = other.millis_since(at);
        if apart.abs() < gap { other.plus_millis(gap) } else { at }
    })
}
