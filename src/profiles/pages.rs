//! The page on which a person connects an account.

use askama::Template;

use super::connect::{self, Connect, ConnectFault, Field, FieldFault, Typed, Way};
use crate::{
    desk::{Authority, Caller, ConnectId, Facts, Refusal, Scope, Scopes, Tenant},
    http::{Form, FormTarget, Notice, Request, Response, page},
    identity::Session,
    networks,
    platform::Platform,
};

/// `GET /{safename}/connect/{id}`: what is to be connected, where, and the form; or what came of it.
pub async fn connect_page(
    platform: &Platform<'_>,
    request: &Request,
    tenant: &Tenant,
    session: &Session,
    id: &str,
) -> Response {
    match open(platform, tenant, session, id).await {
        Err(response) => response,
        Ok(visit) => visit.form(request, &visit.first_values(), &[], 200),
    }
}

/// `POST /{safename}/connect/{id}`: connects what was typed, once.
pub async fn connect_submit(
    platform: &Platform<'_>,
    request: &Request,
    tenant: &Tenant,
    session: &Session,
    id: &str,
) -> Response {
    let form = request.form().unwrap_or_default();
    if let Err(response) = session.allows(platform.config, request, &form) {
        return response;
    }
    let visit = match open(platform, tenant, session, id).await {
        Err(response) => return response,
        Ok(visit) => visit,
    };
    let typed = typed(&form);
    match connect::carry_out(&visit.caller, &visit.id, &visit.connect, &typed).await {
        // The page itself now tells what came of it.
        Ok(()) | Err(ConnectFault::Overtaken) => Response::see_other(&request.path).no_store(),
        Err(ConnectFault::Fields(faults)) => visit.form(request, &typed, &faults, 422),
        Err(ConnectFault::Refused(refusal)) => refused(&refusal),
    }
}

fn typed(form: &Form) -> Typed {
    let text = |name: &str| form.get(name).unwrap_or_default().chars().take(1000).collect();
    Typed {
        server: text("server"),
        handle: text("handle"),
        name: text("name"),
        app_password: text("app_password"),
    }
}

/// A person before a request of their own that can still be used.
struct Visit<'a> {
    caller: Caller<'a>,
    session: &'a Session,
    facts: Facts,
    id: ConnectId,
    connect: Connect,
}

/// Opens a request for its own person.
///
/// # Errors
/// The page that answers instead: it is not there for this person, was used, or has expired.
async fn open<'a>(
    platform: &Platform<'a>,
    tenant: &Tenant,
    session: &'a Session,
    id: &str,
) -> Result<Visit<'a>, Response> {
    let id: ConnectId = id.parse().map_err(|_| not_here())?;
    let authority = Authority::Member { user_id: session.user_id.clone() };
    let caller = Caller::new(*platform, tenant.clone(), authority).ok_or_else(not_here)?;
    let caller = caller.needing(Scopes::of(&[Scope::SocialProfilesWrite]));
    let (facts, connect) = connect::find(&caller, &id).await.map_err(|refusal| refused(&refusal))?;
    let connect = connect.ok_or_else(not_here)?;
    if connect.used_at.is_some() {
        return Err(connected(&facts, &connect));
    }
    if connect.expires_at <= platform.now() {
        return Err(expired());
    }
    Ok(Visit { caller, session, facts, id, connect })
}

impl Visit<'_> {
    /// What the form holds before anything is typed.
    fn first_values(&self) -> Typed {
        match &self.connect.profile {
            Some(known) => Typed {
                server: known.server.clone().unwrap_or_default(),
                handle: known.handle.clone(),
                name: known.name.clone(),
                ..Typed::default()
            },
            None => {
                let server = networks::default_server(self.connect.network).unwrap_or_default();
                Typed { server: server.to_owned(), ..Typed::default() }
            }
        }
    }

    fn form(&self, request: &Request, typed: &Typed, faults: &[FieldFault], status: u16) -> Response {
        let platform = self.caller.platform();
        let template = ConnectForm {
            facts: &self.facts,
            connect: &self.connect,
            typed,
            faults,
            action: &request.path,
            csrf: self.session.csrf(platform.config),
            wall: format!("{}/{}/", platform.config.content_origin, self.caller.tenant().safename),
        };
        page(status, &template, FormTarget::SelfOnly, None)
    }
}

#[derive(Template)]
#[template(path = "profiles/templates/connect.html")]
struct ConnectForm<'a> {
    facts: &'a Facts,
    connect: &'a Connect,
    typed: &'a Typed,
    faults: &'a [FieldFault],
    action: &'a str,
    csrf: String,
    /// Where Walls of this tenant are.
    wall: String,
}

impl ConnectForm<'_> {
    fn network(&self) -> &'static str {
        networks::rules(self.connect.network).name
    }

    fn takes_app_password(&self) -> bool {
        Way::of(self.connect.network) == Way::AppPassword
    }

    fn fault(&self, field: Field) -> Option<&str> {
        self.faults.iter().find(|fault| fault.field == field).map(|fault| fault.words.as_str())
    }
}

#[derive(Template)]
#[template(path = "profiles/templates/connected.html")]
struct Connected<'a> {
    facts: &'a Facts,
    connect: &'a Connect,
    network: &'static str,
}

fn connected(facts: &Facts, connect: &Connect) -> Response {
    let template = Connected { facts, connect, network: networks::rules(connect.network).name };
    page(200, &template, FormTarget::SelfOnly, None)
}

/// One answer for what never was, is another person's, or is another organisation's.
fn not_here() -> Response {
    Notice {
        heading: "There is nothing to connect here",
        words: "This address was made for somebody else or does not exist. Sign in as the person who asked for it, or ask the assistant for a new one.",
    }
    .response(404)
}

fn expired() -> Response {
    Notice {
        heading: "This address has expired",
        words: "It worked for one hour. Ask the assistant to connect the account again; it will give you a new address. Nothing was changed.",
    }
    .response(410)
}

fn refused(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Unauthenticated => not_here(),
        Refusal::Fault(_) | Refusal::Conflict | Refusal::Rehearsed(_) => Notice::UNAVAILABLE.response(503),
        Refusal::Problems(_) | Refusal::InsufficientScope(_) => Notice {
            heading: "Your role does not allow this",
            words: "Connecting accounts is for owners and admins of the organisation. Ask one of them to do it.",
        }
        .response(403),
    }
}
