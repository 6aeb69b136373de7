//! What a draft becomes on Bluesky. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::settings::{self, Settings};
use crate::{
    desk::Code,
    networks::{
        Draft, DraftPart, Network, Rendered, Rules, Unit,
        checks::{Findings, render_by},
        spans::{Mark, Span, spans},
    },
};

const MAX_BYTES: usize = 3000;

/// What the connector needs of a part besides text and media.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wire {
    /// Links, mentions and hashtags of the text.
    pub spans: Vec<Span>,
    /// The text's languages.
    pub langs: Vec<String>,
    /// Hashtags that are not in the text.
    pub tags: Vec<String>,
    /// The link that gets a preview card.
    pub card: Option<String>,
}

impl Wire {
    /// Reads what [`render`] wrote.
    pub fn read(wire: &Value) -> Self {
        Self::deserialize(wire).unwrap_or_default()
    }
}

/// What Bluesky takes (`app.bsky.feed.post`, `app.bsky.embed.images`).
pub fn rules() -> Rules {
    Rules {
        network: Network::Bluesky,
        name: "Bluesky",
        text_limit: 300,
        text_unit: Unit::Graphemes,
        images: 4,
        image_bytes: 2_000_000,
        image_types: &["image/jpeg", "image/png", "image/webp", "image/gif"],
        thread: "Replies, each to the one before.",
        first_comment: "A reply to the post.",
        settings: settings::schema(),
        removal: true,
        notes: &[
            "A text may also have no more than 3000 bytes.",
            "Links (also bare domains), @handles and #hashtags become clickable; a handle that nobody has stays text.",
            "The first link of a post without pictures gets a preview card.",
            "An animated GIF is shown as its first frame.",
            "Published posts cannot be edited, only removed.",
        ],
    }
}

/// Renders a draft.
pub fn render(draft: &Draft) -> Rendered {
    let settings = Settings::read(&draft.settings);
    render_by(&rules(), draft, |part, text, findings| wire(part, text, &settings, findings))
}

fn wire(part: &DraftPart, text: &str, settings: &Settings, findings: &mut Findings<'_>) -> Value {
    check_bytes(text, findings);
    if part.media.iter().any(|media| media.content_type == "image/gif") {
        findings.warn("an animated GIF is shown as its first frame.");
    }
    let spans = spans(text);
    let card = spans.iter().find_map(|span| match &span.mark {
        Mark::Link(uri) if settings.link_card && part.media.is_empty() => Some(uri.clone()),
        _ => None,
    });
    let wire = Wire { spans, langs: settings.langs.clone(), tags: settings.tags.clone(), card };
    serde_json::to_value(wire).unwrap_or_default()
}

fn check_bytes(text: &str, findings: &mut Findings<'_>) {
    if text.len() > MAX_BYTES {
        findings.text_problem(
            Code::ContentTooLong,
            format!(
                "The text has {} bytes in UTF-8; Bluesky takes {MAX_BYTES}, so it is {} too long.",
                text.len(),
                text.len() - MAX_BYTES
            ),
            "Shorten it; emoji made of several parts and letters beyond Latin take more bytes.",
        );
    }
}
