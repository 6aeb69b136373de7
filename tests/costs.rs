//! What a call costs the databases: for every tool there is, how often it asks them, with how many statements, and what
//! they read. A read asks once, a write twice at most, and neither asks the key-value store.

use std::collections::BTreeSet;

use postern::{
    desk::Effect,
    edge,
    http::{Request, RequestMethod},
    mcp,
    platform::Memory,
};
use serde_json::{Value, json};

use crate::{
    limits::{call, token_for},
    posts::{confirming::in_doubt, stage::Stage},
    sim::{Call, Port, Sim, Work, run},
};

/// What a call cost.
struct Cost {
    round_trips: usize,
    statements: usize,
    rows: usize,
    scanned: i32,
}

/// A call of a tool, on a stage that it may prepare, and what it costs there at most.
struct Case {
    tool: &'static str,
    arguments: fn(&Stage) -> Value,
    round_trips: usize,
    statements: usize,
    rows: usize,
}

const fn case(
    tool: &'static str,
    arguments: fn(&Stage) -> Value,
    [round_trips, statements, rows]: [usize; 3],
) -> Case {
    Case { tool, arguments, round_trips, statements, rows }
}

/// A post that waits for its time, on both Walls.
fn scheduled(stage: &Stage) -> Value {
    stage.post(&["acme", "media"], "P3D")
}

fn draft(stage: &Stage) -> Value {
    stage.done("create_post", json!({ "text": "Only an idea", "profiles": ["acme"] }))["post_id"].clone()
}

/// Round trips, statements with the gate, and rows with the gate's, of a company with two profiles.
const CASES: &[Case] = &[
    case("whoami", |_| json!({}), [1, 3, 3]),
    case("list_workspaces", |_| json!({}), [1, 2, 2]),
    case("list_social_profiles", |_| json!({}), [1, 2, 3]),
    case("list_social_profiles", |_| json!({ "workspace": "main" }), [1, 2, 3]),
    case("connect_social_profile", |_| json!({ "network": "wall" }), [2, 6, 5]),
    case("describe_network", |_| json!({ "network": "bluesky" }), [1, 1, 1]),
    case("create_post", |_| json!({ "text": "x", "profiles": ["all"] }), [2, 16, 8]),
    case(
        "create_post",
        |_| json!({ "text": "x", "profiles": ["all"], "when": "P1D", "idempotency_key": "k" }),
        [2, 16, 8],
    ),
    case(
        "create_posts",
        |_| json!({ "posts": [{ "text": "x", "profiles": ["acme"] }, { "text": "y", "profiles": ["media"] }] }),
        [2, 16, 9],
    ),
    case("preview_post", |_| json!({ "text": "x", "profiles": ["all"] }), [1, 4, 3]),
    case("preview_post", |stage| json!({ "post_id": scheduled(stage), "text": "x" }), [1, 4, 4]),
    case(
        "list_posts",
        |stage| {
            scheduled(stage);
            json!({})
        },
        [1, 3, 4],
    ),
    case(
        "list_posts",
        |stage| {
            scheduled(stage);
            json!({ "workspace": "Main", "profile": "acme", "from": "now", "to": "P7D" })
        },
        [1, 3, 4],
    ),
    case("get_post", |stage| json!({ "post_id": scheduled(stage) }), [1, 5, 4]),
    case("get_post", |stage| json!({ "post_id": stage.published(&["acme"]) }), [1, 5, 6]),
    case("update_post", |stage| json!({ "post_id": scheduled(stage), "text": "x" }), [2, 16, 9]),
    case("schedule_post", |stage| json!({ "post_id": draft(stage), "when": "P2D" }), [2, 16, 9]),
    case("unschedule_post", |stage| json!({ "post_id": scheduled(stage) }), [2, 16, 9]),
    case("publish_post", |stage| json!({ "post_id": draft(stage) }), [2, 16, 9]),
    case("change_posts", |stage| json!({ "post_ids": [scheduled(stage)], "shift": "P7D" }), [1, 4, 4]),
    case(
        "change_posts",
        |stage| {
            scheduled(stage);
            json!({ "filter": { "status": "scheduled" }, "shift": "P7D" })
        },
        [2, 6, 5],
    ),
    case(
        "change_posts",
        |stage| {
            let dry = stage.done("change_posts", json!({ "post_ids": [scheduled(stage)], "shift": "P7D" }));
            dry["next"][0]["arguments"].clone()
        },
        [2, 16, 9],
    ),
    case(
        "undo_change",
        |stage| {
            scheduled(stage);
            json!({})
        },
        [2, 20, 12],
    ),
    case("retry_post", |stage| json!({ "post_id": stage.failed() }), [4, 16, 13]),
    case(
        "confirm_delivery",
        |stage| json!({ "post_id": in_doubt(stage), "profile": "media", "outcome": "live" }),
        [4, 18, 20],
    ),
    case("pause_publishing", |_| json!({ "reason": "Bad news" }), [2, 7, 4]),
    case(
        "resume_publishing",
        |stage| {
            stage.done("pause_publishing", json!({ "reason": "Bad news" }));
            json!({ "overdue": "skip" })
        },
        [4, 12, 7],
    ),
    case("delete_post", |stage| json!({ "post_id": scheduled(stage) }), [2, 16, 9]),
    case(
        "delete_post",
        |stage| json!({ "post_id": stage.published(&["acme"]), "on_networks": true }),
        [4, 25, 16],
    ),
];

