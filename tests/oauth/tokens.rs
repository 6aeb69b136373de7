//! Redeeming codes: RFC 6749 section 4.1.3, RFC 7636 section 4.6, RFC 8707 section 2.2.

use postern::{
    http::RequestMethod,
    oauth,
    platform::{Clock, Later},
};
use serde_json::json;

use super::{CALLBACK, VERIFIER, World, answer, error, form_request, plus, request, with};
use crate::sim::{Fault, Random, interleave, run, run_until_crash};

#[test]
fn rfc6749_4_1_2_a_code_works_once_and_a_plain_replay_ends_nothing() {
    let world = World::new();
    let code = world.code();
    let (_, tokens) = world.token(&world.redemption(&code));
    assert_eq!(error(&world.token(&world.redemption(&code))), (400, "invalid_grant"));
    assert_eq!(world.call(tokens["access_token"].as_str().unwrap()), Ok(()));
    assert_eq!(world.refresh(tokens["refresh_token"].as_str().unwrap()).0, 200);
}

#[test]
fn rfc6749_10_5_a_replay_by_somebody_else_ends_the_grant() {
    for by_client in [true, false] {
        let world = World::new();
        let code = world.code();
        let (_, tokens) = world.token(&world.redemption(&code));
        let replay = if by_client {
            with(&world.redemption(&code), "client_id", Some(&world.register_client(&[CALLBACK])))
        } else {
            with(&world.redemption(&code), "code_verifier", Some(&"x".repeat(43)))
        };
        assert_eq!(error(&world.token(&replay)), (400, "invalid_grant"));
        assert_eq!(world.call(tokens["access_token"].as_str().unwrap()), Err(401));
        let refresh = tokens["refresh_token"].as_str().unwrap();
        assert_eq!(error(&world.refresh(refresh)), (400, "invalid_grant"));
        assert_eq!(world.count("SELECT count(*) FROM audit WHERE act = 'end_grant_code_replay'"), 1);
    }
}

/// A world whose client gets no refresh tokens.
fn without_refresh(seed: u64) -> World {
    let mut world = World::with_seed(seed);
    let (_, body) =
        world.register(&json!({ "redirect_uris": [CALLBACK], "grant_types": ["authorization_code"] }));
    world.client_id = body["client_id"].as_str().unwrap().to_owned();
    world
}

#[test]
fn a_grant_without_refresh_tokens_ends_with_its_access_token() {
    let world = without_refresh(1);
    let tokens = world.tokens();
    let (access, now) = (tokens["access_token"].as_str().unwrap(), world.sim.clock.now().as_millis());
    assert_eq!(world.count("SELECT expires_at FROM oauth_grant") - now, 600_000);
    world.sim.clock.advance_millis(599_999);
    assert_eq!(world.call(access), Ok(()));
}

