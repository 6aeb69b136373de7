//! Access tokens at the resource: RFC 6750, RFC 8707, RFC 9068's claims, RFC 9728, MCP authorization.

use chrono::DateTime;
use data_encoding::BASE64URL_NOPAD;
use jwt_compact::{
    AlgorithmExt, Claims, Header,
    alg::{Hs256, Hs256Key, Hs512, Hs512Key},
};
use postern::{
    desk::{Authority, Refusal, Scope, Scopes},
    http::{Request, Response},
    oauth,
    platform::{Clock, Memory, Purpose},
};
use serde_json::{Value, json};

use super::{World, sign_in, text};
use crate::sim::{Fault, config_from, local_settings, run, world::Company};

const CHALLENGE: &str = "Bearer resource_metadata=\"http://localhost:8790/.well-known/oauth-protected-resource/acme/mcp\", scope=\"workspace:read social_profiles:read posts:read posts:write media:write\"";

fn refused(world: &World, request: &Request, safename: &str) -> Response {
    match run(oauth::authenticate(&world.sim.platform(), request, safename)) {
        Ok(_) => panic!("it was let in"),
        Err(response) => response,
    }
}

fn challenge(response: &Response) -> &str {
    assert_eq!(response.status, 401);
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert!(response.header("content-type").unwrap().contains("json"));
    response.header("www-authenticate").unwrap()
}

fn invalid(world: &World, token: &str) -> bool {
    let response = refused(world, &world.mcp_request(Some(&format!("Bearer {token}"))), "acme");
    challenge(&response).starts_with("Bearer error=\"invalid_token\"")
}

fn access(world: &World) -> String {
    world.tokens()["access_token"].as_str().unwrap().to_owned()
}

fn part(token: &str, index: usize) -> Value {
    let encoded = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(encoded.as_bytes()).unwrap()).unwrap()
}

#[test]
fn rfc6750_3_1_without_credentials_the_challenge_names_no_error() {
    let world = World::new();
    for authorization in [None, Some("Basic eDp5"), Some("pst_0123456789"), Some("DPoP abc")] {
        let response = refused(&world, &world.mcp_request(authorization), "acme");
        assert_eq!(challenge(&response), CHALLENGE, "{authorization:?}");
    }
}

#[test]
fn rfc9728_5_1_every_well_formed_name_gets_the_same_challenge() {
    let world = World::new();
    for authorization in [None, Some("Bearer nonsense")] {
        let of = |name: &str| {
            let response = refused(&world, &world.mcp_request(authorization), name);
            format!("{} {:?} {}", response.status, response.headers, text(&response)).replace(name, "NAME")
        };
        assert_eq!(of("acme"), of("nobody"));
    }
    assert_eq!(refused(&world, &world.mcp_request(None), "No!").status, 404);
}

#[test]
fn rfc6750_2_3_a_token_in_query_cookie_or_body_is_no_credential() {
    let world = World::new();
    let token = access(&world);
    let mut request = world.mcp_request(None);
    request.query = format!("access_token={token}");
    request.headers.push(("cookie".into(), format!("{}; access_token={token}", world.browser.cookie)));
    request.headers.push(("content-type".into(), "application/x-www-form-urlencoded".into()));
    request.body = format!("access_token={token}").into_bytes();
    assert_eq!(challenge(&refused(&world, &request, "acme")), CHALLENGE);
}

#[test]
fn rfc6750_2_1_the_scheme_is_in_any_case_and_the_header_alone() {
    let world = World::new();
    let token = access(&world);
    let who = run(oauth::authenticate(
        &world.sim.platform(),
        &world.mcp_request(Some(&format!("bearer {token}"))),
        "acme",
    ))
    .unwrap_or_else(|_| panic!("let in"));
    assert_eq!(who.tenant, world.company.tenant);
    assert_eq!(who.granted.to_text(), "workspace:read posts:read posts:write");
    let mut twice = world.mcp_request(Some(&format!("Bearer {token}")));
    twice.headers.push(("authorization".into(), format!("Bearer {token}")));
    assert_eq!(refused(&world, &twice, "acme").status, 401);
}

