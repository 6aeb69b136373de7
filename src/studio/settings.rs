//! A workspace's settings.

use askama::Template;

use super::member::{member, member_with_form, not_found, refused};
use crate::{
    desk::{Facts, Problem, Refusal, WorkspaceFacts, WorkspaceId},
    http::{Form, FormTarget, Request, Response, page},
    platform::Platform,
    tenants::{self, WorkspaceSettings},
};

#[derive(Template)]
#[template(path = "studio/templates/settings.html")]
struct SettingsPage {
    organisation: String,
    workspace: String,
    csrf: String,
    saved: bool,
    may_change: bool,
    fields: Vec<Field>,
}

/// One field, with what is wrong with it.
struct Field {
    name: &'static str,
    label: &'static str,
    explains: &'static str,
    kind: &'static str,
    value: String,
    problem: Option<String>,
}

/// What stands in the fields, in the order of [`FIELDS`].
type Values = [String; 4];

const FIELDS: [(&str, &str, &str, &str); 4] = [
    (
        "time_zone",
        "Time zone",
        "Local times are read in it. What is scheduled already keeps its instant.",
        "text",
    ),
    (
        "grace_minutes",
        "Grace for late posts, in minutes",
        "A post that is later than this is marked missed instead of going out.",
        "number",
    ),
    (
        "notice_minutes",
        "Notice, in minutes",
        "Scheduling nearer than this counts as publishing and needs that capability.",
        "number",
    ),
    (
        "hold_seconds",
        "Hold, in seconds",
        "Publishing that an assistant asked for waits this long, so that you can stop it.",
        "number",
    ),
];

/// `GET /<safename>/settings/<workspace>`: shows the settings to members; managers may change them.
pub async fn settings_page(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    workspace: &str,
) -> Response {
    let saved = request.query().get("saved").is_some();
    show(platform, request, safename, workspace, saved).await.unwrap_or_else(|answer| answer)
}

/// `POST /<safename>/settings/<workspace>`: changes them, or says beside each field what is wrong.
pub async fn save_settings(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    workspace: &str,
) -> Response {
    save(platform, request, safename, workspace).await.unwrap_or_else(|answer| answer)
}

async fn show(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    workspace: &str,
    saved: bool,
) -> Result<Response, Response> {
    let (session, caller) = member(platform, request, safename).await?;
    let id: WorkspaceId = workspace.parse().map_err(|_| not_found())?;
    let (facts, workspace) = tenants::settings(&caller, &id).await.map_err(refused)?;
    let values = stored(&workspace);
    let csrf = session.csrf(platform.config);
    Ok(SettingsPage::new(&facts, workspace, csrf, values, &[]).saved(saved).response(200))
}

async fn save(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    workspace: &str,
) -> Result<Response, Response> {
    let (session, caller, form) = member_with_form(platform, request, safename).await?;
    let id: WorkspaceId = workspace.parse().map_err(|_| not_found())?;
    let problems = match WorkspaceSettings::parse(&form) {
        Ok(settings) => match tenants::save_settings(&caller, &id, &settings).await {
            Ok(()) => return Ok(Response::see_other(&format!("{}?saved", request.path)).no_store()),
            Err(Refusal::Problems(problems)) => problems,
            Err(refusal) => return Err(refused(refusal)),
        },
        Err(problems) => problems,
    };
    let (facts, workspace) = tenants::settings(&caller, &id).await.map_err(refused)?;
    let status = if facts.role.manages() { 422 } else { 403 };
    let csrf = session.csrf(platform.config);
    Ok(SettingsPage::new(&facts, workspace, csrf, given(&form), &problems).response(status))
}

impl SettingsPage {
    fn new(
        facts: &Facts,
        workspace: WorkspaceFacts,
        csrf: String,
        values: Values,
        problems: &[Problem],
    ) -> Self {
        let problem_of = |name: &str| problems.iter().find(|problem| problem.field == name);
        let fields = FIELDS
            .into_iter()
            .zip(values)
            .map(|((name, label, explains, kind), value)| Field {
                name,
                label,
                explains,
                kind,
                value,
                problem: problem_of(name).map(|problem| format!("{} {}", problem.message, problem.hint)),
            })
            .collect();
        Self {
            organisation: facts.tenant_name.clone(),
            workspace: workspace.name,
            csrf,
            saved: false,
            may_change: facts.role.manages(),
            fields,
        }
    }

    fn saved(mut self, saved: bool) -> Self {
        self.saved = saved;
        self
    }

    fn response(&self, status: u16) -> Response {
        page(status, self, FormTarget::SelfOnly, None)
    }
}

fn stored(workspace: &WorkspaceFacts) -> Values {
    [
        workspace.time_zone.clone(),
        (workspace.grace_seconds / 60).to_string(),
        (workspace.notice_seconds / 60).to_string(),
        workspace.hold_seconds.to_string(),
    ]
}

fn given(form: &Form) -> Values {
    FIELDS.map(|(name, ..)| form.get(name).unwrap_or_default().to_owned())
}
