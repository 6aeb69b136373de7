//! A text that is too long is offered shortened where a sentence or a word ends, never to less than half, and never scheduled so.

use serde_json::{Value, json};

use super::{mending::add_bluesky, stage::Stage};

/// What creating a scheduled post of this text for Bluesky, which takes 300 graphemes, is refused with.
fn refused(text: &str) -> Value {
    let stage = Stage::new(711);
    add_bluesky(&stage, "me.example.com");
    let body = json!({ "text": text, "profiles": ["bluesky"], "when": "P2D" });
    let problems = stage.call("create_post", body).unwrap_err().problems();
    let refusal = serde_json::to_value(&problems).unwrap();
    assert_eq!((problems.len(), &refusal[0]["code"]), (1, &json!("content_too_long")));
    refusal[0].clone()
}

fn shortened(text: &str) -> String {
    let problem = refused(text);
    assert_eq!(
        (&problem["next"]["tool"], problem["next"]["arguments"].get("when")),
        (&json!("create_post"), None)
    );
    problem["next"]["arguments"]["overrides"][0]["text"].as_str().expect("a shortened text").to_owned()
}

#[test]
fn sentences_that_no_space_follows_stay_whole() {
    for (sentence, stop) in [("東京は春です", '。'), ("今日は晴れ", '！'), ("你好吗", '？')]
    {
        let whole = format!("{sentence}{stop}");
        let length = whole.chars().count();
        assert_eq!(shortened(&whole.repeat(100)), whole.repeat(300 / length), "{stop}");
    }
    let said = "「東京は春です。」";
    assert_eq!(
        shortened(&said.repeat(100)),
        said.repeat(300 / said.chars().count()),
        "the bracket belongs to it"
    );
}

#[test]
fn the_last_sentence_that_fits_is_the_end_if_it_leaves_half() {
    let first = format!("{} end.", "word ".repeat(30).trim());
    assert_eq!(shortened(&format!("{first} {}", "More ".repeat(100))), first, "154 of 300");
    let short = shortened(&format!("See this. {}", "More ".repeat(100)));
    assert!(short.starts_with("See this. More") && short.ends_with("More…"), "{short}");
    assert!(short.chars().count() > 290, "{short}");
}

#[test]
fn an_abbreviation_and_a_number_end_no_sentence() {
    for within in ["by Dr. Smith and", "of no. 7 and", "e.g. this and", "at 3.14 and", "so it … goes and"] {
        let text = format!("{} {within} {}", "word ".repeat(45).trim(), "more ".repeat(40));
        let short = shortened(&text);
        assert!(short.ends_with("more…"), "{within}: {short}");
    }
}

#[test]
fn words_are_cut_where_one_ends() {
    let japanese = shortened(&"東京春".repeat(200));
    assert_eq!((japanese.chars().count(), japanese.ends_with("…")), (300, true));
    let with_long_end = format!("{} {}", "word ".repeat(40).trim(), "x".repeat(400));
    assert_eq!(shortened(&with_long_end), format!("{}…", "word ".repeat(40).trim()));
}

#[test]
fn what_cannot_keep_half_is_not_offered_and_the_hint_says_by_how_much_it_must_shrink() {
    let flags = "🇸🇪".repeat(310);
    for (text, excess) in [
        ("x".repeat(400), 100),
        (format!("See {}", "x".repeat(400)), 104),
        (format!("Hello, {}", "x".repeat(320)), 27),
        (format!("https://example.com/{}", "x".repeat(300)), 20),
        (flags, 10),
    ] {
        let problem = refused(&text);
        assert_ne!(problem["next"]["tool"], "create_post", "{text}");
        let hint = problem["hint"].as_str().unwrap();
        assert!(hint.starts_with(&format!("Shorten it by at least {excess} graphemes")), "{hint}");
    }
}

#[test]
fn a_shortened_text_is_never_scheduled() {
    let stage = Stage::new(712);
    add_bluesky(&stage, "me.example.com");
    let long = "A sentence of some words. ".repeat(20);
    let body = json!({ "text": long, "profiles": ["bluesky"] });
    for when in ["now", "PT5M", "P30D"] {
        let mut scheduled = body.clone();
        scheduled["when"] = json!(when);
        let problems = stage.call("create_post", scheduled).unwrap_err().problems();
        let next = problems[0].next.clone().unwrap();
        assert!(problems[0].hint.contains("as a draft"), "{}", problems[0].hint);
        assert_eq!(stage.done(&next.tool, next.arguments)["status"], "draft", "{when}");
    }
    let draft = stage.done("create_post", body)["post_id"].clone();
    let problems =
        stage.call("schedule_post", json!({ "post_id": draft, "when": "P9D" })).unwrap_err().problems();
    let next = problems[0].next.clone().unwrap();
    assert_eq!(
        (next.tool.as_str(), &stage.done("update_post", next.arguments)["status"]),
        ("update_post", &json!("draft"))
    );

    let scheduled = stage.post(&["acme"], "P3D");
    for more in [json!({}), json!({ "when": "P4D" })] {
        let mut longer = json!({ "post_id": scheduled, "text": long, "profiles": ["bluesky"] });
        longer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let problems = stage.call("update_post", longer).unwrap_err().problems();
        assert_eq!(problems[0].next.as_ref().unwrap().tool, "preview_post", "it would stay scheduled");
    }
}

#[test]
fn an_override_that_a_profile_has_is_shortened_in_its_place() {
    let stage = Stage::new(713);
    add_bluesky(&stage, "me.example.com");
    let long = "A sentence of some words. ".repeat(20);
    let own = json!([{ "profiles": ["bluesky"], "settings": { "langs": ["en"] } }]);
    let body = json!({ "text": long, "thread": [{ "text": long }], "profiles": ["bluesky"], "when": "P2D", "overrides": own });
    let problems = stage.call("create_post", body).unwrap_err().problems();
    let next = problems[0].next.clone().unwrap();
    let overrides = next.arguments["overrides"].as_array().unwrap();
    assert_eq!((overrides.len(), &overrides[0]["settings"]), (1, &json!({ "langs": ["en"] })));
    assert!(overrides[0]["text"].as_str().unwrap().ends_with("words."), "{overrides:?}");
    assert_eq!(overrides[0]["thread"].as_array().unwrap().len(), 1);
    stage.done(&next.tool, next.arguments.clone());
}
