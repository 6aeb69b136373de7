//! What went out is shown as it went out, whatever was edited since.

use serde_json::{Value, json};

use super::stage::Stage;

/// The delivery of a shown post to a profile.
fn delivery<'v>(post: &'v Value, profile: &str) -> &'v Value {
    let deliveries = post["deliveries"].as_array().unwrap();
    deliveries.iter().find(|one| one["profile"] == profile).unwrap_or_else(|| panic!("{profile} in {post}"))
}

/// The texts of the parts that a shown post has for a profile.
fn texts(post: &Value, profile: &str) -> Vec<Value> {
    let previews = post["previews"].as_array().unwrap();
    let preview = previews.iter().find(|one| one["profile"] == profile).unwrap();
    preview["parts"].as_array().unwrap().iter().map(|part| part["text"].clone()).collect()
}

#[test]
fn an_edit_of_a_partly_published_post_does_not_change_what_is_shown_of_the_public_part() {
    let stage = Stage::new(161);
    let post = stage.partly_published();
    let edited =
        stage.done("update_post", json!({ "post_id": post, "text": "Autumn", "first_comment": "Soon" }));
    let read = stage.read(&post);
    for shown in [&edited, &read] {
        assert_eq!(delivery(shown, "acme")["count"], "Spring is here".len());
        assert_eq!(delivery(shown, "media")["count"], "Autumn".len());
        assert!(delivery(shown, "acme")["url"].is_string());
    }
    assert_eq!(texts(&read, "acme"), ["Spring is here"]);
    assert_eq!(texts(&read, "media"), ["Autumn", "Soon"]);
}

#[test]
fn nothing_is_wrong_with_what_is_public_already() {
    let stage = Stage::new(162);
    let post = stage.partly_published();
    let shown = stage.done("update_post", json!({ "post_id": post, "text": "" }));
    let problems = shown["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0]["message"].as_str().unwrap().starts_with("media (Wall)"), "{problems:?}");
}

#[test]
fn a_live_delivery_stays_in_sight_when_the_post_is_meant_for_others() {
    let stage = Stage::new(163);
    let post = stage.partly_published();
    let url = delivery(&stage.read(&post), "acme")["url"].clone();
    let moved = stage.done("schedule_post", json!({ "post_id": post, "when": "P1D", "profiles": ["media"] }));
    let read = stage.read(&post);
    for shown in [&moved, &read] {
        assert_eq!(delivery(shown, "acme")["url"], url);
        assert_eq!(delivery(shown, "acme")["status"], "published");
        assert_eq!(delivery(shown, "media")["status"], "waiting");
        assert_eq!(shown["problems"], json!([]));
    }
    assert_eq!(texts(&read, "acme"), ["Spring is here"]);
}

#[test]
fn a_post_of_which_the_rest_waits_until_tomorrow_is_partly_published_and_can_be_called_off() {
    let stage = Stage::new(164);
    let post = stage.partly_published();
    let moved = stage.done("schedule_post", json!({ "post_id": post, "when": "P1D" }));
    assert_eq!(moved["status"], "partly_published");
    assert_eq!(moved["next"][0]["tool"], "unschedule_post");
    let found = stage.done("list_posts", json!({ "status": "partly_published" }));
    assert_eq!(found["posts"][0]["post_id"], post);
    stage.done("unschedule_post", json!({ "post_id": post }));
    stage.later(86_500);
    assert_eq!(stage.public(), 1);
}

#[test]
fn what_is_public_in_part_stays_so_when_the_rest_is_scheduled_anew_or_called_off() {
    let stage = Stage::new(165);
    let post = stage.failed();
    let stopped = "UPDATE delivery SET reason = 'incomplete', reason_text = '1 of 2 parts are public.',
        plan = json('{\"v\":1,\"parts\":[],\"settings\":{},\"tries\":3}') WHERE post_id = ?1";
    stage.sim.shard().execute(stopped, [post.as_str().unwrap()]);
    assert_eq!(stage.status(&post), "partly_published");

    let moved = stage.done("schedule_post", json!({ "post_id": post, "when": "P1D" }));
    assert_eq!(moved["status"], "partly_published");
    assert_eq!(delivery(&moved, "acme")["status"], "waiting");
    assert_eq!(delivery(&moved, "acme")["problem"]["reason"], "incomplete", "{moved}");
    let plan: Value = serde_json::from_str(stage.deliveries(&post)[0].3.as_ref().unwrap()).unwrap();
    assert_eq!(
        (&plan["v"], &plan["tries"]),
        (&json!(1), &json!(0)),
        "what was sent is known, and may be tried anew"
    );

    stage.done("unschedule_post", json!({ "post_id": post }));
    assert_eq!(stage.status(&post), "partly_published");
}
