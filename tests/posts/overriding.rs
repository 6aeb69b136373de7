//! An override that changes nothing, or contradicts another, is told; none is silently passed over.

use postern::desk::{Code, Refusal};
use serde_json::{Value, json};

use super::{codes, stage::Stage};

fn body(overrides: Value) -> Value {
    json!({ "text": "x", "profiles": ["acme"], "when": "P1D", "overrides": overrides })
}

fn refused(stage: &Stage, tool: &str, arguments: Value) -> Refusal {
    stage.call(tool, arguments).expect_err("a refusal")
}

fn told(refusal: &Refusal) -> (&str, &str) {
    let Refusal::Problems(problems) = refusal else { panic!("{refusal:?}") };
    (&problems[0].message, &problems[0].hint)
}

/// The override that a post has, as `get_post` shows what goes to the profile.
fn sent(stage: &Stage, post: &Value) -> Value {
    stage.read(&post["post_id"])["previews"][0]["parts"][0]["text"].clone()
}

#[test]
fn an_override_for_a_profile_that_the_post_does_not_go_to_is_told_and_left_out_of_a_draft() {
    let stage = Stage::new(721);
    let field = "overrides[0].profiles".to_owned();
    for tool in ["create_post", "preview_post"] {
        let refusal = refused(&stage, tool, body(json!([{ "profiles": ["media"], "text": "y" }])));
        assert_eq!(codes(refusal.clone()), [(field.clone(), Code::Conflicting)], "{tool}");
        let (message, hint) = told(&refusal);
        assert!(message.starts_with("media (Wall) is not among"), "{message}");
        assert_eq!(hint, "Add \"media\" to profiles, or leave it out of overrides[0].");
        let arguments = super::corrected(&refusal);
        assert_eq!((&arguments["overrides"], arguments.get("when")), (&json!([]), None), "{tool}");
        stage.done(tool, arguments);
    }
    let refusal =
        refused(&stage, "create_post", body(json!([{ "profiles": ["media", "acme"], "text": "y" }])));
    let post = stage.done("create_post", super::corrected(&refusal));
    assert_eq!((&post["status"], sent(&stage, &post)), (&json!("draft"), json!("y")));
}

#[test]
fn two_overrides_for_one_profile_are_told_and_become_one_where_they_differ_in_other_fields() {
    let stage = Stage::new(722);
    let twice = |second: Value| body(json!([{ "profiles": ["acme"], "text": "y" }, second]));
    let refusal = refused(&stage, "create_post", twice(json!({ "profiles": ["@acme"], "thread": ["z"] })));
    assert_eq!(codes(refusal.clone()), [("overrides[1].profiles".to_owned(), Code::Conflicting)]);
    assert!(
        told(&refusal).0.contains("overrides[0]") && told(&refusal).1.contains("\"acme\""),
        "{refusal:?}"
    );
    let arguments = super::corrected(&refusal);
    assert_eq!(arguments["overrides"], json!([{ "profiles": ["acme"], "text": "y", "thread": ["z"] }]));
    assert_eq!(stage.done("create_post", arguments)["status"], "scheduled", "all that was said is kept");

    for second in
        [json!({ "profiles": ["acme"], "text": "z" }), json!({ "profiles": ["acme", "media"], "thread": [] })]
    {
        let mut both = twice(second);
        both["profiles"] = json!(["acme", "media"]);
        let Refusal::Problems(problems) = refused(&stage, "create_post", both) else { panic!("problems") };
        assert_eq!(problems[0].code, Code::Conflicting);
        assert_ne!(
            problems[0].next.as_ref().unwrap().tool,
            "create_post",
            "which one is meant is not guessed"
        );
    }
}

#[test]
fn an_override_before_there_are_profiles_is_kept_and_one_for_all_is_for_those_of_the_post() {
    let stage = Stage::new(723);
    let early = json!({ "text": "x", "overrides": [{ "profiles": ["acme"], "text": "y" }] });
    assert_eq!(stage.done("create_post", early)["status"], "draft");
    let post = stage.done("create_post", body(json!([{ "profiles": ["all"], "text": "y" }])));
    assert_eq!((&post["status"], sent(&stage, &post)), (&json!("scheduled"), json!("y")));
    let refusal = refused(
        &stage,
        "update_post",
        json!({ "post_id": post["post_id"], "overrides": [{ "profiles": ["media"], "text": "z" }] }),
    );
    assert_eq!(codes(refusal), [("overrides[0].profiles".to_owned(), Code::Conflicting)]);
}

#[test]
fn other_words_at_a_retry_leave_one_override_for_the_profile() {
    let stage = Stage::new(724);
    let post = stage.failed();
    for words in ["Once", "Twice"] {
        stage.done(
            "update_post",
            json!({ "post_id": post, "overrides": [{ "profiles": ["acme"], "text": words }] }),
        );
    }
    stage.done("retry_post", json!({ "post_id": post, "text": "Again" }));
    let kept: String = stage.sim.shard().query("SELECT content->>'$.overrides' AS own FROM post_group", [])
        [0]
    .get("own")
    .unwrap();
    assert_eq!(serde_json::from_str::<Value>(&kept).unwrap().as_array().unwrap().len(), 1, "{kept}");
}
