//! Addresses that nothing may be fetched from, in the spellings that browsers, proxies and attackers know, at the door of
//! every feature that fetches: as they are, and at the end of redirects. Which features fetch, the source and the tools'
//! schemas say: one without a line here fails.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    rc::Rc,
};

use data_encoding::BASE64URL_NOPAD;
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use postern::{
    delivery::{self, Budget, RealTrade},
    desk::sha256_text,
    edge::send_by_api,
    http::{self, Address, Response},
    identity,
    mcp::tools,
    oauth,
    platform::{Clock, Config, HttpFault, Letter, MailSender},
    studio,
};
use serde_json::{Value, json};

use crate::{
    identity::{session, signed_in},
    networks::pds::{self, Pds},
    sim::{
        Incoming, Peer, Reply, Sim,
        browser::{Browser, text},
        config_from, local_settings, run,
        world::Company,
    },
};

/// Each stands for something that is nobody's business: this machine, a network of somebody's own, a cloud's metadata,
/// ourselves; or it is no https address of a public host at all.
const SPELLINGS: &[&str] = &[
    // Loopback in decimal, octal, hexadecimal and short forms.
    "https://127.0.0.1/x",
    "https://127.0.0.1:443/x",
    "https://127.1/x",
    "https://127.0.1/x",
    "https://127.255.255.254/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0x7F.1/x",
    "https://0x7f.0x0.0x0.0x1/x",
    "https://017700000001/x",
    "https://0177.0.0.1/x",
    "https://0000177.0.0.01/x",
    "https://0/x",
    "https://0.0.0.0/x",
    "https://127.0.0.1./x",
    // The same in other digits, dots and escapes.
    "https://１２７.0.0.1/x",
    "https://１２７．０．０．１/x",
    "https://127。0。0。1/x",
    "https://127｡0｡0｡1/x",
    "https://①②⑦.⓪.⓪.①/x",
    "https://%31%32%37.0.0.1/x",
    "https://127%2e0%2e0%2e1/x",
    "https://127.0.0\t.1/x",
    "https:/127.0.0.1/x",
    "https:127.0.0.1/x",
    "https:\\\\127.0.0.1\\x",
    "HTTPS://127.0.0.1/x",
    " https://127.0.0.1/x",
    // Networks of somebody's own, and ranges that are nobody's.
    "https://10.0.0.1/x",
    "https://0xa000001/x",
    "https://012.1/x",
    "https://172.16.0.1/x",
    "https://192.168.0.1/x",
    "https://3232235521/x",
    "https://100.64.0.1/x",
    "https://198.18.0.1/x",
    "https://192.0.2.1/x",
    "https://203.0.113.9/x",
    "https://224.0.0.1/x",
    "https://255.255.255.255/x",
    // Clouds' metadata.
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/latest/meta-data/",
    "https://0xa9fea9fe/latest/meta-data/",
    "https://0251.0376.0251.0376/latest/meta-data/",
    "https://169.254.43518/latest/meta-data/",
    "https://[::ffff:a9fe:a9fe]/latest/meta-data/",
    "https://[fd00:ec2::254]/latest/meta-data/",
    "https://[fd20:ce::254]/computeMetadata/v1/",
    "https://169.254.170.2/v2/credentials",
    "https://100.100.100.200/latest/meta-data/",
    "https://192.0.0.192/latest/",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://metadata.google.internal./computeMetadata/v1/",
    "https://METADATA.GOOGLE.INTERNAL/computeMetadata/v1/",
    "https://metadata/computeMetadata/v1/",
    // IPv6: loopback, link-local, unique local, and IPv4 inside it.
    "https://[::1]/x",
    "https://[0:0:0:0:0:0:0:1]/x",
    "https://[::]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[0:0:0:0:0:ffff:7f00:1]/x",
    "https://[::127.0.0.1]/x",
    "https://[::ffff:0:127.0.0.1]/x",
    "https://[64:ff9b::7f00:1]/x",
    "https://[64:ff9b:1::a00:1]/x",
    "https://[2002:7f00:1::]/x",
    "https://[2002:c0a8:1::1]/x",
    "https://[fe80::1]/x",
    "https://[fe80::1%25eth0]/x",
    "https://[fc00::1]/x",
    "https://[fdff:ffff::1]/x",
    "https://[fec0::1]/x",
    "https://[ff02::1]/x",
    "https://[2001:db8::1]/x",
    "https://[2001::1]/x",
    "https://[100::1]/x",
    // Names that mean something only here.
    "https://localhost/x",
    "https://LocalHost/x",
    "https://localhost./x",
    "https://loc%61lhost/x",
    "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/x",
    "https://local\u{ad}host/x",
    "https://anything.localhost/x",
    "https://printer.local/x",
    "https://db.internal/x",
    "https://nas.lan/x",
    "https://router.home.arpa/x",
    "https://1.0.0.127.in-addr.arpa/x",
    "https://intranet/x",
    // Ourselves.
    "https://mcp.example.com/account",
    "https://MCP.example.com./account",
    "https://mcp%2Eexample.com/account",
    "https://mcp。example。com/account",
    "https://mcp.example.com:444/account",
    "https://wall.example.com/acme/main",
    "https://wall.example.com./acme/main",
    // Ports and schemes.
    "https://hop.example:22/x",
    "https://hop.example:8443/x",
    "https://hop.example:0/x",
    "https://hop.example:65536/x",
    "http://hop.example/x",
    "http://hop.example:443/x",
    "http://127.0.0.1/x",
    "http://localhost:8790/x",
    "ftp://hop.example/x",
    "ws://hop.example/x",
    "wss://hop.example/x",
    "gopher://hop.example/x",
    "file:///etc/passwd",
    "data:application/json,{}",
    "javascript:alert(1)",
    "blob:https://hop.example/x",
    // A name and a password before the host, and what looks like one.
    "https://person@hop.example/x",
    "https://person:word@hop.example/x",
    "https://hop.example@127.0.0.1/x",
    "https://hop.example%40127.0.0.1/x",
    "https://127.0.0.1\\@hop.example/x",
    "https://127.0.0.1#@hop.example/x",
    "https://127.0.0.1?@hop.example/x",
    // No address.
    "https://",
    "https:///",
    "https://[::1/x",
    "https://hop.example x/",
    "//127.0.0.1/x",
];

