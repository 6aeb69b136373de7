//! Many posts at once.

use postern::desk::{Code, Refusal};
use serde_json::{Value, json};

use super::{
    codes, corrected,
    stage::{Stage, call},
};

#[test]
fn labels_change_nothing_but_labels() {
    let stage = Stage::new(101);
    let missed = stage.missed();
    let failed = stage.failed();
    let partly = stage.partly_published();
    let held = stage.post(&["media"], "now");
    let posts = [&missed, &failed, &partly, &held];
    let before: Vec<_> =
        posts.iter().map(|post| (stage.status(post), stage.read(post)["when"].clone())).collect();
    let deliveries: Vec<_> = posts.iter().map(|post| stage.deliveries(post)).collect();

    let applied = stage.apply(json!({ "post_ids": posts, "labels": ["spring"] }));
    assert_eq!(applied["posts"].as_array().unwrap().len(), 4);

    let after: Vec<_> =
        posts.iter().map(|post| (stage.status(post), stage.read(post)["when"].clone())).collect();
    assert_eq!(after, before);
    assert_eq!(posts.map(|post| stage.deliveries(post)).to_vec(), deliveries);
    assert!(posts.iter().all(|post| stage.read(post)["labels"] == json!(["spring"])));
    let public = stage.public();
    stage.later(31);
    assert_eq!(stage.public(), public + 1, "only what was in its hold went out");
}

#[test]
fn labelling_needs_no_capability_to_publish() {
    let stage = Stage::new(102);
    let posts = [stage.missed(), stage.post(&["acme"], "now")];
    let grant = stage.writer();
    let writer = stage.company.caller_by(&stage.sim, &grant);
    let dry = call(&writer, "change_posts", json!({ "post_ids": posts, "labels": ["spring"] })).unwrap();
    let applied = call(&writer, "change_posts", dry["next"][0]["arguments"].clone()).unwrap();
    assert_eq!(applied["applied"], true);
}

#[test]
fn the_labels_of_what_was_sent_are_taken_back_too() {
    let stage = Stage::new(103);
    let posts = [stage.published(&["acme"]), stage.missed()];
    let deliveries: Vec<_> = posts.iter().map(|post| stage.deliveries(post)).collect();
    let applied = stage.apply(json!({ "post_ids": posts, "labels": ["spring"] }));
    let undone = stage.done("undo_change", json!({ "change_id": applied["change_id"] }));
    assert_eq!(undone["not_undone"], json!([]));
    assert!(posts.iter().all(|post| stage.read(post).get("labels").is_none()));
    assert_eq!(posts.iter().map(|post| stage.deliveries(post)).collect::<Vec<_>>(), deliveries);
}

/// So many posts on 1 June 2027, a minute apart, the first at nine.
fn plan_of(stage: &Stage, count: usize) -> Vec<Value> {
    let mut made = Vec::new();
    for first in (0..count).step_by(50) {
        let bodies: Vec<Value> = (first..count.min(first + 50))
            .map(|n| {
                let when = format!("2027-06-01T{:02}:{:02}", 9 + n / 60, n % 60);
                json!({ "profiles": ["acme"], "text": format!("Post {n}"), "when": when, "labels": ["june"] })
            })
            .collect();
        let posts = stage.done("create_posts", json!({ "posts": bodies }));
        made.extend(posts["posts"].as_array().unwrap().iter().map(|post| post["post_id"].clone()));
    }
    made
}

#[test]
fn a_filter_that_fits_more_posts_than_a_call_changes_is_refused_and_no_post_is_moved_twice() {
    let stage = Stage::new(104);
    let posts = plan_of(&stage, 60);
    for filter in [json!({ "label": "june" }), json!({ "status": "scheduled", "from": "now" })] {
        let refusal = stage.call("change_posts", json!({ "filter": filter, "shift": "P7D" })).unwrap_err();
        let Refusal::Problems(problems) = &refusal else { panic!("{refusal:?}") };
        assert_eq!((problems[0].code, problems[0].field.as_str()), (Code::TooMany, "filter"));
        assert_eq!(corrected(&refusal)["post_ids"].as_array().unwrap().len(), 50);
    }
    let arguments = json!({ "filter": { "status": "scheduled", "from": "now" }, "shift": "P7D" });
    let first = corrected(&stage.call("change_posts", arguments).unwrap_err());
    let named = first["post_ids"].as_array().unwrap().clone();
    stage.apply(first);
    let others: Vec<&Value> = posts.iter().filter(|post| !named.contains(post)).collect();
    stage.apply(json!({ "post_ids": others, "shift": "P7D" }));
    for post in &posts {
        let local = stage.read(post)["when"]["local"].as_str().unwrap().to_owned();
        assert!(local.starts_with("2027-06-08T"), "{local}");
    }
}

