//! Personal access tokens, from outside: off until an owner wants them, shown once, and never more than a grant.

use std::collections::BTreeSet;

use postern::{
    desk::{Role, Scope, Scopes, UserId},
    edge::serve,
    http::{Request, RequestMethod, Response},
    identity,
    platform::Door,
};
use rusqlite::params;
use serde_json::{Value as Json, json};

use crate::{
    app::request,
    identity::signed_in,
    sim::{
        Fault, Odds, Sim,
        browser::{Browser, text, with_header},
        run,
        world::Company,
    },
};

const APP: &str = "localhost:8790";
const DAY: i64 = 86_400;

struct World {
    sim: Sim,
    company: Company,
    owner: Browser,
}

/// What a person fills in.
#[derive(Clone)]
struct Wish<'a> {
    kind: &'a str,
    capabilities: &'a [&'a str],
    days: &'a str,
    label: &'a str,
}

const WRITER: Wish<'static> = Wish {
    kind: "header",
    capabilities: &["workspace:read", "posts:read", "posts:write"],
    days: "30",
    label: "Nightly report",
};

impl World {
    /// A tenant whose owner has set this.
    fn with(setting: &str) -> Self {
        let sim = Sim::new(1);
        let company = Company::found(&sim, "acme");
        let owner = signed_in(&sim, &company);
        let world = Self { sim, company, owner };
        if setting != "off" {
            assert_eq!(world.set(&world.owner, setting).status, 303);
        }
        world
    }

    fn member(&self, role: Role) -> (UserId, Browser) {
        let user = self.company.add_member(&self.sim, &format!("a-{}", role.as_str()), role);
        let browser = signed_in(&self.sim, &Company { owner: user.clone(), ..self.company.clone() });
        (user, browser)
    }

    fn csrf(&self, browser: &Browser) -> String {
        let session = run(identity::session(&self.sim.platform(), &browser.get("/"))).unwrap().unwrap();
        session.csrf(&self.sim.config)
    }

