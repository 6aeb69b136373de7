//! The ladder: what a request asks for, judged whole before anything runs. Pure; the clauses are those of the
//! revisions' "Streamable HTTP" chapters, for both eras on one endpoint.

use serde_json::{Map, Value};

use super::{
    catalogue::{Catalogue, Tool},
    envelope,
    fault::{Fault, Kind},
    headers,
    message::{Id, Malformed, Message, Request},
    narrow,
    offers::{self, Completing, Reading, Writing},
    progress,
    revision::{self, Era, Revision},
    shape,
};
use crate::desk::{Problem, Scopes, Selection};
use crate::http;
use crate::platform::Config;

/// Most messages of a batch.
pub const MAX_BATCH: usize = 20;

/// A request, judged.
pub(super) struct Judged<'c> {
    /// The revision in which it is answered.
    pub(super) revision: Revision,
    /// Whether the answer is an array.
    pub(super) is_batch: bool,
    /// The tools that the request leaves itself.
    pub(super) selection: Selection,
    /// What has an answer, in order.
    pub(super) elements: Vec<Element<'c>>,
    /// The token with which its client waits for news of its progress.
    pub(super) progress: Option<Value>,
}

/// A message that has an answer.
pub(super) struct Element<'c> {
    pub(super) id: Option<Id>,
    pub(super) asked: Result<Action<'c>, Fault>,
}

/// What a message asks for.
pub(super) enum Action<'c> {
    Initialize,
    Ping,
    Discover,
    ListTools,
    CallTool(ToolCall<'c>),
    ListResources,
    ListTemplates,
    ReadResource(Reading),
    ListPrompts,
    GetPrompt(Writing),
    Complete(Completing),
    Listen,
    #[cfg(feature = "contract")]
    Fixture(super::fixtures::Call),
}

/// What the gate is asked for on behalf of an element.
pub(super) struct Errand {
    /// What it is called in the audit.
    pub(super) name: &'static str,
    /// What it needs, as far as that can be told.
    pub(super) needs: Scopes,
    /// What it needs whatever its arguments.
    pub(super) own: Scopes,
}

impl Errand {
    const fn of(name: &'static str, own: Scopes) -> Self {
        Self { name, needs: own, own }
    }
}

impl Action<'_> {
    /// What it asks of the gate, if it is about a tenant's data.
    pub(super) fn errand(&self) -> Option<Errand> {
        match self {
            Self::CallTool(call) => {
                let entry = &call.tool.entry;
                Some(Errand { needs: call.needs(), ..Errand::of(entry.name, entry.needs) })
            }
            Self::ReadResource(Reading { entry, .. }) => Some(Errand::of(entry.name, entry.needs)),
            Self::GetPrompt(Writing { entry, .. }) => Some(Errand::of(entry.name, entry.needs)),
            Self::Complete(Completing { name, needs, .. }) => Some(Errand::of(name, *needs)),
            _ => None,
        }
    }
}

/// A call of a tool that exists.
pub(super) struct ToolCall<'c> {
    pub(super) tool: &'c Tool,
    pub(super) arguments: Value,
    /// Whether the arguments have the shape that the tool's schema demands.
    pub(super) in_shape: bool,
    /// Why the tool is not called, whatever its arguments.
    pub(super) barred: Option<Box<Problem>>,
}

impl ToolCall<'_> {
    /// Whether the tool itself hears of the call first.
    pub(super) const fn is_callable(&self) -> bool {
        self.in_shape && self.barred.is_none()
    }

    /// The capabilities that the call needs, as far as its arguments could be read.
    pub(super) fn needs(&self) -> Scopes {
        if self.is_callable() { self.tool.entry.needs_of(&self.arguments) } else { self.tool.entry.needs }
    }
}

