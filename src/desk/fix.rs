//! Mending a call: what each problem would have as its field's value, put together into one corrected call.

use serde_json::{Map, Value};

use super::{NextCall, Problem};

/// What would make a field right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// This value instead.
    Set(Value),
    /// Leave it out.
    Remove,
    /// The same value under this name, unless that is taken.
    Rename(String),
    /// This item besides those there are.
    Append(Value),
}

/// The call with every fix applied; nothing when no problem has one.
pub fn corrected_call(tool: &str, arguments: &Value, problems: &[Problem]) -> Option<NextCall> {
    let mut corrected = arguments.clone();
    let mut mended = false;
    for problem in problems {
        if let Some(fix) = &problem.fix {
            mended |= apply(&mut corrected, &problem.field, fix);
        }
    }
    mended.then(|| NextCall { tool: tool.to_owned(), arguments: corrected })
}

fn apply(arguments: &mut Value, field: &str, fix: &Fix) -> bool {
    let steps = steps(field);
    let Some((last, way)) = steps.split_last() else { return false };
    let mut place = arguments;
    for step in way {
        let Some(next) = descend(place, step) else { return false };
        place = next;
    }
    match (place, last) {
        (Value::Object(object), Step::Key(key)) => apply_to_object(object, key, fix),
        (Value::Array(items), Step::Index(index)) => match (items.get_mut(*index), fix) {
            (Some(item), Fix::Set(value)) => {
                *item = value.clone();
                true
            }
            (Some(_), Fix::Remove) => {
                items.remove(*index);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

fn apply_to_object(object: &mut Map<String, Value>, key: &str, fix: &Fix) -> bool {
    match fix {
        Fix::Set(value) => {
            object.insert(key.to_owned(), value.clone());
            true
        }
        Fix::Remove => object.remove(key).is_some(),
        Fix::Rename(meant) => {
            let Some(value) = object.remove(key) else { return false };
            object.entry(meant.as_str()).or_insert(value);
            true
        }
        Fix::Append(value) => match object.entry(key).or_insert_with(|| Value::Array(Vec::new())) {
            Value::Array(items) => {
                items.push(value.clone());
                true
            }
            _ => false,
        },
    }
}

enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

fn descend<'v>(place: &'v mut Value, step: &Step<'_>) -> Option<&'v mut Value> {
    match step {
        Step::Key(key) => place.get_mut(*key),
        Step::Index(index) => place.get_mut(*index),
    }
}

/// `thread[2].text` as `thread`, 2, `text`.
fn steps(field: &str) -> Vec<Step<'_>> {
    field
        .split(['.', '['])
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            piece.strip_suffix(']').and_then(|index| index.parse().ok()).map_or(Step::Key(piece), Step::Index)
        })
        .collect()
}
