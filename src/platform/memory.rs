//! What one isolate remembers between requests: bounded copies that may lag by seconds.

use std::{cell::RefCell, collections::HashMap};

use super::Timestamp;

/// Text by key, each until a time. It lives as long as its isolate, or as one simulated deployment.
#[derive(Default)]
pub struct Memory {
    copies: RefCell<HashMap<String, Kept>>,
}

struct Kept {
    text: String,
    until: Timestamp,
}

impl Memory {
    /// Most copies kept at once.
    const MOST: usize = 1024;

    /// What was kept under `key`, unless its time is over.
    pub fn recall(&self, key: &str, now: Timestamp) -> Option<String> {
        let copies = self.copies.borrow();
        copies.get(key).filter(|kept| kept.until > now).map(|kept| kept.text.clone())
    }

    /// Keeps `text` under `key` for `seconds`. A full memory first drops what is over, then everything.
    pub fn keep(&self, key: String, text: String, now: Timestamp, seconds: i64) {
        let mut copies = self.copies.borrow_mut();
        if copies.len() >= Self::MOST {
            copies.retain(|_, kept| kept.until > now);
        }
        if copies.len() >= Self::MOST {
            copies.clear();
        }
        copies.insert(key, Kept { text, until: now.plus_seconds(seconds) });
    }

    /// Drops what was kept under `key`.
    pub fn forget(&self, key: &str) {
        self.copies.borrow_mut().remove(key);
    }
}