impl<'c> Judged<'c> {
    /// The calls of tools among the elements.
    pub(super) fn calls(&self) -> impl Iterator<Item = &ToolCall<'c>> {
        self.elements.iter().filter_map(|element| match &element.asked {
            Ok(Action::CallTool(call)) => Some(call),
            _ => None,
        })
    }

    /// What the elements ask of the gate.
    pub(super) fn errands(&self) -> impl Iterator<Item = Errand> {
        self.elements.iter().filter_map(|element| element.asked.as_ref().ok()?.errand())
    }

    fn one(revision: Revision, id: Option<Id>, asked: Result<Action<'c>, Fault>) -> Self {
        Self { elements: vec![Element { id, asked }], ..Self::accepted(revision) }
    }

    /// Nothing that has an answer.
    const fn accepted(revision: Revision) -> Self {
        Self {
            revision,
            is_batch: false,
            selection: Selection::EVERYTHING,
            elements: Vec::new(),
            progress: None,
        }
    }

    /// The same, of which nothing runs that the request itself leaves out; nor anything at all, where it names what is
    /// not known.
    fn narrowed(mut self, asked: Result<Selection, Fault>) -> Self {
        match asked {
            Ok(selection) => {
                self.selection = selection;
                for element in &mut self.elements {
                    if let Ok(Action::CallTool(call)) = &mut element.asked
                        && !selection.contains(call.tool.place)
                    {
                        call.barred = Some(Box::new(narrow::refusal(selection)));
                    }
                }
            }
            Err(fault) => {
                for element in self.elements.iter_mut().filter(|element| element.asked.is_ok()) {
                    element.asked = Err(fault.clone());
                }
            }
        }
        self
    }
}

/// Judges a request that was authenticated.
pub(super) fn judge<'c>(catalogue: &'c Catalogue, config: &Config, http: &http::Request) -> Judged<'c> {
    let judged =
        headers::check_transport(config, http).and_then(|()| parse(&http.body)).and_then(|body| match body {
            Value::Array(messages) => batch(catalogue, http, messages),
            message => Ok(single(catalogue, http, message)),
        });
    judged
        .unwrap_or_else(|fault| Judged::one(Revision::NEWEST, None, Err(fault)))
        .narrowed(narrow::asked(http))
}

fn parse(body: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(body).map_err(|_| Fault::new(Kind::NotJson, "The body is not JSON."))
}

/// A batch: only where the revision has them (2025-03-26), and never of modern requests.
fn batch<'c>(
    catalogue: &'c Catalogue,
    http: &http::Request,
    messages: Vec<Value>,
) -> Result<Judged<'c>, Fault> {
    let refused = |why: &str| Fault::new(Kind::InvalidRequest, why);
    let revision = legacy_revision(http)
        .ok()
        .filter(|revision| revision.takes_batches() && !messages.iter().any(envelope::is_in))
        .ok_or_else(|| refused("This protocol version has no batches; send one message."))?;
    if messages.is_empty() || messages.len() > MAX_BATCH {
        return Err(refused("A batch has 1 to 20 messages."));
    }
    let elements = messages.into_iter().filter_map(|message| batched(catalogue, revision, message)).collect();
    Ok(Judged { is_batch: true, elements, ..Judged::accepted(revision) })
}

fn batched(catalogue: &Catalogue, revision: Revision, message: Value) -> Option<Element<'_>> {
    match Message::read(message) {
        Ok(Message::Notification | Message::Response) => None,
        Ok(Message::Request(request)) if request.method == INITIALIZE => {
            let fault = Fault::new(Kind::InvalidRequest, "initialize is never part of a batch.");
            Some(Element { id: Some(request.id), asked: Err(fault) })
        }
        Ok(Message::Request(request)) => {
            let asked = action(catalogue, revision, &request.method, request.params);
            Some(Element { id: Some(request.id), asked })
        }
        Err(Malformed { id, fault }) => Some(Element { id, asked: Err(fault) }),
    }
}

fn single<'c>(catalogue: &'c Catalogue, http: &http::Request, message: Value) -> Judged<'c> {
    let is_modern =
        envelope::is_in(&message) || headers::revision(http).is_some_and(revision::is_modern_date);
    let era = if is_modern { Revision::NEWEST } else { Revision::UNNAMED };
    match Message::read(message) {
        Ok(Message::Notification) => Judged::accepted(era),
        Ok(Message::Response) if is_modern => {
            let fault = Fault::new(Kind::InvalidRequest, "Nothing was asked of this client.");
            Judged::one(era, None, Err(fault))
        }
        Ok(Message::Response) => Judged::accepted(era),
        Ok(Message::Request(request)) => match revision_of(http, &request) {
            Ok(revision) => {
                let progress = progress::token(http, &request.params);
                #[cfg(feature = "contract")]
                let mirrored = super::fixtures::check_mirror(catalogue, revision, http, &request);
                let asked = action(catalogue, revision, &request.method, request.params);
                #[cfg(feature = "contract")]
                let asked = mirrored.and(asked);
                Judged { progress, ..Judged::one(revision, Some(request.id), asked) }
            }
            Err(fault) => Judged::one(Revision::NEWEST, Some(request.id), Err(fault)),
        },
        Err(Malformed { id, fault }) => Judged::one(era, id, Err(fault)),
    }
}

