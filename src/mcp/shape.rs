//! The first of the two passes over arguments: their shape, against the schema that the tool shows.
//!
//! All problems are found, each with the path of its field; what the values mean is the tool's own pass.

use serde_json::{Map, Value};

use crate::desk::{Code, Fix, Problem, nearest};

/// The JSON Schema keywords that are checked. A schema of ours uses these and [`ANNOTATIONS`], no others.
pub const KEYWORDS: [&str; 12] = [
    "type",
    "properties",
    "required",
    "additionalProperties",
    "enum",
    "items",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
];

/// The JSON Schema keywords that say something and demand nothing.
pub const ANNOTATIONS: [&str; 1] = ["description"];

/// Beyond so many problems a call is noise, and its answer would be larger than it.
const MAX_PROBLEMS: usize = 50;

/// The longest name or value of the caller's that is said back.
const MAX_ECHO: usize = 64;

/// Leaves out members that are null, which clients write for optional fields that they do not fill, and writes whole numbers
/// as such: `2.0` is an integer (JSON Schema 2020-12, 4.2.3). What stands under an open schema (no `properties`) is kept as it is.
pub fn tidy(schema: &Value, arguments: &mut Value) {
    match arguments {
        Value::Object(members) => {
            let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
            members.retain(|name, value| !(value.is_null() && properties.contains_key(name)));
            for (name, value) in members {
                if let Some(schema) = properties.get(name) {
                    tidy(schema, value);
                }
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            items.iter_mut().for_each(|item| tidy(schema, item));
        }
        Value::Number(number) if schema.get("type").and_then(Value::as_str) == Some("integer") => {
            if let Some(whole) = whole(number) {
                *arguments = whole.into();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Every way in which `arguments` do not have the shape that `schema` demands, at most 50.
pub fn check(schema: &Value, arguments: &Value) -> Vec<Problem> {
    let mut findings = Findings { problems: Vec::new() };
    findings.check(schema, arguments, "");
    findings.problems
}

struct Findings {
    problems: Vec<Problem>,
}

impl Findings {
    fn add(&mut self, code: Code, field: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.add_fixed(code, field, message, hint, None);
    }

    fn add_fixed(
        &mut self,
        code: Code,
        field: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
        fix: Option<Fix>,
    ) {
        if !self.is_full() {
            self.problems.push(Problem { fix, ..Problem::new(code, field, hint).message(message) });
        }
    }

    fn is_full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    fn check(&mut self, schema: &Value, value: &Value, field: &str) {
        if let Some(wanted) = schema.get("type").and_then(Value::as_str)
            && !is_a(value, wanted)
            && !is_huge(value, wanted)
        {
            let meant = meant_value(wanted, schema, value);
            let hint = match (&meant, wanted) {
                (Some(meant), "array" | "string") => {
                    format!("Give {}: {meant}.", with_article(wanted))
                }
                (Some(meant), ..) => format!("Give it without quotes: {meant}."),
                (None, ..) => format!("Give {}.", with_article(wanted)),
            };
            self.add_fixed(
                Code::WrongType,
                field,
                format!("It is {}; it must be {}.", with_article(type_of(value)), with_article(wanted)),
                hint,
                Some(meant.map_or_else(|| Fix::Suppose(stand_in(schema)), |meant| as_meant(value, meant))),
            );
            return;
        }
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array) {
            self.check_list(allowed, value, field);
        }
        match value {
            Value::Object(members) => self.check_members(schema, members, field),
            Value::Array(items) => self.check_items(schema, items, field),
            Value::String(text) => {
                self.check_range(
                    schema,
                    ["minLength", "maxLength"],
                    text.chars().count(),
                    "characters",
                    field,
                );
            }
            Value::Number(number) => self.check_number(schema, number, field),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn check_list(&mut self, allowed: &[Value], value: &Value, field: &str) {
        if allowed.contains(value) {
            return;
        }
        let names = names(allowed);
        let given = value.as_str().unwrap_or_default();
        let meant = nearest(given, names.iter().copied());
        let hint = match meant {
            Some(name) => format!("Did you mean \"{name}\"? Allowed: {}.", names.join(", ")),
            None => format!("Use one of: {}.", names.join(", ")),
        };
        let message = format!("\"{}\" is not one of those allowed.", echo(given));
        let supposed = || allowed.first().cloned().map(Fix::Suppose);
        let fix = meant.map(|name| Fix::Set(name.into())).or_else(supposed);
        self.add_fixed(Code::NotInList, field, message, hint, fix);
    }

    fn check_members(&mut self, schema: &Value, members: &Map<String, Value>, field: &str) {
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                self.add_fixed(
                    Code::Missing,
                    &join(field, name),
                    Code::Missing.sentence(),
                    filling(name, properties.get(name)),
                    properties.get(name).map(|schema| Fix::Suppose(stand_in(schema))),
                );
            }
        }
        let others = schema.get("additionalProperties");
        for (name, value) in members {
            if self.is_full() {
                return;
            }
            match (properties.get(name), others) {
                (Some(schema), _) => self.check(schema, value, &join(field, name)),
                (None, Some(Value::Bool(false))) => self.add_unknown(properties, members, field, name),
                (None, Some(schema)) => self.check(schema, value, &join(field, &echo(name))),
                (None, None) => {}
            }
        }
    }

    fn add_unknown(
        &mut self,
        properties: &Map<String, Value>,
        members: &Map<String, Value>,
        field: &str,
        name: &str,
    ) {
        let known = || properties.keys().map(String::as_str);
        let message = Code::UnknownField.sentence();
        if let Some((list, fixes)) = moved_into_items(properties, members, field, name) {
            let hint = format!("Give it in each of {list}: {list}[0].{name}.");
            let fix = Some(Fix::Elsewhere(fixes));
            return self.add_fixed(Code::UnknownField, &join(field, &echo(name)), message, hint, fix);
        }
        let meant = nearest(name, known())
            .or_else(|| only_ending(name, known()))
            .or_else(|| only_beginning(name, known()));
        let hint = match meant {
            Some(meant) => format!("Did you mean {}?", join(field, meant)),
            None if properties.is_empty() => "Leave it out; there are no fields here.".to_owned(),
            None => format!("Leave it out, or use one of: {}.", known().collect::<Vec<_>>().join(", ")),
        };
        let fix = meant.map_or(Fix::Remove, |meant| Fix::Rename(meant.to_owned()));
        self.add_fixed(Code::UnknownField, &join(field, &echo(name)), message, hint, Some(fix));
    }

    fn check_items(&mut self, schema: &Value, items: &[Value], field: &str) {
        self.check_range(schema, ["minItems", "maxItems"], items.len(), "items", field);
        let Some(schema) = schema.get("items") else { return };
        for (index, item) in items.iter().enumerate() {
            if self.is_full() {
                return;
            }
            self.check(schema, item, &format!("{field}[{index}]"));
        }
    }

    fn check_range(
        &mut self,
        schema: &Value,
        [least, most]: [&str; 2],
        size: usize,
        unit: &str,
        field: &str,
    ) {
        let bound = |keyword| schema.get(keyword).and_then(Value::as_u64);
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        if let Some(least) = bound(least).filter(|least| size < *least) {
            self.add(
                Code::OutOfRange,
                field,
                format!("It has {size} {unit}; at least {least} are needed."),
                format!("Give at least {least} {unit}."),
            );
        }
        if let Some(most) = bound(most).filter(|most| size > *most) {
            let message = format!("It has {size} {unit}; at most {most} are allowed.");
            let (hint, fix) = match unit {
                "items" => (
                    format!(
                        "Give at most {most} items: the corrected call has the first {most}; give the other {} in another one.",
                        size - most
                    ),
                    usize::try_from(most).ok().map(Fix::Keep),
                ),
                _ => (format!("Give at most {most} {unit}."), None),
            };
            self.add_fixed(Code::OutOfRange, field, message, hint, fix);
        }
    }

    /// Integers have a range even where the schema names none: what JSON carries exactly (RFC 8259, section 6).
    fn check_number(&mut self, schema: &Value, number: &serde_json::Number, field: &str) {
        let bound = |keyword| schema.get(keyword).and_then(Value::as_f64);
        let exact =
            schema.get("type").and_then(Value::as_str).filter(|wanted| *wanted == "integer").map(|_| EXACT);
        let value = number.as_f64().unwrap_or(f64::NAN);
        let least = bound("minimum").or(exact.map(|most| -most));
        let most = bound("maximum").or(exact);
        let too_small = least.is_some_and(|least| value < least);
        let too_large = most.is_some_and(|most| value > most);
        if too_small || too_large {
            let hint = match (least, most) {
                (Some(least), Some(most)) => format!("Give a number from {least} to {most}."),
                (Some(least), None) => format!("Give a number of at least {least}."),
                (_, Some(most)) => format!("Give a number of at most {most}."),
                (None, None) => String::new(),
            };
            let keyword = if too_small { "minimum" } else { "maximum" };
            let fix = schema.get(keyword).cloned().map_or_else(|| Fix::Suppose(stand_in(schema)), Fix::Set);
            let message = format!("{number} is outside the range.");
            self.add_fixed(Code::OutOfRange, field, message, hint, Some(fix));
        }
    }
}

/// The largest integer that every reader of JSON has exactly.
const EXACT: f64 = 9_007_199_254_740_991.0;

/// The integer that a number written with a fraction or an exponent is; only where that is exact.
fn whole(number: &serde_json::Number) -> Option<i64> {
    let float =
        number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT)?;
    format!("{float:.0}").parse().ok()
}

fn is_a(value: &Value, wanted: &str) -> bool {
    match wanted {
        "integer" => value.is_i64() || value.is_u64(),
        wanted => type_of(value) == wanted,
    }
}

/// Whether it is a whole number that no integer holds: it is told its range.
fn is_huge(value: &Value, wanted: &str) -> bool {
    wanted == "integer" && value.as_f64().is_some_and(|number| number.abs() > EXACT)
}

const fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn with_article(name: &str) -> String {
    match name {
        "null" => name.to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    }
}

/// The value as it should have been written, where it only lacks the brackets or the quotes, or has quotes too many.
fn meant_value(wanted: &str, schema: &Value, value: &Value) -> Option<Value> {
    let item = schema.get("items");
    let item_type = item.and_then(|items| items.get("type")).and_then(Value::as_str);
    let written = value.to_string();
    if written.len() > MAX_ECHO {
        return None;
    }
    match (wanted, value) {
        ("array", _) if item_type.is_some_and(|item| is_a(value, item)) => {
            Some(Value::Array(vec![value.clone()]))
        }
        ("string", Value::Number(_) | Value::Bool(_)) => Some(Value::String(written)),
        ("integer" | "number" | "boolean" | "array" | "object", Value::String(text)) => {
            let quoted = serde_json::from_str(text).ok().filter(|inner| is_a(inner, wanted));
            quoted.or_else(|| match item {
                Some(item) => Some(Value::Array(vec![told_short(item, text)?])),
                None => told_short(schema, text),
            })
        }
        _ => None,
    }
}

/// What makes the value the one that was meant. Of a number or a truth that stands for a text it is a guess.
fn as_meant(given: &Value, meant: Value) -> Fix {
    if meant.is_string() && !given.is_string() { Fix::Set(meant) } else { Fix::Write(meant) }
}

/// The object of which only one member was said: the one that it cannot do without, the address, or the id.
fn told_short(schema: &Value, text: &str) -> Option<Value> {
    let properties = schema.get("properties")?.as_object()?;
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let is_id_of = |name: &&str| {
        name.ends_with("_id") && text.split_once('_').is_some_and(|(kind, _)| name.starts_with(kind))
    };
    let name = match required.as_slice() {
        [only] => *only,
        [] if text.contains("://") => "url",
        [] => properties.keys().map(String::as_str).find(is_id_of)?,
        _ => return None,
    };
    let takes_text = properties.get(name)?.get("type")?.as_str()? == "string";
    takes_text.then(|| Value::Object(Map::from_iter([(name.to_owned(), text.into())])))
}

/// The list whose items have the field that was given beside it, and what gives it to each that has none.
fn moved_into_items(
    properties: &Map<String, Value>,
    members: &Map<String, Value>,
    field: &str,
    name: &str,
) -> Option<(String, Vec<(String, Fix)>)> {
    let takes_it =
        |schema: &Value| schema.pointer("/items/properties").and_then(|fields| fields.get(name)).is_some();
    let (list, _) = properties.iter().find(|(_, schema)| takes_it(schema))?;
    let items = members.get(list)?.as_array()?;
    let value = members.get(name)?;
    let list = join(field, list);
    let lacking = items.iter().enumerate().filter(|(_, item)| item.is_object() && item.get(name).is_none());
    let given = lacking.map(|(index, _)| (format!("{list}[{index}].{name}"), Fix::Write(value.clone())));
    let fixes = std::iter::once((join(field, name), Fix::Remove)).chain(given).collect();
    Some((list, fixes))
}

/// A value of the type that a schema demands, which says nothing.
fn stand_in(schema: &Value) -> Value {
    if let Some(first) = schema.get("enum").and_then(Value::as_array).and_then(|allowed| allowed.first()) {
        return first.clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => Value::String(String::new()),
        Some("array") => Value::Array(Vec::new()),
        Some("boolean") => Value::Bool(false),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| 0.into()),
        Some("object") => {
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            let members = required.filter_map(Value::as_str).filter_map(|name| {
                let schema = schema.get("properties")?.get(name)?;
                Some((name.to_owned(), stand_in(schema)))
            });
            Value::Object(members.collect())
        }
        _ => Value::Null,
    }
}

fn filling(name: &str, schema: Option<&Value>) -> String {
    let allowed =
        schema.and_then(|schema| schema.get("enum")).and_then(Value::as_array).map(Vec::as_slice).map(names);
    let choices = allowed.map(|names| format!(" One of: {}.", names.join(", "))).unwrap_or_default();
    match schema.and_then(|schema| schema.get("description")).and_then(Value::as_str) {
        Some(description) => format!("Give {name}: {description}{choices}"),
        None => format!("Give {name}.{choices}"),
    }
}

fn names(allowed: &[Value]) -> Vec<&str> {
    allowed.iter().filter_map(Value::as_str).collect()
}

fn join(field: &str, name: &str) -> String {
    if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") }
}

/// The one name that ends in `_given`: `post_id` for `id`.
fn only_ending<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    only(known.filter(|name| name.strip_suffix(given).is_some_and(|start| start.ends_with('_'))))
}

/// The one name that says the same with or without what it is: `post_id` for `post`, `alt` for `alt_text`.
fn only_beginning<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const KINDS: [&str; 5] = ["_id", "_ids", "_text", "_url", "_urls"];
    only(known.filter(|name| {
        let rest = name.strip_prefix(given).or_else(|| given.strip_prefix(name));
        rest.is_some_and(|rest| KINDS.contains(&rest))
    }))
}

fn only<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    match (names.next(), names.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// The beginning of what the caller wrote, never more than is useful.
fn echo(text: &str) -> String {
    match text.char_indices().nth(MAX_ECHO) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
