//! Keyset cursors: where a page ended, sealed, so that nobody reads or makes one.

use serde::{Serialize, de::DeserializeOwned};

use super::{Caller, Code, Fix, Problem};
use crate::platform::{Purpose, SealFault, Sealed};

/// Most items of a page.
const MAX_PAGE: u32 = 50;

/// A cursor that this list did not give for these arguments.
pub type CursorFault = Problem;

/// How many items a page has: what was asked for, between 1 and 50; 20 when nothing was.
pub fn page_limit(asked: Option<u32>) -> i64 {
    i64::from(asked.unwrap_or(20).clamp(1, MAX_PAGE))
}

/// Seals where a page of `list` ended. `list` names the list and its arguments, so that a cursor fits no other.
///
/// # Errors
/// When sealing fails.
pub fn seal_cursor(caller: &Caller<'_>, list: &str, position: &impl Serialize) -> Result<String, SealFault> {
    let text = serde_json::to_vec(position).map_err(|_| SealFault)?;
    let platform = caller.platform();
    platform
        .config
        .keys
        .seal(
            Purpose::Cursor,
            platform.entropy,
            &[caller.tenant().id.as_str(), &caller.holder(), list],
            &text,
        )
        .map(|sealed| sealed.as_str().to_owned())
}

/// Where the page before ended.
///
/// # Errors
/// `cursor_invalid`.
pub fn open_cursor<T: DeserializeOwned>(
    caller: &Caller<'_>,
    list: &str,
    cursor: &str,
) -> Result<T, CursorFault> {
    let context = [caller.tenant().id.as_str(), &caller.holder(), list];
    caller
        .platform()
        .config
        .keys
        .open(Purpose::Cursor, &context, &Sealed::from_stored(cursor.to_owned()))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| {
            Problem::new(
                Code::CursorInvalid,
                "cursor",
                "Pass next_cursor of the page before with the same other arguments, or leave cursor out to begin again.",
            )
            .fix(Fix::Remove)
        })
}
