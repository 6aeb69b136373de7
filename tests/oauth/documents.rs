//! Client-ID metadata documents: draft-ietf-oauth-client-id-metadata-document, and the MCP authorization pages on it.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use postern::platform::{HttpFault, Method};
use serde_json::{Value, json};

use super::{World, error, location, plus, redirected, sign_in, text, told_error, with};
use crate::sim::{Fault, Incoming, Peer, Port, Reply};

/// A client's id that is the address of its document.
pub const CLIENT: &str = "https://client.example/oauth/client.json";
const CALLBACK: &str = "https://client.example/callback";
const DAY: i64 = 86_400;

/// What the servers of the world answer, by address.
#[derive(Clone, Default)]
pub struct Shelf(Rc<RefCell<HashMap<String, Reply>>>);

impl Shelf {
    /// A shelf that the world's fetches go to.
    pub fn of(world: &World) -> Self {
        let shelf = Self::default();
        world.sim.web.set_peer(Rc::new(shelf.clone()));
        shelf
    }

    pub fn put(&self, address: &str, reply: Reply) {
        self.0.borrow_mut().insert(address.to_owned(), reply);
    }

    pub fn put_json(&self, address: &str, document: &Value) {
        self.put(address, Reply::json(200, document));
    }
}

impl Peer for Shelf {
    fn answer(&self, request: &Incoming) -> Result<Reply, HttpFault> {
        let found = self.0.borrow().get(&request.url).cloned();
        found.ok_or_else(|| HttpFault::NotSent("no such host".to_owned()))
    }
}

/// The document of a public client.
pub fn public_client() -> Value {
    json!({
        "client_id": CLIENT,
        "client_name": "A hosted assistant",
        "client_uri": "https://client.example/",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none"
    })
}

fn changed(name: &str, value: Value) -> Value {
    let mut document = public_client();
    match value {
        Value::Null => drop(document.as_object_mut().unwrap().remove(name)),
        value => document[name] = value,
    }
    document
}

/// A world in which the owner's client is the one at [`CLIENT`].
fn described() -> (World, Shelf) {
    let mut world = World::new();
    let shelf = Shelf::of(&world);
    shelf.put_json(CLIENT, &public_client());
    world.client_id = CLIENT.to_owned();
    (world, shelf)
}

fn fetches(world: &World) -> usize {
    world.sim.web.requests().len()
}

fn cached(reply: Reply, headers: &[(&str, &str)]) -> Reply {
    let mut reply = reply;
    reply.headers.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    reply
}

#[test]
fn mcp_authorization_a_client_described_by_its_document_gets_tokens() {
    let (world, _shelf) = described();
    let tokens = world.tokens();
    assert_eq!(world.call(tokens["access_token"].as_str().unwrap()), Ok(()));
    assert_eq!(world.refresh(tokens["refresh_token"].as_str().unwrap()).0, 200);
    let requests = world.sim.web.requests();
    assert_eq!(requests.len(), 1, "the document, once");
    assert_eq!((requests[0].method, requests[0].url.as_str()), (Method::Get, CLIENT));
    assert_eq!(requests[0].headers, [("accept".to_owned(), "application/json".to_owned())], "no credentials");
    assert_eq!(
        world.sim.directory.number("SELECT count(*) FROM client WHERE client_id LIKE 'https%'", []),
        0
    );
}

#[test]
fn mcp_authorization_nothing_is_fetched_for_strangers() {
    let (world, _shelf) = described();
    let response = world.authorize_in(None, &world.wish());
    assert!(location(&response).starts_with("/sign-in"));
    let silent = plus(&world.wish(), "prompt", "none");
    let response = world.authorize_in(None, &silent);
    assert_eq!((response.status, response.header("location")), (400, None));
    assert!(text(&response).contains("login_required"));
    let tenant = world.company.tenant.id.to_string();
    let code = format!("{tenant}.{}", "A".repeat(43));
    assert_eq!(error(&world.token(&world.redemption(&code))), (400, "invalid_grant"));
    let refresh = format!("{tenant}.fam_00000000000000000000000000.1.AAAA");
    assert_eq!(error(&world.refresh(&refresh)), (400, "invalid_grant"));
    let form =
        [("token", refresh.as_str()), ("client_id", CLIENT)].map(|(n, v)| (n.to_owned(), v.to_owned()));
    assert_eq!(world.revoke(&form).0, 200);
    assert_eq!(fetches(&world), 0);
}

