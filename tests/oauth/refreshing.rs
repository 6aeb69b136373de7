//! Refresh tokens: RFC 6749 section 6, RFC 9700 section 4.14, and clients that lose replies or refresh in parallel.

use postern::{desk::Role, oauth, platform::Later};

use super::{CALLBACK, World, answer, error, form_request, plus, sign_in, with};
use crate::sim::{Fault, Odds, Random, interleave, run, world::Company};

fn refresh_token(answer: &(u16, serde_json::Value)) -> String {
    assert_eq!(answer.0, 200, "{}", answer.1);
    answer.1["refresh_token"].as_str().unwrap().to_owned()
}

fn first(world: &World) -> String {
    world.tokens()["refresh_token"].as_str().unwrap().to_owned()
}

fn next(world: &World, token: &str) -> String {
    refresh_token(&world.refresh(token))
}

fn replays(world: &World) -> i64 {
    world.count("SELECT replays FROM refresh_family")
}

#[test]
fn rfc6749_6_a_refresh_gives_a_new_pair_and_says_what_is_granted() {
    let world = World::new();
    let one = first(&world);
    let (status, body) = world.refresh(&one);
    assert_eq!(status, 200);
    assert_eq!(body["scope"], "workspace:read posts:read posts:write");
    assert_ne!(body["refresh_token"], one);
    assert_eq!(world.call(body["access_token"].as_str().unwrap()), Ok(()));
}

#[test]
fn a_lost_reply_however_late_gives_the_same_pair_again() {
    let world = World::new();
    let one = first(&world);
    let two = next(&world, &one);
    world.sim.clock.advance_seconds(29 * 86_400);
    assert_eq!(next(&world, &one), two);
    let three = next(&world, &two);
    assert_ne!(three, two);
    assert_eq!(replays(&world), 1);
}

#[test]
fn for_two_minutes_after_its_successor_was_used_a_token_gives_the_current_pair() {
    let world = World::new();
    let one = first(&world);
    let two = next(&world, &one);
    let three = next(&world, &two);
    world.sim.clock.advance_millis(119_999);
    assert_eq!(next(&world, &one), three);
    assert_eq!(next(&world, &two), three);
    assert_eq!(replays(&world), 2);
}

#[test]
fn rfc9700_4_14_2_an_older_token_is_a_replay_and_ends_the_family() {
    let world = World::new();
    let one = first(&world);
    let two = next(&world, &one);
    let (_, three) = world.refresh(&two);
    world.sim.clock.advance_seconds(120);
    assert_eq!(error(&world.refresh(&one)), (400, "invalid_grant"));
    assert_eq!(error(&world.refresh(three["refresh_token"].as_str().unwrap())), (400, "invalid_grant"));
    assert_eq!(world.call(three["access_token"].as_str().unwrap()), Err(401), "at once, not at expiry");
    assert_eq!(world.count("SELECT count(*) FROM audit WHERE act = 'end_grant_refresh_replay'"), 1);
}

#[test]
fn the_two_minutes_are_each_token_s_own_however_often_others_refresh() {
    let world = World::new();
    let one = first(&world);
    let two = next(&world, &one);
    let mut newest = next(&world, &two);
    for _ in 0..10 {
        world.sim.clock.advance_seconds(10);
        newest = next(&world, &newest);
    }
    assert_eq!(next(&world, &one), newest, "100 s after the second was used");
    world.sim.clock.advance_seconds(20);
    assert_eq!(error(&world.refresh(&one)), (400, "invalid_grant"), "120 s after it");
}

