//! Profiles: how they are named, connected and kept signed in.

use std::{cell::RefCell, rc::Rc};

use postern::{
    desk::{
        Code, Fix, Problem, Problems, ProfileId, Refusal, Role, Scope, Scopes, ToolEntry, UserId, WorkspaceId,
    },
    http::{Request, RequestMethod, Response},
    identity,
    networks::{Account, ErrorClass, Network, NetworkError, Session},
    platform::{HttpFault, Later},
    profiles::{self, Profile, ProfileState, TOOLS},
};
use rusqlite::params;
use serde_json::{Value, json};

use crate::{
    networks::pds::{self, ORIGIN, PASSWORD, Pds},
    sim::{Fault, Incoming, Port, Random, Reply, Sim, interleave, run, run_until_crash, world::Company},
};

const ANNA: &str = "anna.example";
const BOB: &str = "bob.example";

fn world() -> (Sim, Company, Rc<Pds>) {
    let sim = Sim::new(11);
    let company = Company::found(&sim, "acme");
    let pds = Pds::new(&sim.clock, &[ANNA, BOB]);
    sim.web.set_peer(pds.clone());
    (sim, company, pds)
}

fn call_as(caller: &postern::desk::Caller<'_>, tool: &str, arguments: Value) -> Result<Value, Refusal> {
    let entry: &ToolEntry = TOOLS.iter().find(|entry| entry.name == tool).expect("a tool of profiles");
    run(entry.call(caller, arguments)).map(|text| serde_json::from_str(&text).unwrap())
}

fn call(sim: &Sim, company: &Company, tool: &str, arguments: Value) -> Value {
    call_as(&company.caller(sim), tool, arguments).unwrap()
}

fn problem(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Problems(mut problems) => problems.remove(0),
        other => panic!("{other:?}"),
    }
}

/// The path of the page that connects this.
fn ask(sim: &Sim, company: &Company, arguments: Value) -> String {
    let answer = call(sim, company, "connect_social_profile", arguments);
    let url = answer["connect_url"].as_str().unwrap();
    url.strip_prefix(&sim.config.public_origin).unwrap().to_owned()
}

fn session_of(user: &UserId) -> identity::Session {
    identity::Session {
        session_id: "ses_00000000000000000000000000".parse().unwrap(),
        method: identity::SignInMethod::Link,
        only: None,
        user_id: user.clone(),
        name: "Anna".to_owned(),
        email: "anna@acme.example".to_owned(),
        hash: "a-hash".to_owned(),
        signed_in_at: crate::sim::BEGIN,
    }
}

