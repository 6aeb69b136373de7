//! What an endpoint offers beyond tools, and what a message asks of it: resources, prompts, completion. Pure.

use serde_json::{Map, Value, json};

use super::{
    catalogue::Catalogue,
    fault::{Fault, Kind},
    revision::Era,
};
use crate::desk::{Arguments, Complete, PromptEntry, ResourceEntry, Scopes};
use crate::{networks, posts, profiles};

/// The resources of every room, in the order in which they are listed.
pub(super) const RESOURCES: &[&[ResourceEntry]] =
    &[profiles::RESOURCES, posts::RESOURCES, posts::VIEWS, networks::RESOURCES];

/// The prompts of every room, in the order in which they are listed.
pub(super) const PROMPTS: &[&[PromptEntry]] = &[posts::PROMPTS];

/// A resource that there may be, as far as its address tells.
pub(super) struct Reading {
    pub(super) entry: &'static ResourceEntry,
    pub(super) uri: String,
    pub(super) variables: Arguments,
}

/// A prompt that there is, with what was filled in.
pub(super) struct Writing {
    pub(super) entry: &'static PromptEntry,
    pub(super) arguments: Arguments,
}

/// An argument whose value somebody is typing.
pub(super) struct Completing {
    /// The name of what it belongs to.
    pub(super) name: &'static str,
    pub(super) needs: Scopes,
    /// Nothing where its values cannot be told.
    pub(super) source: Option<Complete>,
    pub(super) typed: String,
    pub(super) others: Arguments,
}

/// The resource that `resources/read` names.
pub(super) fn read(catalogue: &Catalogue, params: &Map<String, Value>, era: Era) -> Result<Reading, Fault> {
    let uri = text(params, "uri").ok_or_else(|| invalid("params.uri must be a resource's address."))?;
    catalogue
        .resources()
        .find_map(|entry| {
            let variables = entry.variables(uri)?;
            Some(Reading { entry, uri: uri.to_owned(), variables })
        })
        .ok_or_else(|| no_resource(uri, era))
}

/// The resource is nowhere (2026-07-28: -32602 that names it; before: -32002).
pub(super) fn no_resource(uri: &str, era: Era) -> Fault {
    let kind = match era {
        Era::Modern => Kind::InvalidParams,
        Era::Legacy => Kind::ResourceNotFound,
    };
    let message = "There is no such resource in the workspaces of this grant; resources/list and resources/templates/list tell what there is.";
    Fault { data: Some(json!({ "uri": uri })), ..Fault::new(kind, message) }
}

/// The prompt that `prompts/get` names.
pub(super) fn prompt(catalogue: &Catalogue, params: &Map<String, Value>) -> Result<Writing, Fault> {
    let name = text(params, "name").ok_or_else(|| invalid("params.name must be a prompt's name."))?;
    let entry = prompt_of(catalogue, name)?;
    Ok(Writing { entry, arguments: arguments(params.get("arguments"))? })
}

fn prompt_of(catalogue: &Catalogue, name: &str) -> Result<&'static PromptEntry, Fault> {
    catalogue
        .prompts()
        .find(|entry| entry.name == name)
        .ok_or_else(|| invalid("There is no such prompt; prompts/list names those there are."))
}

/// What `completion/complete` is about.
pub(super) fn complete(catalogue: &Catalogue, params: &Map<String, Value>) -> Result<Completing, Fault> {
    let argument = object(params, "argument")?;
    let wanted = text(argument, "name").ok_or_else(|| invalid("params.argument.name must be a string."))?;
    let typed = text(argument, "value").ok_or_else(|| invalid("params.argument.value must be a string."))?;
    let context = params.get("context").and_then(|context| context.get("arguments"));
    let others = arguments(context)?;
    let reference = object(params, "ref")?;
    let (name, needs, source) = match (text(reference, "type"), reference) {
        (Some("ref/prompt"), reference) => {
            let entry = prompt_of(catalogue, text(reference, "name").unwrap_or_default())?;
            let known = entry.arguments.iter().find(|one| one.name == wanted);
            (entry.name, entry.needs, known.map(|one| one.complete))
        }
        (Some("ref/resource"), reference) => {
            let uri = text(reference, "uri").unwrap_or_default();
            let entry =
                catalogue.resources().find(|entry| entry.is_template() && entry.template == uri).ok_or_else(
                    || invalid("There is no such template; resources/templates/list names those there are."),
                )?;
            let known = entry.completes.iter().find(|(name, _)| *name == wanted);
            (entry.name, entry.needs, known.map(|(_, source)| Some(*source)))
        }
        _ => return Err(invalid("params.ref.type must be \"ref/prompt\" or \"ref/resource\".")),
    };
    let source = source.ok_or_else(|| invalid("It has no such argument."))?;
    Ok(Completing { name, needs, source, typed: typed.to_owned(), others })
}

/// Whether `subscriptions/listen` says what it wants to hear of.
pub(super) fn listen(params: &Map<String, Value>) -> Result<(), Fault> {
    object(params, "notifications").map(drop)
}

/// Everything is on the first page, so that no cursor is ours.
pub(super) fn first_page(params: &Map<String, Value>) -> Result<(), Fault> {
    match params.get("cursor") {
        None | Some(Value::Null) => Ok(()),
        Some(_) => Err(invalid("This cursor was not given here; leave it out.")),
    }
}

/// Arguments whose values are strings.
fn arguments(given: Option<&Value>) -> Result<Arguments, Fault> {
    let pairs = match given {
        None | Some(Value::Null) => return Ok(Arguments::default()),
        Some(Value::Object(pairs)) => pairs,
        Some(_) => return Err(invalid("The arguments must be an object of strings.")),
    };
    pairs
        .iter()
        .map(|(name, value)| match value {
            Value::String(value) => Ok((name.clone(), value.clone())),
            _ => Err(invalid("The arguments must be an object of strings.")),
        })
        .collect()
}

fn object<'a>(params: &'a Map<String, Value>, name: &str) -> Result<&'a Map<String, Value>, Fault> {
    params
        .get(name)
        .and_then(Value::as_object)
        .ok_or_else(|| invalid(format!("params.{name} must be an object.")))
}

fn text<'a>(params: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    params.get(name).and_then(Value::as_str)
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(Kind::InvalidParams, message)
}
