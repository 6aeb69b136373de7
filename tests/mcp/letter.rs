//! Clauses of the revisions that hold for every method, each test named after its revision and chapter. What one method
//! alone owes stands in the tests of that method.

use postern::{
    desk::Scopes,
    http::{Request, RequestMethod, Response},
    mcp::{self, Outcome, Revision},
};
use serde_json::{Value, json};

use super::{legacy, message, modern, post, with, without};
use crate::sim::{Sim, run, world::Company};

const LEGACY: [Revision; 4] =
    [Revision::V2024_11_05, Revision::V2025_03_26, Revision::V2025_06_18, Revision::V2025_11_25];

/// Every method that is answered with a result in both eras, with parameters that work.
fn methods() -> Vec<(&'static str, Value)> {
    vec![
        ("tools/list", json!({})),
        ("tools/call", json!({ "name": "whoami" })),
        ("tools/call", json!({ "name": "get_post", "arguments": { "post_id": "post_x" } })),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({ "uri": "postern://networks/wall" })),
        ("prompts/list", json!({})),
        ("prompts/get", json!({ "name": "plan_next_week" })),
        (
            "completion/complete",
            json!({
                "ref": { "type": "ref/resource", "uri": "postern://networks/{network}" },
                "argument": { "name": "network", "value": "" },
            }),
        ),
    ]
}

struct Server {
    sim: Sim,
    company: Company,
}

impl Server {
    fn new() -> Self {
        let sim = Sim::new(1);
        let company = Company::found(&sim, "acme");
        Self { sim, company }
    }

    fn send(&self, request: &Request) -> Response {
        let caller = self.company.caller(&self.sim);
        match run(mcp::serve(&self.sim.platform(), &caller, Scopes::EVERY, request)).outcome {
            Outcome::Response(response) => response,
            other => panic!("no response: {other:?}"),
        }
    }

    fn answer(&self, request: &Request) -> (u16, Value) {
        let response = self.send(request);
        (response.status, serde_json::from_slice(&response.body).unwrap())
    }
}

/// A modern request whose `Mcp-Name` is there where it must be.
fn named(method: &str, params: Value) -> Request {
    let uri = params["uri"].as_str().map(str::to_owned);
    let request = modern(method, params);
    match uri {
        Some(uri) => with(request, "mcp-name", &uri),
        None => request,
    }
}

/// The modern request with another member in its `_meta`.
fn with_meta(request: Request, key: &str, value: Value) -> Request {
    let mut message: Value = serde_json::from_slice(&request.body).unwrap();
    message["params"]["_meta"][key] = value;
    Request { body: message.to_string().into_bytes(), ..request }
}

#[test]
fn r2026_07_28_base_protocol_every_result_has_its_type_and_names_the_server() {
    let server = Server::new();
    for (method, params) in [methods(), vec![("server/discover", json!({}))]].concat() {
        let (status, body) = server.answer(&named(method, params));
        assert_eq!((status, &body["result"]["resultType"]), (200, &json!("complete")), "{method}: {body}");
        let info = &body["result"]["_meta"]["io.modelcontextprotocol/serverInfo"];
        assert!(info["name"].is_string() && info["version"].is_string(), "{method}");
    }
}

