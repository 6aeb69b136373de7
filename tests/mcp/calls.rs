//! `tools/call`: results, refusals, and what happens when the grant does not allow it.

use postern::{
    desk::{Role, Scope, Scopes},
    mcp::{Answer, Outcome, Revision},
};
use serde_json::{Value, json};

use super::{Endpoint, body, call, legacy, modern, unnamed};
use crate::sim::{Fault, Port, world::Grant};

fn note(arguments: Value) -> postern::http::Request {
    modern("tools/call", call("take_note", arguments))
}

fn result(answer: Answer) -> Value {
    body(answer)["result"].clone()
}

#[test]
fn a_result_is_structured_with_a_copy_as_text() {
    let endpoint = Endpoint::new();
    let answer = endpoint.send(&modern("tools/call", call("where_am_i", json!({}))));
    assert_eq!((answer.tool, answer.code), (Some("where_am_i"), None));
    let result = result(answer);
    assert_eq!(result["structuredContent"], json!({ "organisation": "acme" }));
    assert_eq!(result["content"], json!([{ "type": "text", "text": "{\"organisation\":\"acme\"}" }]));
    assert!(result.get("isError").is_none());
}

#[test]
fn revisions_without_structure_get_the_text_alone() {
    let endpoint = Endpoint::new();
    for revision in [Revision::V2024_11_05, Revision::V2025_03_26] {
        for tool in ["where_am_i", "never_do"] {
            let result = result(endpoint.send(&legacy(revision, "tools/call", call(tool, json!({})))));
            assert!(result["content"][0]["text"].is_string());
            assert!(result.get("structuredContent").is_none(), "{result}");
        }
    }
    let request = legacy(Revision::V2025_06_18, "tools/call", call("where_am_i", json!({})));
    assert!(result(endpoint.send(&request))["structuredContent"].is_object());
}

#[test]
fn arguments_may_be_left_out() {
    let endpoint = Endpoint::new();
    for params in [json!({ "name": "where_am_i" }), json!({ "name": "where_am_i", "arguments": null })] {
        assert!(result(endpoint.send(&modern("tools/call", params)))["structuredContent"].is_object());
    }
}

#[test]
fn a_refusal_is_a_result_with_the_corrected_call() {
    let endpoint = Endpoint::new();
    let answer = endpoint.send(&modern("tools/call", call("never_do", json!({}))));
    assert_eq!((answer.tool, answer.code), (Some("never_do"), Some("post_not_found")));
    let result = result(answer);
    assert_eq!(result["isError"], json!(true));
    assert_eq!(
        result["structuredContent"],
        json!({ "error": { "problems": [{
            "code": "post_not_found",
            "field": "post_id",
            "message": "There is no such post in the workspaces of this grant.",
            "hint": "Take a note.",
            "next": { "tool": "take_note", "arguments": { "text": "instead" } },
        }] } })
    );
    assert_eq!(
        result["content"][0]["text"],
        json!(
            "Refused, nothing was changed. Problems: 1.\n1. post_not_found at post_id: There is no such post in the workspaces of this grant. Take a note. Call: take_note {\"text\":\"instead\"}"
        )
    );
}