    fn post(&self, browser: &Browser, address: &str, fields: &[(&str, &str)]) -> Response {
        let csrf = self.csrf(browser);
        let fields: Vec<(&str, &str)> =
            [("csrf", csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
        run(serve(&self.sim.platform(), browser.post(address, &fields)))
    }

    fn set(&self, browser: &Browser, setting: &str) -> Response {
        self.post(browser, "/acme/tokens/setting", &[("setting", setting)])
    }

    fn page(&self, browser: &Browser) -> Response {
        run(serve(&self.sim.platform(), browser.get("/acme/tokens")))
    }

    /// The id that the page's form carries.
    fn form_id(&self, browser: &Browser) -> String {
        let page = text(&self.page(browser));
        let (_, rest) = page.split_once("name=\"id\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    fn ask_with(&self, browser: &Browser, id: &str, wish: &Wish<'_>) -> Response {
        let workspace = self.company.workspace.to_string();
        let mut fields = vec![
            ("id", id),
            ("kind", wish.kind),
            ("label", wish.label),
            ("days", wish.days),
            ("workspace", &workspace),
        ];
        fields.extend(wish.capabilities.iter().map(|capability| ("capability", *capability)));
        self.post(browser, "/acme/tokens", &fields)
    }

    fn ask(&self, browser: &Browser, wish: &Wish<'_>) -> Response {
        self.ask_with(browser, &self.form_id(browser), wish)
    }

    /// Makes a token.
    fn make(&self, browser: &Browser, wish: &Wish<'_>) -> String {
        let page = self.ask(browser, wish);
        assert_eq!((page.status, page.header("cache-control")), (201, Some("no-store")), "{}", text(&page));
        token_in(&text(&page)).unwrap()
    }

    fn send(&self, request: Request) -> Response {
        run(serve(&self.sim.platform(), request))
    }

    fn call(&self, token: &str, tool: &str, arguments: Json) -> Response {
        self.send(with_token(tool_call("/acme/mcp", tool, arguments), token))
    }

    fn call_by_address(&self, token: &str, tool: &str, arguments: Json) -> Response {
        self.send(tool_call(&format!("/acme/mcp/{token}"), tool, arguments))
    }

    /// Whether a token lets in: by its own way of being presented.
    fn works(&self, token: &str) -> bool {
        let response = if token.starts_with("psu_") {
            self.call_by_address(token, "whoami", json!({}))
        } else {
            self.call(token, "whoami", json!({}))
        };
        assert!([200, 401].contains(&response.status), "{}", text(&response));
        response.status == 200
    }

    fn audited(&self, act: &str) -> i64 {
        self.sim.shard().number("SELECT count(*) FROM audit WHERE act = ?1 AND outcome = 'done'", [act])
    }
}

fn token_in(page: &str) -> Option<String> {
    let start = page.find("pst_").or_else(|| page.find("psu_"))?;
    Some(page[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
}

fn tool_call(path: &str, tool: &str, arguments: Json) -> Request {
    let mut call = request(RequestMethod::Post, APP, path);
    call.headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("accept".to_owned(), "application/json, text/event-stream".to_owned()),
        ("mcp-protocol-version".to_owned(), "2025-11-25".to_owned()),
    ];
    call.body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments } })
    .to_string()
    .into_bytes();
    call
}

fn with_token(request: Request, token: &str) -> Request {
    with_header(request, "authorization", Some(&format!("Bearer {token}")))
}

/// The answer without what differs from request to request.
fn plain(response: &Response) -> (u16, Vec<(&'static str, String)>, String) {
    let headers = response.headers.iter().filter(|(name, _)| *name != "x-request-id").cloned().collect();
    (response.status, headers, text(response))
}

fn problem_codes(response: &Response) -> Vec<String> {
    let body: Json = serde_json::from_slice(&response.body).unwrap();
    let problems =
        body["result"]["structuredContent"]["error"]["problems"].as_array().cloned().unwrap_or_default();
    problems.iter().map(|problem| problem["code"].as_str().unwrap().to_owned()).collect()
}

const ADDRESS: Wish<'static> = Wish { kind: "address", ..WRITER };

#[test]
fn they_are_off_until_an_owner_switches_them_on() {
    let world = World::with("off");
    let page = text(&world.page(&world.owner));
    assert!(page.contains("Off: no token works") && !page.contains("Make the token"));
    let id = "grt_00000000000000000000000000";
    let refused = world.ask_with(&world.owner, id, &WRITER);
    assert_eq!(refused.status, 400);
    assert_eq!(world.sim.shard().number("SELECT count(*) FROM personal_token", []), 0);

    let (_, editor) = world.member(Role::Editor);
    assert!(text(&world.page(&editor)).contains("switched off"));
    assert_eq!(world.set(&world.owner, "header").status, 303);
    assert!(text(&world.page(&editor)).contains("Make the token"));
    assert_eq!(world.audited("set_personal_tokens"), 1);
}

#[test]
fn only_owners_set_it_and_only_after_a_fresh_sign_in() {
    let world = World::with("off");
    for role in [Role::Admin, Role::Editor, Role::Viewer] {
        let (_, browser) = world.member(role);
        assert_eq!(world.set(&browser, "header").status, 403, "{role:?}");
        assert!(!text(&world.page(&browser)).contains("name=\"setting\""), "{role:?}");
    }
    world.sim.clock.advance_seconds(300);
    assert_eq!(
        world.set(&world.owner, "header").header("location"),
        Some("/sign-in?again=1&next=%2Facme%2Ftokens")
    );
    assert_eq!(world.set(&world.owner, "nonsense").status, 400);
    let unforged = world.owner.post("/acme/tokens/setting", &[("setting", "header")]);
    assert_eq!(world.send(unforged).status, 403);
    assert_eq!(world.audited("set_personal_tokens"), 0);

    let fresh = signed_in(&world.sim, &world.company);
    assert_eq!(world.set(&fresh, "header_and_address").status, 303);
    world.sim.clock.advance_seconds(300);
    assert_eq!(world.set(&fresh, "header").status, 303, "allowing less needs none");
    assert_eq!(
        world.set(&fresh, "header_and_address").header("location"),
        Some("/sign-in?again=1&next=%2Facme%2Ftokens")
    );
}

#[test]
fn one_is_shown_once_and_stored_as_a_hash() {
    let world = World::with("header");
    let token = world.make(&world.owner, &WRITER);
    assert!(!text(&world.page(&world.owner)).contains("pst_"));
    let tables = world.sim.shard().query("SELECT name FROM sqlite_master WHERE type = 'table'", []);
    for table in tables {
        let table: String = table.get("name").unwrap();
        for (column, _) in crate::tenants::columns(world.sim.shard(), &table) {
            let found = format!(
                "SELECT count(*) FROM {table} WHERE instr({column}, ?1) > 0 OR instr({column}, ?2) > 0"
            );
            let without_prefix = &token[4..];
            assert_eq!(world.sim.shard().number(&found, [&token, without_prefix]), 0, "{table}.{column}");
        }
    }
    assert_eq!(world.audited("create_personal_token"), 1);
}

#[test]
fn one_can_be_found_in_files_and_told_from_what_only_looks_like_one() {
    let world = World::with("header_and_address");
    let made = [world.make(&world.owner, &WRITER), world.make(&world.owner, &ADDRESS)];
    for token in &made {
        let (prefix, letters) = token.split_at(4);
        assert!(["pst_", "psu_"].contains(&prefix));
        assert!(
            letters.len() == 59
                && letters.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
        );
    }
    // A wrong letter is seen without asking the database, which here would not answer.
    for position in [4, 20, 55, 56, 62] {
        let mut wrong = made[0].clone().into_bytes();
        wrong[position] = if wrong[position] == b'a' { b'b' } else { b'a' };
        world.sim.faults.on_statement("find_personal_token", Fault::LostRequest);
        assert_eq!(
            world.call(&String::from_utf8(wrong).unwrap(), "whoami", json!({})).status,
            401,
            "{position}"
        );
        world.sim.faults.calm();
    }
    world.sim.faults.on_statement("find_personal_token", Fault::LostRequest);
    let unknown = world.call(&made[0], "whoami", json!({}));
    assert_eq!((unknown.status, unknown.header("retry-after")), (503, Some("5")));
    assert!(world.works(&made[0]) && world.works(&made[1]));
}

#[test]
fn one_may_do_what_was_ticked_where_it_was_ticked() {
    let world = World::with("header");
    let elsewhere = world.company.add_workspace(&world.sim, "Elsewhere", "UTC");
    let token = world.make(&world.owner, &WRITER);
    assert_eq!(world.call(&token, "create_post", json!({ "text": "Hello" })).status, 200);
    let step_up = world.call(&token, "list_social_profiles", json!({}));
    assert_eq!(step_up.status, 403);
    assert!(step_up.header("www-authenticate").unwrap().contains("social_profiles:read"));
    let hidden = world.call(&token, "list_posts", json!({ "workspace": elsewhere }));
    assert_eq!(problem_codes(&hidden), ["workspace_not_found"]);
    let by = "SELECT count(*) FROM audit WHERE act = 'create_post' AND user_id = ?1 AND client_id = 'postern:header-token'";
    assert_eq!(world.sim.shard().number(by, [world.company.owner.as_str()]), 1);
}

#[test]
fn a_role_caps_what_one_may_do_at_every_call() {
    let world = World::with("header");
    let (editor, browser) = world.member(Role::Editor);
    let token = world.make(&browser, &WRITER);
    let create = || world.call(&token, "create_post", json!({ "text": "Hello", "allow_duplicate": true }));
    assert_eq!(problem_codes(&create()), [""; 0]);
    let role = |role: &str| {
        world
            .sim
            .shard()
            .execute("UPDATE membership SET role = ?1 WHERE user_id = ?2", [role, editor.as_str()]);
    };
    role("viewer");
    assert_eq!(problem_codes(&create()), ["role_not_allowed"]);
    role("editor");
    world.sim.shard().execute("UPDATE membership SET ended_at = 1 WHERE user_id = ?1", [editor.as_str()]);
    assert!(!world.works(&token));
}

#[test]
fn nobody_can_tick_what_the_role_or_the_kind_does_not_allow() {
    let world = World::with("header_and_address");
    let (_, viewer) = world.member(Role::Viewer);
    let asks = |browser: &Browser, kind, capability| {
        world.ask(browser, &Wish { kind, capabilities: &["workspace:read", capability], ..WRITER }).status
    };
    assert_eq!(asks(&viewer, "header", "posts:write"), 400);
    assert_eq!(asks(&viewer, "header", "posts:read"), 201);
    for capability in
        ["posts:publish", "workflows:read", "workflows:write", "workflows:run", "offline_access"]
    {
        assert_eq!(asks(&world.owner, "address", capability), 400, "{capability}");
    }
    assert_eq!(asks(&world.owner, "header", "posts:publish"), 201);
    assert_eq!(asks(&world.owner, "header", "offline_access"), 400);
    assert_eq!(asks(&world.owner, "address", "posts:write"), 201);
}

#[test]
fn what_an_owner_has_not_switched_on_cannot_be_made() {
    let world = World::with("header");
    let refused = world.ask(&world.owner, &ADDRESS);
    assert_eq!(refused.status, 400);
    assert!(text(&refused).contains("An owner of the organisation has not switched such tokens on."));
    world.sim.shard().execute("UPDATE tenant SET settings = '{\"v\":1,\"personal_tokens\":\"no such\"}'", []);
    let id = "grt_00000000000000000000000000";
    assert_eq!(world.ask_with(&world.owner, id, &WRITER).status, 400, "a setting that is not known is off");
    // Nor when the setting changes between the check and the batch.
    world.set(&world.owner, "header");
    let switches_off =
        "CREATE TRIGGER off AFTER INSERT ON app_entry BEGIN UPDATE tenant SET settings = '{\"v\":1}'; END";
    world.sim.shard().execute(switches_off, []);
    assert_eq!(world.ask_with(&world.owner, id, &WRITER).status, 400);
    assert_eq!(world.sim.shard().number("SELECT count(*) FROM oauth_grant", []), 1, "the company's own");
}

#[test]
fn how_one_is_presented_is_asked_where_there_is_a_choice() {
    for (setting, choice) in [("header", false), ("header_and_address", true)] {
        let world = World::with(setting);
        let page = text(&world.page(&world.owner));
        let offers = |kind: &str| page.contains(&format!("<option value=\"{kind}\""));
        assert!(page.contains("Make the token"));
        assert_eq!((offers("header"), offers("address")), (choice, choice), "{setting}");
    }
}

#[test]
fn their_kinds_stand_under_connected_apps() {
    let world = World::with("header_and_address");
    world.make(&world.owner, &WRITER);
    world.make(&world.owner, &ADDRESS);
    let page = text(&run(serve(&world.sim.platform(), world.owner.get("/acme/apps"))));
    assert!(page.contains("Personal access tokens") && page.contains("Tokens in addresses"), "{page}");
}

#[test]
fn a_name_of_60_characters_is_taken() {
    let world = World::with("header");
    world.make(&world.owner, &Wish { label: &"\u{e9}".repeat(60), ..WRITER });
}

#[test]
fn one_that_is_revoked_lists_no_tools_either() {
    let world = World::with("header");
    let token = world.make(&world.owner, &WRITER);
    let lists = || {
        let mut request = tool_call("/acme/mcp", "", json!({}));
        request.body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} })
            .to_string()
            .into_bytes();
        world.send(with_token(request, &token)).status
    };
    assert_eq!(lists(), 200);
    let find = "SELECT grant_id FROM personal_token";
    let grant: String = world.sim.shard().query(find, [])[0].get("grant_id").unwrap();
    assert_eq!(world.post(&world.owner, &format!("/acme/tokens/{grant}/revoke"), &[]).status, 303);
    assert_eq!(lists(), 401);
}

