//! A client that reads a stream of events, until it goes away.

use std::cell::{Cell, RefCell};

use postern::platform::Notices;

/// Keeps what was sent, in order.
#[derive(Default)]
pub struct SimNotices {
    sent: RefCell<Vec<String>>,
    patience: Cell<Option<usize>>,
}

impl SimNotices {
    /// Takes what was sent since it was last taken.
    pub fn take(&self) -> Vec<serde_json::Value> {
        self.sent.take().iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// Has the client go away once it has read so many messages more.
    pub fn leave_after(&self, messages: usize) {
        self.patience.set(Some(messages));
    }
}

impl Notices for SimNotices {
    fn send(&self, message: String) -> bool {
        match self.patience.get() {
            Some(0) => return false,
            patience => self.patience.set(patience.map(|left| left - 1)),
        }
        self.sent.borrow_mut().push(message);
        true
    }
}
