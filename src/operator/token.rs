//! The operator's token: a JWT (RFC 7519) by HMAC-SHA256 under a key that only the root keys give.

use jwt_compact::{
    AlgorithmExt, Claims, UntrustedToken,
    alg::{Hs256, Hs256Key},
};
use serde::Deserialize;

use super::store;
use crate::{
    http::Request,
    platform::{DatabaseFault, Platform, Purpose, Timestamp, only},
};

/// A token lives a minute at most.
const LONGEST_SECONDS: i64 = 60;
/// How far the shell's clock may be ahead.
const AHEAD_SECONDS: i64 = 30;

#[derive(Deserialize)]
struct OperatorClaims {
    aud: String,
    jti: String,
}

/// A token that is right, but may have been used.
struct Genuine {
    id: String,
    expires_at: Timestamp,
}

/// Whether the request carries a right token that was not used before. Using it up costs one small row; a stolen
/// request is then worth nothing.
///
/// # Errors
/// When the directory fails.
pub(super) async fn check(platform: &Platform<'_>, request: &Request) -> Result<bool, DatabaseFault> {
    let Some(token) = genuine(platform, request) else {
        return Ok(false);
    };
    let used_up = store::USE_TOKEN.with([token.id.into(), token.expires_at.into()]);
    Ok(!only(platform.directory, used_up).await?.is_empty())
}

fn genuine(platform: &Platform<'_>, request: &Request) -> Option<Genuine> {
    let text = request.header("authorization")?.strip_prefix("Bearer ")?;
    let token = UntrustedToken::new(text).ok()?;
    let secret = platform.config.keys.by_id(token.header().key_id.as_deref()?, Purpose::Operator)?;
    let key = Hs256Key::new(secret.expose());
    let token = Hs256.validator::<OperatorClaims>(&key).validate(&token).ok()?;
    let Claims { custom, expiration, issued_at, .. } = token.claims();
    let (issued, expires) = (issued_at.as_ref()?.timestamp(), expiration.as_ref()?.timestamp());
    let now = platform.now().as_seconds();
    let timely = issued <= now + AHEAD_SECONDS
        && now < expires
        && (1..=LONGEST_SECONDS).contains(&expires.saturating_sub(issued));
    let ours = custom.aud == platform.config.public_origin && (16..=64).contains(&custom.jti.len());
    (timely && ours).then(|| Genuine {
        id: custom.jti.clone(),
        expires_at: Timestamp::from_millis(expires.saturating_mul(1000)),
    })
}
