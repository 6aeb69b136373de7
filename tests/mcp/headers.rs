//! The headers of a modern request repeat its body.

use postern::http::Request;
use serde_json::json;

use super::{Endpoint, body, call, modern, modern_at, status_and_code, with, without};

const MISMATCH: (u16, i64) = (400, -32020);

fn listing() -> Request {
    modern("tools/list", json!({}))
}

fn calling() -> Request {
    modern("tools/call", call("where_am_i", json!({})))
}

fn replaced(request: Request, name: &str, value: &str) -> Request {
    with(without(request, name), name, value)
}

#[test]
fn a_missing_header_is_a_mismatch() {
    let endpoint = Endpoint::new();
    for name in ["mcp-protocol-version", "mcp-method", "mcp-name"] {
        assert_eq!(status_and_code(endpoint.send(&without(calling(), name))), MISMATCH, "{name}");
    }
    body(endpoint.send(&without(listing(), "mcp-name")));
}

#[test]
fn a_header_that_says_something_else_is_a_mismatch() {
    let endpoint = Endpoint::new();
    for (name, value) in [
        ("mcp-protocol-version", "2025-11-25"),
        ("mcp-method", "tools/list"),
        ("mcp-method", "Tools/Call"),
        ("mcp-name", "take_note"),
        ("mcp-name", "Where_am_i"),
        ("mcp-name", ""),
    ] {
        let request = replaced(calling(), name, value);
        assert_eq!(status_and_code(endpoint.send(&request)), MISMATCH, "{name}: {value}");
    }
}

#[test]
fn a_header_that_comes_twice_is_a_mismatch() {
    let endpoint = Endpoint::new();
    let request = with(calling(), "mcp-name", "where_am_i");
    assert_eq!(status_and_code(endpoint.send(&request)), MISMATCH);
}

#[test]
fn white_space_around_a_header_is_no_part_of_it() {
    let endpoint = Endpoint::new();
    body(endpoint.send(&replaced(calling(), "mcp-name", " \twhere_am_i ")));
    body(endpoint.send(&replaced(listing(), "mcp-method", " tools/list ")));
}

#[test]
fn a_name_may_be_wrapped_in_base64() {
    let endpoint = Endpoint::new();
    body(endpoint.send(&replaced(calling(), "mcp-name", "=?base64?d2hlcmVfYW1faQ==?=")));
    for value in [
        "=?base64?d2hlcmVfYW1faQ?=",
        "=?base64?d2hlcmVfYW1faQ=?=",
        "=?base64?d2hlcmVfYW1f*Q==?=",
        "=?BASE64?d2hlcmVfYW1faQ==?=",
        "=?base64?d2hlcmVfYW1faQ==",
        "=?base64?/w==?=",
        "d2hlcmVfYW1faQ==",
        "=?base64??=",
        "=?base64?=",
    ] {
        assert_eq!(
            status_and_code(endpoint.send(&replaced(calling(), "mcp-name", value))),
            MISMATCH,
            "{value}"
        );
    }
}

#[test]
fn an_unknown_revision_is_told_after_the_headers_agree_with_it() {
    let endpoint = Endpoint::new();
    assert_eq!(status_and_code(endpoint.send(&modern_at("v999", "tools/list", json!({})))), (400, -32022));
    let disagreeing =
        replaced(modern_at("v999", "tools/list", json!({})), "mcp-protocol-version", "2026-07-28");
    assert_eq!(status_and_code(endpoint.send(&disagreeing)), MISMATCH);
}
