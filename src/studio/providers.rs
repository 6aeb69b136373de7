//! The OpenID providers of an organisation, and the e-mail domains whose people may join through them.

use askama::Template;

use super::member::{member, member_with_form, refused};
use crate::{
    desk::{Caller, Code, ProviderId, RecentSignIn, Refusal, Role, ask_a_manager},
    http::{Form, FormTarget, Request, Response, page},
    identity::{self, ClientSecret, NewProvider, Provider, Session, new_secret},
    platform::Platform,
    tenants::{self, Domain, MailDomain, proof_name, proof_text},
};

#[derive(Template)]
#[template(path = "studio/templates/providers.html")]
struct ProvidersPage<'a> {
    organisation: String,
    safename: &'a str,
    origin: &'a str,
    csrf: String,
    manages: bool,
    providers: Vec<ProviderRow>,
    domains: Vec<DomainRow>,
    /// The next provider's id, and the address it will send people back to.
    id: String,
    callback: String,
    given: Given<'a>,
    done: Option<&'static str>,
    problem: Option<String>,
}

struct ProviderRow {
    provider: Provider,
    callback: String,
}

struct DomainRow {
    domain: MailDomain,
    name: String,
    text: String,
}

/// What was typed, to be corrected; never the secret.
struct Given<'a> {
    name: &'a str,
    issuer: &'a str,
    client_id: &'a str,
    domain: &'a str,
}

/// `GET /<safename>/providers`: the providers and domains, for every member; those who manage can change them.
pub async fn providers_page(platform: &Platform<'_>, request: &Request, safename: &str) -> Response {
    let (session, caller) = match member(platform, request, safename).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let done = request.query().get("done").and_then(done_words);
    show(&session, &caller, &Form::default(), (200, done, None)).await.unwrap_or_else(|answer| answer)
}

fn done_words(done: &str) -> Option<&'static str> {
    match done {
        "added" => Some("Added. Members link themselves to it on their account page."),
        "replaced" => Some("The new secret is used from now on."),
        "removed" => Some("Removed. Whoever was signed in through it is signed out."),
        "named" => Some("Named. Put the record into DNS, then press “Look for the record”."),
        "proved" => Some("Proved. People of this domain may join from now on."),
        "taken" => Some("Taken away. Nobody joins by this domain any more; members stay."),
        _ => None,
    }
}

/// `POST /<safename>/providers`: what one of the page's forms asks for.
pub async fn change_providers(platform: &Platform<'_>, request: &Request, safename: &str) -> Response {
    let changed = async {
        let (session, caller, form) = member_with_form(platform, request, safename).await?;
        act(&session, &caller, &form).await
    };
    changed.await.unwrap_or_else(|answer| answer)
}

/// Why nothing was changed.
enum Fault {
    /// What was typed is wrong, in words.
    Words(String),
    Refused(Refusal),
}

