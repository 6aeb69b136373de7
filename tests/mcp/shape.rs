//! The first pass over arguments.

use postern::mcp::shape::{check, tidy};
use serde_json::{Value, json};

fn schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["text"],
        "properties": {
            "text": { "type": "string", "minLength": 2, "maxLength": 4, "description": "What it says." },
            "profiles": { "type": "array", "minItems": 1, "maxItems": 2, "items": { "type": "string" } },
            "count": { "type": "integer", "minimum": 1, "maximum": 9 },
            "share": { "type": "number", "minimum": 0 },
            "mood": { "type": "string", "enum": ["glad", "gloomy"] },
            "public": { "type": "boolean" },
            "thread": { "type": "array", "items": {
                "type": "object", "additionalProperties": false, "required": ["text"],
                "properties": { "text": { "type": "string" } },
            } },
            "settings": { "type": "object" },
            "names": { "type": "object", "additionalProperties": { "type": "integer" } },
            "anything": {},
        },
    })
}

/// Code, field and hint of each problem.
fn told(arguments: Value) -> Vec<(&'static str, String, String)> {
    check(&schema(), &arguments)
        .into_iter()
        .map(|problem| (problem.code.as_str(), problem.field, problem.hint))
        .collect()
}

fn only(arguments: Value) -> (&'static str, String, String) {
    let mut told = told(arguments);
    assert_eq!(told.len(), 1, "{told:?}");
    told.remove(0)
}

fn expect(arguments: Value, code: &str, field: &str, hint: &str) {
    assert_eq!(only(arguments), (code_of(code), field.to_owned(), hint.to_owned()));
}

fn code_of(code: &str) -> &'static str {
    postern::desk::Code::ALL.iter().find(|known| known.as_str() == code).unwrap().as_str()
}

#[test]
fn what_fits_has_no_problems() {
    assert!(told(json!({ "text": "åäöü", "profiles": ["a", "b"], "count": 9, "share": 0.5, "mood": "glad", "public": true,
        "thread": [{ "text": "" }], "settings": { "any": [1] }, "names": { "a": 1 }, "anything": null }))
    .is_empty());
    assert!(told(json!({ "text": "ok" })).is_empty());
}

#[test]
fn a_missing_field_is_told_with_what_it_is_for() {
    expect(json!({}), "missing", "text", "Give text: What it says.");
    expect(
        json!({ "text": "ok", "thread": [{ "text": "a" }, {}] }),
        "missing",
        "thread[1].text",
        "Give text.",
    );
}

#[test]
fn an_unknown_field_is_told_with_the_one_that_was_meant() {
    expect(json!({ "text": "ok", "Moods": "glad" }), "unknown_field", "Moods", "Did you mean mood?");
    let in_thread = json!({ "text": "ok", "thread": [{ "text": "a", "texts": "b" }] });
    expect(in_thread, "unknown_field", "thread[0].texts", "Did you mean thread[0].text?");
    let (_, _, hint) = only(json!({ "text": "ok", "nothing_like_it": 1 }));
    assert!(hint.contains("profiles"), "{hint}");
    assert_eq!(
        check(&json!({ "type": "object", "additionalProperties": false }), &json!({ "a": 1 })).len(),
        1
    );
}

#[test]
fn a_wrong_type_is_told_with_how_to_write_it() {
    expect(json!({ "text": 5 }), "wrong_type", "text", "Give a string: \"5\".");
    expect(json!({ "text": "ok", "profiles": "all" }), "wrong_type", "profiles", "Give an array: [\"all\"].");
    expect(json!({ "text": "ok", "count": "5" }), "wrong_type", "count", "Give it without quotes: 5.");
    expect(
        json!({ "text": "ok", "public": "true" }),
        "wrong_type",
        "public",
        "Give it without quotes: true.",
    );
    expect(json!({ "text": "ok", "count": 1.5 }), "wrong_type", "count", "Give an integer.");
    expect(json!({ "text": "ok", "thread": [5] }), "wrong_type", "thread[0]", "Give an object.");
    expect(json!({ "text": "ok", "names": { "a": "x" } }), "wrong_type", "names.a", "Give an integer.");
    expect(json!([]), "wrong_type", "", "Give an object.");
}

#[test]
fn a_value_outside_the_list_is_told_with_the_list() {
    let (code, field, hint) = only(json!({ "text": "ok", "mood": "Glad" }));
    assert_eq!((code, field.as_str()), ("not_in_list", "mood"));
    assert_eq!(hint, "Did you mean \"glad\"? Allowed: glad, gloomy.");
    let (_, _, hint) = only(json!({ "text": "ok", "mood": "x" }));
    assert_eq!(hint, "Use one of: glad, gloomy.");
}

#[test]
fn what_is_out_of_range_is_told_with_the_range() {
    for (arguments, field) in [
        (json!({ "text": "å" }), "text"),
        (json!({ "text": "åäöüé" }), "text"),
        (json!({ "text": "ok", "profiles": [] }), "profiles"),
        (json!({ "text": "ok", "profiles": ["a", "b", "c"] }), "profiles"),
        (json!({ "text": "ok", "count": 0 }), "count"),
        (json!({ "text": "ok", "count": u64::MAX }), "count"),
        (json!({ "text": "ok", "share": -0.1 }), "share"),
    ] {
        let (code, told, _) = only(arguments);
        assert_eq!((code, told.as_str()), ("out_of_range", field));
    }
    expect(json!({ "text": "ok", "count": 10 }), "out_of_range", "count", "Give a number from 1 to 9.");
}

#[test]
fn an_answer_stays_smaller_than_what_was_sent() {
    let many: serde_json::Map<String, Value> = (0..5_000).map(|n| (format!("field{n}"), json!(n))).collect();
    assert_eq!(check(&schema(), &Value::Object(many)).len(), 50);
    let (_, field, hint) = only(json!({ "text": "ok", ("å".repeat(100_000)): 1 }));
    assert!(field.chars().count() <= 65 && hint.len() < 500);
}

#[test]
fn nulls_are_dropped_where_the_schema_knows_the_field() {
    let mut arguments = json!({ "text": "ok", "mood": null, "unknown": null, "thread": [{ "text": null }],
        "settings": { "kept": null } });
    tidy(&schema(), &mut arguments);
    let left = json!({ "text": "ok", "unknown": null, "thread": [{}], "settings": { "kept": null } });
    assert_eq!(arguments, left);
}

#[test]
fn a_whole_number_is_an_integer_however_it_is_written() {
    let tidied = |written: &str| {
        let mut arguments: Value =
            serde_json::from_str(&format!("{{\"text\":\"ok\",\"count\":{written}}}")).unwrap();
        tidy(&schema(), &mut arguments);
        (check(&schema(), &arguments).is_empty(), arguments["count"].to_string())
    };
    for written in ["2", "2.0", "2e0", "0.2e1"] {
        assert_eq!(tidied(written), (true, "2".to_owned()), "{written}");
    }
    for written in ["2.5", "1e300", "-0.5"] {
        assert!(!tidied(written).0, "{written}");
    }
    let mut shares = json!({ "text": "ok", "share": 1.0 });
    tidy(&schema(), &mut shares);
    assert_eq!(shares["share"].to_string(), "1.0", "a number stays as it was written");
}