#[test]
fn every_problem_of_the_shape_is_told_and_nothing_runs() {
    let endpoint = Endpoint::new();
    let arguments =
        json!({ "txt": "hello", "mood": "gladd", "times": 10, "labels": "one", "thread": [{ "text": 5 }] });
    let answer = endpoint.send(&note(arguments));
    assert_eq!(answer.code, Some("missing"));
    let result = result(answer);
    let problems = result["structuredContent"]["error"]["problems"].as_array().unwrap();
    let told: Vec<(&str, &str)> = problems
        .iter()
        .map(|problem| (problem["code"].as_str().unwrap(), problem["field"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("missing", "text"),
            ("wrong_type", "labels"),
            ("not_in_list", "mood"),
            ("wrong_type", "thread[0].text"),
            ("out_of_range", "times"),
            ("unknown_field", "txt"),
        ]
    );
    assert_eq!(endpoint.notes(), 0);
}

#[test]
fn what_only_lacks_the_right_name_or_brackets_is_answered_with_the_call_that_works() {
    let endpoint = Endpoint::new();
    let refused = result(endpoint.send(&note(json!({ "txt": "hello", "labels": "one", "mood": "gladd" }))));
    let next = &refused["structuredContent"]["error"]["problems"][0]["next"];
    assert_eq!(next["arguments"], json!({ "text": "hello", "labels": ["one"], "mood": "glad" }), "{refused}");
    assert!(result(endpoint.send(&note(next["arguments"].clone()))).get("isError").is_none());

    let beyond = result(endpoint.send(&note(json!({ "mood": "gladd" }))));
    let problems = beyond["structuredContent"]["error"]["problems"].as_array().unwrap();
    let next = problems.iter().find_map(|problem| problem.get("next")).unwrap();
    assert_eq!(next["tool"], "whoami", "text is missing, so that nothing mends it: {beyond}");
}

#[test]
fn a_null_for_what_may_be_left_out_is_left_out() {
    let endpoint = Endpoint::new();
    let arguments = json!({ "text": "hi", "mood": null, "labels": null, "thread": [{ "text": "a", "link": null }],
        "settings": { "kept": null } });
    let result = result(endpoint.send(&note(arguments)));
    assert_eq!(result["structuredContent"]["counts"]["settings"], json!(1), "{result}");
    assert_eq!(endpoint.notes(), 1);
}

#[test]
fn a_call_that_the_grant_does_not_allow_asks_for_all_that_it_needs() {
    let endpoint = Endpoint::new();
    let grant = reader(&endpoint);
    let scopes = Scopes::of(&[Scope::WorkspaceRead]);
    let cases = [
        (json!({ "text": "hi" }), Scopes::of(&[Scope::PostsWrite])),
        (json!({ "text": "hi", "public": true }), Scopes::of(&[Scope::PostsWrite, Scope::PostsPublish])),
        (json!({ "text": 5, "public": true }), Scopes::of(&[Scope::PostsWrite])),
    ];
    for (arguments, needed) in cases {
        let answer = endpoint.send_as(&grant, scopes, &note(arguments));
        assert_eq!((answer.tool, answer.code), (Some("take_note"), Some("insufficient_scope")));
        assert!(matches!(answer.outcome, Outcome::InsufficientScope(scopes) if scopes == needed));
    }
    assert_eq!(endpoint.notes(), 0);
}

#[test]
fn a_grant_that_was_narrowed_just_now_is_narrow_at_once() {
    let endpoint = Endpoint::new();
    let answer = endpoint.send_as(&reader(&endpoint), Scopes::EVERY, &note(json!({ "text": "hi" })));
    assert!(matches!(answer.outcome, Outcome::InsufficientScope(_)));
}

#[test]
fn a_grant_that_was_widened_just_now_is_wide_at_once() {
    let endpoint = Endpoint::new();
    let answer = endpoint.send_as(&endpoint.company.grant, Scopes::NONE, &note(json!({ "text": "hi" })));
    assert!(result(answer)["structuredContent"].is_object());
}

#[test]
fn a_grant_that_is_over_is_unauthenticated() {
    let endpoint = Endpoint::new();
    endpoint.sim.shard().execute("UPDATE oauth_grant SET revoked_at = 1", []);
    for allowed in [Scopes::EVERY, Scopes::NONE] {
        let answer = endpoint.send_as(&endpoint.company.grant, allowed, &note(json!({ "text": "hi" })));
        assert!(matches!(answer.outcome, Outcome::Unauthenticated));
        assert_eq!(answer.code, Some("grant_ended"));
    }
}

#[test]
fn what_the_role_does_not_allow_is_a_refusal() {
    let endpoint = Endpoint::new();
    let viewer = endpoint.company.add_member(&endpoint.sim, "viewer", Role::Viewer);
    let grant =
        endpoint.company.add_grant(&endpoint.sim, &viewer, Scopes::EVERY, &[&endpoint.company.workspace]);
    let answer = endpoint.send_as(&grant, Scopes::EVERY, &note(json!({ "text": "hi" })));
    assert_eq!(answer.code, Some("role_not_allowed"));
    assert_eq!(result(answer)["isError"], json!(true));
}

#[test]
fn a_database_that_fails_is_told_as_such_and_never_as_a_server_error() {
    let told = |tool, arguments| {
        let endpoint = Endpoint::new();
        endpoint.sim.faults.on_call(Port::Shard, 1, Fault::LostReply);
        let answer = endpoint.send(&modern("tools/call", call(tool, arguments)));
        let code = answer.code;
        let result = result(answer);
        assert_eq!(result["isError"], json!(true));
        (code, result["content"][0]["text"].as_str().unwrap().contains("nothing was changed"))
    };
    assert_eq!(told("where_am_i", json!({})), (Some("unavailable"), true));
    assert_eq!(told("take_note", json!({ "text": "hi" })), (Some("outcome_unknown"), false));
}

#[test]
fn an_unknown_tool_is_answered_with_the_one_that_was_meant() {
    let endpoint = Endpoint::new();
    let body = body(endpoint.send(&unnamed("tools/call", call("take_notes", json!({})))));
    assert_eq!(body["error"]["code"], json!(-32602));
    assert!(body["error"]["message"].as_str().unwrap().contains("take_note?"));
}

fn reader(endpoint: &Endpoint) -> Grant {
    let company = &endpoint.company;
    let scopes = Scopes::of(&[Scope::WorkspaceRead]);
    company.add_grant(&endpoint.sim, &company.owner, scopes, &[&company.workspace])
}
