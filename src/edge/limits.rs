//! Who comes too often is turned away, in the form that the door's visitors understand.

use crate::{
    http::{About, Notice, Problem, Request, Response, Route},
    oauth,
    platform::{Door, Platform, RETRY_AFTER_SECONDS, TurnedAway},
};

/// The door that a route belongs to, of those whose visitors are counted by address.
const fn door(route: Route) -> Option<Door> {
    match route {
        Route::Token | Route::Revoke => Some(Door::Token),
        Route::Register => Some(Door::Register),
        Route::Authorize | Route::Consent => Some(Door::Authorize),
        Route::SignIn
        | Route::SignInLink
        | Route::SignInPasskey
        | Route::SignOut
        | Route::Account
        | Route::AccountSessions
        | Route::AccountPasskeys
        | Route::AccountProviders
        | Route::Invitation
        | Route::TenantSignIn
        | Route::ProviderSignIn
        | Route::ProviderCallback => Some(Door::SignIn),
        _ => None,
    }
}

/// Counts a request to a route.
///
/// # Errors
/// The answer instead: 429, or 503 where the door stays shut.
pub(super) async fn admit(platform: &Platform<'_>, route: Route, request: &Request) -> Result<(), Response> {
    let Some(door) = door(route) else { return Ok(()) };
    platform.admit(door, &request.visitor()).await.map_err(|why| turned_away(door, why))
}

/// The answer in the door's own form of an error.
pub(super) fn turned_away(door: Door, why: TurnedAway) -> Response {
    let response = match (door, why) {
        (Door::Token | Door::Register, why) => oauth::turned_away(why),
        (Door::Authorize | Door::SignIn, TurnedAway::TooOften) => Notice {
            heading: "Too many attempts",
            words: "Too much came from your network in a short time. Wait a minute and try again.",
        }
        .response(429),
        (Door::Authorize | Door::SignIn, TurnedAway::Uncounted) => Notice::UNAVAILABLE.response(503),
        (Door::Mcp, TurnedAway::TooOften) => Problem::new(
            429,
            "rate_limited",
            "This grant calls too often.",
            format!("Wait {RETRY_AFTER_SECONDS} seconds, then call less often."),
        )
        .response()
        .no_store(),
        (Door::Mcp, TurnedAway::Uncounted) => {
            Problem::new(503, "unavailable", "Calls cannot be counted right now.", "Try again in a minute.")
                .response()
                .no_store()
        }
    };
    let about = About { code: Some("rate_limited"), ..About::default() };
    response.with_header("retry-after", RETRY_AFTER_SECONDS.to_string()).with_about(about)
}
