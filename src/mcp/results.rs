//! Results, as each revision knows them; the one place where a refusal becomes what a client reads.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    catalogue::{Allowed, Catalogue, described},
    envelope,
    kept::Question,
    message::Id,
    progress::notification,
    revision::{Era, Revision},
    writer::ObjectWriter,
};
use crate::desk::{Code, Content, Contents, Facts, Problem, PromptEntry, ResourceEntry, Scopes, VIEW};

/// What the server tells a model of itself; at most 2 kB, since clients cut it there.
pub const INSTRUCTIONS: &str = include_str!("instructions.txt");

/// How long a client may keep what discovery says, in milliseconds.
const DISCOVERY_TTL: u32 = 3_600_000;

/// How long a client may keep the list of tools, which follows the grant, in milliseconds.
const LIST_TTL: u32 = 300_000;

/// How long a client may keep what it read: a post may change at any moment.
const READ_TTL: u32 = 0;

/// Most values of a completion (every revision, "Completion results").
const MAX_COMPLETIONS: usize = 100;

/// The same body for every tool. No output schema demands a member, so that it fits them all: a client in wide use
/// validates the structure of errors too.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorProblems<'a>,
}

#[derive(Serialize)]
struct ErrorProblems<'a> {
    problems: &'a [Problem],
}

/// The answer to a handshake.
pub(super) fn initialize(revision: Revision, catalogue: &Catalogue) -> String {
    ObjectWriter::default()
        .member("protocolVersion", &revision.as_str())
        .member("capabilities", &catalogue.capabilities(revision))
        .member("serverInfo", &server_info(revision))
        .member("instructions", &INSTRUCTIONS)
        .finish()
}

/// What `server/discover` tells.
pub(super) fn discover(revision: Revision, catalogue: &Catalogue) -> String {
    catalogue.kept.text(Question::Discover(revision), || {
        let members = ObjectWriter::default()
            .member("supportedVersions", &Revision::OFFERED)
            .member("capabilities", &catalogue.capabilities(revision))
            .member("instructions", &INSTRUCTIONS);
        complete(revision, cacheable(revision, members, DISCOVERY_TTL))
    })
}

/// The list of tools.
pub(super) fn tools(revision: Revision, catalogue: &Catalogue, allowed: Allowed) -> String {
    catalogue.kept.text(Question::ListTools(revision, catalogue.as_far_as_it_matters(allowed)), || {
        let members = ObjectWriter::default().raw("tools", &catalogue.listing(revision, allowed));
        complete(revision, cacheable(revision, members, LIST_TTL))
    })
}

/// The resources that are always there, for a caller of these facts.
pub(super) fn resources(
    revision: Revision,
    catalogue: &Catalogue,
    allowed: Allowed,
    facts: &Facts,
) -> String {
    let listed = offered(catalogue.resources(), allowed, |entry| entry.needs).flat_map(|entry| {
        (entry.list)(facts).into_iter().map(move |one| {
            let about = ObjectWriter::default().member("uri", &one.uri).member("name", &one.title);
            about_resource(about, revision, entry, allowed, &one.title)
        })
    });
    list(revision, "resources", listed)
}

/// The kinds of resources that have variables.
pub(super) fn templates(revision: Revision, catalogue: &Catalogue, allowed: Allowed) -> String {
    let templates = offered(catalogue.resources(), allowed, |entry| entry.needs)
        .filter(|entry| entry.is_template())
        .map(|entry| {
            let about =
                ObjectWriter::default().member("uriTemplate", &entry.template).member("name", &entry.name);
            about_resource(about, revision, entry, allowed, entry.title)
        });
    list(revision, "resourceTemplates", templates)
}

fn about_resource(
    about: ObjectWriter,
    revision: Revision,
    entry: &ResourceEntry,
    allowed: Allowed,
    title: &str,
) -> String {
    titled(about, revision, title)
        .member("description", &described(entry.description, entry.needs.without(allowed.granted)))
        .member("mimeType", &entry.mime_type)
        .finish()
}

