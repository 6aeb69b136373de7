//! The MCP endpoint of a tenant: both eras of the protocol on one address, and the catalogue of tools.
//!
//! A request that the edge has authenticated is judged whole (`judge`), then what it asks for runs, then each answer is
//! written as its revision knows it (`results`). Nothing but JSON-RPC leaves this room.

mod catalogue;
mod envelope;
mod fault;
#[cfg(not(target_arch = "wasm32"))]
pub mod generate;
mod headers;
mod judge;
mod kept;
mod message;
mod narrow;
mod results;
mod revision;
pub mod shape;
mod weight;
mod writer;

pub use catalogue::{Allowed, Catalogue, tools, toolset};
pub use judge::MAX_BATCH;
pub use results::INSTRUCTIONS;
pub use revision::{Era, Revision};
pub use weight::weight;

use fault::Fault;
use judge::{Action, Judged, ToolCall};
use message::Id;
use writer::ObjectWriter;

use serde_json::Value;

use crate::desk::{Act, Caller, Code, Effect, Hints, Refusal, Scopes, Selection};
use crate::http::{Request, Response};
use crate::platform::{DatabaseFault, Platform};

/// What the edge does with a request, and what it tells the operator.
#[derive(Debug)]
pub struct Answer {
    /// What goes out.
    pub outcome: Outcome,
    /// The first tool that was called, if any was.
    pub tool: Option<&'static str>,
    /// The code of the first refusal or error, if there was one.
    pub code: Option<&'static str>,
}

/// What goes out.
#[derive(Debug)]
pub enum Outcome {
    /// This.
    Response(Response),
    /// 403 with a challenge that names these capabilities. Nothing was changed.
    InsufficientScope(Scopes),
    /// 401: the grant is over. Nothing was changed.
    Unauthenticated,
}

/// A request that was judged, and waits to hear what its caller may do.
pub struct Asked<'c> {
    catalogue: &'c Catalogue,
    judged: Judged<'c>,
}

/// Judges a request whose token was accepted. Nothing runs yet.
pub fn judge(platform: &Platform<'_>, request: &Request) -> Asked<'static> {
    Asked::of(Catalogue::embedded(), platform, request)
}

impl<'c> Asked<'c> {
    fn of(catalogue: &'c Catalogue, platform: &Platform<'_>, request: &Request) -> Self {
        Self { catalogue, judged: judge::judge(catalogue, platform.config, request) }
    }

    /// Whether all that is asked for comes from behind the gate, which says itself that the grant lives. Whatever else
    /// is answered needs that said from elsewhere.
    pub fn is_gated(&self) -> bool {
        let gated = |element: &judge::Element<'_>| match &element.asked {
            Ok(Action::CallTool(call)) => call.is_callable(),
            _ => false,
        };
        !self.judged.elements.is_empty() && self.judged.elements.iter().all(gated)
    }

    /// Answers the request. `allowed` is what is known of the caller without asking the databases: the token's
    /// capabilities, and the role's where they are known.
    pub async fn answer(self, caller: &Caller<'_>, allowed: impl Into<Allowed>) -> Answer {
        let Self { catalogue, judged } = self;
        let allowed = allowed.into().narrowed(judged.selection);
        let endpoint = Endpoint { catalogue, caller, allowed, revision: judged.revision };
        endpoint.answer(judged).await
    }
}

/// Judges and answers at once.
pub async fn serve(
    platform: &Platform<'_>,
    caller: &Caller<'_>,
    allowed: impl Into<Allowed>,
    request: &Request,
) -> Answer {
    serve_tools(Catalogue::embedded(), platform, caller, allowed, request).await
}

/// The same, with tools of one's own.
pub async fn serve_tools(
    catalogue: &Catalogue,
    platform: &Platform<'_>,
    caller: &Caller<'_>,
    allowed: impl Into<Allowed>,
    request: &Request,
) -> Answer {
    Asked::of(catalogue, platform, request).answer(caller, allowed).await
}

struct Endpoint<'a> {
    catalogue: &'a Catalogue,
    caller: &'a Caller<'a>,
    allowed: Allowed,
    revision: Revision,
}

/// One message's answer.
struct Reply {
    id: Option<Id>,
    /// A result as JSON text, or why there is none.
    body: Result<String, Fault>,
    code: Option<&'static str>,
}

/// Why the whole request is turned away, with nothing changed.
enum Denial {
    InsufficientScope(Scopes),
    Unauthenticated,
}

