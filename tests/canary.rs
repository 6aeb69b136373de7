//! Secrets of every kind go through every route, rightly and wrongly, and come out nowhere in the clear: not in events,
//! the audit, answers that refuse, KV, or the databases.

use std::{
    collections::{BTreeMap, BTreeSet},
    marker::PhantomData,
    rc::Rc,
};

use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD, HEXLOWER};
use postern::{
    desk::{Safename, sha256_text},
    edge::{serve, tick},
    http::{Form, Origin, Request, RequestMethod, Response, paths},
    identity::ClientSecret,
    platform::{Keyring, SecretKey},
};
use serde_json::{Value as Json, json};

use crate::{
    networks::pds::{self, PASSWORD, Pds},
    operator,
    sim::{
        Incoming, Peer, Reply, Sim, SimDatabase,
        browser::{Browser, text, with_header},
        run,
    },
    tenants::{columns, tables},
};

const APP: &str = "localhost:8790";
const CONTENT: &str = "127.0.0.1:8790";
const VERIFIER: &str = "a-verifier-that-nobody-else-knows-0123456789-abcdefghijk";
const CALLBACK: &str = "https://client.example/callback";
const ISSUER: &str = "https://login.acme.example";
const CLIENT_SECRET: &str = "a-client-secret-that-the-provider-gave";
/// The root key of the simulated deployment.
const ROOT_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// A deployment in which one of every secret is in use.
struct World {
    sim: Sim,
    browser: Browser,
    csrf: String,
    /// Each secret by its kind.
    secrets: BTreeMap<&'static str, String>,
}

impl World {
    fn new() -> Self {
        let sim = Sim::new(5);
        sim.entropy.record();
        let peer = Pds::new(&sim.clock, &["anna.example"]);
        sim.web.set_peer(Rc::clone(&peer) as Rc<dyn Peer>);
        let mut world =
            Self { sim, browser: Browser::default(), csrf: String::new(), secrets: BTreeMap::new() };
        world.keep("root key", ROOT_KEY);
        world.keep("app password", PASSWORD);
        world.keep("verifier", VERIFIER);
        world.sign_in();
        world.connect_app();
        world.connect_account();
        world.make_tokens();
        world.add_provider(peer);
        world
    }

    fn keep(&mut self, kind: &'static str, secret: &str) {
        assert!(secret.len() >= 16, "{kind} is long enough to be told from anything else: {secret}");
        self.secrets.insert(kind, secret.to_owned());
    }

    fn send(&self, request: Request) -> Response {
        run(serve(&self.sim.platform(), request))
    }

    /// A command of the operator's shell, and the token that it was given with.
    fn operate(&self, command: &Json) -> (Json, String) {
        let token = operator::fresh_token(&self.sim);
        let mut request = plain(RequestMethod::Post, APP, "/operator");
        request.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        request.body = command.to_string().into_bytes();
        let response = self.send(request);
        assert_eq!(response.status, 200, "{}", text(&response));
        (serde_json::from_slice(&response.body).unwrap(), token)
    }

    fn get(&self, address: &str) -> Response {
        self.send(self.browser.get(address))
    }