/// What a resource holds, in each of its forms.
pub(super) fn contents(revision: Revision, uri: &str, contents: &[Contents]) -> String {
    let contents: Vec<String> = contents.iter().map(|one| resource(revision, uri, one)).collect();
    let members = ObjectWriter::default().raw("contents", &array(contents));
    complete(revision, cacheable(revision, members, READ_TTL))
}

fn resource(revision: Revision, uri: &str, contents: &Contents) -> String {
    let data = if contents.is_binary { "blob" } else { "text" };
    let is_view = contents.mime_type == VIEW && revision.knows_structure();
    ObjectWriter::default()
        .member("uri", &uri)
        .member("mimeType", &contents.mime_type)
        .member(data, &contents.data)
        .optional("_meta", is_view.then(needs_nothing).as_ref())
        .finish()
}

/// What a view asks of its host (MCP Apps 2026-01-26, `UIResourceMeta`): a border, and no address, device or origin.
fn needs_nothing() -> Value {
    json!({ "ui": { "csp": {}, "prefersBorder": true } })
}

/// The list of prompts.
pub(super) fn prompts(revision: Revision, catalogue: &Catalogue, allowed: Allowed) -> String {
    let prompts = offered(catalogue.prompts(), allowed, |entry| entry.needs).map(|entry| {
        let arguments = entry.arguments.iter().map(|argument| {
            ObjectWriter::default()
                .member("name", &argument.name)
                .member("description", &argument.description)
                .member("required", &argument.required)
                .finish()
        });
        titled(ObjectWriter::default().member("name", &entry.name), revision, entry.title)
            .member("description", &described(entry.description, entry.needs.without(allowed.granted)))
            .raw("arguments", &array(arguments))
            .finish()
    });
    list(revision, "prompts", prompts)
}

/// The messages of a prompt.
pub(super) fn prompt(revision: Revision, entry: &PromptEntry, messages: &[Content]) -> String {
    let messages = messages.iter().map(|content| {
        ObjectWriter::default()
            .member("role", &"user")
            .raw("content", &prompt_content(revision, content))
            .finish()
    });
    let members =
        ObjectWriter::default().member("description", &entry.description).raw("messages", &array(messages));
    complete(revision, members)
}

fn prompt_content(revision: Revision, content: &Content) -> String {
    match content {
        Content::Text(text) => ObjectWriter::default().member("type", &"text").member("text", text).finish(),
        Content::Resource { uri, contents } => ObjectWriter::default()
            .member("type", &"resource")
            .raw("resource", &resource(revision, uri, contents))
            .finish(),
        #[cfg(feature = "contract")]
        Content::Image(image) => ObjectWriter::default()
            .member("type", &"image")
            .member("data", &image.data)
            .member("mimeType", &image.mime_type)
            .finish(),
    }
}

/// The first hundred values that fit what was typed.
pub(super) fn completion(revision: Revision, values: &[String]) -> String {
    let first = values.get(..MAX_COMPLETIONS).unwrap_or(values);
    let completion = ObjectWriter::default()
        .member("values", &first)
        .member("total", &values.len())
        .member("hasMore", &(values.len() > first.len()))
        .finish();
    complete(revision, ObjectWriter::default().raw("completion", &completion))
}

/// What a subscription hears, and its end: nothing here changes that is not asked for, so that there is nothing to hear.
pub(super) fn subscription(revision: Revision, id: &Id) -> (String, String) {
    let meta = ObjectWriter::default().member(envelope::SUBSCRIPTION_ID, id).finish();
    let params = ObjectWriter::default().raw("notifications", "{}").raw("_meta", &meta).finish();
    let acknowledged = notification("notifications/subscriptions/acknowledged", &params);
    let about = ObjectWriter::default()
        .member(envelope::SERVER_INFO, &server_info(revision))
        .member(envelope::SUBSCRIPTION_ID, id);
    let ended =
        ObjectWriter::default().member("resultType", &"complete").raw("_meta", &about.finish()).finish();
    (acknowledged, ended)
}

