//! How soon a change of a grant, a role or a token's scope is felt: at once by whatever touches the databases, within 75
//! seconds by discovery, lists of tools and challenges.

use postern::{
    desk::Role,
    edge,
    http::{Request, Response},
};
use serde_json::{Value, json};

use super::{World, plus};
use crate::sim::{Fault, Odds, Port, run};

/// A message to the endpoint, as a client of the era that has it sends it.
fn message(world: &World, access: &str, body: &Value) -> Request {
    let mut request = world.mcp_request(Some(&format!("Bearer {access}")));
    let mut header = |name: &str, value: &str| request.headers.push((name.to_owned(), value.to_owned()));
    header("content-type", "application/json");
    header("accept", "application/json, text/event-stream");
    if body["params"]["_meta"].is_object() {
        header("mcp-protocol-version", "2026-07-28");
        header("mcp-method", body["method"].as_str().unwrap());
    }
    request.body = body.to_string().into_bytes();
    request
}

pub fn send(world: &World, access: &str, body: &Value) -> Response {
    run(edge::serve(&world.sim.platform(), message(world, access, body)))
}

fn asks(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

pub fn call(tool: &str, arguments: Value) -> Value {
    asks("tools/call", json!({ "name": tool, "arguments": arguments }))
}

fn whoami() -> Value {
    call("whoami", json!({}))
}

/// What is answered without the databases, in both eras.
fn ungated() -> Vec<Value> {
    let modern = json!({ "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    } });
    let handshake = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": { "name": "a test", "version": "1" },
    });
    vec![
        asks("initialize", handshake),
        asks("ping", json!({})),
        asks("tools/list", json!({})),
        asks("tools/list", modern.clone()),
        asks("server/discover", modern),
        asks("tools/call", json!({ "name": "no such tool tools/call" })),
        asks("no/such/method", json!({ "name": "tools/call" })),
        call("whoami", json!({ "unknown": true })),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!([asks("ping", json!({})), whoami()]),
    ]
}

fn access(world: &World) -> String {
    world.tokens()["access_token"].as_str().unwrap().to_owned()
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn description(world: &World, access: &str, tool: &str) -> Option<String> {
    let list = body(&send(world, access, &asks("tools/list", json!({}))));
    let tools = list["result"]["tools"].as_array().unwrap();
    tools
        .iter()
        .find(|entry| entry["name"] == tool)
        .map(|entry| entry["description"].as_str().unwrap().to_owned())
}

#[test]
fn a_revocation_elsewhere_reaches_calls_at_once_and_every_other_answer_within_75_seconds() {
    for asked in ungated() {
        let world = World::new();
        let access = access(&world);
        let before = send(&world, &access, &asked);
        assert_ne!(before.status, 401, "{asked}");
        // From now on KV tells what it told first, for ever; and the one who revoked could not reach it either.
        world.sim.key_value.set_lag(100_000);
        world.sim.shard().execute("UPDATE oauth_grant SET revoked_at = 1, generation = generation + 1", []);
        assert_eq!(send(&world, &access, &whoami()).status, 401, "at once");
        world.sim.clock.advance_seconds(75);
        let after = send(&world, &access, &asked);
        assert_eq!(after.status, 401, "{asked}");
        let challenge = after.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{challenge}");
    }
}

#[test]
fn what_the_role_forbids_is_not_listed_even_if_it_was_never_granted() {
    let world = World::new();
    let access = access(&world);
    assert!(
        description(&world, &access, "connect_social_profile").is_some(),
        "an owner's app may ask for more"
    );
    world.sim.shard().execute("UPDATE membership SET role = 'viewer'", []);
    world.sim.clock.advance_seconds(75);
    assert_eq!(description(&world, &access, "connect_social_profile"), None);
    assert!(description(&world, &access, "whoami").is_some());
}

#[test]
fn a_client_that_gives_its_token_back_is_unknown_here_at_once() {
    for asked in ungated() {
        let world = World::new();
        let access = access(&world);
        send(&world, &access, &asked);
        let form = [("token", access.as_str()), ("client_id", &world.client_id)];
        world.revoke(&form.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(send(&world, &access, &asked).status, 401, "{asked}");
    }
}

#[test]
fn a_demotion_reaches_calls_at_once_and_the_list_of_tools_within_75_seconds() {
    let world = World::new();
    let (_, browser) = world.add_member("eve", Role::Editor);
    let World { sim, company, client_id, .. } = world;
    let world = World { sim, company, browser, client_id };
    let access = access(&world);
    assert!(description(&world, &access, "create_post").is_some());
    world.sim.key_value.set_lag(100_000);
    world.sim.shard().execute("UPDATE membership SET role = 'viewer' WHERE name = 'eve'", []);
    let refused = send(&world, &access, &call("create_post", json!({ "text": "x" })));
    assert_eq!(refused.status, 200, "asking the person for more would not help");
    assert!(body(&refused).to_string().contains("role_not_allowed"));
    world.sim.clock.advance_seconds(75);
    assert_eq!(description(&world, &access, "create_post"), None);
    assert!(description(&world, &access, "list_posts").is_some());
}

#[test]
fn a_narrowing_reaches_calls_at_once_and_the_list_of_tools_within_75_seconds() {
    let world = World::new();
    let access = access(&world);
    assert!(!description(&world, &access, "create_post").unwrap().contains("Not granted"));
    world.sim.key_value.set_lag(100_000);
    world.sim.shard().execute("UPDATE oauth_grant SET capabilities = 1", []);
    let refused = send(&world, &access, &call("create_post", json!({ "text": "x" })));
    assert_eq!(refused.status, 403);
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.contains("scope=\"posts:write\""), "{challenge}");
    world.sim.clock.advance_seconds(75);
    assert!(description(&world, &access, "create_post").unwrap().contains("Not granted"));
}

#[test]
fn a_workspace_that_is_taken_out_of_a_grant_is_gone_at_once() {
    let world = World::new();
    let access = access(&world);
    let listed = || body(&send(&world, &access, &call("list_workspaces", json!({})))).to_string();
    assert!(listed().contains(world.company.workspace.as_str()));
    world.sim.shard().execute("DELETE FROM grant_workspace", []);
    assert!(!listed().contains(world.company.workspace.as_str()));
}

#[test]
fn rfc6749_6_a_token_that_was_narrowed_is_no_wider_at_the_resource() {
    let world = World::new();
    let tokens = world.tokens();
    let wide = tokens["access_token"].as_str().unwrap();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let (_, narrowed) = world.token(&plus(&world.refreshing(refresh), "scope", "posts:read"));
    let narrow = narrowed["access_token"].as_str().unwrap();
    let create = call("create_post", json!({ "text": "x" }));

    let refused = send(&world, narrow, &create);
    assert_eq!(refused.status, 403);
    assert!(refused.header("www-authenticate").unwrap().contains("scope=\"posts:write\""));
    assert_eq!(world.count("SELECT count(*) FROM post_group"), 0);
    assert!(description(&world, narrow, "create_post").unwrap().contains("Not granted"));

    assert_eq!(send(&world, wide, &create).status, 200);
    assert_eq!(world.count("SELECT count(*) FROM post_group"), 1);
    let batch = json!([create, whoami()]);
    assert_eq!(send(&world, narrow, &batch).status, 403);
    assert!(
        !description(&world, wide, "create_post").unwrap().contains("Not granted"),
        "one token's narrowness is not the grant's"
    );
}

#[test]
fn what_was_read_once_answers_for_15_seconds_without_kv_or_databases() {
    let world = World::new();
    let access = access(&world);
    let list = asks("tools/list", json!({}));
    assert_eq!(send(&world, &access, &list).status, 200);
    world.sim.faults.set_odds(Odds { lost_request: 1000, ..Odds::CALM });
    world.sim.clock.advance_millis(14_999);
    assert_eq!(send(&world, &access, &list).status, 200);
    world.sim.clock.advance_millis(1);
    assert_eq!(send(&world, &access, &list).status, 503, "not known is not refused");
    world.sim.faults.calm();
    world.sim.faults.on_call(Port::KeyValue, 1, Fault::LostRequest);
    assert_eq!(send(&world, &access, &list).status, 200, "a failing KV is only slower");
}
