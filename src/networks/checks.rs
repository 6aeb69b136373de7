//! What every network checks of a draft against its rules: emptiness, length, media.

use serde_json::{Value, json};

use super::{Attachment, Count, Draft, DraftPart, PartKind, Rendered, RenderedPart, Rules};
use crate::desk::{Code, NextCall, Problem, next_call};

/// Renders a draft by the rules alone; `wire` adds what the network needs of each part, and its own findings.
pub fn render_by(
    rules: &Rules,
    draft: &Draft,
    mut wire: impl FnMut(&DraftPart, &str, &mut Findings<'_>) -> Value,
) -> Rendered {
    let mut rendered = Rendered::default();
    for part in &draft.parts {
        let text = tidy(&part.text);
        let length = count(&text, rules);
        let mut findings =
            Findings { rules, part, problems: &mut rendered.problems, warnings: &mut rendered.warnings };
        findings.emptiness(&text);
        findings.length(length);
        findings.media();
        let wire = wire(part, &text, &mut findings);
        rendered.parts.push(RenderedPart { kind: part.kind, text, length, media: part.media.clone(), wire });
    }
    rendered
}

/// The text as it is sent: line ends of one kind, no control characters, no white space around it.
fn tidy(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    kept.trim().to_owned()
}

/// Whether a text shows nothing: white space, and characters that have no shape (Default_Ignorable_Code_Point of Unicode, and the
/// empty Braille pattern).
fn is_blank(text: &str) -> bool {
    let is_shapeless = |c: char| {
        matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
    };
    text.chars().all(|c| c.is_whitespace() || is_shapeless(c))
}

/// The length of `text` in the unit of the rules.
pub fn count(text: &str, rules: &Rules) -> Count {
    let Rules { text_unit: unit, text_limit: limit, .. } = *rules;
    Count { count: u32::try_from(unit.count(text)).unwrap_or(u32::MAX), limit, unit }
}

/// Where a part's problems and warnings go.
pub struct Findings<'a> {
    rules: &'a Rules,
    part: &'a DraftPart,
    problems: &'a mut Vec<Problem>,
    warnings: &'a mut Vec<String>,
}

impl Findings<'_> {
    /// Adds a problem of the part's text.
    pub fn text_problem(&mut self, code: Code, message: String, hint: &str) {
        let problem = Problem::new(code, self.part.field.clone(), hint).message(message);
        self.problems.push(problem.next(self.described()));
    }

    /// The call that tells what the network takes.
    fn described(&self) -> NextCall {
        next_call("describe_network", json!({ "network": self.rules.network.as_str() }))
    }

    /// Adds a warning about the part.
    pub fn warn(&mut self, words: impl std::fmt::Display) {
        self.warnings.push(format!("{} ({}): {words}", self.rules.name, self.part.field));
    }

    fn emptiness(&mut self, text: &str) {
        if !is_blank(text) || !self.part.media.is_empty() {
            return;
        }
        let (message, hint) = match self.part.kind {
            PartKind::Post => (Code::ContentEmpty.sentence(), "Give it text, or media."),
            PartKind::Reply => (
                "This part of the thread has neither text nor media.",
                "Give it text, or leave the part out.",
            ),
            PartKind::FirstComment => ("The first comment has no text.", "Give it text, or leave it out."),
        };
        self.text_problem(Code::ContentEmpty, message.to_owned(), hint);
    }

    fn length(&mut self, Count { count, limit, unit }: Count) {
        let Some(excess) = count.checked_sub(limit).filter(|excess| *excess > 0) else { return };
        let Rules { name, network, .. } = self.rules;
        let (network, unit) = (network.as_str(), unit.words());
        let message =
            format!("The text has {count} {unit}; {name} takes {limit}, so it is {excess} too long.");
        let is_own = self.part.field.starts_with("overrides[");
        let otherwise = match self.part.kind {
            PartKind::Post if is_own => ", or split it into the thread[] of this override".to_owned(),
            PartKind::Post => {
                format!(", split it into thread[], or give overrides[] a text for \"{network}\"")
            }
            PartKind::Reply if is_own => ", or split it into several parts".to_owned(),
            PartKind::Reply => {
                format!(", split it into several parts, or give overrides[] a thread for \"{network}\"")
            }
            PartKind::FirstComment => "; it is the same on every network".to_owned(),
        };
        self.text_problem(
            Code::ContentTooLong,
            message,
            &format!("Shorten it by at least {excess} {unit}{otherwise}."),
        );
    }

    fn media(&mut self) {
        let given = self.part.media.len();
        if given > self.rules.images as usize {
            let message = format!(
                "There are {given} media files; {} takes {} in one post.",
                self.rules.name, self.rules.images
            );
            let field = self.media_field();
            self.problems.push(
                Problem::new(Code::ContentNotSupported, field, "Leave some out, or move them to thread[].")
                    .message(message)
                    .next(self.described()),
            );
        }
        for (index, media) in self.part.media.iter().enumerate() {
            self.one_media(index, media);
        }
    }

    fn one_media(&mut self, index: usize, media: &Attachment) {
        let field = format!("{}[{index}]", self.media_field());
        let name = self.rules.name;
        if !self.rules.image_types.contains(&media.content_type.as_str()) {
            let types = self.rules.image_types.join(", ");
            self.problems.push(
                Problem::new(Code::ContentNotSupported, &field, format!("Use one of {types}."))
                    .message(format!("{name} does not take {}.", media.content_type))
                    .next(self.described()),
            );
        } else if media.bytes > self.rules.image_bytes {
            self.problems.push(
                Problem::new(Code::ContentNotSupported, &field, "Use a smaller version of the picture.")
                    .message(format!(
                        "The picture has {} bytes; {name} takes {}, so it is {} too large.",
                        media.bytes,
                        self.rules.image_bytes,
                        media.bytes - self.rules.image_bytes
                    ))
                    .next(self.described()),
            );
        }
        if is_blank(&media.alt) {
            self.warnings.push(format!(
                "{name} ({field}): the picture has no alt text, so people who cannot see it are left out; set alt."
            ));
        }
    }

    /// The argument that the part's media came from: beside its text.
    fn media_field(&self) -> String {
        let field = &self.part.field;
        field.strip_suffix("text").map_or_else(|| format!("{field}.media"), |front| format!("{front}media"))
    }
}
