//! The call that a refusal holds: what was dropped or guessed goes out by none, what is lacking hides nothing, and what cannot be
//! mended is answered with the call that finds it.

use std::rc::Rc;

use postern::{
    desk::{Caller, Scope, Scopes},
    mcp::Outcome,
};
use serde_json::{Value, json};

use super::{
    judging::{NO_POST, ask, done, long, next, read, refused, sent, tick_second, told},
    stage::Stage,
};
use crate::{
    media::{file, png},
    sim::{Incoming, Sim, world::Company},
};

const NO_MEDIA: &str = "med_00000000000000000000000000";

fn with_when(body: &Value, when: &str) -> Value {
    let mut body = body.clone();
    body["when"] = json!(when);
    body
}

#[test]
fn what_was_dropped_or_guessed_goes_out_by_no_corrected_call() {
    let stage = Stage::new(401);
    for body in [
        json!({ "text": "One", "profiles": ["acme"], "bogus": 1 }),
        json!({ "text": "Two", "profiles": ["acm"] }),
        json!({ "text": "Three", "profiles": ["acme"], "workspace": "Mian" }),
        json!({ "text": true, "profiles": ["acme"] }),
        json!({ "text": "Five", "txt": "Lost", "profiles": ["acme"] }),
        json!({ "text": "Six", "profiles": ["acme"], "media": [{ "media_id": NO_MEDIA }] }),
        json!({ "text": "Seven", "profiles": ["acme"], "idempotency_ky": "x", "bogus": 2 }),
    ] {
        for when in ["now", "PT5M"] {
            let problems = refused(&stage, "create_post", with_when(&body, when));
            let (tool, arguments) = next(&problems);
            assert_eq!((tool, arguments.get("when")), ("create_post", None), "{body}");
            assert!(problems[0]["hint"].as_str().unwrap().contains("leaves when out"), "{problems:?}");
            assert_eq!(done(&stage, tool, arguments)["status"], "draft", "{body}");
        }
    }
    stage.later(3600);
    assert_eq!(stage.public(), 0);
}

#[test]
fn what_was_only_written_in_another_form_goes_out_as_it_was_meant() {
    let stage = Stage::new(402);
    for body in [
        json!({ "text": "One", "profiles": "acme", "when": "now" }),
        json!({ "txt": "Two", "profiles": ["acme"], "when": "now" }),
    ] {
        let problems = refused(&stage, "create_post", body);
        assert_eq!(next(&problems).1["when"], "now", "{problems:?}");
    }
    let far = json!({ "text": "Three", "profiles": ["acm"], "when": "P2D" });
    let problems = refused(&stage, "create_post", far);
    let (tool, arguments) = next(&problems);
    assert_eq!(done(&stage, tool, arguments)["status"], "scheduled", "somebody sees it before");
    let draft =
        done(&stage, "create_post", &json!({ "text": "Four", "profiles": ["acme"] }))["post_id"].clone();
    let problems = refused(&stage, "publish_post", json!({ "id": draft }));
    assert_eq!(next(&problems), ("publish_post", &json!({ "post_id": draft })));
}

#[test]
fn of_several_posts_only_the_one_that_was_changed_stays_a_draft() {
    let stage = Stage::new(403);
    let post = |text: &str| json!({ "text": text, "profiles": ["acme"], "when": "now" });
    let mut wrong = post("Two");
    wrong["bogus"] = json!(1);
    let problems = refused(&stage, "create_posts", json!({ "posts": [post("One"), wrong] }));
    let kept = json!({ "posts": [post("One"), { "text": "Two", "profiles": ["acme"] }] });
    assert_eq!(next(&problems), ("create_posts", &kept));
    let problems = refused(&stage, "create_posts", json!({ "posts": [post("One")], "bogus": 1 }));
    assert_eq!(next(&problems).1, &json!({ "posts": [{ "text": "One", "profiles": ["acme"] }] }));
}

#[test]
fn an_only_profile_is_added_to_a_draft() {
    let sim = Sim::new(404);
    let company = Company::found(&sim, "acme");
    let stage = Stage { sim, company };
    let problems = refused(&stage, "create_post", json!({ "text": "x", "when": "now" }));
    let (tool, arguments) = next(&problems);
    assert_eq!(arguments["profiles"].as_array().unwrap().len(), 1);
    assert_eq!(done(&stage, tool, arguments)["status"], "draft");
}

