//! The authorization server, from outside: a browser and a client against the simulated platform.

mod apps;
pub mod assertions;
mod attacks;
mod audited;
mod authorization;
mod bearer;
mod clients;
mod consent;
mod documents;
mod failures;
mod matrix;
mod metadata;
mod refreshing;
mod registration;
mod revocation;
mod simulation;
mod standards;
mod standing;
mod stepping_up;
mod tokens;

use postern::{
    desk::{Role, UserId, sha256_text},
    http::{Query, Request, RequestMethod, Response},
    identity, oauth,
};
use serde_json::{Value, json};

use crate::sim::{Sim, config_from, local_settings, run, world::Company};

/// 64 characters that nobody else knows.
const VERIFIER: &str = "a-verifier-that-has-more-than-43-characters-0123456789-abcdefghi";
const CALLBACK: &str = "https://client.example/callback";

/// A person's browser.
struct Browser {
    cookie: String,
}

/// A company, its owner's browser, and a registered client.
struct World {
    sim: Sim,
    company: Company,
    browser: Browser,
    client_id: String,
}

impl World {
    fn new() -> Self {
        Self::with_seed(1)
    }

    fn with_seed(seed: u64) -> Self {
        Self::on(Sim::new(seed))
    }

    /// A deployment behind a real name.
    fn deployed() -> Self {
        let mut settings = local_settings();
        settings[0].1 = "https://mcp.example.com".to_owned();
        settings[1].1 = "https://wall.example.com".to_owned();
        let mut sim = Sim::new(1);
        sim.config = config_from(&settings).unwrap_or_else(|_| panic!("settings"));
        Self::on(sim)
    }

    fn on(sim: Sim) -> Self {
        let company = Company::found(&sim, "acme");
        let browser = sign_in(&sim, &company.owner);
        let mut world = Self { sim, company, browser, client_id: String::new() };
        world.client_id = world.register_client(&[CALLBACK]);
        world
    }

    fn register(&self, metadata: &Value) -> (u16, Value) {
        let mut request = request(RequestMethod::Post, "/register");
        request.headers.push(("content-type".into(), "application/json".into()));
        request.body = metadata.to_string().into_bytes();
        answer(&run(oauth::register(&self.sim.platform(), &request)))
    }

    fn register_client(&self, redirects: &[&str]) -> String {
        let (status, body) =
            self.register(&json!({ "redirect_uris": redirects, "client_name": "An assistant" }));
        assert_eq!(status, 201, "{body}");
        body["client_id"].as_str().unwrap().to_owned()
    }

    fn resource(&self) -> String {
        self.sim.config.resource("acme")
    }

