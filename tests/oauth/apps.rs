//! Connected apps: what a person sees of them, and takes back.

use postern::{
    desk::{DeliveryId, Role},
    edge,
    http::{RequestMethod, Response},
    platform::Clock,
};
use serde_json::{Value, json};

use super::{
    Browser, CALLBACK, World, attribute, error, form_request, location, request,
    standing::{call, send},
    text, with,
};
use crate::sim::{Fault, Random, interleave, run, run_until_crash, world::Company};

type Form = Vec<(String, String)>;

fn get(world: &World, browser: &Browser, address: &str) -> Response {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let mut request = request(RequestMethod::Get, path);
    request.query = query.to_owned();
    request.headers.push(("cookie".into(), browser.cookie.clone()));
    run(edge::serve(&world.sim.platform(), request))
}

pub fn page(world: &World) -> String {
    let response = get(world, &world.browser, "/acme/apps");
    assert_eq!(response.status, 200);
    text(&response)
}

fn form(world: &World, fields: &[(&str, &str)]) -> Form {
    let csrf = attribute(&page(world), "name=\"csrf\" value=\"");
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    std::iter::once(("csrf".to_owned(), csrf)).chain(fields).collect()
}

fn sending(world: &World, form: &Form) -> postern::http::Request {
    let mut request = form_request("/acme/apps", form);
    request.headers.push(("cookie".into(), world.browser.cookie.clone()));
    request.headers.push(("sec-fetch-site".into(), "same-origin".into()));
    request
}

fn post(world: &World, form: &Form) -> Response {
    run(edge::serve(&world.sim.platform(), sending(world, form)))
}

/// Sends a form that is carried out, and gives the page that follows.
fn done(world: &World, fields: &[(&str, &str)]) -> String {
    let response = post(world, &form(world, fields));
    assert_eq!(response.status, 303, "{}", text(&response));
    text(&get(world, &world.browser, location(&response)))
}

fn access(tokens: &Value) -> &str {
    tokens["access_token"].as_str().unwrap()
}

fn refresh(tokens: &Value) -> &str {
    tokens["refresh_token"].as_str().unwrap()
}

fn grant_of(world: &World, tokens: &Value) -> String {
    let family = refresh(tokens).split('.').nth(1).unwrap();
    let find = "SELECT grant_id FROM refresh_family WHERE family_id = ?1";
    world.sim.shard().query(find, [family])[0].get("grant_id").unwrap()
}

/// Without the grant that every company of the tests begins with.
fn world() -> World {
    let world = World::new();
    world.sim.shard().execute("UPDATE oauth_grant SET revoked_at = 1", []);
    world
}

