//! Two mistakes of any kind in a call of any tool are both told at once, nothing is written or fetched, and a corrected call of the
//! same tool is taken.

use std::collections::BTreeSet;

use postern::{
    desk::Scopes,
    mcp::{self, Catalogue},
};
use rusqlite::params;
use serde_json::{Value, json};

use super::{body, call, modern};
use crate::sim::{Sim, run, world::Company};

/// Something wrong with arguments: where, what is put there (null takes away), and the code and field that tell it.
struct Mistake {
    place: &'static str,
    value: Value,
    told: (&'static str, &'static str),
}

fn wrong(place: &'static str, value: Value, code: &'static str, field: &'static str) -> Mistake {
    Mistake { place, value, told: (code, field) }
}

/// A tool with a call that is right, in which `%` is a post, and the mistakes that can be made in it.
struct Case {
    tool: &'static str,
    right: Value,
    mistakes: Vec<Mistake>,
}

const NO_POST: &str = "post_00000000000000000000000000";
const NO_MEDIA: &str = "med_00000000000000000000000000";

fn long() -> Value {
    json!("A sentence of some words. ".repeat(300))
}

fn no_such_post() -> Mistake {
    wrong("/post_id", json!(NO_POST), "post_not_found", "post_id")
}

fn stale() -> Mistake {
    wrong("/expected_revision", json!(9), "post_changed", "expected_revision")
}

fn unknown_field() -> Mistake {
    wrong("/bogus", json!(1), "unknown_field", "bogus")
}

fn stranger() -> Mistake {
    wrong("/profiles", json!(["acme", "nope"]), "social_profile_rejected", "profiles[1]")
}

fn no_workspace() -> Mistake {
    wrong("/workspace", json!("Nowhere"), "workspace_not_found", "workspace")
}

fn bad_times() -> Vec<Mistake> {
    let said =
        ["yesterday", "2001-01-01T09:30", "2027-03-28T02:30", "2027-10-31T02:30[Mars/Base]", "next_slot"];
    let code = |when: &str| if when == "next_slot" { "no_free_slot" } else { "invalid_schedule" };
    said.into_iter().map(|when| wrong("/when", json!(when), code(when), "when")).collect()
}

/// What can be wrong with a body: shape and meaning.
fn of_body() -> Vec<Mistake> {
    let mut mistakes = vec![
        no_workspace(),
        stranger(),
        unknown_field(),
        wrong("/labels", json!(5), "wrong_type", "labels"),
        wrong("/note", json!("x".repeat(2001)), "out_of_range", "note"),
        wrong("/media", json!([{ "media_id": NO_MEDIA }]), "media_not_found", "media[0].media_id"),
        wrong("/media", json!([{ "url": "http://10.0.0.1/x" }]), "media_not_fetched", "media[0].url"),
        wrong("/media", json!([{ "alt": "x" }]), "missing", "media[0]"),
        wrong(
            "/overrides",
            json!([{ "profiles": ["nobody"] }]),
            "social_profile_rejected",
            "overrides[0].profiles[0]",
        ),
        wrong("/overrides", json!([{ "text": "x" }]), "missing", "overrides[0].profiles"),
        wrong("/thread", json!([{}]), "missing", "thread[0].text"),
    ];
    mistakes.extend(bad_times());
    mistakes
}

fn too_long() -> Mistake {
    wrong("/text", long(), "content_too_long", "text")
}

fn with(mut mistakes: Vec<Mistake>, more: impl IntoIterator<Item = Mistake>) -> Vec<Mistake> {
    mistakes.extend(more);
    mistakes
}

