//! Pausing and resuming as an assistant does it.

use postern::desk::{Code, Refusal, Scope, Scopes};
use serde_json::{Value, json};

use super::{
    codes,
    stage::{Stage, call},
};

#[test]
fn everything_stops_and_goes_on_as_the_person_says() {
    let stage = Stage::new(311);
    let post = stage.post(&["acme", "media"], "PT1H");
    let paused = stage.done("pause_publishing", json!({ "reason": "Bad news", "until": "P1D" }));
    assert_eq!((&paused["workspace"], &paused["profiles"]), (&json!("Main"), &json!([])));
    assert!(paused["until"]["words"].as_str().unwrap().contains("in 24 hours"), "{paused}");
    stage.later(3660);
    assert_eq!(stage.public(), 0);
    let held = stage.read(&post);
    assert_eq!(held["status"], "needs_attention");
    let problem = &held["deliveries"][0]["problem"];
    assert_eq!(problem["code"], "publishing_paused");
    let hint = problem["hint"].as_str().unwrap();
    assert!(hint.contains("Bad news") && hint.contains("resume_publishing"), "{hint}");

    let resumed = stage.done("resume_publishing", json!({ "overdue": "respace" }));
    assert_eq!((&resumed["skipped"], &resumed["on_hold"]), (&json!(0), &json!(0)));
    assert_eq!(resumed["respaced"].as_array().unwrap().len(), 2);
    stage.later(31);
    assert_eq!(stage.status(&post), "published");
    assert_eq!(stage.public(), 2);
}

#[test]
fn what_is_wrong_with_a_pause_is_told_all_at_once() {
    let stage = Stage::new(312);
    let refused = |tool: &str, arguments: Value| codes(stage.call(tool, arguments).unwrap_err());
    let wrong = json!({ "reason": " ", "until": "2020-01-01T09:00", "profiles": ["nobody"] });
    let found = refused("pause_publishing", wrong);
    for expected in [
        ("reason".to_owned(), Code::Missing),
        ("until".to_owned(), Code::InvalidSchedule),
        ("profiles[0]".to_owned(), Code::SocialProfileRejected),
    ] {
        assert!(found.contains(&expected), "{expected:?} in {found:?}");
    }
    assert_eq!(
        refused("resume_publishing", json!({ "overdue": "skip" })),
        [(String::new(), Code::NotPaused)]
    );
    assert_eq!(stage.sim.shard().number("SELECT count(*) FROM publishing_pause", []), 0);
}

#[test]
fn whoever_may_write_can_stop_everything_but_not_set_it_off_again() {
    let stage = Stage::new(313);
    let writer = stage.writer();
    let caller = stage.company.caller_by(&stage.sim, &writer);
    call(&caller, "pause_publishing", json!({ "reason": "Bad news" })).unwrap();
    let refused = call(&caller, "resume_publishing", json!({ "overdue": "skip" })).unwrap_err();
    let Refusal::InsufficientScope(needed) = refused else { panic!("{refused:?}") };
    assert!(needed.contains(Scopes::of(&[Scope::PostsPublish])));
    stage.done("resume_publishing", json!({ "overdue": "review" }));
}

#[test]
fn a_held_post_that_is_given_another_time_goes_out_then() {
    let stage = Stage::new(314);
    let post = stage.post(&["acme"], "PT1H");
    stage.done("pause_publishing", json!({ "reason": "Bad news", "profiles": ["acme"] }));
    stage.later(3660);
    stage.done("resume_publishing", json!({ "overdue": "review", "profiles": ["acme"] }));
    stage.later(60);
    assert_eq!(stage.public(), 0);
    stage.done("schedule_post", json!({ "post_id": post, "when": "PT1H" }));
    stage.later(3601);
    assert_eq!(stage.status(&post), "published");
}

