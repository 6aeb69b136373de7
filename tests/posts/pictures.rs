//! Pictures by address: fetched once, and kept only by a call that is carried out.

use std::rc::Rc;

use postern::desk::{Code, Refusal, Scope, Scopes};
use serde_json::{Value, json};

use super::{
    codes,
    stage::{Stage, call},
};
use crate::{
    media::{file, png},
    sim::Incoming,
};

/// A web on which every address of pictures.example is a picture of its own; `broken` is none.
fn stage(seed: u64) -> Stage {
    let stage = Stage::new(seed);
    stage.sim.web.set_peer(Rc::new(|request: &Incoming| {
        let number = request.url.bytes().map(u32::from).sum::<u32>();
        let bytes = if request.url.ends_with("broken") { b"nothing".to_vec() } else { png(8, number) };
        Ok(file(bytes))
    }));
    stage
}

fn picture(name: &str) -> Value {
    json!([{ "url": format!("https://pictures.example/{name}"), "alt": "A cat" }])
}

fn nothing_is_kept(stage: &Stage) {
    assert_eq!(stage.sim.blobs.keys(), Vec::<String>::new());
    assert_eq!(stage.sim.shard().number("SELECT count(*) FROM media", []), 0);
}

#[test]
fn a_refused_call_keeps_no_picture_and_tells_everything_at_once() {
    let stage = stage(151);
    let arguments = json!({ "profiles": ["nope"], "text": "x", "when": "2001-01-01T09:00",
        "media": [{ "url": "https://pictures.example/cat", "alt": "A cat" }, { "url": "https://pictures.example/broken" }] });
    let mut told = codes(stage.call("create_post", arguments).unwrap_err());
    told.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        told,
        [
            ("media[1].url".to_owned(), Code::MediaNotAccepted),
            ("profiles[0]".to_owned(), Code::SocialProfileRejected),
            ("when".to_owned(), Code::InvalidSchedule),
        ]
    );
    nothing_is_kept(&stage);
}

#[test]
fn what_cannot_be_sent_is_refused_and_its_picture_forgotten() {
    let stage = stage(152);
    let post = stage.post(&["acme"], "2027-06-01T09:00");
    let failed = stage.failed();
    let long = "word ".repeat(3000);
    for (tool, arguments) in [
        ("create_post", json!({ "profiles": ["acme"], "text": long, "when": "PT2H", "media": picture("a") })),
        (
            "create_posts",
            json!({ "posts": [
            { "text": "Fine", "media": picture("b") },
            { "profiles": ["acme"], "text": long, "when": "PT2H", "media": picture("c") }] }),
        ),
        ("update_post", json!({ "post_id": post, "text": long, "media": picture("d") })),
        ("retry_post", json!({ "post_id": failed, "text": long, "media": picture("e") })),
    ] {
        assert!(matches!(stage.call(tool, arguments), Err(Refusal::Problems(_))), "{tool}");
        nothing_is_kept(&stage);
    }
}

#[test]
fn a_picture_is_not_kept_for_who_may_not_publish_so_soon() {
    let stage = stage(153);
    let scopes = Scopes::of(&[Scope::PostsRead, Scope::PostsWrite, Scope::MediaWrite]);
    let company = &stage.company;
    let grant = company.add_grant(&stage.sim, &company.owner, scopes, &[&company.workspace]);
    let writer = company.caller_by(&stage.sim, &grant);
    let post = stage.post(&["acme"], "PT5M");
    let soon = json!({ "profiles": ["acme"], "text": "x", "when": "PT5M", "media": picture("a") });
    let edit = json!({ "post_id": post, "media": picture("b") });
    for (tool, arguments) in [("create_post", soon), ("update_post", edit)] {
        let refusal = call(&writer, tool, arguments).unwrap_err();
        assert!(matches!(refusal, Refusal::InsufficientScope(_)), "{tool}: {refusal:?}");
        nothing_is_kept(&stage);
    }
}

#[test]
fn one_call_fetches_at_most_20_addresses_over_all_of_its_posts() {
    let stage = stage(154);
    let posts: Vec<Value> =
        (0..45).map(|n| json!({ "text": format!("Post {n}"), "media": picture(&format!("p{n}")) })).collect();
    let told = codes(stage.call("create_posts", json!({ "posts": posts })).unwrap_err());
    let expected: Vec<_> = (20..45).map(|n| (format!("posts[{n}].media[0].url"), Code::TooMany)).collect();
    assert_eq!(told, expected);
    assert_eq!(stage.sim.web.requests().len(), 20);
    nothing_is_kept(&stage);
}

#[test]
fn an_address_that_several_posts_of_a_call_name_is_fetched_once_for_each_workspace() {
    let stage = stage(155);
    let second = stage.company.add_workspace(&stage.sim, "Second", "UTC");
    let company = &stage.company;
    let grant = company.add_grant(&stage.sim, &company.owner, Scopes::EVERY, &[&company.workspace, &second]);
    let caller = company.caller_by(&stage.sim, &grant);
    let posts: Vec<Value> = (0..30)
        .map(|n| {
            let workspace = if n % 2 == 0 { "Main" } else { "Second" };
            json!({ "workspace": workspace, "text": format!("Post {n}"), "media": picture("cat") })
        })
        .collect();
    call(&caller, "create_posts", json!({ "posts": posts })).unwrap();
    assert_eq!(stage.sim.web.requests().len(), 2);
    assert_eq!(stage.sim.shard().number("SELECT count(*) FROM media", []), 2);
    let dangling = "SELECT count(*) FROM post_group p, json_each(p.content, '$.media') m
        WHERE NOT EXISTS (SELECT 1 FROM media f WHERE f.media_id = m.value->>'media_id' AND f.workspace_id = p.workspace_id)";
    assert_eq!(stage.sim.shard().number(dangling, []), 0);
}
