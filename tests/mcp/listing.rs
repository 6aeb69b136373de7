//! What `tools/list` shows, to which revision and which grant.

use postern::{
    desk::{Scope, Scopes},
    mcp::{Allowed, Revision},
};
use serde_json::{Value, json};

use super::{Endpoint, body, legacy, modern, unnamed};
use crate::sim::{Fault, Port};

fn tools(body: &Value) -> Vec<Value> {
    body["result"]["tools"].as_array().unwrap().clone()
}

fn keys(tool: &Value) -> Vec<&str> {
    tool.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_revision_is_sent_only_what_it_knows() {
    let endpoint = Endpoint::new();
    let oldest = ["description", "inputSchema", "name"];
    let annotated = ["annotations", "description", "inputSchema", "name"];
    let structured = ["annotations", "description", "inputSchema", "name", "outputSchema", "title"];
    for (revision, known) in [
        (Revision::V2024_11_05, &oldest[..]),
        (Revision::V2025_03_26, &annotated[..]),
        (Revision::V2025_06_18, &structured[..]),
        (Revision::V2025_11_25, &structured[..]),
    ] {
        let body = body(endpoint.send(&legacy(revision, "tools/list", json!({}))));
        assert_eq!(body["result"].as_object().unwrap().len(), 1, "a legacy list has its tools only");
        for tool in tools(&body) {
            assert_eq!(keys(&tool), known, "{revision:?}");
        }
    }
    for tool in tools(&body(endpoint.send(&unnamed("tools/list", json!({}))))) {
        assert_eq!(keys(&tool), annotated);
    }
    for tool in tools(&body(endpoint.send(&modern("tools/list", json!({}))))) {
        assert_eq!(keys(&tool), structured);
    }
}

#[test]
fn a_tool_says_what_it_is() {
    let endpoint = Endpoint::new();
    let listed = tools(&body(endpoint.send(&modern("tools/list", json!({})))));
    let names: Vec<&str> = listed.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["where_am_i", "take_note", "never_do"]);
    assert_eq!(listed[0]["title"], json!("Where am I"));
    assert_eq!(listed[0]["description"], json!("Tells the \"organisation\"."));
    assert_eq!(listed[0]["inputSchema"], json!({ "type": "object", "additionalProperties": false }));
    assert_eq!(listed[0]["annotations"], json!({ "readOnlyHint": true, "openWorldHint": false }));
    assert_eq!(
        listed[1]["annotations"],
        json!({ "readOnlyHint": false, "openWorldHint": false, "destructiveHint": false, "idempotentHint": false })
    );
    assert_eq!(listed[2]["annotations"]["destructiveHint"], json!(true));
}

#[test]
fn a_revision_without_titles_finds_it_among_the_annotations() {
    let endpoint = Endpoint::new();
    let listed = tools(&body(endpoint.send(&unnamed("tools/list", json!({})))));
    assert_eq!(listed[0]["annotations"]["title"], json!("Where am I"));
}

#[test]
fn a_tool_outside_the_grant_says_so() {
    let endpoint = Endpoint::new();
    let granted = Scopes::of(&[Scope::WorkspaceRead]);
    let answer = endpoint.send_as(&endpoint.company.grant, granted, &modern("tools/list", json!({})));
    let listed = tools(&body(answer));
    assert_eq!(listed[0]["description"], json!("Tells the \"organisation\"."));
    assert_eq!(
        listed[1]["description"],
        json!("Takes a note. Not granted: calling it asks the person for posts:write.")
    );
}

#[test]
fn a_tool_that_the_role_can_never_use_is_left_out() {
    let endpoint = Endpoint::new();
    let viewer = Allowed { possible: Scopes::of(&[Scope::WorkspaceRead]), ..Scopes::EVERY.into() };
    let answer = endpoint.send_as(&endpoint.company.grant, viewer, &modern("tools/list", json!({})));
    let listed = tools(&body(answer));
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["name"], json!("where_am_i"));
}

#[test]
fn listing_and_discovery_ask_no_database() {
    let endpoint = Endpoint::new();
    endpoint.sim.faults.on_call(Port::Shard, 1, Fault::NotSent);
    for method in ["tools/list", "server/discover"] {
        body(endpoint.send_as(&endpoint.company.grant, Scopes::NONE, &modern(method, json!({}))));
    }
    let call = modern("tools/call", super::call("where_am_i", json!({})));
    let result = &body(endpoint.send(&call))["result"];
    assert_eq!(result["isError"], json!(true), "the first question to a database met the fault: {result}");
}
