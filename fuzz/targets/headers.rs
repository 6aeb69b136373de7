//! The header decoder: lines of headers, or of the address's query after `?`, an empty line, and the name of a tool.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postern::http::Response;
use postern_fuzz::{
    World, answered, check, with_world,
    world::{bare_request, wrapped},
};
use serde_json::{Value, json};

const MISMATCH: i64 = -32020;

fuzz_target!(|input: &str| {
    let (headers, name) = input.split_once("\n\n").unwrap_or((input, "whoami"));
    with_world(|world| {
        any_headers(world, headers, name);
        the_name_in_a_header(world, name);
    });
});

/// Whatever the headers say, they are answered in the protocol.
fn any_headers(world: &World, headers: &str, name: &str) {
    let mut request = world.request(body(name));
    request.query = headers.lines().find_map(|line| line.strip_prefix('?')).unwrap_or_default().to_owned();
    for (header, value) in headers.lines().filter_map(|line| line.split_once(':')) {
        let header = header.trim().to_ascii_lowercase();
        request.headers.retain(|(key, _)| *key != header || header == "authorization");
        request.headers.push((header, value.to_owned()));
    }
    let response = world.serve(request.clone());
    // Two tokens, or one that is not ours.
    if response.status != 401 {
        check(&request, &response);
    }
}

/// A name is understood as wrapped text, and as it stands where it could not be taken for that.
fn the_name_in_a_header(world: &World, name: &str) {
    let said = |value: String| {
        let mut request = bare_request(body(name));
        let usual = world.request(body(name));
        request.headers = usual.headers.into_iter().filter(|(key, _)| key != "mcp-name").collect();
        request.headers.push(("mcp-name".to_owned(), value));
        code(&answered(world, request))
    };
    assert_ne!(said(wrapped(name)), Some(MISMATCH), "{name:?} wrapped");
    let is_plain = name.trim() == name && !name.starts_with("=?base64?");
    if is_plain {
        assert_ne!(said(name.to_owned()), Some(MISMATCH), "{name:?}");
    }
    assert_eq!(said(format!("{name}x")), Some(MISMATCH), "{name:?} and more");
}

fn body(name: &str) -> Vec<u8> {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({ "name": name, "arguments": {}, "_meta": meta });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string().into_bytes()
}

fn code(response: &Response) -> Option<i64> {
    serde_json::from_slice::<Value>(&response.body).ok()?["error"]["code"].as_i64()
}
