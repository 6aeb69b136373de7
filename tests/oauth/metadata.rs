//! RFC 8414, RFC 9728 and RFC 9207's metadata.

use postern::oauth;
use serde_json::json;

use super::{World, answer};
use crate::sim::run;

#[test]
fn rfc8414_2_the_issuer_and_endpoints_are_the_public_origin_s() {
    let world = World::deployed();
    let (status, body) = answer(&oauth::server_metadata(&world.sim.platform()));
    assert_eq!(status, 200);
    assert_eq!(
        body,
        json!({
            "issuer": "https://mcp.example.com",
            "authorization_endpoint": "https://mcp.example.com/authorize",
            "token_endpoint": "https://mcp.example.com/token",
            "registration_endpoint": "https://mcp.example.com/register",
            "revocation_endpoint": "https://mcp.example.com/revoke",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
            "revocation_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
            "revocation_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
            "scopes_supported": [
                "workspace:read", "social_profiles:read", "social_profiles:write", "posts:read", "posts:write",
                "posts:publish", "workflows:read", "workflows:write", "workflows:run", "brand:write",
                "media:write", "catalogue:read", "catalogue:write", "comments:read", "comments:write",
                "analytics:read", "offline_access"
            ],
            "client_id_metadata_document_supported": true,
            "authorization_response_iss_parameter_supported": true
        })
    );
}

#[test]
fn rfc9728_3_2_any_well_formed_name_gets_the_same_metadata() {
    let world = World::deployed();
    let of = |name: &str| answer(&oauth::resource_metadata(&world.sim.platform(), name));
    let (status, body) = of("acme");
    assert_eq!(status, 200);
    assert_eq!(body["resource"], "https://mcp.example.com/acme/mcp");
    assert_eq!(body["authorization_servers"], json!(["https://mcp.example.com"]));
    assert_eq!(body["bearer_methods_supported"], json!(["header"]));
    let absent = serde_json::to_string(&of("nobody").1).unwrap();
    assert_eq!(absent.replace("nobody", "acme"), serde_json::to_string(&body).unwrap());
}

#[test]
fn mcp_authorization_a_client_without_a_challenge_is_told_the_scopes_of_the_first_one() {
    let world = World::new();
    let (_, body) = answer(&oauth::resource_metadata(&world.sim.platform(), "acme"));
    let scopes: Vec<&str> =
        body["scopes_supported"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect();
    let refused =
        run(oauth::authenticate(&world.sim.platform(), &world.mcp_request(None), "acme")).unwrap_err();
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(challenge.ends_with(&format!(", scope=\"{}\"", scopes.join(" "))), "{challenge}: {scopes:?}");
}

#[test]
fn mcp_authorization_offline_access_is_no_scope_of_a_resource() {
    let world = World::new();
    let (_, body) = answer(&oauth::resource_metadata(&world.sim.platform(), "acme"));
    assert!(!body["scopes_supported"].as_array().unwrap().contains(&json!("offline_access")));
}

#[test]
fn a_name_that_no_tenant_can_have_has_no_metadata() {
    let world = World::new();
    assert_eq!(oauth::resource_metadata(&world.sim.platform(), "No").status, 404);
}
