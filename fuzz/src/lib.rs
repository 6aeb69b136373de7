//! What the fuzz targets share: a deployment on the simulated platform, and what holds for every answer.

#[path = "../../tests/mcp/answer.rs"]
pub mod answer;
pub mod schema;
#[path = "../../tests/sim/mod.rs"]
pub mod sim;
pub mod world;

use std::{env, sync::LazyLock};

use postern::http::{Request, Response};
use serde_json::Value;

pub use world::{World, with_world};

/// With `POSTERN_SHOW` set, answers are printed: to look at what a file does.
static SHOWS: LazyLock<bool> = LazyLock::new(|| env::var_os("POSTERN_SHOW").is_some());

/// Sends a request of the assistant, whose grant allows everything: the answer is of the protocol, and no tool of it
/// says that the databases failed.
pub fn answered(world: &World, request: Request) -> Response {
    let response = world.serve(request.clone());
    check(&request, &response);
    response
}

/// The same, of an answer that was had.
pub fn check(request: &Request, response: &Response) {
    let body = String::from_utf8_lossy(&response.body);
    if *SHOWS {
        eprintln!("{} {body}", response.status);
    }
    match response.header("content-type") {
        Some("text/event-stream") => assert_is_stream(response),
        _ => answer::assert_is_an_answer(request, response, "fuzzed"),
    }
    let failures = [Some("unavailable"), Some("outcome_unknown")];
    assert!(!failures.contains(&response.about.code), "{body}");
    // The codes of all elements of a batch, where their revision has structure.
    for code in failures.into_iter().flatten() {
        assert!(!body.contains(&format!(r#"{{"code":"{code}""#)), "{body}");
    }
}

/// Server-sent events whose data is JSON-RPC.
fn assert_is_stream(response: &Response) {
    let body = String::from_utf8_lossy(&response.body);
    for data in body.lines().filter_map(|line| line.strip_prefix("data:")) {
        let message: Value = serde_json::from_str(data).unwrap_or_else(|fault| panic!("{fault}: {data}"));
        assert_eq!(message["jsonrpc"], "2.0", "{data}");
    }
}
