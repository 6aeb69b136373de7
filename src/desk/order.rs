//! Putting lists in order.

use std::cmp::Ordering;

/// Sorts a list, equal ones staying as they stood, by binary insertion. For the short lists of a page or a call: the
/// standard sorts are faster from some hundreds of items on, and weigh kilobytes for each type that is sorted.
pub fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    for end in 1..items.len() {
        let Some((last, sorted)) = items.get(..=end).and_then(<[T]>::split_last) else { return };
        let at = sorted.partition_point(|one| compare(one, last).is_le());
        if let Some(tail) = items.get_mut(at..=end) {
            tail.rotate_right(1);
        }
    }
}