fn cases() -> Vec<Case> {
    let body = json!({ "text": "Words", "profiles": ["acme"], "when": "P2D" });
    let changed = json!({ "post_id": "%", "text": "New words", "profiles": ["acme"], "when": "P3D", "expected_revision": 1 });
    let listed = || {
        vec![
            no_workspace(),
            wrong("/profile", json!("nope"), "social_profile_rejected", "profile"),
            wrong("/status", json!("xyz"), "not_in_list", "status"),
            wrong("/from", json!("soonish"), "invalid_schedule", "from"),
            wrong("/to", json!("later on"), "invalid_schedule", "to"),
            wrong("/bogus", json!(1), "unknown_field", "bogus"),
        ]
    };
    let in_filter = |mistake: Mistake| {
        let place = ["/filter", mistake.place].concat().leak();
        let field = ["filter.", mistake.told.1].concat().leak();
        wrong(place, mistake.value, mistake.told.0, field)
    };
    let in_posts = |mistake: Mistake| {
        let place = ["/posts/1", mistake.place].concat().leak();
        let field = ["posts[1].", mistake.told.1].concat().leak();
        wrong(place, mistake.value, mistake.told.0, field)
    };
    let copy = || wrong("/copy_from", json!(NO_POST), "post_not_found", "copy_from");
    let post_alone = |tool| Case {
        tool,
        right: json!({ "post_id": "%" }),
        mistakes: vec![no_such_post(), unknown_field()],
    };
    vec![
        Case { tool: "create_post", right: body.clone(), mistakes: with(of_body(), [too_long(), copy()]) },
        Case {
            tool: "create_posts",
            right: json!({ "posts": [body, body] }),
            mistakes: with(of_body(), [too_long(), copy()])
                .into_iter()
                .map(in_posts)
                .chain([
                    unknown_field(),
                    wrong("/idempotency_key", json!(""), "out_of_range", "idempotency_key"),
                    wrong("/posts/0/when", json!("tomorrow"), "invalid_schedule", "posts[0].when"),
                ])
                .collect(),
        },
        // A preview asks no address.
        Case {
            tool: "preview_post",
            right: body.clone(),
            mistakes: with(of_body(), [copy()])
                .into_iter()
                .filter(|mistake| mistake.told.0 != "media_not_fetched")
                .collect(),
        },
        Case {
            tool: "update_post",
            right: changed,
            mistakes: with(of_body(), [too_long(), no_such_post(), stale()]),
        },
        Case {
            tool: "schedule_post",
            right: json!({ "post_id": "%", "when": "P3D", "profiles": ["acme"], "expected_revision": 1 }),
            mistakes: with(
                bad_times(),
                [
                    no_such_post(),
                    stale(),
                    stranger(),
                    unknown_field(),
                    wrong("/when", Value::Null, "missing", "when"),
                    wrong("/when", json!(5), "wrong_type", "when"),
                ],
            ),
        },
        Case {
            tool: "publish_post",
            right: json!({ "post_id": "%", "profiles": ["acme"], "expected_revision": 1 }),
            mistakes: vec![no_such_post(), stale(), stranger(), unknown_field()],
        },
        Case {
            tool: "delete_post",
            right: json!({ "post_id": "%", "expected_revision": 1 }),
            mistakes: vec![
                no_such_post(),
                stale(),
                unknown_field(),
                wrong("/on_networks", json!("yes"), "wrong_type", "on_networks"),
            ],
        },
        Case {
            tool: "retry_post",
            right: json!({ "post_id": "%", "profiles": ["acme"], "text": "Better" }),
            mistakes: vec![
                no_such_post(),
                stranger(),
                unknown_field(),
                wrong("/text", long(), "content_too_long", "text"),
                wrong("/media", json!([{ "media_id": NO_MEDIA }]), "media_not_found", "media[0].media_id"),
            ],
        },
        post_alone("get_post"),
        post_alone("unschedule_post"),
        Case {
            tool: "undo_change",
            right: json!({}),
            mistakes: vec![
                wrong("/change_id", json!("chg_00000000000000000000000000"), "change_not_found", "change_id"),
                unknown_field(),
            ],
        },
        Case {
            tool: "list_posts",
            right: json!({}),
            mistakes: with(
                listed(),
                [
                    wrong("/limit", json!(5000), "out_of_range", "limit"),
                    wrong("/cursor", json!("x"), "cursor_invalid", "cursor"),
                ],
            ),
        },
        Case {
            tool: "change_posts",
            right: json!({ "filter": { "label": "moving" }, "shift": "P7D" }),
            mistakes: with(
                listed().into_iter().map(in_filter).collect(),
                [
                    wrong("/shift", json!("zz"), "malformed", "shift"),
                    wrong("/delete", json!(true), "conflicting", ""),
                    wrong("/post_ids", json!(["%"]), "conflicting", "post_ids"),
                    wrong("/token", json!("x"), "dry_run_stale", "token"),
                    unknown_field(),
                ],
            ),
        },
        Case {
            tool: "change_posts",
            right: json!({ "post_ids": ["%"], "when": "P7D" }),
            mistakes: with(
                bad_times(),
                [
                    wrong("/post_ids", json!(["%", NO_POST]), "post_not_found", "post_ids[1]"),
                    wrong("/dry_run", json!(false), "dry_run_needed", "dry_run"),
                    unknown_field(),
                ],
            ),
        },
        Case {
            tool: "list_social_profiles",
            right: json!({}),
            mistakes: vec![
                no_workspace(),
                wrong("/limit", json!(0), "out_of_range", "limit"),
                wrong("/cursor", json!("x"), "cursor_invalid", "cursor"),
                unknown_field(),
            ],
        },
        Case {
            tool: "connect_social_profile",
            right: json!({ "network": "wall" }),
            mistakes: vec![
                no_workspace(),
                wrong("/network", json!("walll"), "not_in_list", "network"),
                wrong("/reconnect", json!("nobody"), "social_profile_rejected", "reconnect"),
                unknown_field(),
            ],
        },
        Case {
            tool: "describe_network",
            right: json!({ "network": "wall" }),
            mistakes: vec![
                wrong("/network", json!("telegraph"), "network_not_found", "network"),
                unknown_field(),
            ],
        },
        Case {
            tool: "confirm_delivery",
            right: json!({ "post_id": "%", "profile": "acme", "outcome": "live" }),
            mistakes: vec![
                no_such_post(),
                unknown_field(),
                wrong("/profile", json!("nope"), "social_profile_rejected", "profile"),
                wrong("/outcome", json!("xyz"), "not_in_list", "outcome"),
                wrong("/url", json!("nowhere"), "malformed", "url"),
            ],
        },
        Case {
            tool: "pause_publishing",
            right: json!({ "reason": "Bad news" }),
            mistakes: vec![
                no_workspace(),
                stranger(),
                unknown_field(),
                wrong("/until", json!("soonish"), "invalid_schedule", "until"),
                wrong("/reason", json!(""), "missing", "reason"),
            ],
        },
        Case {
            tool: "resume_publishing",
            right: json!({ "overdue": "review" }),
            mistakes: vec![
                no_workspace(),
                stranger(),
                unknown_field(),
                wrong("/overdue", json!("xyz"), "not_in_list", "overdue"),
            ],
        },
    ]
}

