//! What somebody meant who misspelt a name.

/// The longest word that is looked for.
const MAX_CHARS: usize = 64;

/// The known name that is most like `given`, if one is like it at all: at most a third of it added, dropped, changed or
/// swapped, at least one character. Case, `-`, `_` and spaces do not count.
pub fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    all_nearest(given, known).into_iter().next()
}

/// The known names that are as much like `given` as the one that is most like it.
pub fn all_nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let length = given.chars().count();
    if length == 0 || length > MAX_CHARS {
        return Vec::new();
    }
    let given = plain(given);
    let mut nearest = Vec::new();
    let mut least = (length / 3).max(1);
    for name in known {
        let distance = strsim::osa_distance(&given, &plain(name));
        if distance < least {
            nearest.clear();
        }
        if distance <= least {
            least = distance;
            nearest.push(name);
        }
    }
    nearest
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace(['-', ' '], "_")
}
