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
    /// Leave out the item of a list that it is part of.
    RemoveItem,
    /// The same value under this name, unless that is taken.
    Rename(String),
    /// This item besides those there are.
    Append(Value),
    /// What mends another problem of the call mends this one too.
    Shared,
}

/// The call with every fix applied; nothing unless that mends every problem.
pub fn corrected_call(tool: &str, arguments: &Value, problems: &[Problem]) -> Option<NextCall> {
    let mut corrected = arguments.clone();
    let mut left_out = Vec::new();
    let mut renamed = Vec::new();
    for problem in problems {
        let field = steps(&problem.field);
        match &problem.fix {
            Some(Fix::Remove) => left_out.push(field),
            Some(Fix::RemoveItem) => left_out.push(item_of(field)?),
            Some(Fix::Rename(meant)) => {
                let (_, way) = field.split_last()?;
                renamed.push([way, &[Step::Key(meant)]].concat());
                apply(&mut corrected, &field, &Fix::Rename(meant.clone()))?;
            }
            Some(Fix::Shared) | None => {}
            Some(fix) => apply(&mut corrected, &field, fix)?,
        }
    }
    // A field that is missing may have been there under another name.
    let is_mended = |problem: &Problem| problem.fix.is_some() || renamed.contains(&steps(&problem.field));
    if !problems.iter().all(is_mended) || problems.iter().all(|problem| problem.fix == Some(Fix::Shared)) {
        return None;
    }
    // From the back, so that what is before stays in its place.
    left_out.sort_unstable();
    left_out.dedup();
    for field in left_out.iter().rev() {
        apply(&mut corrected, field, &Fix::Remove)?;
    }
    Some(NextCall { tool: tool.to_owned(), arguments: corrected })
}

/// The item of a list that a field is part of, or is.
fn item_of(mut field: Vec<Step<'_>>) -> Option<Vec<Step<'_>>> {
    while matches!(field.last()?, Step::Key(_)) {
        field.pop();
    }
    Some(field)
}

fn apply(arguments: &mut Value, field: &[Step<'_>], fix: &Fix) -> Option<()> {
    let (last, way) = field.split_last()?;
    let mut place = arguments;
    for step in way {
        place = descend(place, step)?;
    }
    match (place, last) {
        (Value::Object(object), Step::Key(key)) => apply_to_object(object, key, fix),
        (Value::Array(items), Step::Index(index)) => match fix {
            Fix::Set(value) => items.get_mut(*index).map(|item| value.clone_into(item)),
            Fix::Remove if *index < items.len() => {
                items.remove(*index);
                Some(())
            }
            _ => None,
        },
        _ => None,
    }
}

fn apply_to_object(object: &mut Map<String, Value>, key: &str, fix: &Fix) -> Option<()> {
    match fix {
        Fix::Set(value) => {
            object.insert(key.to_owned(), value.clone());
            Some(())
        }
        Fix::Remove => object.remove(key).map(drop),
        Fix::Rename(meant) => {
            let value = object.remove(key)?;
            object.entry(meant.as_str()).or_insert(value);
            Some(())
        }
        Fix::Append(value) => {
            let list = object.entry(key).or_insert_with(|| Value::Array(Vec::new()));
            list.as_array_mut().map(|items| items.push(value.clone()))
        }
        Fix::RemoveItem | Fix::Shared => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
