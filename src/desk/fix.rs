//! Mending a call: what would make its fields right, put together into one corrected call.

use serde_json::{Map, Value};

use super::{Problem, sort_by};

/// What would make a field right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// The same value, written as it must be.
    Write(Value),
    /// This value instead, which is a guess.
    Set(Value),
    /// Leave it out.
    Remove,
    /// Leave out the item of a list that it is part of.
    RemoveItem,
    /// Only the first so many of its items.
    Keep(usize),
    /// The same value under this name, unless that is taken.
    Rename(String),
    /// This item besides those there are.
    Append(Value),
    /// What mends it stands in these fields.
    Elsewhere(Vec<(String, Fix)>),
    /// Nothing mends it. With this value in its place the rest of the call can be judged.
    Suppose(Value),
}

/// Which fixes are applied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mend {
    /// Those that mend.
    Certain,
    /// Those that only suppose something, too.
    Supposing,
}

/// The arguments with every problem mended that can be.
pub fn mended(arguments: &Value, problems: &[Problem]) -> Value {
    let mut mended = arguments.clone();
    mend_in_place(&mut mended, problems, Mend::Certain);
    leave_out(&mut mended, problems);
    mended
}

/// The arguments of another call about the same, without what has no place in this one.
pub(super) fn without_lost(arguments: &Value, problems: &[Problem]) -> Value {
    let is_left_out = |problem: &&Problem| matches!(problem.fix, Some(Fix::Remove | Fix::RemoveItem));
    let left_out: Vec<Problem> = problems.iter().filter(is_left_out).cloned().collect();
    mended(arguments, &left_out)
}

/// Applies what leaves every item of a list in its place, so that fields are still called as they were. What is only supposed
/// gives way to what came into its place.
pub(super) fn mend_in_place(arguments: &mut Value, problems: &[Problem], mend: Mend) {
    let in_place = |(field, fix): &(Vec<Step<'_>>, &Fix)| !takes_items_out(field, fix);
    let (supposed, certain): (Vec<_>, Vec<_>) =
        edits(problems).into_iter().filter(in_place).partition(|(_, fix)| matches!(fix, Fix::Suppose(_)));
    let there = |arguments: &Value| -> Vec<bool> {
        supposed.iter().map(|(field, _)| find(arguments, field).is_some()).collect()
    };
    let before = there(arguments);
    for (field, fix) in certain {
        apply(arguments, &field, fix);
    }
    if mend == Mend::Supposing {
        let came = there(arguments).into_iter().zip(before).map(|(is, was)| is && !was);
        let suppositions: Vec<_> = supposed.iter().zip(came).filter(|(_, came)| !came).collect();
        for ((field, fix), _) in suppositions {
            apply(arguments, field, fix);
        }
    }
}

/// Applies the rest, from the back, so that what is before stays in its place. Whether there was any.
pub(super) fn leave_out(arguments: &mut Value, problems: &[Problem]) -> bool {
    let mut left_out: Vec<_> = edits(problems)
        .into_iter()
        .filter(|(field, fix)| takes_items_out(field, fix))
        .map(
            |(field, fix)| {
                if *fix == Fix::RemoveItem { (item_of(field), &Fix::Remove) } else { (field, fix) }
            },
        )
        .collect();
    sort_by(&mut left_out, |(one, _), (other, _)| other.cmp(one));
    left_out.dedup();
    for (field, fix) in &left_out {
        apply(arguments, field, fix);
    }
    !left_out.is_empty()
}

/// Whether `arguments`, mended, say something else at this problem than what was given: it was dropped, or something was guessed.
pub(super) fn is_changed(given: &Value, arguments: &Value, problem: &Problem) -> bool {
    match &problem.fix {
        None | Some(Fix::Write(_) | Fix::Suppose(_)) => false,
        Some(Fix::Rename(meant)) => {
            let field = steps(&problem.field);
            let mut renamed = field.clone();
            renamed.pop();
            renamed.push(Step::Key(meant));
            find(given, &field) != find(arguments, &renamed)
        }
        Some(Fix::Elsewhere(fixes)) => !fixes.iter().any(|(_, fix)| matches!(fix, Fix::Write(_))),
        Some(_) => true,
    }
}

/// Whether something that was given at this problem has no place in the mended `arguments`.
pub(super) fn is_lost(given: &Value, arguments: &Value, problem: &Problem) -> bool {
    match &problem.fix {
        Some(Fix::Remove | Fix::RemoveItem | Fix::Keep(_)) => true,
        Some(Fix::Rename(_)) => is_changed(given, arguments, problem),
        _ => false,
    }
}

/// Takes out the times of the posts that these fields are part of. Whether each is part of a post beside others in the call, so that
/// the others' times are not touched by it.
pub(super) fn drop_times_of(arguments: &mut Value, fields: &[&str]) -> bool {
    let ways: Vec<_> = fields.iter().map(|field| way_to_time(arguments, steps(field))).collect();
    for post in ways.iter().flatten() {
        find_mut(arguments, post).map(drop_own_time);
    }
    ways.iter().all(|way| way.as_ref().is_some_and(|way| !way.is_empty()))
}

/// The way to the innermost thing around a field that has a time.
fn way_to_time<'f>(arguments: &Value, mut field: Vec<Step<'f>>) -> Option<Vec<Step<'f>>> {
    while field.pop().is_some() {
        if find(arguments, &field).is_some_and(|around| around.get("when").is_some()) {
            return Some(field);
        }
    }
    None
}

