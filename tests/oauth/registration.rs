//! RFC 7591, RFC 8252's redirect addresses, and what real clients register.

use postern::{http::RequestMethod, oauth};
use serde_json::{Value, json};

use super::{World, answer, error, request, text, with};
use crate::sim::run;

fn with_redirects(world: &World, redirects: &[&str]) -> (u16, Value) {
    world.register(&json!({ "redirect_uris": redirects }))
}

#[test]
fn rfc7591_3_2_1_the_answer_echoes_what_was_accepted_and_leaves_out_the_rest() {
    let world = World::new();
    let (status, body) = world.register(&json!({
        "redirect_uris": ["http://127.0.0.1:33418/"],
        "client_name": "  Visual\u{202e} Studio\u{0} Code ",
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "application_type": "native",
        "software_version": null,
        "jwks": { "keys": [] }
    }));
    assert_eq!(status, 201);
    let issued = body["client_id_issued_at"].as_i64().unwrap();
    let id = body["client_id"].clone();
    assert_eq!(
        body,
        json!({
            "client_id": id,
            "client_id_issued_at": issued,
            "redirect_uris": ["http://127.0.0.1:33418/"],
            "client_name": "Visual Studio Code",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "application_type": "native"
        })
    );
}

#[test]
fn rfc7591_2_an_application_is_native_or_web_or_of_no_type() {
    let world = World::new();
    for (given, kept) in [("native", json!("native")), ("web", json!("web")), ("browser", Value::Null)] {
        let (status, body) = world
            .register(&json!({ "redirect_uris": ["https://client.example/cb"], "application_type": given }));
        assert_eq!((status, &body["application_type"]), (201, &kept));
    }
}

#[test]
fn rfc7591_3_2_2_what_cannot_be_served_is_refused() {
    let world = World::new();
    let refused = |metadata: Value| {
        let answer = world.register(&metadata);
        assert_eq!(answer.0, 400);
        error(&answer).1.to_owned()
    };
    let uris = json!(["https://client.example/cb"]);
    assert_eq!(refused(json!([])), "invalid_client_metadata");
    assert_eq!(refused(json!({ "redirect_uris": "https://client.example" })), "invalid_client_metadata");
    assert_eq!(
        refused(json!({ "redirect_uris": uris, "grant_types": ["client_credentials"] })),
        "invalid_client_metadata"
    );
    assert_eq!(
        refused(json!({ "redirect_uris": uris, "response_types": ["token"] })),
        "invalid_client_metadata"
    );
    assert_eq!(
        refused(json!({ "redirect_uris": uris, "client_name": "x".repeat(8192) })),
        "invalid_client_metadata"
    );
    assert_eq!(refused(json!({})), "invalid_redirect_uri");
    assert_eq!(
        refused(json!({ "redirect_uris": vec!["https://client.example/cb"; 11] })),
        "invalid_redirect_uri"
    );
}

#[test]
fn a_body_that_is_no_json_is_refused() {
    let world = World::new();
    let mut request = request(RequestMethod::Post, "/register");
    request.body = b"\xff{".to_vec();
    let answer = answer(&run(oauth::register(&world.sim.platform(), &request)));
    assert_eq!(error(&answer), (400, "invalid_client_metadata"));
}

/// Every address that a known client is seen to use, the ports as they came.
#[test]
fn mcp_authorization_the_addresses_of_real_clients_are_accepted() {
    let mut world = World::deployed();
    for redirects in [
        &["http://localhost:51234/callback"][..],
        &["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
        &["https://chatgpt.com/connector/oauth/abc", "https://chatgpt.com/connector_platform_oauth_redirect"],
        &["http://127.0.0.1:1455/callback"],
        &[
            "http://127.0.0.1/",
            "http://127.0.0.1:33418/",
            "http://127.0.0.1:33418",
            "https://vscode.dev/redirect",
            "https://insiders.vscode.dev/redirect",
        ],
        &[
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "https://www.cursor.com/agents/mcp/oauth/callback",
            "http://localhost:8787/callback",
        ],
        &["http://localhost:9895/oauth/callback"],
        &["http://localhost:6274/oauth/callback", "http://127.0.0.1:6276/oauth/callback"],
        &["http://[::1]:7000/callback"],
        &["com.example.app:/oauth2redirect"],
        &["vscode-insiders://publisher.extension/callback"],
    ] {
        let (status, body) = with_redirects(&world, redirects);
        assert_eq!(status, 201, "{redirects:?}");
        world.client_id = body["client_id"].as_str().unwrap().to_owned();
        for address in redirects {
            let response = world.authorize(&with(&world.wish(), "redirect_uri", Some(address)));
            assert_eq!(response.status, 303, "{address}: {}", text(&response));
        }
    }
}

#[test]
fn rfc8252_8_addresses_that_could_hurt_are_refused() {
    let world = World::deployed();
    for address in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\tscript:alert(1)",
        "\u{1}javascript:alert(1)",
        "data:text/html,hello",
        "vbscript:x",
        "file:///etc/passwd",
        "about:blank",
        "blob:https://client.example/1",
        "myapp://callback",
        "mailto:a@client.example",
        "http://client.example/callback",
        "http://127.0.0.1.client.example/callback",
        "http://localhost.client.example/callback",
        "https://user@client.example/callback",
        "https://user:pass@client.example/callback",
        "https://:pass@client.example/callback",
        "https://client.example/callback#fragment",
        "https://client.example/callback#",
        "https://client.example\\@evil.example/",
        "https://client.example/call back",
        " https://client.example/callback",
        "https://client.example/\r\nSet-Cookie: a=b",
        "https://cli\u{0435}nt.example/callback",
        "https://",
        "/callback",
        "",
        "https://mcp.example.com/authorize",
        "https://mcp.example.com:8443/x",
        "https://mcp.example.com./authorize",
        "https://MCP.example.com/authorize",
        "https://wall.example.com/acme/acme",
        "..:x",
    ] {
        let answer = with_redirects(&world, &["https://client.example/ok", address]);
        assert_eq!(error(&answer), (400, "invalid_redirect_uri"), "{address:?}");
    }
}

#[test]
fn an_address_has_at_most_2000_characters() {
    let world = World::new();
    let of = |length: usize| {
        let start = "https://client.example/";
        format!("{start}{}", "a".repeat(length - start.len()))
    };
    assert_eq!(with_redirects(&world, &[&of(2000)]).0, 201);
    assert_eq!(error(&with_redirects(&world, &[&of(2001)])).1, "invalid_redirect_uri");
}

#[test]
fn a_local_worker_s_own_address_is_no_redirect_address() {
    let world = World::new();
    for own in ["http://localhost:8790/x", "http://127.0.0.1:8790/x"] {
        assert_eq!(error(&with_redirects(&world, &[own])).1, "invalid_redirect_uri");
    }
    assert_eq!(with_redirects(&world, &["http://localhost:8791/x"]).0, 201);
}

#[test]
fn a_client_that_names_no_grant_types_may_refresh() {
    let world = World::new();
    let (_, body) = with_redirects(&world, &["https://client.example/cb"]);
    assert_eq!(body["grant_types"], json!(["authorization_code", "refresh_token"]));
}
