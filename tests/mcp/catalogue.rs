//! The catalogue that the worker embeds: fresh, within the rules of the schemas, and small enough.

use postern::{
    desk::{Scopes, ToolEntry},
    mcp::{self, Allowed, Catalogue, INSTRUCTIONS, Revision, generate, shape},
};
use serde_json::{Map, Value, json};

use super::{call, modern, response, tools};
use crate::sim::{Random, Sim, run, world::Company};

/// What the whole list may cost a model, counting four bytes as a token.
const LIST_TOKENS: usize = 12_000;
/// What a tool may cost on average, and each of those that take a post's whole body.
const TOOL_TOKENS: usize = 350;
const BODY_TOKENS: usize = 1_100;
const TAKE_A_BODY: [&str; 4] = ["create_post", "create_posts", "preview_post", "update_post"];

fn listed(entries: &[ToolEntry]) -> Vec<Value> {
    let catalogue = Catalogue::new(entries.iter().copied(), &generate::catalogue(entries).unwrap()).unwrap();
    serde_json::from_str(&catalogue.listing(Revision::NEWEST, Allowed::from(Scopes::EVERY))).unwrap()
}

/// The tools of every room, and those of these tests, so that the rules meet something.
fn all() -> Vec<ToolEntry> {
    mcp::tools().copied().chain(tools::ALL.iter().copied()).collect()
}

#[test]
fn the_embedded_catalogue_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mcp/catalogue.json");
    let fresh = generate::catalogue(mcp::tools()).unwrap_or_else(|faults| panic!("{}", faults.join("\n")));
    if std::fs::read_to_string(path).unwrap() != fresh {
        std::fs::write(path, &fresh).unwrap();
        panic!("src/mcp/catalogue.json was stale and has been written again; build and test once more");
    }
    let embedded = Catalogue::embedded().listing(Revision::NEWEST, Scopes::EVERY.into());
    let embedded: Vec<Value> = serde_json::from_str(&embedded).unwrap();
    assert_eq!(embedded.len(), mcp::tools().count());
}

#[test]
fn tools_are_named_titled_and_described() {
    let all = all();
    for (index, tool) in all.iter().enumerate() {
        let snake =
            tool.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        assert!(snake && (1..=40).contains(&tool.name.len()), "{}", tool.name);
        assert!(!tool.title.is_empty() && !tool.description.is_empty(), "{}", tool.name);
        assert!(tool.description.len() <= 2_000, "{} is cut by clients", tool.name);
        assert!(all[..index].iter().all(|other| other.name != tool.name), "{} is there twice", tool.name);
    }
}

#[test]
fn schemas_keep_the_rules_that_clients_need() {
    for tool in listed(&all()) {
        let name = tool["name"].as_str().unwrap();
        assert_eq!(tool["inputSchema"]["type"], json!("object"), "{name}");
        assert_eq!(tool["inputSchema"]["additionalProperties"], json!(false), "{name}");
        assert_input_rules(&tool["inputSchema"], name, 0, &mut Vec::new());
        assert_output_rules(&tool["outputSchema"], name);
    }
}

/// `depth` counts the objects around the schema; `described` the objects whose properties were described before.
fn assert_input_rules(schema: &Value, place: &str, depth: usize, described: &mut Vec<Value>) {
    let schema = schema.as_object().unwrap_or_else(|| panic!("{place} is no object"));
    for keyword in schema.keys().map(String::as_str) {
        let known = shape::KEYWORDS.contains(&keyword) || shape::ANNOTATIONS.contains(&keyword);
        assert!(known, "{place}: nothing checks {keyword}");
    }
    if let Some(kind) = schema.get("type") {
        assert!(kind.is_string(), "{place} has several types");
        assert!(kind != "object" || depth <= 3, "{place} is nested too deep");
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        assert_eq!(schema["additionalProperties"], json!(false), "{place}");
        let is_described =
            |property: &Value| property["description"].as_str().is_some_and(|text| !text.is_empty());
        let bare = bare(properties);
        assert!(properties.values().all(is_described) || described.contains(&bare), "{place}: describe it");
        described.push(bare);
        for (name, property) in properties {
            assert_input_rules(property, &format!("{place}.{name}"), depth + 1, described);
        }
    }
    if let Some(items) = schema.get("items") {
        assert_input_rules(items, &format!("{place}[]"), depth, described);
    }
}

fn bare(properties: &Map<String, Value>) -> Value {
    let bare = properties.iter().map(|(name, property)| {
        let mut property = property.clone();
        property.as_object_mut().unwrap().remove("description");
        (name.clone(), property)
    });
    Value::Object(bare.collect())
}

/// Results can grow, and a refusal's body fits every one of them.
fn assert_output_rules(schema: &Value, name: &str) {
    let keywords: Vec<&str> = schema.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((keywords, &schema["type"]), (vec!["properties", "type"], &json!("object")), "{name}");
    for (member, property) in schema["properties"].as_object().unwrap() {
        assert_ne!(member, "error", "{name}");
        assert!(property.as_object().unwrap().keys().all(|keyword| keyword == "type"), "{name}.{member}");
    }
}

