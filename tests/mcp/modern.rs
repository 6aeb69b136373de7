//! The modern era: envelope, discovery, statuses, what every result says.

use postern::mcp::{INSTRUCTIONS, Revision};
use serde_json::{Value, json};

use super::{
    Endpoint, body, call, envelope, message, modern, modern_at, post, response, status_and_body,
    status_and_code, with,
};

#[test]
fn discovery_tells_what_there_is() {
    let endpoint = Endpoint::new();
    let result = &body(endpoint.send(&modern("server/discover", json!({}))))["result"];
    assert_eq!(result["supportedVersions"], json!(Revision::OFFERED));
    assert_eq!(result["capabilities"], json!({ "tools": {} }));
    assert_eq!(result["instructions"], json!(INSTRUCTIONS));
    assert_eq!(result["cacheScope"], json!("private"));
    assert!(result["ttlMs"].is_u64());
}

#[test]
fn every_result_is_complete_and_says_who_the_server_is() {
    let endpoint = Endpoint::new();
    for request in [
        modern("server/discover", json!({})),
        modern("tools/list", json!({})),
        modern("tools/call", call("where_am_i", json!({}))),
        modern("tools/call", call("never_do", json!({}))),
    ] {
        let result = &body(endpoint.send(&request))["result"];
        assert_eq!(result["resultType"], json!("complete"));
        let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
        assert_eq!((&server["name"], server["version"].is_string()), (&json!("postern"), true));
    }
}

#[test]
fn a_list_says_how_long_it_may_be_kept() {
    let endpoint = Endpoint::new();
    let result = &body(endpoint.send(&modern("tools/list", json!({}))))["result"];
    assert_eq!(result["cacheScope"], json!("private"));
    assert!(result["ttlMs"].is_u64());
}

#[test]
fn an_envelope_needs_its_members() {
    let endpoint = Endpoint::new();
    let without = |key: &str, value: Option<Value>| {
        let mut meta = envelope("2026-07-28");
        match value {
            Some(value) => meta[key] = value,
            None => drop(meta.as_object_mut().unwrap().remove(key)),
        }
        let request = post(message("tools/list", json!({ "_meta": meta })).to_string());
        with(with(request, "mcp-protocol-version", "2026-07-28"), "mcp-method", "tools/list")
    };
    let version = "io.modelcontextprotocol/protocolVersion";
    let capabilities = "io.modelcontextprotocol/clientCapabilities";
    for request in [
        without(version, None),
        without(version, Some(json!(5))),
        without(capabilities, None),
        without(capabilities, Some(json!([]))),
    ] {
        assert_eq!(status_and_code(endpoint.send(&request)), (400, -32602));
    }
    body(endpoint.send(&without("io.modelcontextprotocol/clientInfo", Some(json!({ "name": "t" })))));
}

#[test]
fn a_revision_that_is_not_spoken_is_answered_with_those_that_are() {
    let endpoint = Endpoint::new();
    for version in ["v999", "2031-01-01", "2025-11-25"] {
        let (status, body) =
            status_and_body(endpoint.send(&modern_at(version, "server/discover", json!({}))));
        assert_eq!((status, &body["error"]["code"]), (400, &json!(-32022)));
        assert_eq!(body["error"]["data"], json!({ "supported": Revision::OFFERED, "requested": version }));
    }
}

#[test]
fn methods_that_are_gone_or_unknown_are_not_found() {
    let endpoint = Endpoint::new();
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "nonsense",
        "",
    ] {
        let (status, body) = status_and_body(endpoint.send(&modern(method, json!({}))));
        assert_eq!(
            (status, &body["error"]["code"], &body["id"]),
            (404, &json!(-32601), &json!(7)),
            "{method}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_call_s_own_parameters_is_a_bad_request() {
    let endpoint = Endpoint::new();
    for request in [
        modern("tools/call", call("nothing", json!({}))),
        modern("tools/call", json!({})),
        modern("tools/call", json!({ "name": 5 })),
        modern("tools/list", json!({ "cursor": "x" })),
    ] {
        assert_eq!(status_and_code(endpoint.send(&request)), (400, -32602));
    }
}

#[test]
fn a_notification_is_accepted_and_a_response_is_not() {
    let endpoint = Endpoint::new();
    let modern_header =
        |message: Value| with(post(message.to_string()), "mcp-protocol-version", "2026-07-28");
    let notification = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled" });
    assert_eq!(response(endpoint.send(&modern_header(notification))).status, 202);
    let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
    assert_eq!(status_and_code(endpoint.send(&modern_header(answer))), (400, -32600));
}

#[test]
fn there_are_no_batches() {
    let endpoint = Endpoint::new();
    let enveloped = message("tools/list", json!({ "_meta": envelope("2026-07-28") }));
    let batch = json!([message("ping", json!({})), enveloped]).to_string();
    assert_eq!(status_and_code(endpoint.send(&post(batch.clone()))), (400, -32600));
    let named = with(post(batch), "mcp-protocol-version", "2026-07-28");
    let (status, _) = status_and_code(endpoint.send(&named));
    assert_eq!(status, 400);
}
