//! What may be set for Bluesky posts.

use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation;

use crate::desk::{Code, Fix, Problem, nearest};

const MAX_LANGS: usize = 3;
const MAX_TAGS: usize = 8;
const MAX_TAG_GRAPHEMES: usize = 64;
const MAX_TAG_BYTES: usize = 640;

/// The settings of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The text's languages (BCP 47).
    pub langs: Vec<String>,
    /// Hashtags besides those in the text, without `#`.
    pub tags: Vec<String>,
    /// Whether the first link of a part without pictures gets a preview card.
    pub link_card: bool,
}

impl Settings {
    /// Reads settings that [`problems`] found nothing wrong with.
    pub fn read(settings: &Value) -> Self {
        let texts = |name| {
            let items = settings.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self {
            langs: texts("langs"),
            tags: texts("tags"),
            link_card: settings.get("link_card").and_then(Value::as_bool).unwrap_or(true),
        }
    }
}

/// The JSON Schema of the settings.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "langs": {
                "type": "array", "maxItems": MAX_LANGS, "items": { "type": "string" },
                "description": "Languages of the text as BCP 47 tags, such as en or pt-BR."
            },
            "tags": {
                "type": "array", "maxItems": MAX_TAGS, "items": { "type": "string", "maxLength": MAX_TAG_BYTES },
                "description": "Hashtags besides those in the text, without #; people do not see them in the text."
            },
            "link_card": {
                "type": "boolean", "default": true,
                "description": "Whether the first link of a post without pictures gets a preview card."
            }
        }
    })
}

/// Everything that is wrong with `settings`, which came from the argument `field`.
pub fn problems(settings: &Value, field: &str) -> Vec<Problem> {
    let Some(entries) = settings.as_object() else {
        return if settings.is_null() { Vec::new() } else { vec![wrong_type(field, "an object")] };
    };
    entries
        .iter()
        .flat_map(|(name, value)| {
            let field = format!("{field}.{name}");
            match name.as_str() {
                "langs" => list_problems(value, &field, MAX_LANGS, lang_problem),
                "tags" => list_problems(value, &field, MAX_TAGS, tag_problem),
                "link_card" if value.is_boolean() => Vec::new(),
                "link_card" => vec![wrong_type(&field, "true or false")],
                _ => {
                    let meant = nearest(name, ["langs", "tags", "link_card"].into_iter());
                    let fix = meant.map_or(Fix::Remove, |meant| Fix::Rename(meant.to_owned()));
                    let hint = "Bluesky's settings are langs, tags and link_card.";
                    vec![Problem::new(Code::UnknownField, field, hint).fix(fix)]
                }
            }
        })
        .collect()
}

fn list_problems(
    value: &Value,
    field: &str,
    most: usize,
    check: fn(&str, &str) -> Option<Problem>,
) -> Vec<Problem> {
    let Some(items) = value.as_array() else {
        let problem = wrong_type(field, "a list of texts");
        let meant = value.is_string().then(|| Fix::Set(Value::Array(vec![value.clone()])));
        return vec![Problem { fix: meant.or(problem.fix), ..problem }];
    };
    let too_many = (items.len() > most).then(|| {
        Problem::new(Code::OutOfRange, field, format!("Give at most {most}."))
            .message(format!("There are {} items; Bluesky takes {most}.", items.len()))
            .fix(Fix::Set(items.iter().take(most).cloned().collect()))
    });
    let each = items.iter().enumerate().filter_map(|(index, item)| {
        let field = format!("{field}[{index}]");
        match item.as_str() {
            Some(text) => check(text, &field),
            None => Some(wrong_type(&field, "a text")),
        }
    });
    too_many.into_iter().chain(each).collect()
}

fn lang_problem(text: &str, field: &str) -> Option<Problem> {
    let mut subtags = text.split('-');
    let primary = subtags.next().unwrap_or_default();
    let well_formed = (2..=3).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_alphabetic())
        && subtags.all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric()));
    let hint = "Give a BCP 47 language tag, such as en or pt-BR.";
    (!well_formed).then(|| Problem::new(Code::Malformed, field, hint).fix(Fix::Remove))
}

fn tag_problem(text: &str, field: &str) -> Option<Problem> {
    if text.is_empty() || text.starts_with('#') || text.contains(char::is_whitespace) {
        let word = text.trim_start_matches('#').trim();
        let is_word = !word.is_empty() && !word.contains(char::is_whitespace);
        let fix = if is_word { Fix::Set(word.into()) } else { Fix::Remove };
        return Some(Problem::new(Code::Malformed, field, "Give one word without #.").fix(fix));
    }
    let graphemes = text.graphemes(true).count();
    (graphemes > MAX_TAG_GRAPHEMES || text.len() > MAX_TAG_BYTES).then(|| {
        let problem = Problem::new(Code::OutOfRange, field, "Use a shorter hashtag.").message(format!(
            "The hashtag has {graphemes} graphemes and {} bytes; Bluesky takes {MAX_TAG_GRAPHEMES} and {MAX_TAG_BYTES}.",
            text.len()
        ));
        problem.fix(Fix::Remove)
    })
}

fn wrong_type(field: &str, wanted: &str) -> Problem {
    Problem::new(Code::WrongType, field, format!("Give {wanted}.")).fix(Fix::Remove)
}