fn request(method: RequestMethod, path: &str, body: String) -> Request {
    let headers = [("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")];
    Request {
        method,
        host: "localhost:8790".to_owned(),
        path: path.to_owned(),
        query: String::new(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: body.into_bytes(),
        peer: "192.0.2.1".to_owned(),
    }
}

fn open_as(sim: &Sim, company: &Company, user: &UserId, path: &str) -> Response {
    let request = request(RequestMethod::Get, path, String::new());
    let id = request.segments()[2].to_owned();
    run(profiles::connect_page(&sim.platform(), &request, &company.tenant, &session_of(user), &id))
}

fn open(sim: &Sim, company: &Company, path: &str) -> Response {
    open_as(sim, company, &company.owner, path)
}

fn submit_as(sim: &Sim, company: &Company, user: &UserId, path: &str, fields: &[(&str, &str)]) -> Response {
    let session = session_of(user);
    let csrf = session.csrf(&sim.config);
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("csrf", &csrf).extend_pairs(fields);
    let request = request(RequestMethod::Post, path, form.finish());
    let id = request.segments()[2].to_owned();
    run(profiles::connect_submit(&sim.platform(), &request, &company.tenant, &session, &id))
}

fn submit(sim: &Sim, company: &Company, path: &str, fields: &[(&str, &str)]) -> Response {
    submit_as(sim, company, &company.owner, path, fields)
}

fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

const ANNA_SIGNS_IN: [(&str, &str); 3] = [("server", ORIGIN), ("handle", ANNA), ("app_password", PASSWORD)];

/// Connects Anna's account and gives its profile.
fn connect_anna(sim: &Sim, company: &Company) -> Profile {
    let path = ask(sim, company, json!({ "network": "bluesky" }));
    assert_eq!(submit(sim, company, &path, &ANNA_SIGNS_IN).status, 303);
    bluesky_profile(sim, company)
}

fn all_profiles(sim: &Sim, company: &Company) -> Vec<Profile> {
    let caller = company.caller(sim);
    run(caller.read(vec![profiles::in_sight(&caller)])).unwrap().next_as().unwrap()
}

fn bluesky_profile(sim: &Sim, company: &Company) -> Profile {
    let found = all_profiles(sim, company);
    found.into_iter().find(|profile| profile.account.network == Network::Bluesky).unwrap()
}

fn session(sim: &Sim, company: &Company, profile: &Profile) -> Result<Option<Session>, NetworkError> {
    run(profiles::session(&sim.platform(), sim.shard(), &company.tenant.id, profile))
}

fn renew(
    sim: &Sim,
    company: &Company,
    profile: &Profile,
    over: &Session,
) -> Result<Option<Session>, NetworkError> {
    run(profiles::renew_session(&sim.platform(), sim.shard(), &company.tenant.id, profile, over))
}

fn secrets(sim: &Sim) -> Vec<(String, String)> {
    let rows = sim.shard().query("SELECT kind, sealed FROM profile_secret ORDER BY kind", []);
    rows.iter().map(|row| (row.get("kind").unwrap(), row.get("sealed").unwrap())).collect()
}

fn count(pds: &Pds, method: &str) -> usize {
    pds.calls().iter().filter(|called| *called == method).count()
}

const SIGN_IN: &str = "com.atproto.server.createSession";
const REFRESH: &str = "com.atproto.server.refreshSession";

// Choosing

struct Cast {
    here: WorkspaceId,
    profiles: Vec<Profile>,
}

impl Cast {
    /// News on the Wall and on Bluesky, Jobs on the Wall, one that was disconnected, and one of another workspace.
    fn new() -> Self {
        let sim = Sim::new(1);
        let company = Company::found(&sim, "acme");
        let elsewhere = company.add_workspace(&sim, "Elsewhere", "UTC");
        let profile = |workspace: &WorkspaceId, network, handle: &str, name: &str, state| {
            let id = ProfileId::new(sim.platform().now(), &sim.entropy);
            Profile {
                account: Account {
                    profile_id: id.clone(),
                    network,
                    handle: handle.to_owned(),
                    remote_id: handle.to_owned(),
                    server: None,
                },
                id,
                workspace_id: workspace.clone(),
                name: name.to_owned(),
                state,
                state_why: None,
                pause: None,
            }
        };
        let here = company.workspace;
        let profiles = vec![
            profile(&here, Network::Wall, "news", "Acme News", ProfileState::Healthy),
            profile(&here, Network::Wall, "jobs", "Work at Acme", ProfileState::Healthy),
            profile(&here, Network::Bluesky, "Acme.bsky.social", "News", ProfileState::Reauthorise),
            profile(&here, Network::Wall, "old", "Old", ProfileState::Disconnected),
            profile(&elsewhere, Network::Wall, "secret", "Secret", ProfileState::Healthy),
        ];
        Self { here, profiles }
    }

    fn choose(&self, wanted: &[&str]) -> Result<Vec<usize>, Vec<Problem>> {
        let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        let mut problems = Problems::default();
        let chosen = profiles::choose(&self.profiles, &self.here, &wanted, "profiles", &mut problems);
        if !problems.is_empty() {
            return Err(problems.into_vec());
        }
        let place = |one: &&Profile| self.profiles.iter().position(|profile| profile == *one).unwrap();
        Ok(chosen.iter().map(place).collect())
    }
}

#[test]
fn a_profile_answers_to_its_id_handle_network_and_name_in_any_case() {
    let cast = Cast::new();
    let id = cast.profiles[1].id.to_string();
    let upper = id.to_uppercase();
    let table: Vec<(Vec<&str>, Vec<usize>)> = vec![
        (vec!["jobs"], vec![1]),
        (vec!["@jobs"], vec![1]),
        (vec![" @JOBS "], vec![1]),
        (vec![&id], vec![1]),
        (vec![&upper], vec![1]),
        (vec!["work at acme"], vec![1]),
        (vec!["bluesky"], vec![2]),
        (vec!["Bluesky"], vec![2]),
        (vec!["@acme.bsky.social"], vec![2]),
        (vec!["acme news"], vec![0]),
        (vec!["all"], vec![0, 1, 2]),
        (vec!["ALL", "jobs"], vec![0, 1, 2]),
        (vec!["jobs", "@jobs", &id], vec![1]),
        (vec!["bluesky", "jobs"], vec![2, 1]),
        (vec![], vec![]),
    ];
    for (wanted, expected) in table {
        assert_eq!(cast.choose(&wanted), Ok(expected), "{wanted:?}");
    }
}

#[test]
fn an_ambiguous_name_is_refused_with_its_candidates() {
    let cast = Cast::new();
    let problems = cast.choose(&["jobs", "wall", "news"]).unwrap_err();
    let told: Vec<(Code, &str)> =
        problems.iter().map(|problem| (problem.code, problem.field.as_str())).collect();
    assert_eq!(told, [(Code::AmbiguousProfile, "profiles[1]"), (Code::AmbiguousProfile, "profiles[2]")]);
    for place in [0, 1] {
        let profile = &cast.profiles[place];
        assert!(problems[0].message.contains(&format!("@{}", profile.account.handle)));
        assert!(problems[0].hint.contains(profile.id.as_str()));
    }
    // Nobody can tell which Wall was meant; of what is called "news", one has it as its handle.
    assert_eq!(problems[0].fix, None);
    assert_eq!(problems[1].fix, Some(Fix::Set(json!(cast.profiles[0].id))));
}

#[test]
fn an_unknown_name_is_refused_alike_wherever_it_may_exist() {
    let cast = Cast::new();
    let elsewhere = cast.profiles[4].id.to_string();
    let answers: Vec<Problem> = ["secret", &elsewhere, "old", "prf_00000000000000000000000000", "nobody", ""]
        .iter()
        .map(|wanted| cast.choose(&[wanted]).unwrap_err().remove(0))
        .collect();
    assert_eq!(answers[0].code, Code::SocialProfileRejected);
    assert!(answers[0].hint.contains("@news (wall, "));
    assert!(!answers[0].hint.contains("secret") && !answers[0].hint.contains("@old"));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
}

#[test]
fn a_name_that_is_nearly_right_is_refused_with_the_right_one() {
    let cast = Cast::new();
    let problem = cast.choose(&["@acme.bsky"]).unwrap_err().remove(0);
    assert_eq!(problem.fix, Some(Fix::Set(json!(cast.profiles[2].id))));
}

#[test]
fn where_nothing_is_connected_even_all_says_how_to_connect() {
    let cast = Cast { profiles: Vec::new(), ..Cast::new() };
    for wanted in ["all", "wall"] {
        let problem = cast.choose(&[wanted]).unwrap_err().remove(0);
        assert_eq!(problem.next.unwrap().tool, "connect_social_profile");
    }
}

// Tools

#[test]
fn profiles_are_listed_with_their_health_and_the_call_that_mends_it() {
    let (sim, company, _) = world();
    let profile = connect_anna(&sim, &company);
    run(profiles::mark_reauthorise(
        sim.shard(),
        &company.tenant.id,
        &profile,
        "The app password was removed.",
    ))
    .unwrap();
    let listed = call(&sim, &company, "list_social_profiles", json!({}));
    let sick = &listed["profiles"][1];
    assert_eq!(sick["state"], "reauthorise");
    assert_eq!(sick["why"], "The app password was removed.");
    assert_eq!(listed["profiles"][0]["state"], "healthy");
    assert!(listed["profiles"][0]["next"].is_null());
    let mend =
        call(&sim, &company, sick["next"]["tool"].as_str().unwrap(), sick["next"]["arguments"].clone());
    let path = mend["connect_url"].as_str().unwrap().strip_prefix(&sim.config.public_origin).unwrap();
    assert_eq!(submit(&sim, &company, path, &ANNA_SIGNS_IN).status, 303);
    let healthy = bluesky_profile(&sim, &company);
    assert_eq!((healthy.id, healthy.state, healthy.state_why), (profile.id, ProfileState::Healthy, None));
}

#[test]
fn a_list_goes_on_where_its_page_ended_and_shows_each_profile_once() {
    let (sim, company, _) = world();
    for number in 0..4 {
        company.add_wall(&sim, &company.workspace, &format!("wall-{number}"));
    }
    let hidden = company.add_workspace(&sim, "Hidden", "UTC");
    company.add_wall(&sim, &hidden, "hidden");
    let mut seen = Vec::new();
    let mut arguments = json!({ "limit": 2 });
    loop {
        let page = call(&sim, &company, "list_social_profiles", arguments.clone());
        let handles = page["profiles"].as_array().unwrap().clone();
        assert!(handles.len() <= 2);
        seen.extend(handles.iter().map(|profile| profile["handle"].as_str().unwrap().to_owned()));
        match page.get("next_cursor") {
            Some(cursor) => arguments["cursor"] = cursor.clone(),
            None => break,
        }
    }
    seen.sort();
    assert_eq!(seen, ["acme", "wall-0", "wall-1", "wall-2", "wall-3"]);
    // A cursor fits no other list.
    arguments["workspace"] = json!("Main");
    let refusal = call_as(&company.caller(&sim), "list_social_profiles", arguments).unwrap_err();
    assert_eq!(problem(refusal).code, Code::CursorInvalid);
}

#[test]
fn connecting_answers_an_address_and_no_tool_takes_a_secret() {
    let (sim, company, _) = world();
    let answer = call(&sim, &company, "connect_social_profile", json!({ "network": "bluesky" }));
    let url = answer["connect_url"].as_str().unwrap();
    assert!(url.starts_with("http://localhost:8790/acme/connect/con_"), "{url}");
    assert!(answer["tell_the_person"].as_str().unwrap().contains(url));
    assert_eq!(answer["expires"]["utc"], "2026-11-20T10:00:00Z");
    assert_eq!(answer["next"]["tool"], "list_social_profiles");
    for tool in TOOLS {
        let schema = serde_json::to_string(&(tool.input_schema)()).unwrap();
        assert!(!schema.contains("password\""), "{}", tool.name);
    }
}

#[test]
fn connecting_needs_its_capability_and_a_ticked_workspace() {
    let (sim, company, _) = world();
    let reader = company.add_grant(
        &sim,
        &company.owner,
        Scopes::of(&[Scope::SocialProfilesRead]),
        &[&company.workspace],
    );
    let refusal =
        call_as(&company.caller_by(&sim, &reader), "connect_social_profile", json!({ "network": "wall" }));
    assert!(matches!(refusal, Err(Refusal::InsufficientScope(_))));
    let hidden = company.add_workspace(&sim, "Hidden", "UTC");
    let arguments = json!({ "network": "wall", "workspace": hidden });
    let refusal = call_as(&company.caller(&sim), "connect_social_profile", arguments).unwrap_err();
    assert_eq!(problem(refusal).code, Code::WorkspaceNotFound);
    let arguments = json!({ "network": "bluesky", "reconnect": company.wall });
    let refusal = call_as(&company.caller(&sim), "connect_social_profile", arguments).unwrap_err();
    assert_eq!(problem(refusal).code, Code::SocialProfileRejected);
    assert_eq!(sim.shard().number("SELECT count(*) FROM connect_request", []), 0);
}

// The page

#[test]
fn the_page_shows_what_is_connected_where_and_is_framed_and_cached_by_nobody() {
    let (sim, company, _) = world();
    let path = ask(&sim, &company, json!({ "network": "bluesky" }));
    let page = open(&sim, &company, &path);
    assert_eq!(page.status, 200);
    let html = text(&page);
    for shown in ["acme", "Main", "Bluesky", "app password", "main password", "https://bsky.social"] {
        assert!(html.contains(shown), "{shown}");
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
}

#[test]
fn a_wall_is_made_with_a_handle_and_a_name() {
    let (sim, company, _) = world();
    let path = ask(&sim, &company, json!({ "network": "wall" }));
    let done = submit(&sim, &company, &path, &[("handle", " @Acme-News "), ("name", "Acme <b>News</b>")]);
    assert_eq!((done.status, done.header("location")), (303, Some(path.as_str())));
    let html = text(&open(&sim, &company, &path));
    assert!(html.contains("@acme-news is connected"));
    assert!(!html.contains("<b>News") && html.contains("News"), "what was typed is text: {html}");
    let listed = call(&sim, &company, "list_social_profiles", json!({}));
    assert_eq!(listed["profiles"][1]["handle"], "acme-news");
    assert_eq!(listed["profiles"][1]["state"], "healthy");
}

#[test]
fn a_wall_whose_handle_or_name_cannot_be_is_refused_beside_the_field() {
    let (sim, company, _) = world();
    let path = ask(&sim, &company, json!({ "network": "wall" }));
    let table = [
        (("acme", "Taken"), "handle-fault", "taken"),
        (("a", "Short"), "handle-fault", "2 to 40"),
        (("-acme", "Hyphen"), "handle-fault", "hyphen"),
        (("acme news", "Space"), "handle-fault", "2 to 40"),
        (("../media", "Path"), "handle-fault", "2 to 40"),
        (("fine", ""), "name-fault", "1 to 100"),
    ];
    for ((handle, name), place, words) in table {
        let page = submit(&sim, &company, &path, &[("handle", handle), ("name", name)]);
        assert_eq!(page.status, 422, "{handle}");
        let html = text(&page);
        assert!(html.contains(&format!("id=\"{place}\"")) && html.contains(words), "{handle}: {html}");
        assert!(html.contains(&format!("value=\"{name}\"")), "what was typed stays");
    }
    assert_eq!(all_profiles(&sim, &company).len(), 1);
    assert_eq!(submit(&sim, &company, &path, &[("handle", "fine"), ("name", "Fine")]).status, 303);
}

#[test]
fn a_bluesky_account_is_connected_with_its_secrets_sealed() {
    let (sim, company, _) = world();
    let path = ask(&sim, &company, json!({ "network": "bluesky" }));
    let typed = [
        ("server", "pds.example/"),
        ("handle", "\u{202a}@anna.example\u{202c} "),
        ("app_password", PASSWORD),
    ];
    assert_eq!(submit(&sim, &company, &path, &typed).status, 303);
    let profile = bluesky_profile(&sim, &company);
    assert_eq!(profile.account.handle, ANNA);
    assert_eq!(profile.account.remote_id, pds::did(0));
    assert_eq!(profile.account.server.as_deref(), Some(ORIGIN));
    assert_eq!(profile.state, ProfileState::Healthy);
    let kinds: Vec<String> = secrets(&sim).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["app_password", "session"]);
    for table in ["profile", "profile_secret", "connect_request", "audit"] {
        let stored = format!("{:?}", sim.shard().query(&format!("SELECT * FROM {table}"), []));
        assert!(!stored.contains(PASSWORD) && !stored.contains("eyJ"), "{table} holds a secret in clear");
    }
    let session = session(&sim, &company, &profile).unwrap().unwrap();
    assert!(session.expose().contains("eyJ"));
}

/// What the person typed wrong or the server did, the form, its answer, the field and the words beside it.
type ConnectCase = (&'static str, [&'static str; 3], Option<Reply>, &'static str, &'static str);