#[test]
fn a_tool_that_sends_or_destroys_is_not_offered_with_anything_dropped_or_guessed() {
    let stage = Stage::new(405);
    let draft = done(&stage, "create_post", &json!({ "text": "x", "profiles": ["acme"] }))["post_id"].clone();
    let failed = stage.failed();
    for (tool, arguments) in [
        ("publish_post", json!({ "post_id": draft, "profiles": ["acm"] })),
        ("publish_post", json!({ "post_id": draft, "bogus": 1 })),
        ("retry_post", json!({ "post_id": draft })),
        ("delete_post", json!({ "post_id": draft, "dry_run": true })),
        ("retry_post", json!({ "post_id": failed, "profiles": ["acm"] })),
        ("retry_post", json!({ "post_id": failed, "media": [{ "media_id": NO_MEDIA }] })),
    ] {
        let problems = refused(&stage, tool, arguments.clone());
        let (by, with) = next(&problems);
        assert_ne!(by, tool, "{arguments}");
        done(&stage, by, with);
    }
    stage.later(3600);
    assert_eq!(stage.public(), 0);
}

#[test]
fn a_retry_to_an_account_that_needs_it_is_answered_with_the_call_that_connects_it_again() {
    let stage = Stage::new(414);
    let failed = stage.failed();
    stage.sim.shard().execute("UPDATE profile SET state = 'reauthorise' WHERE handle = 'acme'", []);
    let problems = refused(&stage, "retry_post", json!({ "post_id": failed }));
    assert_eq!(told(&problems), [("profile_needs_reconnect", "profiles")]);
    let (tool, arguments) = next(&problems);
    assert_eq!(tool, "connect_social_profile");
    done(&stage, tool, arguments);
}

#[test]
fn an_update_sends_neither_what_was_changed_meanwhile_nor_what_lost_its_picture() {
    let stage = Stage::new(406);
    let post =
        done(&stage, "create_post", &json!({ "text": "Mine", "profiles": ["acme"] }))["post_id"].clone();
    done(&stage, "update_post", &json!({ "post_id": post, "text": "A colleague's" }));
    let stale = json!({ "post_id": post, "text": "Mine again", "expected_revision": 1 });
    for when in ["now", "PT5M"] {
        let problems = refused(&stage, "update_post", with_when(&stale, when));
        assert_eq!(next(&problems), ("get_post", &json!({ "post_id": post })), "{when}");
    }
    assert_eq!(next(&refused(&stage, "update_post", with_when(&stale, "P2D"))).1["expected_revision"], 2);
    let bare = json!({ "post_id": post, "media": [{ "media_id": NO_MEDIA }, { "media_id": NO_MEDIA }] });
    for when in ["now", "P2D"] {
        let problems = refused(&stage, "update_post", with_when(&bare, when));
        assert_eq!(next(&problems), ("get_post", &json!({ "post_id": post })), "{when}");
    }
}

