//! Step-up: 403 with everything that a call needs, and a consent that adds only what is missing (MCP authorization,
//! "Scope Challenge Handling").

use postern::{
    desk::{Role, Scope, Scopes, Selection, Toolset},
    edge,
    http::Response,
};
use serde_json::json;

use super::{
    Browser, CALLBACK, World, plus, redirected,
    standing::{call, send},
    text, with,
};
use crate::sim::{Fault, run};

/// The scope that a 403 names.
fn challenged(response: &Response) -> String {
    assert_eq!(response.status, 403);
    let challenge = response.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer error=\"insufficient_scope\""), "{challenge}");
    assert!(!challenge.contains("offline_access"), "{challenge}");
    challenge.split_once("scope=\"").unwrap().1.split('"').next().unwrap().to_owned()
}

/// Calls a tool that publishes, which the grant of [`World::wish`] does not allow.
fn publish(world: &World, access: &str) -> Response {
    send(world, access, &call("publish_post", json!({ "post_id": "post_00000000000000000000000000" })))
}

fn access(tokens: &serde_json::Value) -> &str {
    tokens["access_token"].as_str().unwrap()
}

fn asking(world: &World, scope: &str) -> Vec<(String, String)> {
    with(&world.wish(), "scope", Some(scope))
}

fn tokens_for(world: &World, scope: &str) -> serde_json::Value {
    let (status, tokens) = world.token(&world.redemption(&world.code_for(&asking(world, scope))));
    assert_eq!(status, 200, "{tokens}");
    tokens
}

#[test]
fn one_step_up_is_enough_and_the_app_keeps_what_it_had() {
    let world = World::new();
    let first = world.tokens();
    let scope = challenged(&publish(&world, access(&first)));
    assert_eq!(scope, "posts:write posts:publish", "all that the call needs, held or not");

    let id = world.pending(&asking(&world, &scope));
    let page = text(&world.consent_page(&world.browser, &id));
    assert!(page.contains("asks to do more for acme"), "{page}");
    let ticks: Vec<&str> = page.split("name=\"capability\" value=\"").skip(1).collect();
    let ticked: Vec<&str> = ticks
        .iter()
        .filter(|tick| tick.split('>').next().unwrap().ends_with(" checked"))
        .map(|tick| tick.split('"').next().unwrap())
        .collect();
    assert_eq!(ticked, ["posts:publish"], "what is missing, and nothing more");
    let kept = page.split("id=\"kept\"").nth(1).unwrap().split("</ul>").next().unwrap();
    for held in [Scope::WorkspaceRead, Scope::PostsRead, Scope::PostsWrite] {
        assert!(kept.contains(held.plain_words()), "{held:?}");
        assert!(ticks.iter().all(|tick| !tick.starts_with(held.as_str())), "{held:?} is not asked again");
    }

    let code =
        redirected(&world.decide(&id, &world.filled_in(&id, "approve"))).get("code").unwrap().to_owned();
    let (_, second) = world.token(&world.redemption(&code));
    assert_eq!(second["scope"], "workspace:read posts:read posts:write posts:publish");
    assert_eq!(publish(&world, access(&second)).status, 200, "no second step");
    assert_eq!(world.count("SELECT count(*) FROM audit WHERE act = 'step_up'"), 1);
}

#[test]
fn the_first_connection_keeps_its_scopes_through_a_step_up_of_the_second() {
    let world = World::new();
    let first = world.tokens();
    let second = tokens_for(&world, "posts:read");
    assert_eq!(second["scope"], "posts:read", "a second device starts from nothing");
    let scope = challenged(&publish(&world, access(&second)));
    let third = tokens_for(&world, &scope);
    assert_eq!(
        third["scope"], "posts:read posts:write posts:publish",
        "what the second device had, and the rest"
    );
    let (_, again) = world.refresh(first["refresh_token"].as_str().unwrap());
    assert_eq!(again["scope"], first["scope"]);
    assert_eq!(world.call(access(&first)), Ok(()));
}

#[test]
fn a_challenge_widens_one_consent_only() {
    let world = World::new();
    let scope = challenged(&publish(&world, access(&world.tokens())));
    assert_eq!(tokens_for(&world, &scope)["scope"], "workspace:read posts:read posts:write posts:publish");
    assert_eq!(tokens_for(&world, &scope)["scope"], scope, "the next starts from nothing");
}

#[test]
fn without_a_challenge_nothing_is_inherited() {
    let world = World::new();
    world.tokens();
    assert_eq!(tokens_for(&world, "posts:publish")["scope"], "posts:publish");
}

