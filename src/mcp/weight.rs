//! What a request counts for: each element of a batch by itself.

use serde::de::IgnoredAny;

use super::MAX_BATCH;
use crate::http::Request;

/// How many messages a request has, 1 to [`MAX_BATCH`]: a larger batch is refused whole, and so is what is no JSON.
pub fn weight(request: &Request) -> usize {
    let is_batch = request.body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let messages =
        if is_batch { serde_json::from_slice::<Vec<IgnoredAny>>(&request.body).ok() } else { None };
    messages.map_or(1, |messages| messages.len().clamp(1, MAX_BATCH))
}
