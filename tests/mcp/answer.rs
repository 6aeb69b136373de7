//! What holds for every answer of the endpoint, whatever was sent. The fuzz targets read it too.

use postern::{
    http::{Request, Response},
    mcp,
};
use serde_json::{Value, json};

/// JSON-RPC of the right shape, and never a server error. `origin` says how the request was come by.
pub fn assert_is_an_answer(request: &Request, response: &Response, origin: &str) {
    let sent = String::from_utf8_lossy(&request.body).into_owned();
    let context = format!("{origin}, headers {:?}, body {sent}", request.headers);
    assert!([200, 202, 400, 403, 404, 405, 415].contains(&response.status), "{} {context}", response.status);
    if response.status == 202 {
        assert!(response.body.is_empty(), "{context}");
        return;
    }
    let body: Value =
        serde_json::from_slice(&response.body).unwrap_or_else(|fault| panic!("{fault} {context}"));
    match &body {
        Value::Array(answers) => {
            assert!(
                !answers.is_empty() && answers.len() <= mcp::MAX_BATCH && response.status == 200,
                "{context}"
            );
            answers.iter().for_each(|answer| assert_is_response(answer, true, &context));
        }
        answer => {
            assert_is_response(answer, false, &context);
            assert!(may_travel_with(answer, response.status), "{} {answer} {context}", response.status);
            let has_envelope = serde_json::from_str(&sent).is_ok_and(|sent: Value| is_enveloped(&sent));
            if let Some(result) = answer.get("result") {
                assert_eq!(result.get("resultType").is_some(), has_envelope, "{context}");
            }
            assert!(response.status != 404 || has_envelope, "{context}");
            if let Some(id) =
                serde_json::from_str::<Value>(&sent).ok().and_then(|sent| sent.get("id").cloned())
                && (id.is_string() || id.is_i64() || id.is_u64())
                && ![403, 405, 415].contains(&response.status)
                && answer.get("id").is_some()
            {
                assert_eq!(answer["id"], id, "{context}");
            }
        }
    }
}

/// Which statuses the only answer of a response may have.
fn may_travel_with(answer: &Value, status: u16) -> bool {
    let statuses: &[u16] = match answer["error"]["code"].as_i64() {
        // And a resource that is not there, as the legacy era is told of it.
        None | Some(-32002) => &[200],
        Some(-32700 | -32020 | -32022) => &[400],
        Some(-32600) => &[400, 403, 405, 415],
        Some(-32601) => &[200, 404],
        Some(-32602) => &[200, 400],
        Some(_) => &[],
    };
    statuses.contains(&status)
}

fn is_enveloped(sent: &Value) -> bool {
    sent["params"]["_meta"].get("io.modelcontextprotocol/protocolVersion").is_some()
}

/// JSON-RPC 2.0 section 5, as MCP narrows it.
fn assert_is_response(answer: &Value, in_batch: bool, context: &str) {
    let members = answer.as_object().unwrap_or_else(|| panic!("{answer} {context}"));
    assert_eq!(members["jsonrpc"], json!("2.0"), "{context}");
    let has_id = members.get("id").is_some_and(|id| id.is_string() || id.is_number());
    match (members.get("result"), members.get("error")) {
        (Some(result), None) => assert!(has_id && result.is_object(), "{context}"),
        (None, Some(error)) => {
            assert!(error["code"].is_i64() && error["message"].is_string(), "{context}");
            assert!(has_id || members.contains_key("id") == in_batch, "{context}");
        }
        _ => panic!("{answer} {context}"),
    }
}