/// The revision of a request: its envelope's, the one that a handshake settles on, or its header's.
fn revision_of(http: &http::Request, request: &Request) -> Result<Revision, Fault> {
    match envelope::find(&request.params) {
        Some(meta) => modern_revision(http, request, meta),
        None if request.method == INITIALIZE => {
            let asked = request.params.get("protocolVersion").and_then(Value::as_str);
            Ok(Revision::negotiated(asked))
        }
        None => legacy_revision(http),
    }
}

fn modern_revision(
    http: &http::Request,
    request: &Request,
    meta: &Map<String, Value>,
) -> Result<Revision, Fault> {
    let version = envelope::version(meta)?;
    headers::check_mirror(http, request, version)?;
    Revision::parse(version)
        .filter(|revision| revision.era() == Era::Modern)
        .ok_or_else(|| Fault::unsupported_revision(version))
}

fn legacy_revision(http: &http::Request) -> Result<Revision, Fault> {
    let Some(named) = headers::revision(http) else { return Ok(Revision::UNNAMED) };
    match Revision::parse(named) {
        Some(revision) if revision.era() == Era::Legacy => Ok(revision),
        _ if revision::is_modern_date(named) => Err(envelope::absent()),
        _ => Err(Fault::unsupported_revision(named)),
    }
}

const INITIALIZE: &str = "initialize";

fn action<'c>(
    catalogue: &'c Catalogue,
    revision: Revision,
    method: &str,
    params: Map<String, Value>,
) -> Result<Action<'c>, Fault> {
    #[cfg(feature = "contract")]
    if catalogue.is_fixture(revision.era(), method, &params) {
        return Ok(Action::Fixture(super::fixtures::Call { method: method.to_owned(), params }));
    }
    match (method, revision.era()) {
        _ if !catalogue.offers(method) => Err(unknown_method()),
        (INITIALIZE, Era::Legacy) => Ok(Action::Initialize),
        ("ping", Era::Legacy) => Ok(Action::Ping),
        ("server/discover", Era::Modern) => Ok(Action::Discover),
        ("tools/list", _) => offers::first_page(&params).map(|()| Action::ListTools),
        ("tools/call", _) => call_tool(catalogue, params).map(Action::CallTool),
        ("resources/list", _) => offers::first_page(&params).map(|()| Action::ListResources),
        ("resources/templates/list", _) => offers::first_page(&params).map(|()| Action::ListTemplates),
        ("resources/read", era) => offers::read(catalogue, &params, era).map(Action::ReadResource),
        ("prompts/list", _) => offers::first_page(&params).map(|()| Action::ListPrompts),
        ("prompts/get", _) => offers::prompt(catalogue, &params).map(Action::GetPrompt),
        ("completion/complete", _) => offers::complete(catalogue, &params).map(Action::Complete),
        ("subscriptions/listen", Era::Modern) => offers::listen(&params).map(|()| Action::Listen),
        _ => Err(unknown_method()),
    }
}

fn unknown_method() -> Fault {
    Fault::new(Kind::UnknownMethod, "This method is not known here.")
}

fn call_tool(catalogue: &Catalogue, mut params: Map<String, Value>) -> Result<ToolCall<'_>, Fault> {
    let name = params
        .get("name")
        .and_then(Value::as_str)
        .ok_or_else(|| Fault::new(Kind::InvalidParams, "params.name must be a tool's name."))?;
    let tool = catalogue.find(name).ok_or_else(|| unknown_tool(catalogue, name))?;
    let mut arguments = match params.remove("arguments") {
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(arguments) => arguments,
    };
    shape::tidy(&tool.input, &mut arguments);
    let in_shape = shape::check(&tool.input, &arguments).is_empty();
    Ok(ToolCall { tool, arguments, in_shape, barred: None })
}

fn unknown_tool(catalogue: &Catalogue, name: &str) -> Fault {
    let message = match catalogue.nearest(name) {
        Some(meant) => format!("There is no such tool. Did you mean {meant}?"),
        None => "There is no such tool; tools/list names those there are.".to_owned(),
    };
    Fault::new(Kind::InvalidParams, message)
}
