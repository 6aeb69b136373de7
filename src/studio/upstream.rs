//! Signing in through an organisation's provider: the way there and back.

use askama::Template;

use crate::{
    desk::{ProviderId, Safename, Tenant, UserId},
    http::{FormTarget, Notice, Request, Response, page},
    identity::{
        self, Arrival, Asserted, Errand, Intent, KnownProvider, Provider, Session, UpstreamFault,
        is_same_origin,
    },
    platform::{DatabaseFault, Platform},
    tenants::{self, Domain, NewMember, Newcomer},
};

#[derive(Template)]
#[template(path = "studio/templates/sign_in.html")]
struct SignInPage<'a> {
    safename: &'a str,
    again: bool,
    providers: Vec<Provider>,
}

/// `GET /<safename>/sign-in`: the providers of an organisation. One that has none, and one that is not there, look alike.
pub async fn tenant_sign_in_page(platform: &Platform<'_>, request: &Request, safename: &str) -> Response {
    let Ok(safename) = safename.parse::<Safename>() else { return unknown() };
    let providers = match offered(platform, &safename).await {
        Ok(providers) => providers,
        Err(_) => return Notice::UNAVAILABLE.response(503),
    };
    let again = request.query().get("again").is_some();
    let template = SignInPage { safename: safename.as_str(), again, providers };
    page(200, &template, FormTarget::SelfOnly, None)
}

async fn offered(platform: &Platform<'_>, safename: &Safename) -> Result<Vec<Provider>, DatabaseFault> {
    match tenants::find(platform, safename).await? {
        Some(tenant) => identity::offered(platform, &tenant).await,
        None => Ok(Vec::new()),
    }
}

/// `GET /<safename>/sign-in/<provider>`: sends the browser there, to sign in, or with `link` to link who the person is there
/// after a recent sign-in by another method. Only pages of this origin may begin it: a link from elsewhere shows the
/// organisation's page first.
pub async fn go_to_provider(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    provider: &str,
) -> Response {
    go(platform, request, safename, provider).await.unwrap_or_else(|answer| answer)
}

async fn go(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    provider: &str,
) -> Result<Response, Response> {
    let (tenant, known) = find(platform, safename, provider).await?;
    if !is_same_origin(platform.config, request) {
        return Ok(Response::see_other(&format!("/{}/sign-in", tenant.safename)).no_store());
    }
    let query = request.query();
    let session = match query.get("link") {
        Some(_) => Some(may_link(platform, request, &tenant).await?),
        None => None,
    };
    let intent = match &session {
        Some(session) => Intent::Link(session),
        None => Intent::SignIn { again: query.get("again").is_some() },
    };
    match identity::depart(platform, request, &tenant, &known, intent).await {
        Ok(response) => Ok(response),
        Err(fault) => Err(refuse(platform, &tenant, &known.provider, fault).await),
    }
}

/// The session of a member who has just signed in by another method.
async fn may_link(platform: &Platform<'_>, request: &Request, tenant: &Tenant) -> Result<Session, Response> {
    let unavailable = |_| Notice::UNAVAILABLE.response(503);
    let session = identity::session(platform, request).await.map_err(unavailable)?;
    let session = session.ok_or_else(|| identity::sign_in_redirect(request))?;
    if session.only.is_some() {
        return Err(identity::not_by_provider());
    }
    if session.recent(platform.now()).is_none() {
        return Err(identity::sign_in_again("/account/providers"));
    }
    if tenants::is_member(platform, tenant, &session.user_id).await.map_err(unavailable)? {
        Ok(session)
    } else {
        Err(unknown())
    }
}

/// `GET /<safename>/sign-in/<provider>/callback`: takes the browser back. Whoever is linked is signed in; so is somebody new
/// whom the organisation lets join by their e-mail domain.
pub async fn come_from_provider(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    provider: &str,
) -> Response {
    let (tenant, known) = match find(platform, safename, provider).await {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let back = Back { platform, request, tenant: &tenant, known: &known };
    match back.arrive().await {
        Ok(response) => response,
        Err(fault) => refuse(platform, &tenant, &known.provider, fault).await,
    }
}

struct Back<'a> {
    platform: &'a Platform<'a>,
    request: &'a Request,
    tenant: &'a Tenant,
    known: &'a KnownProvider,
}

