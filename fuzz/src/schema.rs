//! Arguments as the catalogue's schemas describe them, and almost.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::sim::Random;

/// Every tool's name with the schema of its arguments.
pub static TOOLS: LazyLock<Vec<(String, Value)>> = LazyLock::new(|| {
    let catalogue: Map<String, Value> =
        serde_json::from_str(include_str!("../../src/mcp/catalogue.json")).expect("the catalogue is JSON");
    catalogue.into_iter().map(|(name, mut schemas)| (name, schemas["input"].take())).collect()
});

/// Strings that mean something to some tool.
const WORDS: &[&str] = &[
    "",
    " ",
    "$post",
    "$draft",
    "$media",
    "$profile",
    "$workspace",
    "$change",
    "wall",
    "acme",
    "bluesky",
    "all",
    "Main",
    "now",
    "next_slot",
    "PT2H",
    "P1D",
    "-PT1H",
    "P7304484D",
    "P99999999D",
    "PT175307616H",
    "-P9998Y",
    "2026-12-01T09:00",
    "2026-12-01T09:00:00+01:00",
    "2026-12-01T09:00[Europe/Stockholm]",
    "2027-03-28T02:30:00",
    "2027-10-31T02:30:00",
    "0000-01-01T00:00",
    "9999-12-31T23:59:59Z",
    "2026-11-20",
    "https://example.com/a.png",
    "http://[::1]/",
    "Hello #tag @alice.test example.com",
    "\u{0}",
    "\u{202e}é🦀",
    "👩‍👩‍👧",
    "scheduled",
    "draft",
    "FREQ=WEEKLY;BYDAY=MO",
    "null",
    "Europe/Stockholm",
    "5",
    "post_00000000000000000000000000",
];

/// A value that a schema allows, or, now and then, one that it does not.
pub fn sample(schema: &Value, random: &Random) -> Value {
    if random.happens(40) {
        return anything(random, 0);
    }
    if let Some(words) = schema["enum"].as_array() {
        return pick(random, words).clone();
    }
    match schema["type"].as_str() {
        Some("string") => json!(string(schema, random)),
        Some("integer" | "number") => number(schema, random),
        Some("boolean") => json!(random.happens(500)),
        Some("array") => (0..random.below(4)).map(|_| sample(&schema["items"], random)).collect(),
        Some("object") => object(schema, random),
        _ => anything(random, 0),
    }
}

fn object(schema: &Value, random: &Random) -> Value {
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let chosen = properties
        .filter(|(name, _)| random.happens(if required.contains(&json!(name)) { 950 } else { 300 }));
    Value::Object(chosen.map(|(name, schema)| (name.clone(), sample(schema, random))).collect())
}

fn string(schema: &Value, random: &Random) -> String {
    let word = (*pick(random, WORDS)).to_owned();
    let most = usize::try_from(schema["maxLength"].as_u64().unwrap_or(1000)).unwrap_or(1000);
    match random.below(12) {
        0 => "x".repeat(most.min(20_001)),
        1 => "é".repeat(most.min(2_000) + 1),
        2 => format!("{word} {}", pick(random, WORDS)),
        _ => word,
    }
}

fn number(schema: &Value, random: &Random) -> Value {
    let bound = |keyword: &str, otherwise: i64| schema[keyword].as_i64().unwrap_or(otherwise);
    let edges = [
        bound("minimum", 0),
        bound("maximum", 50),
        bound("minimum", 0).wrapping_sub(1),
        bound("maximum", 50).wrapping_add(1),
        0,
        1,
        -1,
        1 << 53,
        i64::MIN,
        i64::MAX,
    ];
    if random.happens(50) { json!(0.5) } else { json!(pick(random, &edges)) }
}

/// Any JSON at all, a few levels deep.
fn anything(random: &Random, depth: u64) -> Value {
    match random.below(if depth > 3 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => json!(random.happens(500)),
        2 => json!(random.next()),
        3 => json!(f64::from_bits(random.next())),
        4 => json!(pick(random, WORDS)),
        5 => (0..random.below(4)).map(|_| anything(random, depth + 1)).collect(),
        _ => (0..random.below(4))
            .map(|_| ((*pick(random, WORDS)).to_owned(), anything(random, depth + 1)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

/// Changes one place of a value that a schema describes.
pub fn mutate(value: &mut Value, schema: &Value, random: &Random) {
    let goes_on = random.happens(750);
    match value {
        Value::Array(items) if goes_on && !items.is_empty() => {
            let index = index(random, items.len());
            mutate(&mut items[index], &schema["items"], random);
        }
        Value::Object(members) if goes_on => {
            let known: Vec<&String> =
                schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name).collect();
            let named: Vec<String> = members.keys().chain(known).cloned().collect();
            if named.is_empty() {
                return;
            }
            let name = pick(random, &named);
            let described = &schema["properties"][name];
            match members.get_mut(name) {
                Some(_) if random.happens(150) => drop(members.remove(name)),
                Some(member) => mutate(member, described, random),
                None => drop(members.insert(name.clone(), sample(described, random))),
            }
        }
        _ => *value = sample(schema, random),
    }
}

pub fn pick<'a, T>(random: &Random, choices: &'a [T]) -> &'a T {
    &choices[index(random, choices.len())]
}

fn index(random: &Random, length: usize) -> usize {
    usize::try_from(random.below(length as u64)).unwrap_or_default()
}