#[test]
fn mcp_authorization_a_silent_request_of_a_described_client_is_answered_by_login_required() {
    let (world, _shelf) = described();
    let silent = plus(&world.wish(), "prompt", "none");
    assert_eq!(told_error(&world.authorize(&silent)), "login_required");
}

#[test]
fn mcp_authorization_the_document_s_client_id_is_its_address() {
    let (world, shelf) = described();
    for other in [
        "https://client.example/oauth/client.json/",
        "https://client.example/oauth/Client.json",
        "https://client.example/oauth/client.json?",
        "https://other.example/oauth/client.json",
        "",
    ] {
        shelf.put_json(CLIENT, &changed("client_id", json!(other)));
        let page = text(&world.authorize(&world.wish()));
        assert!(page.contains("is not the address"), "{other}");
    }
}

#[test]
fn mcp_authorization_a_document_that_cannot_be_used_is_refused_and_never_kept() {
    let (world, shelf) = described();
    let html = || Reply::of(200, "text/html", public_client().to_string().into_bytes());
    let mut padded = public_client();
    padded["of_the_document"] = json!("x".repeat(5 * 1024));
    let bad = [
        (Reply::json(404, &public_client()), "something else than 200"),
        (Reply::json(201, &public_client()), "something else than 200"),
        (Reply::json(500, &public_client()), "something else than 200"),
        (Reply::redirect(302, "https://client.example/other.json"), "redirects are not followed"),
        (Reply::redirect(301, CLIENT), "redirects are not followed"),
        (html(), "not JSON"),
        (Reply::of(200, "application/json", b"\xff".to_vec()), "not JSON"),
        (Reply::of(200, "application/json", b"{".to_vec()), "not a JSON object"),
        (Reply::json(200, &json!([public_client()])), "not a JSON object"),
        (Reply::json(200, &padded), "too long"),
        (Reply::json(200, &changed("client_id", Value::Null)), "not a JSON object"),
        (Reply::json(200, &changed("client_name", Value::Null)), "no client_name"),
        (Reply::json(200, &changed("client_name", json!(" \u{202e}"))), "no client_name"),
        (Reply::json(200, &changed("redirect_uris", Value::Null)), "redirect_uris is missing"),
        (
            Reply::json(200, &changed("redirect_uris", json!(["javascript:alert(1)"]))),
            "redirect_uris is missing",
        ),
        (Reply::json(200, &changed("grant_types", json!(["client_credentials"]))), "Only authorization_code"),
        (Reply::json(200, &changed("response_types", json!(["token"]))), "Only authorization_code"),
        (Reply::json(200, &changed("token_endpoint_auth_method", json!("client_secret_basic"))), "secret"),
        (Reply::json(200, &changed("token_endpoint_auth_method", json!("client_secret_post"))), "secret"),
        (Reply::json(200, &changed("token_endpoint_auth_method", json!("client_secret_jwt"))), "secret"),
        (Reply::json(200, &changed("client_secret", json!("x"))), "secret"),
        (Reply::json(200, &changed("client_secret_expires_at", json!(0))), "secret"),
    ];
    for (number, (reply, said)) in bad.into_iter().enumerate() {
        shelf.put(CLIENT, cached(reply, &[("cache-control", "max-age=86400")]));
        let response = world.authorize(&world.wish());
        assert_eq!((response.status, response.header("location")), (400, None), "{number}");
        let page = text(&response);
        assert!(page.contains(said), "{number} {said}: {page}");
        assert!(
            !page.contains("of_the_document") && !page.contains("/other.json"),
            "nothing of the answer is shown"
        );
    }
    world.sim.faults.on_call(Port::Web, 1, Fault::SlowReply(5001));
    assert!(text(&world.authorize(&world.wish())).contains("within 5 seconds"));
    world.sim.faults.on_call(Port::Web, 1, Fault::LostRequest);
    assert!(text(&world.authorize(&world.wish())).contains("within 5 seconds"));
    assert!(world.sim.key_value.newest().keys().all(|key| !key.starts_with("client-document")));
    shelf.put_json(CLIENT, &public_client());
    assert_eq!(world.authorize(&world.wish()).status, 303, "mended, it works at once");
}

#[test]
fn mcp_authorization_a_document_may_be_of_a_more_specific_json_type() {
    let (world, shelf) = described();
    let body = public_client().to_string().into_bytes();
    shelf.put(CLIENT, Reply::of(200, "Application/Client-Metadata+JSON; charset=utf-8", body));
    assert_eq!(world.authorize(&world.wish()).status, 303);
}