#[test]
fn parallel_refreshes_all_work_and_agree() {
    for seed in 0..60 {
        let world = World::with_seed(seed);
        let request = form_request("/token", &world.refreshing(&first(&world)));
        let platform = world.sim.platform();
        let running: Vec<Later<'_, _>> =
            (0..6).map(|_| Box::pin(oauth::token(&platform, &request)) as Later<'_, _>).collect();
        let answers: Vec<_> = interleave(&Random::new(seed), running).iter().map(answer).collect();
        let tokens: Vec<String> = answers.iter().map(refresh_token).collect();
        assert!(tokens.iter().all(|token| *token == tokens[0]), "seed {seed}");
        for answer in &answers {
            assert_eq!(world.call(answer.1["access_token"].as_str().unwrap()), Ok(()), "seed {seed}");
        }
        assert_eq!(replays(&world), 5, "each but the first is a repetition, seed {seed}");
        assert_eq!(world.refresh(&tokens[0]).0, 200, "seed {seed}");
    }
}

#[test]
fn a_repetition_that_another_refresh_overtakes_is_counted_and_gives_the_newest_pair() {
    for seed in 0..40 {
        let world = World::with_seed(seed);
        let one = first(&world);
        let two = next(&world, &one);
        let requests = [&one, &two].map(|token| form_request("/token", &world.refreshing(token)));
        let platform = world.sim.platform();
        let running: Vec<Later<'_, _>> = requests
            .iter()
            .map(|request| Box::pin(oauth::token(&platform, request)) as Later<'_, _>)
            .collect();
        let answers: Vec<_> = interleave(&Random::new(seed), running).iter().map(answer).collect();
        let (repeated, newest) = (refresh_token(&answers[0]), refresh_token(&answers[1]));
        assert!(repeated == two || repeated == newest, "seed {seed}");
        assert_eq!(replays(&world), 1, "seed {seed}");
        assert_eq!(world.refresh(&newest).0, 200, "seed {seed}");
    }
}

#[test]
fn an_ended_family_is_over_whatever_else_lives() {
    let world = World::new();
    let one = first(&world);
    let two = next(&world, &one);
    world.sim.shard().execute("UPDATE refresh_family SET ended_at = 1", []);
    for token in [&one, &two] {
        assert_eq!(error(&world.refresh(token)), (400, "invalid_grant"));
    }
    assert_eq!(world.count("SELECT count(*) FROM oauth_grant WHERE revoked_at IS NOT NULL"), 0);
}

#[test]
fn of_more_than_32_uses_in_two_minutes_the_latest_are_remembered() {
    let world = World::new();
    let mut tokens = vec![first(&world)];
    for _ in 0..40 {
        tokens.push(next(&world, &tokens[tokens.len() - 1]));
    }
    assert_eq!(world.count("SELECT json_array_length(first_uses) FROM refresh_family"), 32);
    let newest = tokens[40].clone();
    assert_eq!(next(&world, &tokens[7]), newest, "the use of its successor is the oldest that is remembered");
    assert_eq!(error(&world.refresh(&tokens[6])), (400, "invalid_grant"));
    assert_eq!(error(&world.refresh(&newest)), (400, "invalid_grant"), "a replay ended it");
}

#[test]
fn a_reply_lost_between_the_databases_and_us_costs_nothing() {
    let world = World::new();
    let one = first(&world);
    world.sim.faults.on_statement("rotate_family", Fault::LostReply);
    assert_eq!(error(&world.refresh(&one)), (503, "temporarily_unavailable"));
    let two = next(&world, &one);
    world.sim.faults.on_statement("rotate_family", Fault::LostRequest);
    assert_eq!(error(&world.refresh(&two)), (503, "temporarily_unavailable"));
    assert_eq!(world.refresh(&two).0, 200);
}

/// Three processes share one credential store: each reads it, refreshes, and writes back what it got unless the store has
/// changed. Replies are lost on the way to the database and on the way to the process.
#[test]
fn no_honest_client_that_keeps_its_newest_pair_is_ever_locked_out() {
    for seed in 0..150 {
        let world = World::with_seed(seed);
        let random = Random::new(seed);
        let mut store = first(&world);
        world.sim.key_value.set_lag(100_000);
        world.sim.faults.set_odds(Odds { lost_request: 60, lost_reply: 60, not_sent: 30, ..Odds::CALM });
        for _ in 0..25 {
            let request = form_request("/token", &world.refreshing(&store));
            let platform = world.sim.platform();
            let running: Vec<Later<'_, _>> = (0..=random.below(3))
                .map(|_| Box::pin(oauth::token(&platform, &request)) as Later<'_, _>)
                .collect();
            for answer in interleave(&random, running).iter().map(answer) {
                assert_ne!(error(&answer).1, "invalid_grant", "seed {seed}");
                assert_ne!(error(&answer).1, "invalid_client", "seed {seed}");
                if answer.0 == 200 && !random.happens(200) {
                    store = refresh_token(&answer);
                }
            }
            world.sim.clock.advance_seconds(i64::try_from(random.below(3 * 86_400)).unwrap());
        }
        world.sim.faults.calm();
        assert_eq!(world.refresh(&store).0, 200, "seed {seed}");
    }
}

#[test]
fn a_shard_that_was_put_back_locks_nobody_out() {
    let world = World::new();
    let one = first(&world);
    let copy = world.sim.shard().snapshot();
    let three = next(&world, &next(&world, &one));
    world.sim.shard().restore(&copy);
    let four = next(&world, &three);
    assert_eq!(world.refresh(&four).0, 200);
}

#[test]
fn rfc6749_6_another_client_s_token_is_refused_and_nothing_changes() {
    let world = World::new();
    let one = first(&world);
    let other = world.register_client(&[CALLBACK]);
    let stolen = with(&world.refreshing(&one), "client_id", Some(&other));
    assert_eq!(error(&world.token(&stolen)), (400, "invalid_grant"));
    let two = next(&world, &one);
    assert_eq!(next(&world, &one), two);
}

#[test]
fn rfc6749_6_scope_may_only_narrow() {
    let world = World::new();
    let one = first(&world);
    let narrow = plus(&world.refreshing(&one), "scope", "posts:read");
    let (status, body) = world.token(&narrow);
    assert_eq!((status, &body["scope"]), (200, &"posts:read".into()));
    let two = body["refresh_token"].as_str().unwrap();
    for wider in ["posts:read posts:publish", "mcp:everything"] {
        let wide = plus(&world.refreshing(two), "scope", wider);
        assert_eq!(error(&world.token(&wide)), (400, "invalid_scope"));
    }
    let (_, body) = world.refresh(two);
    assert_eq!(body["scope"], "workspace:read posts:read posts:write", "narrowing is one token's");
}

#[test]
fn rfc8707_2_2_a_refresh_is_for_the_same_resource() {
    let world = World::new();
    Company::found(&world.sim, "other");
    let one = first(&world);
    let other = plus(&world.refreshing(&one), "resource", &world.sim.config.resource("other"));
    assert_eq!(error(&world.token(&other)), (400, "invalid_target"));
    assert_eq!(world.token(&plus(&world.refreshing(&one), "resource", &world.resource())).0, 200);
}

#[test]
fn forged_and_mangled_tokens_are_refused_and_end_nothing() {
    let world = World::new();
    let one = first(&world);
    let parts: Vec<&str> = one.split('.').collect();
    let [tenant, family, number, tag] = parts[..] else { panic!("{one}") };
    assert_eq!(number, "1");
    let other = Company::found(&world.sim, "other").tenant.id;
    for forged in [
        format!("{tenant}.{family}.2.{tag}"),
        format!("{tenant}.{family}.0.{tag}"),
        format!("{tenant}.{family}.01.{tag}"),
        format!("{tenant}.{family}.-1.{tag}"),
        format!("{tenant}.{family}.99999999999999999999.{tag}"),
        format!("{tenant}.{family}.1.{}", "A".repeat(43)),
        format!("{tenant}.{family}.1."),
        format!("{tenant}.{family}.1"),
        format!("{one}.x"),
        format!("{other}.{family}.1.{tag}"),
        format!("{tenant}.fam_00000000000000000000000000.1.{tag}"),
        "x".to_owned(),
    ] {
        assert_eq!(error(&world.refresh(&forged)), (400, "invalid_grant"), "{forged}");
    }
    assert_eq!(world.refresh(&one).0, 200);
}

#[test]
fn a_sealed_secret_opens_for_its_own_family_only() {
    let world = World::new();
    let (one, two) = (first(&world), first(&world));
    let family = |token: &str| token.split('.').nth(1).unwrap().to_owned();
    world.sim.shard().execute(
        "UPDATE refresh_family SET secret = (SELECT secret FROM refresh_family WHERE family_id = ?2) WHERE family_id = ?1",
        [family(&one), family(&two)],
    );
    assert_eq!(error(&world.refresh(&one)), (400, "invalid_grant"));
    let forged = two.replace(&family(&two), &family(&one));
    assert_eq!(error(&world.refresh(&forged)), (400, "invalid_grant"));
    assert_eq!(world.refresh(&two).0, 200);
}

#[test]
fn a_family_ends_30_days_after_its_last_use_and_180_after_consent() {
    let day = 86_400;
    let world = World::new();
    let idle = first(&world);
    world.sim.clock.advance_seconds(30 * day);
    assert_eq!(error(&world.refresh(&idle)), (400, "invalid_grant"));

    let World { sim, company, client_id, .. } = world;
    let browser = sign_in(&sim, &company.owner);
    let world = World { sim, company, browser, client_id };
    let mut token = first(&world);
    for _ in 0..8 {
        world.sim.clock.advance_seconds(20 * day);
        token = next(&world, &token);
    }
    let outliving = "SELECT count(*) FROM refresh_family f JOIN oauth_grant g USING (grant_id) WHERE f.expires_at > g.expires_at";
    assert_eq!(world.count(outliving), 0, "rotated 20 days before the end of the grant");
    world.sim.clock.advance_seconds(20 * day - 1);
    let before = token;
    token = next(&world, &before);
    assert_eq!(next(&world, &before), token);
    assert_eq!(world.count(outliving), 0, "repeated a second before it");
    world.sim.clock.advance_seconds(1);
    assert_eq!(error(&world.refresh(&token)), (400, "invalid_grant"));
}

#[test]
fn membership_role_and_tenant_are_checked_again() {
    for (sql, status) in [
        ("UPDATE membership SET ended_at = 1", 400),
        ("UPDATE tenant SET deleted_at = 1", 400),
        ("UPDATE oauth_grant SET revoked_at = 1, generation = generation + 1", 400),
        ("UPDATE membership SET role = 'viewer'", 200),
        ("UPDATE membership SET created_at = created_at + 1", 400),
    ] {
        let world = World::new();
        let one = first(&world);
        world.sim.shard().execute(sql, []);
        assert_eq!(world.refresh(&one).0, status, "{sql}");
    }
}

#[test]
fn a_demotion_reaches_a_token_that_is_still_good() {
    let world = World::new();
    let (user, browser) = world.add_member("eve", Role::Editor);
    let World { sim, company, client_id, .. } = world;
    let world = World { sim, company, browser, client_id };
    let access = world.tokens()["access_token"].as_str().unwrap().to_owned();
    let write = |world: &World| {
        let request = world.mcp_request(Some(&format!("Bearer {access}")));
        let who = run(oauth::authenticate(&world.sim.platform(), &request, "acme")).unwrap();
        let needs = postern::desk::Scopes::of(&[postern::desk::Scope::PostsWrite]);
        let caller = postern::desk::Caller::new(world.sim.platform(), who.tenant, who.authority).unwrap();
        run(caller.needing(needs).facts()).is_ok()
    };
    assert!(write(&world));
    world.sim.shard().execute("UPDATE membership SET role = 'viewer' WHERE user_id = ?1", [user.as_str()]);
    assert!(!write(&world));
}

#[test]
fn last_use_is_written_once_an_hour() {
    let world = World::new();
    let one = first(&world);
    let used = |world: &World| world.count("SELECT max(used_at) FROM oauth_grant");
    let before = used(&world);
    world.sim.clock.advance_seconds(3599);
    let two = next(&world, &one);
    assert_eq!(used(&world), before);
    world.sim.clock.advance_seconds(1);
    next(&world, &two);
    assert_eq!(used(&world), before + 3_600_000);
}

#[test]
fn what_the_role_forbids_is_not_in_a_new_token() {
    let world = World::new();
    let one = first(&world);
    world.sim.shard().execute("UPDATE membership SET role = 'viewer'", []);
    let (_, demoted) = world.refresh(&one);
    assert_eq!(demoted["scope"], "workspace:read posts:read");
    world.sim.shard().execute("UPDATE membership SET role = 'owner'", []);
    let (_, promoted) = world.refresh(demoted["refresh_token"].as_str().unwrap());
    assert_eq!(promoted["scope"], "workspace:read posts:read posts:write", "the grant has not changed");
}

#[test]
fn who_left_and_came_back_connects_anew() {
    let world = World::new();
    let (user, browser) = world.add_member("eve", Role::Editor);
    let World { sim, company, client_id, .. } = world;
    let world = World { sim, company, browser, client_id };
    let (before, tokens) = (world.code(), world.tokens());
    world.sim.shard().execute("UPDATE membership SET ended_at = 1 WHERE user_id = ?1", [user.as_str()]);
    world.sim.clock.advance_millis(1);
    let eve = postern::tenants::NewMember { user_id: &user, name: "Eve", email: "eve@acme.example" };
    let platform = world.sim.platform();
    run(postern::tenants::add_member(&platform, &world.company.tenant, &eve, Role::Editor, false)).unwrap();

    assert_eq!(world.call(tokens["access_token"].as_str().unwrap()), Err(401));
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(error(&world.refresh(refresh)), (400, "invalid_grant"));
    assert_eq!(error(&world.token(&world.redemption(&before))), (400, "invalid_grant"));
    let anew = world.tokens();
    assert_eq!(world.call(anew["access_token"].as_str().unwrap()), Ok(()));
}

#[test]
fn last_use_names_the_network_and_never_the_machine() {
    let world = World::new();
    let mut token = first(&world);
    let from = |world: &World| {
        let rows = world.sim.shard().query("SELECT used_from FROM oauth_grant WHERE used_at IS NOT NULL", []);
        rows[0].get::<Option<String>>("used_from").unwrap()
    };
    assert_eq!(from(&world).as_deref(), Some("192.0.2.0/24"));
    for (peer, network) in [
        ("198.51.100.77", Some("198.51.100.0/24")),
        ("2001:db8:1234:5678:9abc:def0:1:2", Some("2001:db8:1234::/48")),
        ("::ffff:198.51.100.77", Some("198.51.100.0/24")),
        ("unknown", None),
        ("", None),
    ] {
        world.sim.clock.advance_seconds(3600);
        let mut request = form_request("/token", &world.refreshing(&token));
        request.peer = peer.to_owned();
        token = refresh_token(&answer(&run(oauth::token(&world.sim.platform(), &request))));
        assert_eq!(from(&world).as_deref(), network, "{peer}");
    }
}