    /// A whole and valid authorization request.
    fn wish(&self) -> Vec<(String, String)> {
        [
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", CALLBACK),
            ("state", "a state & more"),
            ("code_challenge", &sha256_text(VERIFIER.as_bytes())),
            ("code_challenge_method", "S256"),
            ("scope", "workspace:read posts:read posts:write"),
            ("resource", &self.resource()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    fn authorize_in(&self, browser: Option<&Browser>, wish: &[(String, String)]) -> Response {
        let mut request = request(RequestMethod::Get, "/authorize");
        request.query = encode(wish);
        request.headers.extend(browser.map(|browser| ("cookie".to_owned(), browser.cookie.clone())));
        run(oauth::authorize(&self.sim.platform(), &request))
    }

    fn authorize(&self, wish: &[(String, String)]) -> Response {
        self.authorize_in(Some(&self.browser), wish)
    }

    /// The id of a request that waits for the owner.
    fn pending(&self, wish: &[(String, String)]) -> String {
        let response = self.authorize(wish);
        assert_eq!(response.status, 303, "{}", text(&response));
        location(&response).strip_prefix("/consent/").unwrap().to_owned()
    }

    fn consent_page(&self, browser: &Browser, id: &str) -> Response {
        let mut request = request(RequestMethod::Get, &format!("/consent/{id}"));
        request.headers.push(("cookie".into(), browser.cookie.clone()));
        run(oauth::consent_page(&self.sim.platform(), &request, id))
    }

    /// The form as the page fills it in, with every workspace ticked.
    fn filled_in(&self, id: &str, decision: &str) -> Vec<(String, String)> {
        let page = text(&self.consent_page(&self.browser, id));
        let mut form = vec![("csrf".to_owned(), attribute(&page, "name=\"csrf\" value=\""))];
        if page.contains("name=\"kept\"") {
            form.push(("kept".to_owned(), attribute(&page, "name=\"kept\" value=\"")));
        }
        for input in page.split("<input type=\"checkbox\" name=\"").skip(1) {
            let name = input.split('"').next().unwrap();
            let ticked = input.split('>').next().unwrap().ends_with(" checked");
            if ticked || name == "workspace" {
                form.push((name.to_owned(), attribute(input, "value=\"")));
            }
        }
        form.push(("decision".into(), decision.into()));
        form
    }

    fn decide_request(&self, id: &str, form: &[(String, String)]) -> Request {
        let mut request = form_request(&format!("/consent/{id}"), form);
        request.headers.push(("cookie".into(), self.browser.cookie.clone()));
        request.headers.push(("sec-fetch-site".into(), "same-origin".into()));
        request
    }

    fn decide(&self, id: &str, form: &[(String, String)]) -> Response {
        run(oauth::decide(&self.sim.platform(), &self.decide_request(id, form), id))
    }

    /// A code for this request, approved as asked.
    fn code_for(&self, wish: &[(String, String)]) -> String {
        let id = self.pending(wish);
        let response = self.decide(&id, &self.filled_in(&id, "approve"));
        assert_eq!(response.status, 303, "{}", text(&response));
        redirected(&response).get("code").unwrap().to_owned()
    }

    fn code(&self) -> String {
        self.code_for(&self.wish())
    }

    /// A whole and valid redemption.
    fn redemption(&self, code: &str) -> Vec<(String, String)> {
        [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("client_id", &self.client_id),
            ("code_verifier", VERIFIER),
            ("resource", &self.resource()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    fn refreshing(&self, token: &str) -> Vec<(String, String)> {
        [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", &self.client_id)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    }

    fn token(&self, form: &[(String, String)]) -> (u16, Value) {
        answer(&run(oauth::token(&self.sim.platform(), &form_request("/token", form))))
    }

    /// The tokens of a fresh grant.
    fn tokens(&self) -> Value {
        let (status, body) = self.token(&self.redemption(&self.code()));
        assert_eq!(status, 200, "{body}");
        body
    }

    fn refresh(&self, token: &str) -> (u16, Value) {
        self.token(&self.refreshing(token))
    }

    fn revoke(&self, form: &[(String, String)]) -> (u16, Value) {
        answer(&run(oauth::revoke(&self.sim.platform(), &form_request("/revoke", form))))
    }

    /// What a call with this token meets: the check of the token, then the gate.
    fn call(&self, access_token: &str) -> Result<(), u16> {
        let platform = self.sim.platform();
        let request = self.mcp_request(Some(&format!("Bearer {access_token}")));
        let who = run(oauth::authenticate(&platform, &request, "acme")).map_err(|refused| refused.status)?;
        let caller = postern::desk::Caller::new(platform, who.tenant, who.authority).unwrap();
        run(caller.facts()).map(drop).map_err(|_| 401)
    }

    fn mcp_request(&self, authorization: Option<&str>) -> Request {
        let mut request = request(RequestMethod::Post, "/acme/mcp");
        request.headers.extend(authorization.map(|value| ("authorization".to_owned(), value.to_owned())));
        request
    }

    fn count(&self, sql: &str) -> i64 {
        self.sim.shard().number(sql, [])
    }

    fn add_member(&self, name: &str, role: Role) -> (UserId, Browser) {
        let user = self.company.add_member(&self.sim, name, role);
        let browser = sign_in(&self.sim, &user);
        (user, browser)
    }
}

/// Signs in by a one-time link, as a browser does.
fn sign_in(sim: &Sim, user: &UserId) -> Browser {
    let link = run(identity::make_link(&sim.platform(), user)).unwrap();
    let secret = link.url.rsplit('/').next().unwrap().to_owned();
    let mut request = request(RequestMethod::Post, &format!("/sign-in/link/{secret}"));
    request.headers.push(("sec-fetch-site".into(), "same-origin".into()));
    let response = run(identity::use_link(&sim.platform(), &request, &secret));
    let cookie = response.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    Browser { cookie }
}

fn request(method: RequestMethod, path: &str) -> Request {
    Request {
        method,
        host: "localhost:8790".into(),
        path: path.to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
        peer: "192.0.2.1".into(),
    }
}

fn form_request(path: &str, form: &[(String, String)]) -> Request {
    let mut request = request(RequestMethod::Post, path);
    request.headers.push(("content-type".into(), "application/x-www-form-urlencoded".into()));
    request.body = encode(form).into_bytes();
    request
}

fn encode(pairs: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The pairs with one given another value, or left out.
fn with(pairs: &[(String, String)], name: &str, value: Option<&str>) -> Vec<(String, String)> {
    let mut changed: Vec<_> = pairs.iter().filter(|(key, _)| key != name).cloned().collect();
    changed.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    changed
}

/// The pairs with one more.
fn plus(pairs: &[(String, String)], name: &str, value: &str) -> Vec<(String, String)> {
    let mut longer = pairs.to_vec();
    longer.push((name.to_owned(), value.to_owned()));
    longer
}

fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

/// Status and JSON body, after checking what every such answer promises.
fn answer(response: &Response) -> (u16, Value) {
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    assert_eq!(response.header("content-type"), Some("application/json"));
    (response.status, serde_json::from_slice(&response.body).unwrap())
}

fn location(response: &Response) -> &str {
    response.header("location").unwrap()
}

/// The parameters that the client gets.
fn redirected(response: &Response) -> Query {
    Query::parse(location(response).split_once('?').unwrap().1.as_bytes())
}

fn attribute(html: &str, before: &str) -> String {
    html.split_once(before).unwrap().1.split('"').next().unwrap().to_owned()
}

/// The error that a refusal page would tell the client of, if the person follows its link.
fn told_error(response: &Response) -> String {
    assert!(matches!(response.status, 400 | 403), "{}", response.status);
    assert_eq!(response.header("location"), None, "nobody is sent away without asking");
    let page = text(response);
    assert!(page.contains("client.example"), "the page names where the answer would go");
    let back = attribute(&page, "class=\"button quiet\" href=\"").replace("&#38;", "&");
    let parameters = Query::parse(back.split_once('?').unwrap().1.as_bytes());
    assert_eq!(parameters.get("iss"), Some("http://localhost:8790"));
    parameters.get("error").unwrap().to_owned()
}

fn error(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"].as_str().unwrap_or_default())
}

#[test]
fn from_sign_in_to_revocation() {
    let world = World::new();
    let tokens = world.tokens();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 600);
    assert_eq!(tokens["scope"], "workspace:read posts:read posts:write");
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(world.call(access), Ok(()));

    let (status, second) = world.refresh(tokens["refresh_token"].as_str().unwrap());
    assert_eq!(status, 200, "{second}");
    assert_ne!(second["refresh_token"], tokens["refresh_token"]);
    let newer = second["access_token"].as_str().unwrap();
    assert_eq!(world.call(newer), Ok(()));

    let form = [("token", second["refresh_token"].as_str().unwrap()), ("client_id", &world.client_id)];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(world.revoke(&form).0, 200);
    assert_eq!(world.call(newer), Err(401), "revoking reaches tokens that have not expired");
    assert_eq!(world.call(access), Err(401));
    assert_eq!(error(&world.refresh(second["refresh_token"].as_str().unwrap())), (400, "invalid_grant"));
}