#[test]
fn a_form_that_is_not_right_makes_nothing_and_says_why() {
    let world = World::with("header_and_address");
    let long = "x".repeat(61);
    for (wish, words) in [
        (Wish { label: "", ..WRITER }, "Give the token a name"),
        (Wish { label: " \u{0} ", ..WRITER }, "Give the token a name"),
        (Wish { label: &long, ..WRITER }, "Give the token a name"),
        (Wish { capabilities: &[], ..WRITER }, "Tick at least one thing"),
        (Wish { capabilities: &["nonsense"], ..WRITER }, "Tick at least one thing"),
        (Wish { days: "366", ..WRITER }, "Choose how long"),
        (Wish { days: "0", ..WRITER }, "Choose how long"),
        (Wish { days: "-1", ..WRITER }, "Choose how long"),
        (Wish { days: "", ..WRITER }, "Choose how long"),
        (Wish { days: "180", ..ADDRESS }, "90 days at most"),
    ] {
        let refused = world.ask(&world.owner, &wish);
        assert_eq!(refused.status, 400, "{words}");
        assert!(text(&refused).contains(words), "{words}");
    }
    let no_workspace = [
        ("id", "grt_00000000000000000000000000"),
        ("label", "x"),
        ("days", "30"),
        ("capability", "posts:read"),
    ];
    assert_eq!(world.post(&world.owner, "/acme/tokens", &no_workspace).status, 400);
    let globex = Company::found(&world.sim, "globex");
    let mut elsewhere = no_workspace.to_vec();
    let other = globex.workspace.to_string();
    elsewhere.push(("workspace", &other));
    let refused = world.post(&world.owner, "/acme/tokens", &elsewhere);
    assert_eq!(refused.status, 400);
    assert!(text(&refused).contains("Tick at least one workspace."));
    assert_eq!(world.sim.shard().number("SELECT count(*) FROM personal_token", []), 0);
}

