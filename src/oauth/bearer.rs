//! The resource server's side: the one check of a request's token, and the challenges that follow (RFC 6750, RFC 9728).

use super::{
    access_token::{self, Audience, Verified},
    metadata::resource_metadata_url,
    personal::{self, Presented},
};
use crate::{
    desk::{Authority, Safename, Scope, Scopes, Tenant},
    http::{Problem, Request, Response},
    platform::{Config, Platform},
};

/// Who a request's token speaks for. Whether the grant still lives, the gate says in each batch.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// The tenant.
    pub tenant: Tenant,
    /// The grant.
    pub authority: Authority,
    /// The token's own capabilities, which may be fewer than the grant's.
    pub granted: Scopes,
}

enum Challenge {
    /// No credentials, or none of a kind that is taken here.
    Missing,
    /// A token that is not good here.
    Invalid,
    /// The look-up failed.
    Unavailable,
}

/// Checks the bearer token of a request to `/<safename>/mcp`. A cookie, a query parameter and an API key are no
/// credentials here.
///
/// # Errors
/// The answer to send: 401 with a challenge, the same for every well-formed safename; 404 for one that no tenant can
/// have; 503 when the tenant cannot be looked up.
pub async fn authenticate(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
) -> Result<Authenticated, Response> {
    let Ok(safename) = safename.parse::<Safename>() else {
        return Err(nowhere());
    };
    try_authenticate(platform, request, &safename).await.map_err(|challenge| match challenge {
        Challenge::Missing => unauthenticated(platform.config, safename.as_str(), ""),
        Challenge::Invalid => grant_over(platform, safename.as_str()),
        Challenge::Unavailable => unavailable(),
    })
}

async fn try_authenticate(
    platform: &Platform<'_>,
    request: &Request,
    safename: &Safename,
) -> Result<Authenticated, Challenge> {
    let token = bearer_token(request)?;
    if let Some(presented) = Presented::in_header(token) {
        let presented = presented.ok_or(Challenge::Invalid)?;
        let found = personal::find(platform, request, safename, &presented).await;
        return found.map_err(|_| Challenge::Unavailable)?.ok_or(Challenge::Invalid);
    }
    let resource = platform.config.resource(safename.as_str());
    let verified = access_token::verify(platform.config, platform.now(), token, Audience::Exactly(&resource))
        .ok_or(Challenge::Invalid)?;
    let Verified { tenant_id, shard, grant_id, generation, user_id, client_id, scopes } = verified;
    // The token is for this very address, and no tenant's shard changes: whether the tenant lives, the gate says.
    let tenant = Tenant { id: tenant_id, safename: safename.clone(), shard };
    let authority = Authority::Grant { grant_id, generation, user_id, client_id, scopes };
    Ok(Authenticated { tenant, authority, granted: scopes })
}

/// The token of a request that has just one.
pub(super) fn bearer(request: &Request) -> Option<&str> {
    bearer_token(request).ok()
}

/// The token of the `Authorization` header (RFC 6750 section 2.1). Another scheme counts as no credentials (section
/// 3.1); two headers are ambiguous and therefore wrong.
fn bearer_token(request: &Request) -> Result<&str, Challenge> {
    let mut headers = request.headers.iter().filter(|(name, _)| name == "authorization");
    let (_, value) = headers.next().ok_or(Challenge::Missing)?;
    if headers.next().is_some() {
        return Err(Challenge::Invalid);
    }
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Challenge::Missing),
    }
}

/// 401 for a token whose grant is over (RFC 6750 section 3.1): also what the gate's refusal becomes.
pub fn grant_over(platform: &Platform<'_>, safename: &str) -> Response {
    let error = "error=\"invalid_token\", error_description=\"The token is expired, revoked or not for this resource\", ";
    unauthenticated(platform.config, safename, error)
}

/// 403 for a grant that does not allow what a call needs, which it names whole.
pub(super) fn insufficient_scope(config: &Config, safename: &Safename, needed: Scopes) -> Response {
    let scope = needed.to_text();
    let metadata = resource_metadata_url(config, safename.as_str());
    let challenge = format!(
        "Bearer error=\"insufficient_scope\", error_description=\"This needs a wider grant\", scope=\"{scope}\", resource_metadata=\"{metadata}\""
    );
    Problem::new(403, "insufficient_scope", "The grant does not allow this.", format!("Ask for {scope}."))
        .response()
        .no_store()
        .with_header("www-authenticate", challenge)
}

fn unauthenticated(config: &Config, safename: &str, error: &str) -> Response {
    let metadata = resource_metadata_url(config, safename);
    let scope = Scope::DEFAULT.to_text();
    let challenge = format!("Bearer {error}resource_metadata=\"{metadata}\", scope=\"{scope}\"");
    Problem::new(
        401,
        "unauthenticated",
        "This needs an access token for this very address.",
        "Follow the WWW-Authenticate header to get one.",
    )
    .response()
    .no_store()
    .with_header("www-authenticate", challenge)
}

pub(super) fn nowhere() -> Response {
    Problem::new(404, "not_found", "There is nothing here.", "Check the address.").response().no_store()
}

pub(super) fn unavailable() -> Response {
    Problem::new(503, "unavailable", "The token cannot be checked right now.", "Try again in a few seconds.")
        .response()
        .no_store()
        .with_header("retry-after", "5")
}