#[test]
fn what_goes_wrong_with_a_sign_in_stands_beside_its_field_and_the_secret_is_never_given_back() {
    let table: Vec<ConnectCase> = vec![
        (
            "wrong password",
            [ORIGIN, ANNA, "wrong-pass-word-1234"],
            None,
            "app-password-fault",
            "does not accept",
        ),
        (
            "unknown handle",
            [ORIGIN, "nobody.example", PASSWORD],
            None,
            "app-password-fault",
            "does not accept",
        ),
        (
            "unreachable",
            ["https://nowhere.example", ANNA, PASSWORD],
            None,
            "server-fault",
            "could not be reached",
        ),
        ("private address", ["https://10.0.0.1", ANNA, PASSWORD], None, "server-fault", "not a public host"),
        ("plain http", ["http://pds.example", ANNA, PASSWORD], None, "server-fault", "Only https"),
        (
            "our own host",
            ["http://localhost:8790", ANNA, PASSWORD],
            None,
            "server-fault",
            "not a public host",
        ),
        ("no server", ["", ANNA, PASSWORD], None, "server-fault", "absolute https"),
        ("no handle", [ORIGIN, " ", PASSWORD], None, "handle-fault", "Give the handle"),
        ("no password", [ORIGIN, ANNA, " "], None, "app-password-fault", "Give an app password"),
        (
            "main password",
            [ORIGIN, ANNA, PASSWORD],
            Some(Reply::json(401, &json!({ "error": "AuthFactorTokenRequired" }))),
            "app-password-fault",
            "main password",
        ),
        (
            "another kind of server",
            [ORIGIN, ANNA, PASSWORD],
            Some(Reply::of(200, "text/html", b"<h1>hello</h1>".to_vec())),
            "server-fault",
            "does not answer like",
        ),
        (
            "too many sign-ins",
            [ORIGIN, ANNA, PASSWORD],
            Some(pds::too_many(1, 0)),
            "server-fault",
            "asks to wait",
        ),
        (
            "switched off",
            [ORIGIN, ANNA, PASSWORD],
            Some(Reply::json(400, &json!({ "error": "AccountTakedown", "message": "<script>" }))),
            "handle-fault",
            "switched off",
        ),
    ];
    for (what, [server, handle, password], reply, place, words) in table {
        let (sim, company, pds) = world();
        let path = ask(&sim, &company, json!({ "network": "bluesky" }));
        if let Some(reply) = reply {
            pds.answer_next(SIGN_IN, reply);
        }
        let typed = [("server", server), ("handle", handle), ("app_password", password)];
        let page = submit(&sim, &company, &path, &typed);
        let html = text(&page);
        assert_eq!(page.status, 422, "{what}");
        assert!(html.contains(&format!("id=\"{place}\"")) && html.contains(words), "{what}: {html}");
        assert!(html.contains(&format!("value=\"{handle}\"")), "{what}: what was typed stays");
        assert!(password.trim().is_empty() || !html.contains(password), "{what}: the secret came back");
        assert!(secrets(&sim).is_empty());
        // The address can still be used.
        assert_eq!(submit(&sim, &company, &path, &ANNA_SIGNS_IN).status, 303, "{what}");
    }
}