#[test]
fn a_form_that_is_sent_twice_makes_one() {
    let world = World::with("header");
    let id = world.form_id(&world.owner);
    assert_eq!(world.ask_with(&world.owner, &id, &WRITER).status, 201);
    let again = world.ask_with(&world.owner, &id, &WRITER);
    assert_eq!((again.status, text(&again).contains("sent before")), (400, true));
    assert_eq!(world.sim.shard().number("SELECT count(*) FROM personal_token", []), 1);
}

#[test]
fn making_one_needs_a_fresh_sign_in_and_its_own_form() {
    let world = World::with("header");
    let unforged = world.owner.post("/acme/tokens", &[("label", "x")]);
    assert_eq!(world.send(unforged).status, 403);
    world.sim.clock.advance_seconds(300);
    let late = world.ask(&world.owner, &WRITER);
    assert_eq!(late.header("location"), Some("/sign-in?again=1&next=%2Facme%2Ftokens"));
    assert_eq!(world.sim.shard().number("SELECT count(*) FROM personal_token", []), 0);
}

#[test]
fn each_kind_is_refused_where_the_other_belongs() {
    let world = World::with("header_and_address");
    let (header, address) = (world.make(&world.owner, &WRITER), world.make(&world.owner, &ADDRESS));
    assert!(world.works(&header) && world.works(&address));
    assert_eq!(world.call(&address, "whoami", json!({})).status, 401);
    assert_eq!(world.call_by_address(&header, "whoami", json!({})).status, 401);
    // Not even with the other's prefix.
    let swap = |token: &str, prefix: &str| format!("{prefix}{}", &token[4..]);
    assert_eq!(world.call(&swap(&address, "pst_"), "whoami", json!({})).status, 401);
    assert_eq!(world.call_by_address(&swap(&header, "psu_"), "whoami", json!({})).status, 401);
    let both = with_token(tool_call(&format!("/acme/mcp/{address}"), "whoami", json!({})), &header);
    assert_eq!(world.send(both).status, 401, "two credentials");
    // No database is asked about one that stands in the wrong place.
    world.sim.faults.set_odds(Odds { lost_request: 1000, ..Odds::CALM });
    assert_eq!(world.call(&address, "whoami", json!({})).status, 401);
    assert_eq!(world.call_by_address(&header, "whoami", json!({})).status, 401);
}

