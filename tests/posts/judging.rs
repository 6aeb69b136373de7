//! A refusal tells everything that is wrong, and its call is taken: never with words that nobody wrote going out, never at a time
//! that nobody named.

use std::rc::Rc;

use postern::{
    desk::{Caller, Code, Refusal, Scopes, WorkspaceId},
    http::{Request, RequestMethod, Response},
    mcp::{self, Catalogue, Outcome},
};
use serde_json::{Value, json};

use super::stage::Stage;
use crate::{
    media::{file, png},
    sim::{Incoming, run, world::Company},
};

/// Calls a tool over the wire, for the owner's assistant: its result, or its problems.
pub fn ask(stage: &Stage, tool: &str, arguments: &Value) -> Result<Value, Vec<Value>> {
    match sent(stage, &stage.company.caller(&stage.sim), tool, arguments) {
        Outcome::Response(response) => read(&response),
        other => panic!("{tool} {arguments}: {other:?}"),
    }
}

/// Calls a tool over the wire for somebody.
pub fn sent(stage: &Stage, caller: &Caller<'_>, tool: &str, arguments: &Value) -> Outcome {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments } });
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let request = Request {
        method: RequestMethod::Post,
        host: "localhost:8790".to_owned(),
        path: "/acme/mcp".to_owned(),
        query: String::new(),
        headers: vec![
            header("content-type", "application/json"),
            header("accept", "application/json, text/event-stream"),
            header("mcp-protocol-version", "2025-11-25"),
        ],
        body: message.to_string().into_bytes(),
        peer: "127.0.0.1".to_owned(),
    };
    let platform = stage.sim.platform();
    run(mcp::serve_tools(Catalogue::embedded(), &platform, caller, Scopes::EVERY, &request)).outcome
}

/// A call's result, or its problems.
pub fn read(response: &Response) -> Result<Value, Vec<Value>> {
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    let result = &body["result"];
    match result.pointer("/structuredContent/error/problems").and_then(Value::as_array) {
        Some(problems) => Err(problems.clone()),
        None => Ok(result["structuredContent"].clone()),
    }
}

pub fn done(stage: &Stage, tool: &str, arguments: &Value) -> Value {
    ask(stage, tool, arguments).unwrap_or_else(|problems| panic!("{tool} {arguments}: {problems:?}"))
}

pub fn refused(stage: &Stage, tool: &str, arguments: Value) -> Vec<Value> {
    ask(stage, tool, &arguments).expect_err(&format!("{tool} {arguments} is refused"))
}

/// A second workspace, which the grant has too.
pub fn tick_second(stage: &Stage) -> WorkspaceId {
    let second = stage.company.add_workspace(&stage.sim, "Second", "UTC");
    stage.sim.shard().execute(
        "INSERT INTO grant_workspace (tenant_id, grant_id, workspace_id) VALUES (?1, ?2, ?3)",
        [stage.company.tenant.id.as_str(), stage.company.grant.id.as_str(), second.as_str()],
    );
    second
}

pub fn told(problems: &[Value]) -> Vec<(&str, &str)> {
    let mut told: Vec<_> =
        problems.iter().map(|one| (one["code"].as_str().unwrap(), one["field"].as_str().unwrap())).collect();
    told.sort_unstable();
    told
}

/// The call that a refusal holds.
pub fn next(problems: &[Value]) -> (&str, &Value) {
    let next = problems.iter().find_map(|problem| problem.get("next")).expect("a call");
    (next["tool"].as_str().unwrap(), &next["arguments"])
}

pub const NO_POST: &str = "post_00000000000000000000000000";

pub fn long() -> String {
    "A sentence of some words. ".repeat(300)
}

