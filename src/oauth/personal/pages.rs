//! The page of a tenant's personal tokens.

use askama::Template;

use super::{
    Kind,
    manage::{self, Overview},
    model::{LIVES, NewToken, PersonalToken, Setting},
};
use crate::{
    desk::{Caller, Code, GrantId, Refusal, Role, Safename, Scope},
    http::{Form, FormTarget, Notice, Request, Response, page},
    identity::{self, Session},
    platform::{Platform, Timestamp},
    tenants,
};

#[derive(Template)]
#[template(path = "oauth/templates/tokens.html")]
struct TokensPage<'a> {
    organisation: &'a str,
    safename: &'a str,
    csrf: String,
    settings: Option<Vec<Choice>>,
    is_on: bool,
    in_addresses: bool,
    id: String,
    kinds: Vec<Choice>,
    lives: Vec<Choice>,
    label: &'a str,
    workspaces: Vec<Tick<'a>>,
    capabilities: Vec<Tick<'a>>,
    tokens: Vec<Line<'a>>,
    message: Option<&'a str>,
}

/// The one page that ever shows a token.
#[derive(Template)]
#[template(path = "oauth/templates/token.html")]
struct TokenPage<'a> {
    organisation: &'a str,
    safename: &'a str,
    csrf: String,
    label: &'a str,
    in_address: bool,
    /// The token, or the address that it is part of.
    secret: String,
    endpoint: String,
    days: i64,
}

struct Choice {
    value: String,
    words: String,
    chosen: bool,
}

struct Tick<'a> {
    value: &'a str,
    words: &'a str,
    ticked: bool,
}

struct Line<'a> {
    token: &'a PersonalToken,
    state: State,
    scopes: String,
    workspaces: String,
    created: String,
    expires: String,
    used: Option<String>,
    whose: Option<&'a str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Live,
    Revoked,
    Expired,
}

/// `GET /<safename>/tokens`.
pub async fn tokens_page(platform: &Platform<'_>, request: &Request, safename: &str) -> Response {
    let answer = async {
        let (session, caller) = open(platform, request, safename).await?;
        show(platform, &session, &caller, &Form::default(), None).await
    };
    answer.await.unwrap_or_else(|answer| answer)
}

/// `POST /<safename>/tokens`: makes a token and shows it, this once. It needs a fresh sign-in.
pub async fn create_token(platform: &Platform<'_>, request: &Request, safename: &str) -> Response {
    create(platform, request, safename).await.unwrap_or_else(|answer| answer)
}

/// `POST /<safename>/tokens/setting`: what an owner allows. Allowing more needs a fresh sign-in.
pub async fn set_tokens(platform: &Platform<'_>, request: &Request, safename: &str) -> Response {
    let answer = async {
        let (session, caller) = open(platform, request, safename).await?;
        let form = sent(platform, &session, request)?;
        let wanted: Setting = form.get("setting").and_then(|text| text.parse().ok()).ok_or_else(|| {
            Notice { heading: "Nothing was changed", words: "Choose one of the settings." }.response(400)
        })?;
        let now = manage::overview(&caller).await.map_err(refused)?.setting;
        if wanted > now {
            recently(platform, &session, safename)?;
        }
        manage::set(&caller, wanted).await.map_err(refused)?;
        Ok(Response::see_other(&format!("/{safename}/tokens")).no_store())
    };
    answer.await.unwrap_or_else(|answer| answer)
}

/// `POST /<safename>/tokens/<grant>/revoke`: ends a token at once.
pub async fn revoke_token(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    grant: &str,
) -> Response {
    let answer = async {
        let (session, caller) = open(platform, request, safename).await?;
        sent(platform, &session, request)?;
        let grant: GrantId = grant.parse().map_err(|_| not_found())?;
        match manage::revoke(&caller, &grant).await {
            Ok(()) => Ok(Response::see_other(&format!("/{safename}/tokens")).no_store()),
            Err(Refusal::Conflict) => Err(not_found()),
            Err(refusal) => Err(refused(refusal)),
        }
    };
    answer.await.unwrap_or_else(|answer| answer)
}

/// Goes on after a recent sign-in only.
fn recently(platform: &Platform<'_>, session: &Session, safename: &str) -> Result<(), Response> {
    let missing = || identity::sign_in_again(&format!("/{safename}/tokens"));
    session.recent(platform.now()).map(drop).ok_or_else(missing)
}

async fn create(platform: &Platform<'_>, request: &Request, safename: &str) -> Result<Response, Response> {
    let (session, caller) = open(platform, request, safename).await?;
    let form = sent(platform, &session, request)?;
    recently(platform, &session, safename)?;
    let Overview { facts, setting, .. } = manage::overview(&caller).await.map_err(refused)?;
    let new = match NewToken::parse(&form, &facts, setting) {
        Ok(new) => new,
        Err(message) => return show(platform, &session, &caller, &form, Some(message)).await,
    };
    let token = match manage::create(&caller, &new, session.method).await {
        Ok(token) => token,
        Err(Refusal::Conflict) => {
            let message = "This form was sent before, or something was changed meanwhile. If the token is in the list below and you did not keep it, revoke it and make another.";
            return show(platform, &session, &caller, &Form::default(), Some(message)).await;
        }
        Err(refusal) => return Err(refused(refusal)),
    };
    let endpoint = platform.config.resource(safename);
    let in_address = new.kind == Kind::Address;
    let template = TokenPage {
        organisation: &facts.tenant_name,
        safename,
        csrf: session.csrf(platform.config),
        label: &new.label,
        in_address,
        secret: if in_address { format!("{endpoint}/{}", token.expose()) } else { token.expose().to_owned() },
        endpoint,
        days: new.days,
    };
    Ok(page(201, &template, FormTarget::SelfOnly, None))
}