#[test]
fn a_refusal_repeats_nothing_of_the_address() {
    let world = World::with("header_and_address");
    let token = world.make(&world.owner, &ADDRESS);
    let whoami = |path: &str| tool_call(path, "whoami", json!({}));
    let method = |mut request: Request, method| {
        request.method = method;
        request
    };
    world.set(&world.owner, "off");
    let tries = [
        (401, whoami(&format!("/acme/mcp/{token}"))),
        (401, whoami(&format!("/nobody-here/mcp/{token}"))),
        (404, whoami(&format!("/Not-A-Name/mcp/{token}"))),
        (401, whoami(&format!("/acme/mcp/{token}/"))),
        (404, whoami(&format!("/acme/mcp/{token}/x"))),
        (405, method(whoami(&format!("/acme/mcp/{token}")), RequestMethod::Get)),
        (405, method(whoami(&format!("/acme/mcp/{token}")), RequestMethod::Delete)),
        (204, method(whoami(&format!("/acme/mcp/{token}")), RequestMethod::Options)),
    ];
    for (status, request) in tries {
        let path = request.path.clone();
        let response = world.send(request);
        assert_eq!(response.status, status, "{path}");
        let whole = format!("{:?} {}", response.headers, text(&response));
        assert!(!whole.contains(&token[4..]), "{path}: {whole}");
    }
    let events = serde_json::to_string(&world.sim.events.all()).unwrap();
    assert!(!events.contains(&token[4..]));
}

