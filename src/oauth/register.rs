//! Dynamic client registration (RFC 7591). Every client is public: it proves itself by PKCE and its redirect address.

use serde::{Deserialize, Serialize};

use super::{
    client::{self, GrantType, Metadata},
    name::presentable,
    redirect::RedirectUri,
    wire,
};
use crate::{
    desk::ClientId,
    http::{Request, Response},
    platform::{Config, DatabaseFault, Platform},
};

const MOST_BYTES: usize = 8192;
const MOST_REDIRECTS: usize = 10;
const LONGEST_NAME: usize = 80;

/// What a client may say of itself. Members that are not known here are passed over (RFC 7591 section 2).
#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    redirect_uris: Vec<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    client_name: Option<String>,
    application_type: Option<String>,
    software_id: Option<String>,
    software_version: Option<String>,
}

/// RFC 7591 section 3.2.1. What was not given is left out: some clients fail on null.
#[derive(Serialize)]
struct Registered<'a> {
    client_id: &'a str,
    client_id_issued_at: i64,
    token_endpoint_auth_method: &'static str,
    response_types: [&'static str; 1],
    #[serde(flatten)]
    metadata: &'a Metadata,
}

enum RegisterFault {
    TooLarge,
    NotMetadata,
    NoCodeGrant,
    NoRedirect,
    TooManyRedirects,
    Redirect,
    Database,
}

impl From<DatabaseFault> for RegisterFault {
    fn from(_: DatabaseFault) -> Self {
        Self::Database
    }
}

/// RFC 7591 section 3.2.2.
fn wire_error(fault: &RegisterFault) -> Response {
    let metadata = |description| wire::error(400, "invalid_client_metadata", description);
    let redirect = |description| wire::error(400, "invalid_redirect_uri", description);
    match fault {
        RegisterFault::TooLarge => metadata("Client metadata may have 8 kB."),
        RegisterFault::NotMetadata => metadata("The body is not a JSON object of client metadata."),
        RegisterFault::NoCodeGrant => {
            metadata("Only authorization_code with response type code is served, and refresh_token with it.")
        }
        RegisterFault::NoRedirect => redirect("redirect_uris is missing."),
        RegisterFault::TooManyRedirects => redirect("A client may have 10 redirect addresses."),
        RegisterFault::Redirect => redirect(
            "A redirect address must be https, http on loopback, or a private-use scheme in reverse-domain form, without user name and fragment.",
        ),
        RegisterFault::Database => wire::unavailable(),
    }
}

/// `POST /register`: 201 with what was accepted.
pub async fn register(platform: &Platform<'_>, request: &Request) -> Response {
    match try_register(platform, request).await {
        Ok(response) => response,
        Err(fault) => wire_error(&fault),
    }
}

async fn try_register(platform: &Platform<'_>, request: &Request) -> Result<Response, RegisterFault> {
    if request.body.len() > MOST_BYTES {
        return Err(RegisterFault::TooLarge);
    }
    let asked: Asked = serde_json::from_slice(&request.body).map_err(|_| RegisterFault::NotMetadata)?;
    let metadata = accept(asked, platform.config)?;
    let now = platform.now();
    let id = ClientId::new(now, platform.entropy);
    client::add(platform, &id, metadata.clone()).await?;
    Ok(wire::json(
        201,
        &Registered {
            client_id: id.as_str(),
            client_id_issued_at: now.as_seconds(),
            token_endpoint_auth_method: "none",
            response_types: ["code"],
            metadata: &metadata,
        },
    ))
}

fn accept(asked: Asked, config: &Config) -> Result<Metadata, RegisterFault> {
    let grant_types = grant_types(asked.grant_types.as_deref())?;
    if asked.response_types.is_some_and(|types| !types.iter().any(|name| name == "code")) {
        return Err(RegisterFault::NoCodeGrant);
    }
    match asked.redirect_uris.len() {
        0 => return Err(RegisterFault::NoRedirect),
        1..=MOST_REDIRECTS => {}
        _ => return Err(RegisterFault::TooManyRedirects),
    }
    if asked.redirect_uris.iter().any(|text| RedirectUri::parse(text, config).is_err()) {
        return Err(RegisterFault::Redirect);
    }
    let named = |text: Option<String>| text.and_then(|text| presentable(&text, LONGEST_NAME));
    Ok(Metadata {
        redirect_uris: asked.redirect_uris,
        grant_types,
        client_name: named(asked.client_name),
        application_type: asked.application_type.filter(|kind| matches!(kind.as_str(), "native" | "web")),
        software_id: named(asked.software_id),
        software_version: named(asked.software_version),
    })
}

/// The grant types that are served of those asked for; who names none gets both. Clients list others as well, which
/// is no reason to turn them away.
fn grant_types(asked: Option<&[String]>) -> Result<Vec<GrantType>, RegisterFault> {
    let Some(asked) = asked else {
        return Ok(vec![GrantType::AuthorizationCode, GrantType::RefreshToken]);
    };
    let names = |name: &str| asked.iter().any(|asked| asked == name);
    if !names("authorization_code") {
        return Err(RegisterFault::NoCodeGrant);
    }
    let refresh = names("refresh_token").then_some(GrantType::RefreshToken);
    Ok(std::iter::once(GrantType::AuthorizationCode).chain(refresh).collect())
}
