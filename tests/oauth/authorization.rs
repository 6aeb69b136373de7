//! The authorization endpoint: RFC 6749 section 4.1, RFC 7636, RFC 8252, RFC 8707, RFC 9700.

use postern::desk::Role;

use super::{CALLBACK, World, location, plus, text, told_error, with};

#[test]
fn rfc6749_4_1_1_a_valid_request_waits_for_the_person() {
    let world = World::new();
    let response = world.authorize(&world.wish());
    assert_eq!(response.status, 303);
    assert!(location(&response).starts_with("/consent/req_"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
}

#[test]
fn somebody_who_is_not_signed_in_signs_in_first_and_comes_back() {
    let world = World::new();
    let response = world.authorize_in(None, &world.wish());
    assert_eq!(response.status, 303);
    assert!(location(&response).starts_with("/sign-in?next=%2Fauthorize%3F"), "{}", location(&response));
}

#[test]
fn rfc6749_4_1_2_1_unknown_clients_and_addresses_are_told_to_nobody_but_the_person() {
    let world = World::new();
    let wish = world.wish();
    for bad in [
        with(&wish, "client_id", None),
        with(&wish, "client_id", Some("cli_00000000000000000000000000")),
        with(&wish, "client_id", Some("https://client.example/metadata.json")),
        plus(&wish, "client_id", &world.client_id),
        with(&wish, "redirect_uri", Some("https://evil.example/callback")),
        with(&wish, "redirect_uri", Some("https://client.example/callback/")),
        with(&wish, "redirect_uri", Some("https://client.example/callback?x=1")),
        with(&wish, "redirect_uri", Some("https://client.example:444/callback")),
        with(&wish, "redirect_uri", Some("https://client.example/x/../callback")),
        with(&wish, "redirect_uri", Some("javascript:alert(1)")),
        plus(&wish, "redirect_uri", CALLBACK),
    ] {
        let response = world.authorize(&bad);
        assert_eq!(response.status, 400);
        let page = text(&response);
        assert!(!page.contains("evil.example") && !page.contains("class=\"button"), "{bad:?}");
    }
}

#[test]
fn rfc6749_3_1_2_3_a_client_with_one_address_need_not_name_it() {
    let world = World::new();
    let wish = with(&world.wish(), "redirect_uri", None);
    let code = world.code_for(&wish);
    let form = with(&world.redemption(&code), "redirect_uri", None);
    assert_eq!(world.token(&form).0, 200);

    let mut world = World::new();
    world.client_id = world.register_client(&[CALLBACK, "https://client.example/other"]);
    assert_eq!(world.authorize(&with(&world.wish(), "redirect_uri", None)).status, 400);
}

#[test]
fn rfc8252_7_3_on_loopback_any_port_is_the_registered_address() {
    let mut world = World::new();
    world.client_id = world.register_client(&["http://127.0.0.1:33418/callback?a=1"]);
    let to = |address: &str| world.authorize(&with(&world.wish(), "redirect_uri", Some(address))).status;
    assert_eq!(to("http://127.0.0.1:51000/callback?a=1"), 303);
    assert_eq!(to("http://127.0.0.1/callback?a=1"), 303);
    assert_eq!(to("http://localhost:33418/callback?a=1"), 400, "another host");
    assert_eq!(to("http://127.0.0.1:33418/other?a=1"), 400, "another path");
    assert_eq!(to("http://127.0.0.1:33418/callback?a=2"), 400, "another query");
    assert_eq!(to("https://127.0.0.1:33418/callback?a=1"), 400, "another scheme");
    assert_eq!(to("http://127.0.0.1:8790/callback?a=1"), 400, "our own content origin");
}

#[test]
fn rfc7636_4_4_1_only_s256_is_served_and_never_nothing() {
    let world = World::new();
    let wish = world.wish();
    for bad in [
        with(&wish, "code_challenge", None),
        with(&wish, "code_challenge_method", None),
        with(&wish, "code_challenge_method", Some("plain")),
        with(&wish, "code_challenge_method", Some("s256")),
        with(&wish, "code_challenge", Some("short")),
        with(&wish, "code_challenge", Some(&"!".repeat(43))),
    ] {
        assert_eq!(told_error(&world.authorize(&bad)), "invalid_request");
    }
}

#[test]
fn rfc6749_3_1_repeated_parameters_are_refused() {
    let world = World::new();
    for (name, value) in [("state", "x"), ("scope", "posts:read"), ("code_challenge", "x"), ("unknown", "x")]
    {
        let wish = plus(&plus(&world.wish(), name, value), name, value);
        assert_eq!(told_error(&world.authorize(&wish)), "invalid_request", "{name}");
    }
}

#[test]
fn rfc6749_3_1_a_parameter_without_a_value_is_as_if_left_out() {
    let world = World::new();
    let code = world.code_for(&with(&world.wish(), "redirect_uri", Some("")));
    let form = with(&world.redemption(&code), "redirect_uri", None);
    assert_eq!(world.token(&form).0, 200);
    for name in ["response_mode", "request", "request_uri", "prompt", "scope"] {
        assert_eq!(world.authorize(&with(&world.wish(), name, Some(""))).status, 303, "{name}");
    }
    for name in ["response_type", "code_challenge", "code_challenge_method"] {
        assert_eq!(
            told_error(&world.authorize(&with(&world.wish(), name, Some("")))),
            "invalid_request",
            "{name}"
        );
    }
    assert_eq!(world.authorize(&with(&world.wish(), "client_id", Some(""))).status, 400);
}

#[test]
fn rfc6749_3_3_a_capability_named_twice_is_asked_for_once() {
    let world = World::new();
    let wish = with(&world.wish(), "scope", Some("posts:read workspace:read posts:read no:such"));
    let (status, tokens) = world.token(&world.redemption(&world.code_for(&wish)));
    assert_eq!((status, tokens["scope"].as_str()), (200, Some("workspace:read posts:read")));
}

#[test]
fn rfc6749_4_1_2_1_other_response_types_are_refused() {
    let world = World::new();
    let told = |name, value| told_error(&world.authorize(&with(&world.wish(), name, value)));
    assert_eq!(told("response_type", Some("token")), "unsupported_response_type");
    assert_eq!(told("response_type", None), "invalid_request");
    assert_eq!(told("response_mode", Some("fragment")), "invalid_request");
    assert_eq!(told("request", Some("e30.e30.")), "request_not_supported");
    assert_eq!(told("state", Some(&"x".repeat(2001))), "invalid_request");
}

#[test]
fn rfc8707_2_a_resource_that_is_not_here_is_refused() {
    let world = World::new();
    let wish = world.wish();
    for resource in [
        "https://evil.example/acme/mcp",
        "http://localhost:8791/acme/mcp",
        "http://localhost:8790/acme",
        "http://localhost:8790/acme/mcp//",
        "http://localhost:8790/acme/mcp/x",
        "http://localhost:8790/x/../acme/mcp",
        "http://localhost:8790/ACME/mcp",
        "http://localhost:8790/acme/mcp#fragment",
        "http://user@localhost:8790/acme/mcp",
        "http://:pw@localhost:8790/acme/mcp",
        "http://localhost:8790/ac\tme/mcp",
        "http://localhost:8790/acme\\mcp",
        "http://localhost:8790/acme/./mcp",
        "http://localhost:8790/acme/mcp?other=1",
        "http://localhost:8790\\acme/mcp",
        "acme",
    ] {
        let response = world.authorize(&with(&wish, "resource", Some(resource)));
        assert_eq!(told_error(&response), "invalid_target", "{resource}");
    }
    let two = plus(&wish, "resource", &world.resource());
    assert_eq!(told_error(&world.authorize(&two)), "invalid_target");
}

#[test]
fn rfc8707_2_a_resource_is_known_in_each_of_its_usual_spellings() {
    let world = World::new();
    for resource in [
        "HTTP://LocalHost:8790/acme/mcp",
        "http://localhost:8790/acme/mcp/",
        "http://localhost:8790/acme/mcp?toolsets=posts%2Cmedia&read_only=true",
    ] {
        let code = world.code_for(&with(&world.wish(), "resource", Some(resource)));
        let form = with(&world.redemption(&code), "resource", Some(resource));
        let (status, tokens) = world.token(&form);
        assert_eq!(status, 200, "{resource}: {tokens}");
        assert_eq!(world.call(tokens["access_token"].as_str().unwrap()), Ok(()));
    }
}

#[test]
fn a_tenant_of_others_and_one_that_does_not_exist_look_alike() {
    let world = World::new();
    crate::sim::world::Company::found(&world.sim, "other");
    let page = |name: &str| {
        let wish = with(&world.wish(), "resource", Some(&world.sim.config.resource(name)));
        let response = world.authorize(&wish);
        assert_eq!(told_error(&response), "access_denied");
        assert_eq!(response.status, 403);
        text(&response)
    };
    assert_eq!(page("other"), page("nobody"));
}

#[test]
fn oidc_core_3_1_2_6_a_silent_request_is_answered_by_login_required() {
    let world = World::new();
    let silent = plus(&world.wish(), "prompt", "none");
    assert_eq!(told_error(&world.authorize_in(None, &silent)), "login_required");
    assert_eq!(told_error(&world.authorize(&silent)), "login_required", "signed in makes no difference");
    assert_eq!(world.count("SELECT count(*) FROM auth_code"), 0);
    assert_eq!(world.authorize(&plus(&world.wish(), "prompt", "consent")).status, 303);
}

#[test]
fn rfc9700_4_11_2_no_error_sends_anybody_away() {
    let world = World::new();
    let wish = with(&world.wish(), "scope", Some("\"><script>alert(1)</script>"));
    let bad = with(&wish, "code_challenge", None);
    let response = world.authorize(&bad);
    assert_eq!(told_error(&response), "invalid_request");
    assert!(!text(&response).contains("<script"));
}

#[test]
fn somebody_who_was_removed_is_no_member() {
    let world = World::new();
    let (user, browser) = world.add_member("eve", Role::Editor);
    assert_eq!(world.authorize_in(Some(&browser), &world.wish()).status, 303);
    world.sim.shard().execute("UPDATE membership SET ended_at = 1 WHERE user_id = ?1", [user.as_str()]);
    assert_eq!(told_error(&world.authorize_in(Some(&browser), &world.wish())), "access_denied");
}

#[test]
fn rfc6749_4_1_2_1_an_error_carries_the_state_and_its_own_status() {
    let world = World::new();
    let bad = with(&world.wish(), "response_type", Some("token"));
    let response = world.authorize(&bad);
    assert_eq!(response.status, 400);
    assert!(text(&response).contains("state=a+state+%26+more"), "{}", text(&response));
    let long = "x".repeat(2001);
    let response = world.authorize(&with(&world.wish(), "state", Some(&long)));
    assert!(!text(&response).contains(&long), "what is too long is not sent back");
    let elsewhere = with(&world.wish(), "resource", Some(&world.sim.config.resource("nobody")));
    assert_eq!(world.authorize(&elsewhere).status, 403);
}