/// What the person's role allows, granted or not.
fn offered<T: 'static>(
    all: impl Iterator<Item = &'static T>,
    allowed: Allowed,
    needs: fn(&T) -> Scopes,
) -> impl Iterator<Item = &'static T> {
    all.filter(move |entry| allowed.possible.contains(needs(entry)))
}

fn titled(members: ObjectWriter, revision: Revision, title: &str) -> ObjectWriter {
    if revision.knows_structure() { members.member("title", &title) } else { members }
}

fn list(revision: Revision, name: &'static str, listed: impl Iterator<Item = String>) -> String {
    let members = ObjectWriter::default().raw(name, &array(listed));
    complete(revision, cacheable(revision, members, LIST_TTL))
}

fn array(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    format!("[{}]", items.join(","))
}

/// A result without anything in it.
pub(super) fn empty(revision: Revision) -> String {
    complete(revision, ObjectWriter::default())
}

/// The `resultType` of a result that asks for more.
#[cfg(feature = "contract")]
pub(super) const INPUT_REQUIRED: &str = "input_required";

/// What a fixture of the conformance suite gave: members, and what every result says unless they say it.
#[cfg(feature = "contract")]
pub(super) fn of_fixture(revision: Revision, members: &Value) -> String {
    let mut members = members.clone();
    if let (Era::Modern, Some(members)) = (revision.era(), members.as_object_mut()) {
        members.entry("resultType").or_insert(json!("complete"));
        members.insert("_meta".to_owned(), json!({ (envelope::SERVER_INFO): server_info(revision) }));
    }
    members.to_string()
}

/// What a tool gave, as JSON text.
pub(super) fn tool_result(revision: Revision, output: &str) -> String {
    let members = ObjectWriter::default().member("content", &text_content(output));
    complete(revision, structured(revision, members, output))
}

/// Why a tool did nothing.
pub(super) fn tool_error(revision: Revision, problems: &[Problem]) -> String {
    let members = ObjectWriter::default()
        .member("content", &text_content(&in_words(problems)))
        .member("isError", &true);
    let body = serde_json::to_string(&ErrorBody { error: ErrorProblems { problems } }).unwrap_or_default();
    complete(revision, structured(revision, members, &body))
}

fn server_info(revision: Revision) -> Value {
    if revision.knows_structure() {
        json!({ "name": "postern", "title": "Postern", "version": env!("CARGO_PKG_VERSION") })
    } else {
        json!({ "name": "postern", "version": env!("CARGO_PKG_VERSION") })
    }
}

fn text_content(text: &str) -> Value {
    json!([{ "type": "text", "text": text }])
}

fn structured(revision: Revision, members: ObjectWriter, json: &str) -> ObjectWriter {
    if revision.knows_structure() { members.raw("structuredContent", json) } else { members }
}

fn cacheable(revision: Revision, members: ObjectWriter, ttl_millis: u32) -> ObjectWriter {
    match revision.era() {
        Era::Modern => members.member("ttlMs", &ttl_millis).member("cacheScope", &"private"),
        Era::Legacy => members,
    }
}

/// The result, with what every modern result says.
fn complete(revision: Revision, members: ObjectWriter) -> String {
    match revision.era() {
        Era::Modern => members
            .member("resultType", &"complete")
            .member("_meta", &json!({ (envelope::SERVER_INFO): server_info(revision) }))
            .finish(),
        Era::Legacy => members.finish(),
    }
}

/// The problems as a model reads them: everything that the structure holds.
fn in_words(problems: &[Problem]) -> String {
    let mut words = if problems.iter().any(|problem| problem.code == Code::OutcomeUnknown) {
        "Not answered; something may have been changed.".to_owned()
    } else {
        format!("Refused, nothing was changed. Problems: {}.", problems.len())
    };
    for (index, problem) in problems.iter().enumerate() {
        let place = if problem.field.is_empty() { String::new() } else { format!(" at {}", problem.field) };
        words.push_str(&format!(
            "\n{}. {}{place}: {} {}",
            index + 1,
            problem.code.as_str(),
            problem.message,
            problem.hint
        ));
        if let Some(next) = &problem.next {
            words.push_str(&format!(" Call: {} {}", next.tool, next.arguments));
        }
    }
    words
}