#[test]
fn r2026_07_28_base_protocol_client_info_and_log_level_and_trace_context_are_optional_and_taken() {
    let server = Server::new();
    for (key, value) in [
        ("io.modelcontextprotocol/clientInfo", json!({ "name": "t", "version": "1" })),
        ("io.modelcontextprotocol/logLevel", json!("debug")),
        ("traceparent", json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
        ("baggage", json!("a=b")),
        ("example.com/anything", json!({ "a": [1] })),
    ] {
        for (method, params) in methods() {
            let (status, body) = server.answer(&with_meta(named(method, params), key, value.clone()));
            assert_eq!((status, body["error"].is_null()), (200, true), "{key} {method}: {body}");
        }
    }
    assert!(server.sim.notices.take().is_empty(), "nothing is logged to a client");
}

#[test]
fn r2026_07_28_base_protocol_any_key_of_the_envelope_makes_a_request_modern() {
    let server = Server::new();
    for key in ["clientCapabilities", "clientInfo", "logLevel"] {
        let meta = json!({ "_meta": { (format!("io.modelcontextprotocol/{key}")): {} } });
        let (status, body) = server.answer(&post(message("tools/list", meta).to_string()));
        assert_eq!((status, &body["error"]["code"]), (400, &json!(-32602)), "{key}");
    }
    let traced = message("tools/list", json!({ "_meta": { "traceparent": "00-0-0-0", "progressToken": 1 } }));
    assert_eq!(server.answer(&post(traced.to_string())).0, 200, "these are older than the envelope");
}

#[test]
fn r2026_07_28_base_protocol_codes_that_are_gone_are_not_used() {
    let server = Server::new();
    for (method, params) in [
        ("resources/read", json!({ "uri": "postern://nowhere" })),
        ("resources/subscribe", json!({ "uri": "postern://nowhere" })),
        ("prompts/get", json!({ "name": "nothing" })),
        ("tools/call", json!({ "name": "nothing" })),
        ("ping", json!({})),
        ("tasks/list", json!({})),
    ] {
        let (_, body) = server.answer(&named(method, params));
        let code = body["error"]["code"].as_i64().unwrap();
        assert!(![-32002, -32042].contains(&code), "{method}: {code}");
        assert!(!(-32019..=-32000).contains(&code), "{method}: {code}");
        assert_eq!(body["id"], json!(7), "{method}");
    }
}

#[test]
fn r2026_07_28_streamable_http_there_are_no_sessions_and_no_resumption() {
    let server = Server::new();
    for (method, params) in methods() {
        let request = with(named(method, params), "mcp-session-id", "left-over");
        let response = server.send(&with(request, "last-event-id", "7"));
        assert_eq!((response.status, response.header("mcp-session-id")), (200, None), "{method}");
    }
    for method in [RequestMethod::Get, RequestMethod::Delete] {
        let request =
            Request { method, ..with(modern("tools/list", json!({})), "mcp-session-id", "left-over") };
        let response = server.send(&request);
        assert_eq!((response.status, response.header("allow")), (405, Some("POST")));
    }
}

#[test]
fn r2026_07_28_streamable_http_the_name_header_is_for_three_methods_alone() {
    let server = Server::new();
    for (method, params) in methods() {
        let request = named(method, params);
        let has_name = request.header("mcp-name").is_some();
        assert_eq!(has_name, ["tools/call", "prompts/get", "resources/read"].contains(&method), "{method}");
        if has_name {
            let (status, body) = server.answer(&without(request, "mcp-name"));
            assert_eq!((status, &body["error"]["code"]), (400, &json!(-32020)), "{method}");
        }
    }
}

#[test]
fn r2026_07_28_versioning_what_is_offered_is_the_same_in_discovery_and_in_errors() {
    let server = Server::new();
    let (_, discovered) = server.answer(&modern("server/discover", json!({})));
    let (_, refused) = server.answer(&super::modern_at("2099-01-01", "server/discover", json!({})));
    assert_eq!(refused["error"]["data"]["supported"], discovered["result"]["supportedVersions"]);
}

#[test]
fn r2026_07_28_tools_and_caching_lists_are_the_same_every_time() {
    let server = Server::new();
    for method in
        ["tools/list", "resources/list", "resources/templates/list", "prompts/list", "server/discover"]
    {
        let request = modern(method, json!({}));
        let first = server.send(&request);
        let again = with(request, "mcp-session-id", "another");
        assert_eq!(server.send(&again).body, first.body, "{method}");
        let body: Value = serde_json::from_slice(&first.body).unwrap();
        assert_eq!(body["result"]["cacheScope"], json!("private"), "{method}");
        assert!(body["result"]["ttlMs"].is_u64(), "{method}");
    }
}

#[test]
fn r2026_07_28_caching_only_what_can_be_kept_says_how_long() {
    let server = Server::new();
    for (method, params) in methods() {
        let (_, body) = server.answer(&named(method, params));
        let is_kept = method.ends_with("/list") || method == "resources/read";
        for member in ["ttlMs", "cacheScope"] {
            assert_eq!(body["result"].get(member).is_some(), is_kept, "{method} {member}");
        }
    }
}

#[test]
fn r2025_11_25_and_before_nothing_of_the_modern_era_is_sent() {
    let server = Server::new();
    for revision in LEGACY {
        for (method, params) in methods() {
            let (status, body) = server.answer(&legacy(revision, method, params));
            let result =
                body["result"].as_object().unwrap_or_else(|| panic!("{revision:?} {method}: {body}"));
            for member in ["resultType", "ttlMs", "cacheScope", "_meta"] {
                assert!(!result.contains_key(member), "{revision:?} {method} {member}");
            }
            assert_eq!(status, 200);
        }
    }
}

#[test]
fn r2025_03_26_and_before_no_title_and_no_structure_is_sent() {
    let server = Server::new();
    for revision in [Revision::V2024_11_05, Revision::V2025_03_26] {
        for (method, params) in methods() {
            let (_, body) = server.answer(&legacy(revision, method, params));
            let mut result = body["result"].clone();
            if method == "tools/list" {
                for tool in result["tools"].as_array_mut().unwrap() {
                    let tool = tool.as_object_mut().unwrap();
                    tool.remove("inputSchema");
                    tool.remove("annotations");
                }
            }
            for member in ["\"title\":", "\"outputSchema\":", "\"structuredContent\":"] {
                assert!(!result.to_string().contains(member), "{revision:?} {method} {member}");
            }
        }
    }
}

#[test]
fn r2024_11_05_tools_have_no_annotations() {
    let server = Server::new();
    let (_, body) = server.answer(&legacy(Revision::V2024_11_05, "tools/list", json!({})));
    let tools = body["result"]["tools"].as_array().unwrap();
    assert!(!tools.is_empty() && tools.iter().all(|tool| tool.get("annotations").is_none()));
}

#[test]
fn r2025_06_18_base_protocol_parameters_may_be_left_out() {
    let server = Server::new();
    for revision in LEGACY {
        for method in ["ping", "tools/list", "resources/list", "resources/templates/list", "prompts/list"] {
            let bare = json!({ "jsonrpc": "2.0", "id": "a", "method": method });
            let request = with(post(bare.to_string()), "mcp-protocol-version", revision.as_str());
            let (status, body) = server.answer(&request);
            assert_eq!(
                (status, body["result"].is_object(), &body["id"]),
                (200, true, &json!("a")),
                "{method}"
            );
        }
    }
}

#[test]
fn r2025_11_25_lifecycle_a_handshake_starts_no_session() {
    let server = Server::new();
    for revision in LEGACY {
        let params = json!({ "protocolVersion": revision.as_str(), "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        let response = server.send(&post(message("initialize", params).to_string()));
        assert_eq!((response.status, response.header("mcp-session-id")), (200, None));
    }
}

#[test]
fn r2025_11_25_resources_a_resource_that_is_not_there_has_its_own_code() {
    let server = Server::new();
    let uri = json!({ "uri": "postern://nowhere" });
    for revision in LEGACY {
        let (status, body) = server.answer(&legacy(revision, "resources/read", uri.clone()));
        assert_eq!((status, &body["error"]["code"]), (200, &json!(-32002)), "{revision:?}");
        assert_eq!(body["error"]["data"], uri);
    }
}
