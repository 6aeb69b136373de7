//! The one check of personal tokens.

use super::{Kind, store, token::Token};
use crate::{
    desk::{Authority, Caller, GrantId, Refusal, Safename, Scopes, UserId},
    http::{Request, Response},
    oauth::{
        bearer::{Authenticated, bearer, grant_over, nowhere, unavailable},
        network::coarse_network,
        store::shard as sql,
    },
    platform::{DatabaseFault, FromRow, Platform, Row, RowFault, Timestamp, Value, first, only},
    tenants,
};

/// Last use is written at most once an hour.
const TOUCH_SECONDS: i64 = 3600;

/// What somebody presents as a personal token.
pub(in crate::oauth) struct Presented {
    kind: Kind,
    token: Token,
}

impl Presented {
    /// What was presented in a header, if it claims to be a personal token of any kind: `Some(None)` when it is none that
    /// belongs there.
    pub(in crate::oauth) fn in_header(text: &str) -> Option<Option<Self>> {
        Kind::of(text).map(|_| Self::of(Kind::Header, text))
    }

    fn of(kind: Kind, text: &str) -> Option<Self> {
        Token::parse(kind, text).map(|token| Self { kind, token })
    }
}

/// Whether a request's credentials are looked up in a database before anything is known of whoever sends it.
pub fn is_looked_up(request: &Request) -> bool {
    bearer(request).is_some_and(|token| Kind::of(token).is_some())
}

struct Found {
    grant_id: GrantId,
    generation: i64,
    user_id: UserId,
    client_id: String,
    scopes: Scopes,
    used_at: Option<Timestamp>,
}

impl FromRow for Found {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            grant_id: row.get("grant_id")?,
            generation: row.get("generation")?,
            user_id: row.get("user_id")?,
            client_id: row.get("client_id")?,
            scopes: row.get("capabilities")?,
            used_at: row.get("used_at")?,
        })
    }
}

/// Checks the token in the address of `POST /<safename>/mcp/<token>`. Credentials in a header besides are ambiguous and
/// therefore wrong.
///
/// # Errors
/// The answer to send, which repeats nothing of the address but the safename: 401 with a challenge; 404 for a safename
/// that no tenant can have; 503 when nothing can be looked up.
pub async fn authenticate_by_address(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    token: &str,
) -> Result<Authenticated, Response> {
    let Ok(safename) = safename.parse::<Safename>() else { return Err(nowhere()) };
    let alone = request.header("authorization").is_none();
    let presented = Presented::of(Kind::Address, token).filter(|_| alone);
    match presented {
        None => Err(grant_over(platform, safename.as_str())),
        Some(presented) => match find(platform, request, &safename, &presented).await {
            Ok(Some(who)) => Ok(who),
            Ok(None) => Err(grant_over(platform, safename.as_str())),
            Err(_) => Err(unavailable()),
        },
    }
}

/// Who a token speaks for, if it is one and the tenant's owner allows its kind. Whether its grant still lives, the gate
/// says in each batch.
pub(in crate::oauth) async fn find(
    platform: &Platform<'_>,
    request: &Request,
    safename: &Safename,
    presented: &Presented,
) -> Result<Option<Authenticated>, DatabaseFault> {
    let Some(tenant) = tenants::find(platform, safename).await? else { return Ok(None) };
    let shard = platform
        .shard(tenant.shard)
        .ok_or_else(|| DatabaseFault::Rejected("a tenant's shard is not bound".to_owned()))?;
    let find =
        store::FIND.with([Value::from(&tenant.id), presented.token.hash().into(), presented.kind.into()]);
    let Some(found) = first::<Found>(&only(shard, find).await?)? else { return Ok(None) };
    let used_at = found.used_at;
    let Found { grant_id, generation, user_id, client_id, scopes, .. } = found;
    let authority = Authority::Grant { grant_id, generation, user_id, client_id, scopes };
    let who = Authenticated { tenant, authority, granted: scopes };
    touch(platform, &who, used_at, coarse_network(&request.peer)).await;
    Ok(Some(who))
}

/// Writes down that a token was used, behind its gate. Failing is no reason to refuse what it is used for, and the gate
/// tells the request itself what is wrong.
async fn touch(
    platform: &Platform<'_>,
    who: &Authenticated,
    used_at: Option<Timestamp>,
    from: Option<String>,
) {
    let now = platform.now();
    let is_known = used_at.is_some_and(|used| now < used.plus_seconds(TOUCH_SECONDS));
    let Authority::Grant { grant_id, .. } = &who.authority else { return };
    let caller = Caller::new(*platform, who.tenant.clone(), who.authority.clone());
    if let (false, Some(caller)) = (is_known, caller) {
        let touch =
            sql::TOUCH_GRANT.with([Value::from(&who.tenant.id), grant_id.into(), now.into(), from.into()]);
        let _: Result<_, Refusal> = caller.keep_up(vec![touch]).await;
    }
}