/// The person's session and, as a member, the way to the tenant's data; or the page that answers instead.
async fn open<'a>(
    platform: &Platform<'a>,
    request: &Request,
    safename: &str,
) -> Result<(Session, Caller<'a>), Response> {
    let unavailable = |_| Notice::UNAVAILABLE.response(503);
    let session = identity::session(platform, request).await.map_err(unavailable)?;
    let session = session.ok_or_else(|| identity::sign_in_redirect(request))?;
    let safename: Safename = safename.parse().map_err(|_| not_found())?;
    let caller = tenants::member(platform, &session.reach(), &safename).await.map_err(unavailable)?;
    Ok((session, caller.ok_or_else(not_found)?))
}

/// The form, if it is this session's own.
fn sent(platform: &Platform<'_>, session: &Session, request: &Request) -> Result<Form, Response> {
    let form = request.form().unwrap_or_default();
    session.allows(platform.config, request, &form)?;
    Ok(form)
}

async fn show(
    platform: &Platform<'_>,
    session: &Session,
    caller: &Caller<'_>,
    given: &Form,
    message: Option<&str>,
) -> Result<Response, Response> {
    let Overview { facts, setting, tokens } = manage::overview(caller).await.map_err(refused)?;
    let now = platform.now();
    let all = facts.role.manages();
    let only_one = facts.workspaces.len() == 1;
    let is_given = |name: &str, value: &str| given.all(name).any(|given| given == value);
    let template = TokensPage {
        organisation: &facts.tenant_name,
        safename: caller.tenant().safename.as_str(),
        csrf: session.csrf(platform.config),
        settings: (facts.role == Role::Owner).then(|| settings(setting)),
        is_on: setting != Setting::Off,
        in_addresses: setting.allows(Kind::Address),
        id: GrantId::new(now, platform.entropy).to_string(),
        kinds: Kind::ALL.map(|kind| kind_choice(kind, given)).into(),
        lives: LIVES.into_iter().map(|days| life_choice(days, given)).collect(),
        label: given.get("label").unwrap_or_default(),
        workspaces: facts
            .workspaces
            .iter()
            .map(|workspace| Tick {
                value: workspace.id.as_str(),
                words: &workspace.name,
                ticked: only_one || is_given("workspace", workspace.id.as_str()),
            })
            .collect(),
        capabilities: Kind::Header
            .grantable()
            .intersection(facts.allowed)
            .iter()
            .map(|scope| Tick {
                value: scope.as_str(),
                words: scope.plain_words(),
                ticked: is_given("capability", scope.as_str())
                    || (scope == Scope::WorkspaceRead && given.get("id").is_none()),
            })
            .collect(),
        tokens: tokens.iter().map(|token| Line::of(token, now, all)).collect(),
        message,
    };
    Ok(page(if message.is_some() { 400 } else { 200 }, &template, FormTarget::SelfOnly, None))
}

fn settings(now: Setting) -> Vec<Choice> {
    let words = |setting| match setting {
        Setting::Off => "Off: no token works",
        Setting::Header => "On, in the Authorization header",
        Setting::HeaderAndAddress => "On, in the header and in addresses",
    };
    let choice = |setting: Setting| Choice {
        value: setting.as_str().to_owned(),
        words: words(setting).to_owned(),
        chosen: setting == now,
    };
    Setting::ALL.into_iter().map(choice).collect()
}

fn kind_choice(kind: Kind, given: &Form) -> Choice {
    let (value, words) = match kind {
        Kind::Header => ("header", "For the Authorization header"),
        Kind::Address => ("address", "Part of the address, at most 90 days"),
    };
    Choice { value: value.to_owned(), words: words.to_owned(), chosen: given.get("kind") == Some(value) }
}

fn life_choice(days: i64, given: &Form) -> Choice {
    let value = days.to_string();
    let chosen = given.get("days").map_or(days == 30, |given| given == value);
    Choice { words: format!("{days} days"), value, chosen }
}

impl<'a> Line<'a> {
    fn of(token: &'a PersonalToken, now: Timestamp, with_person: bool) -> Self {
        let state = match token.revoked_at {
            Some(_) => State::Revoked,
            None if token.expires_at <= now => State::Expired,
            None => State::Live,
        };
        Self {
            state,
            scopes: token.scopes.to_text().replace(' ', ", "),
            workspaces: token.workspaces.join(", "),
            created: day(token.created_at),
            expires: day(token.expires_at),
            used: token.used_at.map(day),
            whose: with_person.then_some(token.person.as_str()),
            token,
        }
    }
}

/// The day in UTC.
fn day(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.to_string().chars().take(10).collect()
}

fn refused(refusal: Refusal) -> Response {
    match refusal.code() {
        None => Notice::UNAVAILABLE.response(503),
        Some(Code::RoleNotAllowed) => Notice {
            heading: "Only for owners",
            words: "Whether personal tokens may be used, an owner of the organisation decides. Nothing was changed.",
        }
        .response(403),
        Some(_) => not_found(),
    }
}

fn not_found() -> Response {
    Notice { heading: "Not found", words: "There is nothing here, or nothing that this account may see." }
        .response(404)
}
