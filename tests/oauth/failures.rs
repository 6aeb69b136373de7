//! What others got wrong, and what RFC 9700 section 4 warns of, as far as clients and access tokens are concerned.

use postern::{
    desk::Scopes,
    http::{Request, RequestMethod, Response},
    oauth,
};
use serde_json::json;

use super::{
    CALLBACK, VERIFIER, World, answer,
    documents::{Shelf, public_client},
    error, location, plus, redirected, request, text, told_error, with,
};
use crate::sim::{Fault, Random, interleave, run, world::Company};

const EVIL: &str = "https://evil.example/callback";

fn serve(world: &World, request: Request) -> Response {
    run(postern::edge::serve(&world.sim.platform(), request))
}

#[test]
fn cve_2025_4143_and_rfc9700_4_1_a_redirect_address_that_is_not_registered_gets_nothing() {
    let world = World::new();
    for prompt in [None, Some("none"), Some("consent")] {
        let wish = with(&with(&world.wish(), "redirect_uri", Some(EVIL)), "prompt", prompt);
        for bad in
            [wish.clone(), with(&wish, "code_challenge", None), with(&wish, "response_type", Some("token"))]
        {
            let response = world.authorize(&bad);
            assert_eq!((response.status, response.header("location")), (400, None));
            assert!(!text(&response).contains("evil.example"));
        }
    }
    assert_eq!(world.sim.directory.number("SELECT count(*) FROM pending_authorization", []), 0);
}

#[test]
fn rfc9700_4_1_3_addresses_are_compared_to_the_letter() {
    let mut world = World::new();
    world.client_id =
        world.register_client(&["https://client.example/callback?tenant=a", "com.example.app:/cb"]);
    for near in [
        "https://client.example/callback?tenant=b",
        "https://client.example/callback?tenant=a&x=1",
        "https://client.example/callback?tenant=a#",
        "https://client.example/callback",
        "https://client.example/Callback?tenant=a",
        "https://CLIENT.example/callback?tenant=a",
        "https://client.example./callback?tenant=a",
        "https://client.example:443/callback?tenant=a",
        "https://client.example/./callback?tenant=a",
        "https://client.example/%63allback?tenant=a",
        "https://client.example/callback?tenant=%61",
        "https://client.example@evil.example/callback?tenant=a",
        "https://sub.client.example/callback?tenant=a",
        "https://client.example.evil.example/callback?tenant=a",
        "com.example.app:/cb/",
        "com.example.app://cb",
        "com.example.app.evil:/cb",
        "COM.example.app:/cb",
    ] {
        let response = world.authorize(&with(&world.wish(), "redirect_uri", Some(near)));
        assert_eq!((response.status, response.header("location")), (400, None), "{near}");
    }
    for exact in ["https://client.example/callback?tenant=a", "com.example.app:/cb"] {
        let id = world.pending(&with(&world.wish(), "redirect_uri", Some(exact)));
        let answer = world.decide(&id, &world.filled_in(&id, "approve"));
        assert!(location(&answer).starts_with(exact), "{}", location(&answer));
    }
}

#[test]
fn cve_2025_4144_and_rfc9700_4_8_a_verifier_cannot_be_left_out() {
    let world = World::new();
    for verifier in [None, Some(""), Some(" "), Some("null"), Some(VERIFIER.trim_end_matches('i'))] {
        let form = with(&world.redemption(&world.code()), "code_verifier", verifier);
        let answer = world.token(&form);
        assert_eq!(answer.0, 400, "{verifier:?}: {}", answer.1);
    }
}

#[test]
fn known_failure_a_challenge_without_its_method_is_not_taken_for_none() {
    let world = World::new();
    for method in [None, Some(""), Some("plain"), Some("S512")] {
        let wish = with(&world.wish(), "code_challenge_method", method);
        assert_eq!(told_error(&world.authorize(&wish)), "invalid_request", "{method:?}");
    }
}

