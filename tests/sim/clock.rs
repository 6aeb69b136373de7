//! A clock that only a test moves.

use std::cell::Cell;

use postern::platform::{Clock, Timestamp};

pub struct SimClock(Cell<Timestamp>);

impl SimClock {
    pub const fn new(start: Timestamp) -> Self {
        Self(Cell::new(start))
    }

    /// Moves on by so many milliseconds.
    pub fn advance_millis(&self, millis: i64) {
        self.0.set(self.0.get().plus_millis(millis));
    }

    /// Moves on by so many seconds.
    pub fn advance_seconds(&self, seconds: i64) {
        self.0.set(self.0.get().plus_seconds(seconds));
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.0.get()
    }
}