#[test]
fn a_look_up_that_fails_hides_nothing() {
    let stage = Stage::new(301);
    let arguments = json!({ "post_id": NO_POST, "profiles": ["nope"], "when": "yesterday", "bogus": 1 });
    let expected = [
        ("invalid_schedule", "when"),
        ("post_not_found", "post_id"),
        ("social_profile_rejected", "profiles[0]"),
        ("unknown_field", "bogus"),
    ];
    for tool in ["schedule_post", "update_post"] {
        assert_eq!(told(&refused(&stage, tool, arguments.clone())), expected, "{tool}");
    }
    let elsewhere = json!({ "workspace": "Nowhere", "profile": "nope", "from": "soonish", "cursor": "x" });
    let expected = [
        ("cursor_invalid", "cursor"),
        ("invalid_schedule", "from"),
        ("social_profile_rejected", "profile"),
        ("workspace_not_found", "workspace"),
    ];
    assert_eq!(told(&refused(&stage, "list_posts", elsewhere)), expected);
}

#[test]
fn a_stale_revision_hides_nothing() {
    let stage = Stage::new(302);
    let post =
        done(&stage, "create_post", &json!({ "text": long(), "profiles": ["acme"] }))["post_id"].clone();
    let arguments = json!({ "post_id": post, "when": "2001-01-01T09:30", "expected_revision": 7 });
    let problems = refused(&stage, "schedule_post", arguments);
    let expected =
        [("content_too_long", "text"), ("invalid_schedule", "when"), ("post_changed", "expected_revision")];
    assert_eq!(told(&problems), expected);
    assert!(problems.iter().all(|one| one["next"]["tool"] != "schedule_post"), "{problems:?}");
}

#[test]
fn a_shift_that_cannot_be_read_hides_neither_a_contradiction_nor_the_filter() {
    let stage = Stage::new(303);
    let arguments =
        json!({ "filter": { "workspace": "Nowhere", "from": "soonish" }, "shift": "zz", "delete": true });
    let problems = refused(&stage, "change_posts", arguments);
    let expected = [
        ("conflicting", ""),
        ("invalid_schedule", "filter.from"),
        ("malformed", "shift"),
        ("workspace_not_found", "filter.workspace"),
    ];
    assert_eq!(told(&problems), expected);
    let problems = refused(&stage, "change_posts", json!({ "filter": {}, "shift": "zz" }));
    assert_ne!(next(&problems).0, "change_posts", "no length is made up");
    for (said, read) in [("a week", "P1W"), ("an hour", "PT1H"), ("one day", "P1D")] {
        let problems = refused(&stage, "change_posts", json!({ "filter": {}, "shift": said }));
        assert_eq!(next(&problems), ("change_posts", &json!({ "filter": {}, "shift": read })), "{said}");
    }
}

#[test]
fn what_only_one_of_several_workspaces_could_tell_is_not_told_of_an_unknown_one() {
    let stage = Stage::new(304);
    let second = tick_second(&stage);
    stage.company.add_wall(&stage.sim, &second, "other");
    for named in [json!({ "workspace": "Nowhere" }), json!({})] {
        let mut arguments =
            json!({ "text": "x", "profiles": ["acme", "other", "nobody"], "when": "soonish" });
        arguments.as_object_mut().unwrap().extend(named.as_object().unwrap().clone());
        let problems = refused(&stage, "create_post", arguments);
        let about: Vec<&str> = told(&problems).into_iter().map(|(_, field)| field).collect();
        assert_eq!(about, ["when", "profiles[2]", "workspace"]);
    }
}

#[test]
fn shape_and_meaning_come_together_and_a_corrected_call_is_taken_or_not_given() {
    let stage = Stage::new(305);
    let arguments =
        json!({ "text": "x", "workspace": "Main", "profiles": ["nope"], "when": "yesterday", "bogus": 1 });
    let problems = refused(&stage, "create_post", arguments);
    let expected = [
        ("invalid_schedule", "when"),
        ("social_profile_rejected", "profiles[0]"),
        ("unknown_field", "bogus"),
    ];
    assert_eq!(told(&problems), expected);
    assert_eq!(next(&problems).0, "list_social_profiles");

    let arguments = json!({ "txt": "x", "profiles": "acm", "when": "2001-01-01T09:30", "bogus": 1 });
    let problems = refused(&stage, "create_post", arguments);
    let (tool, arguments) = next(&problems);
    assert_eq!((tool, done(&stage, tool, arguments)["status"].clone()), ("create_post", json!("draft")));
}