#[test]
fn the_list_is_small_enough_for_a_model() {
    let costs: Vec<(String, usize)> = listed(&mcp::tools().copied().collect::<Vec<_>>())
        .into_iter()
        .map(|tool| (tool["name"].as_str().unwrap().to_owned(), tool.to_string().len().div_ceil(4)))
        .collect();
    let total = |costs: &[(String, usize)]| costs.iter().map(|(_, tokens)| tokens).sum::<usize>();
    assert!(total(&costs) <= LIST_TOKENS, "{} tokens: {costs:?}", total(&costs));
    let (bodies, others): (Vec<_>, Vec<_>) =
        costs.into_iter().partition(|(name, _)| TAKE_A_BODY.contains(&name.as_str()));
    assert!(bodies.iter().all(|(_, tokens)| *tokens <= BODY_TOKENS), "{bodies:?}");
    assert!(total(&others) <= TOOL_TOKENS * others.len(), "{others:?}");
}

#[test]
fn the_instructions_are_short_enough_not_to_be_cut() {
    assert!(INSTRUCTIONS.len() < 2_000, "{} bytes", INSTRUCTIONS.len());
    assert!(INSTRUCTIONS.contains("whoami"));
}

#[test]
fn five_mistakes_in_a_call_of_any_tool_are_all_told() {
    let sim = Sim::new(5);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let all = all();
    let catalogue = Catalogue::new(all.clone(), &generate::catalogue(&all).unwrap()).unwrap();
    for tool in listed(&all) {
        let name = tool["name"].as_str().unwrap();
        let (arguments, expected) = five_mistakes(&tool["inputSchema"]);
        let request = modern("tools/call", call(name, arguments.clone()));
        let answer = run(mcp::serve_tools(&catalogue, &sim.platform(), &caller, Scopes::EVERY, &request));
        let body: Value = serde_json::from_slice(&response(answer).body).unwrap();
        let mut told: Vec<(String, String)> = body["result"]["structuredContent"]["error"]["problems"]
            .as_array()
            .unwrap_or_else(|| panic!("{name} took {arguments}: {body}"))
            .iter()
            .map(|problem| {
                assert!(!problem["hint"].as_str().unwrap().is_empty(), "{problem}");
                (problem["code"].as_str().unwrap().to_owned(), problem["field"].as_str().unwrap().to_owned())
            })
            .collect();
        let beside: Vec<_> = told.iter().filter(|one| !expected.contains(one)).cloned().collect();
        told.retain(|one| expected.contains(one));
        told.sort();
        assert_eq!(told, expected, "{name} with {arguments}");
        // What else is wrong is about fields that were given; one tool of these tests always refuses.
        for (code, field) in beside.into_iter().filter(|_| name != "never_do") {
            let top = field.split(['[', '.']).next().unwrap();
            assert!(
                arguments.get(top).is_some() || top.is_empty(),
                "{name} with {arguments}: {code} at {field}"
            );
        }
    }
}

/// Arguments with five mistakes, and what is told of them: values of a wrong type, then what is left over as fields
/// that do not exist. Required fields that are not spoilt are filled.
fn five_mistakes(schema: &Value) -> (Value, Vec<(String, String)>) {
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let mut arguments = Map::new();
    let mut expected = Vec::new();
    let typed = properties.iter().filter(|(_, property)| property["type"].is_string());
    for (name, property) in typed.take(4) {
        arguments.insert(name.clone(), wrong_value(property));
        expected.push(("wrong_type".to_owned(), name.clone()));
    }
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    for name in required.iter().map(|name| name.as_str().unwrap()) {
        if !arguments.contains_key(name) {
            arguments.insert(name.to_owned(), right_value(&properties[name], &Random::new(1)));
        }
    }
    for index in expected.len()..5 {
        let name = format!("no_such_field_{index}");
        arguments.insert(name.clone(), json!(1));
        expected.push(("unknown_field".to_owned(), name));
    }
    expected.sort();
    (Value::Object(arguments), expected)
}

fn wrong_value(schema: &Value) -> Value {
    if schema["type"] == json!("string") { json!(5) } else { json!("wrong") }
}

/// Some value that a schema allows.
pub fn right_value(schema: &Value, random: &Random) -> Value {
    let number = |keyword: &str, otherwise: u64| schema[keyword].as_u64().unwrap_or(otherwise);
    if let Some(words) = schema["enum"].as_array() {
        return words[usize::try_from(random.below(words.len() as u64)).unwrap()].clone();
    }
    match schema["type"].as_str() {
        Some("string") => json!("x".repeat(usize::try_from(number("minLength", 1)).unwrap())),
        Some("integer" | "number") => json!(number("minimum", 1)),
        Some("boolean") => json!(random.happens(500)),
        Some("array") => (0..number("minItems", 0)).map(|_| right_value(&schema["items"], random)).collect(),
        Some("object") => {
            let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
            let members = required.iter().map(|name| {
                let name = name.as_str().unwrap();
                (name.to_owned(), right_value(&schema["properties"][name], random))
            });
            Value::Object(members.collect())
        }
        _ => json!("anything"),
    }
}
