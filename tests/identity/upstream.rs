//! Signing in through a tenant's OpenID provider: a provider that keeps to the specification, and every way in which one,
//! or whoever stands between, does not.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use hmac::{Hmac, Mac};
use postern::{
    desk::{Role, UserId, sha256_text},
    edge::{serve, tick},
    http::{Request, Response},
    identity::SignInMethod,
    platform::{Clock, HttpFault, Later, Method},
};
use rsa::pkcs8::EncodePublicKey;
use rusqlite::params;
use serde_json::{Value as Json, json};

use super::{members::signed_in_as, press, session};
use crate::{
    oauth::assertions::{RSA, ec_jwk, encode, rsa_jwk, signed_es256, signed_rs256},
    sim::{
        Fault, Incoming, Peer, Random, Reply, Sim,
        browser::{Browser, text, with_header},
        config_from, interleave, local_settings, run,
        world::Company,
    },
};

const ORIGIN: &str = "http://localhost:8790";
const ISSUER: &str = "https://login.acme.example";
const SECRET: &str = "a-client-secret-of-the-provider";
const RESOLVER: &str = "https://cloudflare-dns.com/dns-query?";

/// Who signs ID tokens, and how.
#[derive(Clone, Copy, Debug)]
enum Signer {
    Rs256,
    Es256(u8),
    /// Nobody (RFC 7515 appendix A.5).
    None,
    /// HS256 with the public RSA key, which everybody has.
    PublicKeyAsSecret,
}

/// What an authorization request asked for, by its code.
struct Asked {
    redirect_uri: String,
    challenge: String,
    nonce: String,
    claims: Json,
}

/// An OpenID provider with one client. Tests change what it says.
pub struct Idp {
    clock: Rc<crate::sim::SimClock>,
    issuer: String,
    client_id: String,
    metadata: RefCell<Json>,
    keys: RefCell<Json>,
    header: RefCell<Json>,
    /// Claims in place of the right ones; null takes one away.
    altered: RefCell<BTreeMap<&'static str, Json>>,
    signer: RefCell<Signer>,
    codes: RefCell<BTreeMap<String, Asked>>,
    token_reply: RefCell<Option<Reply>>,
    /// The status of a good answer to a code.
    token_status: RefCell<u16>,
}

impl Idp {
    fn new(sim: &Sim, issuer: &str) -> Rc<Self> {
        let metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "authorization_response_iss_parameter_supported": true,
            "code_challenge_methods_supported": ["S256"],
        });
        Rc::new(Self {
            clock: Rc::clone(&sim.clock),
            issuer: issuer.to_owned(),
            client_id: "postern".to_owned(),
            metadata: RefCell::new(metadata),
            keys: RefCell::new(json!({ "keys": [rsa_jwk("k1"), ec_jwk("e1", 1)] })),
            header: RefCell::new(json!({ "alg": "RS256", "kid": "k1", "typ": "JWT" })),
            altered: RefCell::default(),
            signer: RefCell::new(Signer::Rs256),
            codes: RefCell::default(),
            token_reply: RefCell::default(),
            token_status: RefCell::new(200),
        })
    }

    fn say(&self, name: &'static str, value: Json) {
        self.altered.borrow_mut().insert(name, value);
    }

    fn describe(&self, name: &str, value: Json) {
        self.metadata.borrow_mut()[name] = value;
    }

    /// Signs with this key and header from now on.
    fn sign(&self, signer: Signer, header: Json) {
        *self.signer.borrow_mut() = signer;
        *self.header.borrow_mut() = header;
    }

    /// The person of `claims` says yes to the request at this address; gives the path and query of the callback.
    fn approve(&self, location: &str, claims: Json) -> String {
        let asked = parameters(location);
        assert!(location.starts_with(&format!("{}/authorize?", self.issuer)), "{location}");
        assert_eq!((&*asked["response_type"], &*asked["client_id"]), ("code", &*self.client_id));
        assert_eq!((&*asked["code_challenge_method"], &*asked["scope"]), ("S256", "openid email profile"));
        let code = code(&self.issuer, self.codes.borrow().len());
        let redirect_uri = asked["redirect_uri"].clone();
        let answer =
            callback(&redirect_uri, &[("code", &code), ("state", &asked["state"]), ("iss", &self.issuer)]);
        let (challenge, nonce) = (asked["code_challenge"].clone(), asked["nonce"].clone());
        assert_eq!(nonce.len(), 43);
        self.codes.borrow_mut().insert(code, Asked { redirect_uri, challenge, nonce, claims });
        answer
    }

    fn token(&self, request: &Incoming) -> Reply {
        if let Some(reply) = self.token_reply.borrow().clone() {
            return reply;
        }
        let refused = |error: &str| Reply::json(400, &json!({ "error": error }));
        let basic = format!("Basic {}", BASE64.encode(format!("{}:{SECRET}", self.client_id).as_bytes()));
        let form: BTreeMap<String, String> =
            url::form_urlencoded::parse(&request.body).into_owned().collect();
        let by_body = form.get("client_secret").map(String::as_str) == Some(SECRET);
        let by_header = request.header("authorization") == Some(&basic);
        // RFC 6749 section 2.3: one method in each request.
        let methods = &self.metadata.borrow()["token_endpoint_auth_methods_supported"];
        let wants_body = methods.as_array().is_some_and(|all| !all.contains(&json!("client_secret_basic")));
        if by_header == by_body || by_body != wants_body {
            return refused("invalid_client");
        }
        assert_eq!((request.method, &*form["grant_type"]), (Method::Post, "authorization_code"));
        let Some(asked) = self.codes.borrow_mut().remove(&form["code"]) else {
            return refused("invalid_grant");
        };
        let proven = sha256_text(form["code_verifier"].as_bytes()) == asked.challenge;
        if !proven || form["redirect_uri"] != asked.redirect_uri {
            return refused("invalid_grant");
        }
        let token = self.id_token(&asked);
        let status = *self.token_status.borrow();
        Reply::json(status, &json!({ "access_token": "at", "token_type": "Bearer", "id_token": token }))
    }

    fn id_token(&self, asked: &Asked) -> String {
        let now = self.clock.now().as_seconds();
        let mut claims = json!({ "iss": self.issuer, "aud": self.client_id, "iat": now, "exp": now + 300, "nonce": asked.nonce });
        let own =
            asked.claims.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.clone()));
        let altered = self.altered.borrow();
        for (name, value) in own.chain(altered.iter().map(|(name, value)| (*name, value.clone()))) {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value;
            }
        }
        self.signed(&claims)
    }

    fn signed(&self, claims: &Json) -> String {
        let header = self.header.borrow();
        let text = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        match *self.signer.borrow() {
            Signer::Rs256 => signed_rs256(&header, claims),
            Signer::Es256(seed) => signed_es256(seed, &header, claims),
            Signer::None => format!("{text}."),
            Signer::PublicKeyAsSecret => {
                let public = RSA.to_public_key().to_public_key_der().unwrap();
                let mut mac = Hmac::<sha2::Sha256>::new_from_slice(public.as_bytes()).unwrap();
                mac.update(text.as_bytes());
                format!("{text}.{}", encode(mac.finalize().into_bytes()))
            }
        }
    }
}

impl Peer for Idp {
    fn answer(&self, request: &Incoming) -> Result<Reply, HttpFault> {
        let path = request.url.strip_prefix(&self.issuer).unwrap_or_default();
        Ok(match path {
            "/.well-known/openid-configuration" => Reply::json(200, &self.metadata.borrow()),
            "/jwks" => Reply::json(200, &self.keys.borrow()),
            "/token" => self.token(request),
            _ => return Err(HttpFault::NotSent("no such host".to_owned())),
        })
    }
}

/// The code that a provider gives while so many others wait to be redeemed.
fn code(issuer: &str, waiting: usize) -> String {
    format!("code-{waiting}-{}", issuer.len())
}

