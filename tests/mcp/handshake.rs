//! The legacy era: handshake, versions, notifications.

use postern::mcp::{INSTRUCTIONS, Revision};
use serde_json::json;

use super::{
    Endpoint, body, legacy, message, post, response, status_and_body, status_and_code, unnamed, with,
};

const LEGACY: [Revision; 4] =
    [Revision::V2024_11_05, Revision::V2025_03_26, Revision::V2025_06_18, Revision::V2025_11_25];

fn initialize(endpoint: &Endpoint, asked: serde_json::Value) -> serde_json::Value {
    let params = json!({ "protocolVersion": asked, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    body(endpoint.send(&unnamed("initialize", params)))["result"].clone()
}

#[test]
fn a_handshake_settles_on_the_revision_that_was_asked_for() {
    let endpoint = Endpoint::new();
    for revision in LEGACY {
        let result = initialize(&endpoint, json!(revision.as_str()));
        assert_eq!(result["protocolVersion"], json!(revision.as_str()));
        assert_eq!(result["capabilities"], json!({ "tools": {} }));
        assert_eq!(result["serverInfo"]["name"], json!("postern"));
        assert_eq!(result["serverInfo"].get("title").is_some(), revision >= Revision::V2025_06_18);
        assert_eq!(result["instructions"], json!(INSTRUCTIONS));
        assert!(result.get("resultType").is_none() && result.get("_meta").is_none());
    }
}

#[test]
fn a_handshake_for_anything_else_settles_on_the_newest_that_has_one() {
    let endpoint = Endpoint::new();
    for asked in [json!("2026-07-28"), json!("2024-10-07"), json!("nonsense"), json!(5), json!(null)] {
        assert_eq!(initialize(&endpoint, asked)["protocolVersion"], json!("2025-11-25"));
    }
}

#[test]
fn a_handshake_is_answered_whatever_version_its_header_names() {
    let endpoint = Endpoint::new();
    for header in ["2026-07-28", "2025-11-25", "v999"] {
        let request = unnamed("initialize", json!({ "protocolVersion": "2025-06-18" }));
        let result = body(endpoint.send(&with(request, "mcp-protocol-version", header)));
        assert_eq!(result["result"]["protocolVersion"], json!("2025-06-18"));
    }
}

#[test]
fn ping_is_answered_in_every_legacy_revision() {
    let endpoint = Endpoint::new();
    for revision in LEGACY {
        assert_eq!(body(endpoint.send(&legacy(revision, "ping", json!({}))))["result"], json!({}));
    }
    assert_eq!(body(endpoint.send(&unnamed("ping", json!({}))))["result"], json!({}));
}

#[test]
fn a_header_of_an_unknown_revision_is_answered_with_those_there_are() {
    let endpoint = Endpoint::new();
    for header in ["v999", "1999-01-01", "2025-06-19", ""] {
        let request = with(unnamed("tools/list", json!({})), "mcp-protocol-version", header);
        let (status, body) = status_and_body(endpoint.send(&request));
        assert_eq!((status, &body["error"]["code"]), (400, &json!(-32022)), "{header}");
        assert_eq!(body["error"]["data"]["supported"], json!(Revision::OFFERED));
        assert_eq!(body["error"]["data"]["requested"], json!(header));
    }
}

#[test]
fn a_header_of_the_modern_era_demands_an_envelope() {
    let endpoint = Endpoint::new();
    for header in ["2026-07-28", "2031-01-01"] {
        let request = with(unnamed("tools/list", json!({})), "mcp-protocol-version", header);
        assert_eq!(status_and_code(endpoint.send(&request)), (400, -32602));
    }
}

#[test]
fn the_method_header_alone_makes_no_request_modern() {
    let endpoint = Endpoint::new();
    let request = with(legacy(Revision::V2025_11_25, "ping", json!({})), "mcp-method", "something else");
    assert_eq!(body(endpoint.send(&request))["result"], json!({}));
}

#[test]
fn a_session_that_we_never_gave_is_ignored() {
    let endpoint = Endpoint::new();
    let request = with(legacy(Revision::V2025_11_25, "ping", json!({})), "mcp-session-id", "abc");
    let response = response(endpoint.send(&request));
    assert_eq!((response.status, response.header("mcp-session-id")), (200, None));
}

#[test]
fn notifications_and_responses_are_accepted_in_silence() {
    let endpoint = Endpoint::new();
    for message in [
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "method": "notifications/nobody-knows", "params": [1] }),
        json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
        json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -1, "message": "" } }),
    ] {
        let response = response(endpoint.send(&post(message.to_string())));
        assert_eq!((response.status, response.body.as_slice()), (202, &[][..]), "{message}");
    }
}

#[test]
fn what_a_method_refuses_travels_with_200() {
    let endpoint = Endpoint::new();
    for (method, params, code) in [
        ("server/discover", json!({}), -32601),
        ("resources/list", json!({}), -32601),
        ("logging/setLevel", json!({ "level": "info" }), -32601),
        ("tools/call", json!({}), -32602),
        ("tools/call", json!({ "name": "nothing" }), -32602),
        ("tools/list", json!({ "cursor": "x" }), -32602),
    ] {
        for revision in LEGACY {
            let answer = endpoint.send(&legacy(revision, method, params.clone()));
            assert_eq!(status_and_code(answer), (200, code), "{method}");
        }
    }
    let positional = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1] });
    assert_eq!(status_and_code(endpoint.send(&post(positional.to_string()))), (200, -32602));
}

#[test]
fn only_revision_2025_03_26_has_batches() {
    let endpoint = Endpoint::new();
    let batch = json!([message("ping", json!({}))]).to_string();
    for revision in LEGACY {
        let answer = endpoint.send(&with(post(batch.clone()), "mcp-protocol-version", revision.as_str()));
        if revision == Revision::V2025_03_26 {
            assert_eq!(body(answer)[0]["result"], json!({}));
        } else {
            assert_eq!(status_and_code(answer), (400, -32600));
        }
    }
    assert_eq!(body(endpoint.send(&post(batch)))[0]["result"], json!({}));
}