#[test]
fn rfc9068_2_1_the_header_names_the_type_and_the_key() {
    let world = World::new();
    assert_eq!(part(&access(&world), 0), json!({ "alg": "HS256", "typ": "at+jwt", "kid": "t1" }));
}

#[test]
fn rfc9068_2_2_every_required_claim_is_there() {
    let world = World::new();
    let token = access(&world);
    let claims = part(&token, 1);
    let now = world.sim.clock.now().as_seconds();
    assert_eq!(claims["iss"], "http://localhost:8790");
    assert_eq!(claims["aud"], "http://localhost:8790/acme/mcp");
    assert_eq!(claims["sub"], world.company.owner.as_str());
    assert_eq!(claims["client_id"], world.client_id.as_str());
    assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(now), Some(now + 600)));
    let id = claims["jti"].as_str().unwrap();
    assert!(id.len() >= 22, "128 random bits: {id}");
    assert_ne!(claims["jti"], part(&access(&world), 1)["jti"]);
}

#[test]
fn rfc9068_2_2_3_the_scope_is_the_one_granted() {
    let world = World::new();
    assert_eq!(part(&access(&world), 1)["scope"], "workspace:read posts:read posts:write");
    let code = world.code_for(&super::with(&world.wish(), "scope", Some("posts:read offline_access")));
    let (_, tokens) = world.token(&world.redemption(&code));
    assert_eq!(part(tokens["access_token"].as_str().unwrap(), 1)["scope"], tokens["scope"]);
}

#[test]
fn rfc9068_5_and_rfc9700_4_15_no_client_s_id_can_be_a_person_s() {
    let world = World::new();
    let claims = part(&access(&world), 1);
    assert!(claims["sub"].as_str().unwrap().starts_with("usr_"));
    for id in [world.company.owner.as_str(), "usr_00000000000000000000000000"] {
        let wish = super::with(&world.wish(), "client_id", Some(id));
        assert_eq!(world.authorize(&wish).status, 400, "{id}");
    }
}

#[test]
fn rfc9068_4_a_token_for_another_resource_is_invalid_here() {
    let world = World::new();
    let token = access(&world);
    Company::found(&world.sim, "other");
    let request = world.mcp_request(Some(&format!("Bearer {token}")));
    let response = refused(&world, &request, "other");
    assert!(challenge(&response).starts_with("Bearer error=\"invalid_token\""));
}

/// A token of our own key, with some claims and header members changed.
fn forged(world: &World, change: impl Fn(&mut Value), header: &Header, key: &Hs256Key) -> String {
    let mut body = part(&access(world), 1);
    change(&mut body);
    let object = body.as_object_mut().unwrap();
    let mut time = |name| object.remove(name).and_then(|v| DateTime::from_timestamp(v.as_i64().unwrap(), 0));
    let (issued, expires) = (time("iat"), time("exp"));
    let mut claims = Claims::new(body);
    claims.issued_at = issued;
    claims.expiration = expires;
    Hs256.token(header, &claims, key).unwrap()
}

fn key_for(world: &World, purpose: Purpose) -> Hs256Key {
    Hs256Key::new(world.sim.config.keys.current(purpose).expose())
}

fn good_header() -> Header {
    Header::empty().with_token_type("at+jwt").with_key_id("t1")
}

