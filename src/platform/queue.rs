//! A queue of errands, where the deployment has one bound.

use super::Later;

/// An errand for later, or for another isolate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// What to do, in the sender's own form; at most 100 kB.
    pub body: String,
    /// How long it waits before anybody gets it, in seconds.
    pub delay_seconds: u32,
}

/// The queue did not take it, or nothing tells whether it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueFault;

/// Hands errands to whoever is free: each at least once, in any order.
pub trait Queue {
    /// Hands over at most 100 errands.
    ///
    /// # Errors
    /// When it is not certain that all were taken.
    fn send(&self, errands: Vec<Errand>) -> Later<'_, Result<(), QueueFault>>;
}
