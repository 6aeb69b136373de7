//! Clauses of the standards, each by itself, that no other file is about: endpoints, errors, discovery and PKCE from
//! outside, through the whole of the worker.

use postern::{
    desk::sha256_text,
    http::{Request, RequestMethod, Response},
    oauth,
};
use serde_json::{Value, json};

use super::{
    CALLBACK, VERIFIER, World, answer, encode, error, form_request, plus, redirected, request, text,
    told_error, with,
};
use crate::sim::run;

fn serve(world: &World, request: Request) -> Response {
    run(postern::edge::serve(&world.sim.platform(), request))
}

fn get(world: &World, path: &str) -> Response {
    let mut request = request(RequestMethod::Get, path);
    world.sim.config.public_origin.split_once("://").unwrap().1.clone_into(&mut request.host);
    serve(world, request)
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_else(|fault| panic!("{fault}: {}", text(response)))
}

#[test]
fn rfc6749_2_3_1_no_secret_is_taken_in_any_form() {
    let world = World::new();
    let form = world.redemption(&world.code());
    assert_eq!(error(&world.token(&plus(&form, "client_secret", "x"))), (401, "invalid_client"));
    for scheme in ["Basic eDp5", "Bearer x", "Digest x"] {
        let mut request = form_request("/token", &form);
        request.headers.push(("authorization".into(), scheme.into()));
        let answer = answer(&run(oauth::token(&world.sim.platform(), &request)));
        assert_eq!(error(&answer), (401, "invalid_client"), "{scheme}");
    }
    assert_eq!(world.token(&form).0, 200, "the code is still good");
}

#[test]
fn rfc6749_3_1_parameters_without_a_value_count_as_left_out_and_unknown_ones_as_nothing() {
    let world = World::new();
    let wish = plus(&plus(&world.wish(), "nonce", "x"), "login_hint", "");
    assert_eq!(world.authorize(&wish).status, 303);
    assert_eq!(told_error(&world.authorize(&with(&wish, "code_challenge", Some("")))), "invalid_request");
    assert_eq!(told_error(&world.authorize(&with(&wish, "response_type", Some("")))), "invalid_request");
    let form = plus(&world.redemption(&world.code()), "unknown", "x");
    assert_eq!(world.token(&form).0, 200);
}

#[test]
fn rfc6749_3_1_and_3_2_a_repeated_parameter_is_refused_at_every_endpoint() {
    let world = World::new();
    let form = world.redemption(&world.code());
    for (name, value) in form.clone().iter().filter(|(name, _)| name != "resource") {
        assert_eq!(error(&world.token(&plus(&form, name, value))), (400, "invalid_request"), "{name}");
    }
    let wish = world.wish();
    for (name, value) in
        wish.iter().filter(|(name, _)| !matches!(name.as_str(), "client_id" | "redirect_uri"))
    {
        let expected = if name == "resource" { "invalid_target" } else { "invalid_request" };
        assert_eq!(told_error(&world.authorize(&plus(&wish, name, value))), expected, "{name}");
    }
    assert_eq!(world.token(&form).0, 200, "and nothing was used up");
}

#[test]
fn rfc6749_3_2_the_token_endpoint_takes_post_alone() {
    let world = World::new();
    let mut request = form_request("/token", &world.redemption("a.b"));
    request.method = RequestMethod::Get;
    request.query = String::from_utf8(request.body.clone()).unwrap();
    let response = serve(&world, request);
    assert_eq!((response.status, response.header("allow")), (405, Some("POST")));
}

#[test]
fn rfc6749_4_1_1_the_state_comes_back_to_the_letter() {
    let world = World::new();
    for state in ["a+b%2Bc d", "\u{20ac}\"'<>", &"x".repeat(2000)] {
        let id = world.pending(&with(&world.wish(), "state", Some(state)));
        let response = world.decide(&id, &world.filled_in(&id, "approve"));
        assert_eq!(redirected(&response).get("state"), Some(state));
    }
    let id = world.pending(&with(&world.wish(), "state", None));
    let response = world.decide(&id, &world.filled_in(&id, "approve"));
    assert_eq!(redirected(&response).get("state"), None, "what was not sent is not made up");
}

