//! The MCP endpoint of a tenant: both eras of the protocol on one address, and the catalogue of tools.
//!
//! A request that the edge has authenticated is judged whole (`judge`), then what it asks for runs, then each answer is
//! written as its revision knows it (`results`). Nothing but JSON-RPC leaves this room.

mod catalogue;
mod envelope;
mod fault;
#[cfg(feature = "contract")]
mod fixtures;
#[cfg(not(target_arch = "wasm32"))]
pub mod generate;
mod headers;
mod judge;
mod kept;
mod message;
mod narrow;
mod offers;
mod progress;
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

use std::cell::Cell;

use fault::Fault;
use judge::{Action, Element, Errand, Judged, ToolCall};
use message::Id;
use offers::{Completing, Reading, Writing};
use progress::Reporter;
use writer::ObjectWriter;

use serde_json::Value;

use crate::desk::{Act, Caller, Code, Effect, Hints, Refusal, Scopes, Selection, fitting};
use crate::http::{Request, Response};
use crate::platform::{DatabaseFault, Platform};

/// What the edge does with a request, and what it tells the operator.
#[derive(Debug)]
pub struct Answer {
    /// What goes out.
    pub outcome: Outcome,
    /// The first tool, resource or prompt that was asked for, if any was.
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
    #[cfg(feature = "contract")]
    if let Some(fixtures) = fixtures::catalogue_for(request) {
        return Asked::of(fixtures, platform, request);
    }
    Asked::of(Catalogue::embedded(), platform, request)
}

impl<'c> Asked<'c> {
    fn of(catalogue: &'c Catalogue, platform: &Platform<'_>, request: &Request) -> Self {
        Self { catalogue, judged: judge::judge(catalogue, platform.config, request) }
    }

    /// Whether all that is asked for comes from behind the gate, which says itself that the grant lives. Whatever else
    /// is answered needs that said from elsewhere.
    pub fn is_gated(&self) -> bool {
        let gated = |element: &Element<'_>| match &element.asked {
            Ok(Action::CallTool(call)) => call.is_callable(),
            _ => false,
        };
        !self.judged.elements.is_empty() && self.judged.elements.iter().all(gated)
    }

    /// Answers the request. `allowed` is what is known of the caller without asking the databases: the token's
    /// capabilities, and the role's where they are known.
    pub async fn answer(self, caller: &Caller<'_>, allowed: impl Into<Allowed>) -> Answer {
        let Self { catalogue, judged } = self;
        let revision = judged.revision;
        let allowed = allowed.into().narrowed(judged.selection);
        let notices = caller.platform().notices;
        let reporter = Reporter { notices, revision, token: judged.progress.clone(), told: Cell::new(None) };
        let endpoint = Endpoint { catalogue, caller, allowed, revision, reporter };
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
    reporter: Reporter<'a>,
}

/// One message's answer.
struct Reply {
    id: Option<Id>,
    /// A result as JSON text, or why there is none.
    body: Result<String, Fault>,
    code: Option<&'static str>,
    /// A notification that must go out ahead of it.
    ahead: Option<String>,
}

/// Why the whole request is turned away, with nothing changed.
enum Denial {
    InsufficientScope(Scopes),
    Unauthenticated,
}