impl Back<'_> {
    fn provider(&self) -> &Provider {
        &self.known.provider
    }

    async fn arrive(&self) -> Result<Response, UpstreamFault> {
        let Arrival { asserted, errand } =
            identity::arrive(self.platform, self.request, self.tenant, self.known).await?;
        match errand {
            Errand::Link(session) => self.link(&session, &asserted).await,
            Errand::SignIn => self.sign_in(&asserted).await,
        }
    }

    async fn link(&self, session: &Session, asserted: &Asserted) -> Result<Response, UpstreamFault> {
        identity::link_upstream(self.platform, session, self.tenant, self.provider(), asserted).await?;
        self.still_there().await?;
        Ok(Response::see_other("/account/providers?done=linked").no_store())
    }

    async fn sign_in(&self, asserted: &Asserted) -> Result<Response, UpstreamFault> {
        let linked = identity::find_upstream(self.platform, self.tenant, self.provider(), asserted).await?;
        let person = match linked {
            Some(person) => person,
            None => self.newcomer(asserted).await?.ok_or(UpstreamFault::NotLinked)?,
        };
        if !tenants::is_member(self.platform, self.tenant, &person).await? {
            self.join(&person, asserted).await?;
        }
        self.still_there().await?;
        let who = (asserted, &person);
        identity::enter_upstream(self.platform, self.request, self.tenant, self.provider(), who).await
    }

    /// A new person of somebody whose verified address is of a domain that the tenant has proved.
    async fn newcomer(&self, asserted: &Asserted) -> Result<Option<UserId>, UpstreamFault> {
        let Some((email, _)) = self.admitted(asserted).await? else { return Ok(None) };
        Ok(identity::join_upstream(self.platform, self.tenant, self.provider(), asserted, email).await?)
    }

    /// The verified address and its domain, if that is one whose people may join.
    async fn admitted<'a>(
        &self,
        asserted: &'a Asserted,
    ) -> Result<Option<(&'a identity::EmailAddress, Domain)>, UpstreamFault> {
        let domain =
            asserted.email.as_ref().and_then(|email| Some((email, Domain::of_address(email.as_str())?)));
        let Some((email, domain)) = domain else { return Ok(None) };
        let admits = tenants::admits(self.platform, self.tenant, &domain).await?;
        Ok(admits.then_some((email, domain)))
    }

    /// Makes a member of a person who was made just now, or whose joining was cut short; of nobody who was a member before.
    async fn join(&self, person: &UserId, asserted: &Asserted) -> Result<(), UpstreamFault> {
        let (email, domain) = self.admitted(asserted).await?.ok_or(UpstreamFault::NotAMember)?;
        let found = identity::find_person(self.platform, email).await?;
        let found = found.filter(|found| found.user_id == *person).ok_or(UpstreamFault::NotAMember)?;
        let member = NewMember { user_id: person, name: &found.name, email: email.as_str() };
        tenants::join_by_domain(self.platform, self.tenant, &Newcomer { member, domain: &domain }).await?;
        if tenants::is_member(self.platform, self.tenant, person).await? {
            Ok(())
        } else {
            Err(UpstreamFault::NotAMember)
        }
    }

    /// The provider may have been removed meanwhile: looked at again after what its removal takes away was written.
    async fn still_there(&self) -> Result<(), UpstreamFault> {
        let found = identity::provider(self.platform, self.tenant, &self.provider().id).await?;
        found.map(drop).ok_or(UpstreamFault::State)
    }
}

/// The tenant and its provider that an address names.
async fn find(
    platform: &Platform<'_>,
    safename: &str,
    provider: &str,
) -> Result<(Tenant, KnownProvider), Response> {
    let unavailable = |_| Notice::UNAVAILABLE.response(503);
    let safename: Safename = safename.parse().map_err(|_| unknown())?;
    let id: ProviderId = provider.parse().map_err(|_| unknown())?;
    let tenant = tenants::find(platform, &safename).await.map_err(unavailable)?.ok_or_else(unknown)?;
    let known = identity::provider(platform, &tenant, &id).await.map_err(unavailable)?;
    Ok((tenant, known.ok_or_else(unknown)?))
}

/// Tells a person why not, and writes it down.
async fn refuse(
    platform: &Platform<'_>,
    tenant: &Tenant,
    provider: &Provider,
    fault: UpstreamFault,
) -> Response {
    identity::note_refusal(platform, tenant, &provider.id, fault).await;
    fault.response()
}

fn unknown() -> Response {
    Notice {
        heading: "There is no such way to sign in",
        words: "The organisation has no provider at this address, or not any more. Sign in another way, or ask whoever manages your organisation here.",
    }
    .response(404)
}
