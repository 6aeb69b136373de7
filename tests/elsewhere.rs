//! What is elsewhere does not exist: for every argument of every tool that names something, another tenant's, an unticked
//! workspace's and an invented id are answered byte for byte alike. The list of arguments comes from the catalogue.

use std::collections::BTreeSet;

use postern::{
    desk::{Caller, ChangeId, MediaId, PostId, ProfileId, Scopes, WorkspaceId},
    mcp::tools,
    platform::Clock,
};
use serde_json::{Value, json};

use crate::sim::{Sim, run, world::Company};

/// What an argument names.
#[derive(Clone, Copy)]
enum Names {
    Workspace,
    Profile,
    Post,
    Change,
    Media,
}

/// The names under which arguments name something.
const NAMING: &[(&str, Names)] = &[
    ("workspace", Names::Workspace),
    ("profile", Names::Profile),
    ("profiles", Names::Profile),
    ("reconnect", Names::Profile),
    ("post_id", Names::Post),
    ("post_ids", Names::Post),
    ("copy_from", Names::Post),
    ("change_id", Names::Change),
    ("media_id", Names::Media),
];

/// A call for each such argument of each tool; `@` is the id, `%` a post of the caller's own.
fn calls() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("list_social_profiles", "workspace", json!({ "workspace": "@" })),
        ("connect_social_profile", "workspace", json!({ "network": "wall", "workspace": "@" })),
        ("connect_social_profile", "reconnect", json!({ "network": "wall", "reconnect": "@" })),
        ("create_post", "workspace", json!({ "text": "x", "workspace": "@" })),
        ("create_post", "profiles", json!({ "text": "x", "profiles": ["@"] })),
        ("create_post", "copy_from", json!({ "copy_from": "@" })),
        ("create_post", "media.media_id", json!({ "media": [{ "media_id": "@" }] })),
        (
            "create_post",
            "thread.media.media_id",
            json!({ "thread": [{ "text": "x", "media": [{ "media_id": "@" }] }] }),
        ),
        ("create_post", "overrides.profiles", json!({ "overrides": [{ "profiles": ["@"] }] })),
        (
            "create_post",
            "overrides.media.media_id",
            json!({ "overrides": [{ "profiles": ["wall"], "media": [{ "media_id": "@" }] }] }),
        ),
        ("create_posts", "posts.workspace", json!({ "posts": [{ "text": "x", "workspace": "@" }] })),
        ("create_posts", "posts.copy_from", json!({ "posts": [{ "copy_from": "@" }] })),
        ("create_posts", "posts.profiles", json!({ "posts": [{ "text": "x", "profiles": ["@"] }] })),
        ("create_posts", "posts.media.media_id", json!({ "posts": [{ "media": [{ "media_id": "@" }] }] })),
        (
            "create_posts",
            "posts.thread.media.media_id",
            json!({ "posts": [{ "thread": [{ "text": "x", "media": [{ "media_id": "@" }] }] }] }),
        ),
        (
            "create_posts",
            "posts.overrides.profiles",
            json!({ "posts": [{ "overrides": [{ "profiles": ["@"] }] }] }),
        ),
        (
            "create_posts",
            "posts.overrides.media.media_id",
            json!({ "posts": [{ "overrides": [{ "profiles": ["wall"], "media": [{ "media_id": "@" }] }] }] }),
        ),
        ("preview_post", "workspace", json!({ "text": "x", "workspace": "@" })),
        ("preview_post", "profiles", json!({ "text": "x", "profiles": ["@"] })),
        ("preview_post", "copy_from", json!({ "copy_from": "@" })),
        ("preview_post", "post_id", json!({ "post_id": "@" })),
        ("preview_post", "media.media_id", json!({ "media": [{ "media_id": "@" }] })),
        (
            "preview_post",
            "thread.media.media_id",
            json!({ "thread": [{ "text": "x", "media": [{ "media_id": "@" }] }] }),
        ),
        ("preview_post", "overrides.profiles", json!({ "overrides": [{ "profiles": ["@"] }] })),
        (
            "preview_post",
            "overrides.media.media_id",
            json!({ "overrides": [{ "profiles": ["wall"], "media": [{ "media_id": "@" }] }] }),
        ),
        ("list_posts", "workspace", json!({ "workspace": "@" })),
        ("list_posts", "profile", json!({ "profile": "@" })),
        ("get_post", "post_id", json!({ "post_id": "@" })),
        ("update_post", "post_id", json!({ "post_id": "@", "text": "x" })),
        ("update_post", "workspace", json!({ "post_id": "%", "workspace": "@" })),
        ("update_post", "profiles", json!({ "post_id": "%", "profiles": ["@"] })),
        ("update_post", "media.media_id", json!({ "post_id": "%", "media": [{ "media_id": "@" }] })),
        (
            "update_post",
            "thread.media.media_id",
            json!({ "post_id": "%", "thread": [{ "text": "x", "media": [{ "media_id": "@" }] }] }),
        ),
        (
            "update_post",
            "overrides.profiles",
            json!({ "post_id": "%", "overrides": [{ "profiles": ["@"] }] }),
        ),
        (
            "update_post",
            "overrides.media.media_id",
            json!({ "post_id": "%", "overrides": [{ "profiles": ["wall"], "media": [{ "media_id": "@" }] }] }),
        ),
        ("schedule_post", "post_id", json!({ "post_id": "@", "when": "PT2H" })),
        ("schedule_post", "profiles", json!({ "post_id": "%", "when": "PT2H", "profiles": ["@"] })),
        ("unschedule_post", "post_id", json!({ "post_id": "@" })),
        ("publish_post", "post_id", json!({ "post_id": "@" })),
        ("publish_post", "profiles", json!({ "post_id": "%", "profiles": ["@"] })),
        ("change_posts", "post_ids", json!({ "post_ids": ["@"], "unschedule": true })),
        ("change_posts", "filter.workspace", json!({ "filter": { "workspace": "@" }, "unschedule": true })),
        ("change_posts", "filter.profile", json!({ "filter": { "profile": "@" }, "unschedule": true })),
        ("undo_change", "change_id", json!({ "change_id": "@" })),
        ("retry_post", "post_id", json!({ "post_id": "@" })),
        ("retry_post", "profiles", json!({ "post_id": "%", "profiles": ["@"] })),
        ("retry_post", "media.media_id", json!({ "post_id": "%", "media": [{ "media_id": "@" }] })),
        ("confirm_delivery", "post_id", json!({ "post_id": "@", "outcome": "live" })),
        ("confirm_delivery", "profile", json!({ "post_id": "%", "profile": "@", "outcome": "live" })),
        ("delete_post", "post_id", json!({ "post_id": "@" })),
        ("pause_publishing", "workspace", json!({ "workspace": "@", "reason": "x" })),
        ("pause_publishing", "profiles", json!({ "profiles": ["@"], "reason": "x" })),
        ("resume_publishing", "workspace", json!({ "workspace": "@", "overdue": "skip" })),
        ("resume_publishing", "profiles", json!({ "profiles": ["@"], "overdue": "skip" })),
    ]
}

