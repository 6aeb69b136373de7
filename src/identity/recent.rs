//! Acts that a session left open must not allow: they need a fresh sign-in.

use super::Session;
use crate::{
    http::{Notice, Response},
    platform::Timestamp,
};

/// A sign-in is fresh for 5 minutes.
const FRESH_SECONDS: i64 = 300;

impl Session {
    /// Whether the person signed in less than 5 minutes ago.
    pub const fn is_fresh(&self, now: Timestamp) -> bool {
        now.millis_since(self.signed_in_at) < FRESH_SECONDS * 1000
    }

    /// Lets the act go on after a fresh sign-in.
    ///
    /// # Errors
    /// The page that says what to do otherwise, 403.
    pub fn must_be_fresh(&self, now: Timestamp) -> Result<(), Response> {
        if self.is_fresh(now) {
            return Ok(());
        }
        Err(Notice {
            heading: "Sign in again first",
            words: "This needs a sign-in that is less than five minutes old. Sign out, sign in, and repeat what you did. Nothing was changed.",
        }
        .response(403))
    }
}
