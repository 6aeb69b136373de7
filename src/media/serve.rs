//! Media files as the content origin serves them.

use super::sniff::Format;
use crate::{
    desk::{blob_key, check_media_address},
    http::{Problem, Request, Response},
    platform::{BlobFault, ByteRange, Platform},
};

/// How many first bytes tell a file's format.
const SIGNATURE: u64 = 16;
/// A file never changes under its address.
const CACHE: &str = "public, max-age=31536000, immutable";
/// Even opened by itself, a file can do nothing.
const POLICY: &str = "default-src 'none'; sandbox";

/// Answers `/media/{tenant}/{media}/{tag}`: the file, a run of it (RFC 9110 section 14; one range, in bytes), or 404
/// for whatever is not there or has not the right tag.
pub async fn serve(
    platform: &Platform<'_>,
    request: &Request,
    tenant: &str,
    media: &str,
    tag: &str,
) -> Response {
    let Some((tenant, media)) = check_media_address(platform.config, tenant, media, tag) else {
        return not_found();
    };
    let etag = format!("\"{media}\"");
    if request.header("if-none-match").is_some_and(|seen| seen.split(',').any(|tag| tag.trim() == etag)) {
        return Response::empty(304).with_header("etag", etag).with_header("cache-control", CACHE);
    }
    match read(platform, &blob_key(&tenant, &media), request.header("range")).await {
        Ok(Some(Found::File(response))) => response.with_header("etag", etag),
        Ok(Some(Found::Unsatisfiable(size))) => Problem::new(
            416,
            "range_not_satisfiable",
            "The file does not have those bytes.",
            "Ask for bytes within its length.",
        )
        .response()
        .with_header("content-range", format!("bytes */{size}")),
        Ok(None) => not_found(),
        Err(_) => {
            Problem::new(503, "unavailable", "The file cannot be read right now.", "Try again.").response()
        }
    }
}

fn not_found() -> Response {
    Problem::new(404, "not_found", "There is nothing here.", "Check the address.").response()
}

enum Found {
    File(Response),
    Unsatisfiable(u64),
}

async fn read(platform: &Platform<'_>, key: &str, range: Option<&str>) -> Result<Option<Found>, BlobFault> {
    let Some(info) = platform.blobs.head(key).await? else { return Ok(None) };
    let asked = match asked_range(range, info.size) {
        Asked::Unsatisfiable => return Ok(Some(Found::Unsatisfiable(info.size))),
        Asked::All => None,
        Asked::Part(range) => Some(range),
    };
    let run = asked.unwrap_or(ByteRange { start: 0, length: info.size });
    let Some(bytes) = platform.blobs.read(key, run).await? else { return Ok(None) };
    let format = if run.start == 0 && bytes.len() as u64 >= SIGNATURE {
        Format::of(&bytes)
    } else {
        let signature = platform.blobs.read(key, ByteRange { start: 0, length: SIGNATURE }).await?;
        signature.and_then(|bytes| Format::of(&bytes))
    };
    Ok(Some(Found::File(file(format, asked, info.size, bytes))))
}

fn file(format: Option<Format>, asked: Option<ByteRange>, size: u64, bytes: Vec<u8>) -> Response {
    let (content_type, disposition) = match format {
        Some(format) => (format.content_type(), "inline"),
        None => ("application/octet-stream", "attachment"),
    };
    let response = Response::of(if asked.is_some() { 206 } else { 200 }, content_type, bytes)
        .with_header("content-disposition", disposition)
        .with_header("content-security-policy", POLICY)
        .with_header("cache-control", CACHE)
        .with_header("accept-ranges", "bytes");
    match asked {
        None => response,
        Some(ByteRange { start, length }) => {
            let last = start.saturating_add(length).saturating_sub(1);
            response.with_header("content-range", format!("bytes {start}-{last}/{size}"))
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    All,
    Part(ByteRange),
    Unsatisfiable,
}

/// Reads a `Range` header against a file of `size` bytes. What is not one well-formed range of bytes is ignored, as
/// RFC 9110 section 14.2 allows.
fn asked_range(header: Option<&str>, size: u64) -> Asked {
    let Some(range) = header.and_then(|text| text.trim().strip_prefix("bytes=")) else { return Asked::All };
    let Some((first, last)) = range.split_once('-') else { return Asked::All };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (start, end) = match (first.trim(), last.trim()) {
        ("", suffix) => match number(suffix) {
            Some(length) => (size.saturating_sub(length), if length == 0 { 0 } else { size }),
            None => return Asked::All,
        },
        (first, "") => match number(first) {
            Some(start) => (start, size),
            None => return Asked::All,
        },
        (first, last) => match (number(first), number(last)) {
            (Some(start), Some(last)) if start <= last => (start, last.saturating_add(1).min(size)),
            _ => return Asked::All,
        },
    };
    if start < end { Asked::Part(ByteRange { start, length: end - start }) } else { Asked::Unsatisfiable }
}