#[test]
fn rfc6749_4_1_3_the_redirect_address_is_named_again() {
    let mut world = World::new();
    world.client_id = world.register_client(&["http://127.0.0.1/callback"]);
    let asked = "http://127.0.0.1:50123/callback";
    let code = world.code_for(&with(&world.wish(), "redirect_uri", Some(asked)));
    for other in [None, Some("http://127.0.0.1/callback"), Some("http://127.0.0.1:50124/callback")] {
        let form = with(&world.redemption(&code), "redirect_uri", other);
        assert_eq!(error(&world.token(&form)), (400, "invalid_grant"), "{other:?}");
    }
    assert_eq!(world.token(&with(&world.redemption(&code), "redirect_uri", Some(asked))).0, 200);
}

#[test]
fn rfc6749_5_1_a_token_response_has_everything_a_client_needs() {
    let world = World::new();
    let tokens = world.tokens(); // `answer` looks at the headers.
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 600);
    let mut names: Vec<&str> = tokens.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["access_token", "expires_in", "refresh_token", "scope", "token_type"]);
}

#[test]
fn rfc6749_5_2_errors_are_json_with_a_registered_code_and_plain_words() {
    let world = World::new();
    let good = world.redemption("a.b");
    for form in [
        Vec::new(),
        with(&good, "grant_type", Some("x")),
        with(&good, "client_id", Some("x")),
        with(&good, "client_secret", Some("x")),
        good.clone(),
    ] {
        let (status, body) = world.token(&form);
        let code = body["error"].as_str().unwrap();
        let expected = if code == "invalid_client" { 401 } else { 400 };
        assert_eq!(status, expected, "{body}");
        let words = body["error_description"].as_str().unwrap();
        let plain = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(words.bytes().all(plain), "{words}");
    }
}

#[test]
fn rfc7591_2_a_client_that_names_nothing_gets_what_is_usual_here() {
    let world = World::new();
    let (status, body) = world.register(&json!({ "redirect_uris": [CALLBACK] }));
    assert_eq!(status, 201);
    assert_eq!(body["token_endpoint_auth_method"], "none");
    assert_eq!(body["response_types"], json!(["code"]));
    assert!(body.get("client_secret").is_none() && body.get("client_secret_expires_at").is_none());
    assert!(body.as_object().unwrap().values().all(|value| !value.is_null()), "{body}");
}

#[test]
fn rfc7591_3_1_registration_takes_post_alone_and_reads_no_more_than_8_kb() {
    let world = World::new();
    assert_eq!(get(&world, "/register").status, 405);
    let padded = |bytes: usize| {
        let bare = json!({ "redirect_uris": [CALLBACK], "contacts": "" }).to_string().len();
        json!({ "redirect_uris": [CALLBACK], "contacts": "x".repeat(bytes - bare) })
    };
    assert_eq!(world.register(&padded(8192)).0, 201);
    assert_eq!(error(&world.register(&padded(8193))), (400, "invalid_client_metadata"));
}

#[test]
fn rfc7591_3_2_1_each_registration_is_another_client() {
    let world = World::new();
    let (one, two) = (world.register_client(&[CALLBACK]), world.register_client(&[CALLBACK]));
    assert_ne!(one, two);
    let code = world.code();
    for other in [one, two] {
        let form = with(&world.redemption(&code), "client_id", Some(&other));
        assert_eq!(error(&world.token(&form)), (400, "invalid_grant"));
    }
}

