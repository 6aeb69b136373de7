//! A refusal holds the call that works, or the one that finds what is missing; never one that is mended in part.

use std::rc::Rc;

use postern::desk::{Code, Fix, NextCall, Problem, Refusal, mended as mended_arguments};
use rusqlite::params;
use serde_json::{Value, json};

use super::{codes, stage::Stage};
use crate::{
    media::{file, png},
    sim::Incoming,
};

fn next(refusal: &Refusal) -> Option<NextCall> {
    match refusal {
        Refusal::Problems(problems) => problems.iter().find_map(|problem| problem.next.clone()),
        other => panic!("not problems: {other:?}"),
    }
}

/// Calls what must be refused, and then the call that its refusal holds, which must be one of `tool`.
fn mended(stage: &Stage, tool: &str, arguments: Value) -> (Value, Value) {
    mended_by(stage, tool, tool, arguments)
}

fn mended_by(stage: &Stage, tool: &str, by: &str, arguments: Value) -> (Value, Value) {
    let refusal = stage.call(tool, arguments.clone()).expect_err("a refusal");
    let call = next(&refusal).unwrap_or_else(|| panic!("{tool} {arguments}: no call in {refusal:?}"));
    assert_eq!(call.tool, by, "{tool} {arguments}");
    (call.arguments.clone(), stage.done(by, call.arguments))
}

/// A web on which every address that ends in `ok` is a picture.
fn with_pictures(stage: &Stage) {
    stage.sim.web.set_peer(Rc::new(|request: &Incoming| {
        Ok(file(if request.url.ends_with("ok") { png(8, 1) } else { b"nothing".to_vec() }))
    }));
}

/// Connects a Bluesky account, as far as rendering and choosing go.
pub fn add_bluesky(stage: &Stage, handle: &str) {
    let inserted = stage.sim.shard().execute(
        "INSERT INTO profile (tenant_id, profile_id, workspace_id, network, handle, name, remote_id, state, created_at, updated_at)
         VALUES (?1, ?2, ?3, 'bluesky', ?4, ?4, 'did:plc:' || ?4, 'healthy', 0, 0)",
        params![
            stage.company.tenant.id.as_str(),
            format!("prf_{:0>26}", handle.len()),
            stage.company.workspace.as_str(),
            handle
        ],
    );
    assert_eq!(inserted, 1);
}

#[test]
fn a_picture_that_is_not_taken_is_left_out_of_the_corrected_call_and_the_others_stay() {
    let stage = Stage::new(191);
    with_pictures(&stage);
    let media = json!([
        { "url": "https://pictures.example/bad", "alt": "One" }, { "url": "https://pictures.example/ok", "alt": "Two" },
        { "media_id": "med_00000000000000000000000000" }, {},
    ]);
    let (arguments, post) =
        mended(&stage, "create_post", json!({ "text": "Look", "profiles": ["acme"], "media": media }));
    assert_eq!(arguments["media"], json!([{ "url": "https://pictures.example/ok", "alt": "Two" }]));
    let shown = stage.read(&post["post_id"]);
    assert_eq!(shown["previews"][0]["parts"][0]["media"].as_array().unwrap().len(), 1);

    let both = json!([{ "media_id": shown["previews"][0]["parts"][0]["media"][0]["media_id"], "url": "https://x.example/y" }]);
    mended(&stage, "create_post", json!({ "text": "Both", "media": both }));
}

#[test]
fn a_zone_that_is_unknown_or_contradicts_the_offset_is_mended() {
    let stage = Stage::new(192);
    for (when, local) in [
        ("2026-12-01T09:00[Europe/Stokholm]", "2026-12-01T09:00:00+01:00[Europe/Stockholm]"),
        ("2026-12-01T09:00:00[New_York]", "2026-12-01T15:00:00+01:00[Europe/Stockholm]"),
        ("2026-12-01T09:00:00Z[Mars/Base]", "2026-12-01T10:00:00+01:00[Europe/Stockholm]"),
        ("2026-12-01T09:00:00+05:00[Europe/Stockholm]", "2026-12-01T09:00:00+01:00[Europe/Stockholm]"),
    ] {
        let body = json!({ "text": when, "profiles": ["acme"], "when": when });
        let (_, post) = mended(&stage, "create_post", body);
        assert_eq!(post["when"]["local"], local, "{when}");
    }
}