#[test]
fn a_zone_that_is_not_known_is_mended_until_the_time_is_one() {
    let stage = Stage::new(306);
    let body = json!({ "text": "x", "profiles": ["acme"], "when": "2027-10-31T02:30[Europe/Stokholm]" });
    let problems = refused(&stage, "create_post", body);
    assert!(problems[1]["message"].as_str().unwrap().contains("comes twice"), "{problems:?}");
    let (tool, arguments) = next(&problems);
    assert_eq!(done(&stage, tool, arguments)["when"]["local"], "2027-10-31T02:30:00+01:00[Europe/Stockholm]");

    let body = json!({ "text": "x", "profiles": ["acme"], "when": "2027-10-31T02:30[Mars/Base]" });
    let problems = refused(&stage, "create_post", body);
    assert_eq!(
        next(&problems),
        ("create_post", &json!({ "text": "x", "profiles": ["acme"] })),
        "a zone nobody chose"
    );
}

#[test]
fn a_past_time_keeps_its_time_of_day_and_a_past_date_gets_none() {
    let stage = Stage::new(307);
    // It is ten in the morning; what goes out soon is nobody's wish.
    for (past, ahead) in
        [("09:30", "2026-11-21T09:30:00"), ("10:30", "2026-11-21T10:30:00"), ("11:30", "2026-11-20T11:30:00")]
    {
        let when = format!("2026-11-01T{past}");
        let problems =
            refused(&stage, "create_post", json!({ "text": past, "profiles": ["acme"], "when": when }));
        assert_eq!(next(&problems).1["when"], ahead, "{past}");
    }
    for date in ["2026-11-01T00:00", "2026-11-01T00:00:00Z", "2026-11-01"] {
        let problems =
            refused(&stage, "create_post", json!({ "text": date, "profiles": ["acme"], "when": date }));
        let (tool, arguments) = next(&problems);
        assert_eq!(done(&stage, tool, arguments)["status"], "draft", "{date}");
    }
}

#[test]
fn a_second_sixty_is_no_time() {
    let stage = Stage::new(308);
    let body = json!({ "text": "x", "profiles": ["acme"], "when": "2027-06-30T23:59:60Z" });
    assert_eq!(told(&refused(&stage, "create_post", body)), [("invalid_schedule", "when")]);
}

#[test]
fn a_field_of_the_items_is_moved_into_them() {
    let stage = Stage::new(309);
    let posts = json!([{ "text": "One" }, { "text": "Two", "profiles": ["media"] }]);
    let problems =
        refused(&stage, "create_posts", json!({ "workspace": "Main", "profiles": ["acme"], "posts": posts }));
    let moved = json!({ "posts": [
        { "text": "One", "workspace": "Main", "profiles": ["acme"] },
        { "text": "Two", "workspace": "Main", "profiles": ["media"] },
    ] });
    assert_eq!(next(&problems), ("create_posts", &moved));
    done(&stage, "create_posts", &moved);
}

#[test]
fn of_an_id_and_an_address_the_one_that_is_right_stays() {
    let stage = Stage::new(310);
    stage.sim.web.set_peer(Rc::new(|_: &Incoming| Ok(file(png(8, 1)))));
    let known = stage.company.add_media(&stage.sim, &stage.company.workspace);
    let url = "https://pictures.example/ok";
    for (id, left) in [
        (known.as_str(), json!([{ "media_id": known }])),
        ("med_00000000000000000000000000", json!([{ "url": url }])),
    ] {
        let body = json!({ "text": id, "media": [{ "media_id": id, "url": url }] });
        let problems = refused(&stage, "create_post", body);
        let (tool, arguments) = next(&problems);
        assert_eq!(arguments["media"], left);
        done(&stage, tool, arguments);
    }
}