/// The public hosts of the world.
const PUBLIC: [&str; 9] = [
    "https://pictures.example/",
    "https://client.example/",
    "https://news.example/",
    "https://moved.example/",
    "https://letters.example/",
    "https://provider.example/",
    "https://resolver.example/",
    "https://pds.example/",
    HOP,
];
const PICTURE: &str = "https://pictures.example/cat.png";
const CLIENT: &str = "https://client.example/client.json";
const KEYS: &str = "https://client.example/keys.json";
const PAGE: &str = "https://news.example/story";
const MOVED: &str = "https://moved.example";
const MAIL_API: &str = "https://letters.example/send";
const PROVIDER: &str = "https://provider.example";
const RESOLVER: &str = "https://resolver.example/dns-query";
const HOP: &str = "https://hop.example/";

/// What stands at every address that may not be asked: whoever gets it was where nobody may go.
const SECRET: &str = "what only insiders know";
const ANNA: &str = "anna.example";
/// By then nothing is kept of the address before, and whoever counts has begun anew.
const LATER: i64 = 400;

fn settings() -> Vec<(&'static str, String)> {
    let mut settings = local_settings();
    settings[0].1 = "https://mcp.example.com".to_owned();
    settings[1].1 = "https://wall.example.com".to_owned();
    settings
}

fn config() -> Config {
    config_from(&settings()).unwrap_or_else(|_| panic!("good settings"))
}

/// The web: pages of the test's own, a server of Bluesky's kind, and a lure at every other address.
struct Web {
    pds: Rc<Pds>,
    pages: RefCell<BTreeMap<String, Reply>>,
    /// Where the account's document says that its server is.
    server: RefCell<Option<String>>,
}

