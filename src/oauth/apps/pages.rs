//! The page of connected apps.

use askama::Template;

use super::model::{self, Connection};
use crate::{
    desk::{
        AppId, Caller, GrantId, LONGEST_NAME, Refusal, Safename, Scope, Scopes, TimeFromNow, WorkspaceId,
        presentable,
    },
    http::{Form, FormTarget, Notice, Request, Response, page},
    identity::{self, Session},
    oauth::{capability::Capability, client::host_of},
    platform::{Platform, Timestamp},
    posts::{self, Holding},
    tenants,
};

#[derive(Template)]
#[template(path = "oauth/templates/apps.html")]
struct AppsPage<'a> {
    organisation: &'a str,
    action: String,
    csrf: String,
    message: Option<String>,
    /// Whether the person may hold posts.
    may_hold: bool,
    several: bool,
    scheduled: i64,
    apps: Vec<App>,
    over: Vec<Over>,
}

/// A client, with the grants that it has from this person.
struct App {
    id: AppId,
    name: String,
    /// The host whose document describes it; nobody checked any other name.
    host: Option<String>,
    scheduled: i64,
    grants: Vec<Grant>,
}

struct Grant {
    id: GrantId,
    connected: TimeFromNow,
    used: Option<TimeFromNow>,
    network: Option<String>,
    ends: TimeFromNow,
    replays: i64,
    scheduled: i64,
    capabilities: Vec<Capability>,
    /// Which tools it was narrowed to, in words.
    narrowed: Option<String>,
    workspaces: Vec<Workspace>,
}

struct Workspace {
    id: WorkspaceId,
    name: String,
}

/// A grant that is over, and what it scheduled.
struct Over {
    id: GrantId,
    name: String,
    scheduled: i64,
}

/// `GET /<safename>/apps`: the apps that the signed-in member has connected.
pub async fn apps_page(platform: &Platform<'_>, request: &Request, safename: &str) -> Response {
    match member(platform, request, safename).await {
        Ok((session, caller)) => show(&session, &caller, 200, said(request)).await.unwrap_or_else(refused),
        Err(response) => response,
    }
}

/// `POST /<safename>/apps`: narrows or ends what the form names, and holds what it scheduled where that is asked for.
pub async fn change_apps(platform: &Platform<'_>, request: &Request, safename: &str) -> Response {
    let (session, caller) = match member(platform, request, safename).await {
        Ok(member) => member,
        Err(response) => return response,
    };
    let form = request.form().unwrap_or_default();
    if let Err(response) = session.allows(platform.config, request, &form) {
        return response;
    }
    match change(&caller, &form).await {
        Ok(Outcome::Done(done)) => {
            Response::see_other(&format!("/{}/apps?{done}", caller.tenant().safename)).no_store()
        }
        Ok(Outcome::Again(message)) => {
            show(&session, &caller, 400, Some(message.to_owned())).await.unwrap_or_else(refused)
        }
        Err(refusal) => refused(refusal),
    }
}

async fn member<'a>(
    platform: &Platform<'a>,
    request: &Request,
    safename: &str,
) -> Result<(Session, Caller<'a>), Response> {
    let session = identity::session(platform, request)
        .await
        .map_err(|_| Notice::UNAVAILABLE.response(503))?
        .ok_or_else(|| identity::sign_in_redirect(request))?;
    let safename: Safename = safename.parse().map_err(|_| nothing_here())?;
    let caller = tenants::member(platform, &session.reach(), &safename)
        .await
        .map_err(|_| Notice::UNAVAILABLE.response(503))?;
    Ok((session, caller.ok_or_else(nothing_here)?))
}

fn refused(refusal: Refusal) -> Response {
    match refusal {
        Refusal::Fault(_) | Refusal::Rehearsed(_) => Notice::UNAVAILABLE.response(503),
        Refusal::Conflict => Notice {
            heading: "That connection is over",
            words: "It ended before you changed it. Load the page again to see what is connected.",
        }
        .response(409),
        Refusal::Problems(_) | Refusal::Unauthenticated | Refusal::InsufficientScope(_) => nothing_here(),
    }
}

fn nothing_here() -> Response {
    Notice { heading: "Not found", words: "There is nothing here, or nothing that this account may see." }
        .response(404)
}

