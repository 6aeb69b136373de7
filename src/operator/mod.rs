//! What the operator's shell may ask of a deployment, and what the tick keeps small.
//!
//! `POST /operator` takes one JSON command under a token that only the holder of the root keys can make.

mod answers;
mod command;
mod fields;
mod retention;
mod status;
mod store;
mod token;

use crate::{
    desk::{Moment, TimeZoneName},
    http::{Problem, Request, Response},
    platform::{DatabaseFault, Platform, Timestamp},
};

pub use retention::retain;
pub use store::{DIRECTORY_STATEMENTS, KEPT, RULES, Rule, STATEMENTS};

/// `POST /operator`: checks the token, reads the command, carries it out.
pub async fn handle(platform: &Platform<'_>, request: &Request) -> Response {
    match token::check(platform, request).await {
        Ok(true) => {}
        Ok(false) => return unauthorized(),
        Err(fault) => return unavailable(&fault),
    }
    match command::Command::parse(&request.body) {
        Ok(command) => answers::answer(platform, command).await.no_store(),
        Err(problems) => fields::refusal(&problems),
    }
}

fn unauthorized() -> Response {
    Problem::new(
        401,
        "unauthorized",
        "The operator's token is missing, not valid, expired or was used before.",
        "Use scripts/admin with the deployment's POSTERN_KEYS and origin, and see that this machine's clock is right.",
    )
    .response()
    .with_header("www-authenticate", "Bearer")
    .no_store()
}

fn unavailable(fault: &DatabaseFault) -> Response {
    let (code, hint) = match fault {
        DatabaseFault::Unknown(_) => (
            "outcome_unknown",
            "Ask again: every command can be repeated. What was decided is finished by the tick.",
        ),
        DatabaseFault::Aborted(_) | DatabaseFault::Rejected(_) => {
            ("unavailable", "See scripts/admin status: the schemas may be behind the worker.")
        }
    };
    Problem::new(503, code, "A database did not do its part.", hint).response().no_store()
}

/// RFC 3339 in UTC.
fn utc(at: Timestamp) -> String {
    Moment::new(at, &TimeZoneName::or_utc("UTC"), at).utc
}