impl Peer for Web {
    fn answer(&self, request: &Incoming) -> Result<Reply, HttpFault> {
        if let Some(reply) = self.pages.borrow().get(&request.url) {
            return Ok(reply.clone());
        }
        // A server that redirects whatever it is asked.
        if [format!("{HOP}xrpc/"), format!("{HOP}1/")].iter().any(|path| request.url.starts_with(path)) {
            return Ok(self.pages.borrow()[&format!("{HOP}1")].clone());
        }
        let mut request = request.clone();
        request.url = request.url.replacen(MOVED, pds::ORIGIN, 1);
        if !request.url.starts_with(&format!("{}/", pds::ORIGIN)) {
            let is_public = is_public(&request.url);
            return Ok(if is_public { Reply::of(404, "text/plain", Vec::new()) } else { lure(&request) });
        }
        let mut reply = self.pds.answer(&request)?;
        if let Some(server) = &*self.server.borrow()
            && request.url.ends_with("/com.atproto.server.createSession")
        {
            let mut said: Value = serde_json::from_slice(&reply.body).unwrap();
            said["didDoc"]["service"][0]["serviceEndpoint"] = json!(server);
            reply.body = said.to_string().into_bytes();
        }
        Ok(reply)
    }
}

/// An answer that every feature would take.
fn lure(request: &Incoming) -> Reply {
    match request.header("accept") {
        Some("application/json") => Reply::json(200, &document(&request.url, Some(KEYS))),
        _ => page(&format!("<title>{SECRET}</title>")),
    }
}

fn page(html: &str) -> Reply {
    Reply::of(200, "text/html", html.as_bytes().to_vec())
}

/// A client's document.
fn document(client_id: &str, jwks_uri: Option<&str>) -> Value {
    let mut document = json!({
        "client_id": client_id,
        "client_name": SECRET,
        "redirect_uris": ["https://client.example/callback"],
        "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": "none"
    });
    if let Some(address) = jwks_uri {
        document["token_endpoint_auth_method"] = json!("private_key_jwt");
        document["jwks_uri"] = json!(address);
    }
    document
}

/// What a provider of OpenID Connect says of itself.
fn provider(jwks_uri: &str) -> Value {
    json!({
        "issuer": PROVIDER,
        "authorization_endpoint": format!("{PROVIDER}/authorize"),
        "token_endpoint": format!("{PROVIDER}/token"),
        "jwks_uri": jwks_uri
    })
}

struct World {
    sim: Sim,
    company: Company,
    browser: Browser,
    web: Rc<Web>,
}

impl World {
    fn new() -> Self {
        let mut sim = Sim::new(7);
        sim.config = config();
        let company = Company::found(&sim, "acme");
        let browser = signed_in(&sim, &company);
        let pds = Pds::new(&sim.clock, &[ANNA]);
        let web = Rc::new(Web { pds, pages: RefCell::default(), server: RefCell::default() });
        sim.web.set_peer(Rc::clone(&web) as Rc<dyn Peer>);
        Self { sim, company, browser, web }
    }

    fn serve(&self, address: &str, reply: Reply) {
        self.web.pages.borrow_mut().insert(address.to_owned(), reply);
    }

