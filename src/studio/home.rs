//! The signed-in person's organisations, and how to connect an assistant to each.

use askama::Template;

use super::member::refused;
use crate::{
    desk::{Authority, Caller, WorkspaceFacts},
    http::{FormTarget, Notice, Request, Response, page},
    identity::{self, Session},
    platform::{DatabaseFault, Platform},
    tenants::{self, Membership},
};

#[derive(Template)]
#[template(path = "studio/templates/home.html")]
struct HomePage<'a> {
    session: &'a Session,
    csrf: String,
    organisations: Vec<Organisation>,
}

struct Organisation {
    name: String,
    safename: String,
    role: &'static str,
    manages: bool,
    mcp_url: String,
    /// The entry of a JSON configuration.
    json: String,
    workspaces: Vec<WorkspaceFacts>,
}

/// `GET /`: the person's organisations with their MCP addresses and ready lines for connecting; signs in first.
pub async fn home(platform: &Platform<'_>, request: &Request) -> Response {
    let session = match identity::session(platform, request).await {
        Ok(Some(session)) => session,
        Ok(None) => return identity::sign_in_redirect(request),
        Err(_) => return Notice::UNAVAILABLE.response(503),
    };
    let organisations = match organisations(platform, &session).await {
        Ok(organisations) => organisations,
        Err(fault) => return refused(fault.into()),
    };
    let template = HomePage { csrf: session.csrf(platform.config), session: &session, organisations };
    page(200, &template, FormTarget::SelfOnly, None)
}

async fn organisations(
    platform: &Platform<'_>,
    session: &Session,
) -> Result<Vec<Organisation>, DatabaseFault> {
    let mut organisations = Vec::new();
    for membership in tenants::of_person(platform, &session.reach()).await? {
        let workspaces = workspaces(platform, session, &membership).await;
        organisations.push(Organisation::new(platform, membership, workspaces));
    }
    Ok(organisations)
}

/// The workspaces behind the gate; none when it closed in between.
async fn workspaces(
    platform: &Platform<'_>,
    session: &Session,
    membership: &Membership,
) -> Vec<WorkspaceFacts> {
    let authority = Authority::Member { user_id: session.user_id.clone() };
    match Caller::new(*platform, membership.tenant.clone(), authority) {
        Some(caller) => caller.facts().await.map(|facts| facts.workspaces).unwrap_or_default(),
        None => Vec::new(),
    }
}

impl Organisation {
    fn new(platform: &Platform<'_>, membership: Membership, workspaces: Vec<WorkspaceFacts>) -> Self {
        let safename = membership.tenant.safename.to_string();
        let mcp_url = platform.config.resource(&safename);
        let server =
            serde_json::json!({ "mcpServers": { (&*safename): { "type": "http", "url": mcp_url } } });
        Self {
            name: membership.name,
            role: membership.role.as_str(),
            manages: membership.role.manages(),
            json: serde_json::to_string_pretty(&server).unwrap_or_default(),
            safename,
            mcp_url,
            workspaces,
        }
    }
}
