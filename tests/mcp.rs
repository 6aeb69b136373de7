//! The MCP endpoint, from outside: what each era's clients send, and what they get.

mod answer;
mod batches;
mod calls;
mod catalogue;
mod fuzz;
mod handshake;
mod headers;
mod letter;
mod listing;
mod mistakes;
mod modern;
mod narrowing;
mod offers;
mod progress;
mod shape;
mod tools;
mod transport;

use postern::{
    desk::Scopes,
    http::{Request, RequestMethod, Response},
    mcp::{self, Allowed, Answer, Catalogue, Outcome, Revision},
};
use serde_json::{Value, json};

use crate::sim::{Sim, run, world::Company};

/// An endpoint with the tools of these tests, and a company that has a grant for everything.
struct Endpoint {
    sim: Sim,
    company: Company,
    catalogue: Catalogue,
}

impl Endpoint {
    fn new() -> Self {
        let sim = Sim::new(1);
        let company = Company::found(&sim, "acme");
        let schemas = mcp::generate::catalogue(tools::ALL).unwrap();
        let catalogue = Catalogue::new(tools::ALL.iter().copied(), &schemas).unwrap();
        Self { sim, company, catalogue }
    }

    /// Sends a request of the owner's assistant, whose grant is known to allow everything.
    fn send(&self, request: &Request) -> Answer {
        self.send_as(&self.company.grant.clone(), Scopes::EVERY, request)
    }

    /// Sends a request through another grant, of which `allowed` is known without asking the databases.
    fn send_as(
        &self,
        grant: &crate::sim::world::Grant,
        allowed: impl Into<Allowed>,
        request: &Request,
    ) -> Answer {
        let caller = self.company.caller_by(&self.sim, grant);
        let platform = self.sim.platform();
        run(mcp::serve_tools(&self.catalogue, &platform, &caller, allowed, request))
    }

    /// How many times the tool that writes has run.
    fn notes(&self) -> i64 {
        self.sim.shard().number("SELECT count(*) FROM audit WHERE act = 'take_note' AND outcome = 'done'", [])
    }
}

/// The response that goes out.
fn response(answer: Answer) -> Response {
    match answer.outcome {
        Outcome::Response(response) => response,
        other => panic!("no response: {other:?}"),
    }
}

/// The status and the JSON body that go out.
fn status_and_body(answer: Answer) -> (u16, Value) {
    let response = response(answer);
    assert_eq!(response.header("content-type"), Some("application/json"));
    (response.status, serde_json::from_slice(&response.body).unwrap())
}

/// The JSON body of an answer with status 200.
fn body(answer: Answer) -> Value {
    let (status, body) = status_and_body(answer);
    assert_eq!(status, 200, "{body}");
    body
}

/// The status and the error code that go out.
fn status_and_code(answer: Answer) -> (u16, i64) {
    let (status, body) = status_and_body(answer);
    (status, body["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {body}")))
}

/// A POST of this body, as any client sends it.
fn post(body: impl Into<Vec<u8>>) -> Request {
    Request {
        method: RequestMethod::Post,
        host: "localhost:8790".to_owned(),
        path: "/acme/mcp".to_owned(),
        query: String::new(),
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("accept".to_owned(), "application/json, text/event-stream".to_owned()),
        ],
        body: body.into(),
        peer: "127.0.0.1".to_owned(),
    }
}

/// The request with a header added.
fn with(mut request: Request, name: &str, value: &str) -> Request {
    request.headers.push((name.to_owned(), value.to_owned()));
    request
}

/// The request without a header.
fn without(mut request: Request, name: &str) -> Request {
    request.headers.retain(|(key, _)| key != name);
    request
}

/// A request message.
fn message(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
}

/// A legacy request that names its revision in the header.
fn legacy(revision: Revision, method: &str, params: Value) -> Request {
    with(post(message(method, params).to_string()), "mcp-protocol-version", revision.as_str())
}

/// A legacy request that names no revision.
fn unnamed(method: &str, params: Value) -> Request {
    post(message(method, params).to_string())
}

/// The envelope of the modern era.
fn envelope(version: &str) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// A modern request with its envelope and headers.
fn modern(method: &str, params: Value) -> Request {
    modern_at("2026-07-28", method, params)
}

fn modern_at(version: &str, method: &str, mut params: Value) -> Request {
    params["_meta"] = envelope(version);
    let request = post(message(method, params.clone()).to_string());
    let request = with(with(request, "mcp-protocol-version", version), "mcp-method", method);
    match params["name"].as_str() {
        Some(name) => with(request, "mcp-name", name),
        None => request,
    }
}

/// A call of a tool.
fn call(tool: &str, arguments: Value) -> Value {
    json!({ "name": tool, "arguments": arguments })
}