    /// A chain of `length` redirects from a public address to `end`; gives its beginning.
    fn chain(&self, length: usize, end: &str) -> String {
        const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];
        for step in 1..=length {
            let next = if step == length { end.to_owned() } else { format!("{HOP}{}", step + 1) };
            self.serve(&format!("{HOP}{step}"), Reply::redirect(STATUSES[(length + step) % 5], &next));
        }
        format!("{HOP}1")
    }

    /// The addresses that were asked.
    fn asked(&self) -> Vec<String> {
        self.sim.web.requests().into_iter().map(|request| request.url).collect()
    }

    /// Calls a tool and gives whatever it answers, as text.
    fn call(&self, tool: &str, arguments: Value) -> String {
        let entry = tools().find(|entry| entry.name == tool).unwrap();
        match run(entry.call(&self.company.caller(&self.sim), arguments)) {
            Ok(text) => text,
            Err(refusal) => format!("{refusal:?}"),
        }
    }

    fn call_for(&self, tool: &str, arguments: Value) -> Value {
        let answer = self.call(tool, arguments);
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{tool}: {answer}"))
    }

    /// Connects Anna's account with this server on the page; gives the page's answer.
    fn connect(&self, server: &str) -> Response {
        let asked = self.call_for("connect_social_profile", json!({ "network": "bluesky" }));
        let url = asked["connect_url"].as_str().unwrap();
        let path = url.strip_prefix(&self.sim.config.public_origin).unwrap();
        let csrf = session(&self.sim, &self.browser).unwrap().csrf(&self.sim.config);
        let fields =
            [("csrf", &*csrf), ("server", server), ("handle", ANNA), ("app_password", pds::PASSWORD)];
        let request = self.browser.post(path, &fields);
        run(studio::connect(&self.sim.platform(), &request, "acme", path.rsplit('/').next().unwrap()))
    }

    /// Publishes a text on Anna's account; gives the words of the post as it then stands.
    fn publish(&self, words: &str) -> String {
        assert_eq!(self.connect(pds::ORIGIN).status, 303);
        let body = json!({ "text": words, "profiles": ["bluesky"], "when": "now" });
        let post = self.call_for("create_post", body);
        self.sim.clock.advance_seconds(60);
        for _ in 0..6 {
            run(delivery::tick(&self.sim.platform(), &RealTrade, 0, Budget::default()));
            self.sim.clock.advance_seconds(5);
        }
        let post = self.call("get_post", json!({ "post_id": post["post_id"] }));
        let is_strange = self.web.server.borrow().is_some();
        assert!(is_strange || post.contains("\"published\""), "{post}");
        let records: Vec<Value> =
            self.web.pds.posts(&pds::did(0)).into_iter().map(|record| record.value).collect();
        format!("{post} {}", json!(records))
    }

    /// The network has refused everything there is.
    fn fail_everything(&self) {
        self.sim.shard().execute(
            "UPDATE delivery SET state = 'failed', reason = 'refused', reason_code = 'no', next_at = NULL, attempts = 1",
            [],
        );
    }

    /// Asks for authorization as this client.
    fn authorize(&self, client_id: &str) -> Response {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", "https://client.example/callback"),
            ("code_challenge", &sha256_text(VERIFIER.as_bytes())),
            ("code_challenge_method", "S256"),
            ("scope", "posts:read"),
            ("resource", &self.sim.config.resource("acme")),
        ]);
        let request = self.browser.get(&format!("/authorize?{}", query.finish()));
        run(oauth::authorize(&self.sim.platform(), &request))
    }

    /// Approves what the page asks for; gives the code.
    fn approve(&self, consent: &str) -> String {
        let platform = self.sim.platform();
        let id = consent.strip_prefix("/consent/").unwrap();
        let csrf = session(&self.sim, &self.browser).unwrap().csrf(&self.sim.config);
        let fields = [
            ("csrf", &*csrf),
            ("workspace", self.company.workspace.as_str()),
            ("capability", "posts:read"),
            ("decision", "approve"),
        ];
        let answer = run(oauth::decide(&platform, &self.browser.post(consent, &fields), id));
        let location = answer.header("location").unwrap_or_else(|| panic!("{}", text(&answer)));
        let query = url::Url::parse(location).unwrap();
        query.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
    }

    /// Redeems a code as a client that signs.
    fn redeem(&self, code: &str) -> Response {
        let now = self.sim.clock.now().as_seconds();
        let encode = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let head = encode(json!({ "alg": "ES256", "kid": "k" }));
        let issuer = &self.sim.config.public_origin;
        let claims = encode(
            json!({ "iss": CLIENT, "sub": CLIENT, "aud": issuer, "iat": now, "exp": now + 60, "jti": now.to_string() }),
        );
        let signed = format!("{head}.{claims}");
        let signature: Signature = key().sign(signed.as_bytes());
        let assertion = format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature.to_vec()));
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", "https://client.example/callback"),
            ("client_id", CLIENT),
            ("code_verifier", VERIFIER),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        run(oauth::token(&self.sim.platform(), &self.browser.post("/token", &fields)))
    }
}

