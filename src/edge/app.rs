//! The way of a request and of a tick, on every platform: which origin, which route, which room.

use std::borrow::Cow;

use data_encoding::BASE32_NOPAD;

use super::{endpoint::endpoint, health, limits};
use crate::{
    audit,
    delivery::{self, Budget, RealTrade},
    desk::{Safename, Visitor},
    http::{Origin, Problem, Request, RequestMethod, Response, Route, Routed, route},
    identity, media, networks, oauth, operator,
    platform::{Config, Event, Later, Platform, random_array},
    studio, tenants,
};

/// Answers a request, and writes one event about it.
pub async fn serve(platform: &Platform<'_>, request: Request) -> Response {
    let began = platform.now();
    let id = request_id(platform);
    let (name, response) = answer(platform, &request).await;
    platform.events.emit(Event::Request {
        request: id.clone(),
        traceparent: request.header("traceparent").filter(|text| is_traceparent(text)).map(str::to_owned),
        route: name,
        tool: response.about.tool.clone(),
        tenant: response.about.tenant.clone(),
        grant: response.about.grant.clone(),
        status: response.status,
        code: response.about.code,
        millis: platform.now().millis_since(began),
    });
    response.with_header("x-request-id", id)
}

/// The route's name, and the answer.
async fn answer(platform: &Platform<'_>, request: &Request) -> (&'static str, Response) {
    let Some(origin) = origin_of(platform.config, &request.host) else {
        return ("elsewhere", misdirected());
    };
    #[cfg(feature = "contract")]
    if origin == Origin::App && request.path == "/contract" {
        return ("contract", super::contract_route::answer(platform).await);
    }
    match route(origin, request.method, &request.path) {
        Routed::Nowhere => ("nowhere", nowhere()),
        Routed::OtherMethods(route, methods) => (route.name(), other_methods(&methods)),
        Routed::To(route, _) if request.method == RequestMethod::Options => {
            (route.name(), options(origin, route, &request.path))
        }
        Routed::To(route, _) if request.body.len() > Request::MAX_BODY => (route.name(), too_large()),
        Routed::To(route, values) => {
            let response = match limits::admit(platform, route, request).await {
                Ok(()) => dispatch(platform, route, &values, request).await,
                Err(turned_away) => turned_away,
            };
            (route.name(), finished(origin, route, response))
        }
    }
}

/// What holds for every answer of an origin or a kind of route, whichever room gave it.
fn finished(origin: Origin, route: Route, response: Response) -> Response {
    let lacks = |name| response.header(name).is_none();
    if origin == Origin::Content && lacks("content-security-policy") {
        response.with_header("content-security-policy", "default-src 'none'; sandbox")
    } else if is_open(route) && lacks("access-control-allow-origin") {
        response.cors()
    } else {
        response
    }
}

