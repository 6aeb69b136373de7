//! How far a call has come, told to whoever waits for it.

/// Hears how far a call has come.
pub trait Progress {
    /// Tells that `done` of `total` steps are done. False when nobody waits any more.
    fn tell(&self, done: usize, total: usize, message: &str) -> bool;
}