#[test]
fn an_address_works_once_for_an_hour_and_for_its_own_person() {
    let (sim, company, pds) = world();
    let colleague = company.add_member(&sim, "colleague", Role::Admin);
    let path = ask(&sim, &company, json!({ "network": "bluesky" }));
    let stranger = Company::found(&sim, "globex");
    let not_here = open_as(&sim, &company, &colleague, &path);
    assert_eq!(not_here.status, 404);
    for response in [
        submit_as(&sim, &company, &colleague, &path, &ANNA_SIGNS_IN),
        open_as(&sim, &company, &stranger.owner, &path),
        open(&sim, &stranger, &path),
        open(&sim, &company, "/acme/connect/con_00000000000000000000000000"),
        open(&sim, &company, "/acme/connect/x"),
    ] {
        assert_eq!((response.status, &response.body), (404, &not_here.body));
    }
    assert_eq!(count(&pds, SIGN_IN), 0);
    assert_eq!(submit(&sim, &company, &path, &ANNA_SIGNS_IN).status, 303);
    let again =
        submit(&sim, &company, &path, &[("server", ORIGIN), ("handle", BOB), ("app_password", PASSWORD)]);
    assert_eq!(again.status, 200, "it says that it was used");
    assert_eq!(all_profiles(&sim, &company).len(), 2);

    let late = ask(&sim, &company, json!({ "network": "bluesky" }));
    sim.clock.advance_millis(3_600_000);
    assert_eq!(open(&sim, &company, &late).status, 410);
    assert_eq!(submit(&sim, &company, &late, &ANNA_SIGNS_IN).status, 410);
}