#[test]
fn where_something_said_has_no_place_the_corrected_call_keeps_a_draft_or_only_reads() {
    let stage = Stage::new(421);
    for lost in [
        json!({ "image_url": "https://example.com/a.png" }),
        json!({ "draft": true }),
        json!({ "time_zone": "America/New_York" }),
        json!({ "exclude_profiles": ["acme"] }),
    ] {
        let mut body = json!({ "text": lost.to_string(), "profiles": ["acme"], "when": "P2D" });
        body.as_object_mut().unwrap().extend(lost.as_object().unwrap().clone());
        let problems = refused(&stage, "create_post", body);
        let (tool, arguments) = next(&problems);
        assert_eq!(done(&stage, tool, arguments)["status"], "draft", "{lost}");
    }
    let post = done(&stage, "create_post", &json!({ "text": "Old", "profiles": ["acme"], "when": "P3D" }))
        ["post_id"]
        .clone();
    let before = stage.done("get_post", json!({ "post_id": post }));
    for (tool, arguments) in [
        ("update_post", json!({ "post_id": post, "content": "New", "when": "P1D" })),
        ("update_post", json!({ "post_id": post, "status": "draft" })),
        ("update_post", json!({ "post_id": post, "media": [{ "media_id": NO_MEDIA }] })),
        ("schedule_post", json!({ "post_id": post, "text": "New", "when": "P1D" })),
        ("unschedule_post", json!({ "post_id": post, "profiles": ["acme"] })),
        ("change_posts", json!({ "filter": { "search": "Summer" }, "delete": true })),
        ("change_posts", json!({ "filter": { "post_ids": [post] }, "shift": "P1D" })),
        ("undo_change", json!({ "post_id": post })),
        ("undo_change", json!({ "count": 2 })),
    ] {
        let problems = refused(&stage, tool, arguments.clone());
        let (by, with) = next(&problems);
        assert!(
            ["get_post", "list_posts", "list_social_profiles", "whoami"].contains(&by),
            "{tool} {arguments}: {by}"
        );
        done(&stage, by, with);
    }
    assert_eq!(stage.done("get_post", json!({ "post_id": post })), before);
    let several = json!({ "draft": true, "posts": [
        { "text": "First", "profiles": ["acme"], "when": "P2D" },
        { "text": "Second", "profiles": ["acme"], "when": "P3D" },
    ] });
    let problems = refused(&stage, "create_posts", several);
    let (tool, arguments) = next(&problems);
    let made = done(&stage, tool, arguments);
    let drafts = made["posts"].as_array().unwrap().iter().filter(|post| post["status"] == "draft");
    assert_eq!(
        (tool, drafts.count()),
        ("create_posts", 2),
        "what was said beside the posts is of each of them"
    );
    let empty = refused(&stage, "create_post", json!({ "post": { "text": "x" } }));
    assert_ne!(next(&empty).0, "create_post", "there is nothing to keep");
}

#[test]
fn a_name_with_or_without_what_it_is_says_the_same() {
    let stage = Stage::new(422);
    let made = done(&stage, "create_post", &json!({ "text": "One", "profiles": ["acme"], "when": "P1D" }));
    let problems = refused(&stage, "undo_change", json!({ "change": made["change_id"] }));
    assert_eq!(next(&problems), ("undo_change", &json!({ "change_id": made["change_id"] })));
    let problems = refused(&stage, "get_post", json!({ "post": made["post_id"] }));
    assert_eq!(next(&problems), ("get_post", &json!({ "post_id": made["post_id"] })));
}

#[test]
fn what_cannot_be_read_under_its_right_name_is_told_in_our_words() {
    let stage = Stage::new(423);
    let problems = refused(&stage, "delete_post", json!({ "post_ids": ["post_1"] }));
    assert!(problems.iter().all(|problem| problem["code"] != "malformed"), "{problems:?}");
}

/// The problems that somebody's call is refused for.
fn problems_of(stage: &Stage, caller: &Caller<'_>, tool: &str, arguments: &Value) -> Vec<Value> {
    match sent(stage, caller, tool, arguments) {
        Outcome::Response(response) => read(&response).expect_err("a refusal"),
        other => panic!("{tool} {arguments}: {other:?}"),
    }
}

#[test]
fn a_capability_that_is_lacking_hides_nothing_and_is_named() {
    let stage = Stage::new(407);
    let grant = stage.writer();
    let writer = stage.company.caller_by(&stage.sim, &grant);
    let post = stage.post(&["acme"], "P2D");
    let lacking = ("insufficient_scope", "");
    for (tool, arguments, expected) in [
        (
            "create_post",
            json!({ "text": "x", "profiles": ["nope"], "when": "now", "bogus": 1 }),
            vec![lacking, ("social_profile_rejected", "profiles[0]"), ("unknown_field", "bogus")],
        ),
        (
            "create_post",
            json!({ "text": "x", "profiles": ["nope"], "when": "now" }),
            vec![lacking, ("social_profile_rejected", "profiles[0]")],
        ),
        (
            "delete_post",
            json!({ "post_id": post, "on_networks": true, "expected_revision": 9 }),
            vec![lacking, ("post_changed", "expected_revision")],
        ),
        (
            "confirm_delivery",
            json!({ "post_id": post, "outcome": "send_again", "profile": "nope" }),
            vec![lacking, ("not_unknown", "post_id"), ("social_profile_rejected", "profile")],
        ),
    ] {
        let problems = problems_of(&stage, &writer, tool, &arguments);
        assert_eq!(told(&problems), expected, "{tool} {arguments}");
        assert!(
            problems.last().unwrap()["message"].as_str().unwrap().contains("posts:publish"),
            "{problems:?}"
        );
    }
}

