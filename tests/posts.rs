//! Posts as an assistant makes and changes them, by calling the tools.

mod bulk;
pub mod confirming;
mod corrected;
mod judging;
mod lessons;
mod mending;
mod near;
mod overriding;
mod page;
mod pausing;
mod pictures;
mod public;
mod reading;
mod repeating;
mod shortening;
pub mod stage;
mod statements;
mod undoing;

use postern::{
    desk::{Caller, Code, Refusal, Role, Scope, Scopes, ToolEntry},
    posts::TOOLS,
};
use serde_json::{Value, json};

use crate::sim::{Sim, run, world::Company};

/// Calls a tool and gives its structured result.
pub fn call(caller: &Caller<'_>, tool: &str, arguments: Value) -> Result<Value, Refusal> {
    let entry: &ToolEntry = TOOLS.iter().find(|entry| entry.name == tool).expect("a tool of posts");
    run(entry.call(caller, arguments)).map(|text| serde_json::from_str(&text).expect("JSON"))
}

pub fn codes(refusal: Refusal) -> Vec<(String, Code)> {
    match refusal {
        Refusal::Problems(problems) => {
            problems.into_iter().map(|problem| (problem.field, problem.code)).collect()
        }
        other => panic!("not problems: {other:?}"),
    }
}

pub fn corrected(refusal: &Refusal) -> Value {
    match refusal {
        Refusal::Problems(problems) => problems
            .iter()
            .find_map(|problem| problem.next.clone())
            .map(|next| next.arguments)
            .expect("a corrected call"),
        other => panic!("not problems: {other:?}"),
    }
}

#[test]
fn a_draft_is_kept_without_profiles_and_says_what_it_lacks() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let post = call(&caller, "create_post", json!({ "text": "An idea" })).unwrap();
    assert_eq!(post["status"], "draft");
    assert_eq!(post["problems"][0]["code"], "no_profiles");
    assert_eq!(post["revision"], 1);
    let url = post["review_url"].as_str().unwrap();
    assert!(url.starts_with("http://localhost:8790/acme/posts/post_"), "{url}");
}

#[test]
fn a_scheduled_post_says_its_time_three_ways() {
    let sim = Sim::new(2);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let post = call(
        &caller,
        "create_post",
        json!({ "profiles": ["wall"], "text": "Hello", "when": "2099-12-01T09:00" }),
    )
    .unwrap();
    assert_eq!(post["status"], "scheduled");
    assert_eq!(post["when"]["utc"], "2099-12-01T08:00:00Z");
    assert_eq!(post["when"]["local"], "2099-12-01T09:00:00+01:00[Europe/Stockholm]");
    let words = post["when"]["words"].as_str().unwrap();
    assert!(words.starts_with("Tuesday 1 December 2099, 09:00 Europe/Stockholm, in "), "{words}");
    assert_eq!(post["deliveries"][0]["status"], "waiting");
}

#[test]
fn every_problem_of_meaning_is_told_at_once_and_nothing_is_written() {
    let sim = Sim::new(3);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let refusal = call(
        &caller,
        "create_post",
        json!({ "profiles": ["nowhere"], "text": "Hello", "when": "2001-01-01T09:00",
                "media": [{ "media_id": "med_00000000000000000000000000" }] }),
    )
    .unwrap_err();
    let mut found = codes(refusal);
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        found,
        [
            ("media[0].media_id".to_owned(), Code::MediaNotFound),
            ("profiles[0]".to_owned(), Code::SocialProfileRejected),
            ("when".to_owned(), Code::InvalidSchedule),
        ]
    );
    let page = call(&caller, "list_posts", json!({})).unwrap();
    assert_eq!(page["posts"], json!([]));
}

#[test]
fn a_past_time_is_answered_with_the_call_that_works() {
    let sim = Sim::new(4);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let refusal = call(
        &caller,
        "create_post",
        json!({ "profiles": ["wall"], "text": "Hello", "when": "2001-01-01T09:00" }),
    )
    .unwrap_err();
    let post = call(&caller, "create_post", corrected(&refusal)).unwrap();
    assert_eq!(post["status"], "scheduled");
}

