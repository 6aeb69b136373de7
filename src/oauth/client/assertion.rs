//! `private_key_jwt`: a client that signs who it is (RFC 7523 sections 2.2 and 3).

use serde::Deserialize;

use super::Keys;
use crate::{
    desk::sha256_text,
    http::{Audience, DocumentFault, SignedToken},
    oauth::store::directory as sql,
    platform::{DatabaseFault, Platform, Timestamp, only},
};

/// The one form of assertion that is taken (RFC 7523 section 2.2).
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The `typ` headers that are taken: nothing, the usual one, and the one of draft-ietf-oauth-rfc7523bis.
const KINDS: [&str; 2] = ["jwt", "client-authentication+jwt"];
/// An assertion lives an hour at most.
const LONGEST_SECONDS: i64 = 3600;
/// Clocks of different machines may differ by so much.
const SKEW_SECONDS: i64 = 60;
const LONGEST_ID: usize = 256;

/// Who an assertion says that it is, before anything is known of its worth.
pub(super) fn subject(assertion: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Subject {
        sub: String,
    }
    SignedToken::parse(assertion)?.claims::<Subject>().map(|claims| claims.sub)
}

/// The claims of RFC 7523 section 3.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    jti: String,
    nbf: Option<i64>,
    iat: Option<i64>,
}

/// Why an assertion proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AssertionFault {
    /// It is not this client's, not for this server, over, or was used before.
    Refused,
    /// The client's keys, or the directory, could not be had.
    Unavailable,
}

impl From<DocumentFault> for AssertionFault {
    fn from(fault: DocumentFault) -> Self {
        match fault {
            DocumentFault::Forbidden(_) => Self::Refused,
            DocumentFault::Unreachable
            | DocumentFault::Status
            | DocumentFault::TooLarge
            | DocumentFault::NotJson => Self::Unavailable,
        }
    }
}

impl From<DatabaseFault> for AssertionFault {
    fn from(_: DatabaseFault) -> Self {
        Self::Unavailable
    }
}

/// Checks that `client_id` signed this for this server just now, and uses it up: one of several callers gets through.
pub(super) async fn check(
    platform: &Platform<'_>,
    client_id: &str,
    keys: &Keys,
    assertion: &str,
) -> Result<(), AssertionFault> {
    let token = SignedToken::parse(assertion).ok_or(AssertionFault::Refused)?;
    let claims: Claims = token.claims().ok_or(AssertionFault::Refused)?;
    let fits = token.kind().is_none_or(|kind| KINDS.contains(&kind.to_ascii_lowercase().as_str()))
        && keys.algorithm.is_none_or(|algorithm| algorithm == token.algorithm())
        && claims.is_of(client_id)
        && claims.aud.is_only(&platform.config.public_origin)
        && claims.is_timely(platform.now());
    if !(fits && keys.signed(platform, &token).await?) {
        return Err(AssertionFault::Refused);
    }
    let until = Timestamp::from_millis(claims.exp.saturating_add(SKEW_SECONDS).saturating_mul(1000));
    let name = sha256_text(format!("{client_id}\n{}", claims.jti).as_bytes());
    let used = only(platform.directory, sql::USE_ASSERTION.with([name.into(), until.into()])).await?;
    if used.is_empty() { Err(AssertionFault::Refused) } else { Ok(()) }
}

impl Claims {
    fn is_of(&self, client_id: &str) -> bool {
        self.iss == client_id && self.sub == client_id && (1..=LONGEST_ID).contains(&self.jti.len())
    }

    fn is_timely(&self, now: Timestamp) -> bool {
        let now = now.as_seconds();
        let begun = |at: Option<i64>| at.is_none_or(|at| at <= now.saturating_add(SKEW_SECONDS));
        now < self.exp.saturating_add(SKEW_SECONDS)
            && self.exp <= now.saturating_add(LONGEST_SECONDS + SKEW_SECONDS)
            && begun(self.nbf)
            && begun(self.iat)
    }
}