/// Hands a request to the room that answers its route. `values` are the variable segments of the path.
///
/// Each room's answer is a future of its own: the runtime compiles a function when it is called first, and all rooms in
/// one would be compiled for the first request of an isolate, whichever it asks for.
fn dispatch<'a>(
    platform: &'a Platform<'a>,
    route: Route,
    values: &'a [&'a str],
    request: &'a Request,
) -> Later<'a, Response> {
    match (route, values) {
        (Route::Health, _) => Box::pin(health::health(platform)),
        (Route::Operator, _) => Box::pin(operator::handle(platform, request)),
        (Route::SignIn, _) if is_post(request) => Box::pin(identity::ask_for_link(platform, request)),
        (Route::SignIn, _) => Box::pin(identity::sign_in_page(platform, request)),
        (Route::SignInLink, [secret]) if is_post(request) => {
            Box::pin(identity::use_link(platform, request, secret))
        }
        (Route::SignInLink, [secret]) => Box::pin(identity::link_page(platform, request, secret)),
        (Route::SignInPasskey, _) => Box::pin(identity::sign_in_by_passkey(platform, request)),
        (Route::PasskeyScript, _) => at_once(identity::passkey_script()),
        (Route::SignOut, _) => Box::pin(identity::sign_out(platform, request)),
        (Route::Account, _) => Box::pin(identity::account_page(platform, request)),
        (Route::AccountPasskeys, _) => Box::pin(identity::change_passkeys(platform, request)),
        (Route::AccountSessions, _) => Box::pin(identity::end_sessions(platform, request)),
        (Route::AccountProviders, _) if is_post(request) => Box::pin(studio::unlink(platform, request)),
        (Route::AccountProviders, _) => Box::pin(studio::links_page(platform, request)),
        (Route::Home, _) => Box::pin(studio::home(platform, request)),
        (Route::Authorize, _) => Box::pin(oauth::authorize(platform, request)),
        (Route::Consent, [id]) if is_post(request) => Box::pin(oauth::decide(platform, request, id)),
        (Route::Consent, [id]) => Box::pin(oauth::consent_page(platform, request, id)),
        (Route::Token, _) => Box::pin(oauth::token(platform, request)),
        (Route::Register, _) => Box::pin(oauth::register(platform, request)),
        (Route::Revoke, _) => Box::pin(oauth::revoke(platform, request)),
        (Route::ServerMetadata, _) => at_once(oauth::server_metadata(platform)),
        (Route::ResourceMetadata, [safename]) => at_once(oauth::resource_metadata(platform, safename)),
        (Route::Mcp, [safename]) => Box::pin(endpoint(platform, request, safename, None)),
        (Route::McpByAddress, [safename, token]) => {
            Box::pin(endpoint(platform, request, safename, Some(token)))
        }
        (Route::Tokens, [safename]) if is_post(request) => {
            Box::pin(oauth::create_token(platform, request, safename))
        }
        (Route::Tokens, [safename]) => Box::pin(oauth::tokens_page(platform, request, safename)),
        (Route::TokensSetting, [safename]) => Box::pin(oauth::set_tokens(platform, request, safename)),
        (Route::TokenRevoke, [safename, grant]) => {
            Box::pin(oauth::revoke_token(platform, request, safename, grant))
        }
        (Route::Apps, [safename]) if is_post(request) => {
            Box::pin(oauth::change_apps(platform, request, safename))
        }
        (Route::Apps, [safename]) => Box::pin(oauth::apps_page(platform, request, safename)),
        (Route::PostPage, [safename, post]) => Box::pin(studio::post_page(platform, request, safename, post)),
        (Route::PostCancel, [safename, post]) => {
            Box::pin(studio::cancel_post(platform, request, safename, post))
        }
        (Route::PostConfirm, [safename, post]) => {
            Box::pin(studio::confirm_post(platform, request, safename, post))
        }
        (Route::Settings, [safename, workspace]) if is_post(request) => {
            Box::pin(studio::save_settings(platform, request, safename, workspace))
        }
        (Route::Settings, [safename, workspace]) => {
            Box::pin(studio::settings_page(platform, request, safename, workspace))
        }
        (Route::Audit, [safename]) => Box::pin(studio::audit_page(platform, request, safename)),
        (Route::AuditExport, [safename]) => Box::pin(studio::export_audit(platform, request, safename)),
        (Route::Members, [safename]) if is_post(request) => {
            Box::pin(studio::change_members(platform, request, safename))
        }
        (Route::Members, [safename]) => Box::pin(studio::members_page(platform, request, safename)),
        (Route::Invitation, [safename, secret]) if is_post(request) => {
            Box::pin(studio::accept_invitation(platform, request, safename, secret))
        }
        (Route::Invitation, [safename, secret]) => {
            Box::pin(studio::invitation_page(platform, request, safename, secret))
        }
        (Route::Providers, [safename]) if is_post(request) => {
            Box::pin(studio::change_providers(platform, request, safename))
        }
        (Route::Providers, [safename]) => Box::pin(studio::providers_page(platform, request, safename)),
        (Route::TenantSignIn, [safename]) => {
            Box::pin(studio::tenant_sign_in_page(platform, request, safename))
        }
        (Route::ProviderSignIn, [safename, id]) => {
            Box::pin(studio::go_to_provider(platform, request, safename, id))
        }
        (Route::ProviderCallback, [safename, id]) => {
            Box::pin(studio::come_from_provider(platform, request, safename, id))
        }
        (Route::Connect, [safename, id]) => Box::pin(studio::connect(platform, request, safename, id)),
        (Route::Media, [tenant, media, tag]) => Box::pin(media::serve(platform, request, tenant, media, tag)),
        (Route::Wall | Route::WallEntry | Route::WallAtom | Route::WallJson, [safename, rest @ ..]) => {
            Box::pin(wall(platform, request, route, safename, rest))
        }
        _ => at_once(nowhere()),
    }
}

