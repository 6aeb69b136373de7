//! Resource identifiers (RFC 8707) as clients spell them.

use url::Url;

use crate::{desk::Safename, platform::Config};

/// Query parameters of an MCP address that choose what is shown there and not who may see it.
const OPTIONS: [&str; 2] = ["toolsets", "read_only"];

/// The tenant whose MCP endpoint `text` names. Scheme and host may be in any case, and one trailing slash and the
/// endpoint's own query parameters are passed over; everything else counts.
pub(super) fn named_tenant(text: &str, config: &Config) -> Option<Safename> {
    let address = text.split_once('?').map_or(text, |(address, _)| address);
    // What a URL parser would silently mend is not the address that was issued.
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || address.contains('\\') || address.contains("/.") {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let ours = url.origin().ascii_serialization() == config.public_origin;
    let only_options = url.query_pairs().all(|(name, _)| OPTIONS.contains(&name.as_ref()));
    if !(plain && ours && only_options) {
        return None;
    }
    let path = url.path();
    path.strip_suffix('/').unwrap_or(path).strip_prefix('/')?.strip_suffix("/mcp")?.parse().ok()
}
