//! A post's page, as members of different roles see it.

use postern::{
    desk::{Role, UserId},
    http::Response,
    studio,
};
use serde_json::{Value, json};

use super::stage::Stage;
use crate::{
    identity::{members::signed_in_as, session},
    sim::{
        browser::{Browser, text},
        run,
    },
};

const BUTTON: &str = "Cancel: make it a draft again";

/// A member at a post's page.
struct Reader<'s> {
    stage: &'s Stage,
    browser: Browser,
    post: String,
}

impl<'s> Reader<'s> {
    fn of(stage: &'s Stage, post: &Value, user: &UserId) -> Self {
        Self { stage, browser: signed_in_as(&stage.sim, user), post: post.as_str().unwrap().to_owned() }
    }

    fn owner(stage: &'s Stage, post: &Value) -> Self {
        Self::of(stage, post, &stage.company.owner)
    }

    fn look(&self) -> Response {
        let path = format!("/acme/posts/{}", self.post);
        run(studio::post_page(&self.stage.sim.platform(), &self.browser.get(&path), "acme", &self.post))
    }

    fn shown(&self) -> String {
        let page = self.look();
        assert_eq!(page.status, 200);
        text(&page)
    }

    fn cancel(&self) -> Response {
        let csrf = session(&self.stage.sim, &self.browser).unwrap().csrf(&self.stage.sim.config);
        let path = format!("/acme/posts/{}/cancel", self.post);
        let request = self.browser.post(&path, &[("csrf", &csrf)]);
        run(studio::cancel_post(&self.stage.sim.platform(), &request, "acme", &self.post))
    }
}

#[test]
fn whoever_may_write_can_cancel_what_is_still_to_be_sent() {
    let stage = Stage::new(171);
    let scheduled = stage.post(&["acme"], "PT2H");
    let rest_waits = stage.partly_published();
    stage.done("schedule_post", json!({ "post_id": rest_waits, "when": "P1D" }));
    let paused = stage.post(&["acme"], "PT2H");
    let retrying = stage.post(&["acme"], "PT2H");
    for (post, state) in [(&paused, "paused"), (&retrying, "retrying")] {
        let sql = "UPDATE delivery SET state = ?2, attempts = 1 WHERE post_id = ?1";
        assert_eq!(stage.sim.shard().execute(sql, [post.as_str().unwrap(), state]), 1);
    }
    for post in [scheduled, rest_waits, paused, retrying] {
        let reader = Reader::owner(&stage, &post);
        assert!(reader.shown().contains(BUTTON), "{}", stage.status(&post));
        assert_eq!(reader.cancel().status, 303);
        assert!(!reader.shown().contains(BUTTON), "{}", stage.status(&post));
    }
}

#[test]
fn whoever_may_only_read_sees_no_button_and_is_told_why() {
    let stage = Stage::new(172);
    let post = stage.post(&["acme"], "PT2H");
    let viewer = stage.company.add_member(&stage.sim, "vera", Role::Viewer);
    let reader = Reader::of(&stage, &post, &viewer);
    assert!(!reader.shown().contains(BUTTON));
    let answer = reader.cancel();
    assert_eq!(answer.status, 403);
    assert!(text(&answer).contains("Your role here is to read, so nothing was cancelled."));
    assert!(text(&answer).contains("Spring is here"));
    assert_eq!(stage.status(&post), "scheduled");
}

#[test]
fn what_cannot_be_cancelled_any_more_says_so() {
    let stage = Stage::new(173);
    let published = stage.published(&["acme"]);
    let draft = stage.done("create_post", json!({ "text": "A thought" }))["post_id"].clone();
    for (post, words) in [(published, "It is public already"), (draft, "It is a draft already")] {
        let reader = Reader::owner(&stage, &post);
        assert!(!reader.shown().contains(BUTTON));
        let answer = reader.cancel();
        assert_eq!(answer.status, 409);
        assert!(text(&answer).contains(words), "{words}");
    }
}

#[test]
fn a_page_shows_what_went_out_after_an_edit() {
    let stage = Stage::new(174);
    let post = stage.partly_published();
    stage.done("update_post", json!({ "post_id": post, "text": "Autumn" }));
    let shown = Reader::owner(&stage, &post).shown();
    assert_eq!((shown.matches("Spring is here").count(), shown.matches("Autumn").count()), (1, 1));
}