#[test]
fn of_two_who_use_an_address_at_once_one_connects() {
    for seed in 0..30 {
        let (sim, company, _) = world();
        let path = ask(&sim, &company, json!({ "network": "bluesky" }));
        let session = session_of(&company.owner);
        let csrf = session.csrf(&sim.config);
        let requests = [ANNA, BOB].map(|handle| {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("csrf", &csrf).extend_pairs([
                ("server", ORIGIN),
                ("handle", handle),
                ("app_password", PASSWORD),
            ]);
            request(RequestMethod::Post, &path, form.finish())
        });
        let id = requests[0].segments()[2].to_owned();
        let platform = sim.platform();
        let posts = requests
            .iter()
            .map(|request| -> Later<'_, u16> {
                let tenant = &company.tenant;
                Box::pin(async {
                    profiles::connect_submit(&platform, request, tenant, &session, &id).await.status
                })
            })
            .collect();
        let statuses = interleave(&Random::new(seed), posts);
        // The later one is told that the address was used, by the page itself or by going there.
        assert!(statuses.contains(&303) && statuses.iter().all(|status| [200, 303].contains(status)));
        assert_eq!(all_profiles(&sim, &company).len(), 2, "seed {seed}");
    }
}

#[test]
fn a_form_from_elsewhere_connects_nothing() {
    let (sim, company, pds) = world();
    let path = ask(&sim, &company, json!({ "network": "bluesky" }));
    let session = session_of(&company.owner);
    let id = path.rsplit('/').next().unwrap();
    let form = |csrf: &str| format!("csrf={csrf}&server={ORIGIN}&handle={ANNA}&app_password={PASSWORD}");
    let good = session.csrf(&sim.config);
    let mut cross_site = request(RequestMethod::Post, &path, form(&good));
    cross_site.headers[0].1 = "cross-site".to_owned();
    let mut as_json = request(RequestMethod::Post, &path, form(&good));
    as_json.headers[1].1 = "application/json".to_owned();
    for request in [cross_site, as_json, request(RequestMethod::Post, &path, form("t1.x"))] {
        let response =
            run(profiles::connect_submit(&sim.platform(), &request, &company.tenant, &session, id));
        assert_eq!(response.status, 403);
    }
    assert_eq!(count(&pds, SIGN_IN), 0);
}

