//! Who comes too often waits: at each door, in its own form, and nobody else with them.

use std::{collections::BTreeSet, fs, path::Path};

use chrono::DateTime;
use jwt_compact::{
    AlgorithmExt, Claims, Header,
    alg::{Hs256, Hs256Key},
};
use postern::{
    desk::Scopes,
    edge::serve,
    http::{Request, RequestMethod, Response},
    mcp::{self, MAX_BATCH},
    platform::{Clock, Door, Purpose, RETRY_AFTER_SECONDS},
};
use serde_json::{Value as Json, json};

use crate::{
    app::request,
    sim::{
        Fault, Port, Sim,
        browser::text,
        run,
        world::{Company, Grant},
    },
};

const APP: &str = "localhost:8790";

fn knock(sim: &Sim, method: RequestMethod, path: &str, peer: &str) -> Response {
    let mut request = request(method, APP, path);
    peer.clone_into(&mut request.peer);
    run(serve(&sim.platform(), request))
}

/// A way in at each door that counts addresses.
const WAYS: [(Door, RequestMethod, &str); 17] = [
    (Door::Token, RequestMethod::Post, "/token"),
    (Door::Token, RequestMethod::Post, "/revoke"),
    (Door::Register, RequestMethod::Post, "/register"),
    (Door::Authorize, RequestMethod::Get, "/authorize"),
    (Door::Authorize, RequestMethod::Get, "/consent/x"),
    (Door::SignIn, RequestMethod::Get, "/sign-in"),
    (Door::SignIn, RequestMethod::Post, "/sign-in/link/x"),
    (Door::SignIn, RequestMethod::Post, "/sign-in/passkey"),
    (Door::SignIn, RequestMethod::Get, "/acme/sign-in"),
    (Door::SignIn, RequestMethod::Get, "/acme/sign-in/x"),
    (Door::SignIn, RequestMethod::Get, "/acme/sign-in/x/callback"),
    (Door::SignIn, RequestMethod::Get, "/acme/invitation/x"),
    (Door::SignIn, RequestMethod::Post, "/sign-out"),
    (Door::SignIn, RequestMethod::Get, "/account"),
    (Door::SignIn, RequestMethod::Post, "/account/sessions"),
    (Door::SignIn, RequestMethod::Post, "/account/passkeys"),
    (Door::SignIn, RequestMethod::Post, "/account/providers"),
];

#[test]
fn who_knocks_too_often_waits_and_others_do_not() {
    for (door, method, path) in WAYS {
        let sim = Sim::new(1);
        sim.limits.set(door, 3);
        for _ in 0..3 {
            assert_ne!(knock(&sim, method, path, "203.0.113.9").status, 429, "{path}");
        }
        let turned_away = knock(&sim, method, path, "203.0.113.9");
        assert_eq!((turned_away.status, turned_away.header("retry-after")), (429, Some("60")), "{path}");
        assert_ne!(knock(&sim, method, path, "203.0.113.10").status, 429, "{path}: another address");
        assert_ne!(knock(&sim, RequestMethod::Get, "/healthz", "203.0.113.9").status, 429, "another door");
        let events = sim.events.all();
        assert_eq!(events[3]["code"], "rate_limited", "{path}");
        sim.clock.advance_seconds(60);
        assert_ne!(knock(&sim, method, path, "203.0.113.9").status, 429, "{path}: after a minute");
    }
}