    fn post(&self, address: &str, fields: &[(&str, &str)]) -> Response {
        let fields: Vec<(&str, &str)> =
            [("csrf", self.csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
        self.send(self.browser.post(address, &fields))
    }

    fn sign_in(&mut self) {
        self.operate(&json!({ "command": "create_tenant", "safename": "acme", "name": "Acme",
            "owner_name": "Alex", "owner_email": "owner@acme.example", "workspace": "Main", "time_zone": "UTC" }));
        let command =
            json!({ "command": "create_sign_in_link", "safename": "acme", "email": "owner@acme.example" });
        let (answer, token) = self.operate(&command);
        self.keep("operator's token", &token);
        let link = answer["url"].as_str().unwrap().strip_prefix(&self.sim.config.public_origin).unwrap();
        self.keep("link", link.rsplit('/').next().unwrap());
        assert_eq!(self.get(link).status, 200);
        let answer = self.send(self.browser.post(link, &[]));
        assert_eq!(answer.status, 303);
        self.browser.take(&answer);
        self.keep("session", &self.browser.cookie("postern_session").unwrap());
        self.csrf = between(&text(&self.get("/")), "name=\"csrf\" value=\"", "\"");
        self.keep("csrf", &self.csrf.clone());
    }

    fn connect_app(&mut self) {
        let mut registration = plain(RequestMethod::Post, APP, "/register");
        registration.body =
            json!({ "redirect_uris": [CALLBACK], "client_name": "App" }).to_string().into_bytes();
        let registered: Json = serde_json::from_slice(&self.send(registration).body).unwrap();
        let client = registered["client_id"].as_str().unwrap();
        let wish = form(&[
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", CALLBACK),
            ("code_challenge", &sha256_text(VERIFIER.as_bytes())),
            ("code_challenge_method", "S256"),
            (
                "scope",
                "workspace:read social_profiles:read social_profiles:write posts:read posts:write posts:publish",
            ),
            ("resource", &self.sim.config.resource("acme")),
        ]);
        let consent = location(&self.get(&format!("/authorize?{wish}")));
        let page = text(&self.get(&consent));
        let ticked: Vec<(&str, String)> = page
            .split("<input type=\"checkbox\" name=\"")
            .skip(1)
            .map(|input| (input.split('"').next().unwrap(), between(input, "value=\"", "\"")))
            .filter(|(name, _)| *name != "read_only")
            .collect();
        let mut fields: Vec<(&str, &str)> =
            ticked.iter().map(|(name, value)| (*name, value.as_str())).collect();
        fields.push(("decision", "approve"));
        let code = between(&location(&self.post(&consent, &fields)), "code=", "&");
        self.keep("code", &code);
        let first = self.token(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("client_id", client),
            ("code_verifier", VERIFIER),
        ]);
        self.keep("first access token", first["access_token"].as_str().unwrap());
        self.keep("first refresh token", first["refresh_token"].as_str().unwrap());
        let refresh = first["refresh_token"].as_str().unwrap();
        let second =
            self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", client)]);
        self.keep("access token", second["access_token"].as_str().unwrap());
        self.keep("refresh token", second["refresh_token"].as_str().unwrap());
    }

    fn token(&self, fields: &[(&str, &str)]) -> Json {
        let mut request = plain(RequestMethod::Post, APP, "/token");
        request.headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        request.body = form(fields).into_bytes();
        let response = self.send(request);
        assert_eq!(response.status, 200, "{}", text(&response));
        serde_json::from_slice(&response.body).unwrap()
    }

    fn call(&self, path: &str, token: Option<&str>, tool: &str, arguments: Json) -> Json {
        let mut request = tool_call(path, tool, arguments);
        request.headers.extend(token.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))));
        let response = self.send(request);
        assert_eq!(response.status, 200, "{}", text(&response));
        let body: Json = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(body["result"]["isError"], Json::Null, "{body}");
        body["result"]["structuredContent"].clone()
    }

    /// Connects an account and has something published there.
    fn connect_account(&self) {
        let access = self.secrets["access token"].clone();
        let asked =
            self.call("/acme/mcp", Some(&access), "connect_social_profile", json!({ "network": "bluesky" }));
        let page = asked["connect_url"].as_str().unwrap();
        let page = page.strip_prefix(&self.sim.config.public_origin).unwrap();
        let fields = [("server", pds::ORIGIN), ("handle", "anna.example"), ("app_password", PASSWORD)];
        assert_eq!(self.post(page, &fields).status, 303);
        let post = json!({ "text": "Hello", "profiles": ["bluesky"], "when": "now" });
        self.call("/acme/mcp", Some(&access), "create_post", post);
        for _ in 0..5 {
            self.sim.clock.advance_seconds(60);
            run(tick(&self.sim.platform()));
        }
        let published = "SELECT count(*) FROM delivery WHERE state = 'published'";
        assert_eq!(self.sim.shard().number(published, []), 1);
    }

    fn make_tokens(&mut self) {
        // Publishing took minutes, and switching on tokens needs a fresh sign-in.
        self.sim.directory.execute(
            "UPDATE session SET signed_in_at = ?1",
            [postern::platform::Clock::now(&*self.sim.clock).as_millis()],
        );
        assert_eq!(self.post("/acme/tokens/setting", &[("setting", "header_and_address")]).status, 303);
        for (kind, secret) in [("header", "pst_"), ("address", "psu_")] {
            let page = text(&self.get("/acme/tokens"));
            let id = between(&page, "name=\"id\" value=\"", "\"");
            let workspace = between(&page, "name=\"workspace\" value=\"", "\"");
            let fields = [
                ("id", id.as_str()),
                ("kind", kind),
                ("label", "A program"),
                ("days", "30"),
                ("workspace", &workspace),
                ("capability", "workspace:read"),
            ];
            let made = text(&self.post("/acme/tokens", &fields));
            let token = format!("{secret}{}", between(&made, secret, "<"));
            if kind == "header" {
                self.call("/acme/mcp", Some(&token), "whoami", json!({}));
                self.keep("personal token", &token);
            } else {
                self.call(&format!("/acme/mcp/{token}"), None, "whoami", json!({}));
                self.keep("token in an address", &token);
            }
        }
    }

    fn add_provider(&mut self, pds: Rc<Pds>) {
        let metadata = json!({
            "issuer": ISSUER,
            "authorization_endpoint": ISSUER,
            "token_endpoint": ISSUER,
            "jwks_uri": ISSUER,
        });
        self.sim.web.set_peer(Rc::new(move |request: &Incoming| {
            if request.url.starts_with(ISSUER) {
                Ok(Reply::json(200, &metadata))
            } else {
                pds.answer(request)
            }
        }));
        let id = between(&text(&self.get("/acme/providers")), "name=\"id\" value=\"", "\"");
        let fields = [
            ("act", "add"),
            ("id", id.as_str()),
            ("name", "Login"),
            ("issuer", ISSUER),
            ("client_id", "postern"),
            ("client_secret", CLIENT_SECRET),
        ];
        assert_eq!(self.post("/acme/providers", &fields).status, 303);
        self.keep("client secret", CLIENT_SECRET);
    }

    /// Every secret there is, in every form in which it could be written: those that were given out, the keys, and all
    /// 256-bit secrets that were ever drawn, the tenant's key and the refresh family's among them.
    fn canaries(&self) -> BTreeSet<String> {
        let mut canaries: BTreeSet<String> = self.secrets.values().cloned().collect();
        let mut keys: Vec<Vec<u8>> =
            self.sim.entropy.recorded().into_iter().filter(|drawn| drawn.len() == 32).collect();
        assert!(keys.len() >= 6, "link, session, code, family, tenant key, tokens: {}", keys.len());
        keys.push(BASE64URL_NOPAD.decode(ROOT_KEY.as_bytes()).unwrap());
        for key in keys {
            canaries.extend([
                BASE64URL_NOPAD.encode(&key),
                BASE64.encode(&key),
                HEXLOWER.encode(&key),
                BASE32_NOPAD.encode(&key),
                BASE32_NOPAD.encode(&key).to_ascii_lowercase(),
            ]);
        }
        // The secret parts alone, and what every JSON web token begins with: ours and those of networks.
        let parts = ["code", "refresh token", "first refresh token", "csrf"]
            .map(|kind| self.secrets[kind].rsplit('.').next().unwrap().to_owned());
        canaries.extend(parts);
        canaries
            .extend(["personal token", "token in an address"].map(|kind| self.secrets[kind][4..].to_owned()));
        canaries.extend(["eyJhbGci", "eyJ0eXAi"].map(str::to_owned));
        canaries
    }

    /// Everything that is kept or told to operators.
    fn sinks(&self) -> Vec<(String, String)> {
        let mut sinks: Vec<(String, String)> =
            self.sim.events.all().iter().map(|event| ("an event".to_owned(), event.to_string())).collect();
        let stored = self.sim.key_value.newest();
        sinks.extend(stored.into_iter().map(|(key, value)| (format!("KV {key}"), format!("{key} {value}"))));
        sinks.extend(dump("directory", &self.sim.directory));
        sinks.extend(dump("shard", self.sim.shard()));
        sinks
    }

    fn assert_nothing_in_the_clear(&self) {
        let canaries = self.canaries();
        for (place, content) in self.sinks() {
            for canary in &canaries {
                assert!(!content.contains(canary), "{place} holds {}: {content}", self.name_of(canary));
            }
        }
    }

    fn name_of(&self, canary: &str) -> String {
        let known = self.secrets.iter().find(|(_, secret)| secret.contains(canary));
        known.map_or_else(|| format!("a secret ({canary})"), |(kind, _)| format!("the {kind}"))
    }
}