#[test]
fn only_those_who_manage_accounts_connect_and_whoever_left_does_not() {
    let (sim, company, pds) = world();
    let path = ask(&sim, &company, json!({ "network": "bluesky" }));
    let owner = company.owner.as_str();
    sim.shard().execute("UPDATE membership SET role = 'editor' WHERE user_id = ?1", params![owner]);
    assert_eq!(open(&sim, &company, &path).status, 403);
    assert_eq!(submit(&sim, &company, &path, &ANNA_SIGNS_IN).status, 403);
    sim.shard().execute("UPDATE membership SET ended_at = 1 WHERE user_id = ?1", params![owner]);
    assert_eq!(open(&sim, &company, &path).status, 404);
    assert_eq!(submit(&sim, &company, &path, &ANNA_SIGNS_IN).status, 404);
    assert_eq!(count(&pds, SIGN_IN), 0);
}

#[test]
fn connecting_the_same_account_again_keeps_the_profile_and_its_chosen_name() {
    let (sim, company, _) = world();
    let first = connect_anna(&sim, &company);
    sim.shard().execute(
        "UPDATE profile SET name = 'Our voice', state = 'disconnected' WHERE network = 'bluesky'",
        [],
    );
    let before = secrets(&sim);
    sim.clock.advance_millis(1000);
    // By asking to reconnect, and by simply connecting it once more.
    let ways = [json!({ "network": "bluesky", "reconnect": first.id }), json!({ "network": "bluesky" })];
    for arguments in ways {
        let path = ask(&sim, &company, arguments);
        assert_eq!(submit(&sim, &company, &path, &ANNA_SIGNS_IN).status, 303);
        let again = bluesky_profile(&sim, &company);
        assert_eq!((&again.id, again.state), (&first.id, ProfileState::Healthy));
        assert_eq!(again.name, "Our voice");
        assert_eq!(all_profiles(&sim, &company).len(), 2);
    }
    assert_ne!(secrets(&sim), before);
}

#[test]
fn another_account_than_the_one_to_reconnect_is_refused() {
    let (sim, company, _) = world();
    let first = connect_anna(&sim, &company);
    let before = secrets(&sim);
    let path = ask(&sim, &company, json!({ "network": "bluesky", "reconnect": first.id }));
    assert!(text(&open(&sim, &company, &path)).contains("Connect @anna.example on Bluesky again"));
    let page =
        submit(&sim, &company, &path, &[("server", ORIGIN), ("handle", BOB), ("app_password", PASSWORD)]);
    assert_eq!(page.status, 422);
    assert!(text(&page).contains("connects @anna.example again"));
    assert_eq!((secrets(&sim), bluesky_profile(&sim, &company)), (before, first));
    let path = ask(&sim, &company, json!({ "network": "wall", "reconnect": "acme" }));
    let page = submit(&sim, &company, &path, &[("handle", "other"), ("name", "Other")]);
    assert_eq!(page.status, 422);
    assert!(text(&page).contains("connects @acme again"));
}

// Secrets and sessions

#[test]
fn a_network_without_sessions_has_none() {
    let (sim, company, _) = world();
    let wall = all_profiles(&sim, &company).remove(0);
    assert!(session(&sim, &company, &wall).unwrap().is_none());
}