#[test]
fn a_challenge_counts_for_its_own_client_person_grant_and_hour() {
    let inherits = |world: &World| {
        tokens_for(world, "posts:write posts:publish")["scope"] != "posts:write posts:publish"
    };
    let challenged_world = || {
        let world = World::new();
        let tokens = world.tokens();
        challenged(&publish(&world, access(&tokens)));
        (world, tokens)
    };
    let (world, _) = challenged_world();
    assert!(inherits(&world), "as it is");

    let (mut world, _) = challenged_world();
    world.client_id = world.register_client(&[CALLBACK]);
    assert!(!inherits(&world), "another client");

    let (world, _) = challenged_world();
    let (_, eve) = world.add_member("eve", Role::Editor);
    let World { sim, company, client_id, .. } = world;
    let world = World { sim, company, client_id, browser: Browser { cookie: eve.cookie } };
    assert!(!inherits(&world), "another person");

    let (world, _) = challenged_world();
    world.sim.clock.advance_seconds(3600);
    assert!(!inherits(&world), "an hour later");

    let (world, tokens) = challenged_world();
    let form = [("token", access(&tokens)), ("client_id", &world.client_id)];
    world.revoke(&form.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(!inherits(&world), "a grant that is over");

    let (world, _) = challenged_world();
    let other = tokens_for(&world, "posts:read media:write");
    assert_eq!(other["scope"], "posts:read media:write", "a request for something else");
}

#[test]
fn only_what_the_role_still_allows_is_kept() {
    let world = World::new();
    let (_, eve) = world.add_member("eve", Role::Editor);
    let World { sim, company, client_id, .. } = world;
    let world = World { sim, company, client_id, browser: Browser { cookie: eve.cookie } };
    let tokens = tokens_for(&world, "posts:read posts:write");
    let asked = send(&world, access(&tokens), &call("list_workspaces", json!({})));
    assert_eq!(challenged(&asked), "workspace:read");
    world.sim.shard().execute("UPDATE membership SET role = 'viewer' WHERE name = 'eve'", []);
    assert_eq!(tokens_for(&world, "workspace:read")["scope"], "workspace:read posts:read");
}

#[test]
fn a_step_up_needs_a_person_and_their_no_changes_nothing() {
    let world = World::new();
    let first = world.tokens();
    let scope = challenged(&publish(&world, access(&first)));
    let id = world.pending(&asking(&world, &scope));
    let before = world.count("SELECT count(*) FROM oauth_grant");
    let response = world.decide(&id, &world.filled_in(&id, "deny"));
    assert_eq!(redirected(&response).get("error"), Some("access_denied"));
    assert_eq!(world.count("SELECT count(*) FROM oauth_grant"), before);
    assert_eq!(world.call(access(&first)), Ok(()));

    let id = world.pending(&asking(&world, &scope));
    let nothing_more = with(&world.filled_in(&id, "approve"), "capability", None);
    assert_eq!(world.decide(&id, &nothing_more).status, 400, "keeping what it has is no answer");
    let forged = with(&world.filled_in(&id, "approve"), "capability", Some("posts:read"));
    assert_eq!(world.decide(&id, &forged).status, 400);
}

#[test]
fn the_workspaces_of_the_grant_are_ticked_again_and_others_are_not() {
    let world = World::new();
    world.company.add_workspace(&world.sim, "Second", "UTC");
    let id = world.pending(&world.wish());
    let one = with(&world.filled_in(&id, "approve"), "workspace", Some(world.company.workspace.as_str()));
    let code = redirected(&world.decide(&id, &one)).get("code").unwrap().to_owned();
    let (_, tokens) = world.token(&world.redemption(&code));
    let scope = challenged(&publish(&world, access(&tokens)));
    let id = world.pending(&asking(&world, &scope));
    let page = text(&world.consent_page(&world.browser, &id));
    let ticked: Vec<&str> = page
        .split("name=\"workspace\" value=\"")
        .skip(1)
        .filter(|tick| tick.split('>').next().unwrap().ends_with(" checked"))
        .map(|tick| tick.split('"').next().unwrap())
        .collect();
    assert_eq!(ticked, [world.company.workspace.as_str()]);
}

#[test]
fn a_workspace_that_the_person_unticked_stays_unticked_when_the_page_comes_again() {
    let world = World::new();
    let second = world.company.add_workspace(&world.sim, "Second", "UTC");
    let scope = challenged(&publish(&world, access(&world.tokens())));
    let id = world.pending(&asking(&world, &scope));
    let form = with(&world.filled_in(&id, "approve"), "workspace", Some(second.as_str()));
    let again = world.decide(&id, &with(&form, "capability", None));
    assert_eq!(again.status, 400);
    let page = text(&again);
    let ticked = |workspace: &str| page.contains(&format!("value=\"{workspace}\" checked"));
    assert!(ticked(second.as_str()) && !ticked(world.company.workspace.as_str()), "{page}");
}

#[test]
fn refresh_tokens_are_not_lost_by_a_step_up() {
    let mut world = World::new();
    let (_, body) =
        world.register(&json!({ "redirect_uris": [CALLBACK], "grant_types": ["authorization_code"] }));
    world.client_id = body["client_id"].as_str().unwrap().to_owned();
    let first = tokens_for(&world, "posts:read offline_access");
    let asked = send(&world, access(&first), &call("list_workspaces", json!({})));
    let second = tokens_for(&world, &challenged(&asked));
    assert_eq!(second["scope"], "workspace:read posts:read offline_access");
    assert_eq!(world.refresh(second["refresh_token"].as_str().unwrap()).0, 200);
}

#[test]
fn a_challenge_is_written_down_once_in_ten_minutes() {
    let world = World::new();
    let tokens = world.tokens();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let noted = || world.count("SELECT count(*) FROM audit WHERE act = 'step_up'");
    for _ in 0..5 {
        challenged(&publish(&world, access(&tokens)));
    }
    assert_eq!(noted(), 1);
    challenged(&send(&world, access(&tokens), &call("list_social_profiles", json!({}))));
    assert_eq!(noted(), 2, "another challenge");
    world.sim.clock.advance_seconds(600);
    let (_, fresh) = world.refresh(refresh);
    challenged(&send(&world, access(&fresh), &call("list_social_profiles", json!({}))));
    assert_eq!(noted(), 3);
}

#[test]
fn a_challenge_that_cannot_be_written_down_is_given_all_the_same() {
    let world = World::new();
    let tokens = world.tokens();
    world.sim.faults.on_statement("note_step_up", Fault::LostRequest);
    let scope = challenged(&publish(&world, access(&tokens)));
    assert_eq!(tokens_for(&world, &scope)["scope"], scope, "then the person ticks all of it");
}

#[test]
fn mcp_authorization_offline_access_stands_in_no_challenge() {
    assert!(!Scope::DEFAULT.contains(Scopes::of(&[Scope::OfflineAccess])));
    let world = World::new();
    let refused = run(edge::serve(&world.sim.platform(), world.mcp_request(None)));
    assert!(!refused.header("www-authenticate").unwrap().contains("offline_access"));
}

#[test]
fn what_the_page_did_not_show_is_not_given() {
    let world = World::new();
    let first = tokens_for(&world, "workspace:read posts:read posts:write media:write");
    let id = world.pending(&asking(&world, "posts:read posts:publish"));
    let form = world.filled_in(&id, "approve");
    publish(&world, access(&first));
    let again = world.decide(&id, &form);
    assert_eq!(again.status, 400, "{}", text(&again));
    assert!(text(&again).contains("What the app may do already has changed"), "the page is shown again");
    assert_eq!(world.count("SELECT count(*) FROM audit WHERE act = 'authorize_app'"), 1);

    for forged in ["grt_00000000000000000000000000", "nonsense", ""] {
        assert_eq!(world.decide(&id, &plus(&form, "kept", forged)).status, 400, "{forged}");
    }
    let seen = world.decide(&id, &world.filled_in(&id, "approve"));
    let (_, second) = world.token(&world.redemption(redirected(&seen).get("code").unwrap()));
    assert!(second["scope"].as_str().unwrap().contains("media:write"), "once it was seen: {second}");
}

#[test]
fn what_the_app_was_narrowed_to_is_ticked_again_when_it_asks_for_more() {
    let world = World::new();
    let first = world.tokens();
    let narrowed = Selection::of_sets([Toolset::Posts]).reading(false);
    world.sim.shard().execute("UPDATE oauth_grant SET selection = ?1", [narrowed.bits()]);
    let scope = challenged(&publish(&world, access(&first)));
    let id = world.pending(&asking(&world, &scope));
    let page = text(&world.consent_page(&world.browser, &id));
    assert!(page.contains("value=\"posts\" checked") && !page.contains("value=\"delivery\" checked"));
    assert_eq!(world.decide(&id, &world.filled_in(&id, "approve")).status, 303);
    let newest = "SELECT selection FROM oauth_grant ORDER BY grant_id DESC LIMIT 1";
    assert_eq!(world.count(newest), narrowed.bits());
}

#[test]
fn no_wider_grant_is_asked_for_a_tool_that_the_person_left_out() {
    let world = World::new();
    let first = world.tokens();
    let narrowed = Selection::of_sets([Toolset::Account]);
    world.sim.shard().execute("UPDATE oauth_grant SET selection = ?1", [narrowed.bits()]);
    let response = publish(&world, access(&first));
    assert_eq!(response.status, 200);
    assert!(text(&response).contains("tool_not_selected"));
}