#[test]
fn rfc9068_4_every_claim_is_checked() {
    let world = World::new();
    let key = key_for(&world, Purpose::AccessToken);
    let make = |change: &dyn Fn(&mut Value)| forged(&world, change, &good_header(), &key);
    assert_eq!(world.call(&make(&|_| {})), Ok(()), "the forge works");
    let now = world.sim.clock.now().as_seconds();
    let other = Company::found(&world.sim, "other").tenant.id.to_string();
    let changes: [(&str, Value); 14] = [
        ("iss", json!("http://localhost:8790/")),
        ("aud", json!("http://localhost:8790/acme/mcp/")),
        ("aud", json!("http://localhost:8790")),
        ("aud", json!(["http://localhost:8790/acme/mcp"])),
        ("exp", json!(now)),
        ("exp", Value::Null),
        ("iat", json!(now + 61)),
        ("iat", Value::Null),
        ("sub", Value::Null),
        ("client_id", Value::Null),
        ("tenant_id", json!(other)),
        ("tenant_id", Value::Null),
        ("grant_id", json!("grt_x")),
        ("generation", json!("1")),
    ];
    for (name, value) in changes {
        let token = make(&|body| match &value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
            value => body[name] = value.clone(),
        });
        assert!(invalid(&world, &token), "{name} {value}");
    }
}

#[test]
fn a_token_that_is_longer_than_any_that_is_made_is_not_read() {
    let world = World::new();
    let key = key_for(&world, Purpose::AccessToken);
    let padded =
        |bytes: usize| forged(&world, |body| body["jti"] = json!("a".repeat(bytes)), &good_header(), &key);
    let shortest = padded(0).len();
    let fits = padded((4096 - shortest) / 4 * 3);
    assert!((4090..=4096).contains(&fits.len()), "{}", fits.len());
    assert_eq!(world.call(&fits), Ok(()));
    assert!(invalid(&world, &padded((4096 - shortest) / 4 * 3 + 8)));
}

#[test]
fn the_gate_checks_that_the_grant_is_the_token_s() {
    let world = World::new();
    let key = key_for(&world, Purpose::AccessToken);
    let (stranger, _) = world.add_member("eve", postern::desk::Role::Owner);
    for (name, value) in [
        ("sub", json!(stranger)),
        ("client_id", json!("cli_00000000000000000000000000")),
        ("grant_id", json!("grt_00000000000000000000000000")),
        ("generation", json!(2)),
    ] {
        let token = forged(&world, |body| body[name] = value.clone(), &good_header(), &key);
        assert_eq!(world.call(&token), Err(401), "{name}");
    }
}

#[test]
fn rfc8725_3_type_key_and_algorithm_are_fixed() {
    let world = World::new();
    let key = key_for(&world, Purpose::AccessToken);
    let same = |_: &mut Value| {};
    for header in [
        Header::empty().with_key_id("t1"),
        Header::empty().with_key_id("t1").with_token_type("JWT"),
        Header::empty().with_token_type("at+jwt"),
        Header::empty().with_token_type("at+jwt").with_key_id("t2"),
        Header::empty().with_token_type("at+jwt").with_key_id(""),
    ] {
        assert!(invalid(&world, &forged(&world, same, &header, &key)), "{header:?}");
    }
    for purpose in [Purpose::Csrf, Purpose::Cursor, Purpose::Operator, Purpose::TenantKey] {
        assert!(invalid(&world, &forged(&world, same, &good_header(), &key_for(&world, purpose))));
    }
    let token = access(&world);
    let claims = Claims::new(part(&token, 1));
    let hs512 = Hs512Key::new(world.sim.config.keys.current(Purpose::AccessToken).expose());
    assert!(invalid(&world, &Hs512.token(&good_header(), &claims, &hs512).unwrap()));
    let payload = token.split('.').nth(1).unwrap();
    let none = BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"at+jwt","kid":"t1"}"#);
    assert!(invalid(&world, &format!("{none}.{payload}.")));
    for mangled in
        ["", "x", "a.b", "a.b.c", &format!("{token}x"), &token[..token.len() - 1], &"x".repeat(10_000)]
    {
        assert!(invalid(&world, mangled), "{mangled}");
    }
}

#[test]
fn other_artefacts_are_no_access_tokens() {
    let world = World::new();
    let tokens = world.tokens();
    let code = world.code();
    for artefact in [tokens["refresh_token"].as_str().unwrap(), &code, "pst_0123456789abcdef"] {
        assert!(invalid(&world, artefact));
    }
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(super::error(&world.refresh(access)), (400, "invalid_grant"));
    assert_eq!(super::error(&world.token(&world.redemption(access))), (400, "invalid_grant"));
}

