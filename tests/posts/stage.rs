//! A company with two Walls whose posts really go out, and the tools of posts and of delivery.

use postern::{
    delivery::{self, Budget, RealTrade, tick},
    desk::{Caller, Refusal, Scope, Scopes, ToolEntry},
    posts,
};
use serde_json::{Value, json};

use crate::sim::{
    Sim, run,
    world::{Company, Grant},
};

pub struct Stage {
    pub sim: Sim,
    pub company: Company,
}

impl Stage {
    /// The workspace "Main" with the Walls "acme" and "media".
    pub fn new(seed: u64) -> Self {
        let sim = Sim::new(seed);
        let company = Company::found(&sim, "acme");
        company.add_wall(&sim, &company.workspace, "media");
        Self { sim, company }
    }

    /// The owner's assistant calls a tool.
    pub fn call(&self, tool: &str, arguments: Value) -> Result<Value, Refusal> {
        call(&self.company.caller(&self.sim), tool, arguments)
    }

    /// The same, which must succeed.
    pub fn done(&self, tool: &str, arguments: Value) -> Value {
        self.call(tool, arguments.clone()).unwrap_or_else(|refusal| panic!("{tool} {arguments}: {refusal:?}"))
    }

    /// A grant that may write and not publish.
    pub fn writer(&self) -> Grant {
        let scopes = Scopes::of(&[Scope::PostsRead, Scope::PostsWrite, Scope::WorkspaceRead]);
        self.company.add_grant(&self.sim, &self.company.owner, scopes, &[&self.company.workspace])
    }

    /// A post, and its id.
    pub fn post(&self, profiles: &[&str], when: &str) -> Value {
        let body =
            json!({ "profiles": profiles, "text": "Spring is here", "when": when, "allow_duplicate": true });
        self.done("create_post", body)["post_id"].clone()
    }

    /// A post that went out on every Wall that it is for.
    pub fn published(&self, profiles: &[&str]) -> Value {
        let post = self.post(profiles, "now");
        self.later(31);
        assert_eq!(self.status(&post), "published");
        post
    }

    /// A post whose time passed while the worker was down.
    pub fn missed(&self) -> Value {
        let post = self.post(&["acme"], "PT1H");
        self.later(8 * 3600);
        assert_eq!(self.status(&post), "missed");
        post
    }

    /// A post that the network would not take.
    pub fn failed(&self) -> Value {
        let post = self.post(&["acme"], "PT1H");
        self.fail(&post, "acme");
        self.later(3601);
        assert_eq!(self.status(&post), "failed");
        post
    }

    /// A post that went out on "acme", and that "media" would not take.
    pub fn partly_published(&self) -> Value {
        let post = self.post(&["acme", "media"], "PT1H");
        self.fail(&post, "media");
        self.later(3601);
        assert_eq!(self.status(&post), "partly_published");
        post
    }

    fn fail(&self, post: &Value, handle: &str) {
        let failed = self.sim.shard().execute(
            "UPDATE delivery SET state = 'failed', reason = 'refused', reason_code = 'no', next_at = NULL, attempts = 1
             WHERE post_id = ?1 AND profile_id = (SELECT profile_id FROM profile WHERE handle = ?2)",
            [post.as_str().unwrap(), handle],
        );
        assert_eq!(failed, 1);
    }

    /// Time passes, and then a tick.
    pub fn later(&self, seconds: i64) {
        self.sim.clock.advance_seconds(seconds);
        let report = run(tick(&self.sim.platform(), &RealTrade, 0, Budget::default()));
        assert_eq!(report.fault, None);
    }

    pub fn read(&self, post: &Value) -> Value {
        self.done("get_post", json!({ "post_id": post }))
    }

    pub fn status(&self, post: &Value) -> Value {
        self.read(post)["status"].clone()
    }

    /// How many entries are public, on all Walls.
    pub fn public(&self) -> i64 {
        self.sim.shard().number("SELECT count(*) FROM wall_entry", [])
    }

    /// Each delivery of a post as the database has it, but for its revision and the time of the last change.
    pub fn deliveries(&self, post: &Value) -> Vec<(String, String, Option<i64>, Option<String>)> {
        let rows = self.sim.shard().query(
            "SELECT profile_id, state, next_at, plan FROM delivery WHERE post_id = ?1 ORDER BY profile_id",
            [post.as_str().unwrap()],
        );
        rows.iter()
            .map(|row| {
                (
                    row.get("profile_id").unwrap(),
                    row.get("state").unwrap(),
                    row.get("next_at").unwrap(),
                    row.get("plan").unwrap(),
                )
            })
            .collect()
    }

    /// The dry run of a bulk change, and its application.
    pub fn apply(&self, arguments: Value) -> Value {
        let dry = self.done("change_posts", arguments);
        self.done("change_posts", dry["next"][0]["arguments"].clone())
    }
}

/// Somebody calls a tool of posts or of delivery.
pub fn call(caller: &Caller<'_>, tool: &str, arguments: Value) -> Result<Value, Refusal> {
    let entry: &ToolEntry = posts::TOOLS
        .iter()
        .chain(delivery::TOOLS)
        .find(|entry| entry.name == tool)
        .expect("a tool of posts or delivery");
    run(entry.call(caller, arguments)).map(|text| serde_json::from_str(&text).expect("JSON"))
}