#[test]
fn no_time_is_made_up_for_what_is_published() {
    let stage = Stage::new(193);
    for when in ["tomorrow at 9am", "next_slot", "P9000Y"] {
        let (arguments, post) =
            mended(&stage, "create_post", json!({ "text": when, "profiles": ["acme"], "when": when }));
        assert_eq!((arguments.get("when"), &post["status"]), (None, &json!("draft")), "{when}");
        for tool in ["schedule_post", "update_post"] {
            let again = json!({ "post_id": post["post_id"], "when": when });
            let call = next(&stage.call(tool, again).unwrap_err());
            assert!(
                call.is_none_or(|call| call.tool != tool && call.arguments.get("when").is_none()),
                "{tool} {when}"
            );
        }
    }
    let dry = json!({ "filter": { "from": "soonish" }, "delete": true });
    let call = next(&stage.call("change_posts", dry).unwrap_err()).unwrap();
    assert_eq!(call.tool, "list_posts", "a wider filter is no correction");
}

#[test]
fn an_ambiguous_profile_is_answered_with_the_call_that_lists_them() {
    let stage = Stage::new(194);
    let refusal = stage.call("create_post", json!({ "text": "Both?", "profiles": ["wall"] })).unwrap_err();
    let call = next(&refusal).unwrap();
    assert_eq!(call.tool, "list_social_profiles");
    assert_eq!(call.arguments["workspace"], stage.company.workspace.as_str());
}

#[test]
fn a_call_that_would_be_mended_in_part_is_not_given() {
    let stage = Stage::new(195);
    let arguments = json!({ "text": "x", "profiles": ["nobody at all"], "when": "2001-01-01T09:00" });
    let call = next(&stage.call("create_post", arguments).unwrap_err()).unwrap();
    assert_eq!(call.tool, "list_social_profiles");
}

#[test]
fn a_misspelt_workspace_is_mended() {
    let stage = Stage::new(196);
    mended(&stage, "create_post", json!({ "text": "x", "workspace": "Mian" }));
    let call =
        next(&stage.call("create_post", json!({ "text": "x", "workspace": "Elsewhere" })).unwrap_err());
    assert_eq!(call.unwrap().tool, "list_workspaces");
}

#[test]
fn settings_are_mended_where_they_stand() {
    let stage = Stage::new(197);
    add_bluesky(&stage, "me.example.com");
    let settings = json!({ "langs": ["e", "en"], "tag": ["ok"], "link_card": "no" });
    let body = json!({ "text": "x", "profiles": ["bluesky"], "when": "P1D",
        "overrides": [{ "profiles": ["bluesky"], "text": "y", "settings": settings }] });
    let mut told = codes(stage.call("create_post", body.clone()).unwrap_err());
    told.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        told,
        [
            ("overrides[0].settings.langs[0]".to_owned(), Code::Malformed),
            ("overrides[0].settings.link_card".to_owned(), Code::WrongType),
            ("overrides[0].settings.tag".to_owned(), Code::UnknownField),
        ]
    );
    let (arguments, post) = mended(&stage, "create_post", body);
    assert_eq!(arguments["overrides"][0]["settings"], json!({ "langs": ["en"], "tags": ["ok"] }));
    assert_eq!(post["status"], "draft", "a language was left out");

    let of_wall = json!([{ "profiles": ["acme"], "settings": { "langs": ["en"] } }]);
    mended(
        &stage,
        "create_post",
        json!({ "text": "x", "profiles": ["acme"], "when": "P1D", "overrides": of_wall }),
    );
}