#[test]
fn text_that_nobody_wrote_never_goes_out_by_itself() {
    let stage = Stage::new(311);
    let words = json!({ "text": long(), "profiles": ["acme"] });
    for when in ["now", "PT5M"] {
        let mut body = words.clone();
        body["when"] = json!(when);
        let problems = refused(&stage, "create_post", body);
        assert_eq!(told(&problems), [("content_too_long", "text")]);
        let (tool, arguments) = next(&problems);
        assert_eq!(done(&stage, tool, arguments)["status"], "draft", "{when}");
    }
    let draft = done(&stage, "create_post", &words)["post_id"].clone();
    let problems = refused(&stage, "publish_post", json!({ "post_id": draft }));
    assert_eq!(told(&problems), [("content_too_long", "text")]);
    let (tool, arguments) = next(&problems);
    assert_eq!((tool, done(&stage, tool, arguments)["status"].clone()), ("update_post", json!("draft")));
    let kept = stage.read(&draft)["previews"][0]["parts"][0]["text"].as_str().unwrap().to_owned();
    assert!(kept.ends_with("some words.") && kept.len() <= 5000, "whole sentences: {}", kept.len());
    stage.later(3600);
    assert_eq!(stage.public(), 0);
    done(&stage, "publish_post", &json!({ "post_id": draft }));
}

#[test]
fn a_text_without_sentences_is_shortened_after_a_word() {
    let stage = Stage::new(312);
    let shortened = |text: String| {
        let body = json!({ "text": text, "profiles": ["acme"], "when": "P2D" });
        let problems = refused(&stage, "create_post", body);
        next(&problems).1["overrides"][0]["text"].as_str().unwrap().to_owned()
    };
    let words = shortened("something ".repeat(600));
    assert!(words.ends_with("something…") && words.chars().count() <= 5000, "{}", &words[words.len() - 30..]);
    let one_word = json!({ "text": "x".repeat(6000), "profiles": ["acme"], "when": "P2D" });
    assert_ne!(next(&refused(&stage, "create_post", one_word)).0, "create_post", "there is only one word");
}

#[test]
fn every_refusal_has_a_call() {
    let stage = Stage::new(313);
    let scheduled = stage.post(&["acme"], "P1D");
    let live = stage.published(&["acme"]);
    let empty =
        done(&stage, "create_post", &json!({ "profiles": ["acme"], "note": "To be written" }))["post_id"]
            .clone();
    for (tool, arguments, expected) in [
        ("get_post", json!({}), "list_posts"),
        ("change_posts", json!({}), "list_posts"),
        ("create_posts", json!({}), "describe_network"),
        ("schedule_post", json!({ "post_id": scheduled }), "list_workspaces"),
        ("retry_post", json!({ "post_id": scheduled }), "get_post"),
        ("retry_post", json!({ "post_id": live }), "get_post"),
        ("publish_post", json!({ "post_id": empty }), "preview_post"),
        ("create_post", json!({ "profiles": ["acme"], "when": "P1D" }), "describe_network"),
        ("list_posts", json!({ "limit": 5000 }), "list_posts"),
        ("list_social_profiles", json!({ "limit": 0 }), "list_social_profiles"),
        ("list_social_profiles", json!({ "limit": 51 }), "list_social_profiles"),
        ("create_post", json!({ "text": "x", "profiles": ["wall"] }), "list_social_profiles"),
    ] {
        let problems = refused(&stage, tool, arguments.clone());
        let (by, with) = next(&problems);
        assert_eq!(by, expected, "{tool} {arguments}: {problems:?}");
        done(&stage, by, with);
    }
}

#[test]
fn of_more_than_fifty_posts_the_corrected_call_makes_the_first_fifty() {
    let stage = Stage::new(314);
    let posts: Vec<Value> = (0..60).map(|n| json!({ "text": format!("Post {n}") })).collect();
    let problems = refused(&stage, "create_posts", json!({ "posts": posts }));
    assert!(
        problems.iter().any(|one| one["hint"].as_str().unwrap().contains("the other 10")),
        "{problems:?}"
    );
    let (tool, arguments) = next(&problems);
    assert_eq!(done(&stage, tool, arguments)["posts"].as_array().unwrap().len(), 50);
}

