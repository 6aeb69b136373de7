//! Access tokens: JWTs with the claims of RFC 9068, signed with HS256, which only this deployment reads.

use chrono::DateTime;
use data_encoding::BASE64URL_NOPAD;
use jwt_compact::{
    AlgorithmExt, Claims, Header, UntrustedToken,
    alg::{Hs256, Hs256Key},
};
use serde::{Deserialize, Serialize};

use super::grant::Holder;
use crate::{
    desk::{GrantId, Scopes, TenantId, UserId},
    platform::{Config, Platform, Purpose, Timestamp, random_array},
};

/// RFC 9068 section 2.1.
const TYPE: &str = "at+jwt";
const LONGEST: usize = 4096;
/// Clocks of different machines may differ by so much.
const SKEW_SECONDS: i64 = 60;

/// A token for a client. It cannot be printed.
pub(super) struct AccessToken(String);

impl AccessToken {
    /// The token, for the client that it is issued to.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

/// RFC 9068 section 2.2 but for the times, and what finds the grant.
#[derive(Serialize, Deserialize)]
struct Body {
    iss: String,
    aud: String,
    sub: UserId,
    client_id: String,
    jti: String,
    scope: String,
    tenant_id: TenantId,
    /// Where the tenant's data are, so that nothing is looked up for a request.
    shard: i64,
    grant_id: GrantId,
    generation: i64,
}

/// What a token that was checked says.
pub(super) struct Verified {
    pub(super) tenant_id: TenantId,
    pub(super) shard: i64,
    pub(super) grant_id: GrantId,
    pub(super) generation: i64,
    pub(super) user_id: UserId,
    pub(super) client_id: String,
    pub(super) scopes: Scopes,
}

/// Which resource a token must be for.
#[derive(Clone, Copy)]
pub(super) enum Audience<'a> {
    /// This one, byte for byte.
    Exactly(&'a str),
    /// Whichever: the token is not used, only given back.
    Any,
}

/// Signs a token for `resource` that lives as long as the deployment's setting says. Nothing when signing fails, which
/// it does for no claims made here.
pub(super) fn issue(
    platform: &Platform<'_>,
    holder: &Holder,
    resource: &str,
    scopes: Scopes,
) -> Option<AccessToken> {
    let config = platform.config;
    let issued = platform.now().as_seconds();
    let mut claims = Claims::new(Body {
        iss: config.public_origin.clone(),
        aud: resource.to_owned(),
        sub: holder.user_id.clone(),
        client_id: holder.client_id.clone(),
        jti: BASE64URL_NOPAD.encode(&random_array::<16>(platform.entropy)),
        scope: scopes.to_text(),
        tenant_id: holder.tenant.id.clone(),
        shard: holder.tenant.shard,
        grant_id: holder.grant_id.clone(),
        generation: holder.generation,
    });
    claims.issued_at = DateTime::from_timestamp(issued, 0);
    claims.expiration = DateTime::from_timestamp(issued + config.access_token_seconds, 0);
    let header = Header::empty().with_token_type(TYPE).with_key_id(config.keys.current_id());
    let key = Hs256Key::new(config.keys.current(Purpose::AccessToken).expose());
    Hs256.token(&header, &claims, &key).ok().map(AccessToken)
}

/// The one check of access tokens: type, key, algorithm, signature, issuer, audience and times. Whether the grant still
/// lives is the gate's to say.
pub(super) fn verify(
    config: &Config,
    now: Timestamp,
    text: &str,
    audience: Audience<'_>,
) -> Option<Verified> {
    if text.len() > LONGEST {
        return None;
    }
    let token = UntrustedToken::new(text).ok()?;
    if token.header().token_type.as_deref() != Some(TYPE) {
        return None;
    }
    let key = config.keys.by_id(token.header().key_id.as_deref()?, Purpose::AccessToken)?;
    let token = Hs256.validator::<Body>(&Hs256Key::new(key.expose())).validate(&token).ok()?;
    let (_, claims) = token.into_parts();
    let expires = claims.expiration?.timestamp();
    let issued = claims.issued_at?.timestamp();
    let body = claims.custom;
    let for_this = match audience {
        Audience::Exactly(resource) => body.aud == resource,
        Audience::Any => true,
    };
    let in_time = now.as_seconds() < expires && issued <= now.as_seconds() + SKEW_SECONDS;
    (for_this && in_time && body.iss == config.public_origin).then(|| Verified {
        tenant_id: body.tenant_id,
        shard: body.shard,
        grant_id: body.grant_id,
        generation: body.generation,
        user_id: body.sub,
        client_id: body.client_id,
        scopes: Scopes::parse(&body.scope),
    })
}