/// The warning of a pause that an answer has.
fn pause_warning(answer: &Value) -> Option<String> {
    let words =
        |one: &Value| one.as_str().filter(|one| one.contains("publishing is paused")).map(str::to_owned);
    let found: Vec<String> = answer["warnings"].as_array()?.iter().filter_map(words).collect();
    assert!(found.len() < 2, "once: {found:?}");
    found.into_iter().next()
}

#[test]
fn every_answer_that_says_when_a_post_goes_out_says_that_it_is_paused_then() {
    let stage = Stage::new(315);
    let draft =
        stage.done("create_post", json!({ "text": "Draft", "profiles": ["acme", "media"] }))["post_id"]
            .clone();
    stage.done("pause_publishing", json!({ "reason": "Bad news", "until": "P2D", "profiles": ["acme"] }));
    let body = |when: &str| json!({ "text": when, "profiles": ["acme", "media"], "when": when });
    let says = |answer: &Value| {
        let words = pause_warning(answer).unwrap_or_else(|| panic!("{answer}"));
        assert!(
            words.starts_with("acme (Wall): publishing is paused until Sunday 22 November 2026, 10:00"),
            "{words}"
        );
        assert!(words.contains("Bad news") && words.contains("resume_publishing"), "{words}");
    };
    says(&stage.done("preview_post", body("PT1H")));
    let post = stage.done("create_post", body("PT1H"));
    says(&post);
    says(&stage.done("update_post", json!({ "post_id": post["post_id"], "note": "New" })));
    says(&stage.done("schedule_post", json!({ "post_id": draft, "when": "P1D" })));
    says(&stage.read(&post["post_id"]));
    says(&stage.done("create_posts", json!({ "posts": [body("PT3H")] }))["posts"][0]);
    let listed = stage.done("list_posts", json!({}));
    for one in listed["posts"].as_array().unwrap() {
        says(&json!({ "warnings": one["reasons"] }));
    }
    let moved = json!({ "post_ids": [draft, post["post_id"]], "shift": "PT1H" });
    let dry = stage.done("change_posts", moved);
    says(&dry);
    says(&stage.done("change_posts", dry["next"][0]["arguments"].clone()));
    for later in [
        body("P3D"),
        json!({ "text": "No time", "profiles": ["acme"] }),
        json!({ "text": "Not there", "profiles": ["media"], "when": "PT1H" }),
    ] {
        assert_eq!(pause_warning(&stage.done("preview_post", later.clone())), None, "{later}");
        assert_eq!(pause_warning(&stage.done("create_post", later.clone())), None, "{later}");
    }
    stage.done("resume_publishing", json!({ "overdue": "skip" , "profiles": ["acme"] }));
    assert_eq!(pause_warning(&stage.read(&post["post_id"])), None);
}

#[test]
fn what_is_published_in_a_pause_is_not_said_to_go_out_within_a_minute() {
    let stage = Stage::new(316);
    let words = |answer: &Value| answer["warnings"].to_string();
    let body = |text: &str, profiles: Value| json!({ "text": text, "profiles": profiles, "when": "now" });
    stage.done("pause_publishing", json!({ "reason": "Bad news", "profiles": ["acme"] }));
    let both = stage.done("create_post", body("Both", json!(["acme", "media"])));
    assert!(
        words(&both).contains("goes out within a minute") && pause_warning(&both).is_some(),
        "one of them does"
    );
    stage.done("pause_publishing", json!({ "reason": "Worse news" }));
    let draft =
        stage.done("create_post", json!({ "text": "Draft", "profiles": ["acme", "media"] }))["post_id"]
            .clone();
    let published = stage.done("publish_post", json!({ "post_id": draft }));
    assert!(!words(&published).contains("within a minute"), "{published}");
    let warning = pause_warning(&published).unwrap();
    assert!(
        warning.starts_with("acme (Wall), media (Wall): publishing is paused until it is resumed."),
        "{warning}"
    );
    stage.later(31);
    assert_eq!(stage.public(), 0);
}
