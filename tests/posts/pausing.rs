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
