//! Media files, and what names one in an argument.

use serde::Deserialize;

use crate::{
    desk::{Code, Fix, MediaId, Problem, WorkspaceId},
    networks::Attachment,
    platform::{FromRow, Row, RowFault},
};

/// Longest description of a picture, in characters.
const ALT_LIMIT: usize = 2000;

/// A picture of a post: one that is stored, or one on the web.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct MediaInput {
    /// Id of a stored file of this workspace (`med_…`). Exactly one of media_id and url.
    pub media_id: Option<String>,
    /// Public https address of a PNG, JPEG, GIF or WebP file, at most 20 MB; fetched and stored now. Never guess one.
    pub url: Option<String>,
    /// What the picture shows, for people who cannot see it; at most 2000 characters.
    pub alt: Option<String>,
}

/// What an input names, once its shape is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A stored file. An id of another form names none.
    Stored(Option<MediaId>),
    /// A file to be fetched.
    Web(String),
    /// Both, of which one is too many.
    Both(Option<MediaId>, String),
}

impl MediaInput {
    /// Which file it names.
    ///
    /// # Errors
    /// `missing` if it is none, `out_of_range` for a description that is too long.
    pub(super) fn source(&self, field: &str) -> Result<Source, Problem> {
        let alt = self.alt.as_deref().unwrap_or_default();
        let length = alt.chars().count();
        if length > ALT_LIMIT {
            let hint = format!("Shorten it by {} characters.", length - ALT_LIMIT);
            let message = format!("The description has {length} characters; at most {ALT_LIMIT} are kept.");
            let kept: String = alt.chars().take(ALT_LIMIT).collect();
            return Err(Problem::new(Code::OutOfRange, format!("{field}.alt"), hint)
                .message(message)
                .fix(Fix::Set(kept.into())));
        }
        match (&self.media_id, &self.url) {
            (Some(id), None) => Ok(Source::Stored(id.trim().parse().ok())),
            (None, Some(url)) => Ok(Source::Web(url.trim().to_owned())),
            (None, None) => {
                Err(Problem::new(Code::Missing, field, "Set media_id or url.").fix(Fix::RemoveItem))
            }
            (Some(id), Some(url)) => Ok(Source::Both(id.trim().parse().ok(), url.trim().to_owned())),
        }
    }
}

/// A stored media file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Its id.
    pub id: MediaId,
    /// Its workspace.
    pub workspace_id: WorkspaceId,
    /// SHA-256 of its bytes, base64url.
    pub hash: String,
    /// Its media type, sniffed from its bytes.
    pub content_type: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its width in pixels.
    pub width: Option<u32>,
    /// Its height in pixels.
    pub height: Option<u32>,
    /// What it shows, as told when it was added.
    pub alt: String,
}

impl Media {
    /// The file as part of a post, described by `alt`, or else as when it was added.
    pub fn attachment(&self, alt: Option<&str>) -> Attachment {
        Attachment {
            media_id: self.id.clone(),
            content_type: self.content_type.clone(),
            bytes: self.bytes,
            width: self.width,
            height: self.height,
            alt: alt.unwrap_or(&self.alt).to_owned(),
        }
    }
}

impl FromRow for Media {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            id: row.get("media_id")?,
            workspace_id: row.get("workspace_id")?,
            hash: row.get("hash")?,
            content_type: row.get("content_type")?,
            bytes: length(row.get("bytes")?).ok_or(RowFault { column: "bytes" })?,
            width: pixels(row.get("width")?),
            height: pixels(row.get("height")?),
            alt: row.get("alt")?,
        })
    }
}

fn length(number: i64) -> Option<u64> {
    u64::try_from(number).ok()
}

fn pixels(number: Option<i64>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok())
}
