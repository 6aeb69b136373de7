//! Recent sign-ins: what adds a way in, or gives more power, asks for one.

use super::{Code, Problem, Refusal};
use crate::platform::Timestamp;

/// A sign-in is recent for less than 5 minutes.
const RECENT_SECONDS: i64 = 300;

/// Proof that the person signed in less than 5 minutes ago. A function that takes it cannot be reached without.
#[derive(Clone, Copy, Debug)]
pub struct RecentSignIn(());

impl RecentSignIn {
    /// The proof, if a sign-in at that time is recent now.
    pub const fn of(signed_in_at: Timestamp, now: Timestamp) -> Option<Self> {
        let age = now.millis_since(signed_in_at);
        if 0 <= age && age < RECENT_SECONDS * 1000 { Some(Self(())) } else { None }
    }

    /// The refusal of what would have needed one.
    pub fn missing() -> Refusal {
        Problem::new(Code::SignInAgain, "", "Sign in again and repeat it within five minutes.").into()
    }
}