#[test]
fn switched_off_is_answered_like_never_made() {
    let world = World::with("header_and_address");
    let (header, address) = (world.make(&world.owner, &WRITER), world.make(&world.owner, &ADDRESS));
    let stranger = World::with("off");
    let unknown = plain(&stranger.call(&header, "whoami", json!({})));
    let unknown_address = plain(&stranger.call_by_address(&address, "whoami", json!({})));
    assert_eq!((unknown.0, unknown_address.0), (401, 401));
    world.set(&world.owner, "header");
    assert!(world.works(&header));
    assert_eq!(plain(&world.call_by_address(&address, "whoami", json!({}))), unknown_address);
    world.set(&world.owner, "off");
    assert_eq!(plain(&world.call(&header, "whoami", json!({}))), unknown);
    assert_eq!(plain(&world.call("pst_nonsense", "whoami", json!({}))), unknown);
    assert_eq!(plain(&world.call("not-a-token", "whoami", json!({}))), unknown, "like any other bad token");
    world.set(&signed_in(&world.sim, &world.company), "header_and_address");
    assert!(world.works(&header) && world.works(&address), "they go on");
}

#[test]
fn one_is_for_one_tenant() {
    let world = World::with("header_and_address");
    let globex = Company::found(&world.sim, "globex");
    let on = "UPDATE tenant SET settings = '{\"v\":1,\"personal_tokens\":\"header_and_address\"}'";
    world.sim.shard().execute(on, []);
    let (header, address) = (world.make(&world.owner, &WRITER), world.make(&world.owner, &ADDRESS));
    let theirs = with_token(tool_call("/globex/mcp", "whoami", json!({})), &header);
    assert_eq!(world.send(theirs).status, 401);
    assert_eq!(world.send(tool_call(&format!("/globex/mcp/{address}"), "whoami", json!({}))).status, 401);
    let stranger = signed_in(&world.sim, &globex);
    assert_eq!(world.page(&stranger).status, 404);
    let grant: String =
        world.sim.shard().query("SELECT grant_id FROM personal_token", [])[0].get("grant_id").unwrap();
    for address in
        ["/acme/tokens".to_owned(), "/acme/tokens/setting".to_owned(), format!("/acme/tokens/{grant}/revoke")]
    {
        let status = world.post(&stranger, &address, &[("setting", "off")]).status;
        assert_eq!(status, 404, "{address}");
    }
    assert_eq!(world.post(&stranger, &format!("/globex/tokens/{grant}/revoke"), &[]).status, 404);
    assert!(world.works(&header) && world.works(&address));
}

