//! What every network speaks of: drafts, what they become, and rules.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use crate::{
    desk::{MediaId, Problem, ProfileId},
    platform::FromValue,
};

/// The networks that Postern knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub enum Network {
    /// The tenant's own public page.
    Wall,
    /// Bluesky and other servers of the AT Protocol.
    Bluesky,
}

impl Network {
    /// Every network.
    pub const ALL: [Self; 2] = [Self::Wall, Self::Bluesky];

    /// The name on the wire and in the databases.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wall => "wall",
            Self::Bluesky => "bluesky",
        }
    }

    /// The network of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|network| network.as_str() == name)
    }
}

impl FromValue for Network {
    fn from_value(value: &crate::platform::Value) -> Option<Self> {
        Self::parse(&String::from_value(value)?)
    }
}

/// A connected account, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The profile.
    pub profile_id: ProfileId,
    /// Its network.
    pub network: Network,
    /// Its handle, as people write it.
    pub handle: String,
    /// The network's own id of it: a DID on Bluesky, the profile's id on the Wall.
    pub remote_id: String,
    /// The origin of its server, for networks that have many.
    pub server: Option<String>,
}

/// What a part is, seen from the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub enum PartKind {
    /// The post.
    Post,
    /// The next post of a thread.
    Reply,
    /// A comment under the post.
    FirstComment,
}

/// A picture or video of a part. It is in the library: nothing is fetched at publishing time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The media file.
    pub media_id: MediaId,
    /// Its media type, sniffed from its bytes.
    pub content_type: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its width in pixels.
    pub width: Option<u32>,
    /// Its height in pixels.
    pub height: Option<u32>,
    /// What it shows, for those who cannot see it.
    pub alt: String,
}

/// A part as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftPart {
    /// What it is.
    pub kind: PartKind,
    /// Its text.
    pub text: String,
    /// Its media.
    pub media: Vec<Attachment>,
    /// The argument that its text came from, such as `thread[1].text`, for problems.
    pub field: String,
}

/// What is to be sent to one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The parts in order; the first is the post.
    pub parts: Vec<DraftPart>,
    /// The network's own settings, checked against its schema.
    pub settings: Value,
}

/// What a text is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub enum Unit {
    /// What people see as one character.
    Graphemes,
    /// Unicode scalar values.
    Characters,
}

impl Unit {
    /// Several of it, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Graphemes => "graphemes (characters as people see them)",
            Self::Characters => "characters",
        }
    }

    /// How many of it a text has.
    pub fn count(self, text: &str) -> usize {
        match self {
            Self::Graphemes => text.graphemes(true).count(),
            Self::Characters => text.chars().count(),
        }
    }

    /// The beginning of a text that has at most so many of it.
    pub fn head(self, text: &str, most: usize) -> &str {
        let end = match self {
            Self::Graphemes => text.grapheme_indices(true).nth(most),
            Self::Characters => text.char_indices().nth(most).map(|(end, _)| (end, "")),
        };
        end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
    }
}

/// A text's length in the network's own measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct Count {
    /// How long it is.
    pub count: u32,
    /// How long it may be.
    pub limit: u32,
    /// Counted in this.
    pub unit: Unit,
}

/// A part as it would be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderedPart {
    /// What it is.
    pub kind: PartKind,
    /// The final text.
    pub text: String,
    /// Its length.
    pub length: Count,
    /// Its media.
    pub media: Vec<Attachment>,
    /// What the connector needs besides, such as facets.
    pub wire: Value,
}

/// A draft as it would be sent, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The parts.
    pub parts: Vec<RenderedPart>,
    /// What must be mended before it can be sent. Measure, limit and excess are in the message.
    pub problems: Vec<Problem>,
    /// What will happen that the writer may not expect.
    pub warnings: Vec<String>,
}

/// What a network takes, for `describe_network`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct Rules {
    /// The network.
    pub network: Network,
    /// Its name for people.
    pub name: &'static str,
    /// Longest text of a part.
    pub text_limit: u32,
    /// What the limit counts.
    pub text_unit: Unit,
    /// Most pictures in a part.
    pub images: u32,
    /// Largest picture, in bytes.
    pub image_bytes: u64,
    /// Picture types that it takes.
    pub image_types: &'static [&'static str],
    /// What a thread's further parts become.
    pub thread: &'static str,
    /// What a first comment becomes.
    pub first_comment: &'static str,
    /// JSON Schema of its settings.
    pub settings: Value,
    /// Whether a post can be removed there.
    pub removal: bool,
    /// What else to know, in sentences.
    pub notes: &'static [&'static str],
}
