//! `/contract`: what the ports of this very runtime do, promise by promise. Only in builds with the feature `contract`.

use super::statements;
use crate::{
    http::Response,
    platform::{Platform, contract},
};

/// Runs the contract suites: 200 when every promise is kept, else 500, with all checks as JSON.
pub async fn answer(platform: &Platform<'_>) -> Response {
    let checks = contract::run(platform, statements()).await;
    let kept = checks.iter().all(|check| check.broken.is_none());
    Response::json(if kept { 200 } else { 500 }, &checks)
}