#[test]
fn one_in_an_address_does_nothing_that_cannot_be_taken_back() {
    let world = World::with("header_and_address");
    let capabilities = ["workspace:read", "posts:read", "posts:write", "social_profiles:read"];
    let address = world.make(&world.owner, &Wish { capabilities: &capabilities, ..ADDRESS });
    let made =
        world.call_by_address(&address, "create_post", json!({ "text": "Hello", "profiles": ["all"] }));
    let made: Json = serde_json::from_slice(&made.body).unwrap();
    let post = made["result"]["structuredContent"]["post_id"].as_str().unwrap().to_owned();
    for (tool, arguments) in [
        ("delete_post", json!({ "post_id": post })),
        ("publish_post", json!({ "post_id": post })),
        ("retry_post", json!({ "post_id": post })),
        ("change_posts", json!({ "post_ids": [post], "delete": true })),
    ] {
        let refused = world.call_by_address(&address, tool, arguments);
        assert!(
            refused.status == 403 || problem_codes(&refused) == ["not_by_address"],
            "{tool}: {} {}",
            refused.status,
            text(&refused)
        );
    }
    let now = world.call_by_address(&address, "schedule_post", json!({ "post_id": post, "when": "now" }));
    assert_eq!(now.status, 403, "publishing at once needs posts:publish");
    let later = world.call_by_address(&address, "schedule_post", json!({ "post_id": post, "when": "P2D" }));
    assert_eq!(problem_codes(&later), [""; 0], "{}", text(&later));
    assert_eq!(world.sim.shard().number("SELECT count(*) FROM post_group WHERE deleted_at IS NULL", []), 1);
    let refusals = "SELECT count(*) FROM audit WHERE act = 'delete_post' AND outcome = 'not_by_address'";
    assert_eq!(world.sim.shard().number(refusals, []), 1);
}

#[test]
fn one_ends_when_it_was_said_to() {
    for (days, wish) in [(365, Wish { days: "365", ..WRITER }), (90, Wish { days: "90", ..ADDRESS })] {
        let world = World::with("header_and_address");
        let token = world.make(&world.owner, &wish);
        world.sim.clock.advance_seconds(days * DAY - 1);
        assert!(world.works(&token), "{days}");
        world.sim.clock.advance_seconds(1);
        assert!(!world.works(&token), "{days}");
        let page = text(&world.page(&signed_in(&world.sim, &world.company)));
        assert!(page.contains("expired") && !page.contains("Revoke Nightly"));
    }
}

#[test]
fn revoking_ends_one_at_once_and_no_other() {
    let world = World::with("header");
    let (_, editor) = world.member(Role::Editor);
    let (_, other) = world.member(Role::Viewer);
    let (_, admin) = world.member(Role::Admin);
    let (first, second) = (world.make(&editor, &WRITER), world.make(&editor, &WRITER));
    let grants: Vec<String> = world
        .sim
        .shard()
        .query("SELECT p.grant_id FROM personal_token p JOIN oauth_grant g USING (tenant_id, grant_id) ORDER BY g.created_at, p.grant_id", [])
        .iter()
        .map(|row| row.get("grant_id").unwrap())
        .collect();
    let revoke = |browser: &Browser, grant: &str| {
        world.post(browser, &format!("/acme/tokens/{grant}/revoke"), &[]).status
    };
    for grant in [&grants[0], "grt_00000000000000000000000000", "nonsense", world.company.grant.id.as_str()] {
        assert_eq!(revoke(&other, grant), 404, "{grant}");
    }
    assert_eq!(revoke(&admin, world.company.grant.id.as_str()), 404, "an app's grant is no token");
    let unforged = editor.post(&format!("/acme/tokens/{}/revoke", grants[0]), &[]);
    assert_eq!(world.send(unforged).status, 403);
    assert!(world.works(&first) && world.works(&second));
    assert_eq!(revoke(&editor, &grants[0]), 303);
    assert_ne!(world.works(&first), world.works(&second), "one of them is over");
    assert_eq!(revoke(&editor, &grants[0]), 303, "again changes nothing");
    assert_eq!(world.audited("revoke_personal_token"), 1, "and is no line");
    assert_eq!(revoke(&admin, &grants[1]), 303);
    assert!(!world.works(&first) && !world.works(&second));
    assert!(text(&world.page(&editor)).contains("revoked"));
}