#[test]
fn a_call_that_lacks_only_a_capability_asks_for_it() {
    let stage = Stage::new(408);
    let grant = stage.writer();
    let writer = stage.company.caller_by(&stage.sim, &grant);
    let needed = Scopes::of(&[Scope::PostsWrite, Scope::PostsPublish]);
    for when in ["now", "PT5M"] {
        let right = json!({ "text": "x", "profiles": ["acme"], "when": when });
        let outcome = sent(&stage, &writer, "create_post", &right);
        assert!(
            matches!(outcome, Outcome::InsufficientScope(scopes) if scopes == needed),
            "{when}: {outcome:?}"
        );
        let misshapen = json!({ "text": "x", "profiles": "acme", "when": when });
        let problems = problems_of(&stage, &writer, "create_post", &misshapen);
        let draft = json!({ "text": "x", "profiles": ["acme"] });
        assert_eq!(next(&problems), ("create_post", &draft), "what this grant may do");
        assert_eq!(told(&problems), [("insufficient_scope", ""), ("wrong_type", "profiles")], "{when}");
    }
}

#[test]
fn content_is_judged_while_its_profiles_are_in_doubt() {
    let stage = Stage::new(409);
    let body = json!({ "text": long(), "profiles": ["nope"], "when": "P2D" });
    let expected = [("content_too_long", "text"), ("social_profile_rejected", "profiles[0]")];
    assert_eq!(told(&refused(&stage, "create_post", body)), expected);
    let body = json!({ "text": long(), "profiles": ["wall"], "when": "P2D" });
    let expected = [("ambiguous_profile", "profiles[0]"), ("content_too_long", "text")];
    assert_eq!(told(&refused(&stage, "create_post", body)), expected);
    let failed = stage.failed();
    let retry = json!({ "post_id": failed, "profiles": ["nope"], "text": long() });
    let told_of_retry = refused(&stage, "retry_post", retry);
    assert!(told(&told_of_retry).contains(&("content_too_long", "text")), "{told_of_retry:?}");
}

#[test]
fn a_filter_that_fits_too_many_posts_is_told_beside_the_rest() {
    let stage = Stage::new(410);
    for part in 0..2 {
        let posts: Vec<Value> = (0..30).map(|n| json!({ "text": format!("Post {part} {n}") })).collect();
        done(&stage, "create_posts", &json!({ "posts": posts }));
    }
    let problems = refused(&stage, "change_posts", json!({ "filter": {}, "shift": "zz" }));
    assert_eq!(told(&problems), [("malformed", "shift"), ("too_many", "filter")]);
    let problems = refused(&stage, "change_posts", json!({ "filter": {}, "labels": ["new"] }));
    let (tool, arguments) = next(&problems);
    assert_eq!(done(&stage, tool, arguments)["posts"].as_array().unwrap().len(), 50);
}

