//! What is elsewhere does not exist: for every argument of every tool that names something, another tenant's, an unticked
//! workspace's and an invented id are answered byte for byte alike; so for every variable of a resource's address and every
//! argument of a prompt. The list of them comes from the catalogue.

use std::collections::BTreeSet;

use postern::{
    desk::{
        Arguments, Caller, ChangeId, MediaId, PostId, ProfileId, PromptEntry, ResourceEntry, Scopes,
        WorkspaceId,
    },
    mcp::{Catalogue, tools},
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

/// A reading of each variable of each resource's address, with every other variable the caller's own.
fn readings() -> Vec<(&'static ResourceEntry, String, Names)> {
    let catalogue = Catalogue::embedded();
    let mut readings = Vec::new();
    for entry in catalogue.resources() {
        for segment in entry.template.split('/').filter(|segment| segment.starts_with('{')) {
            let names = match segment {
                "{workspace}" => Names::Workspace,
                "{post_id}" => Names::Post,
                "{week}" | "{network}" => continue,
                other => panic!("{other} of {} names something that is not tried here", entry.name),
            };
            readings.push((entry, entry.template.replace(segment, "@"), names));
        }
    }
    assert!(readings.len() >= 4);
    readings
}

/// A filling of each argument of each prompt that names something.
fn fillings() -> Vec<(&'static PromptEntry, &'static str, Names)> {
    let arguments = Catalogue::embedded()
        .prompts()
        .flat_map(|entry| entry.arguments.iter().map(move |argument| (entry, argument.name)));
    arguments
        .filter_map(|(entry, name)| {
            let (_, names) = NAMING.iter().find(|(naming, _)| *naming == name)?;
            Some((entry, name, *names))
        })
        .collect()
}

fn arguments(pairs: &[(&str, &str)]) -> Arguments {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What is told of one workspace's or post's data by a resource, a prompt and every completion.
struct Beyond {
    sim: Sim,
    ours: Company,
    own: String,
    unticked: Things,
    foreign: Things,
    invented: Things,
}

impl Beyond {
    fn new() -> Self {
        let sim = Sim::new(2);
        let ours = Company::found(&sim, "acme");
        let theirs = Company::found(&sim, "other");
        let secret = ours.add_workspace(&sim, "Secret", "Asia/Tokyo");
        let secret_wall = ours.add_wall(&sim, &secret, "secret");
        let wide = ours.add_grant(&sim, &ours.owner, Scopes::EVERY, &[&ours.workspace, &secret]);
        let unticked = Things::make(&sim, &ours, &ours.caller_by(&sim, &wide), &secret, secret_wall);
        let foreign =
            Things::make(&sim, &theirs, &theirs.caller(&sim), &theirs.workspace, theirs.wall.clone());
        let invented = Things::invented(&sim);
        let own = call(&ours.caller(&sim), "create_post", json!({ "text": "Ours" })).unwrap();
        let own = own["post_id"].as_str().unwrap().to_owned();
        Self { sim, ours, own, unticked, foreign, invented }
    }

    /// Asks about a thing that is nowhere, in an unticked workspace, and of another tenant: the answers are the same.
    fn same(&self, what: &str, names: Names, answer: impl Fn(&str) -> String) {
        let told = |things: &Things| answer(&things.id(names)).replace(&things.id(names), "@");
        let nowhere = told(&self.invented);
        assert_eq!(told(&self.unticked), nowhere, "{what}: an unticked workspace's");
        assert_eq!(told(&self.foreign), nowhere, "{what}: another tenant's");
        assert!(!nowhere.contains("Secret"), "{what}: {nowhere}");
    }
}

#[test]
fn what_is_elsewhere_is_read_like_what_is_nowhere() {
    let beyond = Beyond::new();
    let caller = beyond.ours.caller(&beyond.sim);
    for (entry, address, names) in readings() {
        let filled = address
            .replace("{workspace}", beyond.ours.workspace.as_str())
            .replace("{post_id}", &beyond.own)
            .replace("{week}", "this");
        beyond.same(entry.template, names, |id| {
            let variables = entry.variables(&filled.replace('@', id)).unwrap();
            format!("{:?}", run(entry.read(&caller, variables)).expect_err("it is refused"))
        });
    }
}

#[test]
fn a_post_is_in_its_own_workspace_only() {
    let beyond = Beyond::new();
    let company = &beyond.ours;
    let second = company.add_workspace(&beyond.sim, "Second", "UTC");
    let grant = company.add_grant(&beyond.sim, &company.owner, Scopes::EVERY, &[&company.workspace, &second]);
    let caller = company.caller_by(&beyond.sim, &grant);
    let entry = Catalogue::embedded().resources().find(|entry| entry.name == "post").unwrap();
    let read = |workspace: &WorkspaceId| {
        let uri = format!("postern://{workspace}/posts/{}", beyond.own);
        run(entry.read(&caller, entry.variables(&uri).unwrap()))
    };
    assert!(read(&company.workspace).is_ok());
    assert!(read(&second).is_err());
}

#[test]
fn what_is_elsewhere_goes_into_no_prompt() {
    let beyond = Beyond::new();
    let caller = beyond.ours.caller(&beyond.sim);
    assert!(fillings().len() >= 4);
    for (entry, name, names) in fillings() {
        let required = entry.arguments.iter().filter(|one| one.required && one.name != name);
        let others: Vec<(&str, &str)> = required.map(|one| (one.name, "words")).collect();
        beyond.same(entry.name, names, |id| {
            let given = arguments(&[&others[..], &[(name, id)]].concat());
            format!("{:?}", run(entry.get(&caller, given)).expect_err("it is refused"))
        });
    }
}

#[test]
fn nothing_of_elsewhere_is_listed_or_completed() {
    let beyond = Beyond::new();
    let caller = beyond.ours.caller(&beyond.sim);
    let facts = run(caller.facts()).unwrap();
    let catalogue = Catalogue::embedded();
    let mut told: Vec<String> = catalogue
        .resources()
        .flat_map(|entry| (entry.list)(&facts))
        .flat_map(|listed| [listed.uri, listed.title])
        .collect();
    let of_resources =
        catalogue.resources().flat_map(|entry| entry.completes.iter().map(|(_, source)| *source));
    let of_prompts =
        catalogue.prompts().flat_map(|entry| entry.arguments.iter().filter_map(|one| one.complete));
    for source in of_resources.chain(of_prompts) {
        told.extend(run(source(&caller, Arguments::default())).unwrap());
        for things in [&beyond.unticked, &beyond.foreign, &beyond.invented] {
            let given = arguments(&[("workspace", things.workspace.as_str())]);
            told.extend(run(source(&caller, given)).unwrap_or_default());
        }
    }
    assert!(told.contains(&beyond.own) && told.contains(&"Main".to_owned()));
    for things in [&beyond.unticked, &beyond.foreign] {
        for names in [Names::Workspace, Names::Profile, Names::Post, Names::Change, Names::Media] {
            let id = things.id(names);
            assert!(!told.iter().any(|text| text.contains(&id)), "{id}");
        }
    }
    assert!(!told.iter().any(|text| text.contains("Secret")));
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