/// Pairs of which the one leaves nothing by which the other could be judged.
fn says_nothing_of(one: &Mistake, other: &Mistake) -> bool {
    let is = |mistake: &Mistake, code: &str, field: &str| mistake.told == (code, field);
    is(one, "post_not_found", "post_id") && is(other, "post_changed", "expected_revision")
}

struct World {
    sim: Sim,
    company: Company,
}

impl World {
    fn new() -> Self {
        let sim = Sim::new(61);
        let company = Company::found(&sim, "acme");
        Self { sim, company }
    }

    fn call(&self, tool: &str, arguments: &Value) -> Value {
        let request = modern("tools/call", call(tool, arguments.clone()));
        let caller = self.company.caller(&self.sim);
        let platform = self.sim.platform();
        let answer =
            run(mcp::serve_tools(Catalogue::embedded(), &platform, &caller, Scopes::EVERY, &request));
        body(answer)["result"].clone()
    }

    fn done(&self, tool: &str, arguments: &Value) -> Value {
        let result = self.call(tool, arguments);
        assert!(result.get("isError").is_none(), "{tool} {arguments}: {result}");
        result["structuredContent"].clone()
    }

    fn refused(&self, tool: &str, arguments: &Value) -> Vec<Value> {
        let before = self.state();
        let result = self.call(tool, arguments);
        assert_eq!(self.state(), before, "{tool} {arguments}: nothing is written");
        assert_eq!(self.sim.web.requests().len(), 0, "{tool} {arguments}: nobody is asked");
        let problems = result.pointer("/structuredContent/error/problems").and_then(Value::as_array);
        problems.unwrap_or_else(|| panic!("{tool} took {arguments}: {result}")).clone()
    }