/// The paths of all arguments of a schema that name something.
fn naming(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    if let Some(items) = schema.get("items") {
        naming(items, path, found);
    }
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if NAMING.iter().any(|(naming, _)| naming == name) {
            found.insert(path.clone());
        }
        naming(property, &path, found);
    }
}

#[test]
fn every_argument_that_names_something_has_a_call_here() {
    let mut in_catalogue = BTreeSet::new();
    for tool in tools() {
        let mut paths = BTreeSet::new();
        naming(&serde_json::to_value((tool.input_schema)()).unwrap(), "", &mut paths);
        in_catalogue.extend(paths.into_iter().map(|path| format!("{} {path}", tool.name)));
    }
    let here: BTreeSet<String> = calls().iter().map(|(tool, path, _)| format!("{tool} {path}")).collect();
    assert_eq!(here, in_catalogue);
}

struct Things {
    workspace: WorkspaceId,
    profile: ProfileId,
    post: Value,
    change: Value,
    media: MediaId,
}

impl Things {
    fn id(&self, names: Names) -> String {
        match names {
            Names::Workspace => self.workspace.to_string(),
            Names::Profile => self.profile.to_string(),
            Names::Post => self.post.as_str().unwrap().to_owned(),
            Names::Change => self.change.as_str().unwrap().to_owned(),
            Names::Media => self.media.to_string(),
        }
    }