#[test]
fn what_is_wrong_once_is_told_once() {
    let stage = Stage::new(322);
    let posts: Vec<Value> = (0..51).map(|n| json!({ "text": format!("Post {n}") })).collect();
    for (tool, arguments, expected) in [
        ("create_posts", json!({ "posts": posts }), ("out_of_range", "posts")),
        ("pause_publishing", json!({ "reason": "" }), ("missing", "reason")),
        ("pause_publishing", json!({ "reason": "x".repeat(301) }), ("out_of_range", "reason")),
        ("list_posts", json!({ "limit": 1e300 }), ("out_of_range", "limit")),
        ("list_posts", json!({ "limit": u64::MAX }), ("out_of_range", "limit")),
        (
            "schedule_post",
            json!({ "post_id": stage.post(&["acme"], "P1D"), "when": "P2D", "expected_revision": -1e300 }),
            ("out_of_range", "expected_revision"),
        ),
        (
            "schedule_post",
            json!({ "post_id": stage.post(&["acme"], "P1D"), "when": "P2D", "expected_revision": u64::MAX }),
            ("out_of_range", "expected_revision"),
        ),
    ] {
        assert_eq!(told(&refused(&stage, tool, arguments)), [expected], "{tool}");
    }
    let problems = refused(&stage, "list_posts", json!({ "limit": 1e300 }));
    assert_eq!(problems[0]["hint"], "Give a number from 1 to 50.");
    let arguments = json!({ "post_id": NO_POST, "when": "P2D", "expected_revision": 1e300 });
    let problems = refused(&stage, "schedule_post", arguments);
    assert!(
        problems.iter().any(|one| one["hint"] == "Give a number from -9007199254740991 to 9007199254740991."),
        "{problems:?}"
    );
}

#[test]
fn a_refusal_is_never_much_longer_than_what_a_reader_needs() {
    let stage = Stage::new(324);
    let post = |n: usize| json!({ "text": format!("{n} {}", "word ".repeat(3800)), "profiles": ["acme"], "when": "2001-01-01T09:30" });
    let posts: Vec<Value> = (0..50).map(post).collect();
    let problems = refused(&stage, "create_posts", json!({ "posts": posts }));
    assert_eq!(problems.len(), 100, "each too long and past");
    let size = json!(problems).to_string().len();
    assert!(size < 100_000, "{size} bytes");
    assert!(
        problems.iter().all(|one| one["next"]["tool"] != "create_posts"),
        "a part of it is no corrected call"
    );

    let mut few = json!({ "posts": [{ "text": "x".repeat(19_000) }, { "text": "y", "profiles": ["acme"], "when": "2001-01-01T09:30" }] });
    let problems = refused(&stage, "create_posts", few.clone());
    assert_eq!(next(&problems).1["posts"][0], few["posts"][0], "what is not too long is repeated whole");
    few["posts"] = json!(vec![few["posts"][0].clone(); 4]);
    few["posts"][3]["when"] = json!("2001-01-01T09:30");
    few["posts"][3]["profiles"] = json!(["acm"]);
    let problems = refused(&stage, "create_posts", few);
    assert!(json!(problems).to_string().len() < 10_000);
    assert!(problems.iter().any(|one| one["field"] == "posts[3].when"), "{problems:?}");
}