/// Every row of a database as text.
fn dump(name: &str, database: &SimDatabase) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for table in tables(database) {
        let columns: Vec<String> = columns(database, &table).into_iter().map(|(column, _)| column).collect();
        let all = columns
            .iter()
            .map(|column| format!("coalesce({column}, '')"))
            .collect::<Vec<_>>()
            .join(" || ' ' || ");
        for row in database.query(&format!("SELECT {all} AS line FROM {table}"), []) {
            rows.push((format!("{name}.{table}"), row.get("line").unwrap()));
        }
    }
    rows
}

fn plain(method: RequestMethod, host: &str, path: &str) -> Request {
    crate::app::request(method, host, path)
}

fn tool_call(path: &str, tool: &str, arguments: Json) -> Request {
    let mut request = plain(RequestMethod::Post, APP, path);
    request.headers = [
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", "2025-11-25"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    request.body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments } })
    .to_string()
    .into_bytes();
    request
}

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn location(response: &Response) -> String {
    response.header("location").unwrap_or_else(|| panic!("{} {}", response.status, text(response))).to_owned()
}

fn between(text: &str, before: &str, after: &str) -> String {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split(after).next().unwrap().to_owned()
}

/// Names under which somebody could send a secret to the wrong place.
const FIELDS: [&str; 14] = [
    "access_token",
    "token",
    "refresh_token",
    "code",
    "code_verifier",
    "client_id",
    "client_secret",
    "csrf",
    "password",
    "app_password",
    "link",
    "id",
    "resource",
    "setting",
];

/// The ways of presenting a secret where it does not belong.
fn misplaced(pattern: &str, method: RequestMethod, host: &str, secret: &str) -> Vec<Request> {
    let segments = pattern.matches("{}").count();
    let path = |with_secret: Option<usize>| {
        let mut number = 0;
        let parts: Vec<&str> = pattern
            .split('/')
            .map(|part| {
                if part != "{}" {
                    return part;
                }
                number += 1;
                match with_secret {
                    Some(wanted) if wanted + 1 == number => secret,
                    _ => "acme",
                }
            })
            .collect();
        parts.join("/")
    };
    let right = path(None);
    let fields: Vec<(&str, &str)> = FIELDS.iter().map(|name| (*name, secret)).collect();
    let at = |path: &str| plain(method, host, path);
    let with = |name: &str, value: String| with_header(at(&right), name, Some(&value));
    let with_body = |kind: &str, body: String| Request {
        body: body.into_bytes(),
        ..with_header(
            with_header(at(&right), "sec-fetch-site", Some("same-origin")),
            "content-type",
            Some(kind),
        )
    };
    let fields_of_json: serde_json::Map<String, Json> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    // What can be a tenant's name is none to keep from an address: challenges name whichever tenant was asked for.
    let could_be_name = secret.parse::<Safename>().is_ok();
    let segments = if could_be_name { 0 } else { segments };
    let mut requests: Vec<Request> = (0..segments).map(|segment| at(&path(Some(segment)))).collect();
    requests.extend([
        Request { query: form(&fields), ..at(&right) },
        Request { query: secret.to_owned(), ..at(&right) },
        with("authorization", format!("Bearer {secret}")),
        with("authorization", format!("Basic {secret}")),
        with("authorization", secret.to_owned()),
        with("cookie", format!("postern_session={secret}; postern_next=/{secret}")),
        with("traceparent", format!("00-{secret}-00f067aa0ba902b7-01")),
        with("referer", format!("http://{APP}/{secret}")),
        with("user-agent", secret.to_owned()),
        with("origin", format!("https://{secret}.example")),
        with("mcp-session-id", secret.to_owned()),
        with("mcp-protocol-version", secret.to_owned()),
        with_body("application/x-www-form-urlencoded", form(&fields)),
        with_body("application/json", Json::Object(fields_of_json).to_string()),
        with_body("application/json", secret.to_owned()),
        Request { peer: secret.to_owned(), ..at(&right) },
    ]);
    requests
}

/// An answer without the tokens that its own session's forms carry.
fn without_forms(response: &Response) -> String {
    let page = text(response);
    let mut pieces = page.split("name=\"csrf\" value=\"");
    let mut told = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        told.push_str(piece.split_once('"').map_or("", |(_, rest)| rest));
    }
    let headers: Vec<String> =
        response.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{}\n{told}", headers.join("\n"))
}