const VERIFIER: &str = "a-verifier-that-has-more-than-43-characters-0123456789-abcdefghi";

fn key() -> SigningKey {
    SigningKey::from_slice(&[9; 32]).unwrap()
}

fn key_set() -> Value {
    let point = key().verifying_key().to_encoded_point(false);
    let part = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "k",
        "x": part(point.x().unwrap()), "y": part(point.y().unwrap()) }] })
}

/// Gives an address to a feature and lets it do whatever follows; gives all that anybody then sees.
type Door = Box<dyn Fn(&World, &str) -> String>;

/// A way in which an address that somebody gave is fetched.
struct Feature {
    name: String,
    /// The files of `src` that fetch for it.
    files: &'static [&'static str],
    door: Door,
    /// An address that is fetched.
    public: &'static str,
}

fn feature(
    name: &str,
    files: &'static [&'static str],
    public: &'static str,
    door: impl Fn(&World, &str) -> String + 'static,
) -> Feature {
    Feature { name: name.to_owned(), files, door: Box::new(door), public }
}

fn features() -> Vec<Feature> {
    let mut features = vec![
        feature(
            "the document of a client",
            &["http/document.rs", "oauth/client/document.rs"],
            CLIENT,
            |world, address| {
                let document = document(CLIENT, None);
                world.serve(CLIENT, Reply::json(200, &document));
                let answer = world.authorize(address);
                format!("{} {}", answer.status, text(&answer).replace(address, ""))
            },
        ),
        feature(
            "the keys of a client",
            &["oauth/client/metadata.rs", "http/jose.rs"],
            KEYS,
            |world, address| {
                world.serve(KEYS, Reply::json(200, &key_set()));
                let mut document = document(CLIENT, Some(address));
                document["client_name"] = json!("An app");
                world.serve(CLIENT, Reply::json(200, &document));
                let answer = world.authorize(CLIENT);
                let Some(consent) = answer.header("location") else { return text(&answer) };
                let answer = world.redeem(&world.approve(consent));
                format!("{} {}", answer.status, text(&answer))
            },
        ),
        feature(
            "the server of a profile, as it is typed",
            &["profiles/connect.rs", "networks/bluesky/xrpc.rs"],
            pds::ORIGIN,
            |world, address| text(&world.connect(address)).replace(address, ""),
        ),
        feature(
            "the server of a profile, as its document names it",
            &["networks/bluesky/session.rs", "delivery/run.rs"],
            MOVED,
            |world, address| {
                *world.web.server.borrow_mut() = Some(address.to_owned());
                world.publish("Hello")
            },
        ),
        feature("a link's card", &["networks/bluesky/connector.rs"], PAGE, |world, address| {
            world.serve(PAGE, page("<title>A story</title>"));
            world.publish(&format!("Read {address} now"))
        }),
        feature(
            "the picture of a link's card",
            &["networks/bluesky/connector.rs"],
            PICTURE,
            |world, address| {
                let address = address.replace('&', "&amp;").replace('"', "&quot;");
                let head =
                    format!("<title>A story</title><meta property=\"og:image\" content=\"{address}\">");
                world.serve(PAGE, page(&head));
                world.publish(&format!("Read {PAGE} now"))
            },
        ),
        feature(
            "an organisation's own provider",
            &["identity/upstream/discovery.rs"],
            PROVIDER,
            |world, address| {
                let document = format!("{PROVIDER}/.well-known/openid-configuration");
                world.serve(&document, Reply::json(200, &provider(KEYS)));
                format!("{:?}", run(identity::check_issuer(&world.sim.platform(), address)).is_ok())
            },
        ),
        feature(
            "the keys of an organisation's own provider",
            &["identity/upstream/discovery.rs", "identity/upstream/id_token.rs"],
            PROVIDER,
            |world, address| {
                let document = format!("{PROVIDER}/.well-known/openid-configuration");
                let address = if address == PROVIDER { KEYS } else { address };
                world.serve(&document, Reply::json(200, &provider(address)));
                format!("{:?}", run(identity::check_issuer(&world.sim.platform(), PROVIDER)).is_ok())
            },
        ),
        feature("a resolver of names", &["http/dns.rs"], RESOLVER, |world, address| {
            let mut settings = settings();
            settings.push(("DNS_RESOLVER", address.to_owned()));
            let Ok(config) = config_from(&settings) else { return "no such setting".to_owned() };
            let mut platform = world.sim.platform();
            platform.config = &config;
            format!("{:?}", run(http::txt_records(&platform, "acme.example")).is_ok())
        }),
        feature("an API for letters", &["edge/mail.rs"], MAIL_API, |world, address| {
            let mut settings = settings();
            settings.extend([
                ("MAIL_SENDER", "api".to_owned()),
                ("MAIL_FROM", "postern@example.com".to_owned()),
                ("MAIL_API_URL", address.to_owned()),
                ("MAIL_API_KEY", "re_key".to_owned()),
            ]);
            let Ok(config) = config_from(&settings) else { return "no such setting".to_owned() };
            let mail = config.mail.as_ref().unwrap();
            let MailSender::Api { url, key } = &mail.sender else { panic!("an API") };
            let letter =
                Letter { to: "anna@acme.example".to_owned(), subject: "S".to_owned(), text: "T".to_owned() };
            let sent = run(send_by_api(&world.sim.web, &config, (url, key), &mail.from, &letter));
            format!("sent: {}", sent.is_ok())
        }),
    ];
    features.extend(tool_features());
    features
}

