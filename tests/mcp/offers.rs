//! Beyond tools: resources, prompts, completion, progress and subscriptions, with what the rooms really offer.

use postern::{
    desk::{Role, Scope, Scopes, VIEW},
    http::Request,
    mcp::{self, Allowed, Answer, Catalogue, Outcome, Revision},
};
use serde_json::{Value, json};

use super::{body, legacy, modern, response, status_and_body, status_and_code, unnamed, with, without};
use crate::sim::{
    Sim, run,
    world::{Company, Grant},
};

/// A company with a workspace, a Wall and everything that Postern offers.
struct Offers {
    sim: Sim,
    company: Company,
}

impl Offers {
    fn new() -> Self {
        let sim = Sim::new(1);
        let company = Company::found(&sim, "acme");
        Self { sim, company }
    }

    fn send(&self, request: &Request) -> Answer {
        self.send_as(&self.company.grant.clone(), Scopes::EVERY, request)
    }

    fn send_as(&self, grant: &Grant, allowed: impl Into<Allowed>, request: &Request) -> Answer {
        let caller = self.company.caller_by(&self.sim, grant);
        run(mcp::serve(&self.sim.platform(), &caller, allowed, request))
    }

    fn result(&self, request: &Request) -> Value {
        let body = body(self.send(request));
        assert!(body["error"].is_null(), "{body}");
        body["result"].clone()
    }

    /// Makes a post; gives its id.
    fn post(&self, arguments: Value) -> String {
        let result =
            self.result(&modern("tools/call", json!({ "name": "create_post", "arguments": arguments })));
        result["structuredContent"]["post_id"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned()
    }

    fn uri(&self, rest: &str) -> String {
        format!("postern://{}/{rest}", self.company.workspace)
    }
}

/// A modern reading of this address.
fn read(uri: &str) -> Request {
    with(modern("resources/read", json!({ "uri": uri })), "mcp-name", uri)
}

fn get(prompt: &str, arguments: Value) -> Request {
    modern("prompts/get", json!({ "name": prompt, "arguments": arguments }))
}

fn complete(reference: Value, name: &str, value: &str) -> Request {
    let argument = json!({ "name": name, "value": value });
    modern("completion/complete", json!({ "ref": reference, "argument": argument }))
}

fn template(uri: &str) -> Value {
    json!({ "type": "ref/resource", "uri": uri })
}

#[test]
fn capabilities_name_what_there_is_and_no_news_of_changes() {
    let offers = Offers::new();
    let all = json!({ "tools": {}, "resources": {}, "prompts": {}, "completions": {} });
    let mut newest = all.clone();
    newest["extensions"] = json!({ "io.modelcontextprotocol/ui": {} });
    assert_eq!(offers.result(&modern("server/discover", json!({})))["capabilities"], newest);
    for revision in [Revision::V2025_03_26, Revision::V2025_06_18, Revision::V2025_11_25] {
        let asked = unnamed("initialize", json!({ "protocolVersion": revision.as_str() }));
        assert_eq!(offers.result(&asked)["capabilities"], all, "{revision:?}");
    }
    let oldest = offers.result(&unnamed("initialize", json!({ "protocolVersion": "2024-11-05" })));
    assert_eq!(oldest["capabilities"], json!({ "tools": {}, "resources": {}, "prompts": {} }));
}

#[test]
fn every_list_may_be_kept_for_a_while_by_its_reader_alone() {
    let offers = Offers::new();
    for (method, list) in [
        ("tools/list", "tools"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
    ] {
        let result = offers.result(&modern(method, json!({})));
        assert!(!result[list].as_array().unwrap().is_empty(), "{method}");
        assert_eq!((&result["cacheScope"], result["ttlMs"].is_u64()), (&json!("private"), true), "{method}");
        assert_eq!(result["resultType"], json!("complete"));
        let legacy = offers.result(&legacy(Revision::V2025_11_25, method, json!({})));
        assert_eq!(legacy.as_object().unwrap().keys().collect::<Vec<_>>(), [list], "{method}");
        let cursor = offers.send(&modern(method, json!({ "cursor": "x" })));
        assert_eq!(status_and_code(cursor), (400, -32602), "{method}");
    }
}

#[test]
fn titles_are_for_revisions_that_know_them() {
    let offers = Offers::new();
    for (method, list) in [
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
    ] {
        let titled = |revision| {
            let result = offers.result(&legacy(revision, method, json!({})));
            result[list].as_array().unwrap().iter().all(|one| one.get("title").is_some())
        };
        assert!(titled(Revision::V2025_06_18), "{method}");
        let older = offers.result(&legacy(Revision::V2025_03_26, method, json!({})));
        assert!(older[list].as_array().unwrap().iter().all(|one| one.get("title").is_none()), "{method}");
    }
}

#[test]
fn every_resource_that_is_listed_can_be_read() {
    let offers = Offers::new();
    let listed = offers.result(&modern("resources/list", json!({})))["resources"].clone();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 1 + 2 + 2, "profiles, two weeks, two networks: {listed:?}");
    for resource in listed {
        let uri = resource["uri"].as_str().unwrap();
        let result = offers.result(&read(uri));
        let contents = result["contents"].as_array().unwrap();
        assert_eq!((&contents[0]["uri"], &contents[0]["mimeType"]), (&json!(uri), &resource["mimeType"]));
        assert!(contents.iter().all(|one| !one["text"].as_str().unwrap().is_empty()));
        assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(0), &json!("private")));
    }
}