/// What stands on a page, less its markup and style.
fn words(page: &str) -> String {
    let main = page.split("<main>").nth(1).unwrap();
    let pieces = main.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    pieces.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is for the model, and not for people.
const ARGUMENTS: [&str; 8] =
    ["thread[]", "overrides", "retry_post", "update_post", "schedule_post", "profiles", "provider", "_"];

fn for_people(page: &str) -> String {
    let shown = words(page);
    for argument in ARGUMENTS {
        assert!(!shown.contains(argument), "{argument} in {shown}");
    }
    shown
}

#[test]
fn a_page_says_why_in_words_for_people_and_what_the_network_said_only_if_it_did() {
    let stage = Stage::new(175);
    let missed = stage.missed();
    let shown = for_people(&Reader::owner(&stage, &missed).shown());
    assert!(shown.contains("Its time passed before it could be sent."), "{shown}");
    assert!(shown.contains("acme on Wall Missed") && !shown.contains(" said: "), "{shown}");

    let failed = stage.failed();
    let shown = for_people(&Reader::owner(&stage, &failed).shown());
    assert!(shown.contains("The network refused it.") && !shown.contains(" said: "), "{shown}");
    let sql = "UPDATE delivery SET provider_words = 'No <b>harbours</b>' WHERE post_id = ?1";
    stage.sim.shard().execute(sql, [failed.as_str().unwrap()]);
    let page = Reader::owner(&stage, &failed).shown();
    assert!(page.contains("Wall said: No &#60;b&#62;harbours&#60;/b&#62;"), "{page}");
    let problem = stage.read(&failed)["deliveries"][0]["problem"].clone();
    assert_eq!(problem["provider_words"], "No <b>harbours</b>");
    assert_eq!(stage.read(&missed)["deliveries"][0]["problem"].get("provider_words"), None);

    let reasons = |post: &Value| {
        let page = stage.done("list_posts", json!({ "status": "needs_attention" }));
        let posts = page["posts"].as_array().unwrap().iter();
        posts.filter(|one| one["post_id"] == *post).map(|one| one["reasons"][0].clone()).collect::<Vec<_>>()
    };
    assert_eq!(reasons(&missed), ["acme (Wall): Its time passed before it could be sent."]);
    assert_eq!(reasons(&failed), ["acme (Wall): The network refused it. (no)"]);
}

#[test]
fn a_page_marks_parts_units_and_networks_and_tells_each_time_once() {
    let stage = Stage::new(176);
    let body = json!({ "text": "Ground", "thread": [{ "text": "First floor" }, { "text": "x".repeat(5001) }],
        "first_comment": "The roof", "profiles": ["acme"] });
    let post = stage.done("create_post", body)["post_id"].clone();
    let shown = for_people(&Reader::owner(&stage, &post).shown());
    for mark in [
        "Post Ground 6 of 5000 characters",
        "Thread, part 2 First floor",
        "Thread, part 3 x",
        "First comment The roof",
    ] {
        assert!(shown.contains(mark), "{mark} in {shown}");
    }
    assert!(
        shown.contains("acme (Wall): The text has 5001 characters; Wall takes 5000, so it is 1 too long."),
        "{shown}"
    );
    let footer = "Revision 1, made 2026-11-20 10:00 . Times are those of Europe/Stockholm.";
    assert!(shown.contains(footer) && !shown.contains("just now"), "{shown}");
    assert!(shown.starts_with("Your organisations · Main Post in Main"), "{shown}");

    stage.later(3600);
    let single = stage.published(&["acme"]);
    let page = Reader::owner(&stage, &single).shown();
    let shown = for_people(&page);
    assert!(shown.contains("acme: sending, public 2026-11-20 11:"), "{shown}");
    assert!(!shown.contains("Thread, part") && !shown.contains("First comment"), "{shown}");
    assert!(!page.contains("<table"), "columns do not fit a phone");
}

#[test]
fn an_attempt_names_the_part_it_was_about_where_a_post_has_several() {
    let stage = Stage::new(180);
    let body = json!({ "text": "Ground", "thread": [{ "text": "First floor" }], "first_comment": "The roof",
        "profiles": ["acme"], "when": "now" });
    let post = stage.done("create_post", body)["post_id"].clone();
    stage.later(31);
    let parts: Vec<_> =
        stage.read(&post)["attempts"].as_array().unwrap().iter().map(|one| one["part"].clone()).collect();
    assert_eq!(parts, [0, 1, 2]);
    let shown = for_people(&Reader::owner(&stage, &post).shown());
    for part in ["Post", "Thread, part 2", "First comment"] {
        assert!(shown.contains(&format!("acme ({part}): sending, public")), "{part} in {shown}");
    }

    let sql = "UPDATE attempt SET position = NULL, step = 'sign_in', outcome = 'retry'";
    stage.sim.shard().execute(sql, []);
    let shown = for_people(&Reader::owner(&stage, &post).shown());
    assert!(shown.contains("acme: signing in, to be tried again"), "{shown}");
}

#[test]
fn a_length_is_told_in_what_the_network_counts() {
    let stage = Stage::new(179);
    super::mending::add_bluesky(&stage, "me.example.com");
    let flag = "\u{1f1f8}\u{1f1ea}";
    let post =
        stage.done("create_post", json!({ "text": flag, "profiles": ["me.example.com", "acme"] }))["post_id"]
            .clone();
    let shown = for_people(&Reader::owner(&stage, &post).shown());
    assert!(shown.contains("1 of 300 graphemes (characters as people see them)"), "{shown}");
    assert!(shown.contains("2 of 5000 characters"), "{shown}");
}
