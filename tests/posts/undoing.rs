//! What a call did is taken back, as far as nothing irreversible has happened.

use postern::desk::{Code, Refusal};
use serde_json::{Value, json};

use super::{codes, stage::Stage};

fn delete(stage: &Stage, post: &Value) -> Value {
    stage.done("delete_post", json!({ "post_id": post }))["change_id"].clone()
}

fn nothing_to_undo(refusal: Refusal) -> (String, Value) {
    match refusal {
        Refusal::Problems(problems) => {
            assert_eq!(problems[0].code, Code::NothingToUndo);
            let next = problems[0].next.clone().expect("what can be done instead");
            (next.tool, next.arguments)
        }
        other => panic!("not problems: {other:?}"),
    }
}

#[test]
fn every_deleted_post_comes_back_as_it_was_and_nothing_is_sent() {
    let stage = Stage::new(121);
    let posts = [stage.published(&["acme"]), stage.failed(), stage.missed(), stage.partly_published()];
    for post in posts {
        let (status, deliveries, public) = (stage.status(&post), stage.deliveries(&post), stage.public());
        let change = delete(&stage, &post);
        stage.later(60);
        let undone = stage.done("undo_change", json!({ "change_id": change }));
        assert_eq!(undone["not_undone"], json!([]));
        assert_eq!((stage.status(&post), stage.deliveries(&post)), (status, deliveries));
        stage.later(60);
        assert_eq!(stage.public(), public);
    }
}

#[test]
fn a_published_post_whose_record_came_back_can_be_taken_down() {
    let stage = Stage::new(122);
    let post = stage.published(&["acme"]);
    let change = delete(&stage, &post);
    assert_eq!(stage.public(), 1);
    stage.done("undo_change", json!({ "change_id": change }));
    let taken = stage.done("delete_post", json!({ "post_id": post, "on_networks": true }));
    assert_eq!((taken["deleted"].clone(), stage.public()), (json!(true), 0));
}

#[test]
fn a_failed_post_that_came_back_can_be_retried() {
    let stage = Stage::new(123);
    let post = stage.failed();
    let change = delete(&stage, &post);
    stage.done("undo_change", json!({ "change_id": change }));
    stage.done("retry_post", json!({ "post_id": post }));
    stage.later(31);
    assert_eq!(stage.status(&post), "published");
}

#[test]
fn a_scheduled_post_that_came_back_goes_out_at_its_time() {
    let stage = Stage::new(124);
    let post = stage.post(&["acme", "media"], "PT2H");
    let change = delete(&stage, &post);
    stage.done("undo_change", json!({ "change_id": change }));
    assert_eq!(stage.status(&post), "scheduled");
    stage.later(7201);
    assert_eq!((stage.status(&post), stage.public()), (json!("published"), 2));
}

#[test]
fn a_post_that_came_back_after_its_time_is_not_sent_and_says_so() {
    let stage = Stage::new(125);
    let post = stage.post(&["acme"], "PT1H");
    let change = delete(&stage, &post);
    stage.later(3700);
    let undone = stage.done("undo_change", json!({ "change_id": change }));
    let warnings = undone["posts"][0]["warnings"].to_string();
    assert!(warnings.contains("Its time passed while it was deleted"), "{warnings}");
    stage.later(60);
    assert_eq!(stage.public(), 0);
    let mut call = undone["posts"][0]["next"][0].clone();
    stage.done(call["tool"].take().as_str().unwrap(), call["arguments"].take());
    stage.later(3601);
    assert_eq!((stage.status(&post), stage.public()), (json!("published"), 1));
}

#[test]
fn an_edit_within_the_hold_is_taken_back_and_the_earlier_words_go_out() {
    let stage = Stage::new(126);
    let post = stage.post(&["acme"], "now");
    stage.sim.clock.advance_seconds(5);
    stage.done("update_post", json!({ "post_id": post, "text": "Summer is here" }));
    stage.sim.clock.advance_seconds(5);
    let undone = stage.done("undo_change", json!({}));
    assert_eq!(undone["not_undone"], json!([]));
    stage.later(29);
    assert_eq!(stage.public(), 0, "it is held again");
    stage.later(1);
    let entries = stage.sim.shard().query("SELECT content FROM wall_entry", []);
    let entry: String = entries[0].get("content").unwrap();
    assert!(entry.contains("Spring is here"), "{entry}");
}

#[test]
fn an_edit_of_a_partly_published_post_is_taken_back_and_nothing_is_sent() {
    let stage = Stage::new(127);
    let post = stage.partly_published();
    let deliveries = stage.deliveries(&post);
    stage.done("update_post", json!({ "post_id": post, "text": "Summer is here", "labels": ["summer"] }));
    let undone = stage.done("undo_change", json!({}));
    assert_eq!(undone["posts"][0]["post_id"], post);
    assert!(undone["not_undone"][0]["why"].as_str().unwrap().contains("public already"));
    let read = stage.read(&post);
    assert_eq!((&read["text"], read.get("labels")), (&json!("Spring is here"), None));
    assert_eq!(stage.deliveries(&post), deliveries);
}

