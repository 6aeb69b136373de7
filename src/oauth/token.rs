//! The token endpoint (RFC 6749 section 3.2).

use serde::Serialize;

use super::{
    access_token,
    client::{PresentFault, Presented},
    code,
    grant::Holder,
    network::coarse_network,
    params::{Params, Repeated},
    refresh,
    refresh::RefreshToken,
    resource::named_tenant,
    wire,
};
use crate::{
    desk::{Refusal, Scopes},
    http::{Request, Response},
    platform::{DatabaseFault, Platform},
};

/// Why no token is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenFault {
    /// A parameter is missing or malformed; which.
    Parameter(&'static str),
    Repeated,
    GrantType,
    /// There is no such client, it has expired, it did not prove itself, or it brought a secret, which no client has.
    Client,
    /// Code or refresh token are not good, whatever the reason.
    Grant,
    Scope,
    Resource,
    Unavailable,
}

impl From<DatabaseFault> for TokenFault {
    fn from(_: DatabaseFault) -> Self {
        Self::Unavailable
    }
}

impl From<PresentFault> for TokenFault {
    fn from(fault: PresentFault) -> Self {
        match fault {
            PresentFault::NoId => Self::Parameter("client_id is missing."),
            PresentFault::Unknown => Self::Client,
            PresentFault::Assertion => Self::Parameter(
                "client_assertion needs client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer.",
            ),
            PresentFault::Unavailable => Self::Unavailable,
        }
    }
}

impl From<Refusal> for TokenFault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Fault(_) => Self::Unavailable,
            _ => Self::Grant,
        }
    }
}

impl TokenFault {
    /// RFC 6749 section 5.2, RFC 8707 section 2.
    const fn code(self) -> &'static str {
        match self {
            Self::Parameter(_) | Self::Repeated => "invalid_request",
            Self::GrantType => "unsupported_grant_type",
            Self::Client => "invalid_client",
            Self::Grant => "invalid_grant",
            Self::Scope => "invalid_scope",
            Self::Resource => "invalid_target",
            Self::Unavailable => "temporarily_unavailable",
        }
    }

    /// Whether it refuses something, rather than the request being malformed or not answerable at present.
    const fn is_refusal(self) -> bool {
        matches!(self, Self::Client | Self::Grant | Self::Scope | Self::Resource)
    }

    /// Writes down that a genuine code or token of this grant was refused.
    pub(super) async fn note(self, platform: &Platform<'_>, holder: &Holder, act: &'static str) {
        if self.is_refusal() {
            holder.note_denial(platform, act, self.code()).await;
        }
    }
}

fn wire_error(fault: TokenFault) -> Response {
    let error = |status, description| wire::error(status, fault.code(), description);
    match fault {
        TokenFault::Parameter(description) => error(400, description),
        TokenFault::Repeated => error(400, "A parameter was sent more than once."),
        TokenFault::GrantType => error(400, "Only authorization_code and refresh_token are served."),
        TokenFault::Client => error(
            401,
            "The client is not registered, its registration has expired, or it did not prove itself by private_key_jwt as it must. No client has a secret.",
        ),
        TokenFault::Grant => error(
            400,
            "The code or refresh token is wrong, used, expired or revoked, or belongs to another request.",
        ),
        TokenFault::Scope => error(400, "A refresh may only narrow what was granted."),
        TokenFault::Resource => error(400, "A token is issued for the one resource that was granted."),
        TokenFault::Unavailable => wire::unavailable(),
    }
}

/// What a client gets.
pub(super) struct Tokens {
    pub(super) holder: Holder,
    pub(super) resource: String,
    pub(super) scopes: Scopes,
    pub(super) refresh: Option<RefreshToken>,
}

/// RFC 6749 section 5.1.
#[derive(Serialize)]
struct TokenResponse<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    scope: String,
}

/// `POST /token`: redeems a code or refreshes.
pub async fn token(platform: &Platform<'_>, request: &Request) -> Response {
    match try_token(platform, request).await {
        Ok(response) => response,
        Err(fault) => wire_error(fault),
    }
}

async fn try_token(platform: &Platform<'_>, request: &Request) -> Result<Response, TokenFault> {
    let form =
        request.form().ok_or(TokenFault::Parameter("The body must be application/x-www-form-urlencoded."))?;
    let parameters = Params::once(form).map_err(|repeated| match repeated {
        Repeated::Resource => TokenFault::Resource,
        Repeated::Other => TokenFault::Repeated,
    })?;
    let grant_type = parameters.get("grant_type").ok_or(TokenFault::Parameter("grant_type is missing."))?;
    let client = Presented::read(platform, request, &parameters).await?;
    let network = coarse_network(&request.peer);
    let from = network.as_deref();
    let tokens = match grant_type {
        "authorization_code" => code::redeem(platform, &client, &parameters, from).await?,
        "refresh_token" => refresh::refresh(platform, &client, &parameters, from).await?,
        _ => return Err(TokenFault::GrantType),
    };
    client.touch(platform).await;
    respond(platform, &tokens)
}

fn respond(platform: &Platform<'_>, tokens: &Tokens) -> Result<Response, TokenFault> {
    let access = access_token::issue(platform, &tokens.holder, &tokens.resource, tokens.scopes)
        .ok_or(TokenFault::Unavailable)?;
    let body = TokenResponse {
        access_token: access.expose(),
        token_type: "Bearer",
        expires_in: platform.config.access_token_seconds,
        refresh_token: tokens.refresh.as_ref().map(RefreshToken::expose),
        scope: tokens.scopes.to_text(),
    };
    Ok(wire::json(200, &body))
}

/// Whether the request's `resource`, which may be left out, is the one granted (RFC 8707 section 2.2).
pub(super) fn check_resource(
    platform: &Platform<'_>,
    parameters: &Params,
    granted: &str,
) -> Result<(), TokenFault> {
    let Some(asked) = parameters.get("resource") else { return Ok(()) };
    let asked =
        named_tenant(asked, platform.config).map(|safename| platform.config.resource(safename.as_str()));
    if asked.as_deref() == Some(granted) { Ok(()) } else { Err(TokenFault::Resource) }
}
