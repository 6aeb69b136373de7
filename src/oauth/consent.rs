//! Consent: a person sees who asks for what, and decides once.

use askama::Template;

use super::{
    capability::Capability,
    client::Vouched,
    code::{self, Code},
    pending::{self, Asked},
    redirect::RedirectUri,
    step_up::{self, Held},
    store::shard as sql,
};
use crate::{
    desk::{
        Act, AppId, Authority, Caller, Facts, GrantId, LONGEST_NAME, PendingId, Refusal, Safename, Scope,
        Scopes, Selection, Toolset, WorkspaceId, presentable,
    },
    http::{Form, FormTarget, Notice, Request, Response, page},
    identity::{self, Session},
    platform::{DatabaseFault, Platform, Statement, Value},
    tenants::{self, Membership},
};

/// Why there is nothing to decide, or the decision was not carried out.
enum ConsentFault {
    SignedOut,
    /// The form is not this session's own; its answer.
    Forged(Box<Response>),
    /// The request is not this session's, was decided already, or has waited for too long.
    Over,
    NotAMember,
    /// The form says neither approve nor deny.
    Malformed,
    Database,
    /// The decision was taken, and whether it was carried out is not known.
    Unfinished,
}

impl From<DatabaseFault> for ConsentFault {
    fn from(_: DatabaseFault) -> Self {
        Self::Database
    }
}

impl From<Refusal> for ConsentFault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unauthenticated | Refusal::InsufficientScope(_) | Refusal::Problems(_) => {
                Self::NotAMember
            }
            Refusal::Conflict | Refusal::Fault(_) | Refusal::Rehearsed(_) => Self::Database,
        }
    }
}

fn wire_error(fault: ConsentFault, request: &Request) -> Response {
    let notice = |status, heading, words| Notice { heading, words }.response(status);
    match fault {
        ConsentFault::SignedOut => identity::sign_in_redirect(request),
        ConsentFault::Forged(response) => *response,
        ConsentFault::Over => notice(
            410,
            "This request is over",
            "It was decided already, has waited for more than ten minutes, or was made in another browser. Start again from the app.",
        ),
        ConsentFault::NotAMember => notice(
            403,
            "That organisation is not yours",
            "You are not a member of the organisation that the app asked for, or there is no such organisation. Nothing was allowed.",
        ),
        ConsentFault::Malformed => notice(
            400,
            "That was neither yes nor no",
            "Go back and use one of the buttons. Nothing was allowed.",
        ),
        ConsentFault::Database => Notice::UNAVAILABLE.response(503),
        ConsentFault::Unfinished => notice(
            503,
            "Your answer did not get through",
            "Nothing was handed to the app. Start again from the app in a minute.",
        ),
    }
}

/// What a person has put into the form so far.
struct Choice {
    tenant: Option<Safename>,
    workspaces: Vec<WorkspaceId>,
    /// Nothing before the form was sent: then what the client asked for is ticked.
    scopes: Option<Scopes>,
    /// The grant whose capabilities the page said are kept.
    kept: Option<GrantId>,
    /// Which tools the app is shown.
    selection: Selection,
}

impl Choice {
    const NONE: Self = Self {
        tenant: None,
        workspaces: Vec::new(),
        scopes: None,
        kept: None,
        selection: Selection::EVERYTHING,
    };

    fn of(form: &Form) -> Self {
        Self {
            tenant: form.get("tenant").and_then(|name| name.parse().ok()),
            workspaces: form.all("workspace").filter_map(|id| id.parse().ok()).collect(),
            scopes: Some(Scopes::parse(&form.all("capability").collect::<Vec<_>>().join(" "))),
            kept: form.get("kept").and_then(|id| id.parse().ok()),
            selection: Selection::of_sets(form.all("toolset").filter_map(|name| name.parse().ok()))
                .reading(form.get("read_only").is_some()),
        }
    }
}

/// A request before its person, with the tenant that it is about to be allowed in.
struct Case<'a> {
    id: PendingId,
    asked: Asked,
    redirect: RedirectUri,
    session: Session,
    /// The tenants to choose from; none when the client named one.
    choices: Vec<Membership>,
    /// What the app has already, when it asks for more.
    held: Option<Held>,
    caller: Caller<'a>,
    facts: Facts,
}