#[test]
fn mcp_authorization_an_id_that_no_document_can_have_is_refused_unfetched() {
    let world = World::deployed();
    let shelf = Shelf::of(&world);
    for id in [
        "https://client.example",
        "https://client.example/",
        "https://client.example/a/../client.json",
        "https://client.example/a/./client.json",
        "https://client.example/%2e%2e/client.json",
        "https://client.example/client.json#x",
        "https://user@client.example/client.json",
        "https://user:pass@client.example/client.json",
        "https://CLIENT.example/client.json",
        "https://client.example:443/client.json",
        "https://client.example:8443/client.json",
        "https://client.example\\client.json",
        "https://client.example/client .json",
        "https://client.example/\u{e9}.json",
        "https:/client.example/client.json",
        "https:client.example/client.json",
        "https://",
        "HTTPS://client.example/client.json",
        "http://client.example/client.json",
        "https://mcp.example.com/client.json",
        "https://mcp.example.com./client.json",
        "https://wall.example.com/client.json",
        "https://localhost/client.json",
        "https://127.0.0.1/client.json",
        "https://10.0.0.1/client.json",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/client.json",
        "https://[::ffff:10.0.0.1]/client.json",
        "https://2130706433/client.json",
        "https://metadata.google.internal/client.json",
        "https://intranet/client.json",
        "https://printer.local/client.json",
        &format!("https://client.example/{}", "x".repeat(500)),
    ] {
        let mut document = public_client();
        document["client_id"] = json!(id);
        shelf.put_json(id, &document);
        let response = world.authorize(&with(&world.wish(), "client_id", Some(id)));
        assert_eq!((response.status, response.header("location")), (400, None), "{id}");
    }
    assert_eq!(fetches(&world), 0);
}

#[test]
fn mcp_authorization_a_document_s_address_has_at_most_500_characters_and_names_no_user() {
    let world = World::new();
    let shelf = Shelf::of(&world);
    let of = |length: usize| {
        let start = "https://client.example/";
        format!("{start}{}", "x".repeat(length - start.len()))
    };
    let asked = |id: &str| {
        let mut document = public_client();
        document["client_id"] = json!(id);
        shelf.put_json(id, &document);
        world.authorize(&with(&world.wish(), "client_id", Some(id)))
    };
    assert_eq!(asked(&of(500)).status, 303);
    let named = ["https://user@client.example/client.json", "https://:pass@client.example/client.json"];
    for id in named.into_iter().chain([of(501).as_str()]) {
        let response = asked(id);
        assert_eq!(response.status, 400, "{id}");
        assert!(text(&response).contains("Its client_id must be an https address"), "{id}");
    }
}

#[test]
fn mcp_authorization_documents_are_kept_by_their_headers_between_5_minutes_and_a_day() {
    // The simulation begins on Friday 20 November 2026 at 09:00 UTC.
    for (headers, seconds) in [
        (&[][..], 300),
        (&[("cache-control", "max-age=3600")][..], 3600),
        (&[("Cache-Control", "public, MAX-AGE=7200, must-revalidate")], 7200),
        (&[("cache-control", "max-age=\"900\"")], 900),
        (&[("cache-control", "max-age=3600"), ("age", "600")], 3000),
        (&[("cache-control", "max-age=60, s-maxage=1200")], 1200),
        (&[("cache-control", "max-age=31536000")], DAY),
        (&[("cache-control", "max-age=0")], 300),
        (&[("cache-control", "max-age=-5")], 300),
        (&[("cache-control", "max-age=nonsense")], 300),
        (&[("cache-control", "max-age=99999999999999999999")], 300),
        (&[("cache-control", "no-store, max-age=3600")], 300),
        (&[("cache-control", "public"), ("cache-control", "no-cache")], 300),
        (&[("expires", "Fri, 20 Nov 2026 11:00:00 GMT")], 7200),
        (&[("expires", "Fri, 20 Nov 2026 11:00:00 GMT"), ("cache-control", "max-age=600")], 600),
        (&[("expires", "0")], 300),
        (&[("expires", "Wed, 20 Nov 2030 11:00:00 GMT")], DAY),
    ] {
        let (world, shelf) = described();
        shelf.put(CLIENT, cached(Reply::json(200, &public_client()), headers));
        assert_eq!(world.authorize(&world.wish()).status, 303);
        world.sim.clock.advance_millis(seconds * 1000 - 1);
        let browser = sign_in(&world.sim, &world.company.owner);
        assert_eq!(world.authorize_in(Some(&browser), &world.wish()).status, 303);
        assert_eq!(fetches(&world), 1, "{headers:?}: kept until {seconds} s");
        world.sim.clock.advance_millis(1);
        assert_eq!(world.authorize_in(Some(&browser), &world.wish()).status, 303);
        assert_eq!(fetches(&world), 2, "{headers:?}: and no longer");
    }
}