#[test]
fn known_failure_the_client_s_id_is_checked_at_every_endpoint() {
    let world = World::new();
    let tokens = world.tokens();
    for id in ["cli_00000000000000000000000000", "x", "https://nobody.example/client.json"] {
        assert_eq!(world.authorize(&with(&world.wish(), "client_id", Some(id))).status, 400);
        let redeeming = world.token(&with(&world.redemption(&world.code()), "client_id", Some(id)));
        let refreshing =
            with(&world.refreshing(tokens["refresh_token"].as_str().unwrap()), "client_id", Some(id));
        for answer in [redeeming, world.token(&refreshing)] {
            assert!(matches!(error(&answer), (401, "invalid_client") | (400, "invalid_grant")), "{id}");
        }
    }
    assert_eq!(world.refresh(tokens["refresh_token"].as_str().unwrap()).0, 200, "nothing was used up");
}

#[test]
fn known_failure_and_rfc9700_4_11_2_the_decision_leads_nowhere_but_to_the_checked_address() {
    let world = World::new();
    let id = world.pending(&world.wish());
    for (name, value) in [("redirect_uri", EVIL), ("location", EVIL), ("client_id", "x"), ("state", "other")]
    {
        let id = world.pending(&world.wish());
        let answer = world.decide(&id, &plus(&world.filled_in(&id, "approve"), name, value));
        assert!(location(&answer).starts_with(&format!("{CALLBACK}?")), "{name}");
        assert_eq!(redirected(&answer).get("state"), Some("a state & more"), "{name}");
    }
    let answer = world.decide(&id, &world.filled_in(&id, "deny"));
    assert!(location(&answer).starts_with(&format!("{CALLBACK}?error=access_denied")));
}

#[test]
fn known_failure_addresses_in_other_metadata_are_neither_kept_nor_shown() {
    let world = World::new();
    let (status, body) = world.register(&json!({
        "redirect_uris": [CALLBACK],
        "client_name": "An assistant",
        "client_uri": "javascript:alert(1)",
        "logo_uri": "javascript:alert(2)",
        "tos_uri": "data:text/html,x",
        "policy_uri": "\u{1}javascript:alert(3)",
        "jwks_uri": "http://169.254.169.254/"
    }));
    assert_eq!(status, 201);
    let kept = format!("{body}{:?}", world.sim.directory.query("SELECT metadata FROM client", []));
    assert!(!kept.contains("alert") && !kept.contains("data:") && !kept.contains("169.254"), "{kept}");

    let mut world = World::new();
    let shelf = Shelf::of(&world);
    let mut document = public_client();
    for name in ["client_uri", "logo_uri", "tos_uri", "policy_uri"] {
        document[name] = json!("javascript:alert(1)");
    }
    shelf.put_json(super::documents::CLIENT, &document);
    world.client_id = super::documents::CLIENT.to_owned();
    let id = world.pending(&world.wish());
    let page = text(&world.consent_page(&world.browser, &id));
    assert!(!page.contains("javascript:") && !page.contains("<img"), "{page}");
    assert_eq!(world.sim.web.requests().len(), 1, "no logo is fetched");
}

