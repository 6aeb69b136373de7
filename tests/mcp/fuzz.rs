//! Whatever is sent, the answer is JSON-RPC of the right shape, and never a server error.

use postern::{
    desk::Scopes,
    http::{Request, RequestMethod},
    mcp::{self, Catalogue, Outcome, Revision, generate},
};
use serde_json::{Map, Value, json};

use super::{
    answer::assert_is_an_answer, call, catalogue::right_value, envelope, message, modern, post, tools, with,
};
use crate::sim::{Random, Sim, run, world::Company};

const ROUNDS: u64 = 4_000;

#[test]
fn every_answer_is_json_rpc_and_none_a_server_error() {
    let sim = Sim::new(9);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let schemas = generate::catalogue(tools::ALL).unwrap();
    let catalogue = Catalogue::new(tools::ALL.iter().copied(), &schemas).unwrap();
    for seed in seeds() {
        let random = Random::new(seed);
        let request = request(&random);
        let allowed = Scopes::from_bits(i64::try_from(random.below(1 << 17)).unwrap());
        let answer = run(mcp::serve_tools(&catalogue, &sim.platform(), &caller, allowed, &request));
        if let Outcome::Response(response) = answer.outcome {
            assert_is_an_answer(&request, &response, &format!("POSTERN_SEED={seed}"));
        } else {
            panic!("seed {seed}: the owner's grant allows everything");
        }
    }
}

/// The seeds to run: one named by the environment, or the usual range.
fn seeds() -> std::ops::Range<u64> {
    match std::env::var("POSTERN_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..ROUNDS,
    }
}

fn request(random: &Random) -> Request {
    let body = match random.below(10) {
        0 => bytes(random),
        1 | 2 => any(random, 0).to_string().into_bytes(),
        3 => damaged(random, any_message(random).to_string()),
        4 | 5 => {
            let elements: Vec<Value> = (0..random.below(23)).map(|_| any_message(random)).collect();
            json!(elements).to_string().into_bytes()
        }
        6 | 7 => return mostly_modern(random),
        _ => any_message(random).to_string().into_bytes(),
    };
    headers(random, post(body))
}

/// A modern request that is right but for what chance spoils.
fn mostly_modern(random: &Random) -> Request {
    let request = modern("tools/call", any_call(random));
    if random.happens(500) { headers(random, request) } else { request }
}

fn headers(random: &Random, mut request: Request) -> Request {
    if random.happens(50) {
        request.method = pick(random, &[RequestMethod::Get, RequestMethod::Delete, RequestMethod::Other]);
    }
    if random.happens(50) {
        request.headers.clear();
    }
    for _ in 0..random.below(4) {
        let name = pick(
            random,
            &[
                "mcp-protocol-version",
                "mcp-method",
                "mcp-name",
                "origin",
                "content-type",
                "accept",
                "mcp-session-id",
            ],
        );
        let value = match random.below(4) {
            0 => String::from_utf8_lossy(&bytes(random)).into_owned(),
            1 => format!("=?base64?{}?=", String::from_utf8_lossy(&bytes(random))),
            _ => pick(
                random,
                &[
                    "2026-07-28",
                    "2025-03-26",
                    "2025-11-25",
                    "v999",
                    "tools/call",
                    "application/json",
                    "http://localhost:1",
                    "https://evil.example",
                    "=?base64?",
                    "take_note",
                    "",
                ],
            )
            .to_owned(),
        };
        request = with(request, name, &value);
    }
    request
}

fn any_message(random: &Random) -> Value {
    let method = pick(
        random,
        &[
            "initialize",
            "ping",
            "server/discover",
            "tools/list",
            "tools/call",
            "tools/call",
            "notifications/x",
            "",
        ],
    );
    let params = if method == "tools/call" { any_call(random) } else { any(random, 2) };
    let mut message = message(method, params);
    if random.happens(200) {
        let version = pick(random, &["2026-07-28", "2025-11-25", "v999"]);
        if message["params"].is_object() {
            message["params"]["_meta"] = envelope(version);
        }
    }
    for member in ["jsonrpc", "id", "method", "params"] {
        if random.happens(80) {
            message[member] = any(random, 2);
        } else if random.happens(80) {
            message.as_object_mut().unwrap().remove(member);
        }
    }
    message
}

fn any_call(random: &Random) -> Value {
    let entry = pick(random, tools::ALL);
    let schema = (entry.input_schema)().to_value();
    let arguments = match random.below(3) {
        0 => any(random, 1),
        1 => right_value(&schema, random),
        _ => {
            let mut arguments: Map<String, Value> = Map::new();
            for name in schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name) {
                if random.happens(600) {
                    arguments.insert(name.clone(), any(random, 1));
                }
            }
            Value::Object(arguments)
        }
    };
    call(entry.name, arguments)
}

/// Any JSON at all, at most a few levels deep.
fn any(random: &Random, depth: u64) -> Value {
    match random.below(if depth > 3 { 7 } else { 9 }) {
        0 => Value::Null,
        1 => json!(random.happens(500)),
        2 => json!(random.next()),
        3 => json!(f64::from_bits(random.next())),
        4 => json!(-i64::try_from(random.below(1 << 60)).unwrap()),
        5 => json!(String::from_utf8_lossy(&bytes(random))),
        6 => {
            json!(pick(random, &["text", "thread", "_meta", "name", "arguments", "\u{0}", "\u{202e}", "🦀"]))
        }
        7 => (0..random.below(5)).map(|_| any(random, depth + 1)).collect(),
        _ => Value::Object(
            (0..random.below(5))
                .map(|_| {
                    let name = pick(random, &["text", "thread", "mood", "labels", "times", "_meta", "", "é"]);
                    (name.to_owned(), any(random, depth + 1))
                })
                .collect(),
        ),
    }
}

fn bytes(random: &Random) -> Vec<u8> {
    (0..random.below(24)).map(|_| random.next().to_le_bytes()[0]).collect()
}

/// The text with some bytes changed.
fn damaged(random: &Random, text: String) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    for _ in 0..=random.below(3) {
        let place = usize::try_from(random.below(bytes.len() as u64)).unwrap();
        bytes[place] = random.next().to_le_bytes()[0];
    }
    bytes
}

fn pick<T: Copy>(random: &Random, choices: &[T]) -> T {
    choices[usize::try_from(random.below(choices.len() as u64)).unwrap()]
}

#[test]
fn revisions_are_offered_newest_first() {
    let mut sorted = Revision::OFFERED;
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(sorted, Revision::OFFERED);
}