/// The query of an address.
fn parameters(address: &str) -> BTreeMap<String, String> {
    url::Url::parse(address).unwrap().query_pairs().into_owned().collect()
}

/// The path and query of an address of this origin, with these parameters.
fn callback(redirect_uri: &str, parameters: &[(&str, &str)]) -> String {
    let address = url::Url::parse_with_params(redirect_uri, parameters).unwrap();
    address.as_str().strip_prefix(ORIGIN).unwrap().to_owned()
}

/// The same with one parameter replaced, or taken away.
fn with(address: &str, name: &str, value: Option<&str>) -> String {
    let kept = parameters(&format!("{ORIGIN}{address}"));
    let mut kept: Vec<(&str, &str)> = kept.iter().map(|(name, value)| (&**name, &**value)).collect();
    kept.retain(|(other, _)| *other != name);
    kept.extend(value.map(|value| (name, value)));
    callback(&format!("{ORIGIN}{}", address.split('?').next().unwrap()), &kept)
}

/// Several providers, and DNS.
#[derive(Default)]
struct Web {
    idps: RefCell<Vec<Rc<Idp>>>,
    records: RefCell<BTreeMap<String, Vec<String>>>,
    dns_is_down: RefCell<bool>,
}

impl Web {
    /// The simulation's web from now on, with one provider in it.
    fn with_provider(sim: &Sim) -> (Rc<Self>, Rc<Idp>) {
        let idp = Idp::new(sim, ISSUER);
        let web = Rc::new(Self::default());
        web.idps.borrow_mut().push(Rc::clone(&idp));
        sim.web.set_peer(Rc::clone(&web) as Rc<dyn Peer>);
        (web, idp)
    }
}

impl Peer for Web {
    fn answer(&self, request: &Incoming) -> Result<Reply, HttpFault> {
        if request.url.starts_with(RESOLVER) {
            let asked = parameters(&request.url);
            assert_eq!(asked["type"], "TXT");
            if *self.dns_is_down.borrow() {
                return Ok(Reply::json(200, &json!({ "Status": 2 })));
            }
            let records = self.records.borrow();
            let Some(texts) = records.get(&asked["name"]) else {
                return Ok(Reply::json(200, &json!({ "Status": 3 })));
            };
            let answer = texts.iter().map(|text| json!({ "type": 16, "data": format!("\"{text}\"") }));
            return Ok(Reply::json(200, &json!({ "Status": 0, "Answer": answer.collect::<Vec<_>>() })));
        }
        let idps = self.idps.borrow();
        let idp = idps.iter().find(|idp| request.url.starts_with(&idp.issuer));
        idp.ok_or_else(|| HttpFault::NotSent("no such host".to_owned()))?.answer(request)
    }
}

/// A tenant with a provider, and another tenant.
struct World {
    sim: Sim,
    acme: Company,
    globex: Company,
    web: Rc<Web>,
    idp: Rc<Idp>,
    /// The path of the provider's sign-in.
    start: String,
}

fn alice() -> Json {
    json!({ "sub": "alice-1", "email": "alice@acme.example", "email_verified": true, "name": "Alice" })
}

fn get(sim: &Sim, browser: &Browser, address: &str) -> Response {
    let response = run(serve(&sim.platform(), browser.get(address)));
    browser.take(&response);
    response
}

/// Follows a link of this origin's own page.
fn click(sim: &Sim, browser: &Browser, address: &str) -> Response {
    let request = with_header(browser.get(address), "sec-fetch-site", Some("same-origin"));
    let response = run(serve(&sim.platform(), request));
    browser.take(&response);
    response
}