#[test]
fn each_part_is_told_in_its_own_words() {
    let stage = Stage::new(323);
    let hint_of = |field: &str, more: Value| {
        let mut body = json!({ "text": "x", "profiles": ["acme"], "when": "P2D" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let problems = refused(&stage, "create_post", body);
        let of_it = problems.iter().find(|one| one["field"] == field).expect("a problem of that part");
        (of_it["message"].as_str().unwrap().to_owned(), of_it["hint"].as_str().unwrap().to_owned())
    };
    let (message, hint) = hint_of("thread[0].text", json!({ "thread": [{ "text": " " }] }));
    assert!(message.ends_with("This part of the thread has neither text nor media."), "{message}");
    assert_eq!(hint, "Give it text, or leave the part out.");
    assert!(
        hint_of("first_comment", json!({ "first_comment": " " }))
            .0
            .ends_with("The first comment has no text.")
    );
    let (_, hint) = hint_of("first_comment", json!({ "first_comment": long() }));
    assert!(hint.contains("it is the same on every network") && !hint.contains("overrides"), "{hint}");
    let (_, hint) = hint_of("thread[0].text", json!({ "thread": [{ "text": long() }] }));
    assert!(hint.contains("give overrides[] a thread for \"wall\""), "{hint}");
    let own = json!([{ "profiles": ["acme"], "text": long() }]);
    let (_, hint) = hint_of("overrides[0].text", json!({ "overrides": own }));
    assert!(hint.contains("the thread[] of this override"), "{hint}");
}

#[test]
fn an_update_that_changes_nothing_writes_nothing() {
    let stage = Stage::new(315);
    let post = stage.post(&["acme"], "P1D");
    let changes = || stage.sim.shard().number("SELECT count(*) FROM change", []);
    let before = changes();
    for arguments in [json!({ "post_id": post }), json!({ "post_id": post, "text": "Spring is here" })] {
        let shown = done(&stage, "update_post", &arguments);
        assert_eq!((&shown["revision"], shown.get("change_id")), (&json!(1), None), "{arguments}");
    }
    assert_eq!(changes(), before);
    assert_eq!(done(&stage, "update_post", &json!({ "post_id": post, "note": "New" }))["revision"], 2);
}

#[test]
fn a_span_that_ends_before_it_begins_is_turned_around() {
    let stage = Stage::new(316);
    let problems = refused(&stage, "list_posts", json!({ "from": "P7D", "to": "now" }));
    assert_eq!(next(&problems), ("list_posts", &json!({ "from": "now", "to": "P7D" })));
    let problems =
        refused(&stage, "change_posts", json!({ "filter": { "from": "P7D", "to": "now" }, "delete": true }));
    assert_eq!(told(&problems), [("conflicting", "filter.to")]);
    assert_ne!(next(&problems).0, "change_posts", "no other posts are deleted than were named");
}

#[test]
fn an_ambiguous_profile_is_told_as_the_tool_takes_it() {
    let stage = Stage::new(317);
    let problems = refused(&stage, "list_posts", json!({ "profile": "wall" }));
    let hint = problems[0]["hint"].as_str().unwrap();
    assert!(hint.starts_with("Replace it by \"prf_") && !hint.contains("items"), "{hint}");
    assert!(done(&stage, "list_posts", &json!({ "profile": "all" }))["posts"].is_array());
}

#[test]
fn nothing_that_was_fetched_for_a_refused_call_stays_and_rehearsals_fetch_nothing() {
    let stage = Stage::new(318);
    stage.sim.web.set_peer(Rc::new(|_: &Incoming| Ok(file(png(8, 1)))));
    let media = json!([{ "url": "https://pictures.example/a" }]);
    let body = json!({ "text": "x", "profiles": ["nope"], "when": "2001-01-01T09:30", "media": media });
    refused(&stage, "create_post", body);
    assert_eq!(stage.sim.web.requests().len(), 1, "once, by the call itself");
    assert!(stage.sim.blobs.keys().is_empty(), "nothing stays");
    refused(&stage, "create_post", json!({ "text": "x", "media": media, "bogus": 1 }));
    assert_eq!(stage.sim.web.requests().len(), 1, "a call of the wrong shape asks nobody");
}

#[test]
fn a_rehearsal_takes_nothing_down() {
    let stage = Stage::new(319);
    let live = stage.published(&["acme"]);
    let problems = refused(&stage, "delete_post", json!({ "post_id": live, "on_networks": "true" }));
    assert_eq!(next(&problems), ("delete_post", &json!({ "post_id": live, "on_networks": true })));
    assert_eq!((stage.public(), stage.status(&live)), (1, json!("published")));
}

#[test]
fn a_call_that_the_grant_would_not_carry_out_is_no_corrected_call() {
    let stage = Stage::new(320);
    let writer = stage.company.caller_by(&stage.sim, &stage.writer());
    let body = json!({ "text": "x", "profiles": ["acm"], "when": "PT5M" });
    let Err(Refusal::Problems(problems)) = super::stage::call(&writer, "create_post", body) else {
        panic!("problems")
    };
    assert_eq!(problems[0].code, Code::SocialProfileRejected);
    let next = problems[0].next.clone().expect("a call");
    assert_eq!((next.tool.as_str(), next.arguments.get("when")), ("create_post", None));
    super::stage::call(&writer, &next.tool, next.arguments).expect("a draft");
}

#[test]
fn what_another_organisation_has_is_not_told_by_a_rehearsal() {
    let stage = Stage::new(321);
    let other = Company::found(&stage.sim, "other");
    let theirs =
        super::stage::call(&other.caller(&stage.sim), "create_post", json!({ "text": "Theirs" })).unwrap();
    let ask = |id: &Value| {
        let problems =
            refused(&stage, "schedule_post", json!({ "post_id": id, "when": "soonish", "bogus": 1 }));
        json!(problems).to_string().replace(id.as_str().unwrap(), "@")
    };
    assert_eq!(ask(&theirs["post_id"]), ask(&json!(NO_POST)));
}

#[test]
fn the_list_that_finds_a_post_is_of_a_workspace_where_there_are_several() {
    let stage = Stage::new(308);
    let list = |arguments: Value| next(&refused(&stage, "get_post", arguments)).1.clone();
    let unknown = json!({ "post_id": "post_00000000000000000000000000" });
    assert_eq!(list(unknown.clone()), json!({}));
    tick_second(&stage);
    for arguments in [unknown, json!({})] {
        done(&stage, "list_posts", &list(arguments));
    }
    let copied = json!({ "copy_from": "post_00000000000000000000000000", "workspace": "Second" });
    assert_eq!(
        next(&refused(&stage, "create_post", copied)),
        ("list_posts", &json!({ "workspace": "Second" }))
    );
}

#[test]
fn what_was_changed_meanwhile_is_neither_sent_nor_deleted_by_following_the_refusal() {
    let stage = Stage::new(309);
    let post =
        done(&stage, "create_post", &json!({ "text": "Mine", "profiles": ["acme"] }))["post_id"].clone();
    done(&stage, "update_post", &json!({ "post_id": post, "text": "A colleague's" }));
    let stale = json!({ "post_id": post, "expected_revision": 1 });
    let mut scheduled = stale.clone();
    scheduled["when"] = json!("now");
    for (tool, arguments) in
        [("publish_post", stale.clone()), ("delete_post", stale.clone()), ("schedule_post", scheduled)]
    {
        let problems = refused(&stage, tool, arguments);
        assert_eq!(told(&problems), [("post_changed", "expected_revision")], "{tool}");
        assert_eq!(next(&problems), ("get_post", &json!({ "post_id": post })), "{tool}");
    }
    let mut edited = stale;
    edited["text"] = json!("Mine again");
    let problems = refused(&stage, "update_post", edited);
    assert_eq!(next(&problems).1["expected_revision"], 2);
}

#[test]
fn a_post_whose_picture_is_left_out_to_mend_it_stays_a_draft() {
    let stage = Stage::new(310);
    let picture = json!([{ "url": "https://10.0.0.1/x.png" }]);
    for when in ["now", "PT3H"] {
        let post = json!({ "text": "Look", "profiles": ["acme"], "media": picture, "when": when });
        let bare = json!({ "text": "Look", "profiles": ["acme"], "media": [] });
        let problems = refused(&stage, "create_post", post.clone());
        assert_eq!(next(&problems), ("create_post", &bare), "{when}");
        let other = json!({ "text": "Hear", "profiles": ["acme"], "when": when });
        let problems = refused(&stage, "create_posts", json!({ "posts": [other, post] }));
        assert_eq!(next(&problems), ("create_posts", &json!({ "posts": [other, bare] })), "{when}");
    }
}
