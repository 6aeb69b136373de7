//! Connecting an account, for the signed-in person whom the assistant asked to.

use super::member::member;
use crate::{
    http::{Request, RequestMethod, Response},
    platform::Platform,
    profiles,
};

/// `GET` and `POST /{safename}/connect/{id}`.
pub async fn connect(platform: &Platform<'_>, request: &Request, safename: &str, id: &str) -> Response {
    let (session, caller) = match member(platform, request, safename).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let tenant = caller.tenant();
    match request.method {
        RequestMethod::Post => profiles::connect_submit(platform, request, tenant, &session, id).await,
        _ => profiles::connect_page(platform, request, tenant, &session, id).await,
    }
}