/// A call's result as JSON text, with the code of its first problem.
type ToolReply = (String, Option<&'static str>);

impl Endpoint<'_> {
    async fn answer(&self, judged: Judged<'_>) -> Answer {
        let tool = judged.calls().next().map(|call| call.tool.entry.name);
        let is_batch = judged.is_batch;
        match self.replies(judged).await {
            Ok(replies) => {
                let code = replies.iter().find_map(|reply| reply.code);
                let response = self.response(is_batch, &replies);
                Answer { outcome: Outcome::Response(response), tool, code }
            }
            Err(denial) => denial.answer(tool),
        }
    }

    async fn replies(&self, judged: Judged<'_>) -> Result<Vec<Reply>, Denial> {
        self.admit(&judged).await?;
        let mut replies = Vec::with_capacity(judged.elements.len());
        for element in judged.elements {
            let reply = match element.asked {
                Err(fault) => Reply { id: element.id, code: Some(fault.kind.name()), body: Err(fault) },
                Ok(action) => {
                    let (result, code) = self.run(action, judged.is_batch).await?;
                    Reply { id: element.id, code, body: Ok(result) }
                }
            };
            replies.push(reply);
        }
        Ok(replies)
    }

    /// Asks the gate for all that the calls need together: for several calls, so that none runs beside one that may
    /// not; for one, where the grant as it is known here lacks something, since it may have been widened just now.
    /// What else the gate finds is told by the calls themselves.
    async fn admit(&self, judged: &Judged<'_>) -> Result<(), Denial> {
        let needs = judged.calls().fold(Scopes::NONE, |needs, call| needs.union(call.needs()));
        let several = judged.calls().nth(1).is_some();
        if !several && self.allowed.granted.contains(needs) {
            return Ok(());
        }
        let places = judged.calls().fold(Selection::NOTHING, |places, call| places.union(call.tool.place));
        let Err(refusal) = self.caller.needing(needs).using(places).facts().await else { return Ok(()) };
        let Some(denial) = Denial::from_refusal(&refusal) else { return Ok(()) };
        for call in judged.calls() {
            self.caller.note_refusal(Act { name: call.tool.entry.name, subjects: &[] }, &refusal).await;
        }
        Err(denial)
    }

    async fn run(&self, action: Action<'_>, in_batch: bool) -> Result<ToolReply, Denial> {
        let result = match action {
            Action::Initialize => results::initialize(self.revision),
            Action::Ping => results::empty(self.revision),
            Action::Discover => results::discover(self.revision, self.catalogue),
            Action::ListTools => results::tools(self.revision, self.catalogue, self.allowed),
            Action::CallTool(call) => return self.call(call, in_batch).await,
        };
        Ok((result, None))
    }

    /// Calls a tool. In a batch others may have run before, so that no refusal may hide their results.
    async fn call(&self, call: ToolCall<'_>, in_batch: bool) -> Result<ToolReply, Denial> {
        let tool = &call.tool.entry;
        let shape = |arguments: &Value| shape::check(&call.tool.input, arguments);
        let called = match call.barred {
            Some(problem) => Err(problem.into()),
            None => {
                let caller = self.caller.using(call.tool.place);
                tool.call_in_shape(&caller, &call.arguments, &shape).await
            }
        };
        match called {
            Ok(output) => Ok((results::tool_result(self.revision, &output), None)),
            Err(refusal) => {
                if is_audited(tool.hints, &refusal) {
                    self.caller.note_refusal(Act { name: tool.name, subjects: &[] }, &refusal).await;
                }
                match Denial::from_refusal(&refusal) {
                    Some(denial) if !in_batch => Err(denial),
                    _ => Ok(self.refused(tool.hints, refusal)),
                }
            }
        }
    }

    fn refused(&self, hints: Hints, refusal: Refusal) -> ToolReply {
        let problems = certain(hints, refusal).problems();
        let code = problems.first().map(|problem| problem.code.as_str());
        (results::tool_error(self.revision, &problems), code)
    }

    fn response(&self, is_batch: bool, replies: &[Reply]) -> Response {
        let status = match replies {
            [] => return Response::empty(202).cors().no_store(),
            [Reply { body: Err(fault), .. }] if !is_batch => fault.kind.status(self.revision.era()),
            _ => 200,
        };
        let body = match replies {
            [only] if !is_batch => only.text(false),
            _ => {
                let texts: Vec<String> = replies.iter().map(|reply| reply.text(true)).collect();
                format!("[{}]", texts.join(","))
            }
        };
        let response = Response::of(status, "application/json", body).cors().no_store();
        if status == 405 { response.with_header("allow", "POST") } else { response }
    }
}

/// Whether a refusal belongs into the audit: of anything that would have written, and of reading what one may not. That
/// a read found nothing is told by the events alone.
fn is_audited(hints: Hints, refusal: &Refusal) -> bool {
    hints.effect != Effect::Reads
        || matches!(
            refusal.code(),
            Some(Code::InsufficientScope | Code::RoleNotAllowed | Code::GrantEnded | Code::WorkspaceNotFound)
        )
}

/// A tool that only reads has changed nothing, whatever became of its batch.
fn certain(hints: Hints, refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Fault(DatabaseFault::Unknown(why)) if hints.effect == Effect::Reads => {
            Refusal::Fault(DatabaseFault::Rejected(why))
        }
        refusal => refusal,
    }
}

impl Reply {
    /// The JSON-RPC response. Where an error has no id to repeat, JSON-RPC's batches say null, and MCP leaves it out.
    fn text(&self, in_batch: bool) -> String {
        let response = ObjectWriter::default().member("jsonrpc", &"2.0");
        let response = match &self.id {
            None if !in_batch => response,
            id => response.member("id", id),
        };
        match &self.body {
            Ok(result) => response.raw("result", result).finish(),
            Err(fault) => response.raw("error", &error(fault)).finish(),
        }
    }
}

fn error(fault: &Fault) -> String {
    ObjectWriter::default()
        .member("code", &fault.kind.code())
        .member("message", &fault.message)
        .optional("data", fault.data.as_ref())
        .finish()
}

impl Denial {
    const fn from_refusal(refusal: &Refusal) -> Option<Self> {
        match refusal {
            Refusal::InsufficientScope(scopes) => Some(Self::InsufficientScope(*scopes)),
            Refusal::Unauthenticated => Some(Self::Unauthenticated),
            Refusal::Problems(_) | Refusal::Conflict | Refusal::Fault(_) | Refusal::Rehearsed => None,
        }
    }

    const fn answer(self, tool: Option<&'static str>) -> Answer {
        let (outcome, code) = match self {
            Self::InsufficientScope(scopes) => (Outcome::InsufficientScope(scopes), Code::InsufficientScope),
            Self::Unauthenticated => (Outcome::Unauthenticated, Code::GrantEnded),
        };
        Answer { outcome, tool, code: Some(code.as_str()) }
    }
}