#[test]
fn rfc7636_4_1_and_4_6_a_verifier_has_43_to_128_unreserved_characters() {
    let world = World::new();
    for (verifier, status) in [
        ("x".repeat(42), 400),
        ("x".repeat(43), 200),
        (format!("{}-._~", "Aa0".repeat(20)), 200),
        ("x".repeat(128), 200),
        ("x".repeat(129), 400),
        (format!("{}+", "x".repeat(50)), 400),
        (format!("{} ", "x".repeat(50)), 400),
        (format!("{}\u{e9}", "x".repeat(50)), 400),
    ] {
        let challenge = sha256_text(verifier.as_bytes());
        let code = world.code_for(&with(&world.wish(), "code_challenge", Some(&challenge)));
        let form = with(&world.redemption(&code), "code_verifier", Some(&verifier));
        let answer = world.token(&form);
        assert_eq!(answer.0, status, "{verifier}: {}", answer.1);
    }
}

#[test]
fn rfc7636_4_6_the_challenge_itself_is_no_verifier() {
    let world = World::new();
    let challenge = sha256_text(VERIFIER.as_bytes());
    let form = with(&world.redemption(&world.code()), "code_verifier", Some(&challenge));
    assert_eq!(error(&world.token(&form)), (400, "invalid_grant"));
}

#[test]
fn rfc8252_7_1_private_schemes_are_reverse_domains_or_known() {
    let world = World::new();
    for (address, status) in [
        ("com.example.app:/callback", 201),
        ("com.example.app://callback", 201),
        ("cursor://anysphere.cursor-mcp/oauth/callback", 201),
        ("vscode://publisher.extension/callback", 201),
        ("myapp:/callback", 400),
        ("x-app://callback", 400),
        (".example:/callback", 400),
        ("com..app:/callback", 400),
        ("com.app.:/callback", 400),
        ("ws://client.example/", 400),
        ("ftp://client.example/", 400),
        ("view-source:https://client.example/", 400),
        ("intent://client.example/", 400),
        ("filesystem:https://client.example/", 400),
    ] {
        assert_eq!(world.register(&json!({ "redirect_uris": [address] })).0, status, "{address}");
    }
}

#[test]
fn rfc8252_7_3_loopback_is_the_three_usual_names_and_nothing_like_them() {
    let world = World::new();
    for (address, status) in [
        ("http://127.0.0.1/cb", 201),
        ("http://127.0.0.1:1/cb", 201),
        ("http://[::1]:50000/cb", 201),
        ("http://localhost:65535/cb", 201),
        ("http://127.0.0.2/cb", 400),
        ("http://localhost./cb", 400),
        ("http://[::]/cb", 400),
        ("http://0.0.0.0/cb", 400),
        ("http://[::ffff:127.0.0.1]/cb", 400),
        ("http://localhost.localdomain/cb", 400),
        ("http://localhost:65536/cb", 400),
    ] {
        assert_eq!(world.register(&json!({ "redirect_uris": [address] })).0, status, "{address}");
    }
}

#[test]
fn rfc8252_8_3_each_loopback_name_is_its_own() {
    let mut world = World::new();
    world.client_id = world.register_client(&["http://[::1]/cb", "http://localhost/cb"]);
    let to = |address: &str| world.authorize(&with(&world.wish(), "redirect_uri", Some(address))).status;
    assert_eq!(to("http://[::1]:50000/cb"), 303);
    assert_eq!(to("http://localhost:50000/cb"), 303);
    assert_eq!(to("http://127.0.0.1:50000/cb"), 400);
    world.client_id = world.register_client(&["https://localhost/cb"]);
    assert_eq!(
        world.authorize(&with(&world.wish(), "redirect_uri", Some("http://localhost:50000/cb"))).status,
        400,
        "the port is free for what was registered as loopback, not for what only has its name"
    );
}

#[test]
fn rfc8414_3_the_metadata_stand_at_the_issuer_s_well_known_address_alone() {
    let world = World::deployed();
    let response = get(&world, "/.well-known/oauth-authorization-server");
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
    for other in [
        "/.well-known/oauth-authorization-server/acme/mcp",
        "/.well-known/openid-configuration",
        "/acme/mcp/.well-known/oauth-authorization-server",
    ] {
        let response = get(&world, other);
        assert_eq!(response.status, 404, "{other}");
        assert!(response.header("content-type").unwrap().contains("json"), "{other}");
    }
}