/// Has an assistant schedule a post through this token; its id.
fn schedule(world: &World, access: &str, words: &str) -> String {
    let arguments = json!({ "text": words, "profiles": ["wall"], "when": "2026-12-24T10:00:00+01:00" });
    let response = send(world, access, &call("create_post", arguments));
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    let made: Value = serde_json::from_str(body["result"]["content"][0]["text"].as_str().unwrap()).unwrap();
    made["post_id"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

fn is_scheduled(world: &World, post: &str) -> bool {
    let waiting = "SELECT count(*) FROM post_group p JOIN delivery d USING (tenant_id, post_id)
        WHERE p.post_id = ?1 AND p.due_at IS NOT NULL AND d.state = 'waiting'";
    world.sim.shard().number(waiting, [post]) == 1
}

/// A world with a token that may schedule.
fn scheduling() -> (World, Value) {
    let world = world();
    let scope = "workspace:read social_profiles:read posts:read posts:write";
    let code = world.code_for(&with(&world.wish(), "scope", Some(scope)));
    let (_, tokens) = world.token(&world.redemption(&code));
    (world, tokens)
}

#[test]
fn each_connection_tells_what_it_may_where_and_when_it_was_last_used_and_from_where() {
    let world = world();
    assert!(page(&world).contains("No app is connected"));
    let one = world.tokens();
    world.sim.clock.advance_seconds(2 * 86_400);
    let browser = super::sign_in(&world.sim, &world.company.owner);
    let World { sim, company, client_id, .. } = world;
    let world = World { sim, company, client_id, browser };
    let (_, two) = world.refresh(refresh(&one));
    for _ in 0..3 {
        assert_eq!(world.refresh(refresh(&one)).0, 200);
    }
    world.sim.clock.advance_seconds(7200);
    let page = page(&world);
    for said in [
        "An assistant",
        "unverified name",
        "2 days ago",
        "2 hours ago",
        "from the network 192.0.2.0/24",
        "Write, change, schedule and delete posts",
        "publishes later",
        "<strong>Main</strong>",
        "It repeated a refresh token 3 times",
        "in 29 days",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("Stay connected"), "that it stays connected is what it is here for");
    assert!(!page.contains("192.0.2.1"), "networks, not machines");
    assert_eq!(world.call(access(&two)), Err(401), "that is longer than a token lives");
}

#[test]
fn a_client_that_a_document_describes_is_shown_by_its_host() {
    let mut world = world();
    let shelf = super::documents::Shelf::of(&world);
    shelf.put_json(super::documents::CLIENT, &super::documents::public_client());
    world.client_id = super::documents::CLIENT.to_owned();
    world.tokens();
    assert!(page(&world).contains("described by client.example"));
}

#[test]
fn only_one_s_own_connections_are_there_and_only_to_members() {
    let world = world();
    let tokens = world.tokens();
    let (_, eve) = world.add_member("eve", Role::Owner);
    assert!(text(&get(&world, &eve, "/acme/apps")).contains("No app is connected"));
    Company::found(&world.sim, "other");
    for address in ["/other/apps", "/nobody/apps", "/No!/apps"] {
        assert_eq!(get(&world, &world.browser, address).status, 404, "{address}");
    }
    let stranger = get(&world, &Browser { cookie: String::new() }, "/acme/apps");
    assert!(location(&stranger).starts_with("/sign-in"));

    let grant = grant_of(&world, &tokens);
    let World { sim, company, client_id, .. } = world;
    let world = World { sim, company, client_id, browser: eve };
    let hers = world.tokens();
    for act in ["end", "narrow", "hold"] {
        let fields = [("act", act), ("grant", &grant), ("capability", "posts:read"), ("workspace", "x")];
        let response = post(&world, &form(&world, &fields));
        assert!(matches!(response.status, 303 | 409), "{act}: {}", response.status);
    }
    assert_eq!(world.call(access(&tokens)), Ok(()));
    assert_eq!(world.call(access(&hers)), Ok(()));
    assert_eq!(world.refresh(refresh(&tokens)).1["scope"], tokens["scope"]);
}

#[test]
fn narrowing_takes_effect_with_the_next_call_and_never_widens() {
    let world = world();
    let second = world.company.add_workspace(&world.sim, "Second", "UTC");
    let tokens = world.tokens();
    let grant = grant_of(&world, &tokens);
    let create = call("create_post", json!({ "text": "x", "workspace": "Main" }));
    assert_eq!(send(&world, access(&tokens), &create).status, 200);
    let fields = [
        ("act", "narrow"),
        ("grant", &grant),
        ("capability", "workspace:read"),
        ("capability", "posts:publish"),
        ("workspace", second.as_str()),
    ];
    assert!(done(&world, &fields).contains("The connection was narrowed."));
    assert_eq!(send(&world, access(&tokens), &create).status, 403, "at once");
    let listed = text(&send(&world, access(&tokens), &call("list_workspaces", json!({}))));
    assert!(listed.contains("Second") && !listed.contains("Main"), "{listed}");
    let (status, narrowed) = world.refresh(refresh(&tokens));
    assert_eq!((status, &narrowed["scope"]), (200, &json!("workspace:read")), "and it stays connected");
    assert_eq!(world.count("SELECT count(*) FROM audit WHERE act = 'narrow_grant'"), 1);

    let again = [
        ("act", "narrow"),
        ("grant", &*grant),
        ("capability", "workspace:read"),
        ("capability", "posts:read"),
        ("workspace", second.as_str()),
        ("workspace", world.company.workspace.as_str()),
    ];
    done(&world, &again);
    assert_eq!(world.refresh(refresh(&narrowed)).1["scope"], "workspace:read", "what is gone stays gone");
    assert_eq!(world.count("SELECT count(*) FROM grant_workspace gw JOIN oauth_grant g USING (tenant_id, grant_id) WHERE g.revoked_at IS NULL"), 1);
}

/// What the list of tools, which needs no database, says of `create_post`.
fn listing(world: &World, tokens: &Value) -> Response {
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} });
    send(world, access(tokens), &list)
}

