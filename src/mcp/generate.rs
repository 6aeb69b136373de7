//! Makes `catalogue.json` from the tools' types: schemas as small as clients need them, and the rules they must keep.
//! Native only; the worker embeds what this gives.

use serde_json::{Map, Value, json};

use super::shape;
use crate::desk::ToolEntry;

/// Objects inside objects, not counting the arguments themselves.
const MAX_DEPTH: usize = 3;

/// Keywords of a schema that tell a model nothing.
const NOISE: [&str; 7] = ["$schema", "title", "format", "default", "examples", "readOnly", "writeOnly"];

/// The schemas of `tools` as `catalogue.json` holds them, one tool a line.
///
/// # Errors
/// Every rule that a tool breaks, with the tool's name and the place.
pub fn catalogue<'a>(tools: impl IntoIterator<Item = &'a ToolEntry>) -> Result<String, Vec<String>> {
    let mut faults = Vec::new();
    let mut lines = Vec::new();
    for tool in tools {
        let mut simplifier = Simplifier { tool: tool.name, described: Vec::new(), faults: Vec::new() };
        let schemas = json!({
            "input": simplifier.input((tool.input_schema)().to_value()),
            "output": simplifier.output((tool.output_schema)().to_value()),
        });
        faults.append(&mut simplifier.faults);
        lines.push(format!("\"{}\":{schemas}", tool.name));
    }
    if faults.is_empty() { Ok(format!("{{\n{}\n}}\n", lines.join(",\n"))) } else { Err(faults) }
}

struct Simplifier {
    tool: &'static str,
    /// The properties of objects that were described already.
    described: Vec<Value>,
    faults: Vec<String>,
}

impl Simplifier {
    fn fault(&mut self, place: &str, what: &str) {
        self.faults.push(format!("{}{place}: {what}", self.tool));
    }

    /// The schema of the arguments: closed, every property described once, nothing that is not checked.
    fn input(&mut self, schema: Value) -> Value {
        let mut schema = self.schema(schema, "", 0);
        if schema.get("type") != Some(&json!("object")) {
            self.fault("", "the arguments must be an object");
        }
        if let Some(members) = schema.as_object_mut() {
            members.remove("description");
            members.entry("additionalProperties").or_insert(json!(false));
        }
        schema
    }

    /// The schema of the result: what its members are called and their types. Nothing is demanded, so that results can
    /// grow and the body of a refusal fits too; and nothing is said that a model learns from the result itself.
    fn output(&mut self, schema: Value) -> Value {
        let properties = match schema.get("properties") {
            Some(Value::Object(properties)) => properties.clone(),
            _ => Map::new(),
        };
        if schema.get("type") != Some(&json!("object")) || properties.contains_key("error") {
            self.fault(
                " result",
                "it must be an object without a member \"error\", which belongs to refusals",
            );
        }
        let properties: Map<String, Value> = properties
            .into_iter()
            .map(|(name, property)| {
                let property = self.simplified(property, &format!(" result.{name}"));
                let property = property.into_iter().filter(|(keyword, _)| keyword == "type").collect();
                (name, Value::Object(property))
            })
            .collect();
        json!({ "type": "object", "properties": properties })
    }

    /// `depth` counts the objects around this schema.
    fn schema(&mut self, schema: Value, place: &str, depth: usize) -> Value {
        let mut schema = self.simplified(schema, place);
        if let Some(items) = schema.remove("items") {
            let mut items = self.schema(items, &format!("{place}[]"), depth);
            items.as_object_mut().map(|items| items.remove("description"));
            schema.insert("items".to_owned(), items);
        }
        if schema.get("type") == Some(&json!("object")) {
            self.object(&mut schema, place, depth);
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
        if depth > MAX_DEPTH {
            self.fault(place, "it is nested too deep");
        }
        match (schema.remove("properties"), schema.remove("additionalProperties")) {
            (Some(Value::Object(properties)), _) => {
                let properties = self.properties(properties, place, depth);
                schema.insert("properties".to_owned(), properties);
                schema.insert("additionalProperties".to_owned(), json!(false));
            }
            (_, Some(others @ Value::Object(_))) => {
                let others = self.schema(others, &format!("{place}.*"), depth + 1);
                schema.insert("additionalProperties".to_owned(), others);
            }
            _ => {}
        }
    }

    /// Properties, each described; those of an object that came before, such as a picture in another place, are not
    /// described again.
    fn properties(&mut self, properties: Map<String, Value>, place: &str, depth: usize) -> Value {
        let mut simplified = Map::new();
        for (name, property) in properties {
            let place = format!("{place}.{name}");
            let property = self.schema(property, &place, depth + 1);
            if property.get("description").is_none() {
                self.fault(&place, "it has no description");
            }
            simplified.insert(name, property);
        }
        let properties = Value::Object(simplified);
        if self.described.contains(&properties) {
            return without_descriptions(properties);
        }
        self.described.push(properties.clone());
        properties
    }

    /// The schema without noise; `T or null` as an optional `T`, and a choice of words as one list of them.
    fn simplified(&mut self, schema: Value, place: &str) -> Map<String, Value> {
        let Value::Object(mut schema) = schema else { return Map::new() };
        for keyword in ["anyOf", "oneOf", "allOf"] {
            if let Some(Value::Array(choices)) = schema.remove(keyword) {
                for (keyword, value) in self.one_of(choices, place) {
                    schema.entry(keyword).or_insert(value);
                }
            }
        }
        schema.retain(|keyword, _| !NOISE.contains(&keyword.as_str()));
        if let Some(constant) = schema.remove("const") {
            schema.insert("enum".to_owned(), json!([constant]));
        }
        if let Some(Value::Array(words)) = schema.get_mut("enum") {
            words.retain(|word| !word.is_null());
        }
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| *name != json!("null"));
            match types.pop() {
                Some(only) if types.is_empty() => drop(schema.insert("type".to_owned(), only)),
                _ => self.fault(place, "it has several types"),
            }
        }
        if let Some(Value::String(description)) = schema.get_mut("description") {
            *description = description.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        if schema.get("required") == Some(&json!([])) {
            schema.remove("required");
        }
        schema
    }

    fn one_of(&mut self, choices: Vec<Value>, place: &str) -> Map<String, Value> {
        let mut choices: Vec<Map<String, Value>> = choices
            .into_iter()
            .filter(|choice| choice.get("type") != Some(&json!("null")))
            .map(|choice| self.simplified(choice, place))
            .collect();
        if choices.len() == 1 {
            return choices.pop().unwrap_or_default();
        }
        let words: Option<Vec<&Vec<Value>>> =
            choices.iter().map(|choice| choice.get("enum").and_then(Value::as_array)).collect();
        match words {
            Some(words) => {
                let words: Vec<&Value> = words.into_iter().flatten().collect();
                Map::from_iter([("type".to_owned(), json!("string")), ("enum".to_owned(), json!(words))])
            }
            None => {
                self.fault(place, "it is a choice between shapes");
                Map::new()
            }
        }
    }
}

fn without_descriptions(properties: Value) -> Value {
    let Value::Object(mut properties) = properties else { return properties };
    for property in properties.values_mut() {
        property.as_object_mut().map(|property| property.remove("description"));
    }
    Value::Object(properties)
}
