//! JSON answers of the endpoints that programs call.

use serde::Serialize;

use crate::{http::Response, platform::TurnedAway};

/// An error body: RFC 6749 section 5.2, which RFC 7009 section 2.2.1 and RFC 7591 section 3.2.2 share.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// A JSON answer that no cache keeps and scripts of any origin may read.
pub(super) fn json(status: u16, body: &impl Serialize) -> Response {
    Response::json(status, body).no_store().cors()
}

/// An error with its status, its registered code and a sentence for the developer who reads it.
pub(super) fn error(status: u16, code: &str, description: &str) -> Response {
    json(status, &ErrorBody { error: code, error_description: description })
}

/// The databases did not do their part. Clients take a code of RFC 6749 for a reason to wait, not to sign in again.
pub(super) fn unavailable() -> Response {
    error(503, "temporarily_unavailable", "Nothing could be looked up right now. Try again.")
        .with_header("retry-after", "5")
}

/// The answer of a door to whoever is not let in. Like [`unavailable`], it is a reason to wait.
pub fn turned_away(why: TurnedAway) -> Response {
    match why {
        TurnedAway::TooOften => {
            error(429, "temporarily_unavailable", "Too many requests in a short time; wait a minute.")
        }
        TurnedAway::Uncounted => {
            error(503, "temporarily_unavailable", "Requests cannot be counted right now; wait a minute.")
        }
    }
}