#[test]
fn what_is_narrowed_or_ended_here_is_known_here_at_once_to_what_needs_no_database() {
    let world = world();
    let not_granted = |tokens: &Value| text(&listing(&world, tokens)).matches("Not granted").count();
    let (one, two) = (world.tokens(), world.tokens());
    let before = not_granted(&one);
    assert_eq!(not_granted(&two), before);
    let workspace = world.company.workspace.to_string();
    let narrowing = [
        ("act", "narrow"),
        ("grant", &*grant_of(&world, &one)),
        ("capability", "workspace:read"),
        ("workspace", &workspace),
    ];
    done(&world, &narrowing);
    assert!(not_granted(&one) > before, "narrowed");
    assert_eq!(not_granted(&two), before, "its sibling was not");
    done(&world, &[("act", "end"), ("grant", &*grant_of(&world, &two))]);
    assert_eq!(listing(&world, &two).status, 401, "ended");
    assert_eq!(listing(&world, &one).status, 200);
}

#[test]
fn narrowing_to_nothing_is_no_narrowing() {
    let world = world();
    let tokens = world.tokens();
    let grant = grant_of(&world, &tokens);
    let workspace = world.company.workspace.to_string();
    for fields in [
        vec![("act", "narrow"), ("grant", &*grant), ("workspace", &*workspace)],
        vec![("act", "narrow"), ("grant", &grant), ("capability", "posts:read")],
        vec![
            ("act", "narrow"),
            ("grant", &grant),
            ("capability", "posts:publish"),
            ("workspace", &workspace),
        ],
        vec![
            ("act", "narrow"),
            ("grant", &grant),
            ("capability", "offline_access"),
            ("workspace", &workspace),
        ],
        vec![("act", "something"), ("grant", &grant)],
        vec![("grant", &grant)],
    ] {
        let response = post(&world, &form(&world, &fields));
        assert_eq!(response.status, 400, "{fields:?}");
        assert!(text(&response).contains("Nothing was changed"));
    }
    assert_eq!(world.refresh(refresh(&tokens)).1["scope"], tokens["scope"]);
}

#[test]
fn one_connection_is_ended_and_its_siblings_live() {
    let world = world();
    let (one, two) = (world.tokens(), world.tokens());
    let fields = [("act", "end"), ("grant", &*grant_of(&world, &one))];
    assert!(done(&world, &fields).contains("The connection was ended."));
    assert_eq!(world.call(access(&one)), Err(401), "at once");
    assert_eq!(error(&world.refresh(refresh(&one))), (400, "invalid_grant"));
    assert_eq!(world.call(access(&two)), Ok(()));
    assert_eq!(world.refresh(refresh(&two)).0, 200);
    assert_eq!(world.count("SELECT count(*) FROM audit WHERE act = 'end_grant_by_person'"), 1);
    assert_eq!(post(&world, &form(&world, &fields)).status, 409, "it is over");
}

#[test]
fn all_of_an_app_or_everything_is_ended_together() {
    for act in ["end_app", "end_all"] {
        let mut world = world();
        let (one, two) = (world.tokens(), world.tokens());
        let app: String = world
            .sim
            .shard()
            .query("SELECT app_id FROM oauth_grant WHERE grant_id = ?1", [grant_of(&world, &one)])[0]
            .get("app_id")
            .unwrap();
        world.client_id = world.register_client(&[CALLBACK]);
        let other = world.tokens();
        done(&world, &[("act", act), ("app", &app)]);
        assert_eq!(world.call(access(&one)), Err(401));
        assert_eq!(world.call(access(&two)), Err(401));
        assert_eq!(world.call(access(&other)).is_ok(), act == "end_app");
    }
}

#[test]
fn a_form_of_another_page_changes_nothing() {
    let world = world();
    let tokens = world.tokens();
    let good = form(&world, &[("act", "end_all")]);
    for bad in [with(&good, "csrf", None), with(&good, "csrf", Some("t1.AAAA"))] {
        assert_eq!(post(&world, &bad).status, 403);
    }
    let mut cross_site = sending(&world, &good);
    cross_site.headers.retain(|(name, _)| name != "sec-fetch-site");
    cross_site.headers.push(("sec-fetch-site".into(), "cross-site".into()));
    assert_eq!(run(edge::serve(&world.sim.platform(), cross_site)).status, 403);
    assert_eq!(world.call(access(&tokens)), Ok(()));
}