#[test]
fn what_is_looked_for_would_be_found() {
    let world = World::new();
    let sinks = world.sinks();
    let finds = |place: &str, needle: &str| {
        sinks.iter().any(|(found, content)| found.starts_with(place) && content.contains(needle))
    };
    assert!(finds("directory.person", "owner@acme.example"));
    assert!(finds("shard.audit", "connect_page"));
    assert!(finds("shard.personal_token", "A program"));
    assert!(finds("KV ", "acme"));
    assert!(finds("an event", "whoami"));
    let hash = postern::desk::token_hash(&world.secrets["session"]);
    assert!(finds("directory.session", &hash), "what is kept of a session is its hash");
    let kinds: BTreeSet<&str> = world.secrets.keys().copied().collect();
    let expected = [
        "access token",
        "app password",
        "client secret",
        "code",
        "csrf",
        "first access token",
        "first refresh token",
        "link",
        "operator's token",
        "personal token",
        "refresh token",
        "root key",
        "session",
        "token in an address",
        "verifier",
    ];
    assert_eq!(kinds, BTreeSet::from(expected));
}

/// Where in a request what is.
fn described(request: &Request) -> String {
    let Request { path, query, headers, body, .. } = request;
    format!("{path}?{query} {headers:?} {}", String::from_utf8_lossy(body))
}