#[test]
fn what_is_too_long_is_cut_in_the_arguments_of_the_tool_that_mends_it() {
    let stage = Stage::new(198);
    add_bluesky(&stage, "me.example.com");
    let long = "word ".repeat(100);
    let thread = json!([{ "text": long }, { "text": "short" }]);
    let body = json!({ "text": long, "thread": thread, "profiles": ["bluesky", "acme"] });
    let draft = stage.done("create_post", body.clone())["post_id"].clone();
    let (_, post) =
        mended_by(&stage, "schedule_post", "update_post", json!({ "post_id": draft, "when": "P1D" }));
    assert_eq!(post["status"], "draft");

    let mut scheduled = body;
    scheduled["when"] = json!("P1D");
    scheduled["first_comment"] = json!(long);
    let (arguments, _) = mended(&stage, "create_post", scheduled);
    assert_eq!(arguments["text"], long, "the Wall takes all of it");
    assert_eq!(arguments["overrides"].as_array().unwrap().len(), 1, "one override has all the texts");

    let own = json!([{ "profiles": ["bluesky"], "text": long, "settings": { "langs": ["en"] } }]);
    let body = json!({ "text": "x", "profiles": ["bluesky"], "when": "P1D", "overrides": own });
    let (arguments, _) = mended(&stage, "create_post", body);
    assert_eq!(arguments["overrides"][0]["settings"], json!({ "langs": ["en"] }));
    assert_eq!(arguments["overrides"].as_array().unwrap().len(), 1, "it is cut where it stands");
}

#[test]
fn overrides_that_the_arguments_do_not_list_are_not_lost_by_the_corrected_call() {
    let stage = Stage::new(199);
    add_bluesky(&stage, "me.example.com");
    let own = json!([{ "profiles": ["acme"], "text": "For the Wall" }]);
    let body = json!({ "text": "x", "profiles": ["bluesky", "acme"], "when": "P1D", "overrides": own });
    let post = stage.done("create_post", body)["post_id"].clone();
    let longer = json!({ "post_id": post, "text": "word ".repeat(100) });
    let call = next(&stage.call("update_post", longer).unwrap_err()).unwrap();
    assert_eq!(call.tool, "preview_post");
}

#[test]
fn a_retry_with_too_long_a_text_is_answered_with_the_call_that_keeps_a_shorter_one_and_sends_nothing() {
    let stage = Stage::new(200);
    let post = stage.failed();
    let arguments = json!({ "post_id": post, "text": "word ".repeat(3000) });
    let refusal = stage.call("retry_post", arguments.clone()).unwrap_err();
    let told = format!("{refusal:?}");
    assert!(!told.contains("thread[]"), "{told}");
    assert_eq!(codes(refusal), [("text".to_owned(), Code::ContentTooLong)]);
    mended_by(&stage, "retry_post", "update_post", arguments);
    stage.later(31);
    assert_eq!((stage.status(&post), stage.public()), (json!("failed"), 0));
    stage.done("retry_post", json!({ "post_id": post }));
    stage.later(31);
    assert_eq!(stage.status(&post), "published");
}

#[test]
fn what_is_left_out_is_left_out_from_the_back_and_what_has_no_place_is_passed_over() {
    let arguments = json!({ "list": ["a", "b", "c", "d"], "alt_text": "x", "count": 5, "many": [1, 2, 3] });
    let problem = |field: &str, fix: Fix| Problem::new(Code::Malformed, field, "").fix(fix);
    let problems = [
        problem("list[0]", Fix::Remove),
        problem("list[2].url", Fix::RemoveItem),
        problem("list[2].alt", Fix::RemoveItem),
        problem("list[3]", Fix::Set(json!("D"))),
        problem("alt_text", Fix::Rename("alt".to_owned())),
        problem("many", Fix::Keep(2)),
        problem("text", Fix::Elsewhere(vec![("own".to_owned(), Fix::Append(json!("y")))])),
        problem("thread", Fix::Elsewhere(vec![("own".to_owned(), Fix::Append(json!("y")))])),
        Problem::new(Code::Missing, "alt", "").fix(Fix::Suppose(json!(""))),
        problem("list[9]", Fix::Remove),
        problem("nowhere", Fix::Remove),
        problem("count[0]", Fix::Set(json!(1))),
        problem("count", Fix::Append(json!(1))),
        problem("", Fix::RemoveItem),
    ];
    assert_eq!(
        mended_arguments(&arguments, &problems),
        json!({ "list": ["b", "D"], "alt": "x", "count": 5, "many": [1, 2], "own": ["y"] })
    );
}
