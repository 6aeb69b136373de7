//! How clients come, stay and go: limits of registration, expiry, and those that the operator registers.

use postern::{
    http::{RequestMethod, Response},
    oauth,
    platform::{Clock, Later},
};
use serde_json::{Value, json};

use super::{Browser, CALLBACK, World, answer, error, location, request, sign_in, text, with};
use crate::sim::{Fault, Port, Random, config_from, interleave, local_settings, run};

const DAY: i64 = 86_400;

/// A world in which six clients an hour may register themselves, two of them from one address.
fn narrow() -> World {
    let mut settings = local_settings();
    settings.push(("REGISTRATIONS_PER_HOUR", "6".to_owned()));
    let mut sim = crate::sim::Sim::new(1);
    sim.config = config_from(&settings).unwrap_or_else(|_| panic!("settings"));
    let world = World::on(sim);
    world.sim.clock.advance_seconds(3600);
    world
}

fn register_from(world: &World, peer: &str) -> (u16, Value) {
    let mut request = request(RequestMethod::Post, "/register");
    peer.clone_into(&mut request.peer);
    request.body = json!({ "redirect_uris": [CALLBACK] }).to_string().into_bytes();
    answer(&run(oauth::register(&world.sim.platform(), &request)))
}

fn owner_again(world: &World) -> Browser {
    sign_in(&world.sim, &world.company.owner)
}

#[test]
fn rfc7591_5_registrations_from_one_address_are_limited_within_an_hour() {
    let world = narrow();
    for _ in 0..2 {
        assert_eq!(register_from(&world, "192.0.2.7").0, 201);
    }
    world.sim.clock.advance_seconds(61);
    let past = world.sim.clock.now().as_seconds() % 3600;
    let mut again = request(RequestMethod::Post, "/register");
    "192.0.2.7".clone_into(&mut again.peer);
    again.body = json!({ "redirect_uris": [CALLBACK] }).to_string().into_bytes();
    let refused = run(oauth::register(&world.sim.platform(), &again));
    assert_eq!(error(&answer(&refused)), (429, "temporarily_unavailable"), "still the same hour");
    assert_eq!(refused.header("retry-after"), Some((3600 - past).to_string().as_str()));
    assert_eq!(register_from(&world, "192.0.2.8").0, 201, "another address");
    world.sim.clock.advance_seconds(3600);
    assert_eq!(register_from(&world, "192.0.2.7").0, 201, "the next hour");
}

#[test]
fn rfc7591_5_cleaning_up_gives_nobody_registrations_back() {
    let world = narrow();
    for _ in 0..2 {
        assert_eq!(register_from(&world, "192.0.2.7").0, 201);
    }
    run(postern::operator::retain(&world.sim.platform())).unwrap();
    assert_eq!(register_from(&world, "192.0.2.7").0, 429);
}

#[test]
fn rfc7591_5_an_ipv6_subscriber_is_one_address() {
    let world = narrow();
    assert_eq!(register_from(&world, "2001:db8:1:2::1").0, 201);
    assert_eq!(register_from(&world, "2001:db8:1:2:ffff:ffff:ffff:ffff").0, 201);
    assert_eq!(register_from(&world, "2001:DB8:1:2::3").0, 429);
    assert_eq!(register_from(&world, "2001:db8:1:3::3").0, 201);
}

#[test]
fn rfc7591_5_all_registrations_together_have_a_budget() {
    let world = narrow();
    for number in 0..6 {
        assert_eq!(register_from(&world, &format!("192.0.2.{number}")).0, 201);
    }
    let mut request = request(RequestMethod::Post, "/register");
    request.body = json!({ "redirect_uris": [CALLBACK] }).to_string().into_bytes();
    let response = run(oauth::register(&world.sim.platform(), &request));
    assert_eq!(response.status, 429);
    let wait: i64 = response.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3600).contains(&wait));
    let before = world.sim.directory.number("SELECT count(*) FROM client", []);
    world.sim.clock.advance_seconds(wait);
    assert_eq!(register_from(&world, "192.0.2.9").0, 201, "the answer said when");
    assert_eq!(world.sim.directory.number("SELECT count(*) FROM client", []), before + 1);
}