#[test]
fn a_status_is_looked_for_beyond_the_first_posts() {
    let stage = Stage::new(105);
    let oldest = stage.partly_published();
    for _ in 0..120 {
        stage.post(&["acme"], "now");
    }
    for _ in 0..3 {
        stage.later(31);
    }
    let dry =
        stage.done("change_posts", json!({ "filter": { "status": "partly_published" }, "labels": ["look"] }));
    assert_eq!(dry["posts"].as_array().unwrap().len(), 1);
    assert_eq!(dry["posts"][0]["post_id"], oldest);
}

#[test]
fn a_filter_takes_exactly_what_fits() {
    let stage = Stage::new(106);
    plan_of(&stage, 50);
    let applied = stage.apply(json!({ "filter": { "label": "june" }, "labels": ["summer"] }));
    assert_eq!(applied["posts"].as_array().unwrap().len(), 50);
}

#[test]
fn a_shift_to_a_time_that_the_clocks_skip_or_repeat_leaves_the_post_and_names_both_instants() {
    let stage = Stage::new(107);
    let skipped = stage.post(&["acme"], "2027-03-21T02:30");
    let repeated = stage.post(&["acme"], "2027-10-24T02:30");
    let plain = stage.post(&["acme"], "2027-03-21T09:00");
    let dry = stage.done("change_posts", json!({ "post_ids": [skipped, repeated, plain], "shift": "P7D" }));
    assert_eq!(dry["posts"].as_array().unwrap().len(), 1);
    let why = |post: &Value| {
        let skipped = dry["skipped"].as_array().unwrap();
        skipped.iter().find(|one| one["post_id"] == *post).unwrap()["why"].as_str().unwrap().to_owned()
    };
    let both = ["2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00"];
    assert!(both.iter().all(|instant| why(&skipped).contains(instant)), "{}", why(&skipped));
    let both = ["2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00"];
    assert!(both.iter().all(|instant| why(&repeated).contains(instant)), "{}", why(&repeated));
    stage.done("change_posts", dry["next"][0]["arguments"].clone());
    assert_eq!(stage.read(&plain)["when"]["local"], "2027-03-28T09:00:00+02:00[Europe/Stockholm]");
}

#[test]
fn a_shift_goes_by_the_days_of_the_workspace() {
    let stage = Stage::new(108);
    let post = stage.post(&["acme"], "2027-03-13T15:00[America/New_York]");
    assert_eq!(stage.read(&post)["when"]["local"], "2027-03-13T21:00:00+01:00[Europe/Stockholm]");
    stage.apply(json!({ "post_ids": [post], "shift": "P7D" }));
    assert_eq!(stage.read(&post)["when"]["local"], "2027-03-20T21:00:00+01:00[Europe/Stockholm]");
}

#[test]
fn a_shift_by_hours_goes_through_a_clock_change_as_time_passes() {
    let stage = Stage::new(109);
    let post = stage.post(&["acme"], "2027-03-28T01:30");
    stage.apply(json!({ "post_ids": [post], "shift": "PT1H" }));
    assert_eq!(stage.read(&post)["when"]["local"], "2027-03-28T03:30:00+02:00[Europe/Stockholm]");
}

#[test]
fn a_post_that_is_named_twice_is_changed_once() {
    let stage = Stage::new(110);
    let post = stage.post(&["acme"], "2027-06-01T09:00");
    let applied = stage.apply(json!({ "post_ids": [post, post], "shift": "P1D" }));
    assert_eq!(applied["posts"].as_array().unwrap().len(), 1);
    assert_eq!(stage.read(&post)["when"]["local"], "2027-06-02T09:00:00+02:00[Europe/Stockholm]");
}

#[test]
fn a_dry_run_may_be_asked_for_and_not_left_out() {
    let stage = Stage::new(131);
    let post = stage.post(&["acme"], "2027-06-01T09:00");
    let arguments = |dry_run: bool| json!({ "post_ids": [post], "shift": "P1D", "dry_run": dry_run });
    let dry = stage.done("change_posts", arguments(true));
    assert_eq!(dry["applied"], false);
    let refusal = stage.call("change_posts", arguments(false)).unwrap_err();
    assert_eq!(codes(refusal.clone()), [("dry_run".to_owned(), Code::DryRunNeeded)]);
    assert_eq!(stage.done("change_posts", corrected(&refusal))["applied"], false);

    let mut with_token = arguments(true);
    with_token["token"] = dry["token"].clone();
    assert_eq!(stage.done("change_posts", with_token.clone())["applied"], false);
    with_token["dry_run"] = json!(false);
    assert_eq!(stage.done("change_posts", with_token)["applied"], true);
}