#[test]
fn a_session_serves_until_shortly_before_its_end_and_is_then_renewed() {
    let (sim, company, pds) = world();
    let profile = connect_anna(&sim, &company);
    let first = session(&sim, &company, &profile).unwrap().unwrap();
    sim.clock.advance_millis(3600 * 1000);
    let same = session(&sim, &company, &profile).unwrap().unwrap();
    assert_eq!(same.expose(), first.expose());
    assert_eq!(count(&pds, REFRESH), 0);
    sim.clock.advance_millis(3500 * 1000);
    let next = session(&sim, &company, &profile).unwrap().unwrap();
    assert_ne!(next.expose(), first.expose());
    assert_eq!((count(&pds, REFRESH), count(&pds, SIGN_IN)), (1, 1));
    let kept = session(&sim, &company, &profile).unwrap().unwrap();
    assert_eq!(kept.expose(), next.expose());
}

#[test]
fn a_session_that_cannot_be_renewed_is_begun_anew_with_the_app_password() {
    let (sim, company, pds) = world();
    let profile = connect_anna(&sim, &company);
    let over = session(&sim, &company, &profile).unwrap().unwrap();
    pds.end_sessions();
    let next = renew(&sim, &company, &profile, &over).unwrap().unwrap();
    assert_ne!(next.expose(), over.expose());
    assert_eq!((count(&pds, REFRESH), count(&pds, SIGN_IN)), (1, 2));
    // Whoever still holds the old one gets the new one without another call.
    let also = renew(&sim, &company, &profile, &over).unwrap().unwrap();
    assert_eq!(also.expose(), next.expose());
    assert_eq!((count(&pds, REFRESH), count(&pds, SIGN_IN)), (1, 2));
    // A session that was lost altogether is no obstacle either.
    sim.shard().execute("DELETE FROM profile_secret WHERE kind = 'session'", []);
    assert!(session(&sim, &company, &profile).unwrap().is_some());
}

#[test]
fn a_removed_app_password_asks_for_a_person() {
    let (sim, company, pds) = world();
    let profile = connect_anna(&sim, &company);
    let over = session(&sim, &company, &profile).unwrap().unwrap();
    let before = secrets(&sim);
    pds.end_sessions();
    pds.answer_next(SIGN_IN, Reply::json(401, &json!({ "error": "AuthenticationRequired" })));
    let error = renew(&sim, &company, &profile, &over).err().unwrap();
    assert_eq!(error.class, ErrorClass::Reauthorise);
    assert_eq!(secrets(&sim), before, "nothing is forgotten");
}

#[test]
fn no_failure_replaces_a_session_by_nothing() {
    let empty = Reply::json(
        200,
        &json!({ "accessJwt": "", "refreshJwt": "", "did": pds::did(0), "handle": ANNA, "active": true }),
    );
    let another = Reply::json(
        200,
        &json!({ "accessJwt": "a.e30.c", "refreshJwt": "r", "did": pds::did(1), "handle": BOB, "active": true }),
    );
    let broken = Reply::json(500, &json!({}));
    for reply in [empty, another, broken] {
        let (sim, company, pds) = world();
        let profile = connect_anna(&sim, &company);
        let over = session(&sim, &company, &profile).unwrap().unwrap();
        let before = secrets(&sim);
        pds.answer_next(REFRESH, reply.clone());
        pds.answer_next(SIGN_IN, reply);
        assert!(renew(&sim, &company, &profile, &over).is_err());
        assert_eq!(secrets(&sim), before);
        let next = renew(&sim, &company, &profile, &over).unwrap().unwrap();
        assert_ne!(next.expose(), over.expose(), "and the next try succeeds at once");
    }
}

#[test]
fn of_many_at_once_one_renews() {
    for seed in 0..50 {
        let (sim, company, pds) = world();
        let profile = connect_anna(&sim, &company);
        let over = session(&sim, &company, &profile).unwrap().unwrap();
        sim.clock.advance_millis(7100 * 1000);
        let platform = sim.platform();
        let tenant = &company.tenant.id;
        let callers = (0..4)
            .map(|_| -> Later<'_, Result<Option<Session>, NetworkError>> {
                Box::pin(profiles::session(&platform, sim.shard(), tenant, &profile))
            })
            .collect();
        let outcomes = interleave(&Random::new(seed), callers);
        assert_eq!(count(&pds, REFRESH), 1, "seed {seed}");
        let renewed = session(&sim, &company, &profile).unwrap().unwrap();
        for outcome in outcomes {
            match outcome {
                Ok(session) => {
                    let session = session.unwrap();
                    assert!([over.expose(), renewed.expose()].contains(&session.expose()), "seed {seed}");
                }
                Err(error) => {
                    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Retry, "session_busy"));
                    assert!(error.retry_at.is_some());
                }
            }
        }
    }
}

#[test]
fn a_refresher_that_dies_holds_the_others_up_for_a_minute_at_most() {
    let mut crashes = 0;
    for steps in 1..100 {
        let (sim, company, _) = world();
        let profile = connect_anna(&sim, &company);
        let over = session(&sim, &company, &profile).unwrap().unwrap();
        let platform = sim.platform();
        let call = profiles::renew_session(&platform, sim.shard(), &company.tenant.id, &profile, &over);
        if run_until_crash(steps, call).is_some() {
            break;
        }
        crashes += 1;
        sim.clock.advance_millis(60_000);
        let next = renew(&sim, &company, &profile, &over).unwrap().unwrap();
        assert_ne!(next.expose(), over.expose(), "after a crash at step {steps}");
    }
    assert!((5..99).contains(&crashes), "it crashed at every step: {crashes}");
}