#[test]
fn text_that_is_too_long_stays_a_draft_and_its_refusal_holds_a_call_that_keeps_it_shortened() {
    let sim = Sim::new(5);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let long = "word ".repeat(3000);
    let draft = call(&caller, "create_post", json!({ "profiles": ["wall"], "text": long })).unwrap();
    assert_eq!(draft["status"], "draft");
    assert_eq!(draft["problems"][0]["code"], "content_too_long");
    let arguments = json!({ "profiles": ["wall"], "text": long, "when": "PT2H" });
    let refusal = call(&caller, "create_post", arguments).unwrap_err();
    let post = call(&caller, "create_post", corrected(&refusal)).unwrap();
    assert_eq!((&post["status"], &post["problems"]), (&json!("draft"), &json!([])));
}

#[test]
fn the_same_create_within_ten_minutes_gives_the_first_post() {
    let sim = Sim::new(6);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let body = json!({ "profiles": ["wall"], "text": "Once" });
    let first = call(&caller, "create_post", body.clone()).unwrap();
    let second = call(&caller, "create_post", body.clone()).unwrap();
    assert_eq!(second["post_id"], first["post_id"]);
    assert_eq!(second["duplicate_of"], first["post_id"]);
    let allowed = call(
        &caller,
        "create_post",
        json!({ "profiles": ["wall"], "text": "Once", "allow_duplicate": true }),
    )
    .unwrap();
    assert_ne!(allowed["post_id"], first["post_id"]);
    sim.clock.advance_seconds(601);
    let later = call(&caller, "create_post", body).unwrap();
    assert_ne!(later["post_id"], first["post_id"]);
    assert_eq!(later["duplicate_of"], Value::Null);
}

#[test]
fn an_idempotency_key_replays_its_call_and_refuses_another_body() {
    let sim = Sim::new(7);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let body = json!({ "text": "Keyed", "idempotency_key": "k1" });
    let first = call(&caller, "create_post", body.clone()).unwrap();
    sim.clock.advance_seconds(3600);
    assert_eq!(call(&caller, "create_post", body).unwrap()["post_id"], first["post_id"]);
    let refusal =
        call(&caller, "create_post", json!({ "text": "Other", "idempotency_key": "k1" })).unwrap_err();
    assert_eq!(codes(refusal), [("idempotency_key".to_owned(), Code::IdempotencyKeyReused)]);
}

#[test]
fn several_posts_are_made_all_or_none() {
    let sim = Sim::new(8);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let refusal = call(
        &caller,
        "create_posts",
        json!({ "posts": [
            { "profiles": ["wall"], "text": "One", "when": "PT1H" },
            { "profiles": ["wall"], "text": "Two", "when": "2001-01-01T00:00" } ] }),
    )
    .unwrap_err();
    assert_eq!(codes(refusal.clone()), [("posts[1].when".to_owned(), Code::InvalidSchedule)]);
    assert_eq!(call(&caller, "list_posts", json!({})).unwrap()["posts"], json!([]));
    let made = call(&caller, "create_posts", corrected(&refusal)).unwrap();
    assert_eq!(made["posts"].as_array().unwrap().len(), 2);
    let change = made["posts"][0]["change_id"].clone();
    let undone = call(&caller, "undo_change", json!({ "change_id": change })).unwrap();
    assert_eq!(undone["not_undone"], json!([]));
    assert_eq!(call(&caller, "list_posts", json!({})).unwrap()["posts"], json!([]));
}

