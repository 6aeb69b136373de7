//! The authorization endpoint (RFC 6749 section 3.1): checks a request and hands it to the person.

use askama::Template;

use super::{
    client::{self, AuthMethod, Client, DescriptionFault},
    params::{Params, Repeated},
    pending::{self, Asked},
    pkce::Challenge,
    redirect::RedirectUri,
    resource::named_tenant,
    unknown::unknown_client,
};
use crate::{
    desk::{Safename, Scope, Scopes},
    http::{FormTarget, Notice, Query, Request, Response, page},
    identity::{self, Session},
    platform::{Config, DatabaseFault, Platform},
    tenants,
};

const LONGEST_STATE: usize = 2000;

/// Why a request goes no further.
pub(super) enum AuthorizeFault {
    /// Nobody is signed in.
    SignedOut,
    /// There is no such client, or it has expired.
    UnknownClient,
    /// The document that describes the client cannot be used.
    Description(DescriptionFault),
    /// A silent request of a client whose document is fetched for nobody: nothing is known of it.
    Silent,
    /// The address is not one that the client registered: nothing is sent there (RFC 6749 section 4.1.2.1).
    UnknownRedirect,
    /// The client may hear of it, once the person wants that.
    Refused(Box<Refused>),
    /// The directory failed.
    Database,
}

/// A refusal that the client may hear of.
pub(super) struct Refused {
    redirect: RedirectUri,
    state: Option<String>,
    reason: Reason,
}

/// RFC 6749 section 4.1.2.1, RFC 8707 section 2, OpenID Connect Core section 3.1.2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Repeated,
    NoResponseType,
    ResponseType,
    ResponseMode,
    RequestObject,
    Challenge,
    State,
    Resource,
    LoginRequired,
    NotAMember,
}

impl Reason {
    const fn code(self) -> &'static str {
        match self {
            Self::Repeated | Self::NoResponseType | Self::ResponseMode | Self::Challenge | Self::State => {
                "invalid_request"
            }
            Self::ResponseType => "unsupported_response_type",
            Self::RequestObject => "request_not_supported",
            Self::Resource => "invalid_target",
            Self::LoginRequired => "login_required",
            Self::NotAMember => "access_denied",
        }
    }

    const fn status(self) -> u16 {
        if matches!(self, Self::NotAMember) { 403 } else { 400 }
    }

    /// What is the matter, for the person and the app's developer.
    const fn sentence(self) -> &'static str {
        match self {
            Self::Repeated => "It gave a parameter more than once.",
            Self::NoResponseType | Self::ResponseType => "It must ask for a code (response_type=code).",
            Self::ResponseMode => "The answer can only go into the address's query.",
            Self::RequestObject => "Request objects are not read here.",
            Self::Challenge => {
                "It must protect its request by PKCE (code_challenge with code_challenge_method=S256)."
            }
            Self::State => "Its state is longer than 2000 characters.",
            Self::Resource => "It asked for something that is not here, or for several things at once.",
            Self::LoginRequired => {
                "It asked not to show you anything, and nothing is allowed here without you."
            }
            Self::NotAMember => {
                "You are not a member of the organisation that it asked for, or there is no such organisation."
            }
        }
    }
}

#[derive(Template)]
#[template(path = "oauth/templates/refused.html")]
struct RefusedPage<'a> {
    sentence: &'a str,
    person: Option<&'a Session>,
    destination: String,
    back: String,
}

impl Refused {
    /// A page that names where the answer would go. Following its link is the person's own act: without it anybody
    /// could use this origin to send people elsewhere (RFC 9700 section 4.11.2).
    fn response(&self, config: &Config, person: Option<&Session>) -> Response {
        let mut parameters =
            vec![("error", self.reason.code()), ("error_description", self.reason.sentence())];
        parameters.extend(self.state.as_deref().map(|state| ("state", state)));
        parameters.push(("iss", &config.public_origin));
        let template = RefusedPage {
            sentence: self.reason.sentence(),
            person,
            destination: self.redirect.destination(),
            back: self.redirect.with(&parameters),
        };
        page(self.reason.status(), &template, FormTarget::SelfOnly, None)
    }
}

impl From<DatabaseFault> for AuthorizeFault {
    fn from(_: DatabaseFault) -> Self {
        Self::Database
    }
}

fn wire_error(
    fault: &AuthorizeFault,
    config: &Config,
    request: &Request,
    person: Option<&Session>,
) -> Response {
    match fault {
        AuthorizeFault::SignedOut => identity::sign_in_redirect(request),
        AuthorizeFault::UnknownClient => unknown_client(),
        AuthorizeFault::Description(fault) => Notice {
            heading: "This app’s description cannot be used",
            words: &format!(
                "The app says that it is described at {}. {} Nothing was sent to the app.",
                request.query().get("client_id").unwrap_or_default(),
                fault.sentence()
            ),
        }
        .response(400),
        AuthorizeFault::Silent => Notice {
            heading: "You are not signed in",
            words: "The app asked not to show you anything, and nothing is allowed here without you (login_required). Start again from the app.",
        }
        .response(400),
        AuthorizeFault::UnknownRedirect => Notice {
            heading: "This request is not safe to answer",
            words: "The app wants its answer at an address that it did not register. Nothing was sent to it. If you did not start this yourself, close this page.",
        }
        .response(400),
        AuthorizeFault::Refused(refused) => refused.response(config, person),
        AuthorizeFault::Database => Notice::UNAVAILABLE.response(503),
    }
}