#[test]
fn a_new_session_that_could_not_be_stored_is_not_the_end() {
    for fault in [Fault::NotSent, Fault::LostRequest, Fault::LostReply] {
        let (sim, company, _) = world();
        let profile = connect_anna(&sim, &company);
        let over = session(&sim, &company, &profile).unwrap().unwrap();
        sim.faults.on_statement("profile_session_renewed", fault);
        assert_eq!(renew(&sim, &company, &profile, &over).err().unwrap().class, ErrorClass::Retry);
        let next = renew(&sim, &company, &profile, &over).unwrap().unwrap();
        assert_ne!(next.expose(), over.expose());
    }
}

#[test]
fn a_sealed_secret_opens_only_where_it_was_sealed() {
    // Each takes what is sealed elsewhere and puts it into a row of ?1.
    let moves = [
        // From one kind to the other.
        "UPDATE profile_secret SET sealed = (SELECT o.sealed FROM profile_secret o WHERE o.kind = 'session'
           AND o.profile_id = profile_secret.profile_id) WHERE tenant_id = ?1 AND kind = 'app_password'",
        // From another profile of the tenant.
        "UPDATE profile_secret SET sealed = (SELECT o.sealed FROM profile_secret o WHERE o.kind = profile_secret.kind
           AND o.tenant_id = ?1 AND o.profile_id <> profile_secret.profile_id) WHERE tenant_id = ?1",
        // From another tenant.
        "UPDATE profile_secret SET sealed = (SELECT o.sealed FROM profile_secret o WHERE o.kind = profile_secret.kind
           AND o.tenant_id <> ?1) WHERE tenant_id = ?1",
        // Another tenant's key.
        "UPDATE tenant SET wrapped_key = (SELECT o.wrapped_key FROM tenant o WHERE o.tenant_id <> ?1) WHERE tenant_id = ?1",
    ];
    for sql in moves {
        let (sim, company, pds) = world();
        let profile = connect_anna(&sim, &company);
        let path = ask(&sim, &company, json!({ "network": "bluesky" }));
        submit(&sim, &company, &path, &[("server", ORIGIN), ("handle", BOB), ("app_password", PASSWORD)]);
        let other = Company::found(&sim, "globex");
        connect_anna(&sim, &other);
        assert!(session(&sim, &company, &profile).is_ok());
        let asked = pds.calls().len();
        sim.shard().execute(sql, params![company.tenant.id.as_str()]);
        let error = session(&sim, &company, &profile).err().unwrap();
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Reauthorise, "credentials_unreadable"));
        assert_eq!(pds.calls().len(), asked, "nothing was sent anywhere");
    }
}

#[test]
fn another_server_never_gets_the_secrets_of_the_one_before() {
    let (sim, company, _) = world();
    let profile = connect_anna(&sim, &company);
    let asked: Rc<RefCell<Vec<String>>> = Rc::default();
    let seen = Rc::clone(&asked);
    sim.web.set_peer(Rc::new(move |request: &Incoming| {
        seen.borrow_mut().push(request.url.clone());
        Err::<Reply, _>(HttpFault::NotSent("no such host".to_owned()))
    }));
    sim.shard().execute("UPDATE profile SET server = 'https://evil.example' WHERE network = 'bluesky'", []);
    assert!(secrets(&sim).is_empty(), "the secrets went with their server");
    let moved = bluesky_profile(&sim, &company);
    for profile in [moved, profile] {
        let error = session(&sim, &company, &profile).err().unwrap();
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Reauthorise, "no_credentials"));
    }
    assert!(asked.borrow().is_empty(), "nobody was asked");
}

#[test]
fn an_unreachable_database_or_server_asks_to_come_again() {
    let (sim, company, _) = world();
    let profile = connect_anna(&sim, &company);
    sim.faults.on_call(Port::Shard, 1, Fault::NotSent);
    assert_eq!(session(&sim, &company, &profile).err().unwrap().class, ErrorClass::Retry);
    let over = session(&sim, &company, &profile).unwrap().unwrap();
    sim.faults.on_call(Port::Web, 1, Fault::NotSent);
    assert_eq!(renew(&sim, &company, &profile, &over).err().unwrap().class, ErrorClass::Retry);
    // The lease was given back, so that the next one need not wait.
    assert!(renew(&sim, &company, &profile, &over).is_ok());
}

#[test]
fn marking_a_profile_changes_only_a_healthy_one() {
    let (sim, company, _) = world();
    let profile = connect_anna(&sim, &company);
    let mark =
        |why: &str| run(profiles::mark_reauthorise(sim.shard(), &company.tenant.id, &profile, why)).unwrap();
    mark("The first reason.");
    mark("Another reason.");
    assert_eq!(bluesky_profile(&sim, &company).state_why.as_deref(), Some("The first reason."));
}
