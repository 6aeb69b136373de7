//! Results, as each revision knows them; the one place where a refusal becomes what a client reads.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    catalogue::{Allowed, Catalogue},
    envelope,
    kept::Question,
    revision::{Era, Revision},
    writer::ObjectWriter,
};
use crate::desk::{Code, Problem};

/// What the server tells a model of itself; at most 2 kB, since clients cut it there.
pub const INSTRUCTIONS: &str = include_str!("instructions.txt");

/// How long a client may keep what discovery says, in milliseconds.
const DISCOVERY_TTL: u32 = 3_600_000;

/// How long a client may keep the list of tools, which follows the grant, in milliseconds.
const LIST_TTL: u32 = 300_000;

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
pub(super) fn initialize(revision: Revision) -> String {
    ObjectWriter::default()
        .member("protocolVersion", &revision.as_str())
        .member("capabilities", &capabilities())
        .member("serverInfo", &server_info(revision))
        .member("instructions", &INSTRUCTIONS)
        .finish()
}

/// What `server/discover` tells.
pub(super) fn discover(revision: Revision, catalogue: &Catalogue) -> String {
    catalogue.kept.text(Question::Discover(revision), || {
        let members = ObjectWriter::default()
            .member("supportedVersions", &Revision::OFFERED)
            .member("capabilities", &capabilities())
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

/// A result without anything in it.
pub(super) fn empty(revision: Revision) -> String {
    complete(revision, ObjectWriter::default())
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

fn capabilities() -> Value {
    json!({ "tools": {} })
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
