//! What publishers' users report of other systems, each as a test of ours that is named after its lesson: the part that
//! follows from posts. The engine's part is in `delivery::lessons`.

use postern::desk::Code;
use serde_json::json;

use super::{codes, stage::Stage};

/// "Posts stuck in a queue; no way to read one by its id, or to set it off again safely."
#[test]
fn a_post_is_read_by_its_id_with_every_attempt_and_set_off_again_without_a_second_one() {
    let stage = Stage::new(709);
    let post = stage.partly_published();
    let read = stage.read(&post);
    assert_eq!(read["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(read["attempts"][0]["outcome"], "live");
    stage.done("retry_post", json!({ "post_id": post }));
    stage.later(31);
    assert_eq!(stage.status(&post), "published");
    assert_eq!(stage.public(), 2);
}

/// "Posts created by an agent stay in the queue for ever."
#[test]
fn one_post_and_many_are_made_on_one_path_and_go_out_alike() {
    let stage = Stage::new(711);
    let body = |text: &str| json!({ "text": text, "profiles": ["acme"], "when": "PT1H" });
    let one = stage.done("create_post", body("One"))["post_id"].clone();
    let many = stage.done("create_posts", json!({ "posts": [body("Two"), body("Three")] }));
    stage.later(3601);
    for post in [&one, &many["posts"][0]["post_id"], &many["posts"][1]["post_id"]] {
        assert_eq!(stage.status(post), "published");
    }
}

/// "An agent guessed the address of an upload; a week of posts was doomed."
#[test]
fn media_that_is_not_there_is_refused_when_the_post_is_made_and_nothing_is_made() {
    let stage = Stage::new(717);
    let guessed = json!({ "text": "Look", "media": [{ "media_id": "med_0123456789abcdefghijklmnop" }], "when": "PT1H",
        "profiles": ["acme"] });
    let found = codes(stage.call("create_post", guessed).unwrap_err());
    assert!(found.iter().all(|(field, _)| field.starts_with("media[0]")), "{found:?}");
    assert_eq!(stage.sim.shard().number("SELECT count(*) FROM post_group", []), 0);
}

/// "All posts an hour early: times without a zone, on an image without zones."
#[test]
fn a_time_without_a_zone_is_the_workspaces_and_is_told_both_ways() {
    let stage = Stage::new(719);
    let body = json!({ "text": "Advent", "profiles": ["acme"], "when": "2026-12-01T09:00" });
    let when = stage.done("create_post", body)["when"].clone();
    assert_eq!(when["utc"], "2026-12-01T08:00:00Z");
    assert_eq!(when["local"], "2026-12-01T09:00:00+01:00[Europe/Stockholm]");
}

/// "Delete answers an error; nothing can be listed, changed or taken down by an assistant."
#[test]
fn a_post_is_listed_changed_taken_down_and_deleted_by_an_assistant() {
    let stage = Stage::new(713);
    let post = stage.post(&["acme"], "PT1H");
    stage.done("update_post", json!({ "post_id": post, "text": "Autumn is here" }));
    let listed = stage.done("list_posts", json!({ "status": "scheduled" }));
    assert_eq!(listed["posts"][0]["text"], "Autumn is here");
    stage.later(3601);
    assert_eq!(stage.public(), 1);
    let deleted = stage.done("delete_post", json!({ "post_id": post, "on_networks": true }));
    assert_eq!((&deleted["deleted"], stage.public()), (&json!(true), 0));
    let gone = codes(stage.call("get_post", json!({ "post_id": post })).unwrap_err());
    assert_eq!(gone, [("post_id".to_owned(), Code::PostNotFound)]);
}
