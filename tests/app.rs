//! The way of a request before any room sees it.

use std::{fs, path::Path};

use postern::{
    edge::{DIRECTORY_SCHEMA, SHARD_SCHEMA, database_fault, serve, tick},
    http::{Request, RequestMethod, Response},
    platform::DatabaseFault,
};

use crate::sim::{Fault, Port, Sim, config_from, local_settings, run};

const APP: &str = "localhost:8790";
const CONTENT: &str = "127.0.0.1:8790";

pub fn request(method: RequestMethod, host: &str, path: &str) -> Request {
    Request {
        method,
        host: host.to_owned(),
        path: path.to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
        peer: "203.0.113.9".to_owned(),
    }
}

fn answer(sim: &Sim, request: Request) -> Response {
    run(serve(&sim.platform(), request))
}

fn get(sim: &Sim, host: &str, path: &str) -> Response {
    answer(sim, request(RequestMethod::Get, host, path))
}

fn json(response: &Response) -> serde_json::Value {
    serde_json::from_slice(&response.body).unwrap()
}

#[test]
fn health_is_good_when_every_database_is_current() {
    let sim = Sim::with_shards(1, 2);
    let response = get(&sim, APP, "/healthz");
    assert_eq!(response.status, 200);
    assert_eq!(
        json(&response),
        serde_json::json!({ "ok": true, "databases": [
            { "database": "DIRECTORY", "state": "ok", "schema": DIRECTORY_SCHEMA, "needs": DIRECTORY_SCHEMA },
            { "database": "SHARD_0", "state": "ok", "schema": SHARD_SCHEMA, "needs": SHARD_SCHEMA },
            { "database": "SHARD_1", "state": "ok", "schema": SHARD_SCHEMA, "needs": SHARD_SCHEMA },
        ]})
    );
}

#[test]
fn health_is_bad_when_a_database_is_behind_or_away() {
    let sim = Sim::with_shards(1, 2);
    sim.shards[1].execute("DELETE FROM d1_migrations", []);
    sim.faults.on_call(Port::Directory, 1, Fault::LostRequest);
    let response = get(&sim, APP, "/healthz");
    assert_eq!(response.status, 503);
    let states: Vec<String> = json(&response)["databases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|database| database["state"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(states, ["unreachable", "ok", "behind"]);
}

#[test]
fn the_worker_needs_the_newest_migrations() {
    let count = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(name);
        i64::try_from(fs::read_dir(folder).unwrap().count()).unwrap()
    };
    assert_eq!((DIRECTORY_SCHEMA, SHARD_SCHEMA), (count("directory"), count("shard")));
}

#[test]
fn each_origin_answers_404_to_the_others_paths() {
    let sim = Sim::new(1);
    assert_eq!(get(&sim, CONTENT, "/healthz").status, 404);
    assert_eq!(get(&sim, APP, "/media/a/b/c").status, 404);
    for host in
        ["localhost", "localhost:8791", "evil.example", "", "127.0.0.1", "localhost:8790.evil.example"]
    {
        let response = get(&sim, host, "/healthz");
        assert_eq!((response.status, &json(&response)["code"]), (421, &"misdirected".into()), "{host}");
    }
}

#[test]
fn a_default_port_may_be_named() {
    let mut sim = Sim::new(1);
    let mut settings = local_settings();
    settings[0].1 = "https://mcp.example.com".to_owned();
    settings[1].1 = "https://wall.example.com".to_owned();
    sim.config = config_from(&settings).unwrap_or_else(|_| panic!("good settings"));
    assert_eq!(get(&sim, "mcp.example.com", "/healthz").status, 200);
    assert_eq!(get(&sim, "mcp.example.com:443", "/healthz").status, 200);
    assert_eq!(get(&sim, "mcp.example.com:80", "/healthz").status, 421);
}

#[test]
fn an_unknown_path_is_a_json_problem() {
    let sim = Sim::new(1);
    for path in ["/nothing/here/at/all", "//", "/../etc", "/healthz/x", "/%00", "/\u{1f426}"] {
        let response = get(&sim, APP, path);
        assert_eq!(response.status, 404, "{path}");
        assert_eq!(response.header("content-type"), Some("application/problem+json"));
        assert_eq!(json(&response)["code"], "not_found");
    }
}

#[test]
fn another_method_is_told_which_ones_there_are() {
    let sim = Sim::new(1);
    for (method, path, allowed) in [
        (RequestMethod::Post, "/healthz", "GET"),
        (RequestMethod::Options, "/healthz", "GET"),
        (RequestMethod::Get, "/token", "POST"),
        (RequestMethod::Delete, "/sign-in/link/x", "GET, POST"),
    ] {
        let response = answer(&sim, request(method, APP, path));
        assert_eq!((response.status, response.header("allow")), (405, Some(allowed)), "{path}");
        assert_eq!(json(&response)["code"], "method_not_allowed");
    }
}

