//! What happens to grants is in the audit, with the person, the client and the grant.

use super::{
    CALLBACK, World,
    assertions::{assertion, proven, signing},
    error, location, plus, with,
};
use crate::sim::Fault;

/// Every line as `act outcome`, the oldest first.
fn acts(world: &World) -> Vec<String> {
    let rows =
        world.sim.shard().query("SELECT act || ' ' || outcome AS line FROM audit ORDER BY at, audit_id", []);
    rows.iter().map(|row| row.get("line").unwrap()).collect()
}

#[test]
fn a_grant_is_audited_from_consent_to_its_end() {
    let world = World::new();
    let code = world.code();
    world.sim.clock.advance_seconds(1);
    let (_, first) = world.token(&world.redemption(&code));
    let first = first["refresh_token"].as_str().unwrap();
    let (_, second) = world.refresh(first);
    world.sim.clock.advance_seconds(1);
    world.refresh(second["refresh_token"].as_str().unwrap());
    assert_eq!(acts(&world), ["authorize_app done", "redeem_code done"], "refreshing is nobody's act");
    world.sim.clock.advance_seconds(121);
    assert_eq!(world.refresh(first).0, 400);
    assert_eq!(acts(&world).last().map(String::as_str), Some("end_grant_refresh_replay done"));
    let whole = "SELECT count(*) FROM audit WHERE act <> 'authorize_app'
        AND user_id = ?1 AND client_id = ?2 AND subjects = json_array(grant_id)";
    let by = [world.company.owner.as_str(), &world.client_id];
    assert_eq!(world.sim.shard().number(whole, by), 2);
}

#[test]
fn a_denial_is_audited_and_told_whatever_the_audit_does() {
    let world = World::new();
    let deny = |fault: bool| {
        let id = world.pending(&world.wish());
        let form = world.filled_in(&id, "deny");
        if fault {
            world.sim.faults.on_statement("audit_act", Fault::NotSent);
        }
        let answer = world.decide(&id, &form);
        assert!(location(&answer).contains("error=access_denied"));
    };
    deny(false);
    assert_eq!(acts(&world), ["deny_app done"]);
    deny(true);
    assert_eq!(acts(&world).len(), 1);
}

/// The lines that came since the last look.
struct News<'w>(&'w World, usize);

impl News<'_> {
    fn since(&mut self) -> Vec<String> {
        self.0.sim.clock.advance_seconds(1);
        let acts = acts(self.0);
        let news = acts[self.1..].to_vec();
        self.1 = acts.len();
        news
    }
}

#[test]
fn a_genuine_code_that_is_refused_is_a_line_with_the_reason() {
    let world = World::new();
    let code = world.code();
    let good = world.redemption(&code);
    let other = world.register_client(&[CALLBACK]);
    let mut news = News(&world, 0);
    assert_eq!(news.since(), ["authorize_app done"]);
    let tries = [
        (with(&good, "code_verifier", Some(&"m".repeat(43))), vec!["redeem_code invalid_grant"]),
        (with(&good, "client_id", Some(&other)), vec![]),
        (with(&good, "resource", Some("https://evil.example/acme/mcp")), vec!["redeem_code invalid_target"]),
        (plus(&good, "code", &code), vec![]),
        (with(&good, "code", Some(&format!("{code}A"))), vec![]),
        (good.clone(), vec!["redeem_code done"]),
    ];
    for (form, lines) in tries {
        world.token(&form);
        assert_eq!(news.since(), lines, "{form:?}");
    }
    world.sim.clock.advance_seconds(61);
    world.token(&good);
    assert_eq!(news.since(), ["redeem_code invalid_grant"], "a plain replay ends nothing and is a line");
    let whose = "SELECT count(*) FROM audit WHERE outcome LIKE 'invalid%' AND user_id IS NOT NULL AND client_id IS NOT NULL
        AND subjects = json_array(grant_id)";
    assert_eq!(world.count(whose), 3);
}

#[test]
fn a_genuine_refresh_token_that_is_refused_is_a_line_with_the_reason() {
    let world = World::new();
    let tokens = world.tokens();
    let token = tokens["refresh_token"].as_str().unwrap();
    let good = world.refreshing(token);
    let other = world.register_client(&[CALLBACK]);
    let mut news = News(&world, 0);
    news.since();
    let tries = [
        (with(&good, "client_id", Some(&other)), vec!["refresh_token invalid_grant"]),
        (plus(&good, "scope", "posts:publish"), vec!["refresh_token invalid_scope"]),
        (plus(&good, "resource", "https://evil.example/acme/mcp"), vec!["refresh_token invalid_target"]),
        (with(&good, "refresh_token", Some(&format!("{token}A"))), vec![]),
        (plus(&good, "client_secret", "x"), vec![]),
        (good.clone(), vec![]),
    ];
    for (form, lines) in tries {
        world.token(&form);
        assert_eq!(news.since(), lines, "{form:?}");
    }
    world.sim.faults.on_statement("gate_grant", Fault::LostRequest);
    assert_eq!(error(&world.token(&good)), (503, "temporarily_unavailable"));
    assert_eq!(news.since(), [""; 0], "what could not be answered was not refused");
    world.sim.shard().execute("UPDATE membership SET ended_at = 1", []);
    world.sim.clock.advance_seconds(61);
    assert_eq!(error(&world.token(&good)), (400, "invalid_grant"));
    assert_eq!(news.since(), ["refresh_token invalid_grant"], "of somebody who was removed");
}

#[test]
fn a_token_that_another_client_gives_back_is_a_line() {
    let world = World::new();
    let tokens = world.tokens();
    let other = world.register_client(&[CALLBACK]);
    let mut news = News(&world, 0);
    news.since();
    for name in ["refresh_token", "access_token", "refresh_token"] {
        let form = [("token", tokens[name].as_str().unwrap()), ("client_id", &other)];
        let form = form.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(world.revoke(&form).0, 200);
    }
    assert_eq!(news.since(), ["revoke_token invalid_client"], "once a minute");
}

#[test]
fn giving_back_without_the_proof_that_is_due_is_a_line_and_with_it_ends_the_grant() {
    let (world, _shelf) = signing();
    let code = world.code();
    let (_, tokens) = world.token(&proven(&world.redemption(&code), &assertion(&world, "1")));
    let form =
        [("token", tokens["refresh_token"].as_str().unwrap()), ("client_id", world.client_id.as_str())]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut news = News(&world, 0);
    news.since();
    assert_eq!(error(&world.revoke(&form)), (401, "invalid_client"));
    assert_eq!(news.since(), ["revoke_token invalid_client"]);
    world.sim.clock.advance_seconds(61);
    assert_eq!(world.revoke(&proven(&form, &assertion(&world, "2"))).0, 200);
    assert_eq!(news.since(), ["end_grant_by_client done"]);
    let why = world.sim.shard().query("SELECT revoked_why FROM oauth_grant", []);
    assert_eq!(why[0].get::<String>("revoked_why").unwrap(), "client");
}