/// Each argument of each tool that takes an address.
fn tool_features() -> impl Iterator<Item = Feature> {
    tools().flat_map(|tool| {
        let schema = serde_json::to_value((tool.input_schema)()).unwrap();
        let name = tool.name;
        with_addresses(&schema).into_iter().map(move |arguments| {
            feature(&format!("{name} {arguments}"), &["media/fetch.rs"], PICTURE, move |world, address| {
                world.serve(PICTURE, Reply::of(200, "image/png", crate::media::png(8, 8)));
                let own = json!({ "text": "A post", "profiles": ["wall"], "when": "P1D" });
                let own = world.call_for("create_post", own);
                if name == "retry_post" {
                    world.fail_everything();
                }
                let mut arguments = arguments.clone();
                fill(&mut arguments, address, own["post_id"].as_str().unwrap());
                world.call(name, arguments).replace(address, "")
            })
        })
    })
}

/// Arguments of a schema, one for each place that takes an address: `@` stands there, `%` where a post is named.
fn with_addresses(schema: &Value) -> Vec<Value> {
    if let Some(items) = schema.get("items") {
        return with_addresses(items).into_iter().map(|inner| json!([inner])).collect();
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Vec::new() };
    let mut found = Vec::new();
    for (name, property) in properties {
        let inner = if name == "url" { vec![json!("@")] } else { with_addresses(property) };
        for value in inner {
            let mut arguments = json!({ name.as_str(): value });
            for (name, sibling) in [
                ("text", json!("x")),
                ("profiles", json!(["wall"])),
                ("post_id", json!("%")),
                ("outcome", json!("live")),
            ] {
                if properties.contains_key(name) && arguments.get(name).is_none() {
                    arguments[name] = sibling;
                }
            }
            found.push(arguments);
        }
    }
    found
}

fn fill(arguments: &mut Value, address: &str, post: &str) {
    match arguments {
        Value::String(text) if text == "@" => *text = address.to_owned(),
        Value::String(text) if text == "%" => *text = post.to_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, address, post)),
        Value::Object(fields) => fields.values_mut().for_each(|field| fill(field, address, post)),
        _ => {}
    }
}

/// Whether an address, as it was asked, stands on one of the world's public hosts.
fn is_public(address: &str) -> bool {
    PUBLIC.iter().any(|origin| address.starts_with(origin))
}