#[test]
fn known_failure_nobody_ends_another_client_s_grant() {
    let world = World::new();
    let tokens = world.tokens();
    let other = world.register_client(&[CALLBACK]);
    let thief = [other.as_str(), "https://thief.example/client.json", "cli_00000000000000000000000000"];
    for client in thief {
        for kind in ["access_token", "refresh_token"] {
            let form = [("token", tokens[kind].as_str().unwrap()), ("client_id", client)];
            world.revoke(&form.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
    }
    assert_eq!(world.call(tokens["access_token"].as_str().unwrap()), Ok(()));
    assert_eq!(world.refresh(tokens["refresh_token"].as_str().unwrap()).0, 200);
}

#[test]
fn known_failure_no_answer_of_an_endpoint_is_kept_by_a_cache() {
    let world = World::new();
    let good = world.redemption(&world.code());
    for form in
        [good.clone(), with(&good, "code", Some("x.y")), with(&good, "client_id", Some("x")), Vec::new()]
    {
        world.token(&form); // `answer` looks at the headers.
        world.revoke(&form);
    }
    world.sim.faults.on_statement("find_client", Fault::LostRequest);
    world.sim.memory.forget(&format!("client/2/{}", world.client_id));
    assert_eq!(world.authorize(&world.wish()).header("cache-control"), Some("no-store"));
}

#[test]
fn known_failure_a_used_assertion_is_remembered_however_short_it_lives() {
    // KV keeps nothing for less than a minute, so that a store there would forget or fail.
    let world = World::new();
    let directory = &world.sim.directory;
    let now = postern::platform::Clock::now(&*world.sim.clock);
    directory.execute(
        "INSERT INTO client_assertion (assertion_hash, expires_at) VALUES (?1, ?2)",
        rusqlite::params!["h".repeat(43), now.plus_seconds(1).as_millis()],
    );
    run(postern::operator::retain(&world.sim.platform())).unwrap();
    assert_eq!(directory.number("SELECT count(*) FROM client_assertion", []), 1);
    assert!(world.sim.key_value.newest().keys().all(|key| !key.contains("assertion")));
}

#[test]
fn rfc9700_4_2_and_4_3_nothing_secret_leaks_by_referrer_or_history() {
    let world = World::new();
    let id = world.pending(&world.wish());
    let page = world.consent_page(&world.browser, &id);
    let answer = world.decide(&id, &world.filled_in(&id, "approve"));
    for response in [&page, &answer] {
        assert_eq!(response.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }
    assert!(!location(&answer).contains("access_token"), "tokens never travel in addresses");
    let code = redirected(&answer).get("code").unwrap().to_owned();
    assert_eq!(world.token(&world.redemption(&code)).0, 200);
    assert_eq!(
        error(&world.token(&world.redemption(&code))),
        (400, "invalid_grant"),
        "what a history keeps is used up"
    );
}

#[test]
fn rfc9700_4_4_and_rfc9207_2_every_answer_names_the_issuer() {
    let world = World::new();
    for decision in ["approve", "deny"] {
        let id = world.pending(&world.wish());
        let answer = world.decide(&id, &world.filled_in(&id, decision));
        assert_eq!(redirected(&answer).get("iss"), Some("http://localhost:8790"), "{decision}");
    }
    let refused = world.authorize(&with(&world.wish(), "code_challenge", None));
    assert_eq!(told_error(&refused), "invalid_request"); // `told_error` looks for the issuer.
}

#[test]
fn rfc9700_4_10_2_a_token_is_for_one_resource_however_it_is_spelt() {
    let world = World::new();
    crate::sim::world::Company::found(&world.sim, "acme-2");
    let token = world.tokens()["access_token"].as_str().unwrap().to_owned();
    for name in ["acme-2", "nobody"] {
        let request = world.mcp_request(Some(&format!("Bearer {token}")));
        let refused = run(oauth::authenticate(&world.sim.platform(), &request, name)).unwrap_err();
        assert_eq!(refused.status, 401, "{name}");
    }
}

#[test]
fn rfc9700_4_12_a_decision_is_answered_so_that_no_form_is_sent_on() {
    let world = World::new();
    for decision in ["approve", "deny"] {
        let id = world.pending(&world.wish());
        assert_eq!(world.decide(&id, &world.filled_in(&id, decision)).status, 303, "never 307 or 308");
    }
}

#[test]
fn rfc9700_4_13_headers_of_a_proxy_change_nothing() {
    let world = World::new();
    let mut probe = request(RequestMethod::Get, "/.well-known/oauth-authorization-server");
    for name in ["x-forwarded-host", "x-forwarded-proto", "forwarded", "x-original-url", "x-real-ip"] {
        probe.headers.push((name.into(), "evil.example".into()));
    }
    let body = text(&serve(&world, probe.clone()));
    assert!(!body.contains("evil.example") && body.contains("\"issuer\":\"http://localhost:8790\""));
    "evil.example".clone_into(&mut probe.host);
    assert_eq!(serve(&world, probe).status, 421);
}

#[test]
fn rfc9700_4_16_no_page_of_the_flow_can_be_framed() {
    let world = World::new();
    let id = world.pending(&world.wish());
    let refused = world.authorize(&with(&world.wish(), "code_challenge", None));
    let unknown = world.authorize(&with(&world.wish(), "client_id", Some("x")));
    for page in [world.consent_page(&world.browser, &id), refused, unknown] {
        assert!(page.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
    }
}

#[test]
fn rfc9700_2_1_2_and_2_4_neither_implicit_nor_password_nor_client_credentials_are_served() {
    let world = World::new();
    for kind in ["token", "id_token", "code token", "none"] {
        let wish = with(&world.wish(), "response_type", Some(kind));
        assert_eq!(told_error(&world.authorize(&wish)), "unsupported_response_type", "{kind}");
    }
    for kind in ["password", "client_credentials", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"]
    {
        let form = with(&world.redemption("a.b"), "grant_type", Some(kind));
        assert_eq!(error(&world.token(&form)), (400, "unsupported_grant_type"), "{kind}");
    }
    let (_, metadata) = answer(&oauth::server_metadata(&world.sim.platform()));
    assert_eq!(metadata["grant_types_supported"], json!(["authorization_code", "refresh_token"]));
}

#[test]
fn rfc9700_4_17_no_answer_is_handed_over_by_script() {
    let world = World::new();
    for mode in ["web_message", "web_message.jwt", "form_post", "fragment", "query.jwt", "jwt", "Query"] {
        let refused = world.authorize(&plus(&world.wish(), "response_mode", mode));
        assert_eq!(told_error(&refused), "invalid_request", "{mode}");
    }
    let id = world.pending(&world.wish());
    let page = world.consent_page(&world.browser, &id);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin"), "nobody holds its window");
}

#[test]
fn rfc9700_4_6_no_token_ever_comes_through_the_browser() {
    let world = World::new();
    let stolen = world.tokens()["access_token"].as_str().unwrap().to_owned();
    let id = world.pending(&plus(&world.wish(), "access_token", &stolen));
    let answer = world.decide(&id, &world.filled_in(&id, "approve"));
    assert!(!location(&answer).contains("token"), "{}", location(&answer));
    let own = redirected(&answer).get("code").unwrap().to_owned();
    let redeemed = world.token(&plus(&world.redemption(&own), "access_token", &stolen)).1;
    assert_ne!(redeemed["access_token"], stolen.as_str());
    let as_code = world.token(&world.redemption(&stolen));
    assert_eq!(error(&as_code), (400, "invalid_grant"), "nor is it taken for what does");
}

#[test]
fn cve_2026_25536_parallel_requests_of_two_clients_get_their_own_answers() {
    for seed in 0..30 {
        let world = World::with_seed(seed);
        let other = Company::found(&world.sim, "other");
        let platform = world.sim.platform();
        // The same JSON-RPC id in both, at once, in one isolate.
        let request = |tenant: &str| {
            let mut request = request(RequestMethod::Post, &format!("/{tenant}/mcp"));
            request.headers.push(("content-type".into(), "application/json".into()));
            request.headers.push(("accept".into(), "application/json, text/event-stream".into()));
            request.body = super::standing::call("whoami", json!({})).to_string().into_bytes();
            request
        };
        let (ours, theirs) = (request("acme"), request("other"));
        let (us, them) = (world.company.caller(&world.sim), other.caller(&world.sim));
        let ask = |caller, request| postern::mcp::serve(&platform, caller, Scopes::EVERY, request);
        let answers = interleave(
            &Random::new(seed),
            vec![Box::pin(ask(&us, &ours)), Box::pin(ask(&them, &theirs)), Box::pin(ask(&us, &ours))],
        );
        for (answer, (own, foreign)) in
            answers.iter().zip([("acme", "other"), ("other", "acme"), ("acme", "other")])
        {
            let postern::mcp::Outcome::Response(response) = &answer.outcome else { panic!("seed {seed}") };
            let body = text(response);
            let (own, foreign) = (format!("owner@{own}.example"), format!("owner@{foreign}.example"));
            assert!(body.contains(&own) && !body.contains(&foreign), "seed {seed}: {body}");
        }
    }
}