#[test]
fn ending_a_connection_holds_what_it_scheduled_if_that_is_ticked() {
    let (world, tokens) = scheduling();
    let (_, other) = {
        let code = world.code_for(&with(&world.wish(), "scope", Some("social_profiles:read posts:write")));
        world.token(&world.redemption(&code))
    };
    let mine: Vec<String> = (0..3).map(|n| schedule(&world, access(&tokens), &format!("post {n}"))).collect();
    let others = schedule(&world, access(&other), "another's");
    assert!(page(&world).contains("<strong>3 posts</strong> that it scheduled will go out"));
    let grant = grant_of(&world, &tokens);
    let after = done(&world, &[("act", "end"), ("grant", &grant), ("hold", "yes")]);
    assert!(after.contains("The connection was ended. 3 posts are drafts again."), "{after}");
    assert!(mine.iter().all(|post| !is_scheduled(&world, post)));
    assert!(is_scheduled(&world, &others), "what another connection scheduled goes out");
    assert_eq!(world.count("SELECT count(*) FROM audit WHERE act = 'hold_scheduled'"), 1);
    assert_eq!(world.count("SELECT count(*) FROM delivery"), 1);
}

#[test]
fn what_an_ended_connection_scheduled_is_told_and_can_be_held_later() {
    let (world, tokens) = scheduling();
    let post_id = schedule(&world, access(&tokens), "still to come");
    let grant = grant_of(&world, &tokens);
    let after = done(&world, &[("act", "end"), ("grant", &grant)]);
    assert!(is_scheduled(&world, &post_id), "nobody asked to hold it");
    assert!(
        after.contains("Ended, and still to go out") && after.contains("scheduled 1 post before it ended")
    );
    let held = done(&world, &[("act", "hold"), ("grant", &grant)]);
    assert!(held.contains("1 post is a draft again."), "{held}");
    assert!(!held.contains("Ended, and still to go out"));
    assert!(!is_scheduled(&world, &post_id));
}

#[test]
fn a_crash_between_ending_and_holding_leaves_the_hold_on_offer() {
    for steps in (0..).step_by(5) {
        let (world, tokens) = scheduling();
        let post_id = schedule(&world, access(&tokens), "still to come");
        let grant = grant_of(&world, &tokens);
        let form = form(&world, &[("act", "end"), ("grant", &grant), ("hold", "yes")]);
        let platform = world.sim.platform();
        let ended = run_until_crash(steps, edge::serve(&platform, sending(&world, &form))).is_some();
        let is_over = world.call(access(&tokens)).is_err();
        let offered = page(&world).contains("Ended, and still to go out");
        assert_eq!(offered, is_over && is_scheduled(&world, &post_id), "after {steps} steps");
        assert!(is_over || is_scheduled(&world, &post_id), "the end comes first");
        if ended {
            assert!(!is_scheduled(&world, &post_id));
            return;
        }
    }
}

#[test]
fn narrowing_offers_to_hold_as_well() {
    let (world, tokens) = scheduling();
    let post_id = schedule(&world, access(&tokens), "x");
    let fields = [
        ("act", "narrow"),
        ("grant", &*grant_of(&world, &tokens)),
        ("capability", "posts:read"),
        ("workspace", world.company.workspace.as_str()),
        ("hold", "yes"),
    ];
    assert!(done(&world, &fields).contains("The connection was narrowed. 1 post is a draft again."));
    assert!(!is_scheduled(&world, &post_id));
}

#[test]
fn what_is_being_sent_cannot_be_held_and_holds_back_nothing_else() {
    let (world, tokens) = scheduling();
    let (busy, waiting) = (schedule(&world, access(&tokens), "a"), schedule(&world, access(&tokens), "b"));
    // On another profile the first is on its way already.
    let second = world.company.add_wall(&world.sim, &world.company.workspace, "second");
    let delivery = DeliveryId::new(world.sim.clock.now(), &world.sim.entropy);
    world.sim.shard().execute(
        "INSERT INTO delivery (tenant_id, delivery_id, post_id, profile_id, workspace_id, network, state, due_at, created_at, updated_at)
         SELECT tenant_id, ?3, post_id, ?2, workspace_id, network, 'armed', due_at, created_at, updated_at FROM delivery WHERE post_id = ?1",
        [busy.as_str(), second.as_str(), delivery.as_str()],
    );
    let grant = grant_of(&world, &tokens);
    let after = done(&world, &[("act", "end"), ("grant", &grant), ("hold", "yes")]);
    assert!(after.contains("1 post is a draft again. Some could not be held"), "{after}");
    assert!(!is_scheduled(&world, &waiting));
}

