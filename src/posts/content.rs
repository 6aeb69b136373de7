//! What a post group says: one text for all profiles, and what differs for some of them. Stored as JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    desk::{MediaId, ProfileId, sha256_text},
    networks::{self, Attachment, Draft, DraftPart, Network, PartKind, Rendered},
};

/// The version of the stored form.
const VERSION: u32 = 1;

/// Most characters that a post is searched by: one text and a long thread of Bluesky, and far below what a row takes.
const SEARCHED: usize = 100_000;

/// A text as it is searched: case does not count, nor how words are parted.
pub fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    // By way of upper case ß and ς are what their capitals are.
    words.join(" ").chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// A post group's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    v: u32,
    /// The profiles that it is meant for.
    pub profiles: Vec<ProfileId>,
    /// The post's text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The post's media.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Attachment>,
    /// What follows the post.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thread: Vec<Part>,
    /// A comment under the post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_comment: Option<String>,
    /// What differs for some profiles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// The team's labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// A note for the team, never published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A further part of a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its text.
    pub text: String,
    /// Its media.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Attachment>,
}

/// What differs for some profiles. What is absent is as for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The profiles.
    pub profiles: Vec<ProfileId>,
    /// Their text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Their media.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Vec<Attachment>>,
    /// Their thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<Vec<Part>>,
    /// Their network's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Value>,
}

impl Default for Content {
    fn default() -> Self {
        Self {
            v: VERSION,
            profiles: Vec::new(),
            text: String::new(),
            media: Vec::new(),
            thread: Vec::new(),
            first_comment: None,
            overrides: Vec::new(),
            labels: Vec::new(),
            note: None,
        }
    }
}

impl Content {
    /// Reads the stored form; nothing when it is of a version that this code does not know.
    pub fn parse(stored: &str) -> Option<Self> {
        serde_json::from_str::<Self>(stored).ok().filter(|content| content.v == VERSION)
    }

    /// The form to store.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }

    /// The same with other ids for some media files, each told as the id before and after.
    #[must_use]
    pub fn with_media_renamed(mut self, renamed: &[(MediaId, MediaId)]) -> Self {
        let Self { media, thread, overrides, .. } = &mut self;
        let of_parts = thread.iter_mut().flat_map(|part| &mut part.media);
        let of_overrides = overrides.iter_mut().flat_map(|own| {
            let of_thread = own.thread.iter_mut().flatten().flat_map(|part| &mut part.media);
            own.media.iter_mut().flatten().chain(of_thread)
        });
        for attachment in media.iter_mut().chain(of_parts).chain(of_overrides) {
            if let Some((_, after)) = renamed.iter().find(|(before, _)| *before == attachment.media_id) {
                after.clone_into(&mut attachment.media_id);
            }
        }
        self
    }

    /// The texts by which it is found, [`folded`], a line each.
    pub fn searched(&self) -> String {
        let own = self
            .overrides
            .iter()
            .flat_map(|own| own.text.iter().chain(own.thread.iter().flatten().map(|part| &part.text)));
        let thread = self.thread.iter().map(|part| &part.text);
        let texts = [&self.text].into_iter().chain(thread).chain(&self.first_comment).chain(own);
        let lines: Vec<String> = texts.map(|text| folded(text)).collect();
        lines.join("\n").chars().take(SEARCHED).collect()
    }

    /// A hash of what would be published, for finding the same post again.
    pub fn hash(&self) -> String {
        let published = Self { labels: Vec::new(), note: None, ..self.clone() };
        sha256_text(published.to_json().to_string().as_bytes())
    }

    /// What one profile would get, by the code that sends it, and its network's settings.
    pub fn render_for(&self, profile: &ProfileId, network: Network) -> (Rendered, Value) {
        let draft = self.draft_for(profile);
        let mut rendered = networks::render(network, &draft);
        let field = self.own_of(profile).map(|(index, _)| format!("overrides[{index}].settings"));
        let field = field.unwrap_or_else(|| "settings".to_owned());
        rendered.problems.extend(networks::settings_problems(network, &draft.settings, &field));
        (rendered, draft.settings)
    }

    /// The override that counts for a profile: its last one, and its place.
    pub fn own_of(&self, profile: &ProfileId) -> Option<(usize, &Override)> {
        self.overrides.iter().enumerate().rfind(|(_, own)| own.profiles.contains(profile))
    }

    /// What goes to one profile: its last override over what is for all.
    pub fn draft_for(&self, profile: &ProfileId) -> Draft {
        let own = self.own_of(profile);
        let prefix = own.map(|(index, _)| format!("overrides[{index}]."));
        let own = own.map(|(_, own)| own);
        let field = |differs: bool, name: &str| match (&prefix, differs) {
            (Some(prefix), true) => format!("{prefix}{name}"),
            _ => name.to_owned(),
        };

        let own_text = own.and_then(|own| own.text.as_ref());
        let own_media = own.and_then(|own| own.media.as_ref());
        let own_thread = own.and_then(|own| own.thread.as_ref());
        let mut parts = vec![DraftPart {
            kind: PartKind::Post,
            text: own_text.unwrap_or(&self.text).clone(),
            media: own_media.unwrap_or(&self.media).clone(),
            field: field(own_text.is_some(), "text"),
        }];
        for (index, part) in own_thread.unwrap_or(&self.thread).iter().enumerate() {
            parts.push(DraftPart {
                kind: PartKind::Reply,
                text: part.text.clone(),
                media: part.media.clone(),
                field: match own_thread {
                    Some(_) => field(true, &format!("thread[{index}]")),
                    None => format!("thread[{index}].text"),
                },
            });
        }
        if let Some(comment) = &self.first_comment {
            parts.push(DraftPart {
                kind: PartKind::FirstComment,
                text: comment.clone(),
                media: Vec::new(),
                field: "first_comment".to_owned(),
            });
        }
        Draft { parts, settings: own.and_then(|own| own.settings.clone()).unwrap_or(Value::Null) }
    }
}