fn send(sim: &Sim, browser: &Browser, address: &str, fields: &[(&str, &str)]) -> Response {
    let csrf = session(sim, browser).map(|session| session.csrf(&sim.config)).unwrap_or_default();
    let fields: Vec<(&str, &str)> =
        [("csrf", csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
    run(serve(&sim.platform(), browser.post(address, &fields)))
}

fn location(response: &Response) -> String {
    assert_eq!(response.status, 303, "{}", text(response));
    response.header("location").unwrap().to_owned()
}

fn between(text: &str, before: &str, after: &str) -> String {
    text.split(before)
        .nth(1)
        .unwrap_or_else(|| panic!("no {before} in {text}"))
        .split(after)
        .next()
        .unwrap()
        .to_owned()
}

/// Adds a provider of this issuer on the page; gives the path of its sign-in.
fn add(sim: &Sim, browser: &Browser, safename: &str, issuer: &str) -> Result<String, Response> {
    let page = format!("/{safename}/providers");
    let id = between(&text(&get(sim, browser, &page)), "name=\"id\" value=\"", "\"");
    let fields: [(&str, &str); 6] = [
        ("act", "add"),
        ("id", &id),
        ("name", "Acme Login"),
        ("issuer", issuer),
        ("client_id", "postern"),
        ("client_secret", SECRET),
    ];
    let answer = send(sim, browser, &page, &fields);
    if answer.status == 303 { Ok(format!("/{safename}/sign-in/{id}")) } else { Err(answer) }
}

impl World {
    fn new() -> Self {
        Self::in_sim(Sim::new(1))
    }

    fn in_sim(sim: Sim) -> Self {
        let acme = Company::found(&sim, "acme");
        let globex = Company::found(&sim, "globex");
        let (web, idp) = Web::with_provider(&sim);
        let start = add(&sim, &signed_in_as(&sim, &acme.owner), "acme", ISSUER).unwrap();
        Self { sim, acme, globex, web, idp, start }
    }

    /// A world in which Alice, an editor, has linked herself.
    fn linked() -> (Self, UserId) {
        let world = Self::new();
        let alice = world.acme.add_member(&world.sim, "alice", Role::Editor);
        assert_eq!(location(&world.link(&alice, self::alice())), "/account/providers?done=linked");
        (world, alice)
    }

    /// A member links who they are at the provider.
    fn link(&self, person: &UserId, claims: Json) -> Response {
        let browser = signed_in_as(&self.sim, person);
        let there = location(&click(&self.sim, &browser, &format!("{}?link=1", self.start)));
        get(&self.sim, &browser, &self.idp.approve(&there, claims))
    }

    /// Sets out to the provider; gives its address.
    fn depart(&self, browser: &Browser) -> String {
        location(&click(&self.sim, browser, &self.start))
    }

    fn sign_in_with(&self, browser: &Browser, claims: Json) -> Response {
        let there = self.depart(browser);
        get(&self.sim, browser, &self.idp.approve(&there, claims))
    }

    /// Signs Alice in, in a browser of her own.
    fn sign_in(&self) -> (Browser, Response) {
        let browser = Browser::default();
        let answer = self.sign_in_with(&browser, alice());
        (browser, answer)
    }

    /// That nobody was signed in, with this outcome in the audit.
    fn assert_refused(&self, answer: &Response, outcome: &str) {
        assert!(answer.status >= 400, "{}: {}", answer.status, text(answer));
        assert!(text(answer).contains("<h1>You are not signed in by this</h1>"), "{}", text(answer));
        assert_eq!(self.sessions(), 0, "{outcome}");
        let newest = "SELECT outcome FROM audit WHERE act = 'sign_in_through_provider' ORDER BY at DESC, audit_id DESC LIMIT 1";
        let rows = self.sim.shard().query(newest, []);
        assert_eq!(rows[0].get::<String>("outcome").unwrap(), outcome);
    }

    fn sessions(&self) -> i64 {
        self.sim.directory.number("SELECT count(*) FROM session WHERE method = 'provider'", [])
    }

    fn people(&self) -> i64 {
        self.sim.directory.number("SELECT count(*) FROM person", [])
    }

    fn acts(&self, act: &str) -> i64 {
        run(tick(&self.sim.platform()));
        self.sim.shard().number("SELECT count(*) FROM audit WHERE act = ?1 AND outcome = 'done'", [act])
    }

    /// Lets people of a domain join as `role`, with its record in DNS.
    fn allow(&self, domain: &str, role: &str) {
        let owner = signed_in_as(&self.sim, &self.acme.owner);
        let page = "/acme/providers";
        let named =
            send(&self.sim, &owner, page, &[("act", "name_domain"), ("domain", domain), ("role", role)]);
        assert_eq!(location(&named), "/acme/providers?done=named");
        self.publish(&self.acme, domain);
        let proved = send(&self.sim, &owner, page, &[("act", "prove"), ("domain", domain)]);
        assert_eq!(location(&proved), "/acme/providers?done=proved");
    }

    /// Puts the record of a tenant's domain into DNS.
    fn publish(&self, company: &Company, domain: &str) {
        let rows = self.sim.shard().query(
            "SELECT token FROM mail_domain WHERE tenant_id = ?1 AND domain = ?2",
            [company.tenant.id.as_str(), domain],
        );
        let record = format!("postern-domain={}", rows[0].get::<String>("token").unwrap());
        self.web.records.borrow_mut().entry(format!("_postern.{domain}")).or_default().push(record);
    }
}

/// A world, and the request with which a linked person comes back from a provider.
pub fn coming_back() -> (Sim, Request) {
    let (world, _) = World::linked();
    let browser = Browser::default();
    let back = world.idp.approve(&world.depart(&browser), alice());
    let request = browser.get(&back);
    (world.sim, request)
}

/// Gives the company a provider, to which its owner is linked, and sends this browser there, where the owner says yes; gives
/// the state that it left with.
pub fn set_out(sim: &Sim, company: &Company, browser: &Browser) -> String {
    let (_, idp) = Web::with_provider(sim);
    let owner = signed_in_as(sim, &company.owner);
    let start = add(sim, &owner, company.tenant.safename.as_str(), ISSUER).unwrap();
    let there = location(&click(sim, &owner, &format!("{start}?link=1")));
    let linked = get(sim, &owner, &idp.approve(&there, alice()));
    assert_eq!(location(&linked), "/account/providers?done=linked");
    let there = location(&click(sim, browser, &start));
    idp.approve(&there, alice());
    parameters(&there)["state"].clone()
}

/// The answer when this browser comes back from there with this state.
pub fn come_back(sim: &Sim, company: &Company, browser: &Browser, state: &str) -> Response {
    let providers = "SELECT provider_id FROM provider WHERE tenant_id = ?1";
    let provider: String =
        sim.shard().query(providers, [company.tenant.id.as_str()])[0].get("provider_id").unwrap();
    let redirect_uri = format!("{ORIGIN}/{}/sign-in/{provider}/callback", company.tenant.safename);
    let answer = [("code", &*code(ISSUER, 0)), ("state", state), ("iss", ISSUER)];
    get(sim, browser, &callback(&redirect_uri, &answer))
}

#[test]
fn a_linked_person_signs_in_for_that_tenant_alone() {
    let (world, alice) = World::linked();
    world.sim.directory.execute(
        "INSERT INTO person_tenant (user_id, tenant_id) VALUES (?1, ?2)",
        params![alice.as_str(), world.globex.tenant.id.as_str()],
    );
    world.sim.shard().execute(
        "INSERT INTO membership (tenant_id, user_id, role, name, email, created_at) VALUES (?1, ?2, 'owner', 'Alice', 'alice@acme.example', 1)",
        params![world.globex.tenant.id.as_str(), alice.as_str()],
    );
    let page = text(&get(&world.sim, &Browser::default(), "/acme/sign-in"));
    assert!(page.contains("Sign in with Acme Login") && page.contains(&world.start), "{page}");
    let (browser, answer) = world.sign_in();
    assert_eq!(location(&answer), "/");
    let session = session(&world.sim, &browser).unwrap();
    assert_eq!((&session.user_id, session.method), (&alice, SignInMethod::Provider));
    assert_eq!(session.only.as_ref(), Some(&world.acme.tenant.id));

    assert_eq!(get(&world.sim, &browser, "/acme/members").status, 200);
    for page in ["members", "apps", "tokens", "audit", "providers"] {
        assert_eq!(get(&world.sim, &browser, &format!("/globex/{page}")).status, 404, "{page}");
    }
    let home = text(&get(&world.sim, &browser, "/"));
    assert!(home.contains("/acme/mcp") && !home.contains("globex"), "{home}");
    let otherwise = signed_in_as(&world.sim, &alice);
    assert_eq!(get(&world.sim, &otherwise, "/globex/members").status, 200, "by another way she gets there");
    assert_eq!(world.acts("link_provider"), 1);
    let by_provider =
        "SELECT count(*) FROM audit WHERE act = 'sign_in' AND instr(subjects, 'idp_') > 0 AND tenant_id = ?1";
    assert_eq!(world.sim.shard().number(by_provider, [world.acme.tenant.id.as_str()]), 1);
    assert_eq!(world.sim.shard().number(by_provider, [world.globex.tenant.id.as_str()]), 0);
}

#[test]
fn a_providers_session_changes_nothing_of_the_persons_own() {
    let (world, alice) = World::linked();
    let elsewhere = signed_in_as(&world.sim, &alice);
    let others = session(&world.sim, &elsewhere).unwrap().session_id;
    let (browser, _) = world.sign_in();
    let page = text(&get(&world.sim, &browser, "/account"));
    assert!(
        !page.contains("Add a passkey") && !page.contains("everywhere") && !page.contains(others.as_str()),
        "{page}"
    );
    for (path, fields) in [
        ("/account/passkeys", [("act", "add")]),
        ("/account/passkeys", [("act", "remove")]),
        ("/account/providers", [("provider", "idp_00000000000000000000000000")]),
    ] {
        assert_eq!(send(&world.sim, &browser, path, &fields).status, 403, "{path}");
    }
    assert_eq!(get(&world.sim, &browser, "/account/providers").status, 403);
    assert_eq!(click(&world.sim, &browser, &format!("{}?link=1", world.start)).status, 403);
    for which in ["all", others.as_str()] {
        send(&world.sim, &browser, "/account/sessions", &[("session", which)]);
        assert!(session(&world.sim, &elsewhere).is_some(), "{which}");
    }
    let globex = signed_in_as(&world.sim, &world.globex.owner);
    let invite = [("act", "invite"), ("email", "alice@acme.example"), ("role", "viewer")];
    let shown = text(&send(&world.sim, &globex, "/globex/members", &invite));
    let invitation = between(&shown, &format!("<pre><code>{ORIGIN}"), "<");
    assert_eq!(send(&world.sim, &browser, &invitation, &[]).status, 403, "another tenant's invitation");
}

#[test]
fn apps_are_connected_to_the_providers_tenant_alone() {
    let (world, _) = World::linked();
    let (browser, _) = world.sign_in();
    let client = json!({ "redirect_uris": ["https://client.example/cb"], "client_name": "App" });
    let mut registration = browser.post("/register", &[]);
    registration.headers.retain(|(name, _)| name != "content-type");
    registration.headers.push(("content-type".to_owned(), "application/json".to_owned()));
    registration.body = client.to_string().into_bytes();
    let registered: Json =
        serde_json::from_slice(&run(serve(&world.sim.platform(), registration)).body).unwrap();
    let challenge = "A".repeat(43);
    let authorize = |safename: &str| {
        let resource = format!("{ORIGIN}/{safename}/mcp");
        let wish: [(&str, &str); 6] = [
            ("response_type", "code"),
            ("client_id", registered["client_id"].as_str().unwrap()),
            ("redirect_uri", "https://client.example/cb"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("resource", &resource),
        ];
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(wish).finish();
        format!("/authorize?{query}")
    };
    assert_eq!(get(&world.sim, &browser, &authorize("globex")).status, 403);
    assert!(location(&get(&world.sim, &browser, &authorize("acme"))).starts_with("/consent/"));
    let signed_out = Browser::default();
    let sign_in = location(&get(&world.sim, &signed_out, &authorize("acme")));
    let page = text(&get(&world.sim, &signed_out, &sign_in));
    assert!(page.contains("href=\"/acme/sign-in\""), "the way in for whoever connects an app: {page}");
}

#[test]
fn the_sign_in_page_of_a_tenant_without_a_provider_is_that_of_none() {
    let world = World::new();
    let page = |name: &str| {
        let answer = get(&world.sim, &Browser::default(), &format!("/{name}/sign-in"));
        (answer.status, text(&answer).replace(name, "NAME"))
    };
    assert_eq!(page("globex"), page("nowhere"));
    let start = world.start.rsplit('/').next().unwrap();
    for path in [
        format!("/globex/sign-in/{start}"),
        format!("/nowhere/sign-in/{start}"),
        "/acme/sign-in/idp_x".to_owned(),
    ] {
        assert_eq!(click(&world.sim, &Browser::default(), &path).status, 404, "{path}");
    }
}

#[test]
fn somebody_whom_nobody_linked_is_refused_with_words() {
    let world = World::new();
    world.acme.add_member(&world.sim, "alice", Role::Editor);
    let people = world.people();
    let (_, answer) = world.sign_in();
    world.assert_refused(&answer, "not_linked");
    assert!(text(&answer).contains("Nobody here is linked to this sign-in."));
    assert_eq!(world.people(), people, "the address made nobody");
}

#[test]
fn the_address_of_another_tenants_owner_gains_nothing() {
    let (world, _) = World::linked();
    world.allow("acme.example", "editor");
    let mallory = json!({ "sub": "mallory", "email": "owner@globex.example", "email_verified": true });
    let answer = world.sign_in_with(&Browser::default(), mallory.clone());
    world.assert_refused(&answer, "not_linked");
    // Not even where the tenant has the domain.
    world.allow("globex.example", "editor");
    let people = world.people();
    for email in ["owner@globex.example", "OWNER@GLOBEX.EXAMPLE", "owner@acme.example"] {
        let mut claims = mallory.clone();
        claims["email"] = json!(email);
        let answer = world.sign_in_with(&Browser::default(), claims);
        world.assert_refused(&answer, "not_linked");
    }
    assert_eq!(world.people(), people);
    assert_eq!(world.sim.directory.number("SELECT count(*) FROM upstream_identity", []), 1);
}

#[test]
fn oidc_core_3_1_3_7_id_tokens_that_are_not_for_this_sign_in_are_refused() {
    let (world, _) = World::linked();
    let now = world.sim.clock.now().as_seconds();
    let bad: Vec<(&'static str, Json)> = vec![
        ("nonce", json!("another")),
        ("nonce", Json::Null),
        ("nonce", json!("")),
        ("iss", json!("https://login.evil.example")),
        ("iss", json!(format!("{ISSUER}/"))),
        ("iss", Json::Null),
        ("aud", json!("another-client")),
        ("aud", json!(["postern", "another-client"])),
        ("aud", json!([])),
        ("aud", Json::Null),
        ("azp", json!("another-client")),
        ("exp", json!(now - 60)),
        ("exp", Json::Null),
        ("iat", json!(now + 61)),
        ("iat", json!(now - 661)),
        ("iat", Json::Null),
        ("nbf", json!(now + 61)),
        ("sub", json!("")),
        ("sub", json!("a".repeat(256))),
        ("sub", json!("alice-1\n")),
        ("sub", Json::Null),
        ("sub", json!(1)),
    ];
    for (name, value) in bad {
        world.idp.say(name, value.clone());
        let (_, answer) = world.sign_in();
        assert_eq!(answer.status, 403, "{name} {value}");
        world.assert_refused(&answer, "id_token_refused");
        world.idp.altered.borrow_mut().clear();
    }
    let for_another_reason = "SELECT count(*) FROM audit WHERE outcome NOT IN ('done', 'id_token_refused')";
    assert_eq!(world.sim.shard().number(for_another_reason, []), 0);
    for good in [
        ("aud", json!(["postern"])),
        ("azp", json!("postern")),
        ("exp", json!(now - 59)),
        ("iat", json!(now + 60)),
        ("iat", json!(now - 660)),
        ("nbf", json!(now + 60)),
    ] {
        world.idp.say(good.0, good.1);
        assert_eq!(location(&world.sign_in().1), "/");
        world.idp.altered.borrow_mut().clear();
    }
}

#[test]
fn oidc_core_2_a_subject_has_up_to_255_characters_and_may_have_spaces() {
    for subject in ["a".repeat(255), "ali ce".to_owned()] {
        let world = World::new();
        let member = world.acme.add_member(&world.sim, "alice", Role::Editor);
        let claims = json!({ "sub": subject });
        assert_eq!(location(&world.link(&member, claims.clone())), "/account/providers?done=linked");
        assert_eq!(location(&world.sign_in_with(&Browser::default(), claims)), "/");
    }
}

#[test]
fn oidc_core_3_1_2_5_an_answer_with_an_empty_code_asks_for_no_token() {
    let (world, _) = World::linked();
    let browser = Browser::default();
    let back = with(&world.idp.approve(&world.depart(&browser), alice()), "code", Some(""));
    let before = world.sim.web.requests().iter().filter(|request| request.url.ends_with("/token")).count();
    world.assert_refused(&get(&world.sim, &browser, &back), "provider_error");
    let after = world.sim.web.requests().iter().filter(|request| request.url.ends_with("/token")).count();
    assert_eq!(before, after);
}

#[test]
fn a_link_that_goes_while_its_person_signs_in_signs_nobody_in() {
    let (world, _) = World::linked();
    world.sim.directory.execute(
        "CREATE TRIGGER gone AFTER UPDATE ON upstream_identity BEGIN DELETE FROM upstream_identity; END",
        [],
    );
    let (browser, answer) = world.sign_in();
    world.assert_refused(&answer, "not_linked");
    assert!(session(&world.sim, &browser).is_none());
}

#[test]
fn a_refusal_stands_though_the_shard_does_not_take_its_line() {
    let (world, _) = World::linked();
    let browser = Browser::default();
    let back = with(&world.idp.approve(&world.depart(&browser), alice()), "error", Some("access_denied"));
    world.sim.faults.on_statement("audit_refusal", Fault::LostRequest);
    assert_eq!(get(&world.sim, &browser, &back).status, 403);
    let fault = json!({ "event": "fault", "place": "audit_refusal", "kind": "database" });
    assert!(world.sim.events.all().contains(&fault));
}

#[test]
fn a_provider_s_form_that_is_not_right_adds_nothing_and_says_why() {
    let world = World::new();
    let owner = signed_in_as(&world.sim, &world.acme.owner);
    let long = |length: usize| {
        let start = "https://login.long.example/";
        format!("{start}{}", "a".repeat(length - start.len()))
    };
    let issuers = ["https://login.q.example/?x=1", "https://login.f.example/#x", &long(501), &long(500)];
    for issuer in issuers {
        world.web.idps.borrow_mut().push(Idp::new(&world.sim, issuer));
    }
    let mut number = 0;
    let mut sent = |name: &str, value: &str| {
        number += 1;
        let id = format!("idp_{number:026}");
        let fields: Vec<(&str, &str)> = [
            ("act", "add"),
            ("id", &*id),
            ("name", "Another"),
            ("issuer", ISSUER),
            ("client_id", "postern"),
            ("client_secret", SECRET),
        ]
        .map(|(other, kept)| (other, if other == name { value } else { kept }))
        .into();
        send(&world.sim, &owner, "/acme/providers", &fields)
    };
    for (name, value, words) in [
        ("client_id", "", "Give the client id"),
        ("client_id", &*"x".repeat(256), "Give the client id"),
        ("client_id", "a\u{7}b", "Give the client id"),
        ("client_secret", "", "Give the client secret"),
        ("client_secret", &"x".repeat(501), "Give the client secret"),
        ("client_secret", "a b", "Give the client secret"),
        ("client_secret", "\u{e9}", "Give the client secret"),
        ("issuer", issuers[0], "role=\"alert\""),
        ("issuer", issuers[1], "role=\"alert\""),
        ("issuer", issuers[2], "role=\"alert\""),
    ] {
        let answer = sent(name, value);
        assert_eq!(answer.status, 422, "{name} {value}");
        assert!(text(&answer).contains(words), "{name} {value}: {}", text(&answer));
    }
    let longest = [
        ("client_id", "x".repeat(255)),
        ("client_secret", "x".repeat(500)),
        ("issuer", issuers[3].to_owned()),
    ];
    for (name, value) in longest {
        assert_eq!(location(&sent(name, &value)), "/acme/providers?done=added", "{name}");
    }
}

#[test]
fn oidc_core_3_1_3_7_id_tokens_that_the_provider_did_not_sign_are_refused() {
    let (world, _) = World::linked();
    let bad = [
        (Signer::None, json!({ "alg": "none" })),
        (Signer::None, json!({ "alg": "none", "kid": "k1" })),
        (Signer::None, json!({ "alg": "RS256", "kid": "k1" })),
        (Signer::PublicKeyAsSecret, json!({ "alg": "HS256", "kid": "k1" })),
        (Signer::PublicKeyAsSecret, json!({ "alg": "RS256", "kid": "k1" })),
        (Signer::Es256(2), json!({ "alg": "ES256", "kid": "e1" })),
        (Signer::Es256(1), json!({ "alg": "ES256", "kid": "k1" })),
        (Signer::Rs256, json!({ "alg": "RS256", "kid": "unknown" })),
        (Signer::Rs256, json!({ "alg": "RS256", "kid": "k1", "crit": ["x"], "x": 1 })),
        (Signer::Rs256, json!({ "alg": "RS256", "kid": "k1", "typ": "at+jwt" })),
        (Signer::Rs256, json!({ "alg": "RS256", "kid": "k1", "typ": "logout+jwt" })),
    ];
    for (signer, header) in bad {
        world.sim.clock.advance_seconds(61);
        world.idp.sign(signer, header.clone());
        let (_, answer) = world.sign_in();
        assert_eq!(answer.status, 403, "{signer:?} {header}");
        world.assert_refused(&answer, "id_token_refused");
    }
    world.idp.sign(Signer::Es256(1), json!({ "alg": "ES256", "kid": "e1" }));
    assert_eq!(location(&world.sign_in().1), "/");
}

#[test]
fn oidc_core_10_1_1_a_key_that_is_new_is_looked_for_once_a_minute_at_most() {
    let (world, _) = World::linked();
    let asked = || world.sim.web.requests().iter().filter(|request| request.url.ends_with("/jwks")).count();
    world.idp.sign(Signer::Es256(7), json!({ "alg": "ES256", "kid": "new" }));
    world.sim.clock.advance_seconds(61);
    let before = asked();
    for _ in 0..5 {
        world.sign_in();
    }
    assert!(asked() <= before + 1, "{} times", asked() - before);
    *world.idp.keys.borrow_mut() = json!({ "keys": [ec_jwk("new", 7)] });
    world.sim.clock.advance_seconds(61);
    assert_eq!(location(&world.sign_in().1), "/");
}

#[test]
fn rfc9700_4_7_a_state_works_once_in_its_browser_for_ten_minutes_at_its_provider() {
    let (world, _) = World::linked();
    let browser = Browser::default();
    let back = world.idp.approve(&world.depart(&browser), alice());
    let stranger = Browser::default();
    world.depart(&stranger);
    for thief in [&stranger, &Browser::default()] {
        let answer = get(&world.sim, thief, &back);
        world.assert_refused(&answer, "state_not_valid");
    }
    for state in [None, Some(""), Some("AAAA"), Some(&*"A".repeat(43))] {
        let answer = get(&world.sim, &browser, &with(&back, "state", state));
        world.assert_refused(&answer, "state_not_valid");
    }
    let doubled = format!("{back}&code=another");
    world.assert_refused(&get(&world.sim, &browser, &doubled), "state_not_valid");
    assert_eq!(location(&get(&world.sim, &browser, &back)), "/", "none of that has used it up");
    let requests = world.sim.web.requests().len();
    let again = get(&world.sim, &browser, &back);
    assert_eq!(again.status, 400);
    assert_eq!((world.sessions(), world.sim.web.requests().len()), (1, requests), "a replay asks nobody");

    let late = Browser::default();
    let back = world.idp.approve(&world.depart(&late), alice());
    world.sim.clock.advance_seconds(600);
    assert_eq!(get(&world.sim, &late, &back).status, 400);
}

#[test]
fn of_parallel_returns_with_one_state_one_signs_in() {
    for seed in 0..20 {
        let (world, _) = World::linked();
        let browser = Browser::default();
        let back = world.idp.approve(&world.depart(&browser), alice());
        let platform = world.sim.platform();
        let running: Vec<Later<'_, Response>> =
            (0..3).map(|_| Box::pin(serve(&platform, browser.get(&back))) as Later<'_, Response>).collect();
        let answers = interleave(&Random::new(seed), running);
        assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1, "seed {seed}");
        assert_eq!(world.sessions(), 1, "seed {seed}");
    }
}

#[test]
fn rfc9700_4_4_and_rfc9207_2_4_the_code_of_another_provider_is_refused() {
    let (world, _) = World::linked();
    let evil = Idp::new(&world.sim, "https://login.evil.example");
    world.web.idps.borrow_mut().push(Rc::clone(&evil));
    let owner = signed_in_as(&world.sim, &world.acme.owner);
    let other = add(&world.sim, &owner, "acme", &evil.issuer).unwrap();
    let browser = Browser::default();
    let honest = world.idp.approve(&world.depart(&browser), alice());
    let crossed = honest.replacen(&world.start, &other, 1);
    assert_ne!(crossed, honest);
    world.assert_refused(&get(&world.sim, &browser, &crossed), "state_not_valid");
    let asked = world.sim.web.requests();
    assert!(
        !asked.iter().any(|request| request.url.ends_with("evil.example/token")),
        "no code went to the other"
    );

    world.sim.clock.advance_seconds(61);
    for issuer in [Some("https://login.evil.example"), Some(""), None] {
        let browser = Browser::default();
        let back = world.idp.approve(&world.depart(&browser), alice());
        let answer = get(&world.sim, &browser, &with(&back, "iss", issuer));
        world.assert_refused(&answer, "other_issuer");
        world.sim.clock.advance_seconds(61);
    }
    // One that does not say that it names itself may do so, but not as somebody else.
    world.idp.describe("authorization_response_iss_parameter_supported", json!(false));
    world.sim.clock.advance_seconds(86_400);
    let wrong = Browser::default();
    let back = world.idp.approve(&world.depart(&wrong), alice());
    assert_eq!(get(&world.sim, &wrong, &with(&back, "iss", Some("https://login.evil.example"))).status, 400);
    let silent = Browser::default();
    let back = world.idp.approve(&world.depart(&silent), alice());
    assert_eq!(location(&get(&world.sim, &silent, &with(&back, "iss", None))), "/");
}

#[test]
fn another_tenants_provider_of_the_same_issuer_signs_nobody_in_here() {
    let (world, _) = World::linked();
    let theirs = add(&world.sim, &signed_in_as(&world.sim, &world.globex.owner), "globex", ISSUER).unwrap();
    let browser = Browser::default();
    let there = location(&click(&world.sim, &browser, &theirs));
    let back = world.idp.approve(&there, alice());
    assert_eq!(get(&world.sim, &browser, &back).status, 403, "she is linked at acme alone");
    let browser = Browser::default();
    let there = location(&click(&world.sim, &browser, &theirs));
    let back = world.idp.approve(&there, alice()).replacen(&theirs, &world.start, 1);
    assert_eq!(get(&world.sim, &browser, &back).status, 400);
    assert_eq!(world.sessions(), 0);
}

#[test]
fn what_a_provider_answers_wrongly_is_told_in_words() {
    let (world, _) = World::linked();
    for (error, outcome, words) in [
        ("access_denied", "declined", "said no"),
        ("server_error", "provider_error", "answered with an error"),
        ("<script>", "provider_error", "answered with an error"),
    ] {
        let browser = Browser::default();
        let back = with(&world.idp.approve(&world.depart(&browser), alice()), "code", None);
        let answer = get(&world.sim, &browser, &with(&back, "error", Some(error)));
        world.assert_refused(&answer, outcome);
        assert!(text(&answer).contains(words) && !text(&answer).contains("<script>"));
        world.sim.clock.advance_seconds(61);
    }
    let browser = Browser::default();
    let back = with(&world.idp.approve(&world.depart(&browser), alice()), "code", None);
    world.assert_refused(&get(&world.sim, &browser, &back), "provider_error");
    for reply in [
        Reply::json(200, &json!({ "access_token": "at" })),
        Reply::json(200, &json!({ "id_token": 7 })),
        Reply::of(200, "text/html", b"<html>".to_vec()),
        Reply::json(401, &json!({ "error": "invalid_client" })),
        Reply::json(500, &json!({})),
        Reply::redirect(307, "https://login.evil.example/token"),
        Reply::redirect(302, "http://169.254.169.254/latest/meta-data"),
    ] {
        world.sim.clock.advance_seconds(61);
        *world.idp.token_reply.borrow_mut() = Some(reply);
        let (_, answer) = world.sign_in();
        world.assert_refused(&answer, "code_refused");
    }
    let asked = world.sim.web.requests();
    assert!(asked.iter().all(|request| request.url.starts_with(ISSUER)), "no redirect was followed");
    *world.idp.token_reply.borrow_mut() = None;
    for status in [201, 400, 500] {
        world.sim.clock.advance_seconds(61);
        *world.idp.token_status.borrow_mut() = status;
        let (_, answer) = world.sign_in();
        world.assert_refused(&answer, "code_refused");
    }
}

#[test]
fn providers_that_describe_themselves_badly_are_not_added() {
    let world = World::new();
    let owner = || signed_in_as(&world.sim, &world.acme.owner);
    let tries = |name: &str, value: Json| {
        let issuer = format!("https://login-{}.example", world.web.idps.borrow().len());
        let idp = Idp::new(&world.sim, &issuer);
        idp.describe(name, value);
        world.web.idps.borrow_mut().push(idp);
        add(&world.sim, &owner(), "acme", &issuer)
    };
    for (name, value) in [
        ("issuer", json!("https://login.other.example")),
        ("issuer", json!("")),
        ("issuer", Json::Null),
        ("jwks_uri", json!("https://169.254.169.254/jwks")),
        ("jwks_uri", json!("https://10.0.0.1/jwks")),
        ("jwks_uri", json!("https://keys.internal/jwks")),
        ("jwks_uri", json!("file:///etc/passwd")),
        ("jwks_uri", Json::Null),
        ("token_endpoint", json!("http://login.example/token")),
        ("token_endpoint", json!("http://localhost:8790/token")),
        ("token_endpoint", json!("https://[::ffff:10.0.0.1]/token")),
        ("authorization_endpoint", json!("javascript:alert(1)")),
        ("code_challenge_methods_supported", json!(["plain"])),
        ("token_endpoint_auth_methods_supported", json!(["private_key_jwt"])),
    ] {
        let answer = tries(name, value.clone()).expect_err(&format!("{name} {value}"));
        assert_eq!(answer.status, 422, "{name} {value}");
        assert!(text(&answer).contains("role=\"alert\"") && !text(&answer).contains(SECRET));
    }
    for issuer in [
        "",
        "login.example",
        "http://login.example",
        "https://localhost",
        "https://10.1.2.3",
        "https://user@login.example",
        "https://login.example?x=1",
        "https://login.example#x",
        "javascript:alert(1)",
        "https://nobody-answers.example",
    ] {
        assert_eq!(add(&world.sim, &owner(), "acme", issuer).expect_err(issuer).status, 422, "{issuer}");
    }
    assert_eq!(world.sim.shard().number("SELECT count(*) FROM provider", []), 1);
    assert!(tries("token_endpoint_auth_methods_supported", json!(["client_secret_post"])).is_ok());
}

#[test]
fn a_description_is_not_fetched_through_redirects() {
    let world = World::new();
    let moved = |request: &Incoming| match request.url.as_str() {
        "https://moved.example/.well-known/openid-configuration" => {
            Ok(Reply::redirect(302, &format!("{ISSUER}/.well-known/openid-configuration")))
        }
        _ => Err(HttpFault::NotSent("no such host".to_owned())),
    };
    world.sim.web.set_peer(Rc::new(moved));
    let owner = signed_in_as(&world.sim, &world.acme.owner);
    assert_eq!(add(&world.sim, &owner, "acme", "https://moved.example").expect_err("a redirect").status, 422);
}

#[test]
fn a_secret_presented_in_the_body_works_and_is_sealed_for_its_place() {
    let (world, _) = World::linked();
    world.idp.describe("token_endpoint_auth_methods_supported", json!(["client_secret_post"]));
    world.sim.clock.advance_seconds(86_400);
    assert_eq!(location(&world.sign_in().1), "/");
    let stored = world.sim.shard().query("SELECT sealed FROM provider", []);
    let sealed: String = stored[0].get("sealed").unwrap();
    assert!(!sealed.contains(SECRET) && !sealed.contains(&BASE64URL_NOPAD.encode(SECRET.as_bytes())));
    // Moved to another issuer's row, it opens for nobody.
    world.sim.shard().execute("UPDATE provider SET issuer = 'https://login.evil.example'", []);
    let evil = Idp::new(&world.sim, "https://login.evil.example");
    world.web.idps.borrow_mut().push(Rc::clone(&evil));
    let browser = Browser::default();
    let back = evil.approve(&world.depart(&browser), alice());
    assert_eq!(get(&world.sim, &browser, &back).status, 503);
    assert!(
        !world.sim.web.requests().iter().any(|request| request.url == "https://login.evil.example/token")
    );
}

#[test]
fn a_provider_is_managed_by_managers_after_a_recent_sign_in() {
    let world = World::new();
    let id = world.start.rsplit('/').next().unwrap();
    let acts: [&[(&str, &str)]; 4] = [
        &[("act", "secret"), ("provider", id), ("client_secret", "new")],
        &[("act", "remove"), ("provider", id)],
        &[("act", "name_domain"), ("domain", "acme.example"), ("role", "viewer")],
        &[
            ("act", "add"),
            ("id", "idp_00000000000000000000000000"),
            ("name", "x"),
            ("issuer", ISSUER),
            ("client_id", "x"),
            ("client_secret", "x"),
        ],
    ];
    for role in [Role::Editor, Role::Viewer] {
        let member = world.acme.add_member(&world.sim, role.as_str(), role);
        let browser = signed_in_as(&world.sim, &member);
        let page = text(&get(&world.sim, &browser, "/acme/providers"));
        assert!(page.contains("Acme Login") && !page.contains("client_secret"));
        for fields in acts {
            assert_eq!(
                send(&world.sim, &browser, "/acme/providers", fields).status,
                403,
                "{role:?} {fields:?}"
            );
        }
    }
    let outsider = signed_in_as(&world.sim, &world.globex.owner);
    for fields in acts {
        assert_eq!(send(&world.sim, &outsider, "/acme/providers", fields).status, 404);
    }
    let owner = signed_in_as(&world.sim, &world.acme.owner);
    assert_eq!(
        run(serve(&world.sim.platform(), owner.post("/acme/providers", acts[0]))).status,
        403,
        "no token"
    );
    world.sim.clock.advance_seconds(301);
    let prove: &[(&str, &str)] = &[("act", "prove"), ("domain", "acme.example")];
    for fields in [acts[0], acts[2], acts[3], prove] {
        let answer = send(&world.sim, &owner, "/acme/providers", fields);
        assert!(location(&answer).starts_with("/sign-in?again=1"), "{fields:?}");
    }
    assert_eq!(world.sim.shard().number("SELECT count(*) FROM mail_domain", []), 0);
    let owner = signed_in_as(&world.sim, &world.acme.owner);
    assert_eq!(
        location(&send(&world.sim, &owner, "/acme/providers", acts[0])),
        "/acme/providers?done=replaced"
    );
    let (_, answer) = world.sign_in();
    world.assert_refused(&answer, "code_refused");
    for number in 0..4 {
        let idp = Idp::new(&world.sim, &format!("https://more-{number}.example"));
        world.web.idps.borrow_mut().push(Rc::clone(&idp));
        add(&world.sim, &owner, "acme", &idp.issuer).unwrap();
    }
    let answer = add(&world.sim, &owner, "acme", ISSUER).expect_err("a sixth");
    assert!(text(&answer).contains("at most 5 providers"), "{}", text(&answer));
    assert_eq!((world.acts("add_provider"), world.acts("replace_provider_secret")), (5, 1));
}

#[test]
fn a_removed_provider_signs_nobody_in_and_its_sessions_end() {
    let (world, _) = World::linked();
    let (browser, _) = world.sign_in();
    assert!(session(&world.sim, &browser).is_some());
    let meanwhile = Browser::default();
    let back = world.idp.approve(&world.depart(&meanwhile), alice());
    let owner = signed_in_as(&world.sim, &world.acme.owner);
    let id = world.start.rsplit('/').next().unwrap();
    // The directory does not answer at first: the tick finishes what was begun.
    world.sim.faults.on_statement("end_identities_of_provider", Fault::NotSent);
    assert_eq!(
        send(&world.sim, &owner, "/acme/providers", &[("act", "remove"), ("provider", id)]).status,
        503
    );
    assert_eq!(click(&world.sim, &Browser::default(), &world.start).status, 404);
    assert_eq!(get(&world.sim, &meanwhile, &back).status, 404);
    assert_eq!(world.acts("remove_provider"), 1);
    assert!(session(&world.sim, &browser).is_none());
    for table in ["upstream_identity", "session WHERE method = 'provider'"] {
        assert_eq!(world.sim.directory.number(&format!("SELECT count(*) FROM {table}"), []), 0, "{table}");
    }
    assert_eq!(world.sim.shard().number("SELECT count(*) FROM provider", []), 0);
}

#[test]
fn linking_needs_a_member_who_has_just_signed_in_by_another_method() {
    let world = World::new();
    let link = format!("{}?link=1", world.start);
    assert!(location(&click(&world.sim, &Browser::default(), &link)).starts_with("/sign-in"));
    assert_eq!(
        click(&world.sim, &signed_in_as(&world.sim, &world.globex.owner), &link).status,
        404,
        "no member"
    );
    let owner = signed_in_as(&world.sim, &world.acme.owner);
    assert_eq!(
        location(&get(&world.sim, &owner, &link)),
        "/acme/sign-in",
        "a link from elsewhere begins nothing"
    );
    let cross = with_header(owner.get(&link), "sec-fetch-site", Some("cross-site"));
    assert_eq!(location(&run(serve(&world.sim.platform(), cross))), "/acme/sign-in");
    world.sim.clock.advance_seconds(301);
    assert!(location(&click(&world.sim, &owner, &link)).starts_with("/sign-in?again=1"));

    // A state for linking is of its session, and none for signing in.
    let owner = signed_in_as(&world.sim, &world.acme.owner);
    let back = world.idp.approve(&location(&click(&world.sim, &owner, &link)), alice());
    let editor = world.acme.add_member(&world.sim, "editor", Role::Editor);
    assert_eq!(
        press(
            &world.sim,
            &owner,
            run(postern::identity::make_link(&world.sim.platform(), &editor))
                .unwrap()
                .url
                .strip_prefix(ORIGIN)
                .unwrap()
        )
        .status,
        303
    );
    world.assert_refused(&get(&world.sim, &owner, &back), "state_not_valid");
    assert_eq!(world.sim.directory.number("SELECT count(*) FROM upstream_identity", []), 0);
}

#[test]
fn one_upstream_identity_is_one_persons_and_links_go_again() {
    let (world, alice) = World::linked();
    let bob = world.acme.add_member(&world.sim, "bob", Role::Viewer);
    assert_eq!(world.link(&bob, self::alice()).status, 409, "somebody else's");
    assert_eq!(world.link(&alice, json!({ "sub": "alice-2" })).status, 409, "a second of the same provider");
    assert_eq!(
        location(&world.link(&alice, self::alice())),
        "/account/providers?done=linked",
        "again the same"
    );

    let (browser, _) = world.sign_in();
    let own = signed_in_as(&world.sim, &alice);
    let page = text(&get(&world.sim, &own, "/account/providers"));
    assert!(page.contains("Acme Login") && page.contains("alice@acme.example"), "{page}");
    let id = world.start.rsplit('/').next().unwrap();
    let strangers = signed_in_as(&world.sim, &bob);
    send(&world.sim, &strangers, "/account/providers", &[("provider", id)]);
    assert!(session(&world.sim, &browser).is_some(), "nobody unlinks anybody else");
    world.sim.clock.advance_seconds(301);
    assert!(
        location(&send(&world.sim, &own, "/account/providers", &[("provider", id)]))
            .starts_with("/sign-in?again")
    );
    let own = signed_in_as(&world.sim, &alice);
    assert_eq!(
        location(&send(&world.sim, &own, "/account/providers", &[("provider", id)])),
        "/account/providers?done=unlinked"
    );
    assert!(session(&world.sim, &browser).is_none(), "what it began is over");
    assert_eq!(world.acts("unlink_provider"), 1);
    let (_, answer) = world.sign_in();
    world.assert_refused(&answer, "not_linked");
}

#[test]
fn a_removed_member_does_not_get_in_again() {
    let (world, alice) = World::linked();
    world.allow("acme.example", "editor");
    let owner = signed_in_as(&world.sim, &world.acme.owner);
    assert_eq!(
        super::members::send(&world.sim, &owner, &[("act", "remove"), ("member", alice.as_str())]).status,
        303
    );
    let (_, answer) = world.sign_in();
    world.assert_refused(&answer, "not_a_member");
}

#[test]
fn people_of_a_proved_domain_join_as_new_people() {
    let world = World::new();
    world.allow("acme.example", "viewer");
    let (browser, answer) = world.sign_in();
    assert_eq!(location(&answer), "/");
    let alice = session(&world.sim, &browser).unwrap();
    assert_eq!((alice.email.as_str(), alice.name.as_str()), ("alice@acme.example", "Alice"));
    let facts = run(world.acme.member(&world.sim, &alice.user_id).facts()).unwrap();
    assert_eq!(facts.role, Role::Viewer);
    assert_eq!(world.acts("join_by_domain"), 1);
    let people = world.people();
    assert_eq!(location(&world.sign_in().1), "/");
    assert_eq!(world.people(), people, "the second time she is the same");
}

#[test]
fn joining_that_was_cut_short_is_finished_by_the_next_sign_in() {
    for statement in ["add_newcomer", "point_to_tenant", "join_by_domain", "begin_session_by_provider"] {
        for fault in [Fault::NotSent, Fault::LostReply] {
            let world = World::new();
            world.allow("acme.example", "viewer");
            world.sim.faults.on_statement(statement, fault);
            assert_eq!(world.sign_in().1.status, 503, "{statement}");
            assert_eq!(location(&world.sign_in().1), "/", "{statement}");
            assert_eq!(world.people(), 3, "{statement}");
        }
    }
}

#[test]
fn nobody_joins_without_a_verified_address_of_a_domain_that_the_tenant_has_proved() {
    let world = World::new();
    let claims =
        |email: &str, verified: Json| json!({ "sub": "new", "email": email, "email_verified": verified });
    let people = world.people();
    let refused = |claims: Json| {
        world.sim.clock.advance_seconds(61);
        let answer = world.sign_in_with(&Browser::default(), claims);
        world.assert_refused(&answer, "not_linked");
    };
    refused(claims("new@acme.example", json!(true)));
    // Named, and proved by nobody or by another tenant.
    let owner = || signed_in_as(&world.sim, &world.acme.owner);
    let page = "/acme/providers";
    send(
        &world.sim,
        &owner(),
        page,
        &[("act", "name_domain"), ("domain", "acme.example"), ("role", "viewer")],
    );
    refused(claims("new@acme.example", json!(true)));
    let theirs = signed_in_as(&world.sim, &world.globex.owner);
    send(
        &world.sim,
        &theirs,
        "/globex/providers",
        &[("act", "name_domain"), ("domain", "acme.example"), ("role", "viewer")],
    );
    world.publish(&world.globex, "acme.example");
    let answer = send(&world.sim, &owner(), page, &[("act", "prove"), ("domain", "acme.example")]);
    assert_eq!(answer.status, 422, "another tenant's record");
    assert!(
        text(&answer).contains("name=\"domain\" value=\"\" required"),
        "the form for a new one stays empty"
    );
    refused(claims("new@acme.example", json!(true)));
    world.publish(&world.acme, "acme.example");
    refused(claims("new@acme.example", json!(true)));
    let answer = send(&world.sim, &owner(), page, &[("act", "prove"), ("domain", "acme.example")]);
    assert_eq!(location(&answer), "/acme/providers?done=proved");
    for verified in [json!(false), json!("true"), json!(1), Json::Null] {
        refused(claims("new@acme.example", verified));
    }
    for email in [
        "new@sub.acme.example",
        "new@evilacme.example",
        "new@acme.example.evil.example",
        "acme.example",
        "new@acme.example@evil.example",
        "new@",
        "",
    ] {
        refused(claims(email, json!(true)));
    }
    assert_eq!(world.people(), people);
}

#[test]
fn a_proof_that_is_lost_ends_joining() {
    let world = World::new();
    world.allow("acme.example", "editor");
    *world.web.dns_is_down.borrow_mut() = true;
    let (_, answer) = world.sign_in();
    world.assert_refused(&answer, "not_linked");
    *world.web.dns_is_down.borrow_mut() = false;
    let proved =
        || world.sim.shard().number("SELECT count(*) FROM mail_domain WHERE proved_at IS NOT NULL", []);
    assert_eq!(proved(), 1, "DNS that is down proves nothing, and loses nothing");
    world.web.records.borrow_mut().clear();
    let (_, answer) = world.sign_in();
    assert_eq!((answer.status, proved(), world.people()), (403, 0, 2));
    world.publish(&world.acme, "acme.example");
    assert_eq!(world.sign_in().1.status, 403, "it has to be proved again");
}

#[test]
fn domains_are_named_by_managers_and_never_make_managers() {
    let world = World::new();
    let owner = signed_in_as(&world.sim, &world.acme.owner);
    let name = |domain: &str, role: &str| {
        send(
            &world.sim,
            &owner,
            "/acme/providers",
            &[("act", "name_domain"), ("domain", domain), ("role", role)],
        )
        .status
    };
    for role in ["owner", "admin"] {
        assert_eq!(name("acme.example", role), 403, "{role}");
    }
    for domain in [
        "",
        "localhost",
        "acme",
        "-a.example",
        "a..example",
        "acme.example/x",
        "a b.example",
        "ä.example",
        "*.example",
        "acme.example.",
    ] {
        assert_eq!(name(domain, "viewer"), 422, "{domain}");
    }
    assert_eq!(name("ACME.example", "editor"), 303);
    assert_eq!(name("acme.example", "viewer"), 409, "it is there already");
    assert_eq!(
        send(&world.sim, &owner, "/acme/providers", &[("act", "take"), ("domain", "acme.example")]).status,
        303
    );
    assert_eq!(world.sim.shard().number("SELECT count(*) FROM mail_domain", []), 0);
    assert_eq!((world.acts("add_domain"), world.acts("remove_domain")), (1, 1));
}

#[test]
fn signing_in_again_counts_from_when_the_person_did_so_at_the_provider() {
    let (world, _) = World::linked();
    let old = world.sim.clock.now().as_seconds() - 3600;
    let mut claims = alice();
    claims["auth_time"] = json!(old);
    let browser = Browser::default();
    world.sign_in_with(&browser, claims);
    let now = world.sim.clock.now();
    assert!(
        session(&world.sim, &browser).unwrap().recent(now).is_none(),
        "an old sign-in there is none here"
    );
    assert!(
        !parameters(&world.depart(&browser)).contains_key("prompt"),
        "only who signs in again is asked to"
    );
    let again = location(&click(&world.sim, &browser, &format!("{}?again=1", world.start)));
    assert_eq!(parameters(&again)["prompt"], "login");
    let mut claims = alice();
    claims["auth_time"] = json!(now.as_seconds() + 3600);
    let answer = get(&world.sim, &browser, &world.idp.approve(&again, claims));
    assert_eq!(location(&answer), "/");
    assert_eq!(session(&world.sim, &browser).unwrap().signed_in_at, now, "and none is in the future");
}

#[test]
fn a_person_whose_address_is_proved_later_keeps_no_link_from_before() {
    let (world, alice) = World::linked();
    world.sim.directory.execute("UPDATE person SET proved_at = NULL WHERE user_id = ?1", [alice.as_str()]);
    let email = "alice@acme.example".parse().unwrap();
    run(postern::identity::find_or_add_person(&world.sim.platform(), &email, "Alice")).unwrap();
    let (_, answer) = world.sign_in();
    world.assert_refused(&answer, "not_linked");
}

#[test]
fn secrets_of_a_state_are_nobody_elses() {
    let (world, _) = World::linked();
    let asked = parameters(&world.depart(&Browser::default()));
    let second = parameters(&world.depart(&Browser::default()));
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(asked[name], second[name], "{name}");
    }
    assert_ne!(asked["nonce"], asked["code_challenge"]);
    for database in [&world.sim.directory, world.sim.shard()] {
        for table in crate::tenants::tables(database) {
            for (column, kind) in crate::tenants::columns(database, &table) {
                let sql = format!("SELECT count(*) FROM {table} WHERE instr({column}, ?1) > 0");
                let found = if kind == "TEXT" { database.number(&sql, [asked["state"].as_str()]) } else { 0 };
                assert_eq!(found, 0, "{table}.{column}");
            }
        }
    }
}

#[test]
fn a_deployment_refuses_loopback_providers_and_resolvers() {
    let mut settings = local_settings();
    settings.retain(|(name, _)| *name != "PUBLIC_ORIGIN" && *name != "CONTENT_ORIGIN");
    settings.push(("PUBLIC_ORIGIN", "https://mcp.example.com".to_owned()));
    settings.push(("CONTENT_ORIGIN", "https://wall.example.com".to_owned()));
    let mut sim = Sim::new(1);
    sim.config = config_from(&settings).unwrap_or_else(|_| panic!("good settings"));
    for issuer in
        ["http://127.0.0.1:9000", "http://localhost", "https://127.0.0.1", "https://mcp.example.com"]
    {
        let fault = run(postern::identity::check_issuer(&sim.platform(), issuer));
        assert!(fault.is_err(), "{issuer}");
    }
    assert_eq!(sim.web.requests().len(), 0);
    settings.push(("DNS_RESOLVER", "http://dns.example.com/".to_owned()));
    assert!(config_from(&settings).is_err());
}
