//! What happens to grants is in the audit, with the person, the client and the grant.

use super::{World, location};
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
