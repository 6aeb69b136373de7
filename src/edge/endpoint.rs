//! A tenant's MCP endpoint: who calls, by the authorization server; what is asked, by the protocol.

use super::limits::turned_away;
use crate::{
    desk::{Authority, Caller, Refusal},
    http::{About, Problem, Request, Response},
    mcp::{self, Allowed, Asked, Outcome},
    oauth::{self, Authenticated},
    platform::{Door, Platform, TurnedAway},
};

/// Answers `/<safename>/mcp`, and `/<safename>/mcp/<token>`: 401 before anything else, then the protocol.
pub async fn endpoint(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    token: Option<&str>,
) -> Response {
    let who = match authenticate(platform, request, safename, token).await {
        Ok(who) => who,
        Err(response) => return response,
    };
    let Some(caller) = Caller::new(*platform, who.tenant.clone(), who.authority.clone()) else {
        return shard_missing();
    };
    if let Err(why) = count(platform, &who, request).await {
        return turned_away(Door::Mcp, why);
    }
    let asked = mcp::judge(platform, request);
    let allowed = match allowed(platform, &who, &asked).await {
        Ok(allowed) => allowed,
        Err(Refusal::Unauthenticated) => return oauth::grant_over(platform, safename),
        Err(_) => return shard_missing(),
    };
    let answer = asked.answer(&caller, allowed).await;
    let response = match answer.outcome {
        Outcome::Response(response) => response,
        Outcome::InsufficientScope(needed) => oauth::step_up(platform, &who, needed).await,
        Outcome::Unauthenticated => oauth::grant_over(platform, safename),
    };
    response.with_about(About {
        tool: answer.tool.map(str::to_owned),
        tenant: Some(who.tenant.id.to_string()),
        grant: grant_of(&who.authority),
        code: answer.code,
    })
}

/// Who calls. Tokens that only a database knows are counted by address first, so that nobody has it search for guesses.
async fn authenticate(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    token: Option<&str>,
) -> Result<Authenticated, Response> {
    if token.is_some() || oauth::is_looked_up(request) {
        let visitor = request.visitor();
        platform.admit(Door::Mcp, &visitor).await.map_err(|why| turned_away(Door::Mcp, why))?;
    }
    match token {
        Some(token) => oauth::authenticate_by_address(platform, request, safename, token).await,
        None => oauth::authenticate(platform, request, safename).await,
    }
}

/// Counts a request against its grant, each element of a batch by itself.
async fn count(platform: &Platform<'_>, who: &Authenticated, request: &Request) -> Result<(), TurnedAway> {
    let grant = grant_of(&who.authority).unwrap_or_default();
    for _ in 0..mcp::weight(request) {
        platform.admit(Door::Mcp, &grant).await?;
    }
    Ok(())
}

/// Every call is judged by the gate in its own batch; whatever is answered without one goes by the grant's snapshot.
async fn allowed(
    platform: &Platform<'_>,
    who: &Authenticated,
    asked: &Asked<'_>,
) -> Result<Allowed, Refusal> {
    if asked.is_gated() {
        return Ok(who.granted.into());
    }
    let snapshot = oauth::snapshot(platform, who).await?;
    Ok(Allowed {
        granted: who.granted.intersection(snapshot.allowed),
        possible: snapshot.by_role,
        selection: snapshot.selection,
    })
}

fn grant_of(authority: &Authority) -> Option<String> {
    match authority {
        Authority::Grant { grant_id, .. } => Some(grant_id.to_string()),
        Authority::Member { .. } => None,
    }
}

fn shard_missing() -> Response {
    Problem::new(
        503,
        "unavailable",
        "This organisation cannot be reached right now.",
        "Try again in a minute.",
    )
    .response()
}