#[test]
fn hundreds_of_posts_are_held() {
    let (world, tokens) = scheduling();
    let many: Vec<Value> = (0..45)
        .map(|n| json!({ "text": format!("post {n}"), "profiles": ["wall"], "when": "2026-12-24T10:00:00+01:00" }))
        .collect();
    for batch in 0..3 {
        let mut posts = many.clone();
        for post in &mut posts {
            post["text"] = format!("{} of {batch}", post["text"]).into();
        }
        let response = send(&world, access(&tokens), &call("create_posts", json!({ "posts": posts })));
        assert_eq!(response.status, 200);
    }
    assert_eq!(world.count("SELECT count(*) FROM delivery WHERE state = 'waiting'"), 135);
    let after = done(&world, &[("act", "end_all"), ("hold", "yes")]);
    assert!(after.contains("135 posts are drafts again."), "{after}");
    assert_eq!(world.count("SELECT count(*) FROM delivery WHERE state = 'waiting'"), 0);
}

#[test]
fn who_gave_a_post_its_time_has_scheduled_it() {
    let (world, first) = scheduling();
    let code =
        world.code_for(&with(&world.wish(), "scope", Some("posts:read posts:write social_profiles:read")));
    let (_, second) = world.token(&world.redemption(&code));
    let post_id = schedule(&world, access(&first), "x");
    let by = || -> Option<String> {
        let find = "SELECT scheduled_by FROM post_group WHERE post_id = ?1";
        world.sim.shard().query(find, [post_id.as_str()])[0].get("scheduled_by").unwrap()
    };
    let ask = |tokens: &Value, tool: &str, arguments: Value| {
        let response = send(&world, access(tokens), &call(tool, arguments));
        assert_eq!(response.status, 200, "{}", text(&response));
        assert!(!text(&response).contains("\"isError\":true"), "{}", text(&response));
    };
    let (one, two) = (grant_of(&world, &first), grant_of(&world, &second));
    assert_eq!(by().as_ref(), Some(&one));
    ask(&second, "update_post", json!({ "post_id": post_id, "text": "other words" }));
    assert_eq!(by().as_ref(), Some(&one), "other words are no other time");
    ask(&second, "schedule_post", json!({ "post_id": post_id, "when": "2026-12-25T10:00:00+01:00" }));
    assert_eq!(by().as_ref(), Some(&two));
    ask(&first, "unschedule_post", json!({ "post_id": post_id }));
    assert_eq!(by(), None);
}

#[test]
fn who_may_not_write_posts_is_offered_no_hold() {
    let (world, tokens) = scheduling();
    let post_id = schedule(&world, access(&tokens), "x");
    let grant = grant_of(&world, &tokens);
    world.sim.shard().execute("UPDATE membership SET role = 'viewer'", []);
    let shown = page(&world);
    assert!(!shown.contains("name=\"hold\"") && shown.contains("Your role does not allow holding posts"));
    done(&world, &[("act", "end"), ("grant", &grant), ("hold", "yes")]);
    assert!(is_scheduled(&world, &post_id));
    assert_eq!(world.call(access(&tokens)), Err(401), "but what is one's own one may end");
}

#[test]
fn a_database_that_fails_is_told_as_such() {
    let world = world();
    let tokens = world.tokens();
    let form = form(&world, &[("act", "end"), ("grant", &grant_of(&world, &tokens))]);
    world.sim.faults.on_statement("end_grants", Fault::LostRequest);
    assert_eq!(post(&world, &form).status, 503);
    assert_eq!(world.call(access(&tokens)), Ok(()));
    world.sim.faults.on_statement("list_grants", Fault::LostRequest);
    assert_eq!(get(&world, &world.browser, "/acme/apps").status, 503);
}

#[test]
fn of_two_who_end_a_connection_at_once_one_is_written_down() {
    for seed in 0..20 {
        let world = World::new();
        world.tokens();
        let grant = "SELECT grant_id FROM oauth_grant WHERE client_id = ?1";
        let grant: String = world.sim.shard().query(grant, [&world.client_id])[0].get("grant_id").unwrap();
        let platform = world.sim.platform();
        let form = form(&world, &[("act", "end"), ("grant", &grant)]);
        let end = || edge::serve(&platform, sending(&world, &form));
        interleave(&Random::new(seed), vec![Box::pin(end()), Box::pin(end())]);
        let lines = world.count("SELECT count(*) FROM audit WHERE act = 'end_grant_by_person'");
        assert_eq!(lines, 1, "seed {seed}");
    }
}