fn at_once<'a>(response: Response) -> Later<'a, Response> {
    Box::pin(std::future::ready(response))
}

fn is_post(request: &Request) -> bool {
    request.method == RequestMethod::Post
}

/// A tenant's public pages, to whoever asks.
async fn wall(
    platform: &Platform<'_>,
    request: &Request,
    route: Route,
    safename: &str,
    rest: &[&str],
) -> Response {
    let tenant = match safename.parse::<Safename>() {
        Ok(safename) => tenants::find(platform, &safename).await,
        Err(_) => Ok(None),
    };
    let visitor = match tenant {
        Ok(tenant) => tenant.and_then(|tenant| Visitor::new(platform, tenant)),
        Err(_) => return unavailable(),
    };
    let Some(visitor) = visitor else { return networks::wall::not_found() };
    match (route, rest) {
        (Route::Wall, [handle]) => networks::wall::page(&visitor, platform.config, handle, request).await,
        (Route::WallAtom, [handle, ..]) => {
            networks::wall::atom(&visitor, platform.config, handle, request).await
        }
        (Route::WallJson, [handle, ..]) => {
            networks::wall::json_feed(&visitor, platform.config, handle, request).await
        }
        (_, [handle, entry]) => {
            networks::wall::entry_page(&visitor, platform.config, handle, entry, request).await
        }
        _ => networks::wall::not_found(),
    }
}

/// A step of the tick: what a room does each minute for one shard. It records its own faults.
type Step = for<'a> fn(&'a Platform<'a>, i64) -> Later<'a, ()>;

/// What is done each minute for every shard, in this order.
const STEPS: &[Step] = &[
    |platform, shard| Box::pin(deliver(platform, shard)),
    |platform, shard| Box::pin(finish_removals(platform, shard)),
];

async fn deliver(platform: &Platform<'_>, shard: i64) {
    // The report stands in the directory and in an event already.
    delivery::minute(platform, &RealTrade, shard, Budget::default()).await;
}

/// Does the errands of a queue's batch, one after the other, within what one invocation may do. Whether each is done: those
/// that are not are to come again.
pub async fn run_errands(platform: &Platform<'_>, bodies: &[String]) -> Vec<bool> {
    let mut left = Budget::default();
    let mut done = Vec::with_capacity(bodies.len());
    for body in bodies {
        // Less than this is no use to a claim of twenty.
        if left.statements < 400 {
            done.push(false);
            continue;
        }
        match delivery::run_errand(platform, &RealTrade, body, left).await {
            Some(report) => left.statements = left.statements.saturating_sub(report.statements),
            None => platform.events.emit(Event::Fault { place: "publish_queue", kind: "not_an_errand" }),
        }
        done.push(true);
    }
    done
}

async fn finish_removals(platform: &Platform<'_>, shard: i64) {
    if identity::finish_removals(platform, shard).await.is_err() {
        platform.events.emit(Event::Fault { place: "finish_removals", kind: "database" });
    }
}