    /// A post that `tool` can be called for.
    fn post_for(&self, tool: &str) -> String {
        let mut fields = json!({ "text": "Spring", "profiles": ["acme"], "allow_duplicate": true });
        if ["unschedule_post", "retry_post", "change_posts", "confirm_delivery"].contains(&tool) {
            fields["when"] = json!("P1D");
        }
        let post = self.done("create_post", &fields)["post_id"].as_str().unwrap().to_owned();
        if tool == "retry_post" {
            let failed = "UPDATE delivery SET state = 'failed', reason = 'refused', next_at = NULL, attempts = 1 WHERE post_id = ?1";
            assert_eq!(self.sim.shard().execute(failed, params![post]), 1);
        }
        if tool == "confirm_delivery" {
            let lost = "UPDATE delivery SET state = 'unknown', reason = 'unconfirmed', next_at = NULL, attempts = 1 WHERE post_id = ?1";
            assert_eq!(self.sim.shard().execute(lost, params![post]), 1);
        }
        post
    }

    /// Everything that a refused call might have changed.
    fn state(&self) -> Vec<i64> {
        let count = |sql: &str| self.sim.shard().number(sql, []);
        vec![
            count("SELECT count(*) + coalesce(sum(revision), 0) FROM post_group"),
            count("SELECT count(*) FROM delivery"),
            count("SELECT count(*) FROM media"),
            count("SELECT count(*) FROM connect_request"),
            count("SELECT count(*) FROM audit WHERE outcome = 'done'"),
        ]
    }
}

fn make(arguments: &mut Value, mistake: &Mistake) {
    let (way, name) = mistake.place.rsplit_once('/').unwrap();
    let object = arguments.pointer_mut(way).unwrap().as_object_mut().unwrap();
    match &mistake.value {
        Value::Null => drop(object.remove(name)),
        value => drop(object.insert(name.to_owned(), value.clone())),
    }
}

fn about(arguments: &Value, post: &str) -> Value {
    serde_json::from_str(&arguments.to_string().replace('%', post)).unwrap()
}

fn told(problems: &[Value]) -> BTreeSet<(String, String)> {
    let text = |problem: &Value, name: &str| problem[name].as_str().unwrap().to_owned();
    problems.iter().map(|problem| (text(problem, "code"), text(problem, "field"))).collect()
}

/// Every pair of mistakes of a case that are in different places.
fn pairs(mistakes: &[Mistake]) -> impl Iterator<Item = (&Mistake, &Mistake)> {
    let apart = |one: &Mistake, other: &Mistake| one.place != other.place;
    mistakes.iter().enumerate().flat_map(move |(index, one)| {
        let others = mistakes.iter().skip(index + 1).filter(move |other| apart(one, other));
        others.map(move |other| (one, other))
    })
}

#[test]
fn two_mistakes_are_told_at_once_and_the_corrected_call_is_taken() {
    let world = World::new();
    let (mut pairs_made, mut corrected) = (0, 0);
    for Case { tool, right, mistakes } in cases() {
        let first = world.post_for(tool);
        let tried = about(&right, &first);
        if tool != "undo_change" {
            world.done(tool, &tried);
        }
        for (one, other) in pairs(&mistakes) {
            let post = world.post_for(tool);
            let mut arguments = right.clone();
            make(&mut arguments, one);
            make(&mut arguments, other);
            let arguments = about(&arguments, &post);
            let problems = world.refused(tool, &arguments);
            let told = told(&problems);
            for mistake in [one, other] {
                let expected = (mistake.told.0.to_owned(), mistake.told.1.to_owned());
                let hidden = says_nothing_of(one, other) || says_nothing_of(other, one);
                assert!(
                    told.contains(&expected) || hidden,
                    "{tool} {arguments}\n  lacks {expected:?}: {told:?}"
                );
            }
            let next = problems.iter().find_map(|problem| problem.get("next"));
            let next = next.unwrap_or_else(|| panic!("{tool} {arguments}: nothing to call: {problems:?}"));
            if next["tool"] == tool {
                world.done(tool, &next["arguments"]);
                corrected += 1;
            }
            pairs_made += 1;
        }
    }
    assert!(pairs_made > 500 && corrected > 100, "{pairs_made} pairs, {corrected} corrected");
}