/// Calls that ask more often than a write should, and why.
const OFTENER: &[(&str, usize, &str)] = &[
    ("confirm_delivery", 4, "it reads the parts of what is settled, and shows the post as it is afterwards"),
    ("retry_post", 4, "it reads the parts of what is sent again, and shows the post as it is afterwards"),
    ("resume_publishing", 4, "what has just become due is put on hold before it is looked at"),
    ("delete_post", 4, "what is public is taken down at the networks before the record goes"),
];

fn most(tool: &str) -> usize {
    let known = OFTENER.iter().find(|(name, ..)| *name == tool).map(|(_, most, _)| *most);
    known.unwrap_or(if effect(tool) == Effect::Reads { 1 } else { 2 })
}

fn effect(tool: &str) -> Effect {
    mcp::tools().find(|entry| entry.name == tool).unwrap().hints.effect
}

/// Calls a tool from the door on, in an isolate that knows nothing of the tenant; a read a second time, since lists learn
/// from the first what the names in the call mean.
fn cost(case: &Case) -> Cost {
    let stage = Stage::new(1);
    let arguments = (case.arguments)(&stage);
    let token = token_for(&stage.sim, &stage.company, &stage.company.grant);
    let params = json!({ "name": case.tool, "arguments": arguments });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    if effect(case.tool) == Effect::Reads {
        call(&stage.sim, &token, &message);
    }
    stage.sim.faults.take_calls();
    stage.sim.shard().take_work();
    let response = call(&stage.sim, &token, &message);
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!((response.status, body["result"].get("isError")), (200, None), "{}: {body}", case.tool);
    let calls = stage.sim.faults.take_calls();
    let ours = |call: &Call| matches!(call.port, Port::Shard | Port::Limits | Port::Web | Port::Blobs);
    assert!(calls.iter().all(ours), "{}: {calls:?}", case.tool);
    let batches: Vec<&Call> = calls.iter().filter(|call| call.port == Port::Shard).collect();
    let Work { rows, scanned } = stage.sim.shard().take_work();
    let statements = batches.iter().map(|batch| batch.statements.len()).sum();
    Cost { round_trips: batches.len(), statements, rows, scanned }
}

#[test]
fn every_tool_has_a_case() {
    let cases: BTreeSet<&str> = CASES.iter().map(|case| case.tool).collect();
    let tools: BTreeSet<&str> = mcp::tools().map(|tool| tool.name).collect();
    assert_eq!(cases, tools);
}

#[test]
fn a_read_asks_the_database_once_and_a_write_twice_at_most() {
    let mut wrong = Vec::new();
    for case in CASES {
        let cost = cost(case);
        let dearer = cost.round_trips > case.round_trips.min(most(case.tool))
            || cost.statements > case.statements
            || cost.rows > case.rows
            || cost.scanned > 0;
        if dearer {
            wrong.push(format!(
                "{}: [{}, {}, {}] scanned {}",
                case.tool, cost.round_trips, cost.statements, cost.rows, cost.scanned
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Asks as a client of 2026-07-28 does.
fn ask(stage: &Stage, token: &str, method: &str) {
    let about = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { "_meta": about } });
    let headers = [
        ("authorization", format!("Bearer {token}")),
        ("content-type", "application/json".to_owned()),
        ("mcp-protocol-version", "2026-07-28".to_owned()),
        ("mcp-method", method.to_owned()),
    ];
    let request = Request {
        method: RequestMethod::Post,
        host: "localhost:8790".to_owned(),
        path: "/acme/mcp".to_owned(),
        query: String::new(),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        body: message.to_string().into_bytes(),
        peer: "127.0.0.1".to_owned(),
    };
    assert_eq!(run(edge::serve(&stage.sim.platform(), request)).status, 200, "{method}");
}

fn ports(stage: &Stage) -> Vec<Port> {
    let calls = stage.sim.faults.take_calls();
    calls.into_iter().map(|call| call.port).filter(|port| *port != Port::Limits).collect()
}

#[test]
fn a_list_of_tools_asks_the_key_value_store_once_in_15_seconds_and_no_database() {
    let stage = Stage::new(1);
    let token = token_for(&stage.sim, &stage.company, &stage.company.grant);
    ask(&stage, &token, "tools/list");
    // The first of all, which no copy answers, has the shard say it and leaves a copy.
    assert_eq!(ports(&stage), [Port::KeyValue, Port::Shard, Port::KeyValue]);
    for method in ["tools/list", "server/discover", "tools/list"] {
        stage.sim.clock.advance_seconds(4);
        ask(&stage, &token, method);
        assert_eq!(ports(&stage), [], "{method} within 15 seconds");
    }
    stage.sim.clock.advance_seconds(4);
    ask(&stage, &token, "tools/list");
    assert_eq!(ports(&stage), [Port::KeyValue], "after them");
    // Another isolate.
    let elsewhere = Stage { sim: Sim { memory: Memory::default(), ..stage.sim }, ..stage };
    ask(&elsewhere, &token, "tools/list");
    assert_eq!(ports(&elsewhere), [Port::KeyValue]);
}
