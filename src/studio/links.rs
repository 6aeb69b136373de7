//! Who a person is at the providers of their organisations: linking, and taking links away.

use askama::Template;

use crate::{
    desk::TimeFromNow,
    http::{FormTarget, Notice, Request, Response, page},
    identity::{self, Linked, Session},
    platform::{DatabaseFault, Platform},
    tenants,
};

#[derive(Template)]
#[template(path = "studio/templates/links.html")]
struct LinksPage {
    csrf: String,
    /// Whether the sign-in is recent enough to change anything.
    recent: bool,
    rows: Vec<LinkRow>,
    done: Option<&'static str>,
}

/// A provider of one of the person's organisations.
struct LinkRow {
    organisation: String,
    safename: String,
    provider: String,
    id: String,
    linked: Option<LinkView>,
}

struct LinkView {
    label: String,
    made: TimeFromNow,
    used: Option<TimeFromNow>,
}

/// `GET /account/providers`: the providers of the person's organisations, and which are linked.
pub async fn links_page(platform: &Platform<'_>, request: &Request) -> Response {
    let session = match own_session(platform, request).await {
        Ok(session) => session,
        Err(response) => return response,
    };
    let rows = match rows(platform, &session).await {
        Ok(rows) => rows,
        Err(_) => return Notice::UNAVAILABLE.response(503),
    };
    let done = match request.query().get("done") {
        Some("linked") => Some("Linked. From now on you can sign in by it."),
        Some("unlinked") => Some("Taken away. Whoever was signed in by it is signed out."),
        _ => None,
    };
    let recent = session.recent(platform.now()).is_some();
    let template = LinksPage { csrf: session.csrf(platform.config), recent, rows, done };
    page(200, &template, FormTarget::SelfOnly, None)
}

/// `POST /account/providers`: takes the link to `provider` of the organisation `tenant` away, after a recent sign-in.
pub async fn unlink(platform: &Platform<'_>, request: &Request) -> Response {
    try_unlink(platform, request).await.unwrap_or_else(|answer| answer)
}

async fn try_unlink(platform: &Platform<'_>, request: &Request) -> Result<Response, Response> {
    let session = own_session(platform, request).await?;
    let form = request.form().unwrap_or_default();
    session.allows(platform.config, request, &form)?;
    let unavailable = |_| Notice::UNAVAILABLE.response(503);
    let recent =
        session.recent(platform.now()).ok_or_else(|| identity::sign_in_again("/account/providers"))?;
    let linked = identity::linked(platform, &session.user_id).await.map_err(unavailable)?;
    let wanted = form.get("provider").unwrap_or_default();
    if let Some(linked) = linked.iter().find(|linked| linked.provider.as_str() == wanted) {
        identity::unlink(platform, &session.user_id, linked, recent).await.map_err(unavailable)?;
    }
    Ok(Response::see_other("/account/providers?done=unlinked").no_store())
}

/// The session, if it is the person's own: one that a provider vouched for changes nothing here.
async fn own_session(platform: &Platform<'_>, request: &Request) -> Result<Session, Response> {
    let session =
        identity::session(platform, request).await.map_err(|_| Notice::UNAVAILABLE.response(503))?;
    let session = session.ok_or_else(|| identity::sign_in_redirect(request))?;
    if session.only.is_some() { Err(identity::not_by_provider()) } else { Ok(session) }
}

async fn rows(platform: &Platform<'_>, session: &Session) -> Result<Vec<LinkRow>, DatabaseFault> {
    let linked = identity::linked(platform, &session.user_id).await?;
    let mut rows = Vec::new();
    for membership in tenants::of_person(platform, &session.reach()).await? {
        let tenant = &membership.tenant;
        for provider in identity::offered(platform, tenant).await? {
            let own = |linked: &&Linked| linked.tenant == tenant.id && linked.provider == provider.id;
            rows.push(LinkRow {
                organisation: membership.name.clone(),
                safename: tenant.safename.to_string(),
                id: provider.id.to_string(),
                linked: linked.iter().find(own).map(|linked| view(platform, linked)),
                provider: provider.name,
            });
        }
    }
    Ok(rows)
}

fn view(platform: &Platform<'_>, linked: &Linked) -> LinkView {
    let now = platform.now();
    LinkView {
        label: linked.label.clone(),
        made: TimeFromNow::new(linked.created_at, now),
        used: linked.used_at.map(|at| TimeFromNow::new(at, now)),
    }
}
