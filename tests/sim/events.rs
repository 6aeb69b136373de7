//! Events, kept as the lines an operator would see.

use std::cell::RefCell;

use postern::platform::{Event, Events};

#[derive(Default)]
pub struct SimEvents(RefCell<Vec<serde_json::Value>>);

impl SimEvents {
    /// Every event so far.
    pub fn all(&self) -> Vec<serde_json::Value> {
        self.0.borrow().clone()
    }
}

impl Events for SimEvents {
    fn emit(&self, event: Event) {
        self.0.borrow_mut().push(serde_json::to_value(event).unwrap());
    }
}
