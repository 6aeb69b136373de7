//! Toolsets and reading only: by the grant, by header and by address. They only ever narrow.

use std::collections::BTreeSet;

use postern::{
    desk::{Effect, Scopes, Selection, Toolset},
    http::Request,
    mcp::{self, Allowed, Revision, tools, toolset},
};
use serde_json::{Value, json};

use super::{body, call, legacy, message, modern, post, status_and_body, with};
use crate::sim::{Sim, run, world::Company};

struct Deployment {
    sim: Sim,
    company: Company,
}

impl Deployment {
    fn new() -> Self {
        let sim = Sim::new(1);
        let company = Company::found(&sim, "acme");
        Self { sim, company }
    }

    fn send(&self, allowed: impl Into<Allowed>, request: &Request) -> mcp::Answer {
        run(mcp::serve(&self.sim.platform(), &self.company.caller(&self.sim), allowed, request))
    }

    fn listed(&self, allowed: impl Into<Allowed>, request: &Request) -> BTreeSet<String> {
        let body = body(self.send(allowed, request));
        let tools = body["result"]["tools"].as_array().unwrap_or_else(|| panic!("{body}"));
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    /// What the whole grant is narrowed to, as consent writes it.
    fn narrow_grant(&self, selection: Selection) {
        self.sim.shard().execute("UPDATE oauth_grant SET selection = ?1", [selection.bits()]);
    }

    fn posts(&self) -> i64 {
        self.sim.shard().number("SELECT count(*) FROM post_group", [])
    }
}

fn asking(mut request: Request, query: &str) -> Request {
    query.clone_into(&mut request.query);
    request
}

fn list() -> Request {
    modern("tools/list", json!({}))
}

/// The tools of these toolsets, and what is in every one.
fn of(sets: &[Toolset]) -> BTreeSet<String> {
    let shown = |name| toolset(name).is_none_or(|set| sets.contains(&set));
    tools().filter(|tool| shown(tool.name)).map(|tool| tool.name.to_owned()).collect()
}

fn reading() -> BTreeSet<String> {
    let reads = tools().filter(|tool| tool.hints.effect == Effect::Reads);
    reads.map(|tool| tool.name.to_owned()).collect()
}

fn refusal(answer: mcp::Answer) -> Value {
    let body = body(answer);
    assert_eq!(body["result"]["isError"], true, "{body}");
    body["result"]["structuredContent"]["error"]["problems"][0].clone()
}

#[test]
fn every_toolset_has_tools_and_every_tool_but_the_first_a_toolset() {
    for set in Toolset::ALL {
        assert!(tools().any(|tool| toolset(tool.name) == Some(set)), "{set:?}");
        assert_eq!(set.as_str().parse(), Ok(set));
    }
    let without: Vec<&str> = tools().map(|tool| tool.name).filter(|name| toolset(name).is_none()).collect();
    assert_eq!(without, ["whoami"]);
}

#[test]
fn a_header_and_an_address_leave_a_client_the_toolsets_that_they_name() {
    let deployment = Deployment::new();
    for (value, sets) in [
        ("posts", &[Toolset::Posts][..]),
        ("posts,delivery", &[Toolset::Posts, Toolset::Delivery]),
        (" Posts , delivery, posts ,", &[Toolset::Posts, Toolset::Delivery]),
        ("account", &[Toolset::Account]),
        ("account,profiles,posts,delivery", &Toolset::ALL),
        ("", &Toolset::ALL),
        (" , ", &Toolset::ALL),
    ] {
        let by_header = with(list(), "postern-toolsets", value);
        assert_eq!(deployment.listed(Scopes::EVERY, &by_header), of(sets), "{value:?}");
        let by_address = asking(list(), &format!("toolsets={}", value.replace(',', "%2C").replace(' ', "+")));
        assert_eq!(deployment.listed(Scopes::EVERY, &by_address), of(sets), "{value:?}");
    }
    let twice = with(with(list(), "postern-toolsets", "posts"), "postern-toolsets", "delivery");
    assert_eq!(deployment.listed(Scopes::EVERY, &twice), of(&[Toolset::Posts, Toolset::Delivery]));
    let legacy = with(legacy(Revision::V2025_11_25, "tools/list", json!({})), "postern-toolsets", "profiles");
    assert_eq!(deployment.listed(Scopes::EVERY, &legacy), of(&[Toolset::Profiles]));
}

#[test]
fn reading_only_leaves_what_reads() {
    let deployment = Deployment::new();
    for value in ["true", "1", "TRUE", ""] {
        let by_header = with(list(), "postern-read-only", value);
        assert_eq!(deployment.listed(Scopes::EVERY, &by_header), reading(), "{value:?}");
        let by_address = asking(list(), &format!("read_only={value}"));
        assert_eq!(deployment.listed(Scopes::EVERY, &by_address), reading(), "{value:?}");
    }
    for value in ["false", "0"] {
        let by_header = with(list(), "postern-read-only", value);
        assert_eq!(deployment.listed(Scopes::EVERY, &by_header), of(&Toolset::ALL));
    }
    let both = asking(list(), "toolsets=posts&read_only=true");
    assert_eq!(deployment.listed(Scopes::EVERY, &both), &of(&[Toolset::Posts]) & &reading());
    let contradicting = with(asking(list(), "read_only=true"), "postern-read-only", "false");
    assert_eq!(deployment.listed(Scopes::EVERY, &contradicting), reading(), "nothing widens");
}

#[test]
fn each_of_grant_header_and_address_narrows_and_none_widens() {
    let deployment = Deployment::new();
    let grant = |sets: &[Toolset], only| Allowed {
        selection: Selection::of_sets(sets.iter().copied()).reading(only),
        ..Scopes::EVERY.into()
    };
    let posts_and_delivery = grant(&[Toolset::Posts, Toolset::Delivery], false);
    assert_eq!(deployment.listed(posts_and_delivery, &list()), of(&[Toolset::Posts, Toolset::Delivery]));
    let by_header = with(list(), "postern-toolsets", "profiles,delivery");
    assert_eq!(deployment.listed(posts_and_delivery, &by_header), of(&[Toolset::Delivery]));
    let by_both = asking(with(list(), "postern-toolsets", "posts,account"), "toolsets=account,delivery");
    assert_eq!(deployment.listed(Scopes::EVERY, &by_both), of(&[Toolset::Account]));
    assert_eq!(
        deployment.listed(posts_and_delivery, &by_both),
        of(&[]),
        "nothing is left but what is in every set"
    );
    let writing = with(list(), "postern-read-only", "false");
    assert_eq!(deployment.listed(grant(&[], true), &writing), reading());
    let viewer = Allowed { possible: Scopes::NONE, ..Scopes::EVERY.into() };
    assert_eq!(deployment.listed(viewer, &with(list(), "postern-toolsets", "posts")), of(&[]));
}

#[test]
fn what_is_not_known_is_refused_with_what_is_whatever_is_asked_for() {
    let deployment = Deployment::new();
    let create = modern("tools/call", call("create_post", json!({ "text": "x", "profiles": ["wall"] })));
    let requests = [list(), modern("server/discover", json!({})), create].into_iter().chain(
        ["initialize", "ping", "tools/list"].map(|method| legacy(Revision::V2025_11_25, method, json!({}))),
    );
    for request in requests {
        let foreign = [
            with(request.clone(), "postern-toolsets", "posts,workflowz"),
            asking(request.clone(), "toolsets=posts,workflowz"),
            asking(request.clone(), "toolsets=posts&toolsets=workflowz"),
        ];
        for request in foreign {
            let (status, body) = status_and_body(deployment.send(Scopes::EVERY, &request));
            assert_eq!(
                (status, &body["error"]["code"], &body["id"]),
                (400, &json!(-32602), &json!(7)),
                "{body}"
            );
            let words = body["error"]["message"].as_str().unwrap();
            assert!(words.ends_with("Known: account, profiles, posts, delivery."), "{words}");
        }
        let (status, body) =
            status_and_body(deployment.send(Scopes::EVERY, &with(request, "postern-read-only", "perhaps")));
        assert_eq!((status, &body["error"]["message"]), (400, &json!("Reading only is true or false.")));
    }
    let batch = json!([message("ping", json!({})), message("tools/list", json!({}))]);
    let (status, body) = status_and_body(
        deployment.send(Scopes::EVERY, &with(post(batch.to_string()), "postern-toolsets", "x")),
    );
    assert_eq!(status, 200);
    assert!(body.as_array().unwrap().iter().all(|reply| reply["error"]["code"] == -32602), "{body}");
    assert_eq!(deployment.posts(), 0);
}

#[test]
fn a_call_outside_what_the_request_leaves_itself_is_refused_and_changes_nothing() {
    let deployment = Deployment::new();
    let create = || modern("tools/call", call("create_post", json!({ "text": "x", "profiles": ["wall"] })));
    for request in [
        with(create(), "postern-toolsets", "delivery"),
        asking(create(), "toolsets=account"),
        with(create(), "postern-read-only", "true"),
        asking(create(), "read_only"),
    ] {
        let problem = refusal(deployment.send(Scopes::EVERY, &request));
        assert_eq!(problem["code"], "tool_not_selected");
        assert!(
            problem["message"].as_str().unwrap().starts_with("The settings of this client narrowed this to ")
        );
        assert!(problem["hint"].as_str().unwrap().contains("Postern-Toolsets"));
    }
    assert_eq!(deployment.posts(), 0);
    let inside = with(create(), "postern-toolsets", "posts");
    assert_eq!(body(deployment.send(Scopes::EVERY, &inside))["result"].get("isError"), None);
    let always = with(modern("tools/call", call("whoami", json!({}))), "postern-toolsets", "delivery");
    assert_eq!(body(deployment.send(Scopes::EVERY, &always))["result"].get("isError"), None);
}

#[test]
fn what_the_person_narrowed_the_grant_to_the_gate_holds() {
    let deployment = Deployment::new();
    let create = modern("tools/call", call("create_post", json!({ "text": "x", "profiles": ["wall"] })));
    let posts = modern("tools/call", call("list_posts", json!({})));
    let who = modern("tools/call", call("whoami", json!({})));
    for (selection, words) in [
        (Selection::of_sets([Toolset::Delivery]), "the toolsets delivery."),
        (Selection::EVERYTHING.reading(true), "tools that only read."),
        (
            Selection::of_sets([Toolset::Profiles]).reading(true),
            "the toolsets profiles, and of them what only reads.",
        ),
    ] {
        deployment.narrow_grant(selection);
        let problem = refusal(deployment.send(Scopes::EVERY, &create));
        assert_eq!(problem["code"], "tool_not_selected");
        let said = problem["message"].as_str().unwrap();
        assert!(
            said.starts_with("The person who connected this app narrowed this to ") && said.ends_with(words),
            "{said}"
        );
        assert_eq!(deployment.posts(), 0);
        assert_eq!(body(deployment.send(Scopes::EVERY, &who))["result"].get("isError"), None);
    }
    assert_eq!(refusal(deployment.send(Scopes::EVERY, &posts))["code"], "tool_not_selected");
    deployment.narrow_grant(Selection::EVERYTHING.reading(true));
    assert_eq!(body(deployment.send(Scopes::EVERY, &posts))["result"].get("isError"), None);

    // A capability that is lacking besides is no reason to ask for it: a wider grant would be narrowed just the same.
    let problem = refusal(deployment.send(Scopes::NONE, &create));
    assert_eq!(problem["code"], "tool_not_selected");

    let batch = json!([
        message("tools/call", call("whoami", json!({}))),
        message("tools/call", call("create_post", json!({ "text": "x", "profiles": ["wall"] }))),
    ]);
    let replies = body(deployment.send(Scopes::EVERY, &post(batch.to_string())));
    assert_eq!(replies[0]["result"].get("isError"), None, "{replies}");
    assert_eq!(replies[1]["result"]["isError"], true);
    assert_eq!(deployment.posts(), 0);
}