/// Nothing was asked but what is public, and nothing of what is not came out.
fn assert_harmless(feature: &Feature, world: &World, seen: &str, how: &str) {
    let strange: Vec<String> = world.asked().into_iter().filter(|address| !is_public(address)).collect();
    assert_eq!(strange, [""; 0], "{}: {how}", feature.name);
    assert!(!seen.contains(SECRET), "{}: {how}: {seen}", feature.name);
}

#[test]
fn there_are_sixty_spellings_and_none_may_be_fetched() {
    let unique: BTreeSet<&str> = SPELLINGS.iter().copied().collect();
    assert_eq!(unique.len(), SPELLINGS.len());
    assert!(unique.len() >= 60);
    let config = config();
    for spelling in SPELLINGS {
        assert!(Address::parse(spelling, &config).is_err(), "{spelling:?}");
        assert!(!is_public(spelling), "{spelling:?}");
    }
}

#[test]
fn every_feature_fetches_what_is_public() {
    for feature in features() {
        let world = World::new();
        let seen = (feature.door)(&world, feature.public);
        let asked = world.asked();
        let fetched = asked.iter().any(|address| address.starts_with(feature.public));
        // A preview leaves nothing behind, on no server; where a post is said to stand is only written down.
        let fetches_nothing =
            ["preview_post ", "confirm_delivery "].iter().any(|tool| feature.name.starts_with(tool));
        assert_eq!(fetched, !fetches_nothing, "{} asked {asked:?}: {seen}", feature.name);
        assert!(asked.iter().all(|address| is_public(address)), "{} asked {asked:?}", feature.name);
    }
}

#[test]
fn no_feature_fetches_what_is_not_public() {
    for feature in features() {
        let world = World::new();
        for spelling in SPELLINGS {
            world.sim.clock.advance_seconds(LATER);
            let seen = (feature.door)(&world, spelling);
            assert_harmless(&feature, &world, &seen, &format!("{spelling:?}"));
        }
    }
}

#[test]
fn no_feature_is_led_by_redirects_to_what_is_not_public() {
    for feature in features() {
        let world = World::new();
        for (index, spelling) in SPELLINGS.iter().enumerate() {
            world.sim.clock.advance_seconds(LATER);
            let length = 1 + index % 4;
            let begin = world.chain(length, spelling);
            let seen = (feature.door)(&world, &begin);
            assert_harmless(&feature, &world, &seen, &format!("{length} redirects to {spelling:?}"));
        }
    }
}

/// What fetches or says what may be fetched, outside of the guarded client itself.
const FETCHING: [&str; 6] =
    ["GuardedClient::new(", "Address::parse(", "web.get(", "web.send(", "web.address(", " document(platform"];

/// Files that only hand the guarded client on.
const HANDING_ON: [&str; 1] = ["delivery/removal.rs"];

fn sources() -> Vec<(String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut files) = (vec![source.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}

#[test]
fn every_file_that_fetches_has_a_feature_here() {
    let fetches = |code: &str| {
        let calls = |line: &str| FETCHING.iter().any(|word| line.contains(word)) && !line.contains("fn ");
        code.lines().filter(|line| !line.trim_start().starts_with("//")).any(calls)
    };
    let found: BTreeSet<String> = sources()
        .into_iter()
        .filter(|(name, code)| name != "http/guard.rs" && fetches(code))
        .map(|(name, _)| name)
        .collect();
    let known: BTreeSet<String> = features()
        .iter()
        .flat_map(|feature| feature.files)
        .chain(&HANDING_ON)
        .map(|file| (*file).to_owned())
        .collect();
    assert_eq!(found, known);
}

#[test]
fn the_web_is_reached_through_the_guarded_client_only() {
    for (name, code) in sources() {
        let port_may_be_named =
            name == "http/guard.rs" || name.starts_with("platform/") || name.starts_with("edge/");
        assert!(port_may_be_named || !code.contains("HttpClient"), "{name} names the port");
        for line in code.lines().filter(|line| line.contains("platform.http")) {
            assert!(line.contains("GuardedClient::new(platform.http, "), "{name}: {line}");
        }
    }
}