    fn make(
        sim: &Sim,
        company: &Company,
        caller: &Caller<'_>,
        workspace: &WorkspaceId,
        profile: ProfileId,
    ) -> Self {
        let body = json!({ "workspace": workspace, "text": "Secret words", "profiles": [profile] });
        let post = call(caller, "create_post", body).unwrap();
        Self {
            workspace: workspace.clone(),
            profile,
            post: post["post_id"].clone(),
            change: post["change_id"].clone(),
            media: company.add_media(sim, workspace),
        }
    }

    fn invented(sim: &Sim) -> Self {
        let now = sim.clock.now();
        Self {
            workspace: WorkspaceId::new(now, &sim.entropy),
            profile: ProfileId::new(now, &sim.entropy),
            post: json!(PostId::new(now, &sim.entropy)),
            change: json!(ChangeId::new(now, &sim.entropy)),
            media: MediaId::new(now, &sim.entropy),
        }
    }
}

fn call(caller: &Caller<'_>, tool: &str, arguments: Value) -> Result<Value, String> {
    let entry = tools().find(|entry| entry.name == tool).unwrap();
    run(entry.call(caller, arguments))
        .map(|text| serde_json::from_str(&text).unwrap())
        .map_err(|refusal| format!("{refusal:?}"))
}

#[test]
fn what_is_elsewhere_is_answered_like_what_is_nowhere() {
    let sim = Sim::new(1);
    let ours = Company::found(&sim, "acme");
    let theirs = Company::found(&sim, "other");
    let secret = ours.add_workspace(&sim, "Secret", "UTC");
    let secret_wall = ours.add_wall(&sim, &secret, "secret");
    let wide = ours.add_grant(&sim, &ours.owner, Scopes::EVERY, &[&ours.workspace, &secret]);
    let unticked = Things::make(&sim, &ours, &ours.caller_by(&sim, &wide), &secret, secret_wall);
    let foreign = Things::make(&sim, &theirs, &theirs.caller(&sim), &theirs.workspace, theirs.wall.clone());
    let invented = Things::invented(&sim);

    let caller = ours.caller(&sim);
    let own = call(&caller, "create_post", json!({ "text": "Ours", "profiles": ["wall"] })).unwrap();
    for (tool, path, arguments) in calls() {
        let name = path.rsplit('.').next().unwrap();
        let names = NAMING.iter().find(|(naming, _)| *naming == name).unwrap().1;
        let answer = |things: &Things| {
            let text = arguments
                .to_string()
                .replace('%', own["post_id"].as_str().unwrap())
                .replace('@', &things.id(names));
            call(&caller, tool, serde_json::from_str(&text).unwrap())
                .expect_err(&format!("{tool} {path} is refused"))
                .replace(&things.id(names), "@")
        };
        let nowhere = answer(&invented);
        assert_eq!(answer(&unticked), nowhere, "{tool} {path}: an unticked workspace's");
        assert_eq!(answer(&foreign), nowhere, "{tool} {path}: another tenant's");
        assert!(!nowhere.contains("Secret"), "{tool} {path}: {nowhere}");
    }
}
