//! Finding posts: by their texts, and by when they are due.

use postern::desk::{Code, Refusal};
use serde_json::{Value, json};

use super::{codes, stage::Stage};

/// The texts of the posts that a list gives.
fn found(stage: &Stage, arguments: Value) -> Vec<String> {
    let page = stage.done("list_posts", arguments);
    let mut texts: Vec<String> = page["posts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|post| post["text"].as_str().unwrap().to_owned())
        .collect();
    texts.sort();
    texts
}

#[test]
fn a_search_finds_what_posts_say_and_nothing_of_how_they_are_stored() {
    let stage = Stage::new(181);
    for text in [
        "She said \"hello\" at once",
        "ÅNGSTRÖM units",
        "One line\r\nand another",
        "100% of it_all",
        "Straße",
    ] {
        stage.done("create_post", json!({ "text": text, "profiles": ["acme"] }));
    }
    let search = |text: &str| found(&stage, json!({ "text": text }));
    for stored in ["profiles", "\"v\":1", "prf_", "\\n", "\\\"", "text"] {
        assert_eq!(search(stored), [""; 0], "{stored}");
    }
    assert_eq!(search("SAID \"hello\""), ["She said \"hello\" at once"]);
    assert_eq!(search("ångström"), ["ÅNGSTRÖM units"]);
    assert_eq!(search("line and"), ["One line\r\nand another"]);
    assert_eq!(search("line\n  and"), ["One line\r\nand another"]);
    assert_eq!(search("0% of it_a"), ["100% of it_all"]);
    assert_eq!(search("STRASSE"), ["Straße"]);
    for pattern in ["o_e", "%", "%units", "[a-z]", "*"] {
        let literal = |text: &&str| text.to_lowercase().contains(pattern);
        let expected: Vec<&str> = ["100% of it_all"].into_iter().filter(literal).collect();
        assert_eq!(search(pattern), expected, "{pattern}");
    }
}

#[test]
fn a_search_goes_through_every_text_of_a_post() {
    let stage = Stage::new(182);
    let body = json!({
        "text": "Ground", "thread": [{ "text": "First floor" }], "first_comment": "The roof", "profiles": ["all"],
        "overrides": [{ "profiles": ["media"], "text": "Cellar", "thread": ["Well"] }], "note": "Hush", "labels": ["house"],
    });
    let post = stage.done("create_post", body)["post_id"].clone();
    for text in ["ground", "first FLOOR", "roof", "cellar", "well"] {
        assert_eq!(found(&stage, json!({ "text": text })), ["Ground"], "{text}");
        assert_eq!(found(&stage, json!({ "text": text, "from": "now" })), [""; 0], "it has no time: {text}");
    }
    for text in ["hush", "house", "ground first", "media"] {
        assert_eq!(found(&stage, json!({ "text": text })), [""; 0], "{text}");
    }
    stage.done("schedule_post", json!({ "post_id": post, "when": "P1D" }));
    assert_eq!(found(&stage, json!({ "text": "cellar", "from": "now" })), ["Ground"], "by due time too");
    stage.sim.clock.advance_seconds(1);
    stage.done("update_post", json!({ "post_id": post, "text": "Garden" }));
    assert_eq!(found(&stage, json!({ "text": "ground" })), [""; 0]);
    stage.done("undo_change", json!({}));
    assert_eq!(found(&stage, json!({ "text": "ground" })), ["Ground"]);
}

#[test]
fn the_longest_posts_that_there_can_be_are_stored_and_found_by_their_beginning() {
    let stage = Stage::new(183);
    let long = "ß".repeat(20_000);
    let thread: Vec<Value> = (0..24).map(|_| json!({ "text": long })).collect();
    stage.done("create_post", json!({ "text": "Needle", "first_comment": long, "thread": thread }));
    assert_eq!(found(&stage, json!({ "text": "needle" })), ["Needle"]);
}

#[test]
fn a_span_may_be_past_and_begin_with_a_date() {
    let stage = Stage::new(184);
    stage.published(&["acme"]);
    stage.later(3 * 86_400);
    let ends = [
        "2026-11-20",
        "-P7D",
        "-P4D",
        "2026-11-20T09:00",
        "2026-11-20T08:00:00Z",
        "2026-11-19T09:00[Europe/Oslo]",
    ];
    for from in ends {
        assert_eq!(found(&stage, json!({ "from": from })), ["Spring is here"], "{from}");
        assert_eq!(found(&stage, json!({ "to": from })), [""; 0], "{from}");
    }
    for to in ["now", "-PT1H", "2026-11-21", "P1D"] {
        assert_eq!(found(&stage, json!({ "to": to })), ["Spring is here"], "{to}");
        assert_eq!(found(&stage, json!({ "from": to })), [""; 0], "{to}");
    }
}

#[test]
fn all_that_is_wrong_with_a_list_is_told_at_once_at_the_real_time() {
    let stage = Stage::new(185);
    let arguments = json!({ "profile": "nobody", "from": "whenever", "to": "P9000Y", "label": "x" });
    let refusal = stage.call("list_posts", arguments).unwrap_err();
    let Refusal::Problems(problems) = &refusal else { panic!("{refusal:?}") };
    for problem in &problems[1..] {
        assert!(problem.hint.contains("It is now 2026-11-20T10:00:00+01:00"), "{}", problem.hint);
    }
    let expected = [
        ("profile".to_owned(), Code::SocialProfileRejected),
        ("from".to_owned(), Code::InvalidSchedule),
        ("to".to_owned(), Code::InvalidSchedule),
    ];
    assert_eq!(codes(refusal), expected);
}

#[test]
fn a_filters_problems_stand_where_the_filter_stands() {
    let stage = Stage::new(186);
    let told = |filter: Value| {
        codes(stage.call("change_posts", json!({ "filter": filter, "delete": true })).unwrap_err())
    };
    let expected = [
        ("filter.profile".to_owned(), Code::SocialProfileRejected),
        ("filter.from".to_owned(), Code::InvalidSchedule),
    ];
    assert_eq!(told(json!({ "from": "soonish", "profile": "nobody" })), expected);
    assert_eq!(
        told(json!({ "workspace": "Nowhere at all" })),
        [("filter.workspace".to_owned(), Code::WorkspaceNotFound)]
    );
}
