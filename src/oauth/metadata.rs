//! What clients discover: RFC 8414 and RFC 9728. Only what is implemented is listed.

use serde::Serialize;

use super::{client::AuthMethod, wire};
use crate::{
    desk::{Safename, Scope, Scopes},
    http::{Algorithm, Problem, Response},
    platform::{Config, Platform},
};

#[derive(Serialize)]
struct ServerMetadata<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    registration_endpoint: String,
    revocation_endpoint: String,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 2],
    code_challenge_methods_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 2],
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 2],
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 2],
    scopes_supported: Vec<&'static str>,
    client_id_metadata_document_supported: bool,
    authorization_response_iss_parameter_supported: bool,
}

#[derive(Serialize)]
struct ResourceMetadata<'a> {
    resource: String,
    authorization_servers: [&'a str; 1],
    scopes_supported: Vec<&'static str>,
    bearer_methods_supported: [&'static str; 1],
}

fn names(scopes: Scopes) -> Vec<&'static str> {
    scopes.iter().map(Scope::as_str).collect()
}

/// `GET /.well-known/oauth-authorization-server`: RFC 8414 section 3.2. The issuer is the public origin, byte for byte.
pub fn server_metadata(platform: &Platform<'_>) -> Response {
    let origin = &platform.config.public_origin;
    let at = |path: &str| format!("{origin}{path}");
    wire::json(
        200,
        &ServerMetadata {
            issuer: origin,
            authorization_endpoint: at("/authorize"),
            token_endpoint: at("/token"),
            registration_endpoint: at("/register"),
            revocation_endpoint: at("/revoke"),
            response_types_supported: ["code"],
            response_modes_supported: ["query"],
            grant_types_supported: ["authorization_code", "refresh_token"],
            code_challenge_methods_supported: ["S256"],
            token_endpoint_auth_methods_supported: AuthMethod::NAMES,
            token_endpoint_auth_signing_alg_values_supported: Algorithm::NAMES,
            revocation_endpoint_auth_methods_supported: AuthMethod::NAMES,
            revocation_endpoint_auth_signing_alg_values_supported: Algorithm::NAMES,
            scopes_supported: names(Scopes::EVERY),
            client_id_metadata_document_supported: true,
            authorization_response_iss_parameter_supported: true,
        },
    )
}

/// `GET /.well-known/oauth-protected-resource/<safename>/mcp`: RFC 9728 section 3.2. Whether there is such a tenant
/// makes no difference.
///
/// Its scopes are those of the first challenge: what most clients ask for when they start without one (MCP
/// authorization, "Scope Selection Strategy"). Everything there is stands in the server's metadata.
pub fn resource_metadata(platform: &Platform<'_>, safename: &str) -> Response {
    if safename.parse::<Safename>().is_err() {
        return Problem::new(404, "not_found", "There is nothing here.", "Check the address.")
            .response()
            .no_store()
            .cors();
    }
    wire::json(
        200,
        &ResourceMetadata {
            resource: platform.config.resource(safename),
            authorization_servers: [&platform.config.public_origin],
            scopes_supported: names(Scope::DEFAULT),
            bearer_methods_supported: ["header"],
        },
    )
}

/// The address of a tenant's resource metadata (RFC 9728 section 3.1), for challenges.
pub(super) fn resource_metadata_url(config: &Config, safename: &str) -> String {
    format!("{}/.well-known/oauth-protected-resource/{safename}/mcp", config.public_origin)
}