#[test]
fn the_call_of_a_refusal_stands_in_its_first_problem_and_is_of_use() {
    let stage = Stage::new(411);
    stage.sim.web.set_peer(Rc::new(|_: &Incoming| Ok(file(png(8, 1)))));
    let url = "https://pictures.example/ok";
    let post = stage.post(&["acme"], "P2D");
    for (tool, arguments, by, with) in [
        (
            "create_post",
            json!({ "text": "a", "thread": "x" }),
            "create_post",
            json!({ "text": "a", "thread": [{ "text": "x" }] }),
        ),
        (
            "create_post",
            json!({ "text": "b", "thread": ["x"] }),
            "create_post",
            json!({ "text": "b", "thread": [{ "text": "x" }] }),
        ),
        (
            "create_post",
            json!({ "text": "c", "media": url }),
            "create_post",
            json!({ "text": "c", "media": [{ "url": url }] }),
        ),
        ("list_posts", json!({ "limit": true }), "list_posts", json!({})),
        ("list_posts", json!({ "status": "overdue" }), "list_posts", json!({})),
        (
            "change_posts",
            json!({ "filter": { "status": "overdue" }, "shift": "P1D" }),
            "list_posts",
            json!({}),
        ),
        ("change_posts", json!({ "filter": {}, "shift": "zz" }), "list_posts", json!({})),
        ("create_posts", json!({ "posts": [] }), "describe_network", json!({ "network": "wall" })),
        ("connect_social_profile", json!({}), "list_social_profiles", json!({})),
        ("resume_publishing", json!({}), "list_posts", json!({ "status": "needs_attention" })),
        ("schedule_post", json!({ "post_id": post, "when": "zz" }), "list_workspaces", json!({})),
        (
            "update_post",
            json!({ "post_id": post, "text": "New", "workspace": "Nowhere" }),
            "get_post",
            json!({ "post_id": post }),
        ),
    ] {
        let problems = refused(&stage, tool, arguments.clone());
        let first = &problems[0]["next"];
        assert_eq!(
            (&first["tool"], &first["arguments"]),
            (&json!(by), &with),
            "{tool} {arguments}: {problems:?}"
        );
        done(&stage, by, &with);
    }
    let problems = refused(&stage, "connect_social_profile", json!({}));
    assert!(problems[0]["hint"].as_str().unwrap().contains("One of: "), "{problems:?}");
    let late = json!({ "bogus": 1, "text": "x", "profiles": ["nobody at all"], "labels": 5 });
    let problems = refused(&stage, "create_post", late);
    assert!(problems[0]["field"] != "profiles[0]" && problems[0]["next"]["tool"] == "list_social_profiles");
}

#[test]
fn what_the_caller_wrote_is_in_the_call_that_previews_or_copies() {
    let stage = Stage::new(412);
    let own = json!([{ "profiles": ["media"], "text": "For one" }]);
    let body = json!({ "text": "x", "profiles": ["acme", "media"], "when": "P1D", "overrides": own });
    let post = done(&stage, "create_post", &body)["post_id"].clone();
    let longer = json!({ "post_id": post, "text": long() });
    let problems = refused(&stage, "update_post", longer.clone());
    assert_eq!(next(&problems), ("preview_post", &longer));
    assert_eq!(done(&stage, "preview_post", &longer)["ready"], false);

    let live = stage.published(&["acme"]);
    for (tool, said) in [
        ("update_post", json!({ "text": "New words", "labels": ["new"] })),
        ("schedule_post", json!({ "when": "P3D" })),
    ] {
        let mut copied = said.clone();
        copied["copy_from"] = live.clone();
        let mut arguments = said;
        arguments["post_id"] = live.clone();
        let problems = refused(&stage, tool, arguments);
        assert_eq!(told(&problems), [("post_already_live", "post_id")], "{tool}");
        assert_eq!(next(&problems), ("create_post", &copied), "{tool}");
        done(&stage, "create_post", &copied);
    }
    let again = json!({ "post_id": live, "text": "New words", "when": "now" });
    assert_eq!(next(&refused(&stage, "update_post", again)).1.get("when"), None);
    assert_eq!(next(&refused(&stage, "publish_post", json!({ "post_id": live }))).0, "get_post");
}

#[test]
fn a_hint_names_every_workspace_that_it_may_be_about() {
    let stage = Stage::new(413);
    let second = tick_second(&stage);
    stage.company.add_wall(&stage.sim, &second, "other");
    let body = json!({ "text": "x", "workspace": "Nowhere", "profiles": ["nope"], "when": "soonish" });
    let problems = refused(&stage, "create_post", body);
    for problem in problems.iter().filter(|problem| problem["field"] != "workspace") {
        let hint = problem["hint"].as_str().unwrap();
        assert!(hint.contains("In \"Main\": ") && hint.contains("In \"Second\": "), "{hint}");
    }
    let problems = refused(&stage, "get_post", json!({ "post_id": NO_POST }));
    let hint = problems[0]["hint"].as_str().unwrap();
    assert!(hint.contains("\"Main\"") && hint.contains("\"Second\""), "{hint}");
    assert!(ask(&stage, next(&problems).0, next(&problems).1).is_ok());
}