/// What became of a form.
enum Outcome {
    /// It was carried out; the query that says so on the page.
    Done(String),
    /// It says too little; what to say to the person.
    Again(&'static str),
}

async fn change(caller: &Caller<'_>, form: &Form) -> Result<Outcome, Refusal> {
    let (facts, connections) = model::connections(caller).await?;
    let named = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let (grant, app) = (named("grant"), named("app"));
    let chosen: Vec<&Connection> = match form.get("act") {
        Some("narrow" | "end" | "hold") => {
            connections.iter().filter(|connection| connection.grant_id.as_str() == grant).collect()
        }
        Some("end_app") => {
            connections.iter().filter(|connection| connection.app_id.as_str() == app).collect()
        }
        Some("end_all") => connections.iter().collect(),
        _ => return Ok(Outcome::Again("Nothing was changed: use one of the buttons.")),
    };
    let done = match form.get("act") {
        Some("hold") => "hold",
        Some("narrow") => {
            let [connection] = chosen.as_slice() else { return Err(Refusal::Conflict) };
            if let Some(message) = narrow(caller, connection, form).await? {
                return Ok(Outcome::Again(message));
            }
            "narrowed"
        }
        _ => {
            let living: Vec<GrantId> = chosen
                .iter()
                .filter(|connection| connection.live)
                .map(|connection| connection.grant_id.clone())
                .collect();
            if living.is_empty() {
                return Err(Refusal::Conflict);
            }
            model::end(caller, &living).await?;
            "ended"
        }
    };
    let wants_hold = done == "hold" || form.get("hold").is_some();
    let may_hold = facts.allowed.contains(HOLDING);
    if !(wants_hold && may_hold) {
        return Ok(Outcome::Done(done.to_owned()));
    }
    let holding = hold(caller, &chosen).await?;
    Ok(Outcome::Done(format!("{done}&held={}&left={}", holding.held, holding.left)))
}

/// What a member must be allowed to hold posts.
const HOLDING: Scopes = Scopes::of(&[Scope::PostsWrite]);

/// Says what to do instead when the form leaves nothing: that would be ending it.
async fn narrow(
    caller: &Caller<'_>,
    connection: &Connection,
    form: &Form,
) -> Result<Option<&'static str>, Refusal> {
    let scopes = Scopes::parse(&form.all("capability").collect::<Vec<_>>().join(" "));
    let scopes = scopes.intersection(connection.capabilities.without(OFFLINE));
    let workspaces: Vec<&WorkspaceId> = connection
        .workspaces
        .iter()
        .map(|workspace| &workspace.id)
        .filter(|id| form.all("workspace").any(|ticked| ticked == id.as_str()))
        .collect();
    if scopes.is_empty() || workspaces.is_empty() {
        return Ok(Some(
            "Nothing was changed: leave at least one capability and one workspace ticked, or end the connection.",
        ));
    }
    model::narrow(caller, &connection.grant_id, scopes, &workspaces).await?;
    Ok(None)
}

const OFFLINE: Scopes = Scopes::of(&[Scope::OfflineAccess]);

async fn hold(caller: &Caller<'_>, chosen: &[&Connection]) -> Result<Holding, Refusal> {
    let caller = caller.needing(HOLDING);
    let mut all = Holding::default();
    for connection in chosen {
        let holding = posts::hold_scheduled(&caller, &connection.grant_id).await?;
        all.held += holding.held;
        all.left += holding.left;
    }
    Ok(all)
}

/// What a form has done, as the redirect's query tells it.
fn said(request: &Request) -> Option<String> {
    let query = request.query();
    let done = if query.get("ended").is_some() {
        "The connection was ended. "
    } else if query.get("narrowed").is_some() {
        "The connection was narrowed. "
    } else {
        ""
    };
    let number = |name| query.get(name).and_then(|text| text.parse::<u32>().ok());
    let held = match number("held") {
        Some(1) => "1 post is a draft again. ".to_owned(),
        Some(number) => format!("{number} posts are drafts again. "),
        None => String::new(),
    };
    let left = match number("left") {
        Some(0) | None => "",
        Some(_) => "Some could not be held: they are being sent, or changed at this moment. ",
    };
    let message = format!("{done}{held}{left}");
    (!message.is_empty()).then(|| message.trim_end().to_owned())
}

async fn show(
    session: &Session,
    caller: &Caller<'_>,
    status: u16,
    message: Option<String>,
) -> Result<Response, Refusal> {
    let (facts, connections) = model::connections(caller).await?;
    let (living, over): (Vec<Connection>, Vec<Connection>) =
        connections.into_iter().partition(|connection| connection.live);
    let template = AppsPage {
        organisation: &facts.tenant_name,
        action: format!("/{}/apps", caller.tenant().safename),
        csrf: session.csrf(caller.platform().config),
        message,
        may_hold: facts.allowed.contains(HOLDING),
        several: living.len() > 1,
        scheduled: living.iter().map(|connection| connection.scheduled).sum(),
        apps: by_app(living, caller.now()),
        over: over.into_iter().map(Over::of).collect(),
    };
    Ok(page(status, &template, FormTarget::SelfOnly, None))
}

/// The apps in the order of their newest grant.
fn by_app(living: Vec<Connection>, now: Timestamp) -> Vec<App> {
    let mut apps: Vec<App> = Vec::new();
    for connection in living {
        let scheduled = connection.scheduled;
        let known = apps.iter_mut().find(|app| app.id == connection.app_id);
        match known {
            Some(app) => {
                app.scheduled += scheduled;
                app.grants.push(Grant::of(connection, now));
            }
            None => apps.push(App {
                id: connection.app_id.clone(),
                name: shown_name(&connection),
                host: host_of(&connection.client_id),
                scheduled,
                grants: vec![Grant::of(connection, now)],
            }),
        }
    }
    apps
}

fn shown_name(connection: &Connection) -> String {
    presentable(&connection.client_name, LONGEST_NAME).unwrap_or_else(|| "An app without a name".to_owned())
}

impl Grant {
    fn of(connection: Connection, now: Timestamp) -> Self {
        let shown = connection.capabilities.without(OFFLINE);
        Self {
            id: connection.grant_id,
            connected: TimeFromNow::new(connection.created_at, now),
            used: connection.used_at.map(|at| TimeFromNow::new(at, now)),
            network: connection.used_from,
            ends: TimeFromNow::new(connection.ends_at, now),
            replays: connection.replays,
            scheduled: connection.scheduled,
            capabilities: shown.iter().map(|scope| Capability::new(scope, true)).collect(),
            narrowed: connection.selection.in_words(),
            workspaces: connection
                .workspaces
                .into_iter()
                .map(|workspace| Workspace { id: workspace.id, name: workspace.name })
                .collect(),
        }
    }
}

impl Over {
    fn of(connection: Connection) -> Self {
        Self { name: shown_name(&connection), id: connection.grant_id, scheduled: connection.scheduled }
    }
}
