//! RFC 7009.

use postern::tenants;

use super::{CALLBACK, World, error, plus, with};
use crate::sim::{Fault, run};

fn form(world: &World, token: &str) -> Vec<(String, String)> {
    vec![("token".into(), token.into()), ("client_id".into(), world.client_id.clone())]
}

#[test]
fn rfc7009_2_1_either_token_ends_the_grant() {
    for kind in ["access_token", "refresh_token"] {
        let world = World::new();
        let tokens = world.tokens();
        let form = plus(&form(&world, tokens[kind].as_str().unwrap()), "token_type_hint", "whatever");
        assert_eq!(world.revoke(&form).0, 200);
        assert_eq!(world.call(tokens["access_token"].as_str().unwrap()), Err(401));
        let refresh = tokens["refresh_token"].as_str().unwrap();
        assert_eq!(error(&world.refresh(refresh)), (400, "invalid_grant"));
        assert_eq!(world.count("SELECT count(*) FROM audit WHERE act = 'end_grant_by_client'"), 1);
        assert_eq!(world.revoke(&form).0, 200, "again");
    }
}

#[test]
fn rfc7009_2_1_one_grant_ends_and_not_its_siblings() {
    let world = World::new();
    let (one, two) = (world.tokens(), world.tokens());
    assert_eq!(world.revoke(&form(&world, one["refresh_token"].as_str().unwrap())).0, 200);
    assert_eq!(world.call(two["access_token"].as_str().unwrap()), Ok(()));
}

#[test]
fn rfc7009_2_1_what_is_given_back_while_its_tenant_is_closed_is_over_when_it_opens_again() {
    for (kind, copies_remain) in [("access_token", false), ("refresh_token", false), ("refresh_token", true)]
    {
        let world = World::new();
        let (given_back, kept) = (world.tokens(), world.tokens());
        let platform = world.sim.platform();
        let registration =
            || run(tenants::registration(&platform, &world.company.tenant.safename)).unwrap().unwrap();
        if copies_remain {
            world.sim.faults.on_statement("strike_out", Fault::LostRequest);
        }
        assert_eq!(run(tenants::close(&platform, &registration())).is_err(), copies_remain);
        assert_eq!(world.call(kept["access_token"].as_str().unwrap()), Err(401), "it is closed");
        assert_eq!(world.revoke(&form(&world, given_back[kind].as_str().unwrap())).0, 200);
        assert!(run(tenants::reopen(&platform, &registration())).unwrap());

        assert_eq!(world.call(given_back["access_token"].as_str().unwrap()), Err(401), "{kind}");
        let refresh = given_back["refresh_token"].as_str().unwrap();
        assert_eq!(error(&world.refresh(refresh)), (400, "invalid_grant"), "{kind}");
        assert_eq!(world.count("SELECT count(*) FROM audit WHERE act = 'end_grant_by_client'"), 1);
        assert_eq!(world.call(kept["access_token"].as_str().unwrap()), Ok(()), "its sibling goes on");
        assert_eq!(world.refresh(kept["refresh_token"].as_str().unwrap()).0, 200);
    }
}

#[test]
fn rfc7009_2_1_no_client_ends_another_s_grant() {
    let world = World::new();
    let tokens = world.tokens();
    let other = world.register_client(&[CALLBACK]);
    for kind in ["access_token", "refresh_token"] {
        let theirs = with(&form(&world, tokens[kind].as_str().unwrap()), "client_id", Some(&other));
        assert_eq!(world.revoke(&theirs).0, 200, "nobody learns whether the token is good");
    }
    assert_eq!(world.call(tokens["access_token"].as_str().unwrap()), Ok(()));
}

#[test]
fn rfc7009_2_2_unknown_tokens_are_none_the_less_revoked() {
    let world = World::new();
    for token in
        ["x", "a.b.c", "a.b.c.d", "tnt_00000000000000000000000000.fam_00000000000000000000000000.1.AAAA"]
    {
        assert_eq!(world.revoke(&form(&world, token)).0, 200, "{token}");
    }
}

#[test]
fn rfc7009_2_2_1_malformed_requests_are_refused() {
    let world = World::new();
    let good = form(&world, "x");
    assert_eq!(error(&world.revoke(&with(&good, "token", None))), (400, "invalid_request"));
    assert_eq!(error(&world.revoke(&with(&good, "client_id", None))), (400, "invalid_request"));
    assert_eq!(error(&world.revoke(&plus(&good, "token", "y"))), (400, "invalid_request"));
    let unknown = with(&good, "client_id", Some("cli_00000000000000000000000000"));
    assert_eq!(error(&world.revoke(&unknown)), (401, "invalid_client"));
}

#[test]
fn rfc7009_2_2_1_what_could_not_be_revoked_is_said() {
    let world = World::new();
    let tokens = world.tokens();
    let form = form(&world, tokens["refresh_token"].as_str().unwrap());
    world.sim.faults.on_statement("end_grant", Fault::LostRequest);
    assert_eq!(error(&world.revoke(&form)), (503, "temporarily_unavailable"));
    assert_eq!(world.revoke(&form).0, 200);
    assert_eq!(world.call(tokens["access_token"].as_str().unwrap()), Err(401));
}