/// Does each minute's work. A shard that is unreachable or behind this worker's schema is left out and told of; no
/// shard holds back another.
pub async fn tick(platform: &Platform<'_>) {
    for (number, database) in (0..).zip(platform.shards) {
        if !health::shard_is_current(*database).await {
            platform.events.emit(Event::Fault { place: "tick", kind: "shard_not_current" });
            continue;
        }
        for step in STEPS {
            step(platform, number).await;
        }
    }
    for (place, outcome) in [
        ("finish_pending", tenants::finish_pending(platform).await.map(drop)),
        ("audit_queue", audit::deliver(platform).await.map(drop)),
        ("delete_due", tenants::delete_due(platform).await.map(drop)),
        ("retain", operator::retain(platform).await.map(drop)),
    ] {
        if outcome.is_err() {
            platform.events.emit(Event::Fault { place, kind: "database" });
        }
    }
}

/// The origin that a `Host` header names, if it is one of ours.
fn origin_of(config: &Config, host: &str) -> Option<Origin> {
    if is_host_of(&config.public_origin, host) {
        Some(Origin::App)
    } else if is_host_of(&config.content_origin, host) {
        Some(Origin::Content)
    } else {
        None
    }
}

fn is_host_of(origin: &str, host: &str) -> bool {
    let (own, default_port) = match origin.split_once("://") {
        Some(("https", own)) => (own, ":443"),
        Some((_, own)) => (own, ":80"),
        None => return false,
    };
    host == own || host.strip_suffix(default_port) == Some(own)
}

/// Routes that scripts of any origin may use: they take no cookies.
const fn is_open(route: Route) -> bool {
    matches!(
        route,
        Route::Token
            | Route::Register
            | Route::Revoke
            | Route::ServerMetadata
            | Route::ResourceMetadata
            | Route::Mcp
            | Route::McpByAddress
    )
}

/// A CORS preflight, or 405 where no other origin's script has a business.
fn options(origin: Origin, matched: Route, path: &str) -> Response {
    let methods: Cow<'_, [&str]> = match matched {
        Route::Mcp => Cow::Borrowed(&["POST", "GET", "DELETE"]),
        _ => match route(origin, RequestMethod::Other, path) {
            Routed::OtherMethods(_, methods) => Cow::Owned(methods),
            Routed::To(..) | Routed::Nowhere => Cow::Borrowed(&[]),
        },
    };
    if is_open(matched) { Response::preflight(&methods.join(", ")) } else { other_methods(&methods) }
}

fn other_methods(methods: &[&str]) -> Response {
    let allowed = methods.join(", ");
    Problem::new(
        405,
        "method_not_allowed",
        "This path does not answer that method.",
        format!("Use {allowed}."),
    )
    .response()
    .with_header("allow", allowed)
}

fn nowhere() -> Response {
    Problem::new(404, "not_found", "There is nothing at this address.", "Check the address.").response()
}

fn unavailable() -> Response {
    Problem::new(503, "unavailable", "This cannot be answered right now.", "Try again in a minute.")
        .response()
}

fn misdirected() -> Response {
    Problem::new(
        421,
        "misdirected",
        "This server does not answer for that host.",
        "Use the address that the operator gave you.",
    )
    .response()
}

fn too_large() -> Response {
    Problem::new(413, "too_large", "A request's body has at most 1 MiB.", "Send less at once.").response()
}

fn request_id(platform: &Platform<'_>) -> String {
    let random: [u8; 10] = random_array(platform.entropy);
    BASE32_NOPAD.encode(&random).to_ascii_lowercase()
}

/// W3C Trace Context, version 00: `00-<32 hex>-<16 hex>-<2 hex>`. Anything else is not logged.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let is_hex =
        |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    lengths == [2, 32, 16, 2] && parts.iter().all(is_hex)
}