async fn open<'a>(
    platform: &Platform<'a>,
    session: Session,
    id: &str,
    chosen: Option<&Safename>,
) -> Result<Case<'a>, ConsentFault> {
    let id: PendingId = id.parse().map_err(|_| ConsentFault::Over)?;
    let asked = pending::find(platform, &session, &id).await?.ok_or(ConsentFault::Over)?;
    let redirect =
        RedirectUri::parse(&asked.redirect_uri, platform.config).map_err(|_| ConsentFault::Over)?;
    let own = tenants::of_person(platform, &session.reach()).await?;
    let wanted = asked.tenant.as_ref().or(chosen);
    let tenant = match wanted {
        Some(named) => own.iter().find(|membership| membership.tenant.safename == *named),
        None => own.first(),
    };
    let tenant = tenant.map(|membership| membership.tenant.clone()).ok_or(ConsentFault::NotAMember)?;
    let choices = if asked.tenant.is_none() { own } else { Vec::new() };
    let authority = Authority::Member { user_id: session.user_id.clone() };
    let caller = Caller::new(*platform, tenant, authority).ok_or(ConsentFault::Database)?;
    let mut answer = caller.read(vec![step_up::find_held(&caller, &asked.client_id, asked.scopes)]).await?;
    let held = answer.next_first()?;
    Ok(Case { id, asked, redirect, session, choices, held, caller, facts: answer.facts })
}

/// `GET /consent/<id>`: the request, for the session that it belongs to.
pub async fn consent_page(platform: &Platform<'_>, request: &Request, id: &str) -> Response {
    match try_page(platform, request, id).await {
        Ok(response) => response,
        Err(fault) => wire_error(fault, request),
    }
}

async fn try_page(platform: &Platform<'_>, request: &Request, id: &str) -> Result<Response, ConsentFault> {
    let session = identity::session(platform, request).await?.ok_or(ConsentFault::SignedOut)?;
    let case = open(platform, session, id, None).await?;
    Ok(case.show(&Choice::NONE, None))
}

/// `POST /consent/<id>`: approves or denies, once; or shows another tenant's workspaces.
pub async fn decide(platform: &Platform<'_>, request: &Request, id: &str) -> Response {
    match try_decide(platform, request, id).await {
        Ok(response) => response,
        Err(fault) => wire_error(fault, request),
    }
}

async fn try_decide(platform: &Platform<'_>, request: &Request, id: &str) -> Result<Response, ConsentFault> {
    let session = identity::session(platform, request).await?.ok_or(ConsentFault::SignedOut)?;
    let form = request.form().ok_or(ConsentFault::Malformed)?;
    session
        .allows(platform.config, request, &form)
        .map_err(|response| ConsentFault::Forged(Box::new(response)))?;
    let choice = Choice::of(&form);
    let case = open(platform, session, id, choice.tenant.as_ref()).await?;
    match form.get("decision") {
        Some("approve") => case.approve(&choice).await,
        Some("deny") => case.deny().await,
        Some("choose") => Ok(case.show(&choice, None)),
        _ => Err(ConsentFault::Malformed),
    }
}

