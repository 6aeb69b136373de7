//! Batches of revision 2025-03-26: judged whole before the first element runs.

use postern::{
    desk::{Scope, Scopes},
    http::Request,
    mcp::{MAX_BATCH, Outcome},
};
use serde_json::{Value, json};

use super::{Endpoint, body, call, post, response, status_and_code};

fn element(id: Value, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn note(id: u32) -> Value {
    element(json!(id), "tools/call", call("take_note", json!({ "text": "hi" })))
}

fn batch(elements: &[Value]) -> Request {
    post(json!(elements).to_string())
}

#[test]
fn each_request_of_a_batch_is_answered_in_order() {
    let endpoint = Endpoint::new();
    let answers = body(endpoint.send(&batch(&[
        element(json!("a"), "ping", json!({})),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        note(2),
        element(json!(3), "tools/list", json!({})),
    ])));
    let ids: Vec<&Value> = answers.as_array().unwrap().iter().map(|answer| &answer["id"]).collect();
    assert_eq!(ids, [&json!("a"), &json!(2), &json!(3)]);
    assert!(answers[1]["result"]["content"].is_array());
    assert!(answers[1]["result"].get("structuredContent").is_none());
    assert_eq!(endpoint.notes(), 1);
}

#[test]
fn a_faulty_element_is_answered_in_its_place() {
    let endpoint = Endpoint::new();
    let answers = body(endpoint.send(&batch(&[
        json!(5),
        json!({ "jsonrpc": "2.0", "id": null, "method": "ping" }),
        element(json!(1), "initialize", json!({ "protocolVersion": "2025-03-26" })),
        element(json!(2), "nonsense", json!({})),
        element(json!(3), "tools/call", call("nothing", json!({}))),
        element(json!(4), "tools/call", call("take_note", json!({ "text": 5 }))),
        note(5),
    ])));
    let codes: Vec<(&Value, &Value)> =
        answers.as_array().unwrap().iter().map(|answer| (&answer["id"], &answer["error"]["code"])).collect();
    assert_eq!(
        codes,
        [
            (&json!(null), &json!(-32600)),
            (&json!(null), &json!(-32600)),
            (&json!(1), &json!(-32600)),
            (&json!(2), &json!(-32601)),
            (&json!(3), &json!(-32602)),
            (&json!(4), &json!(null)),
            (&json!(5), &json!(null)),
        ]
    );
    assert!(answers[0].as_object().unwrap().contains_key("id"));
    assert_eq!(answers[5]["result"]["isError"], json!(true));
    assert_eq!(endpoint.notes(), 1);
}

#[test]
fn a_batch_without_requests_is_accepted_in_silence() {
    let endpoint = Endpoint::new();
    let request = batch(&[
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
    ]);
    let response = response(endpoint.send(&request));
    assert_eq!((response.status, response.body.as_slice()), (202, &[][..]));
}

#[test]
fn a_batch_has_one_to_twenty_elements() {
    let endpoint = Endpoint::new();
    assert_eq!(status_and_code(endpoint.send(&batch(&[]))), (400, -32600));
    let full: Vec<Value> = (0..20).map(note).collect();
    assert_eq!(full.len(), MAX_BATCH);
    assert_eq!(body(endpoint.send(&batch(&full))).as_array().unwrap().len(), MAX_BATCH);
    assert_eq!(endpoint.notes(), 20);
    let over: Vec<Value> = (0..21).map(note).collect();
    assert_eq!(status_and_code(endpoint.send(&batch(&over))), (400, -32600));
    assert_eq!(endpoint.notes(), 20);
}

#[test]
fn a_capability_that_one_element_lacks_stops_all_of_them() {
    let endpoint = Endpoint::new();
    let company = &endpoint.company;
    let scopes = Scopes::of(&[Scope::PostsWrite]);
    let grant = company.add_grant(&endpoint.sim, &company.owner, scopes, &[&company.workspace]);
    let public = element(json!(2), "tools/call", call("take_note", json!({ "text": "hi", "public": true })));
    for known in [scopes, Scopes::EVERY] {
        let answer = endpoint.send_as(&grant, known, &batch(&[note(1), public.clone()]));
        let needed = Scopes::of(&[Scope::PostsWrite, Scope::PostsPublish]);
        assert!(matches!(answer.outcome, Outcome::InsufficientScope(scopes) if scopes == needed));
    }
    assert_eq!(endpoint.notes(), 0);
    body(endpoint.send_as(&grant, scopes, &batch(&[note(1), note(2)])));
    assert_eq!(endpoint.notes(), 2);
}
