//! Calls that are repeated, and calls at the same moment.

use postern::{
    desk::{Caller, Code, Refusal, ToolEntry},
    platform::Later,
    posts::TOOLS,
};
use serde_json::{Value, json};

use super::{codes, stage::Stage};
use crate::sim::{Random, interleave};

fn at_once<'a>(
    caller: &'a Caller<'a>,
    seed: u64,
    tool: &str,
    calls: Vec<Value>,
) -> Vec<Result<Value, Refusal>> {
    let entry: &'static ToolEntry = TOOLS.iter().find(|entry| entry.name == tool).unwrap();
    let futures = calls.into_iter().map(|arguments| {
        let call: Later<'_, Result<Value, Refusal>> = Box::pin(async move {
            entry.call(caller, arguments).await.map(|text| serde_json::from_str(&text).unwrap())
        });
        call
    });
    interleave(&Random::new(seed), futures.collect())
}

#[test]
fn what_was_deleted_is_made_anew_by_the_same_call() {
    let stage = Stage::new(141);
    let body = json!({ "profiles": ["acme"], "text": "Once" });
    let first = stage.done("create_post", body.clone());
    stage.done("delete_post", json!({ "post_id": first["post_id"] }));
    let second = stage.done("create_post", body.clone());
    assert_ne!(second["post_id"], first["post_id"]);
    assert_eq!(second.get("duplicate_of"), None);
    let third = stage.done("create_post", body.clone());
    assert_eq!((&third["post_id"], &third["duplicate_of"]), (&second["post_id"], &second["post_id"]));

    stage.done("undo_change", json!({ "change_id": second["change_id"] }));
    let fourth = stage.done("create_post", body);
    assert_ne!(fourth["post_id"], second["post_id"]);
}

#[test]
fn what_is_left_of_several_posts_is_not_made_twice() {
    let stage = Stage::new(142);
    let body = json!({ "posts": [{ "text": "One" }, { "text": "Two" }] });
    let first = stage.done("create_posts", body.clone());
    stage.done("delete_post", json!({ "post_id": first["posts"][0]["post_id"] }));
    let second = stage.done("create_posts", body);
    assert_eq!(second["posts"][1]["duplicate_of"], first["posts"][1]["post_id"]);
    assert_eq!(stage.done("list_posts", json!({}))["posts"].as_array().unwrap().len(), 1);
}

#[test]
fn the_same_call_after_a_deletion_twice_at_once_makes_one_post() {
    for seed in 0..40 {
        let stage = Stage::new(seed);
        let body = json!({ "text": "Once" });
        let first = stage.done("create_post", body.clone());
        stage.done("delete_post", json!({ "post_id": first["post_id"] }));
        let caller = stage.company.caller(&stage.sim);
        let made = at_once(&caller, seed, "create_post", vec![body.clone(), body]);
        let ids: Vec<Value> = made.into_iter().map(|made| made.unwrap()["post_id"].clone()).collect();
        assert_eq!(ids[0], ids[1], "seed {seed}");
        assert_eq!(stage.done("list_posts", json!({}))["posts"].as_array().unwrap().len(), 1, "seed {seed}");
    }
}

#[test]
fn a_key_replays_its_result_with_what_takes_it_back_even_after_it_was_taken_back() {
    let stage = Stage::new(143);
    let body = json!({ "text": "Keyed", "idempotency_key": "k1" });
    let first = stage.done("create_post", body.clone());
    stage.sim.clock.advance_seconds(60);
    let again = stage.done("create_post", body.clone());
    assert_eq!((&again["post_id"], &again["change_id"]), (&first["post_id"], &first["change_id"]));
    stage.done("undo_change", json!({ "change_id": again["change_id"] }));
    let replayed = stage.done("create_post", body);
    assert_eq!(replayed["post_id"], first["post_id"]);
    assert!(replayed["warnings"].to_string().contains("deleted since"), "{replayed}");
    assert_eq!(stage.done("list_posts", json!({}))["posts"], json!([]));
}

#[test]
fn who_loses_a_race_is_told_so_in_the_terms_of_its_own_call() {
    let (mut named, mut unnamed) = (0, 0);
    for seed in 0..40 {
        let stage = Stage::new(seed);
        let post = stage.post(&["acme"], "2027-06-01T09:00");
        let caller = stage.company.caller(&stage.sim);
        let calls = ["One", "Two"].map(|text| json!({ "post_id": post, "text": text }));
        for refusal in
            at_once(&caller, seed, "update_post", calls.to_vec()).into_iter().filter_map(Result::err)
        {
            let Refusal::Problems(problems) = refusal else { panic!("{refusal:?}") };
            assert_eq!((problems[0].code, problems[0].field.as_str()), (Code::Conflict, "post_id"));
            assert!(problems[0].message.contains("at the same moment"), "{}", problems[0].message);
            unnamed += 1;
        }
        let revision = stage.read(&post)["revision"].clone();
        let calls = ["Three", "Four"]
            .map(|text| json!({ "post_id": post, "text": text, "expected_revision": revision }));
        for refusal in
            at_once(&caller, seed, "update_post", calls.to_vec()).into_iter().filter_map(Result::err)
        {
            let Refusal::Problems(problems) = refusal else { panic!("{refusal:?}") };
            assert_eq!(
                (problems[0].code, problems[0].field.as_str()),
                (Code::PostChanged, "expected_revision")
            );
            named += 1;
        }
    }
    assert!(named > 0 && unnamed > 0, "nobody raced");
}

