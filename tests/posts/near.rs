//! What goes out soon is not changed without the capability to publish.

use postern::desk::{Code, Refusal, Scope, Scopes};
use serde_json::json;

use super::{
    codes,
    stage::{Stage, call},
};

#[test]
fn what_goes_out_within_the_notice_or_its_hold_is_not_rewritten_without_the_capability_to_publish() {
    let stage = Stage::new(111);
    let soon = stage.post(&["acme"], "PT5M");
    let held = stage.post(&["acme"], "PT2H");
    stage.done("publish_post", json!({ "post_id": held }));
    let grant = stage.writer();
    let writer = stage.company.caller_by(&stage.sim, &grant);
    let needed = Scopes::of(&[Scope::PostsWrite, Scope::PostsPublish]);
    for post in [&soon, &held] {
        for change in [
            json!({ "text": "Rewritten" }),
            json!({ "profiles": ["acme", "media"] }),
            json!({ "overrides": [{ "profiles": ["acme"], "text": "Rewritten" }] }),
            json!({ "first_comment": "Rewritten" }),
        ] {
            let mut arguments = change;
            arguments["post_id"] = post.clone();
            let refusal = call(&writer, "update_post", arguments.clone()).unwrap_err();
            assert_eq!(refusal, Refusal::InsufficientScope(needed), "{arguments}");
        }
        assert_eq!(stage.read(post)["text"], "Spring is here");
        call(&writer, "update_post", json!({ "post_id": post, "note": "Seen", "labels": ["spring"] }))
            .unwrap();
        stage.done("update_post", json!({ "post_id": post, "text": "Spring!" }));
    }
    let later = stage.post(&["acme"], "PT2H");
    call(&writer, "update_post", json!({ "post_id": later, "text": "Rewritten" })).unwrap();
}

#[test]
fn taking_back_an_edit_of_what_goes_out_soon_needs_the_capability_to_publish() {
    let stage = Stage::new(112);
    let grant = stage.writer();
    let writer = stage.company.caller_by(&stage.sim, &grant);
    let post = stage.post(&["acme"], "PT1H");
    call(&writer, "update_post", json!({ "post_id": post, "text": "Summer" })).unwrap();
    stage.sim.clock.advance_seconds(50 * 60);
    let refusal = call(&writer, "undo_change", json!({})).unwrap_err();
    let needed = Scopes::of(&[Scope::PostsWrite, Scope::PostsPublish]);
    assert_eq!(refusal, Refusal::InsufficientScope(needed));
    assert_eq!(stage.read(&post)["text"], "Summer");
}

#[test]
fn a_note_or_a_label_does_not_put_off_what_is_in_its_hold() {
    let stage = Stage::new(113);
    let post = stage.post(&["acme"], "now");
    stage.sim.clock.advance_seconds(20);
    stage.done("update_post", json!({ "post_id": post, "note": "Seen" }));
    stage.later(11);
    assert_eq!(stage.status(&post), "published");
}

#[test]
fn a_profile_added_to_what_is_over_is_not_sent_to_without_a_time() {
    let stage = Stage::new(114);
    for (post, handle) in [(stage.missed(), "third"), (stage.partly_published(), "fourth")] {
        let public = stage.public();
        stage.company.add_wall(&stage.sim, &stage.company.workspace, handle);
        let arguments = json!({ "post_id": post, "profiles": ["all"] });
        let refusal = stage.call("update_post", arguments).unwrap_err();
        assert_eq!(codes(refusal), [("when".to_owned(), Code::InvalidSchedule)]);
        stage.later(60);
        assert_eq!(stage.public(), public);
    }
}

#[test]
fn a_retry_with_other_words_waits_for_the_hold_and_sends_them() {
    let stage = Stage::new(115);
    let post = stage.partly_published();
    let public = stage.public();
    stage.done("retry_post", json!({ "post_id": post, "text": "Shorter" }));
    stage.later(10);
    assert_eq!(stage.public(), public, "it is held");
    stage.later(21);
    assert_eq!((stage.public(), stage.status(&post)), (public + 1, json!("published")));
}

#[test]
fn what_is_still_held_did_not_happen_just_now() {
    let stage = Stage::new(155);
    let post = stage.post(&["acme"], "P1D");
    let told = stage.done("publish_post", json!({ "post_id": post }));
    let words = |shown: &serde_json::Value| shown["when"]["words"].as_str().unwrap().to_owned();
    assert!(words(&told).ends_with(", now"), "{told}");
    stage.sim.clock.advance_seconds(20);
    let listed = stage.done("list_posts", json!({}))["posts"][0].clone();
    for shown in [stage.read(&post), listed] {
        assert!(words(&shown).ends_with(", now"), "{shown}");
    }
    stage.later(11);
    assert!(words(&stage.read(&post)).ends_with(", just now"));
}
