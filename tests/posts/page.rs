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