#[test]
fn a_stale_deletion_is_refused_with_what_the_post_says_now() {
    let stage = Stage::new(144);
    let post = stage.post(&["acme"], "2027-06-01T09:00");
    stage.done("update_post", json!({ "post_id": post, "text": "Summer is here" }));
    let arguments = json!({ "post_id": post, "expected_revision": 1 });
    let refusal = stage.call("delete_post", arguments).unwrap_err();
    let Refusal::Problems(problems) = &refusal else { panic!("{refusal:?}") };
    assert_eq!(problems[0].code, Code::PostChanged);
    assert!(problems[0].message.contains("expected revision 1; the post is at revision 2"));
    assert!(problems[0].message.contains("Summer is here"));
}

#[test]
fn what_is_held_says_for_how_long() {
    let stage = Stage::new(145);
    let post =
        stage.done("create_post", json!({ "profiles": ["acme"], "text": "Spring" }))["post_id"].clone();
    let published = stage.done("publish_post", json!({ "post_id": post }));
    let warnings = published["warnings"].to_string();
    assert!(warnings.contains("held for 30 seconds, until 10:00:30"), "{warnings}");
    assert!(warnings.contains("unschedule_post stops it"), "{warnings}");
    let later = stage.done("schedule_post", json!({ "post_id": post, "when": "PT2H" }));
    assert_eq!(later["warnings"], json!([]));
}

#[test]
fn a_retry_with_a_key_sends_once_and_gives_the_first_answer_again() {
    let stage = Stage::new(146);
    let post = stage.failed();
    let arguments = json!({ "post_id": post, "idempotency_key": "k1" });
    let first = stage.done("retry_post", arguments.clone());
    let again = stage.done("retry_post", arguments.clone());
    assert_eq!(again["retried"], first["retried"]);
    stage.later(31);
    let later = stage.done("retry_post", arguments);
    assert_eq!((&later["retried"], &later["status"]), (&first["retried"], &json!("published")));
    let other = json!({ "post_id": post, "idempotency_key": "k1", "text": "Other" });
    assert_eq!(
        codes(stage.call("retry_post", other).unwrap_err()),
        [
            ("idempotency_key".to_owned(), Code::IdempotencyKeyReused),
            ("profiles".to_owned(), Code::PostAlreadyLive)
        ]
    );
    assert_eq!(stage.public(), 1);
}

#[test]
fn posts_of_one_call_and_previews_start_from_another_post() {
    let stage = Stage::new(147);
    let first = stage.post(&["media"], "2027-06-01T09:00");
    let items = json!([{ "copy_from": first }, { "copy_from": first, "text": "Summer is here" }]);
    let made = stage.done("create_posts", json!({ "posts": items }));
    let copies: Vec<Value> = (0..2).map(|n| stage.read(&made["posts"][n]["post_id"])).collect();
    assert_eq!(
        (&copies[0]["text"], &copies[1]["text"]),
        (&json!("Spring is here"), &json!("Summer is here"))
    );
    assert!(copies.iter().all(|copy| copy["deliveries"][0]["profile"] == "media"));
    assert!(copies.iter().all(|copy| copy["status"] == "draft"), "a copy takes no time with it");

    let refusal = stage
        .call("create_posts", json!({ "posts": [{ "text": "x" }, { "copy_from": "post_x" }] }))
        .unwrap_err();
    assert_eq!(codes(refusal), [("posts[1].copy_from".to_owned(), Code::PostNotFound)]);

    let preview = stage.done("preview_post", json!({ "copy_from": first, "text": "Autumn is here" }));
    assert_eq!(preview["profiles"][0]["parts"][0]["text"], "Autumn is here");
    assert_eq!(preview["profiles"][0]["profile"], "media");
    let next = &preview["next"][0];
    let made = stage.done(next["tool"].as_str().unwrap(), next["arguments"].clone());
    assert_eq!(stage.read(&made["post_id"])["text"], "Autumn is here");
    let both = json!({ "copy_from": first, "post_id": first });
    let refusal = stage.call("preview_post", both).unwrap_err();
    assert_eq!(codes(refusal), [("copy_from".to_owned(), Code::Conflicting)]);
}

#[test]
fn posts_of_one_call_may_allow_duplicates_each() {
    let stage = Stage::new(148);
    let call = |second: bool| {
        json!({ "posts": [
            { "text": "One", "allow_duplicate": true }, { "text": "Two", "allow_duplicate": second } ] })
    };
    let first = stage.done("create_posts", call(true));
    let second = stage.done("create_posts", call(true));
    assert_ne!(first["posts"][0]["post_id"], second["posts"][0]["post_id"]);
    let third = stage.done("create_posts", call(false));
    let fourth = stage.done("create_posts", call(false));
    assert_eq!(third["posts"][0]["post_id"], fourth["posts"][0]["post_id"]);
}