#[test]
fn kv_that_fails_or_lags_only_costs_another_fetch() {
    let (world, shelf) = described();
    world.sim.key_value.set_lag(1_000_000_000);
    world.authorize(&world.wish());
    shelf.put_json(CLIENT, &changed("redirect_uris", json!(["https://client.example/new"])));
    world.sim.clock.advance_seconds(300);
    assert_eq!(world.authorize(&world.wish()).status, 400, "the old copy is over by our own clock");
    world.sim.faults.on_call(Port::KeyValue, 1, Fault::LostRequest);
    let wish = with(&world.wish(), "redirect_uri", Some("https://client.example/new"));
    world.sim.clock.advance_seconds(61);
    assert_eq!(world.authorize(&wish).status, 303);
}

#[test]
fn mcp_authorization_the_redirect_address_is_one_of_the_document_s() {
    let (world, shelf) = described();
    let addresses =
        json!([CALLBACK, "http://127.0.0.1/callback", "javascript:alert(1)", "ftp://client.example/"]);
    shelf.put_json(CLIENT, &changed("redirect_uris", addresses));
    let to = |address: &str| world.authorize(&with(&world.wish(), "redirect_uri", Some(address))).status;
    assert_eq!(to(CALLBACK), 303);
    assert_eq!(to("http://127.0.0.1:50123/callback"), 303, "RFC 8252 section 7.3");
    for other in [
        "https://client.example/callback/",
        "https://evil.example/callback",
        "http://127.0.0.1:50123/other",
        "http://localhost:50123/callback",
        "javascript:alert(1)",
        "ftp://client.example/",
    ] {
        assert_eq!(to(other), 400, "{other}");
    }
}

/// The documents that hosted assistants and programs publish, as they were seen.
#[test]
fn mcp_authorization_the_documents_of_real_clients_are_accepted() {
    let world = World::deployed();
    let shelf = Shelf::of(&world);
    for (id, redirects, asked) in [
        (
            "https://claude.ai/oauth/mcp-oauth-client-metadata",
            json!(["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"]),
            "https://claude.com/api/mcp/auth_callback",
        ),
        (
            "https://claude.ai/oauth/claude-code-client-metadata",
            json!(["http://localhost/callback", "http://127.0.0.1/callback"]),
            "http://localhost:53682/callback",
        ),
        (
            "https://chatgpt.com/oauth/codex/client.json",
            json!(["http://127.0.0.1/callback"]),
            "http://127.0.0.1:1455/callback",
        ),
        (
            "https://vscode.dev/oauth/client-metadata.json",
            json!(["http://127.0.0.1:33418/", "http://127.0.0.1/", "https://vscode.dev/redirect"]),
            "http://127.0.0.1:41200/",
        ),
        (
            "https://opencode.ai/oauth/opencode/client.json",
            json!(["http://127.0.0.1:19876/mcp/oauth/callback"]),
            "http://127.0.0.1:19876/mcp/oauth/callback",
        ),
    ] {
        let mut document = public_client();
        document["client_id"] = json!(id);
        document["redirect_uris"] = redirects;
        shelf.put_json(id, &document);
        let wish = with(&with(&world.wish(), "client_id", Some(id)), "redirect_uri", Some(asked));
        let response = world.authorize(&wish);
        assert_eq!(response.status, 303, "{id}: {}", text(&response));
    }
}

#[test]
fn mcp_authorization_a_described_client_s_code_is_of_no_use_to_another() {
    let (world, shelf) = described();
    let other = "https://other.example/client.json";
    shelf.put_json(other, &changed("client_id", json!(other)));
    let code = world.code();
    let stolen = with(&world.redemption(&code), "client_id", Some(other));
    assert_eq!(error(&world.token(&stolen)), (400, "invalid_grant"));
    let stolen = with(&world.redemption(&code), "client_id", Some(&format!("{CLIENT}?x")));
    assert_eq!(error(&world.token(&stolen)), (400, "invalid_grant"));
    assert_eq!(world.token(&world.redemption(&code)).0, 200);
}

#[test]
fn rfc9207_2_a_described_client_is_told_the_issuer() {
    let (world, _shelf) = described();
    let id = world.pending(&world.wish());
    let response = world.decide(&id, &world.filled_in(&id, "approve"));
    assert_eq!(redirected(&response).get("iss"), Some("http://localhost:8790"));
}