impl Case<'_> {
    async fn deny(&self) -> Result<Response, ConsentFault> {
        self.claim().await?;
        // Nothing was given away: a shard that does not write it down is no reason to hide the answer from the client.
        let act = Act { name: "deny_app", subjects: &[&self.asked.client_id] };
        let _: Result<_, Refusal> = self.caller.write(act, Vec::new()).await;
        Ok(self.answer(&[("error", "access_denied")]))
    }

    async fn approve(&self, choice: &Choice) -> Result<Response, ConsentFault> {
        let workspaces: Vec<&WorkspaceId> = self
            .facts
            .workspaces
            .iter()
            .map(|workspace| &workspace.id)
            .filter(|id| choice.workspaces.contains(id))
            .collect();
        let scopes = choice.scopes.unwrap_or_default().intersection(self.grantable());
        if choice.kept.as_ref() != self.held.as_ref().map(|held| &held.grant_id) {
            return Ok(self.show(choice, Some("What the app may do already has changed. Look again.")));
        }
        if workspaces.is_empty() {
            return Ok(self.show(choice, Some("Tick at least one workspace that the app may work in.")));
        }
        if scopes.without(self.kept()).is_empty() {
            return Ok(self.show(choice, Some("Tick at least one thing that the app may do.")));
        }
        self.claim().await?;
        let scopes = scopes.union(self.kept()).union(self.offline_scope());
        let code = self.grant(&workspaces, scopes, choice.selection).await?;
        Ok(self.answer(&[("code", &code.expose())]))
    }

    /// From here on nobody else decides on the request.
    async fn claim(&self) -> Result<(), ConsentFault> {
        let claimed = pending::claim(self.caller.platform(), &self.session, &self.id).await;
        match claimed {
            Ok(true) => Ok(()),
            Ok(false) => Err(ConsentFault::Over),
            Err(_) => Err(ConsentFault::Unfinished),
        }
    }

    /// Writes grant and code behind the member's gate, in one batch. A grant whose code is never redeemed, because the
    /// answer was lost, ends with the code.
    async fn grant(
        &self,
        workspaces: &[&WorkspaceId],
        scopes: Scopes,
        selection: Selection,
    ) -> Result<Code, ConsentFault> {
        let platform = self.caller.platform();
        let now = self.caller.now();
        let grant_id = GrantId::new(now, platform.entropy);
        let code = Code::new(self.caller.tenant().id.clone(), platform.entropy);
        let act = Act { name: "authorize_app", subjects: &[grant_id.as_str(), &self.asked.client_id] };
        match self.caller.write(act, self.statements(&grant_id, &code, workspaces, (scopes, selection))).await
        {
            Ok(_) => Ok(code),
            Err(Refusal::Conflict | Refusal::Fault(_)) => Err(ConsentFault::Unfinished),
            Err(refusal) => Err(refusal.into()),
        }
    }

    fn statements(
        &self,
        grant_id: &GrantId,
        code: &Code,
        workspaces: &[&WorkspaceId],
        (scopes, selection): (Scopes, Selection),
    ) -> Vec<Statement> {
        let platform = self.caller.platform();
        let now = self.caller.now();
        let ends = now.plus_seconds(code::LIFE_SECONDS);
        let tenant = self.caller.tenant();
        let asked = &self.asked;
        let id = || Value::from(&tenant.id);
        let person = || Value::from(self.caller.user_id());
        let client = || Value::from(asked.client_id.as_str());
        let name = asked.client_name.as_deref().unwrap_or(&asked.client_id);
        let app_id = AppId::new(now, platform.entropy);
        let ticked = serde_json::json!(workspaces).to_string();
        let count = i64::try_from(workspaces.len()).unwrap_or(i64::MAX);
        let mut statements = vec![
            sql::KEEP_APP.with([id(), app_id.into(), person(), client(), name.into(), now.into()]),
            sql::ADD_GRANT.with([
                id(),
                grant_id.into(),
                person(),
                client(),
                scopes.into(),
                self.is_offline().into(),
                now.into(),
                ends.into(),
                asked.client_auth.into(),
                self.session.method.into(),
                selection.into(),
            ]),
            sql::ADD_GRANT_WORKSPACES.with([id(), grant_id.into(), ticked.into()]),
            Caller::require_changes(count),
            sql::ADD_CODE.with([
                id(),
                code.hash().into(),
                grant_id.into(),
                client(),
                asked.redirect_uri.as_str().into(),
                asked.redirect_given.into(),
                asked.challenge.as_str().into(),
                platform.config.resource(tenant.safename.as_str()).into(),
                now.into(),
                ends.into(),
            ]),
        ];
        statements.extend(self.held.as_ref().map(|held| held.take_up(&self.caller)));
        statements
    }

    /// The authorization response (RFC 6749 section 4.1.2), with the issuer (RFC 9207).
    fn answer(&self, result: &[(&str, &str)]) -> Response {
        let mut parameters = result.to_vec();
        parameters.extend(self.asked.state.as_deref().map(|state| ("state", state)));
        parameters.push(("iss", &self.caller.platform().config.public_origin));
        Response::see_other(&self.redirect.with(&parameters))
            .no_store()
            .with_header("referrer-policy", "no-referrer")
    }

    /// What may be ticked: what the person's role allows.
    fn grantable(&self) -> Scopes {
        self.facts.allowed.without(OFFLINE)
    }

    /// What the app has already and keeps, as far as the person's role allows.
    fn kept(&self) -> Scopes {
        self.held.as_ref().map_or(Scopes::NONE, |held| held.scopes.intersection(self.grantable()))
    }

    fn offline_scope(&self) -> Scopes {
        let held = self.held.as_ref().map_or(Scopes::NONE, |held| held.scopes);
        self.asked.scopes.union(held).intersection(OFFLINE)
    }

    /// Whether refresh tokens are issued.
    fn is_offline(&self) -> bool {
        self.asked.offline || !self.offline_scope().is_empty()
    }

    fn is_ticked(&self, choice: &Choice, workspace: &WorkspaceId) -> bool {
        let had = |held: &Held| held.workspaces.contains(workspace);
        let undecided = choice.scopes.is_none();
        self.facts.workspaces.len() == 1
            || choice.workspaces.contains(workspace)
            || undecided && self.held.as_ref().is_some_and(had)
    }

    /// What is chosen so far; before the form was sent, what the app that asks for more was narrowed to.
    fn selection(&self, choice: &Choice) -> Selection {
        match &self.held {
            Some(held) if choice.scopes.is_none() => held.selection,
            _ => choice.selection,
        }
    }

    fn show(&self, choice: &Choice, message: Option<&str>) -> Response {
        let kept = self.kept();
        let asked = self.asked.scopes.without(OFFLINE).without(kept);
        let grantable = self.grantable().without(kept);
        let ticked = choice.scopes.unwrap_or(asked);
        let capabilities = |scopes: Scopes| {
            let view = |scope| Capability::new(scope, ticked.contains(Scopes::of(&[scope])));
            scopes.iter().map(view).collect::<Vec<_>>()
        };
        let selection = self.selection(choice);
        let chosen = selection.toolsets().unwrap_or_default();
        let template = ConsentPage {
            action: format!("/consent/{}", self.id),
            csrf: self.session.csrf(self.caller.platform().config),
            name: self.asked.client_name.as_deref().and_then(|name| presentable(name, LONGEST_NAME)),
            vouched: &self.asked.vouched,
            destination: self.redirect.destination(),
            loopback_only: self.asked.loopback_only,
            person: &self.session,
            organisation: &self.facts.tenant_name,
            choices: self
                .choices
                .iter()
                .map(|choice| Tickable {
                    id: choice.tenant.safename.as_str(),
                    name: &choice.name,
                    ticked: choice.tenant == *self.caller.tenant(),
                })
                .collect(),
            workspaces: self
                .facts
                .workspaces
                .iter()
                .map(|workspace| Tickable {
                    id: workspace.id.as_str(),
                    name: &workspace.name,
                    ticked: self.is_ticked(choice, &workspace.id),
                })
                .collect(),
            kept: capabilities(kept),
            kept_of: self.held.as_ref().map(|held| &held.grant_id),
            asked: capabilities(asked.intersection(grantable)),
            offered: capabilities(grantable.without(asked)),
            withheld: capabilities(asked.without(grantable)),
            schedules: kept.union(self.grantable()).contains(Scopes::of(&[Scope::PostsWrite])),
            toolsets: Toolset::ALL
                .iter()
                .map(|set| Tickable {
                    id: set.as_str(),
                    name: set.plain_words(),
                    ticked: chosen.contains(set),
                })
                .collect(),
            read_only: selection.is_read_only(),
            narrowed: selection != Selection::EVERYTHING,
            offline: self.is_offline(),
            message,
        };
        page(if message.is_some() { 400 } else { 200 }, &template, FormTarget::Anywhere, None)
    }
}

const OFFLINE: Scopes = Scopes::of(&[Scope::OfflineAccess]);

#[derive(Template)]
#[template(path = "oauth/templates/consent.html")]
struct ConsentPage<'a> {
    action: String,
    csrf: String,
    name: Option<String>,
    vouched: &'a Vouched,
    destination: String,
    loopback_only: bool,
    person: &'a Session,
    organisation: &'a str,
    choices: Vec<Tickable<'a>>,
    workspaces: Vec<Tickable<'a>>,
    kept: Vec<Capability>,
    kept_of: Option<&'a GrantId>,
    asked: Vec<Capability>,
    offered: Vec<Capability>,
    withheld: Vec<Capability>,
    /// Whether the app may come to schedule posts.
    schedules: bool,
    toolsets: Vec<Tickable<'a>>,
    read_only: bool,
    /// Whether any of that is ticked.
    narrowed: bool,
    offline: bool,
    message: Option<&'a str>,
}

struct Tickable<'a> {
    id: &'a str,
    name: &'a str,
    ticked: bool,
}
