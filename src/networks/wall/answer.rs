//! Answers of the content origin: what visitors' browsers may do with them, and how long they keep them.

use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

use super::view::instant;
use crate::{
    desk::sha256_text,
    http::{Request, Response},
    platform::Timestamp,
};

/// The style of every page, inline and allowed by its hash.
pub const STYLE: &str = include_str!("templates/style.css");

/// What tenants write runs nothing, sends nothing and shares no origin with anything. Links lead out, also into new
/// tabs, which are as free as any.
static PAGE_POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; img-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox \
         allow-top-navigation-by-user-activation",
        BASE64.encode(&Sha256::digest(STYLE))
    )
});

const FEED_POLICY: &str = "default-src 'none'; sandbox";

/// An HTML page.
pub fn html(status: u16, body: String) -> Response {
    Response::of(status, "text/html; charset=utf-8", body)
        .with_header("content-security-policy", PAGE_POLICY.as_str())
        .with_header("referrer-policy", "strict-origin-when-cross-origin")
        .with_header("x-frame-options", "DENY")
}

/// A feed, which scripts of any origin may read.
pub fn feed(content_type: &str, body: String) -> Response {
    Response::of(200, content_type, body)
        .with_header("content-security-policy", FEED_POLICY)
        .with_header("access-control-allow-origin", "*")
}

/// The answer with its validators (RFC 9110 8.8), or 304 when the visitor has it already. Kept for half a minute.
pub fn fresh(request: &Request, response: Response, modified: Timestamp) -> Response {
    let tag = format!("\"{}\"", sha256_text(&response.body));
    let date = instant(modified).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let known = match request.header("if-none-match") {
        Some(tags) => has_tag(tags, &tag),
        // Only the very same date: what was removed since makes an answer older, not newer.
        None => request.header("if-modified-since") == Some(date.as_str()),
    };
    let answer = if known { Response { status: 304, body: Vec::new(), ..response } } else { response };
    answer
        .with_header("etag", tag)
        .with_header("last-modified", date)
        .with_header("cache-control", "public, max-age=30")
}

/// Weak comparison (RFC 9110 13.1.2): proxies that compress weaken tags.
fn has_tag(tags: &str, tag: &str) -> bool {
    tags.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}
