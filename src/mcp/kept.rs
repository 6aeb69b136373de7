//! Answers that are the same for many callers: written out once, and kept for as long as the isolate lives.

use std::sync::Mutex;

use super::{catalogue::Allowed, revision::Revision};

/// Beyond so many, about a megabyte, it begins anew: callers differ by their capabilities, which are few in practice.
const MOST: usize = 32;

/// What was asked, with all that its answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Discover(Revision),
    ListTools(Revision, Allowed),
}

/// The answers so far.
#[derive(Default)]
pub(super) struct Kept(Mutex<Vec<(Question, String)>>);

impl Kept {
    /// The answer to a question: the one that was kept, or else what `write` gives.
    pub(super) fn text(&self, question: Question, write: impl FnOnce() -> String) -> String {
        if let Some(text) = self.find(question) {
            return text;
        }
        let text = write();
        if let Ok(mut kept) = self.0.lock() {
            if kept.len() >= MOST {
                kept.clear();
            }
            kept.push((question, text.clone()));
        }
        text
    }

    fn find(&self, question: Question) -> Option<String> {
        let kept = self.0.lock().ok()?;
        kept.iter().find(|(other, _)| *other == question).map(|(_, text)| text.clone())
    }
}
