//! Makes `catalogue.json` from the tools' types: schemas as small as clients need them, and the rules they must keep.
//! Native only; the worker embeds what this gives.

use serde_json::{Map, Value, json};

use super::shape;
use crate::desk::ToolEntry;

/// Objects inside objects, not counting the arguments themselves.
const MAX_DEPTH: usize = 3;

/// What results show of their structure: objects below this are only called objects.
const MAX_OUTPUT_DEPTH: usize = 2;

/// The schemas of `tools` as `catalogue.json` holds them, one tool a line.
///
/// # Errors
/// Every rule that a tool breaks, with the tool's name and the place.
pub fn catalogue<'a>(tools: impl IntoIterator<Item = &'a ToolEntry>) -> Result<String, Vec<String>> {
    let mut faults = Vec::new();
    let mut lines = Vec::new();
    for tool in tools {
        let mut input = Simplifier::new(Side::Input, tool.name);
        let mut output = Simplifier::new(Side::Output, tool.name);
        let schemas = json!({
            "input": input.root((tool.input_schema)().to_value()),
            "output": output.root((tool.output_schema)().to_value()),
        });
        faults.extend(input.faults.into_iter().chain(output.faults));
        lines.push(format!("\"{}\":{schemas}", tool.name));
    }
    if faults.is_empty() { Ok(format!("{{\n{}\n}}\n", lines.join(",\n"))) } else { Err(faults) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Closed, every property described.
    Input,
    /// Open and nothing demanded, so that results can grow and the body of a refusal fits too.
    Output,
}

struct Simplifier {
    side: Side,
    tool: &'static str,
    faults: Vec<String>,
}

impl Simplifier {
    const fn new(side: Side, tool: &'static str) -> Self {
        Self { side, tool, faults: Vec::new() }
    }

    fn fault(&mut self, place: &str, what: &str) {
        let side = match self.side {
            Side::Input => "input",
            Side::Output => "output",
        };
        self.faults.push(format!("{} {side} {place}: {what}", self.tool));
    }

    fn root(&mut self, schema: Value) -> Value {
        let mut schema = self.schema(schema, "", 0);
        if schema.get("type") != Some(&json!("object")) {
            self.fault("", "the root must be an object");
        }
        if self.side == Side::Output && schema.get("properties").is_some_and(|all| all.get("error").is_some())
        {
            self.fault("error", "this name belongs to refusals");
        }
        if let Some(members) = schema.as_object_mut() {
            members.remove("description");
            if self.side == Side::Input && !members.contains_key("properties") {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        schema
    }

    /// `depth` counts the objects around this schema.
    fn schema(&mut self, schema: Value, place: &str, depth: usize) -> Value {
        let Value::Object(schema) = schema else { return json!({}) };
        let mut schema = self.without_unions(schema, place);
        strip_noise(&mut schema);
        if let Some(items) = schema.remove("items") {
            schema.insert("items".to_owned(), self.schema(items, &format!("{place}[]"), depth));
        }
        if schema.get("type") == Some(&json!("object")) {
            self.object(&mut schema, place, depth);
        }
        if self.side == Side::Output {
            schema.retain(|keyword, _| {
                ["type", "properties", "items", "description"].contains(&keyword.as_str())
            });
        }
        for keyword in schema.keys() {
            if !shape::KEYWORDS.contains(&keyword.as_str()) && !shape::ANNOTATIONS.contains(&keyword.as_str())
            {
                self.fault(place, &format!("the keyword {keyword} is not checked"));
            }
        }
        Value::Object(schema)
    }

    fn object(&mut self, schema: &mut Map<String, Value>, place: &str, depth: usize) {
        if self.side == Side::Output && depth > MAX_OUTPUT_DEPTH {
            schema.remove("properties");
        }
        if depth > MAX_DEPTH {
            self.fault(place, "it is nested too deep");
        }
        if let Some(Value::Object(properties)) = schema.remove("properties") {
            let properties: Map<String, Value> = properties
                .into_iter()
                .map(|(name, property)| {
                    let property = self.property(property, &format!("{place}.{name}"), depth);
                    (name, property)
                })
                .collect();
            schema.insert("properties".to_owned(), Value::Object(properties));
            schema.insert("additionalProperties".to_owned(), json!(false));
        } else if let Some(others) =
            schema.remove("additionalProperties").filter(|others| !others.is_boolean())
        {
            schema.insert(
                "additionalProperties".to_owned(),
                self.schema(others, &format!("{place}.*"), depth + 1),
            );
        }
        if schema.get("required").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            schema.remove("required");
        }
    }

    fn property(&mut self, property: Value, place: &str, depth: usize) -> Value {
        let mut property = self.schema(property, place, depth + 1);
        let is_described = property.get("description").is_some();
        match self.side {
            Side::Input if !is_described => self.fault(place, "it has no description"),
            Side::Output if depth > 0 => {
                property.as_object_mut().map(|members| members.remove("description"));
            }
            Side::Input | Side::Output => {}
        }
        property
    }

    /// Reads `T or null` as an optional `T`, and a choice of words as one list of them.
    fn without_unions(&mut self, mut schema: Map<String, Value>, place: &str) -> Map<String, Value> {
        if let Some(constant) = schema.remove("const") {
            schema.insert("enum".to_owned(), json!([constant]));
        }
        if let Some(Value::Array(words)) = schema.get_mut("enum") {
            words.retain(|word| !word.is_null());
        }
        if let Some(Value::Array(types)) = schema.get("type") {
            match types.iter().filter(|name| **name != json!("null")).collect::<Vec<_>>().as_slice() {
                [only] => {
                    let only = (*only).clone();
                    schema.insert("type".to_owned(), only);
                }
                _ => self.fault(place, "it has several types"),
            }
        }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            if let Some(Value::Array(choices)) = schema.remove(keyword) {
                let choice = self.one_of(choices, place);
                for (keyword, value) in choice {
                    schema.entry(keyword).or_insert(value);
                }
            }
        }
        schema
    }

    fn one_of(&mut self, choices: Vec<Value>, place: &str) -> Map<String, Value> {
        let mut choices: Vec<Map<String, Value>> = choices
            .into_iter()
            .filter(|choice| choice.get("type") != Some(&json!("null")))
            .filter_map(|choice| match choice {
                Value::Object(choice) => Some(self.without_unions(choice, place)),
                _ => None,
            })
            .collect();
        if choices.len() == 1 {
            return choices.pop().unwrap_or_default();
        }
        let words: Option<Vec<&Vec<Value>>> =
            choices.iter().map(|choice| choice.get("enum").and_then(Value::as_array)).collect();
        let Some(words) = words else {
            self.fault(place, "it is a choice between shapes");
            return Map::new();
        };
        let words: Vec<Value> = words.into_iter().flatten().cloned().collect();
        Map::from_iter([("type".to_owned(), json!("string")), ("enum".to_owned(), Value::Array(words))])
    }
}

/// Removes what tells a model nothing, and mends the line breaks of docstrings.
fn strip_noise(schema: &mut Map<String, Value>) {
    for keyword in ["$schema", "title", "format", "default", "examples"] {
        schema.remove(keyword);
    }
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.split_whitespace().collect::<Vec<_>>().join(" ");
    }
}