/// `GET /authorize`: a valid request is kept for the signed-in person, who is sent to decide on it.
pub async fn authorize(platform: &Platform<'_>, request: &Request) -> Response {
    let session = match identity::session(platform, request).await {
        Ok(session) => session,
        Err(_) => return Notice::UNAVAILABLE.response(503),
    };
    match try_authorize(platform, request, session.as_ref()).await {
        Ok(location) => Response::see_other(&location).no_store(),
        Err(fault) => wire_error(&fault, platform.config, request, session.as_ref()),
    }
}

async fn try_authorize(
    platform: &Platform<'_>,
    request: &Request,
    session: Option<&Session>,
) -> Result<String, AuthorizeFault> {
    let query = request.query();
    let silent = query.get("prompt") == Some("none");
    if session.is_none() && !silent {
        return Err(AuthorizeFault::SignedOut);
    }
    let client = known_client(platform, &query, session).await?;
    let redirect = redirect(&client, &query, platform.config)?;
    let state = query.get("state").filter(|state| state.len() <= LONGEST_STATE).map(str::to_owned);
    let refused = |reason| {
        let (redirect, state) = (redirect.clone(), state.clone());
        AuthorizeFault::Refused(Box::new(Refused { redirect, state, reason }))
    };
    let wish = read_wish(query, platform.config).map_err(refused)?;
    // Consent is shown every time, so that a silent request is never answered otherwise, signed in or not.
    let session = session.filter(|_| !silent).ok_or_else(|| refused(Reason::LoginRequired))?;
    if !may_choose(platform, session, wish.tenant.as_ref()).await? {
        return Err(refused(Reason::NotAMember));
    }
    let asked = Asked {
        v: 1,
        vouched: client.vouched(&redirect),
        loopback_only: redirect.is_loopback() && client.auth_method() == AuthMethod::None,
        redirect_uri: redirect.as_str().to_owned(),
        redirect_given: wish.redirect_given,
        state: state.clone(),
        challenge: wish.challenge.as_str().to_owned(),
        scopes: wish.scopes,
        offline: client.refreshes(),
        tenant: wish.tenant,
        client_auth: client.auth_method(),
        client_id: client.id.clone(),
        client_name: client.metadata.client_name.clone(),
    };
    let id = pending::keep(platform, session, &asked).await?;
    client::touch(platform, client).await;
    Ok(format!("/consent/{id}"))
}

/// The client that the request names. A document is fetched for nobody but a signed-in person.
async fn known_client(
    platform: &Platform<'_>,
    query: &Query,
    session: Option<&Session>,
) -> Result<Client, AuthorizeFault> {
    let id = only_value(query, "client_id").ok().flatten().ok_or(AuthorizeFault::UnknownClient)?;
    if !client::is_address(id) {
        return client::find(platform, id).await?.ok_or(AuthorizeFault::UnknownClient);
    }
    session.ok_or(AuthorizeFault::Silent)?;
    client::describe(platform, id).await.map_err(AuthorizeFault::Description)
}

fn redirect(client: &Client, query: &Query, config: &Config) -> Result<RedirectUri, AuthorizeFault> {
    let asked = only_value(query, "redirect_uri").map_err(|()| AuthorizeFault::UnknownRedirect)?;
    client.redirect(asked, config).ok_or(AuthorizeFault::UnknownRedirect)
}

/// A parameter on which it depends whether an error may be told at all: twice is as good as wrong.
fn only_value<'a>(query: &'a Query, name: &'a str) -> Result<Option<&'a str>, ()> {
    let mut values = query.all(name);
    let first = values.next().filter(|value| !value.is_empty());
    if values.next().is_some() { Err(()) } else { Ok(first) }
}

/// What a request wants, once its client and address are known.
struct Wish {
    challenge: Challenge,
    scopes: Scopes,
    tenant: Option<Safename>,
    redirect_given: bool,
}

fn read_wish(query: Query, config: &Config) -> Result<Wish, Reason> {
    let parameters = Params::once(query).map_err(|repeated| match repeated {
        Repeated::Resource => Reason::Resource,
        Repeated::Other => Reason::Repeated,
    })?;
    let get = |name| parameters.get(name);
    if get("request").is_some() || get("request_uri").is_some() {
        return Err(Reason::RequestObject);
    }
    match get("response_type") {
        Some("code") => {}
        Some(_) => return Err(Reason::ResponseType),
        None => return Err(Reason::NoResponseType),
    }
    if get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(Reason::ResponseMode);
    }
    if get("state").is_some_and(|state| state.len() > LONGEST_STATE) {
        return Err(Reason::State);
    }
    let challenge = get("code_challenge")
        .filter(|_| get("code_challenge_method") == Some("S256"))
        .and_then(Challenge::parse)
        .ok_or(Reason::Challenge)?;
    let tenant =
        get("resource").map(|resource| named_tenant(resource, config).ok_or(Reason::Resource)).transpose()?;
    Ok(Wish {
        challenge,
        scopes: scopes(get("scope")),
        tenant,
        redirect_given: get("redirect_uri").is_some(),
    })
}

/// The known capabilities asked for. Who asks for none that does anything asks for the usual ones.
fn scopes(asked: Option<&str>) -> Scopes {
    let known = Scopes::parse(asked.unwrap_or_default());
    let idle = known.without(Scopes::of(&[Scope::OfflineAccess])).is_empty();
    if idle { known.union(Scope::DEFAULT) } else { known }
}

/// Whether the person belongs to the tenant, or to any when none was named. A tenant that does not exist and one that
/// is not the person's come out of one look-up, the person's own tenants.
async fn may_choose(
    platform: &Platform<'_>,
    session: &Session,
    tenant: Option<&Safename>,
) -> Result<bool, DatabaseFault> {
    let own = tenants::of_person(platform, &session.reach()).await?;
    Ok(match tenant {
        Some(named) => own.iter().any(|membership| membership.tenant.safename == *named),
        None => !own.is_empty(),
    })
}