#[test]
fn parallel_registrations_do_not_overdraw_the_budget() {
    for seed in 0..20 {
        let world = narrow();
        let mut request = request(RequestMethod::Post, "/register");
        request.body = json!({ "redirect_uris": [CALLBACK] }).to_string().into_bytes();
        let platform = world.sim.platform();
        let running: Vec<Later<'_, _>> =
            (0..8).map(|_| Box::pin(oauth::register(&platform, &request)) as Later<'_, _>).collect();
        let answers: Vec<Response> = interleave(&Random::new(seed), running);
        let taken = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(taken, 2, "seed {seed}");
    }
}

#[test]
fn a_refused_registration_counts_for_nothing() {
    let world = narrow();
    for _ in 0..5 {
        assert_eq!(world.register(&json!({ "redirect_uris": [] })).0, 400);
        world.sim.faults.on_statement("register_client", Fault::LostRequest);
        assert_eq!(error(&world.register(&json!({ "redirect_uris": [CALLBACK] }))).0, 503);
    }
    assert_eq!(world.register(&json!({ "redirect_uris": [CALLBACK] })).0, 201);
}

#[test]
fn nobody_reads_an_address_back_from_the_directory() {
    let world = narrow();
    register_from(&world, "192.0.2.77");
    let rows = format!("{:?}", world.sim.directory.query("SELECT * FROM registration_count", []));
    assert!(rows.contains("everyone") && !rows.contains("192.0.2.77"), "{rows}");
}

#[test]
fn rfc6749_5_2_a_client_expires_90_days_after_its_last_use() {
    let world = World::new();
    for _ in 0..2 {
        world.sim.clock.advance_seconds(89 * DAY);
        let response = world.authorize_in(Some(&owner_again(&world)), &world.wish());
        assert_eq!(response.status, 303, "use lets it live on");
    }
    world.sim.clock.advance_seconds(91 * DAY);
    let form = world.redemption("tnt_x.y");
    assert_eq!(error(&world.token(&form)), (401, "invalid_client"));
    let refreshing = world.refreshing("a.b.1.c");
    assert_eq!(error(&world.token(&refreshing)), (401, "invalid_client"));
}

#[test]
fn rfc6749_5_2_refreshing_is_use_as_well() {
    let world = World::new();
    let mut tokens = world.tokens();
    for _ in 0..6 {
        world.sim.clock.advance_seconds(29 * DAY);
        let (status, next) = world.refresh(tokens["refresh_token"].as_str().unwrap());
        assert_eq!(status, 200, "{next}");
        tokens = next;
    }
    world.sim.clock.advance_seconds(80 * DAY);
    let response = world.authorize_in(Some(&owner_again(&world)), &world.wish());
    assert_eq!(response.status, 303, "254 days after the last authorization, 80 after the last refresh");
}

#[test]
fn rfc6749_4_1_2_1_an_expired_client_s_person_is_told_how_to_reset_it() {
    let world = World::new();
    world.sim.clock.advance_seconds(91 * DAY);
    let response = world.authorize_in(Some(&owner_again(&world)), &world.wish());
    assert_eq!(response.status, 400);
    assert_eq!(response.header("location"), None);
    let page = text(&response);
    assert!(page.contains("expired") && !page.contains("client.example"), "{page}");
    for (app, hint) in [
        ("Claude Code", "/mcp"),
        ("ChatGPT", "Connectors"),
        ("Codex", "codex mcp logout"),
        ("VS Code", "Remove Dynamic Authentication Providers"),
        ("Cursor", "log this server out"),
        ("mcp-remote", ".mcp-auth"),
        ("MCP Inspector", "Clear OAuth State"),
    ] {
        let said = page.split(&format!("<strong>{app}</strong>")).nth(1).unwrap_or_else(|| panic!("{app}"));
        assert!(said.split("</dd>").next().unwrap().contains(hint), "{app}");
    }
}

#[test]
fn an_old_copy_in_kv_does_not_let_an_expired_client_in() {
    let world = World::new();
    world.authorize(&world.wish());
    world.sim.key_value.set_lag(1_000_000_000);
    world.sim.clock.advance_seconds(91 * DAY);
    let form = world.redemption("tnt_x.y");
    assert_eq!(error(&world.token(&form)), (401, "invalid_client"));
}

#[test]
fn a_copy_does_not_outlive_its_client() {
    let world = World::new();
    let ask = || error(&world.token(&world.redemption("tnt_x.y"))).0;
    world.sim.clock.advance_seconds(90 * DAY - 3600);
    assert_eq!(ask(), 400, "from here on there is a copy for a day");
    world.sim.clock.advance_millis(3_600_000 - 1);
    assert_eq!(ask(), 400, "the client's last millisecond");
    for _ in 0..2 {
        world.sim.clock.advance_millis(1);
        assert_eq!(ask(), 401);
    }
}

/// Where a client is looked for that wants a token.
fn looked_in(world: &World) -> Vec<Port> {
    world.sim.faults.take_calls();
    assert_eq!(error(&world.token(&world.redemption("tnt_x.y"))), (400, "invalid_grant"));
    world.sim.faults.take_calls().iter().map(|call| call.port).filter(|port| *port != Port::Limits).collect()
}

#[test]
fn a_client_is_looked_for_in_kv_every_15_seconds_and_in_the_directory_once_a_day() {
    let world = World::new();
    assert_eq!(looked_in(&world), [], "just registered");
    for _ in 0..2 {
        world.sim.clock.advance_seconds(15);
        assert_eq!(looked_in(&world), [Port::KeyValue]);
        world.sim.clock.advance_millis(14_999);
        assert_eq!(looked_in(&world), []);
    }
    world.sim.clock.advance_seconds(DAY);
    assert_eq!(looked_in(&world), [Port::KeyValue, Port::Directory, Port::KeyValue], "and a copy is kept");
    assert_eq!(looked_in(&world), []);
    world.sim.clock.advance_seconds(15);
    assert_eq!(looked_in(&world), [Port::KeyValue]);
}

#[test]
fn use_is_written_down_once_a_day_and_the_copy_lives_on_with_it() {
    let world = World::new();
    let writes = || {
        world.sim.faults.take_calls();
        assert_eq!(world.authorize_in(Some(&owner_again(&world)), &world.wish()).status, 303);
        let calls = world.sim.faults.take_calls();
        calls.iter().filter(|call| call.statements.contains(&"touch_client")).count()
    };
    assert_eq!(writes(), 0, "just registered");
    world.sim.clock.advance_millis(DAY * 1000 - 1);
    assert_eq!(writes(), 0);
    world.sim.clock.advance_millis(1);
    assert_eq!(writes(), 1);
    assert_eq!(writes(), 0);
    assert_eq!(looked_in(&world), [], "a copy was kept");
    world.sim.clock.advance_seconds(89 * DAY);
    assert_eq!(
        looked_in(&world),
        [Port::KeyValue, Port::Directory, Port::KeyValue],
        "90 days of the first day"
    );
}

/// A client that the operator registered.
fn add(world: &World, redirects: &[&str]) -> String {
    let redirects = redirects.iter().map(|text| (*text).to_owned()).collect();
    run(oauth::add_client(&world.sim.platform(), "In-house  assistant\u{202e}", redirects, None))
        .unwrap()
        .unwrap()
        .to_string()
}

#[test]
fn mcp_authorization_a_pre_registered_client_works_and_does_not_expire() {
    let mut world = World::new();
    world.client_id = add(&world, &[CALLBACK]);
    let tokens = world.tokens();
    assert_eq!(world.call(tokens["access_token"].as_str().unwrap()), Ok(()));
    world.sim.clock.advance_seconds(400 * DAY);
    run(postern::operator::retain(&world.sim.platform())).unwrap();
    world.browser = owner_again(&world);
    let tokens = world.tokens();
    assert_eq!(world.refresh(tokens["refresh_token"].as_str().unwrap()).0, 200);
    let listed = run(oauth::list_clients(&world.sim.platform(), "", 9)).unwrap();
    assert_eq!(listed.len(), 1, "those that registered themselves are not the operator's");
    assert_eq!(listed[0].client_id, world.client_id);
    assert_eq!(listed[0].name.as_deref(), Some("In-house assistant"));
    assert_eq!(listed[0].redirect_uris, [CALLBACK]);
}

#[test]
fn a_removed_client_gets_nothing_from_that_moment() {
    let mut world = World::new();
    world.client_id = add(&world, &[CALLBACK]);
    let tokens = world.tokens();
    let code = world.code();
    let id = world.client_id.parse().unwrap();
    let remove = || run(oauth::remove_client(&world.sim.platform(), &id)).unwrap();
    assert!(remove());
    assert!(!remove(), "once");
    assert_eq!(error(&world.token(&world.redemption(&code))), (401, "invalid_client"));
    assert_eq!(error(&world.refresh(tokens["refresh_token"].as_str().unwrap())), (401, "invalid_client"));
    assert_eq!(world.authorize(&world.wish()).status, 400);
}

#[test]
fn the_operator_removes_none_that_registered_itself() {
    let world = World::new();
    let id = world.client_id.parse().unwrap();
    assert!(!run(oauth::remove_client(&world.sim.platform(), &id)).unwrap());
    assert_eq!(world.authorize(&world.wish()).status, 303);
}

#[test]
fn the_operator_s_redirect_addresses_follow_the_same_rules() {
    let world = World::new();
    for redirects in
        [&[][..], &["javascript:alert(1)"], &[CALLBACK, "http://client.example/"], &[CALLBACK; 11]]
    {
        let redirects = redirects.iter().map(|text| (*text).to_owned()).collect();
        assert!(run(oauth::add_client(&world.sim.platform(), "x", redirects, None)).unwrap().is_err());
    }
    assert!(run(oauth::list_clients(&world.sim.platform(), "", 9)).unwrap().is_empty());
}

#[test]
fn rfc6749_2_2_an_id_that_was_never_given_out_is_nobody() {
    let world = World::new();
    for id in
        ["", "x", "cli_", "CLI_00000000000000000000000000", "cli_00000000000000000000000000", "../x", "null"]
    {
        let response = world.authorize(&with(&world.wish(), "client_id", Some(id)));
        assert_eq!(response.status, 400, "{id}");
        let (status, body) = world.token(&with(&world.redemption("a.b"), "client_id", Some(id)));
        assert!(matches!(error(&(status, body)), (401, "invalid_client") | (400, "invalid_request")), "{id}");
    }
    let response = world.authorize(&world.wish());
    assert!(location(&response).starts_with("/consent/"));
}