#[test]
fn an_edit_keeps_the_time_and_a_stale_revision_is_refused() {
    let sim = Sim::new(9);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let post = call(
        &caller,
        "create_post",
        json!({ "profiles": ["wall"], "text": "First words", "when": "2099-12-01T09:00" }),
    )
    .unwrap();
    let edited = call(
        &caller,
        "update_post",
        json!({ "post_id": post["post_id"], "text": "Second words", "expected_revision": 1 }),
    )
    .unwrap();
    assert_eq!(edited["revision"], 2);
    assert_eq!(edited["when"], post["when"]);
    let refusal = call(
        &caller,
        "update_post",
        json!({ "post_id": post["post_id"], "text": "Third", "expected_revision": 1 }),
    )
    .unwrap_err();
    assert_eq!(codes(refusal), [("expected_revision".to_owned(), Code::PostChanged)]);
    let read = call(&caller, "get_post", json!({ "post_id": post["post_id"] })).unwrap();
    assert_eq!(read["text"], "Second words");
}

#[test]
fn the_last_change_is_undone_and_the_undoing_too() {
    let sim = Sim::new(10);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let post = call(
        &caller,
        "create_post",
        json!({ "profiles": ["wall"], "text": "Before", "when": "2099-12-01T09:00" }),
    )
    .unwrap();
    let id = &post["post_id"];
    call(&caller, "unschedule_post", json!({ "post_id": id })).unwrap();
    let undone = call(&caller, "undo_change", json!({})).unwrap();
    assert_eq!(undone["act"], "unschedule_post");
    assert_eq!(undone["posts"][0]["status"], "scheduled");
    let redone = call(&caller, "undo_change", json!({ "change_id": undone["change_id"] })).unwrap();
    assert_eq!(redone["posts"][0]["status"], "draft");
}

#[test]
fn moving_a_week_keeps_nine_at_nine_across_a_clock_change() {
    let sim = Sim::new(11);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let post = call(
        &caller,
        "create_post",
        json!({ "profiles": ["wall"], "text": "Spring", "when": "2099-03-26T09:00" }),
    )
    .unwrap();
    let arguments = json!({ "post_ids": [post["post_id"]], "shift": "P7D" });
    let dry = call(&caller, "change_posts", arguments).unwrap();
    assert_eq!(dry["applied"], false);
    let unchanged = call(&caller, "get_post", json!({ "post_id": post["post_id"] })).unwrap();
    assert_eq!(unchanged["when"], post["when"]);
    let applied = call(&caller, "change_posts", dry["next"][0]["arguments"].clone()).unwrap();
    assert_eq!(applied["applied"], true);
    let moved = call(&caller, "get_post", json!({ "post_id": post["post_id"] })).unwrap();
    assert_eq!(moved["when"]["local"], "2099-04-02T09:00:00+02:00[Europe/Stockholm]");
}

#[test]
fn a_dry_runs_token_fits_no_other_arguments_and_no_other_state() {
    let sim = Sim::new(12);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let post = call(
        &caller,
        "create_post",
        json!({ "profiles": ["wall"], "text": "Move me", "when": "2099-03-26T09:00" }),
    )
    .unwrap();
    let ids = json!([post["post_id"]]);
    let dry = call(&caller, "change_posts", json!({ "post_ids": ids, "shift": "P7D" })).unwrap();
    let token = &dry["token"];
    let other = call(&caller, "change_posts", json!({ "post_ids": ids, "shift": "P8D", "token": token }))
        .unwrap_err();
    assert_eq!(codes(other), [("token".to_owned(), Code::DryRunStale)]);
    call(&caller, "update_post", json!({ "post_id": post["post_id"], "text": "Changed" })).unwrap();
    let stale = call(&caller, "change_posts", json!({ "post_ids": ids, "shift": "P7D", "token": token }))
        .unwrap_err();
    assert_eq!(codes(stale), [("token".to_owned(), Code::DryRunStale)]);
}

