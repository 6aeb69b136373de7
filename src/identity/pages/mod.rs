//! The pages of signing in and of a person's account.

mod account;
mod sign_in;

use super::{NextPage, webauthn::relying_party};
use crate::{
    http::{Notice, Response, Script},
    platform::Platform,
};

pub(super) use sign_in::signed_in;

pub use account::{account_page, change_passkeys, end_sessions, not_by_provider};
pub use sign_in::{
    ask_for_link, enter, link_page, sign_in_again, sign_in_by_passkey, sign_in_page, sign_in_redirect,
    sign_out, use_link,
};

const SCRIPT_PATH: &str = "/passkeys.js";

/// `GET /passkeys.js`: the script with which pages use passkeys.
pub fn passkey_script() -> Response {
    Response::of(200, "text/javascript; charset=utf-8", include_str!("../templates/passkeys.js"))
        .with_header("cache-control", "no-cache")
        .with_header("cross-origin-resource-policy", "same-origin")
}

fn script<'a>(platform: &'a Platform<'_>) -> Script<'a> {
    Script { origin: &platform.config.public_origin, path: SCRIPT_PATH }
}

/// What the script asks an authenticator with.
struct Asked {
    challenge: String,
    party: String,
}

impl Asked {
    fn new(platform: &Platform<'_>, challenge: String) -> Self {
        Self { challenge, party: relying_party(platform.config) }
    }
}

fn see_other(next: Option<&NextPage>) -> Response {
    Response::see_other(next.map_or("/", NextPage::as_str)).no_store()
}

fn unavailable() -> Response {
    Notice::UNAVAILABLE.response(503)
}