/// Whether values of a type can be printed for debugging: of the two methods, only one that applies is found, and the
/// type's own goes before the trait's.
struct Printing<T>(PhantomData<T>);

impl<T: std::fmt::Debug> Printing<T> {
    fn is_possible(&self) -> bool {
        true
    }
}

trait NotPrintable {
    fn is_possible(&self) -> bool {
        false
    }
}

impl<T> NotPrintable for Printing<T> {}

#[test]
fn what_carries_secrets_cannot_be_printed() {
    assert!(Printing::<RequestMethod>(PhantomData).is_possible(), "this tells one from the other");
    assert!(!Printing::<Request>(PhantomData).is_possible());
    assert!(!Printing::<Form>(PhantomData).is_possible());
    assert!(!Printing::<Keyring>(PhantomData).is_possible());
    assert!(!Printing::<SecretKey>(PhantomData).is_possible());
    assert!(!Printing::<ClientSecret>(PhantomData).is_possible());
}

#[test]
fn secrets_that_are_used_are_kept_nowhere_in_the_clear() {
    let world = World::new();
    world.assert_nothing_in_the_clear();
    let export = world.post("/acme/audit/export", &[]);
    assert_eq!(export.status, 200);
    let lines = text(&export);
    assert!(world.canaries().iter().all(|canary| !lines.contains(canary)));
    let (_, token) = world.operate(&json!({ "command": "status" }));
    assert_eq!(world.post("/sign-out", &[]).status, 303);
    run(tick(&world.sim.platform()));
    world.assert_nothing_in_the_clear();
    assert!(world.sinks().iter().all(|(_, content)| !content.contains(&token)));
}

#[test]
fn secrets_at_the_wrong_door_are_neither_kept_nor_repeated() {
    let world = World::new();
    let canaries = world.canaries();
    let mut refused = 0;
    for (origin, pattern, _) in paths() {
        let host = if origin == Origin::App { APP } else { CONTENT };
        for method in [RequestMethod::Get, RequestMethod::Post, RequestMethod::Delete] {
            for (kind, secret) in &world.secrets {
                for request in misplaced(pattern, method, host, secret) {
                    let asked = format!("{method:?} {pattern} with the {kind}: {}", described(&request));
                    let response = world.send(request);
                    if response.status < 400 {
                        continue;
                    }
                    refused += 1;
                    let told = without_forms(&response);
                    for canary in &canaries {
                        assert!(
                            !told.contains(canary),
                            "{asked}\nwas told {}: {told}",
                            world.name_of(canary)
                        );
                    }
                }
            }
        }
    }
    assert!(refused > 10_000, "{refused} refusals");
    run(tick(&world.sim.platform()));
    world.assert_nothing_in_the_clear();
}
