//! Progress: only where it was asked for and can be read, only growing, and what happens when nobody waits any more.

use std::rc::Rc;

use postern::{
    desk::Scopes,
    http::Request,
    mcp::{self, Answer, Revision},
};
use serde_json::{Value, json};

use super::{body, modern, post, with, without};
use crate::{
    media::{file, png},
    sim::{Incoming, Sim, run, world::Company},
};

struct Waiting {
    sim: Sim,
    company: Company,
}

impl Waiting {
    fn new() -> Self {
        let sim = Sim::new(1);
        let company = Company::found(&sim, "acme");
        // Each picture is another one, by the number in its address.
        sim.web.set_peer(Rc::new(|request: &Incoming| {
            let side: u32 = request.url.rsplit('/').next().unwrap().parse().unwrap();
            Ok(file(png(side, side)))
        }));
        Self { sim, company }
    }

    fn send(&self, request: &Request) -> Answer {
        run(mcp::serve(&self.sim.platform(), &self.company.caller(&self.sim), Scopes::EVERY, request))
    }

    fn posts(&self) -> i64 {
        self.sim.shard().number("SELECT count(*) FROM post_group", [])
    }
}

/// A call that has three pictures fetched for two posts, with this token.
fn slow_call(token: Value) -> Request {
    let picture = |side: u32| json!({ "url": format!("https://pictures.example/{side}") });
    let posts = json!([
        { "text": "One", "media": [picture(1), picture(2)] },
        { "text": "Two", "media": [picture(3)] },
    ]);
    let mut params = json!({ "name": "create_posts", "arguments": { "posts": posts } });
    let request = modern("tools/call", params.clone());
    let mut message: Value = serde_json::from_slice(&request.body).unwrap();
    params["_meta"] = message["params"]["_meta"].clone();
    params["_meta"]["progressToken"] = token;
    message["params"] = params;
    Request { body: message.to_string().into_bytes(), ..request }
}

fn told(notices: &[Value]) -> Vec<(u64, u64)> {
    let number = |notice: &Value, name: &str| notice["params"][name].as_u64().unwrap();
    notices.iter().map(|notice| (number(notice, "progress"), number(notice, "total"))).collect()
}

#[test]
fn a_call_that_fetches_files_tells_how_many_are_done() {
    for token in [json!("t"), json!(5)] {
        let waiting = Waiting::new();
        let result = body(waiting.send(&slow_call(token.clone())))["result"].clone();
        assert_eq!(result["structuredContent"]["posts"].as_array().unwrap().len(), 2, "{result}");
        let notices = waiting.sim.notices.take();
        assert_eq!(told(&notices), [(0, 3), (1, 3), (2, 3)]);
        for notice in &notices {
            assert_eq!(notice["method"], json!("notifications/progress"));
            assert_eq!(notice["params"]["progressToken"], token);
            assert!(notice["params"]["message"].is_string() && notice.get("id").is_none());
        }
    }
}

#[test]
fn nobody_is_told_who_did_not_ask_or_reads_no_stream() {
    let waiting = Waiting::new();
    let asked = || slow_call(json!("t"));
    for request in [
        without(asked(), "accept"),
        with(without(asked(), "accept"), "accept", "application/json"),
        slow_call(json!(null)),
        slow_call(json!({})),
        slow_call(json!(1.5)),
    ] {
        body(waiting.send(&request));
        assert_eq!(waiting.sim.notices.take(), [Value::Null; 0]);
    }
}

#[test]
fn a_call_that_is_quick_is_answered_at_once() {
    let waiting = Waiting::new();
    let mut params = json!({ "name": "whoami" });
    let request = modern("tools/call", params.clone());
    let mut message: Value = serde_json::from_slice(&request.body).unwrap();
    params["_meta"] = message["params"]["_meta"].clone();
    params["_meta"]["progressToken"] = json!("t");
    message["params"] = params;
    body(waiting.send(&Request { body: message.to_string().into_bytes(), ..request }));
    assert_eq!(waiting.sim.notices.take(), [Value::Null; 0]);
}

#[test]
fn older_revisions_are_told_as_they_know_it() {
    for (revision, has_message) in [(Revision::V2024_11_05, false), (Revision::V2025_11_25, true)] {
        let waiting = Waiting::new();
        let request = slow_call(json!("t"));
        let mut message: Value = serde_json::from_slice(&request.body).unwrap();
        message["params"]["_meta"] = json!({ "progressToken": "t" });
        let request = with(post(message.to_string()), "mcp-protocol-version", revision.as_str());
        body(waiting.send(&request));
        let notices = waiting.sim.notices.take();
        assert_eq!(notices.len(), 3);
        assert!(notices.iter().all(|notice| notice["params"].get("message").is_some() == has_message));
    }
}

#[test]
fn a_batch_is_told_of_nothing() {
    let waiting = Waiting::new();
    let mut message: Value = serde_json::from_slice(&slow_call(json!("t")).body).unwrap();
    message["params"]["_meta"] = json!({ "progressToken": "t" });
    body(waiting.send(&post(json!([message]).to_string())));
    assert_eq!((waiting.sim.notices.take().len(), waiting.posts()), (0, 2));
}

#[test]
fn a_client_that_goes_away_while_files_are_fetched_has_made_nothing() {
    for messages in 0..3 {
        let waiting = Waiting::new();
        waiting.sim.notices.leave_after(messages);
        let answer = waiting.send(&slow_call(json!("t")));
        assert_eq!(answer.code, Some("cancelled"));
        assert_eq!(waiting.posts(), 0, "after {messages}");
        assert_eq!(waiting.sim.web.requests().len(), messages, "it stopped at once");
        assert_eq!(waiting.sim.blobs.keys().len(), 0, "after {messages}");
    }
}

#[test]
fn a_client_that_goes_away_after_that_finds_its_posts() {
    let waiting = Waiting::new();
    waiting.sim.notices.leave_after(3);
    body(waiting.send(&slow_call(json!("t"))));
    assert_eq!(waiting.posts(), 2);
}

#[test]
fn a_notification_that_cancels_is_accepted_and_reaches_no_other_request() {
    let waiting = Waiting::new();
    let cancelled =
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } });
    let response = super::response(waiting.send(&post(cancelled.to_string())));
    assert_eq!((response.status, response.body.len()), (202, 0));
}