#[test]
fn rfc8414_3_3_the_issuer_is_the_one_that_clients_were_told_of() {
    let world = World::deployed();
    let server = json_of(&get(&world, "/.well-known/oauth-authorization-server"));
    let resource = json_of(&get(&world, "/.well-known/oauth-protected-resource/acme/mcp"));
    assert_eq!(resource["authorization_servers"], json!([server["issuer"]]));
    for (name, value) in server.as_object().unwrap() {
        let is_endpoint = name.ends_with("_endpoint");
        assert!(!is_endpoint || value.as_str().unwrap().starts_with("https://mcp.example.com/"), "{name}");
    }
}

#[test]
fn rfc8707_2_and_2_2_a_token_is_for_the_resource_that_was_asked_for() {
    let world = World::new();
    let code = world.code();
    for other in [
        "http://localhost:8790/other/mcp",
        "http://localhost:8790/",
        "urn:x",
        "http://localhost:8790/acme/mcp#x",
    ] {
        let form = with(&world.redemption(&code), "resource", Some(other));
        assert_eq!(error(&world.token(&form)), (400, "invalid_target"), "{other}");
    }
    let form = plus(&world.redemption(&code), "resource", "http://localhost:8790/other/mcp");
    assert_eq!(error(&world.token(&form)), (400, "invalid_target"), "two");
    let (status, tokens) = world.token(&with(&world.redemption(&code), "resource", None));
    assert_eq!(status, 200, "left out, it is the one of the code");
    assert_eq!(world.call(tokens["access_token"].as_str().unwrap()), Ok(()));
}

#[test]
fn rfc9207_3_the_metadata_say_that_the_issuer_is_named() {
    let world = World::new();
    let metadata = json_of(&get(&world, "/.well-known/oauth-authorization-server"));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
}

#[test]
fn rfc9728_3_1_the_metadata_stand_where_the_resource_s_path_is_put_in() {
    let world = World::new();
    let response = get(&world, "/.well-known/oauth-protected-resource/acme/mcp");
    assert_eq!(response.status, 200);
    assert_eq!(json_of(&response)["resource"], "http://localhost:8790/acme/mcp");
    for other in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/acme",
        "/acme/mcp/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/No/mcp",
    ] {
        assert_eq!(get(&world, other).status, 404, "{other}");
    }
}

#[test]
fn rfc9728_3_3_and_5_1_a_challenge_leads_to_metadata_of_that_very_resource() {
    let world = World::new();
    let response = serve(&world, world.mcp_request(None));
    assert_eq!(response.status, 401);
    let challenge = response.header("www-authenticate").unwrap();
    let address = challenge.split("resource_metadata=\"").nth(1).unwrap().split('"').next().unwrap();
    let path = address.strip_prefix("http://localhost:8790").unwrap();
    assert_eq!(json_of(&get(&world, path))["resource"], "http://localhost:8790/acme/mcp");
}

#[test]
fn mcp_authorization_every_endpoint_for_programs_may_be_called_by_scripts_of_any_origin() {
    let world = World::new();
    for path in ["/token", "/register", "/revoke", "/.well-known/oauth-authorization-server"] {
        let mut preflight = request(RequestMethod::Options, path);
        preflight.headers.push(("origin".into(), "http://localhost:6274".into()));
        let response = serve(&world, preflight);
        assert_eq!(response.header("access-control-allow-origin"), Some("*"), "{path}");
    }
    let mut preflight = request(RequestMethod::Options, "/authorize");
    preflight.query = encode(&world.wish());
    assert_eq!(serve(&world, preflight).header("access-control-allow-origin"), None, "pages are for people");
}
