//! Saying what became of a post whose outcome is unknown: by the tool, and on its page.

use postern::{
    desk::{Code, Refusal, Role, Scope, Scopes, UserId},
    http::Response,
    studio,
};
use serde_json::{Value, json};

use super::{
    codes,
    stage::{Stage, call},
};
use crate::{
    identity::{members::signed_in_as, session},
    sim::{browser::text, run},
};

/// A post to two Walls, of which one published it and nothing tells of the other.
fn in_doubt(stage: &Stage) -> Value {
    let post = stage.published(&["acme", "media"]);
    let doubt =
        "UPDATE delivery SET state = 'unknown', reason = 'unconfirmed', published_at = NULL, url = NULL
         WHERE post_id = ?1 AND profile_id = (SELECT profile_id FROM profile WHERE handle = 'media')";
    assert_eq!(stage.sim.shard().execute(doubt, [post.as_str().unwrap()]), 1);
    stage.sim.shard().execute(
        "UPDATE delivery_part SET state = 'armed' WHERE delivery_id IN (SELECT delivery_id FROM delivery WHERE state = 'unknown')",
        [],
    );
    post
}

fn of_media(post: &Value) -> &Value {
    post["deliveries"].as_array().unwrap().iter().find(|one| one["profile"] == "media").unwrap()
}

#[test]
fn what_the_person_saw_settles_it_and_the_post_says_how_to_say_it() {
    let stage = Stage::new(301);
    let post = in_doubt(&stage);
    let before = stage.read(&post);
    assert_eq!(before["status"], "needs_attention");
    let hint = of_media(&before)["problem"]["hint"].as_str().unwrap();
    assert!(hint.contains("confirm_delivery"), "{hint}");
    let said =
        json!({ "post_id": post, "profile": "media", "outcome": "live", "url": "https://wall.example/1" });
    let after = stage.done("confirm_delivery", said);
    assert_eq!(after["status"], "published");
    assert_eq!(of_media(&after)["url"], "https://wall.example/1");
    let attempts = stage.read(&post)["attempts"].clone();
    let last = attempts.as_array().unwrap().last().unwrap();
    assert_eq!((&last["step"], &last["outcome"]), (&json!("confirm"), &json!("live")));
}

#[test]
fn sending_again_needs_the_capability_to_publish_and_saying_that_it_is_there_does_not() {
    let stage = Stage::new(302);
    let entry = postern::delivery::TOOLS.iter().find(|entry| entry.name == "confirm_delivery").unwrap();
    let needs = |outcome: &str| entry.needs_of(&json!({ "post_id": "post_x", "outcome": outcome }));
    assert!(needs("send_again").contains(Scopes::of(&[Scope::PostsPublish])));
    assert!(!needs("live").contains(Scopes::of(&[Scope::PostsPublish])));
    let post = in_doubt(&stage);
    let writer = stage.writer();
    let caller = stage.company.caller_by(&stage.sim, &writer);
    call(&caller, "confirm_delivery", json!({ "post_id": post, "outcome": "live" })).unwrap();
    assert_eq!(stage.status(&post), "published");
}

#[test]
fn what_makes_no_sense_is_refused_with_the_field() {
    let stage = Stage::new(303);
    let post = in_doubt(&stage);
    let refused = |arguments: Value| codes(stage.call("confirm_delivery", arguments).unwrap_err());
    let of = |field: &str, code: Code| vec![(field.to_owned(), code)];
    for url in ["ftp://x.example/1", "nonsense", "javascript:alert(1)", "https://"] {
        let call = json!({ "post_id": post, "outcome": "live", "url": url });
        assert_eq!(refused(call), of("url", Code::Malformed), "{url}");
    }
    let both = json!({ "post_id": post, "outcome": "send_again", "url": "https://wall.example/1" });
    assert_eq!(refused(both), of("url", Code::Conflicting));
    let all = json!({ "post_id": post, "outcome": "live", "profile": "wall" });
    assert_eq!(refused(all), of("profile", Code::AmbiguousProfile));
    let nobody = json!({ "post_id": post, "outcome": "live", "profile": "nobody" });
    assert_eq!(refused(nobody), of("profile", Code::SocialProfileRejected));
    let known = json!({ "post_id": post, "outcome": "live", "profile": "acme" });
    assert_eq!(refused(known), of("post_id", Code::NotUnknown));
    assert_eq!(of_media(&stage.read(&post))["status"], "unknown");
}

/// Presses a button of the post's page.
fn press(stage: &Stage, user: &UserId, post: &Value, outcome: &str) -> Response {
    let browser = signed_in_as(&stage.sim, user);
    let csrf = session(&stage.sim, &browser).unwrap().csrf(&stage.sim.config);
    let post = post.as_str().unwrap();
    let profile = of_media(&stage.read(&json!(post)))["profile_id"].as_str().unwrap().to_owned();
    let fields = [("csrf", csrf.as_str()), ("profile", &profile), ("outcome", outcome)];
    let request = browser.post(&format!("/acme/posts/{post}/confirm"), &fields);
    run(studio::confirm_post(&stage.sim.platform(), &request, "acme", post))
}

fn page(stage: &Stage, user: &UserId, post: &Value) -> String {
    let browser = signed_in_as(&stage.sim, user);
    let post = post.as_str().unwrap();
    let request = browser.get(&format!("/acme/posts/{post}"));
    text(&run(studio::post_page(&stage.sim.platform(), &request, "acme", post)))
}

#[test]
fn a_member_says_it_on_the_posts_page() {
    let stage = Stage::new(304);
    let owner = stage.company.owner.clone();
    for (outcome, status) in [("live", "published"), ("send_again", "publishing")] {
        let post = in_doubt(&stage);
        assert!(page(&stage, &owner, &post).contains("It is there</button>"));
        assert_eq!(press(&stage, &owner, &post, outcome).status, 303);
        assert_eq!(stage.status(&post), status);
        assert!(!page(&stage, &owner, &post).contains("It is there</button>"));
        let again = press(&stage, &owner, &post, outcome);
        assert_eq!(again.status, 409);
        assert!(text(&again).contains("What became of it is known by now"));
    }
}

#[test]
fn a_viewer_and_a_nonsense_button_settle_nothing() {
    let stage = Stage::new(305);
    let post = in_doubt(&stage);
    let viewer = stage.company.add_member(&stage.sim, "vera", Role::Viewer);
    assert!(!page(&stage, &viewer, &post).contains("It is there</button>"));
    let refused = press(&stage, &viewer, &post, "live");
    assert_eq!(refused.status, 403);
    assert!(text(&refused).contains("Your role here is to read"));
    assert_eq!(press(&stage, &stage.company.owner, &post, "burn").status, 404);
    assert_eq!(of_media(&stage.read(&post))["status"], "unknown");
    assert!(matches!(
        stage.call("confirm_delivery", json!({ "post_id": "post_nowhere", "outcome": "live" })),
        Err(Refusal::Problems(_))
    ));
}