/// The root keys t1, which every world begins with, and t2, which is current from now on.
pub(super) fn rotate(world: &mut World, more: &str) {
    let mut settings = local_settings();
    settings[2].1 = format!(
        r#"{{"current":"t2","keys":{{"t1":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","t2":"HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}}{more}}}"#
    );
    world.sim.config = config_from(&settings).unwrap_or_else(|_| panic!("settings"));
}

#[test]
fn rfc9068_4_keys_rotate_by_their_id_without_signing_anyone_out() {
    let mut world = World::new();
    let tokens = world.tokens();
    let access = tokens["access_token"].as_str().unwrap();
    rotate(&mut world, "");
    assert_eq!(world.call(access), Ok(()), "until it expires");
    let (_, second) = world.refresh(tokens["refresh_token"].as_str().unwrap());
    assert_eq!(part(second["access_token"].as_str().unwrap(), 0)["kid"], "t2");
    run(postern::tenants::rotate_keys(&world.sim.platform())).unwrap_or_else(|_| panic!("rotated"));
    rotate(&mut world, r#","retired":["t1"]"#);
    assert!(invalid(&world, access));
    assert_eq!(world.call(second["access_token"].as_str().unwrap()), Ok(()));
    assert_eq!(world.refresh(second["refresh_token"].as_str().unwrap()).0, 200);
}

#[test]
fn rfc9068_4_a_leaked_key_is_worth_nothing_at_once_and_everybody_refreshes() {
    let mut world = World::new();
    let tokens = world.tokens();
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    let leaked = key_for(&world, Purpose::AccessToken);
    let forged_before = forged(&world, |_| {}, &good_header(), &leaked);
    assert_eq!(world.call(&forged_before), Ok(()), "who has the key can forge");

    rotate(&mut world, r#","leaked":["t1"]"#);
    assert!(invalid(&world, &access) && invalid(&world, &forged_before));
    let as_new = Header::empty().with_token_type("at+jwt").with_key_id("t2");
    assert!(invalid(&world, &forged(&world, |_| {}, &as_new, &leaked)), "nor under the new key's name");
    let (status, second) = world.refresh(tokens["refresh_token"].as_str().unwrap());
    assert_eq!(status, 200, "before anything was wrapped anew: {second}");
    let access = second["access_token"].as_str().unwrap();
    assert_eq!((part(access, 0)["kid"].as_str(), world.call(access)), (Some("t2"), Ok(())));

    run(postern::tenants::rotate_keys(&world.sim.platform())).unwrap_or_else(|_| panic!("rotated"));
    rotate(&mut world, r#","retired":["t1"]"#);
    assert_eq!(world.call(access), Ok(()));
    assert!(invalid(&world, &forged(&world, |_| {}, &good_header(), &leaked)), "a retired kid");
    assert_eq!(world.refresh(second["refresh_token"].as_str().unwrap()).0, 200);
    assert_eq!(world.authorize(&world.wish()).status, 303, "the person is still signed in");
}

#[test]
fn mcp_authorization_a_step_up_names_everything_the_operation_needs() {
    let world = World::new();
    let needed = Scopes::of(&[Scope::PostsPublish, Scope::PostsWrite]);
    let token = access(&world);
    let request = world.mcp_request(Some(&format!("Bearer {token}")));
    let who = run(oauth::authenticate(&world.sim.platform(), &request, "acme")).unwrap();
    let response = run(oauth::step_up(&world.sim.platform(), &who, needed));
    assert_eq!(response.status, 403);
    let challenge = response.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer error=\"insufficient_scope\""));
    assert!(challenge.contains("scope=\"posts:write posts:publish\""));
    assert!(challenge.contains("/.well-known/oauth-protected-resource/acme/mcp\""));
}

#[test]
fn a_snapshot_lags_a_revocation_by_at_most_75_seconds() {
    let world = World::new();
    let token = access(&world);
    let request = world.mcp_request(Some(&format!("Bearer {token}")));
    let who = run(oauth::authenticate(&world.sim.platform(), &request, "acme")).unwrap();
    let snapshot = || run(oauth::snapshot(&world.sim.platform(), &who));
    let first = snapshot().unwrap();
    assert_eq!(first.allowed, who.granted);
    assert_eq!(snapshot(), Ok(first));
    world.sim.key_value.set_lag(100_000); // From now on KV tells this for ever.
    world.sim.shard().execute("UPDATE oauth_grant SET revoked_at = 1", []);
    world.sim.clock.advance_seconds(75);
    assert_eq!(snapshot(), Err(Refusal::Unauthenticated));
}

#[test]
fn a_snapshot_is_read_from_kv_and_never_denies() {
    let world = World::new();
    let token = access(&world);
    let request = world.mcp_request(Some(&format!("Bearer {token}")));
    let who = run(oauth::authenticate(&world.sim.platform(), &request, "acme")).unwrap();
    let snapshot = || run(oauth::snapshot(&world.sim.platform(), &who));
    snapshot().unwrap();
    world.sim.faults.on_statement("gate_grant", Fault::LostRequest);
    assert!(snapshot().is_ok(), "no database was asked");
    world.sim.faults.calm();
    world.sim.faults.on_call(crate::sim::Port::KeyValue, 1, Fault::LostRequest);
    assert!(snapshot().is_ok(), "a failing KV is only slower");
}

#[test]
fn a_snapshot_answers_for_its_own_generation_only() {
    let mut world = World::new();
    let access = access(&world);
    let who = |generation: i64, world: &World| {
        let request = world.mcp_request(Some(&format!("Bearer {access}")));
        let mut who = run(oauth::authenticate(&world.sim.platform(), &request, "acme")).unwrap();
        if let Authority::Grant { generation: stated, .. } = &mut who.authority {
            *stated = generation;
        }
        who
    };
    let (present, other) = (who(1, &world), who(2, &world));
    let snapshot = |world: &World, who| run(oauth::snapshot(&world.sim.platform(), who));
    assert!(snapshot(&world, &present).is_ok());
    assert_eq!(snapshot(&world, &other), Err(Refusal::Unauthenticated), "from the isolate's memory");
    world.sim.memory = Memory::default();
    assert_eq!(snapshot(&world, &other), Err(Refusal::Unauthenticated), "from KV");
    world.sim.faults.on_statement("gate_grant", Fault::LostRequest);
    assert!(snapshot(&world, &present).is_ok(), "the copy is still there");
}

#[test]
fn a_snapshot_from_the_future_is_not_believed() {
    let mut world = World::new();
    let request = world.mcp_request(Some(&format!("Bearer {}", access(&world))));
    let who = run(oauth::authenticate(&world.sim.platform(), &request, "acme")).unwrap();
    let snapshot = |world: &World| run(oauth::snapshot(&world.sim.platform(), &who));
    snapshot(&world).unwrap();
    world.sim.shard().execute("UPDATE oauth_grant SET revoked_at = 1", []);
    world.sim.memory = Memory::default();
    assert!(snapshot(&world).is_ok(), "a copy of this very millisecond");
    world.sim.memory = Memory::default();
    world.sim.clock.advance_millis(-1);
    assert_eq!(snapshot(&world), Err(Refusal::Unauthenticated), "another machine's clock was ahead of ours");
}

#[test]
fn cookies_do_not_stand_in_for_tokens_nor_tokens_for_cookies() {
    let world = World::new();
    let token = access(&world);
    let mut request = super::request(postern::http::RequestMethod::Get, "/authorize");
    request.query = super::encode(&world.wish());
    request.headers.push(("authorization".into(), format!("Bearer {token}")));
    let response = run(oauth::authorize(&world.sim.platform(), &request));
    assert!(super::location(&response).starts_with("/sign-in"));
    assert!(sign_in(&world.sim, &world.company.owner).cookie.starts_with("postern_session="));
}