#[test]
fn of_parallel_redemptions_one_wins_and_its_tokens_live() {
    for seed in 0..40 {
        for (world, families) in [(World::with_seed(seed), 1), (without_refresh(seed), 0)] {
            let request = form_request("/token", &world.redemption(&world.code()));
            let platform = world.sim.platform();
            let running: Vec<Later<'_, _>> =
                (0..5).map(|_| Box::pin(oauth::token(&platform, &request)) as Later<'_, _>).collect();
            let answers: Vec<_> = interleave(&Random::new(seed), running).iter().map(answer).collect();
            let won: Vec<_> = answers.iter().filter(|answer| answer.0 == 200).collect();
            assert_eq!(won.len(), 1, "seed {seed}");
            assert!(answers.iter().filter(|a| a.0 != 200).all(|a| error(a) == (400, "invalid_grant")));
            assert_eq!(world.call(won[0].1["access_token"].as_str().unwrap()), Ok(()), "seed {seed}");
            assert_eq!(world.count("SELECT count(*) FROM refresh_family"), families);
        }
    }
}

#[test]
fn a_wrong_attempt_does_not_burn_the_code() {
    let world = World::new();
    let code = world.code();
    let good = world.redemption(&code);
    let other = world.register_client(&[CALLBACK]);
    for (name, value, code, status) in [
        ("code_verifier", Some("x".repeat(43)), "invalid_grant", 400),
        ("code_verifier", Some(VERIFIER.to_uppercase()), "invalid_grant", 400),
        ("code_verifier", None, "invalid_request", 400),
        ("code_verifier", Some(String::new()), "invalid_request", 400),
        ("client_id", Some(other), "invalid_grant", 400),
        ("client_id", None, "invalid_request", 400),
        ("client_id", Some("cli_00000000000000000000000000".into()), "invalid_client", 401),
        ("redirect_uri", Some("https://client.example/other".into()), "invalid_grant", 400),
        ("redirect_uri", None, "invalid_grant", 400),
        ("resource", Some("http://localhost:8790/other/mcp".into()), "invalid_target", 400),
        ("resource", Some("https://evil.example/acme/mcp".into()), "invalid_target", 400),
        ("client_secret", Some("secret".into()), "invalid_client", 401),
        ("grant_type", Some("password".into()), "unsupported_grant_type", 400),
        ("grant_type", None, "invalid_request", 400),
        ("code", None, "invalid_request", 400),
    ] {
        let answer = world.token(&with(&good, name, value.as_deref()));
        assert_eq!(error(&answer), (status, code), "{name} {value:?}");
    }
    assert_eq!(error(&world.token(&plus(&good, "code", &code))), (400, "invalid_request"));
    assert_eq!(error(&world.token(&plus(&good, "resource", &world.resource()))), (400, "invalid_target"));
    assert_eq!(world.token(&good).0, 200);
}

#[test]
fn a_code_that_never_was_is_refused() {
    let world = World::new();
    let code = world.code();
    let tenant = world.company.tenant.id.as_str();
    let other = crate::sim::world::Company::found(&world.sim, "other").tenant.id;
    for wrong in [
        "x".to_owned(),
        ".".to_owned(),
        format!("{tenant}."),
        format!("{tenant}.{}", "A".repeat(43)),
        format!("{tenant}.{}", "A".repeat(5000)),
        code.replace(tenant, other.as_str()),
        code.replace(tenant, "tnt_00000000000000000000000000"),
        format!("{code}A"),
    ] {
        assert_eq!(error(&world.token(&world.redemption(&wrong))), (400, "invalid_grant"), "{wrong}");
    }
}

#[test]
fn rfc6749_4_1_2_a_code_lives_sixty_seconds() {
    let world = World::new();
    let late = world.code();
    world.sim.clock.advance_seconds(60);
    assert_eq!(error(&world.token(&world.redemption(&late))), (400, "invalid_grant"));
    let in_time = world.code();
    world.sim.clock.advance_millis(59_999);
    assert_eq!(world.token(&world.redemption(&in_time)).0, 200);
}

#[test]
fn a_code_of_somebody_who_was_removed_is_worth_nothing() {
    let world = World::new();
    let code = world.code();
    world.sim.shard().execute("UPDATE membership SET ended_at = 1", []);
    assert_eq!(error(&world.token(&world.redemption(&code))), (400, "invalid_grant"));
}

#[test]
fn rfc6749_5_1_refresh_tokens_go_to_clients_that_use_them_or_ask_for_offline_access() {
    let world = without_refresh(1);
    let tokens = world.tokens();
    assert!(tokens.get("refresh_token").is_none());
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(world.call(access), Ok(()));
    world.sim.clock.advance_seconds(600);
    assert_eq!(world.call(access), Err(401));

    let code = world.code_for(&with(&world.wish(), "scope", Some("posts:read offline_access")));
    let (_, tokens) = world.token(&world.redemption(&code));
    assert_eq!(tokens["scope"], "posts:read offline_access");
    assert_eq!(world.refresh(tokens["refresh_token"].as_str().unwrap()).0, 200);
}

#[test]
fn rfc6749_3_2_a_body_that_is_no_form_is_refused() {
    let world = World::new();
    let mut request = request(RequestMethod::Post, "/token");
    request.headers.push(("content-type".into(), "application/json".into()));
    request.body = br#"{"grant_type":"authorization_code"}"#.to_vec();
    assert_eq!(error(&answer(&run(oauth::token(&world.sim.platform(), &request)))), (400, "invalid_request"));
    let mut request = form_request("/token", &world.redemption("x.y"));
    request.headers.push(("authorization".into(), "Basic eDp5".into()));
    assert_eq!(error(&answer(&run(oauth::token(&world.sim.platform(), &request)))), (401, "invalid_client"));
}

#[test]
fn a_crash_while_redeeming_leaves_at_most_one_family() {
    for steps in 0.. {
        let world = World::new();
        let request = form_request("/token", &world.redemption(&world.code()));
        let platform = world.sim.platform();
        let ended = run_until_crash(steps, oauth::token(&platform, &request)).is_some();
        let again = answer(&run(oauth::token(&platform, &request)));
        let families = world.count("SELECT count(*) FROM refresh_family");
        assert_eq!(families, 1, "after {steps} steps");
        assert!(again.0 == 200 || error(&again) == (400, "invalid_grant"));
        if ended {
            return;
        }
    }
}

#[test]
fn a_database_that_does_not_answer_is_no_reason_to_sign_in_again() {
    let world = World::new();
    let good = world.redemption(&world.code());
    world.sim.faults.on_statement("find_code", Fault::LostRequest);
    assert_eq!(error(&world.token(&good)), (503, "temporarily_unavailable"));
    world.sim.faults.on_statement("use_code", Fault::LostRequest);
    assert_eq!(error(&world.token(&good)), (503, "temporarily_unavailable"));
    assert_eq!(world.token(&good).0, 200);
}

#[test]
fn neither_code_nor_token_stands_in_any_store() {
    let world = World::new();
    let code = world.code();
    let (_, tokens) = world.token(&world.redemption(&code));
    let secrets = [
        code.split_once('.').unwrap().1,
        tokens["access_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap().rsplit_once('.').unwrap().1,
        VERIFIER,
    ];
    let mut stored = format!("{:?}", world.sim.key_value.newest());
    for table in ["auth_code", "oauth_grant", "refresh_family", "audit", "app_entry"] {
        stored += &format!("{:?}", world.sim.shard().query(&format!("SELECT * FROM {table}"), []));
    }
    for table in ["client", "pending_authorization"] {
        stored += &format!("{:?}", world.sim.directory.query(&format!("SELECT * FROM {table}"), []));
    }
    assert!(secrets.iter().all(|secret| !stored.contains(secret)));
}