#[test]
fn people_see_their_own_and_managers_all() {
    let world = World::with("header");
    let (_, editor) = world.member(Role::Editor);
    world.make(&editor, &Wish { label: "<b>theirs</b>", ..WRITER });
    world.make(&world.owner, &Wish { label: "mine", ..WRITER });
    let (_, admin) = world.member(Role::Admin);
    let sees = |browser: &Browser| {
        let page = text(&world.page(browser));
        assert!(!page.contains("<b>theirs"), "names are text");
        (page.contains("theirs"), page.contains("mine"))
    };
    assert_eq!(sees(&editor), (true, false));
    assert_eq!(sees(&world.owner), (true, true));
    assert_eq!(sees(&admin), (true, true));
    let caller = world.company.member(&world.sim, &world.company.owner);
    let listed = run(postern::oauth::personal_tokens(&caller)).unwrap();
    let labels: BTreeSet<&str> = listed.iter().map(|token| token.label.as_str()).collect();
    assert_eq!(labels, BTreeSet::from(["<b>theirs</b>", "mine"]));
    let expected = Scopes::of(&[Scope::WorkspaceRead, Scope::PostsRead, Scope::PostsWrite]);
    assert!(
        listed
            .iter()
            .all(|token| token.scopes == expected && token.workspaces == ["Main"] && !token.in_address)
    );
}

#[test]
fn last_use_is_written_once_an_hour() {
    let world = World::with("header");
    let token = world.make(&world.owner, &WRITER);
    let used = || {
        let rows = world
            .sim
            .shard()
            .query("SELECT used_at FROM oauth_grant WHERE client_id = 'postern:header-token'", []);
        rows[0].get::<Option<i64>>("used_at").unwrap()
    };
    assert_eq!(used(), None);
    assert!(world.works(&token));
    let first = used().unwrap();
    world.sim.clock.advance_seconds(3599);
    assert!(world.works(&token));
    assert_eq!(used(), Some(first));
    world.sim.clock.advance_seconds(1);
    assert!(world.works(&token));
    assert_eq!(used(), Some(first + 3_600_000));
}

#[test]
fn guesses_are_counted_by_address_before_anything_is_looked_up() {
    let world = World::with("header_and_address");
    let (header, address) = (world.make(&world.owner, &WRITER), world.make(&world.owner, &ADDRESS));
    let oauth = with_token(tool_call("/acme/mcp", "whoami", json!({})), "a.b.c");
    assert_eq!(world.send(oauth).status, 401);
    assert_eq!(world.sim.limits.visitors(Door::Mcp), [], "what is no personal token is not looked up");
    world.sim.limits.set(Door::Mcp, 2);
    assert_eq!(world.call(&format!("{}x", &header[..62]), "whoami", json!({})).status, 401);
    assert_eq!(world.call_by_address("x", "whoami", json!({})).status, 401);
    let turned_away = world.call(&header, "whoami", json!({}));
    assert_eq!((turned_away.status, turned_away.header("retry-after")), (429, Some("60")));
    assert_eq!(world.call_by_address(&address, "whoami", json!({})).status, 429);
    world.sim.clock.advance_seconds(60);
    assert!(world.works(&header));
}

#[test]
fn one_is_nothing_to_the_authorization_server() {
    let world = World::with("header");
    let token = world.make(&world.owner, &WRITER);
    let client = "postern%3Aheader-token";
    for (path, body) in [
        ("/token", format!("grant_type=refresh_token&refresh_token={token}&client_id={client}")),
        ("/token", format!("grant_type=authorization_code&code={token}&code_verifier=x&client_id={client}")),
        ("/revoke", format!("token={token}&client_id={client}")),
    ] {
        let mut form = request(RequestMethod::Post, APP, path);
        form.headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        form.body = body.into_bytes();
        let response = world.send(form);
        let told: Json = serde_json::from_slice(&response.body).unwrap();
        assert_eq!((response.status, &told["error"]), (401, &json!("invalid_client")), "{path}");
    }
    let wish = world.owner.get(&format!("/authorize?response_type=code&client_id={client}"));
    assert_eq!(world.send(wish).status, 400);
    assert!(world.works(&token));
}

#[test]
fn rows_go_with_their_grant() {
    let world = World::with("header");
    world.make(&world.owner, &WRITER);
    world
        .sim
        .shard()
        .execute("DELETE FROM oauth_grant WHERE client_id = ?1", params!["postern:header-token"]);
    assert_eq!(world.sim.shard().number("SELECT count(*) FROM personal_token", []), 0);
    assert_eq!(
        world.sim.shard().number("SELECT count(*) FROM app_entry WHERE client_id LIKE 'postern:%'", []),
        0
    );
}