/// Takes out every time at which a post would go out.
pub(super) fn drop_times(arguments: &mut Value) {
    drop_own_time(arguments);
    let lists = arguments.as_object_mut().into_iter().flatten().filter_map(|(_, list)| list.as_array_mut());
    lists.flatten().for_each(drop_own_time);
}

fn drop_own_time(post: &mut Value) {
    if let Some(fields) = post.as_object_mut() {
        fields.remove("when");
    }
}

/// Whether arguments have this field, or the list that it is, or would be, an item of.
pub(super) fn is_given(arguments: &Value, field: &str) -> bool {
    find(arguments, &item_less(steps(field))).is_some()
}

fn find<'v>(arguments: &'v Value, field: &[Step<'_>]) -> Option<&'v Value> {
    field.iter().try_fold(arguments, descend)
}

fn find_mut<'v>(arguments: &'v mut Value, field: &[Step<'_>]) -> Option<&'v mut Value> {
    field.iter().try_fold(arguments, descend_mut)
}

/// Each field with what is to be done there, once.
fn edits(problems: &[Problem]) -> Vec<(Vec<Step<'_>>, &Fix)> {
    let mut edits: Vec<(Vec<Step<'_>>, &Fix)> = Vec::new();
    for problem in problems {
        let own = |fix| (steps(&problem.field), fix);
        let found = match &problem.fix {
            Some(Fix::Elsewhere(fixes)) => fixes.iter().map(|(field, fix)| (steps(field), fix)).collect(),
            fix => fix.iter().map(own).collect::<Vec<_>>(),
        };
        for edit in found {
            if !edits.contains(&edit) {
                edits.push(edit);
            }
        }
    }
    edits
}

fn takes_items_out(field: &[Step<'_>], fix: &Fix) -> bool {
    match fix {
        Fix::RemoveItem | Fix::Keep(_) => true,
        Fix::Remove => matches!(field.last(), Some(Step::Index(_))),
        _ => false,
    }
}

/// The item of a list that a field is part of, or is.
fn item_of(mut field: Vec<Step<'_>>) -> Vec<Step<'_>> {
    while matches!(field.last(), Some(Step::Key(_))) {
        field.pop();
    }
    field
}

/// The list that a field is an item of, or the field itself.
fn item_less(mut field: Vec<Step<'_>>) -> Vec<Step<'_>> {
    while matches!(field.last(), Some(Step::Index(_))) {
        field.pop();
    }
    field
}

/// A field that is not there is left as it is.
fn apply(arguments: &mut Value, field: &[Step<'_>], fix: &Fix) {
    let Some((last, way)) = field.split_last() else {
        if let Fix::Write(value) | Fix::Set(value) | Fix::Suppose(value) = fix {
            value.clone_into(arguments);
        }
        return;
    };
    match (find_mut(arguments, way), last) {
        (Some(Value::Object(object)), Step::Key(key)) => apply_to_object(object, key, fix),
        (Some(Value::Array(items)), Step::Index(index)) => match fix {
            Fix::Write(value) | Fix::Set(value) | Fix::Suppose(value) => {
                if let Some(item) = items.get_mut(*index) {
                    value.clone_into(item);
                }
            }
            Fix::Remove if *index < items.len() => drop(items.remove(*index)),
            _ => {}
        },
        _ => {}
    }
}

fn apply_to_object(object: &mut Map<String, Value>, key: &str, fix: &Fix) {
    match fix {
        Fix::Write(value) | Fix::Set(value) | Fix::Suppose(value) => {
            drop(object.insert(key.to_owned(), value.clone()))
        }
        Fix::Remove => drop(object.remove(key)),
        Fix::Rename(meant) => {
            if let Some(value) = object.remove(key) {
                object.entry(meant.as_str()).or_insert(value);
            }
        }
        Fix::Append(value) => {
            let list = object.entry(key).or_insert_with(|| Value::Array(Vec::new()));
            if let Some(items) = list.as_array_mut() {
                items.push(value.clone());
            }
        }
        Fix::Keep(most) => {
            if let Some(items) = object.get_mut(key).and_then(Value::as_array_mut) {
                items.truncate(*most);
            }
        }
        Fix::RemoveItem | Fix::Elsewhere(_) => {}
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

fn descend<'v>(place: &'v Value, step: &Step<'_>) -> Option<&'v Value> {
    match step {
        Step::Key(key) => place.get(*key),
        Step::Index(index) => place.get(*index),
    }
}

fn descend_mut<'v>(place: &'v mut Value, step: &Step<'_>) -> Option<&'v mut Value> {
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