#[test]
fn what_is_public_stays_and_the_refusal_holds_the_call_that_takes_it_down() {
    let stage = Stage::new(128);
    let post = stage.published(&["acme"]);
    let (tool, arguments) = nothing_to_undo(stage.call("undo_change", json!({})).unwrap_err());
    assert_eq!((tool.as_str(), &arguments["post_id"]), ("delete_post", &post));
    stage.done(&tool, arguments);
    assert_eq!(stage.public(), 0);
}

#[test]
fn a_time_that_is_past_does_not_return_and_the_refusal_holds_the_call_that_stops_the_post() {
    let stage = Stage::new(129);
    let post = stage.post(&["acme"], "PT1H");
    stage.done("schedule_post", json!({ "post_id": post, "when": "PT9H" }));
    stage.later(2 * 3600);
    let (tool, arguments) = nothing_to_undo(stage.call("undo_change", json!({})).unwrap_err());
    assert_eq!(tool, "unschedule_post");
    assert_eq!(stage.done(&tool, arguments)["status"], "draft");
}

#[test]
fn publishing_that_is_half_done_is_stopped_where_it_still_can_be() {
    let stage = Stage::new(130);
    let post =
        stage.done("create_post", json!({ "profiles": ["acme", "media"], "text": "Spring" }))["post_id"]
            .clone();
    stage.done("publish_post", json!({ "post_id": post }));
    stage.sim.shard().execute(
        "UPDATE delivery SET next_at = next_at + 600000 WHERE profile_id = (SELECT profile_id FROM profile WHERE handle = 'media')",
        [],
    );
    stage.later(31);
    assert_eq!(stage.public(), 1);
    let undone = stage.done("undo_change", json!({}));
    assert!(undone["not_undone"][0]["why"].as_str().unwrap().contains("public already"));
    stage.later(700);
    assert_eq!(stage.public(), 1);
}

/// What the post says, or that it is no more.
fn text(stage: &Stage, post: &Value) -> Option<String> {
    let read = stage.call("get_post", json!({ "post_id": post })).ok()?;
    read["text"].as_str().map(str::to_owned)
}

#[test]
fn undoing_again_takes_back_the_change_before_and_never_redoes() {
    let stage = Stage::new(131);
    let other = stage.post(&["media"], "P1D");
    stage.sim.clock.advance_seconds(1);
    let post = stage.post(&["acme"], "P1D");
    for words in ["Second", "Third"] {
        stage.sim.clock.advance_seconds(1);
        stage.done("update_post", json!({ "post_id": post, "text": words }));
    }
    stage.sim.clock.advance_seconds(1);
    stage.done("delete_post", json!({ "post_id": post }));
    for left in [Some("Third"), Some("Second"), Some("Spring is here"), None] {
        let undone = stage.done("undo_change", json!({}));
        assert_eq!(undone["not_undone"], json!([]), "{left:?}");
        assert_eq!(text(&stage, &post).as_deref(), left);
    }
    assert_eq!(text(&stage, &other).as_deref(), Some("Spring is here"));
    stage.done("undo_change", json!({}));
    assert_eq!(text(&stage, &other), None);
    assert_eq!(
        codes(stage.call("undo_change", json!({})).unwrap_err()),
        [("change_id".to_owned(), Code::ChangeNotFound)]
    );
    stage.later(2 * 86_400);
    assert_eq!(stage.public(), 0);
}

#[test]
fn what_is_taken_back_comes_back_only_by_the_undoings_own_id_and_can_be_taken_back_again() {
    let stage = Stage::new(132);
    let post = stage.post(&["acme"], "P1D");
    let change = stage.done("update_post", json!({ "post_id": post, "text": "Second" }))["change_id"].clone();
    stage.sim.clock.advance_seconds(1);
    let undoing = stage.done("undo_change", json!({ "change_id": change }))["change_id"].clone();
    let Refusal::Problems(problems) = stage.call("undo_change", json!({ "change_id": change })).unwrap_err()
    else {
        panic!("problems")
    };
    assert_eq!(problems[0].code, Code::NothingToUndo);
    assert!(
        problems[0].message.contains("taken back already") && problems[0].hint.contains("change_id"),
        "{problems:?}"
    );
    assert_eq!(text(&stage, &post).as_deref(), Some("Spring is here"));
    stage.sim.clock.advance_seconds(1);
    stage.done("undo_change", json!({ "change_id": undoing }));
    assert_eq!(text(&stage, &post).as_deref(), Some("Second"));
    assert_eq!(stage.done("undo_change", json!({}))["act"], "redo_change");
    assert_eq!(text(&stage, &post).as_deref(), Some("Spring is here"));
}

#[test]
fn a_change_is_not_undone_over_what_somebody_changed_after_it() {
    let stage = Stage::new(133);
    let post = stage.post(&["acme"], "P1D");
    let change = stage.done("update_post", json!({ "post_id": post, "text": "Second" }))["change_id"].clone();
    stage.sim.clock.advance_seconds(1);
    stage.done("update_post", json!({ "post_id": post, "text": "Third" }));
    let Refusal::Problems(problems) = stage.call("undo_change", json!({ "change_id": change })).unwrap_err()
    else {
        panic!("problems")
    };
    assert!(problems[0].hint.contains("changed again since"), "{problems:?}");
    stage.done("undo_change", json!({}));
    stage.done("undo_change", json!({ "change_id": change }));
    assert_eq!(text(&stage, &post).as_deref(), Some("Spring is here"));
}
