//! What a draft becomes on the Wall. Pure.

use serde_json::{Value, json};

use crate::{
    desk::{Code, Fix, Problem},
    networks::{Draft, Network, Rendered, Rules, Unit, checks::render_by},
};

/// What the Wall takes.
pub fn rules() -> Rules {
    Rules {
        network: Network::Wall,
        name: "Wall",
        text_limit: 5000,
        text_unit: Unit::Characters,
        images: 10,
        image_bytes: 10_000_000,
        image_types: &["image/jpeg", "image/png", "image/webp", "image/gif"],
        thread: "Further paragraphs of the same entry, each with a mark of its own.",
        first_comment: "A note at the foot of the entry.",
        settings: json!({ "type": "object", "additionalProperties": false, "properties": {} }),
        removal: true,
        notes: &[
            "Public at once, also as Atom and JSON Feed; no account anywhere is needed.",
            "Plain text: line breaks are kept, links become clickable, HTML is shown as written.",
        ],
    }
}

/// Renders a draft.
pub fn render(draft: &Draft) -> Rendered {
    render_by(&rules(), draft, |_, _, _| Value::Null)
}

/// Everything that is wrong with `settings`, which came from the argument `field`: the Wall has none.
pub fn settings_problems(settings: &Value, field: &str) -> Vec<Problem> {
    match settings {
        Value::Null => Vec::new(),
        Value::Object(entries) => entries
            .keys()
            .map(|name| {
                Problem::new(
                    Code::UnknownField,
                    format!("{field}.{name}"),
                    "The Wall has no settings; leave them out.",
                )
                .fix(Fix::Remove)
            })
            .collect(),
        _ => vec![Problem::new(Code::WrongType, field, "Give an object, or leave it out.").fix(Fix::Remove)],
    }
}