#[test]
fn scripts_of_any_origin_may_ask_the_protocols_and_nothing_else() {
    let sim = Sim::new(1);
    for (path, methods) in [
        ("/token", "POST"),
        ("/register", "POST"),
        ("/revoke", "POST"),
        ("/.well-known/oauth-authorization-server", "GET"),
        ("/.well-known/oauth-protected-resource/acme/mcp", "GET"),
        ("/acme/mcp", "POST, GET, DELETE"),
    ] {
        let preflight = answer(&sim, request(RequestMethod::Options, APP, path));
        assert_eq!(preflight.status, 204, "{path}");
        assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
        assert_eq!(preflight.header("access-control-allow-methods"), Some(methods), "{path}");
    }
    for path in ["/", "/sign-in", "/authorize", "/consent/x", "/operator"] {
        let response = answer(&sim, request(RequestMethod::Options, APP, path));
        assert_eq!((response.status, response.header("access-control-allow-origin")), (405, None), "{path}");
    }
}

#[test]
fn a_body_over_1_mib_is_refused() {
    let sim = Sim::new(1);
    let mut large = request(RequestMethod::Post, APP, "/token");
    large.body = vec![b'a'; Request::MAX_BODY + 1];
    let response = answer(&sim, large);
    assert_eq!((response.status, &json(&response)["code"]), (413, &"too_large".into()));
}

#[test]
fn content_can_do_nothing_and_is_what_it_says() {
    let sim = Sim::new(1);
    let response = get(&sim, CONTENT, "/media/a/b/c");
    assert_eq!(response.header("content-security-policy"), Some("default-src 'none'; sandbox"));
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(response.header("set-cookie"), None);
}

#[test]
fn each_request_is_one_event_without_its_address() {
    let sim = Sim::new(1);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut secret = request(RequestMethod::Post, APP, "/sign-in/link/topsecret");
    secret.query = "code=topsecret".to_owned();
    secret.method = RequestMethod::Delete;
    secret.headers.push(("traceparent".to_owned(), trace.to_owned()));
    let response = answer(&sim, secret);
    let mut forged = request(RequestMethod::Get, APP, "/healthz");
    forged.headers.push(("traceparent".to_owned(), "00-\n{\"event\":\"forged\"}".to_owned()));
    answer(&sim, forged);

    let events = sim.events.all();
    let expected = serde_json::json!({
        "event": "request", "request": response.header("x-request-id"), "traceparent": trace,
        "route": "sign_in_link", "status": 405, "code": "method_not_allowed", "millis": 0,
    });
    assert_eq!(events[0], expected);
    assert_eq!(
        (events.len(), events[1].get("traceparent"), &events[1]["route"]),
        (2, None, &"health".into())
    );
}

#[test]
fn a_tick_leaves_out_a_shard_that_is_behind_and_says_so() {
    let sim = Sim::with_shards(1, 2);
    sim.shards[0].execute("DELETE FROM d1_migrations", []);
    run(tick(&sim.platform()));
    let fault = serde_json::json!({ "event": "fault", "place": "tick", "kind": "shard_not_current" });
    assert!(sim.events.all().contains(&fault));
}

#[test]
fn what_d1_says_is_understood() {
    let kind = |message: &str| match database_fault(message) {
        DatabaseFault::Aborted(_) => "aborted",
        DatabaseFault::Rejected(_) => "rejected",
        DatabaseFault::Unknown(_) => "unknown",
    };
    for (message, expected) in [
        (
            "D1_ERROR: UNIQUE constraint failed: t.a: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)",
            "aborted",
        ),
        ("D1_ERROR: malformed JSON: SQLITE_ERROR", "aborted"),
        ("D1_ERROR: this row stays: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_TRIGGER)", "aborted"),
        ("D1_ERROR: no such table: absent: SQLITE_ERROR", "rejected"),
        ("D1_ERROR: not authorized to use function: sqlite_version at offset 7: SQLITE_ERROR", "rejected"),
        ("D1_ERROR: statement too long: SQLITE_TOOBIG", "rejected"),
        ("D1_ERROR: Wrong number of parameter bindings for SQL query.", "rejected"),
        ("D1_ERROR: To execute a transaction, please use the state.storage.transaction() or", "rejected"),
        ("D1_TYPE_ERROR: Type 'bigint' not supported for value '1'", "rejected"),
        ("D1_ERROR: Network connection lost.", "unknown"),
        ("D1_ERROR: D1 DB is overloaded. Requests queued for too long.", "unknown"),
        ("D1_ERROR: D1 DB reset because its code was updated.", "unknown"),
        ("D1_ERROR: Internal error while starting up D1 DB storage caused object to be reset.", "unknown"),
        ("", "unknown"),
    ] {
        assert_eq!(kind(message), expected, "{message}");
    }
}