impl From<&str> for Fault {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

async fn act(session: &Session, caller: &Caller<'_>, form: &Form) -> Result<Response, Response> {
    let (status, words) = match carry_out(session, caller, form).await {
        Ok(done) => {
            return Ok(Response::see_other(&format!("{}?done={done}", address(caller))).no_store());
        }
        Err(Fault::Words(words)) => (422, words),
        Err(Fault::Refused(Refusal::Problems(problems))) => {
            let Some(problem) = problems.first() else { return Err(refused(Refusal::Problems(problems))) };
            match problem.code {
                Code::SignInAgain => return Err(identity::sign_in_again(&address(caller))),
                code => {
                    let status = if code == Code::RoleNotAllowed { 403 } else { 422 };
                    (status, format!("{} {}", problem.message, problem.hint))
                }
            }
        }
        Err(Fault::Refused(refusal)) => return Err(refused(refusal)),
    };
    show(session, caller, form, (status, None, Some(words))).await
}

async fn carry_out(session: &Session, caller: &Caller<'_>, form: &Form) -> Result<&'static str, Fault> {
    const STRANGE: &str = "Load the page again and use one of its buttons.";
    let recent = session.recent(caller.now());
    let platform = caller.platform();
    let field = |name| form.get(name).unwrap_or_default().trim();
    let provider = || field("provider").parse::<ProviderId>().map_err(|_| STRANGE);
    let domain = || Domain::parse(field("domain")).ok_or("Give a domain such as example.com.");
    match field("act") {
        "add" => {
            let new = NewProvider::parse(form)?;
            // Who may not add one has nothing fetched either.
            let recent = recent.ok_or_else(RecentSignIn::missing)?;
            may_manage(caller).await?;
            let checked = identity::check_issuer(platform, &new.provider.issuer).await;
            checked.map_err(|fault| fault.sentence())?;
            identity::add_provider(caller, &new, recent).await?;
            Ok("added")
        }
        "secret" => {
            let secret = ClientSecret::parse(field("client_secret")).ok_or("Give the new client secret.")?;
            let id = provider()?;
            let (_, known) = identity::providers(caller).await?;
            let known = known.into_iter().find(|known| known.id == id).ok_or(Refusal::Conflict)?;
            identity::replace_secret(caller, &known, &secret, recent).await?;
            Ok("replaced")
        }
        "remove" => {
            identity::remove_provider(caller, &provider()?).await?;
            Ok("removed")
        }
        "name_domain" => {
            let role: Role = field("role").parse().map_err(|()| "Choose one of the roles.")?;
            let token = new_secret(platform.entropy);
            tenants::add_domain(caller, &domain()?, role, &token, recent).await?;
            Ok("named")
        }
        "prove" => match tenants::prove_domain(caller, &domain()?, recent).await? {
            true => Ok("proved"),
            false => {
                Err("The record is not there. It may take some minutes after you have put it into DNS."
                    .into())
            }
        },
        "take" => {
            tenants::remove_domain(caller, &domain()?).await?;
            Ok("taken")
        }
        _ => Err(STRANGE.into()),
    }
}

async fn may_manage(caller: &Caller<'_>) -> Result<(), Fault> {
    if caller.facts().await?.role.manages() { Ok(()) } else { Err(Refusal::from(ask_a_manager()).into()) }
}

fn address(caller: &Caller<'_>) -> String {
    format!("/{}/providers", caller.tenant().safename)
}

async fn show(
    session: &Session,
    caller: &Caller<'_>,
    form: &Form,
    (status, done, problem): (u16, Option<&'static str>, Option<String>),
) -> Result<Response, Response> {
    let (facts, providers) = identity::providers(caller).await.map_err(refused)?;
    let (_, domains) = tenants::domains(caller).await.map_err(refused)?;
    let platform = caller.platform();
    let (config, tenant) = (platform.config, caller.tenant());
    let callback = |id: &ProviderId| identity::callback_address(config, tenant, id);
    // Corrected forms keep the id, whose address may be registered with the provider already.
    let kept = form.get("id").and_then(|id| id.parse().ok());
    let id = kept.unwrap_or_else(|| ProviderId::new(caller.now(), platform.entropy));
    let typed = |act, name| form.get(name).filter(|_| form.get("act") == Some(act)).unwrap_or_default();
    let template = ProvidersPage {
        organisation: facts.tenant_name,
        safename: tenant.safename.as_str(),
        origin: &config.public_origin,
        csrf: session.csrf(config),
        manages: facts.role.manages(),
        callback: callback(&id),
        id: id.to_string(),
        providers: providers
            .into_iter()
            .map(|provider| ProviderRow { callback: callback(&provider.id), provider })
            .collect(),
        domains: domains.into_iter().map(DomainRow::of).collect(),
        given: Given {
            name: typed("add", "name"),
            issuer: typed("add", "issuer"),
            client_id: typed("add", "client_id"),
            domain: typed("name_domain", "domain"),
        },
        done,
        problem,
    };
    Ok(page(status, &template, FormTarget::SelfOnly, None))
}

impl DomainRow {
    fn of(domain: MailDomain) -> Self {
        Self { name: proof_name(&domain.domain), text: proof_text(&domain.token), domain }
    }
}
