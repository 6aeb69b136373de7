//! A company with an assistant, as it was before each input.

use std::{
    cell::RefCell,
    mem::{replace, swap},
};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use hmac::{Hmac, Mac};
use postern::{
    edge::serve,
    http::{Request, RequestMethod, Response},
    platform::{Clock, Purpose},
};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::sim::{Sim, SimDatabase, Snapshot, run, world::Company};

/// Where the assistant calls.
pub const RESOURCE: &str = "http://localhost:8790/acme/mcp";
const SEED: u64 = 1;

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::found());
}

/// Shows an input to the world, which is always as it was before the first one.
pub fn with_world<T>(see: impl FnOnce(&World) -> T) -> T {
    WORLD.with_borrow_mut(|world| {
        world.reset();
        see(world)
    })
}

/// A deployment with one tenant, `acme`, in which there are a Wall, a picture, a draft and a scheduled post.
pub struct World {
    sim: Sim,
    token: String,
    /// What inputs call the ids that they cannot know.
    names: Vec<(&'static str, String)>,
    begun: [(Snapshot, i64); 2],
}

impl World {
    fn found() -> Self {
        let sim = Sim::new(SEED);
        let company = Company::found(&sim, "acme");
        let media = company.add_media(&sim, &company.workspace);
        let names = vec![
            ("$workspace", company.workspace.to_string()),
            ("$profile", company.wall.to_string()),
            ("$media", media.to_string()),
            ("$tenant", company.tenant.id.to_string()),
            ("$grant", company.grant.id.to_string()),
            ("$owner", company.owner.to_string()),
            ("$client", company.grant.client_id.to_string()),
        ];
        let begun = begin(&sim);
        let mut world = Self { sim, token: String::new(), names, begun };
        world.token = world.sign(r#"{"alg":"HS256","typ":"at+jwt","kid":"t1"}"#, &world.claims().to_string());
        world.add_posts();
        world.begun = begin(&world.sim);
        world
    }

    fn add_posts(&mut self) {
        let draft = self.create_post(&json!({ "text": "A draft", "profiles": ["wall"] }));
        let when = "2026-12-01T09:00:00";
        let post = self.create_post(&json!({ "text": "Hello", "profiles": ["wall"], "when": when }));
        for (name, value) in
            [("$draft", &draft["post_id"]), ("$post", &post["post_id"]), ("$change", &post["change_id"])]
        {
            self.names.push((name, value.as_str().expect("the post was made").to_owned()));
        }
    }

    fn create_post(&self, arguments: &Value) -> Value {
        let params = json!({ "name": "create_post", "arguments": arguments });
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let response = self.serve(self.request(message.to_string().into_bytes()));
        let answer: Value = serde_json::from_slice(&response.body).expect("the answer is JSON");
        let text = answer["result"]["content"][0]["text"].as_str().expect("the result is text");
        serde_json::from_str(text).expect("the text is JSON")
    }

    fn reset(&mut self) {
        // All but the databases is new; those are put back where something was written.
        let mut sim = Sim::with_shards(SEED, 0);
        swap(&mut sim.directory, &mut self.sim.directory);
        swap(&mut sim.shards, &mut self.sim.shards);
        drop(replace(&mut self.sim, sim));
        for (database, (snapshot, changes)) in databases(&self.sim).into_iter().zip(&mut self.begun) {
            if count_changes(database) != *changes {
                database.restore(snapshot);
                *changes = count_changes(database);
            }
        }
    }

    /// The input with the names of ids in place of them.
    pub fn fill_in(&self, input: &str) -> String {
        let mut text = input.to_owned();
        for (name, id) in &self.names {
            text = text.replace(name, id);
        }
        text
    }

    /// The claims of the assistant's own token (RFC 9068 section 2.2).
    pub fn claims(&self) -> Value {
        let now = self.sim.clock.now().as_seconds();
        let claims = json!({
            "iss": self.sim.config.public_origin,
            "aud": RESOURCE,
            "sub": "$owner",
            "client_id": "$client",
            "jti": "0123456789abcdefghijkl",
            "scope": postern::desk::Scopes::EVERY.to_text(),
            "tenant_id": "$tenant",
            "grant_id": "$grant",
            "shard": 0,
            "generation": 1,
            "iat": now,
            "exp": now + 600,
        });
        serde_json::from_str(&self.fill_in(&claims.to_string())).expect("the claims are JSON")
    }

    /// A token with this header and these claims, signed with the key of access tokens.
    pub fn sign(&self, header: &str, claims: &str) -> String {
        let signed = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.as_bytes())).join(".");
        let key = self.sim.config.keys.current(Purpose::AccessToken);
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).expect("a key of any length");
        mac.update(signed.as_bytes());
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&mac.finalize().into_bytes()))
    }

    /// A POST of this body by the assistant, with the headers that its client would add.
    pub fn request(&self, body: Vec<u8>) -> Request {
        let mut request = bare_request(body);
        request.headers.push(("authorization".to_owned(), format!("Bearer {}", self.token)));
        request.headers.push(("content-type".to_owned(), "application/json".to_owned()));
        request.headers.push(("accept".to_owned(), "application/json, text/event-stream".to_owned()));
        let mirrored = mirrored(&request.body);
        request.headers.extend(mirrored);
        request
    }

    /// What the worker answers. It tells of no fault of its own: nothing here goes wrong but by what was sent.
    pub fn serve(&self, request: Request) -> Response {
        let response = run(serve(&self.sim.platform(), request));
        let faults: Vec<Value> =
            self.sim.events.all().into_iter().filter(|event| event["event"] == "fault").collect();
        assert!(faults.is_empty(), "{faults:?}");
        assert!(response.status < 500, "{} {}", response.status, String::from_utf8_lossy(&response.body));
        response
    }
}

/// A POST of this body to the endpoint, without any header.
pub fn bare_request(body: Vec<u8>) -> Request {
    Request {
        method: RequestMethod::Post,
        host: "localhost:8790".to_owned(),
        path: "/acme/mcp".to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body,
        peer: "127.0.0.1".to_owned(),
    }
}

/// What 2026-07-28 has headers repeat of a body; nothing where the body names no revision.
fn mirrored(body: &[u8]) -> Vec<(String, String)> {
    let Ok(message) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let params = &message["params"];
    let version = &params["_meta"]["io.modelcontextprotocol/protocolVersion"];
    let name = if params["name"].is_string() { &params["name"] } else { &params["uri"] };
    let said = [("mcp-protocol-version", version), ("mcp-method", &message["method"]), ("mcp-name", name)];
    let said = said.into_iter().filter_map(|(header, value)| Some((header.to_owned(), value.as_str()?)));
    if version.is_null() {
        return Vec::new();
    }
    said.map(|(header, value)| {
        let value = if header == "mcp-name" { wrapped(value) } else { value.to_owned() };
        (header, value)
    })
    .collect()
}

/// A header's value as clients wrap what a header cannot carry.
pub fn wrapped(value: &str) -> String {
    format!("=?base64?{}?=", BASE64.encode(value.as_bytes()))
}

fn databases(sim: &Sim) -> [&SimDatabase; 2] {
    [&sim.directory, sim.shard()]
}

fn begin(sim: &Sim) -> [(Snapshot, i64); 2] {
    databases(sim).map(|database| (database.snapshot(), count_changes(database)))
}

fn count_changes(database: &SimDatabase) -> i64 {
    database.number("SELECT total_changes()", [])
}