#[test]
fn each_door_says_so_in_its_own_form() {
    for (door, method, path) in WAYS {
        let sim = Sim::new(1);
        sim.limits.set(door, 0);
        let response = knock(&sim, method, path, "203.0.113.9");
        let kind = response.header("content-type").unwrap().to_owned();
        match door {
            Door::Token | Door::Register => {
                let body: Json = serde_json::from_slice(&response.body).unwrap();
                assert_eq!(
                    (kind.as_str(), &body["error"]),
                    ("application/json", &json!("temporarily_unavailable"))
                );
                assert_eq!(response.header("access-control-allow-origin"), Some("*"), "{path}");
            }
            _ => {
                assert_eq!(kind, "text/html; charset=utf-8", "{path}");
                assert!(text(&response).contains("<h1>Too many attempts</h1>"));
            }
        }
        assert_eq!(response.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[test]
fn an_ipv6_network_is_one_visitor() {
    let sim = Sim::new(1);
    for peer in [
        "2001:db8:1:2::1",
        "2001:db8:1:2:ffff:ffff:ffff:ffff",
        "2001:db8:1:3::1",
        "::ffff:203.0.113.9",
        "203.0.113.9",
        "",
        "not an address",
    ] {
        knock(&sim, RequestMethod::Get, "/sign-in", peer);
    }
    let visitors: BTreeSet<(String, u32)> = sim.limits.visitors(Door::SignIn).into_iter().collect();
    let expected =
        [("20010db800010002/64", 2), ("20010db800010003/64", 1), ("203.0.113.9", 2), ("unknown", 2)];
    assert_eq!(visitors, expected.map(|(visitor, count)| (visitor.to_owned(), count)).into());
}

#[test]
fn a_door_that_cannot_count_opens_unless_strangers_write_behind_it() {
    for (door, method, path) in WAYS {
        let sim = Sim::new(1);
        sim.faults.on_call(Port::Limits, 1, Fault::NotSent);
        let response = knock(&sim, method, path, "203.0.113.9");
        if door == Door::Register {
            assert_eq!((response.status, response.header("retry-after")), (503, Some("60")));
            assert_eq!(sim.directory.number("SELECT count(*) FROM client", []), 0);
        } else {
            assert!(![429, 503].contains(&response.status), "{path}: {}", response.status);
        }
        let fault = json!({ "event": "fault", "place": door.binding(), "kind": "not_counted" });
        assert!(sim.events.all().contains(&fault), "{path}");
    }
}

/// An access token as the token endpoint would give for this grant.
fn token_for(sim: &Sim, company: &Company, grant: &Grant) -> String {
    let now = sim.clock.now().as_seconds();
    let mut claims = Claims::new(json!({
        "iss": sim.config.public_origin, "aud": sim.config.resource("acme"), "sub": grant.user,
        "client_id": grant.client_id, "jti": "1", "scope": Scopes::EVERY.to_text(),
        "tenant_id": company.tenant.id, "grant_id": grant.id, "generation": 1,
    }));
    claims.issued_at = DateTime::from_timestamp(now, 0);
    claims.expiration = DateTime::from_timestamp(now + 600, 0);
    let header = Header::empty().with_token_type("at+jwt").with_key_id(sim.config.keys.current_id());
    let key = Hs256Key::new(sim.config.keys.current(Purpose::AccessToken).expose());
    Hs256.token(&header, &claims, &key).unwrap()
}

fn call(sim: &Sim, token: &str, body: &Json) -> Response {
    let mut request = request(RequestMethod::Post, APP, "/acme/mcp");
    request.headers = [
        ("authorization", format!("Bearer {token}")),
        ("content-type", "application/json".to_owned()),
        ("accept", "application/json, text/event-stream".to_owned()),
        ("mcp-protocol-version", "2025-03-26".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    request.body = body.to_string().into_bytes();
    run(serve(&sim.platform(), request))
}

fn ping() -> Json {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })
}

#[test]
fn a_grants_calls_are_counted_and_no_other_grants() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let other = company.add_grant(&sim, &company.owner, Scopes::EVERY, &[&company.workspace]);
    let (token, others) = (token_for(&sim, &company, &company.grant), token_for(&sim, &company, &other));
    sim.limits.set(Door::Mcp, 2);
    let statuses: Vec<u16> = (0..3).map(|_| call(&sim, &token, &ping()).status).collect();
    assert_eq!(statuses, [200, 200, 429]);
    let turned_away = call(&sim, &token, &ping());
    let body: Json = serde_json::from_slice(&turned_away.body).unwrap();
    assert_eq!(
        (body["code"].as_str(), turned_away.header("retry-after")),
        (Some("rate_limited"), Some("60"))
    );
    assert_eq!(turned_away.header("access-control-allow-origin"), Some("*"));
    assert_eq!(call(&sim, &others, &ping()).status, 200);
    let grants: Vec<String> = sim.limits.visitors(Door::Mcp).into_iter().map(|(grant, _)| grant).collect();
    assert_eq!(
        BTreeSet::from_iter(grants),
        BTreeSet::from([company.grant.id.to_string(), other.id.to_string()])
    );
}

#[test]
fn each_element_of_a_batch_is_a_call() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let token = token_for(&sim, &company, &company.grant);
    sim.limits.set(Door::Mcp, 5);
    let batch = |count: usize| Json::from(vec![ping(); count]);
    assert_eq!(call(&sim, &token, &batch(3)).status, 200);
    assert_eq!(call(&sim, &token, &batch(3)).status, 429, "3 and 3 are more than 5");
    assert_eq!(call(&sim, &token, &ping()).status, 429, "those that were let in count");
}

#[test]
fn nobody_without_a_token_is_counted_against_a_grant() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let token = token_for(&sim, &company, &company.grant);
    sim.limits.set(Door::Mcp, 1);
    for _ in 0..3 {
        assert_eq!(call(&sim, "not.a.token", &ping()).status, 401);
    }
    assert_eq!(call(&sim, &token, &ping()).status, 200);
}

#[test]
fn a_request_weighs_what_it_holds() {
    let weigh = |body: &str| {
        let mut request: Request = request(RequestMethod::Post, APP, "/acme/mcp");
        request.body = body.as_bytes().to_vec();
        mcp::weight(&request)
    };
    for (body, expected) in
        [("", 1), ("{}", 1), ("[]", 1), (" \n[{}, {}]", 2), ("[{}", 1), ("[1,2,3]", 3), ("null", 1)]
    {
        assert_eq!(weigh(body), expected, "{body:?}");
    }
    assert_eq!(weigh(&format!("[{}0]", "0,".repeat(1000))), MAX_BATCH);
}

#[test]
fn the_deployment_counts_in_the_period_that_visitors_are_told_to_wait() {
    let settings = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("wrangler.toml")).unwrap();
    let blocks: Vec<&str> = settings.split("[[ratelimits]]").skip(1).collect();
    assert_eq!(blocks.len(), Door::ALL.len());
    let mut namespaces = BTreeSet::new();
    for door in Door::ALL {
        let name = format!("name = \"{}\"", door.binding());
        let block = blocks.iter().find(|block| block.contains(&name)).unwrap_or_else(|| panic!("no {name}"));
        assert!(block.contains(&format!("period = {RETRY_AFTER_SECONDS} }}")), "{name}");
        let namespace = block.split("namespace_id = ").nth(1).unwrap().lines().next().unwrap();
        assert!(namespaces.insert(namespace.to_owned()), "{name} shares its count");
    }
}