/// A call's result as JSON text, with the code of its first problem.
type ToolReply = (String, Option<&'static str>);

/// What came of an element: a result with the code of its first problem, or why there is none.
type Ran = Result<ToolReply, Fault>;

impl Endpoint<'_> {
    async fn answer(&self, judged: Judged<'_>) -> Answer {
        let tool = judged.errands().next().map(|errand| errand.name);
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
            replies.push(self.reply(element, judged.is_batch).await?);
        }
        Ok(replies)
    }

    async fn reply(&self, element: Element<'_>, in_batch: bool) -> Result<Reply, Denial> {
        let Element { id, asked } = element;
        let action = match (asked, &id) {
            (Ok(Action::Listen), Some(id)) => return Ok(self.subscribe(id.clone())),
            (asked, _) => asked,
        };
        let ran = match action {
            Ok(action) => self.run(action, in_batch).await?,
            Err(fault) => Err(fault),
        };
        let (body, code) = match ran {
            Ok((result, code)) => (Ok(result), code),
            Err(fault) => (Err(fault.clone()), Some(fault.kind.name())),
        };
        Ok(Reply { id, body, code, ahead: None })
    }

    /// Acknowledges a subscription and ends it: there is nothing that it could hear of.
    fn subscribe(&self, id: Id) -> Reply {
        let (acknowledged, ended) = results::subscription(self.revision, &id);
        Reply { id: Some(id), body: Ok(ended), code: None, ahead: Some(acknowledged) }
    }

    /// Asks the gate for all that the calls need together: for several calls, so that none runs beside one that may
    /// not; for one, where the grant as it is known here lacks something, since it may have been widened just now. What one call
    /// needs for its arguments is asked for when they are right. What else the gate finds is told by the calls themselves.
    async fn admit(&self, judged: &Judged<'_>) -> Result<(), Denial> {
        let all =
            |of: fn(&Errand) -> Scopes| judged.errands().fold(Scopes::NONE, |all, one| all.union(of(&one)));
        let several = judged.errands().nth(1).is_some();
        let needs = if several { all(|errand| errand.needs) } else { all(|errand| errand.own) };
        if !several && self.allowed.granted.contains(needs) {
            return Ok(());
        }
        let places = judged.calls().fold(Selection::NOTHING, |places, call| places.union(call.tool.place));
        let refusal = match self.caller.needing(needs).using(places).facts().await {
            Ok(_) => return Ok(()),
            Err(Refusal::InsufficientScope(_)) => Refusal::InsufficientScope(all(|errand| errand.needs)),
            Err(refusal) => refusal,
        };
        let Some(denial) = Denial::from_refusal(&refusal) else { return Ok(()) };
        for errand in judged.errands() {
            self.caller.note_refusal(Act { name: errand.name, subjects: &[] }, &refusal).await;
        }
        Err(denial)
    }

    async fn run(&self, action: Action<'_>, in_batch: bool) -> Result<Ran, Denial> {
        let (revision, catalogue) = (self.revision, self.catalogue);
        let result = match action {
            Action::Initialize => Ok(results::initialize(revision, catalogue)),
            Action::Ping | Action::Listen => Ok(results::empty(revision)),
            Action::Discover => Ok(results::discover(revision, catalogue)),
            Action::ListTools => Ok(results::tools(revision, catalogue, self.allowed)),
            Action::CallTool(call) => return self.call(call, in_batch).await.map(Ok),
            Action::ListTemplates => Ok(results::templates(revision, catalogue, self.allowed)),
            Action::ListPrompts => Ok(results::prompts(revision, catalogue, self.allowed)),
            Action::ListResources => self.list_resources(in_batch).await?,
            Action::ReadResource(reading) => self.read(reading, in_batch).await?,
            Action::GetPrompt(writing) => self.write(writing, in_batch).await?,
            Action::Complete(completing) => self.complete(completing, in_batch).await?,
            #[cfg(feature = "contract")]
            Action::Fixture(call) => fixtures::run(self.caller, &self.reporter, call),
        };
        Ok(result.map(|result| (result, None)))
    }

    async fn list_resources(&self, in_batch: bool) -> Result<Result<String, Fault>, Denial> {
        let listed = self.caller.facts().await;
        let listed =
            listed.map(|facts| results::resources(self.revision, self.catalogue, self.allowed, &facts));
        self.unless_refused("resources", listed, in_batch, Fault::of_refusal).await
    }

    async fn read(&self, reading: Reading, in_batch: bool) -> Result<Result<String, Fault>, Denial> {
        let Reading { entry, uri, variables } = reading;
        let read = entry.read(self.caller, variables).await;
        let read = read.map(|contents| results::contents(self.revision, &uri, &contents));
        let nowhere = |refusal| match refusal {
            Refusal::Problems(_) => offers::no_resource(&uri, self.revision.era()),
            refusal => Fault::of_refusal(refusal),
        };
        self.unless_refused(entry.name, read, in_batch, nowhere).await
    }

    async fn write(&self, writing: Writing, in_batch: bool) -> Result<Result<String, Fault>, Denial> {
        let Writing { entry, arguments } = writing;
        let written = entry.get(self.caller, arguments).await;
        let written = written.map(|messages| results::prompt(self.revision, entry, &messages));
        self.unless_refused(entry.name, written, in_batch, Fault::of_refusal).await
    }

    async fn complete(
        &self,
        completing: Completing,
        in_batch: bool,
    ) -> Result<Result<String, Fault>, Denial> {
        let Completing { name, needs, source, typed, others } = completing;
        let values = match source {
            Some(source) => source(&self.caller.needing(needs), others).await,
            None => Ok(Vec::new()),
        };
        let completed = values.map(|values| results::completion(self.revision, &fitting(values, &typed)));
        self.unless_refused(name, completed, in_batch, Fault::of_refusal).await
    }

    /// What was read, or what the client is told instead. Nothing of it writes.
    async fn unless_refused(
        &self,
        name: &'static str,
        read: Result<String, Refusal>,
        in_batch: bool,
        told: impl Fn(Refusal) -> Fault,
    ) -> Result<Result<String, Fault>, Denial> {
        let refusal = match read {
            Ok(result) => return Ok(Ok(result)),
            Err(refusal) => refusal,
        };
        if is_audited(Hints::read(), &refusal) {
            self.caller.note_refusal(Act { name, subjects: &[] }, &refusal).await;
        }
        match Denial::from_refusal(&refusal) {
            Some(denial) if !in_batch => Err(denial),
            _ => Ok(Err(told(refusal))),
        }
    }

    /// Calls a tool. In a batch others may have run before, so that no refusal may hide their results.
    async fn call(&self, call: ToolCall<'_>, in_batch: bool) -> Result<ToolReply, Denial> {
        let tool = &call.tool.entry;
        let shape = |arguments: &Value| shape::check(&call.tool.input, arguments);
        let called = match call.barred {
            Some(problem) => Err(Refusal::because(*problem)),
            None => {
                let caller = self.caller.using(call.tool.place).hearing(&self.reporter);
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
                    Some(denial) if !in_batch && !self.reporter.has_told() => Err(denial),
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
        if let [Reply { ahead: Some(ahead), .. }] = replies {
            let texts = replies.iter().map(|reply| reply.text(is_batch));
            return Response::events(std::iter::once(ahead.clone()).chain(texts)).cors().no_store();
        }
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
            Refusal::Problems(_) | Refusal::Conflict | Refusal::Fault(_) | Refusal::Rehearsed(_) => None,
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
