//! What somebody meant who misspelt a name.

/// The longest word that is looked for.
const MAX_CHARS: usize = 64;

/// The known name that is most like `given`, if one is like it at all: at most a third of it added, dropped, changed or
/// swapped, at least one character. Case, `-`, `_` and spaces do not count.
pub fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = given.chars().count();
    if length == 0 || length > MAX_CHARS {
        return None;
    }
    let given = plain(given);
    known
        .map(|name| (strsim::osa_distance(&given, &plain(name)), name))
        .filter(|(distance, _)| *distance <= (length / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace(['-', ' '], "_")
}