#[test]
fn a_post_is_read_as_get_post_shows_it() {
    let offers = Offers::new();
    let post = offers.post(json!({ "text": "Hello", "profiles": ["wall"], "when": "P1D" }));
    let tool = json!({ "name": "get_post", "arguments": { "post_id": post } });
    let shown = offers.result(&modern("tools/call", tool))["structuredContent"].clone();
    for workspace in [offers.company.workspace.as_str(), "Main", "main"] {
        let uri = format!("postern://{workspace}/posts/{post}");
        let contents = offers.result(&read(&uri))["contents"].clone();
        let read: Value = serde_json::from_str(contents[0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(read, shown, "{workspace}");
    }
}

#[test]
fn a_workspace_in_an_address_may_be_named_with_escapes() {
    let offers = Offers::new();
    let company = &offers.company;
    let workspace = company.add_workspace(&offers.sim, "Söder & Co", "Europe/Stockholm");
    let grant = company.add_grant(&offers.sim, &company.owner, Scopes::EVERY, &[&workspace]);
    let request = read("postern://S%C3%B6der%20%26%20Co/profiles");
    let result = body(offers.send_as(&grant, Scopes::EVERY, &request))["result"].clone();
    assert!(result["contents"][0]["text"].as_str().unwrap().contains("Söder & Co"), "{result}");
}

#[test]
fn the_calendar_of_a_week_has_each_post_on_its_day_as_text_and_as_json() {
    let offers = Offers::new();
    // The simulation begins on Friday 20 November 2026; its workspace is in Stockholm or another zone of its own.
    offers.post(json!({ "text": "On Saturday", "profiles": ["wall"], "when": "2026-11-21T12:00" }));
    offers.post(json!({ "text": "Late on Sunday", "profiles": ["wall"], "when": "2026-11-22T23:59" }));
    offers.post(json!({ "text": "On Monday", "profiles": ["wall"], "when": "2026-11-23T00:00" }));
    offers.post(json!({ "text": "No time yet" }));
    let week = |name: &str| {
        let contents = offers.result(&read(&offers.uri(&format!("calendar/{name}"))))["contents"].clone();
        assert_eq!(contents[0]["mimeType"], json!("text/plain"));
        assert_eq!(contents[1]["mimeType"], json!("application/json"));
        let json: Value = serde_json::from_str(contents[1]["text"].as_str().unwrap()).unwrap();
        (contents[0]["text"].as_str().unwrap().to_owned(), json)
    };
    let days = |json: &Value| -> Vec<(String, usize)> {
        let days = json["days"].as_array().unwrap();
        assert_eq!(days.len(), 7);
        days.iter()
            .map(|day| (day["date"].as_str().unwrap().to_owned(), day["posts"].as_array().unwrap().len()))
            .filter(|(_, posts)| *posts > 0)
            .collect()
    };
    let (text, json) = week("this");
    assert_eq!(json["week"], json!("2026-W47"));
    assert_eq!(days(&json), [("2026-11-21".to_owned(), 1), ("2026-11-22".to_owned(), 1)]);
    assert!(text.contains("Sunday 2026-11-22\n  Sunday 22 November 2026, 23:59"), "{text}");
    assert!(!text.contains("On Monday") && !text.contains("No time yet"), "{text}");
    let (_, next) = week("next");
    assert_eq!((&next["week"], days(&next)), (&json!("2026-W48"), vec![("2026-11-23".to_owned(), 1)]));
    assert_eq!(week("2026-W48").1, next);
    assert_eq!(week("2026-W53").1["days"][6]["date"], json!("2027-01-03"));
}

#[test]
fn what_is_no_resource_is_named_in_an_error_and_never_an_empty_result() {
    let offers = Offers::new();
    let post = offers.post(json!({ "text": "Hello" }));
    for uri in [
        "postern://networks/myspace".to_owned(),
        "postern://networks/".to_owned(),
        format!("postern://networks/posts/{post}"),
        format!("postern://elsewhere/posts/{post}"),
        offers.uri("posts/post_x"),
        offers.uri("posts/"),
        offers.uri(&format!("posts/{post}/more")),
        offers.uri("calendar/2026-W54"),
        offers.uri("calendar/tomorrow"),
        offers.uri("secrets"),
        "https://example.com/".to_owned(),
        "".to_owned(),
    ] {
        let (status, body) = status_and_body(offers.send(&read(&uri)));
        assert_eq!((status, &body["error"]["code"]), (400, &json!(-32602)), "{uri}");
        assert_eq!(body["error"]["data"], json!({ "uri": uri }));
        let legacy = offers.send(&legacy(Revision::V2025_11_25, "resources/read", json!({ "uri": uri })));
        assert_eq!(status_and_code(legacy), (200, -32002), "{uri}");
    }
    assert_eq!(status_and_code(offers.send(&modern("resources/read", json!({ "uri": 5 })))), (400, -32602));
}

#[test]
fn the_name_header_of_a_reading_repeats_its_address() {
    let offers = Offers::new();
    let request = modern("resources/read", json!({ "uri": "postern://networks/wall" }));
    assert_eq!(status_and_code(offers.send(&request)), (400, -32020));
    let other = with(request, "mcp-name", "postern://networks/bluesky");
    assert_eq!(status_and_code(offers.send(&other)), (400, -32020));
}

#[test]
fn what_a_grant_lacks_is_listed_so_and_asked_for_when_it_is_read() {
    let offers = Offers::new();
    let company = &offers.company;
    let scopes = Scopes::of(&[Scope::WorkspaceRead]);
    let grant = company.add_grant(&offers.sim, &company.owner, scopes, &[&company.workspace]);
    let send = |request: &Request| offers.send_as(&grant, scopes, request);
    let listed = body(send(&modern("prompts/list", json!({}))));
    for prompt in listed["result"]["prompts"].as_array().unwrap() {
        assert!(prompt["description"].as_str().unwrap().contains("Not granted"), "{prompt}");
    }
    let posts = Scopes::of(&[Scope::PostsRead]);
    let uri = offers.uri("calendar/this");
    for request in [
        read(&uri),
        get("plan_next_week", json!({})),
        complete(template("postern://{workspace}/posts/{post_id}"), "post_id", ""),
    ] {
        let needed = send(&request);
        assert!(
            matches!(needed.outcome, Outcome::InsufficientScope(scopes) if scopes == posts),
            "{needed:?}"
        );
        // What was believed of the grant was wider than it is.
        let stale = offers.send_as(&grant, Scopes::EVERY, &request);
        assert!(matches!(stale.outcome, Outcome::InsufficientScope(scopes) if scopes == posts), "{stale:?}");
    }
}

#[test]
fn a_role_that_allows_less_is_shown_less() {
    let offers = Offers::new();
    let viewer = offers.company.add_member(&offers.sim, "vera", Role::Viewer);
    let grant = offers.company.add_grant(&offers.sim, &viewer, Scopes::EVERY, &[&offers.company.workspace]);
    let allowed = Allowed { possible: Scopes::of(&[Scope::WorkspaceRead]), ..Scopes::EVERY.into() };
    for (method, list) in [("resources/templates/list", "resourceTemplates"), ("prompts/list", "prompts")] {
        let listed = body(offers.send_as(&grant, allowed, &modern(method, json!({}))));
        assert_eq!(listed["result"][list], json!([]), "{method}");
    }
}

#[test]
fn whoever_has_gone_reads_nothing() {
    let offers = Offers::new();
    let grant = offers.company.grant.clone();
    offers.sim.shard().execute("UPDATE oauth_grant SET revoked_at = 1", []);
    for request in [
        modern("resources/list", json!({})),
        read("postern://networks/wall"),
        read(&offers.uri("profiles")),
        get("article_to_posts", json!({ "article": "x" })),
        complete(template("postern://networks/{network}"), "network", ""),
    ] {
        let answer = offers.send_as(&grant, Scopes::EVERY, &request);
        assert!(matches!(answer.outcome, Outcome::Unauthenticated), "{answer:?}");
    }
}

#[test]
fn every_prompt_can_be_had_with_its_required_arguments() {
    let offers = Offers::new();
    let post = offers.post(json!({ "text": "Hello", "profiles": ["wall"] }));
    let listed = offers.result(&modern("prompts/list", json!({})))["prompts"].clone();
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|prompt| prompt["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["plan_next_week", "article_to_posts", "what_went_wrong", "review_before_publishing"]);
    for prompt in listed.as_array().unwrap() {
        let mut arguments = json!({});
        for argument in prompt["arguments"].as_array().unwrap() {
            assert!(!argument["description"].as_str().unwrap().is_empty());
            if argument["required"] == json!(true) {
                arguments[argument["name"].as_str().unwrap()] = json!(post);
            }
        }
        let result = offers.result(&get(prompt["name"].as_str().unwrap(), arguments));
        let messages = result["messages"].as_array().unwrap();
        assert_eq!(messages.len(), 2, "{result}");
        assert!(messages.iter().all(|message| message["role"] == json!("user")));
    }
}

#[test]
fn a_prompt_brings_along_what_it_is_about() {
    let offers = Offers::new();
    let post =
        offers.post(json!({ "text": "Next week's news", "profiles": ["wall"], "when": "2026-11-25T09:00" }));
    let second =
        |prompt: &str, arguments| offers.result(&get(prompt, arguments))["messages"][1]["content"].clone();
    let plan = second("plan_next_week", json!({ "time_zone": "Pacific/Auckland" }));
    assert!(plan["text"].as_str().unwrap().contains("Next week's news"), "{plan}");
    assert!(plan["text"].as_str().unwrap().contains("Pacific/Auckland"), "{plan}");
    let article = second("article_to_posts", json!({ "article": "Once upon a time" }));
    assert_eq!(article, json!({ "type": "text", "text": "Once upon a time" }));
    for prompt in ["what_went_wrong", "review_before_publishing"] {
        let resource = second(prompt, json!({ "post_id": post }))["resource"].clone();
        assert_eq!(resource["uri"], json!(offers.uri(&format!("posts/{post}"))));
        assert!(resource["text"].as_str().unwrap().contains("Next week's news"));
    }
    let calm = second("what_went_wrong", json!({}));
    assert_eq!(calm["text"], json!("Nothing needs attention."));
}

#[test]
fn a_prompt_is_refused_with_all_that_is_wrong_with_its_arguments() {
    let offers = Offers::new();
    for (prompt, arguments, fields) in [
        ("article_to_posts", json!({ "artcle": "x" }), vec!["article", "artcle"]),
        ("article_to_posts", json!({ "article": "  " }), vec!["article"]),
        ("plan_next_week", json!({ "time_zone": "Stockholm" }), vec!["time_zone"]),
        ("plan_next_week", json!({ "workspace": "Elsewhere" }), vec!["workspace"]),
        ("review_before_publishing", json!({ "post_id": "post_x" }), vec!["post_id"]),
    ] {
        let (status, body) = status_and_body(offers.send(&get(prompt, arguments)));
        assert_eq!((status, &body["error"]["code"]), (400, &json!(-32602)), "{prompt}");
        let problems = body["error"]["data"]["problems"].as_array().unwrap();
        let told: Vec<&str> = problems.iter().map(|problem| problem["field"].as_str().unwrap()).collect();
        assert_eq!(told, fields, "{prompt}");
    }
    for params in [
        json!({ "name": "nothing" }),
        json!({ "name": "plan_next_week", "arguments": { "theme": 5 } }),
        json!({ "name": "plan_next_week", "arguments": [] }),
    ] {
        assert_eq!(status_and_code(offers.send(&modern("prompts/get", params))), (400, -32602));
    }
    let nameless = without(modern("prompts/get", json!({})), "mcp-name");
    assert_eq!(status_and_code(offers.send(&nameless)), (400, -32602));
}

#[test]
fn completion_gives_what_fits_the_likeliest_first() {
    let offers = Offers::new();
    let post = offers.post(json!({ "text": "Hello" }));
    let values = |reference: Value, name: &str, value: &str| -> Vec<String> {
        let completion = offers.result(&complete(reference, name, value))["completion"].clone();
        serde_json::from_value(completion["values"].clone()).unwrap()
    };
    let posts = || template("postern://{workspace}/posts/{post_id}");
    assert_eq!(values(posts(), "workspace", "m"), ["Main"]);
    assert_eq!(values(posts(), "post_id", "POST_"), [post.as_str()]);
    assert_eq!(values(posts(), "post_id", "x"), [""; 0]);
    assert_eq!(values(template("postern://networks/{network}"), "network", "blu"), ["bluesky"]);
    let weeks = values(template("postern://{workspace}/calendar/{week}"), "week", "");
    assert_eq!(weeks[..2], ["this", "next"]);
    assert!(weeks.contains(&"2026-W47".to_owned()));
    let plan = || json!({ "type": "ref/prompt", "name": "plan_next_week" });
    assert_eq!(values(plan(), "time_zone", "stockh"), ["Europe/Stockholm"]);
    assert_eq!(values(plan(), "theme", "x"), [""; 0], "what nobody can tell has no values");
}

#[test]
fn a_completion_has_at_most_a_hundred_values_and_tells_of_the_others() {
    let offers = Offers::new();
    let prompt = json!({ "type": "ref/prompt", "name": "plan_next_week" });
    let completion = offers.result(&complete(prompt, "time_zone", ""))["completion"].clone();
    assert_eq!(completion["values"].as_array().unwrap().len(), 100);
    assert_eq!(completion["hasMore"], json!(true));
    assert!(completion["total"].as_u64().unwrap() > 400);
}

#[test]
fn what_cannot_be_completed_is_an_error() {
    let offers = Offers::new();
    for request in [
        complete(json!({ "type": "ref/prompt", "name": "nothing" }), "x", ""),
        complete(json!({ "type": "ref/prompt", "name": "plan_next_week" }), "nothing", ""),
        complete(template("postern://nothing"), "x", ""),
        complete(json!({ "type": "ref/other" }), "x", ""),
        modern("completion/complete", json!({ "ref": template("postern://networks/{network}") })),
        modern("completion/complete", json!({})),
    ] {
        assert_eq!(status_and_code(offers.send(&request)), (400, -32602));
    }
}

#[test]
fn a_subscription_is_acknowledged_with_nothing_to_hear_and_ended() {
    let offers = Offers::new();
    let wanted =
        json!({ "notifications": { "toolsListChanged": true, "resourceSubscriptions": ["postern://x"] } });
    let response = response(offers.send(&modern("subscriptions/listen", wanted)));
    assert_eq!((response.status, response.header("content-type")), (200, Some("text/event-stream")));
    let text = String::from_utf8(response.body).unwrap();
    let events: Vec<Value> = text
        .split_terminator("\n\n")
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
        .collect();
    let id = "io.modelcontextprotocol/subscriptionId";
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["method"], json!("notifications/subscriptions/acknowledged"));
    assert_eq!(events[0]["params"], json!({ "notifications": {}, "_meta": { id: 7 } }));
    assert_eq!((&events[1]["id"], &events[1]["result"]["_meta"][id]), (&json!(7), &json!(7)));
    assert_eq!(events[1]["result"]["resultType"], json!("complete"));

    assert_eq!(status_and_code(offers.send(&modern("subscriptions/listen", json!({})))), (400, -32602));
    let old = legacy(Revision::V2025_11_25, "subscriptions/listen", json!({ "notifications": {} }));
    assert_eq!(status_and_code(offers.send(&old)), (200, -32601));
}

#[test]
fn what_is_not_offered_is_an_unknown_method() {
    let offers = Offers::new();
    for method in
        ["resources/subscribe", "resources/unsubscribe", "logging/setLevel", "tasks/get", "roots/list"]
    {
        let params = json!({ "uri": "postern://networks/wall", "level": "info" });
        assert_eq!(status_and_code(offers.send(&modern(method, params.clone()))), (404, -32601), "{method}");
        let legacy = legacy(Revision::V2025_11_25, method, params);
        assert_eq!(status_and_code(offers.send(&legacy)), (200, -32601), "{method}");
    }
}

#[test]
fn resources_are_read_in_batches_too() {
    let offers = Offers::new();
    let one = |id: u32, uri: &str| json!({ "jsonrpc": "2.0", "id": id, "method": "resources/read", "params": { "uri": uri } });
    let batch = json!([
        one(1, "postern://networks/wall"),
        one(2, "postern://networks/none"),
        one(3, &offers.uri("profiles"))
    ]);
    let answers = body(offers.send(&super::post(batch.to_string())));
    assert!(answers[0]["result"]["contents"].is_array() && answers[2]["result"]["contents"].is_array());
    assert_eq!(answers[1]["error"]["code"], json!(-32002));
}

#[test]
fn every_resource_and_prompt_is_described_and_named_by_the_rules() {
    let catalogue = Catalogue::embedded();
    let mut names: Vec<&str> = catalogue.prompts().map(|prompt| prompt.name).collect();
    names.extend(catalogue.resources().map(|resource| resource.name));
    for name in &names {
        assert!(
            name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{name}"
        );
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "no name is there twice");
    for resource in catalogue.resources() {
        let is_view = resource.mime_type == VIEW;
        assert!(
            resource.needs.is_empty() == is_view,
            "{}: only what says nothing needs nothing",
            resource.name
        );
        assert!(resource.description.ends_with('.'), "{}", resource.name);
        let variables: Vec<&str> = resource
            .template
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let completed: Vec<&str> = resource.completes.iter().map(|(name, _)| *name).collect();
        assert_eq!(completed, variables, "every variable of {} can be completed", resource.name);
    }
    for prompt in catalogue.prompts() {
        assert!(!prompt.needs.is_empty() && prompt.description.ends_with('.'), "{}", prompt.name);
    }
}

/// The tools with views, and where each finds its own.
fn views(listed: &Value) -> Vec<(&str, &str)> {
    let tools = listed["tools"].as_array().unwrap().iter();
    tools
        .filter_map(|tool| {
            let meta = tool.get("_meta")?;
            assert_eq!(meta["ui"]["resourceUri"], meta["ui/resourceUri"]);
            Some((tool["name"].as_str()?, meta["ui"]["resourceUri"].as_str()?))
        })
        .collect()
}

#[test]
fn tools_name_the_views_of_their_results_to_revisions_that_know_such_hints() {
    let offers = Offers::new();
    let all = [
        ("preview_post", "ui://postern/post"),
        ("list_posts", "ui://postern/calendar"),
        ("get_post", "ui://postern/post"),
    ];
    assert_eq!(views(&offers.result(&modern("tools/list", json!({})))), all);
    for revision in [Revision::V2025_06_18, Revision::V2025_11_25] {
        assert_eq!(views(&offers.result(&legacy(revision, "tools/list", json!({})))), all, "{revision:?}");
    }
    assert_eq!(views(&offers.result(&legacy(Revision::V2025_03_26, "tools/list", json!({})))), []);
}

#[test]
fn a_view_is_a_document_that_asks_its_host_for_nothing_and_is_in_no_list() {
    let offers = Offers::new();
    let lists = [("resources/list", "resources"), ("resources/templates/list", "resourceTemplates")];
    for uri in ["ui://postern/post", "ui://postern/calendar"] {
        let result = offers.result(&read(uri));
        let view = &result["contents"][0];
        assert_eq!(view["mimeType"], json!("text/html;profile=mcp-app"));
        assert_eq!(view["_meta"], json!({ "ui": { "csp": {}, "prefersBorder": true } }));
        let document = view["text"].as_str().unwrap();
        assert!(document.starts_with("<!doctype html>"), "{document}");
        assert!(document.contains("default-src 'none'; style-src 'sha256-"), "{document}");
        for (method, list) in lists {
            assert!(!offers.result(&modern(method, json!({})))[list].to_string().contains(uri), "{method}");
        }
        let older = offers.result(&legacy(Revision::V2025_03_26, "resources/read", json!({ "uri": uri })));
        assert_eq!(older["contents"][0].get("_meta"), None);
    }
}