#[test]
fn publishing_at_once_and_a_near_time_need_the_capability_to_publish() {
    let sim = Sim::new(13);
    let company = Company::found(&sim, "acme");
    let writer = Scopes::of(&[Scope::PostsRead, Scope::PostsWrite, Scope::WorkspaceRead]);
    let grant = company.add_grant(&sim, &company.owner, writer, &[&company.workspace]);
    let caller = company.caller_by(&sim, &grant);
    let needed = Scopes::of(&[Scope::PostsWrite, Scope::PostsPublish]);
    for when in ["now", "PT5M"] {
        let refusal =
            call(&caller, "create_post", json!({ "profiles": ["wall"], "text": "Soon", "when": when }))
                .unwrap_err();
        assert_eq!(refusal, Refusal::InsufficientScope(needed), "{when}");
    }
    let post = call(&caller, "create_post", json!({ "profiles": ["wall"], "text": "Later" })).unwrap();
    let refusal = call(&caller, "publish_post", json!({ "post_id": post["post_id"] })).unwrap_err();
    assert_eq!(refusal, Refusal::InsufficientScope(needed));
}

#[test]
fn what_an_assistant_publishes_is_held_and_can_be_stopped() {
    let sim = Sim::new(14);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let post =
        call(&caller, "create_post", json!({ "profiles": ["wall"], "text": "Now", "when": "now" })).unwrap();
    assert_eq!(post["status"], "scheduled");
    let stopped = call(&caller, "unschedule_post", json!({ "post_id": post["post_id"] })).unwrap();
    assert_eq!(stopped["status"], "draft");
}

#[test]
fn a_viewer_may_read_and_not_write() {
    let sim = Sim::new(15);
    let company = Company::found(&sim, "acme");
    let viewer = company.add_member(&sim, "vera", Role::Viewer);
    let grant = company.add_grant(&sim, &viewer, Scopes::EVERY, &[&company.workspace]);
    let caller = company.caller_by(&sim, &grant);
    call(&caller, "list_posts", json!({})).unwrap();
    let refusal = call(&caller, "create_post", json!({ "text": "No" })).unwrap_err();
    assert_eq!(codes(refusal), [(String::new(), Code::RoleNotAllowed)]);
}

#[test]
fn posts_elsewhere_unticked_and_invented_are_answered_alike() {
    let sim = Sim::new(16);
    let ours = Company::found(&sim, "acme");
    let theirs = Company::found(&sim, "other");
    let unticked = ours.add_workspace(&sim, "Secret", "UTC");
    let wide = ours.add_grant(&sim, &ours.owner, Scopes::EVERY, &[&ours.workspace, &unticked]);
    let hidden =
        call(&ours.caller_by(&sim, &wide), "create_post", json!({ "workspace": "Secret", "text": "Hidden" }))
            .unwrap();
    let foreign = call(&theirs.caller(&sim), "create_post", json!({ "text": "Foreign" })).unwrap();
    let caller = ours.caller(&sim);
    for tool in ["get_post", "update_post", "unschedule_post", "publish_post"] {
        let answer = |id: &Value| format!("{:?}", call(&caller, tool, json!({ "post_id": id })).unwrap_err());
        let invented = answer(&json!("post_00000000000000000000000000"));
        assert_eq!(answer(&hidden["post_id"]), invented, "{tool}");
        assert_eq!(answer(&foreign["post_id"]), invented, "{tool}");
    }
}

#[test]
fn pages_of_a_list_are_whole_and_follow_each_other() {
    let sim = Sim::new(17);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    for number in 0..7 {
        call(&caller, "create_post", json!({ "text": format!("Post {number}") })).unwrap();
        sim.clock.advance_seconds(1);
    }
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let mut arguments = json!({ "limit": 3 });
        if !cursor.is_null() {
            arguments["cursor"] = cursor.clone();
        }
        let page = call(&caller, "list_posts", arguments).unwrap();
        seen.extend(page["posts"].as_array().unwrap().iter().map(|post| post["text"].clone()));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let expected: Vec<Value> = (0..7).rev().map(|number| json!(format!("Post {number}"))).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_preview_writes_nothing() {
    let sim = Sim::new(18);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let preview = call(&caller, "preview_post", json!({ "profiles": ["all"], "text": "Look" })).unwrap();
    assert_eq!(preview["ready"], true);
    assert_eq!(preview["profiles"][0]["parts"][0]["text"], "Look");
    assert_eq!(call(&caller, "list_posts", json!({})).unwrap()["posts"], json!([]));
}
