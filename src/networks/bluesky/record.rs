//! The record of a post (`app.bsky.feed.post`). Pure: the same job gives the same record, byte for byte.

use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    progress::{Card, Progress},
    render::Wire,
    tid,
};
use crate::{
    networks::{
        ErrorClass, Job, JobPart, NetworkError, PartKind, PartState,
        spans::{Mark, Span},
    },
    platform::Timestamp,
};

/// The collection that posts are in.
pub const COLLECTION: &str = "app.bsky.feed.post";

/// What recognises a part: its record key, and where it stands once it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// The record key.
    pub rkey: String,
    /// The record's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The hash of its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
}

impl Handle {
    /// The handle that a part was armed with, or the one that it will be armed with.
    pub fn of(job: &Job, position: usize) -> Self {
        let stored = job.parts.get(position).and_then(|part| part.handle.as_ref());
        stored.and_then(|handle| Self::deserialize(handle).ok()).unwrap_or_else(|| Self {
            rkey: tid::record_key(&job.delivery_id, job.due_at, position),
            uri: None,
            cid: None,
        })
    }
}

/// The record of a part.
///
/// # Errors
/// When the part answers one that is not live, or something is not prepared.
pub fn record(job: &Job, position: usize) -> Result<Value, NetworkError> {
    let part =
        job.parts.get(position).ok_or_else(|| NetworkError::of(ErrorClass::Refused, "part_missing"))?;
    let progress = Progress::of(job);
    let wire = Wire::read(&part.wire);
    let mut record = json!({
        "$type": COLLECTION,
        "text": part.text,
        "createdAt": rfc3339(tid::created_at(job.due_at, position)),
    });
    let optional = [
        ("langs", list(wire.langs.iter().map(|lang| json!(lang)))),
        ("tags", list(wire.tags.iter().map(|tag| json!(tag)))),
        ("facets", list(wire.spans.iter().filter_map(|span| facet(span, &progress)))),
        ("embed", embed(part, &wire, &progress)?),
        ("reply", reply(job, position)?),
    ];
    for (name, value) in optional {
        if let (Some(value), Some(fields)) = (value, record.as_object_mut()) {
            fields.insert(name.to_owned(), value);
        }
    }
    Ok(record)
}

fn list(items: impl Iterator<Item = Value>) -> Option<Value> {
    let items: Vec<Value> = items.collect();
    (!items.is_empty()).then_some(Value::Array(items))
}

/// A rich-text facet (`app.bsky.richtext.facet`); its offsets count bytes of UTF-8. A handle that nobody has gives none.
fn facet(span: &Span, progress: &Progress) -> Option<Value> {
    let feature = match &span.mark {
        Mark::Link(uri) => json!({ "$type": "app.bsky.richtext.facet#link", "uri": uri }),
        Mark::Tag(tag) => json!({ "$type": "app.bsky.richtext.facet#tag", "tag": tag }),
        Mark::Mention(handle) => {
            let did = progress.dids.get(handle)?.as_ref()?;
            json!({ "$type": "app.bsky.richtext.facet#mention", "did": did })
        }
    };
    Some(json!({
        "index": { "byteStart": span.range.start, "byteEnd": span.range.end },
        "features": [feature],
    }))
}

fn embed(part: &JobPart, wire: &Wire, progress: &Progress) -> Result<Option<Value>, NetworkError> {
    if part.media.is_empty() {
        return Ok(wire.card.as_ref().and_then(|link| external(link, progress)));
    }
    let images: Vec<Value> = part
        .media
        .iter()
        .map(|media| {
            let blob = progress
                .blobs
                .get(media.media_id.as_str())
                .ok_or_else(|| NetworkError::of(ErrorClass::PrepareAgain, "not_prepared"))?;
            let mut image = json!({ "image": blob, "alt": media.alt });
            if let (Some(width), Some(height), Some(fields)) =
                (media.width, media.height, image.as_object_mut())
            {
                fields.insert("aspectRatio".to_owned(), json!({ "width": width, "height": height }));
            }
            Ok(image)
        })
        .collect::<Result<_, NetworkError>>()?;
    Ok(Some(json!({ "$type": "app.bsky.embed.images", "images": images })))
}

/// A link card (`app.bsky.embed.external`).
fn external(link: &str, progress: &Progress) -> Option<Value> {
    let Card::Ready { words, thumb } = progress.cards.get(link)? else {
        return None;
    };
    let mut card = json!({ "uri": link, "title": words.title, "description": words.description });
    if let (Some(thumb), Some(fields)) = (thumb, card.as_object_mut()) {
        fields.insert("thumb".to_owned(), thumb.clone());
    }
    Some(json!({ "$type": "app.bsky.embed.external", "external": card }))
}

/// Where a reply hangs: under the post (`root`), and under the part before it, or the post for a first comment.
fn reply(job: &Job, position: usize) -> Result<Option<Value>, NetworkError> {
    if position == 0 {
        return Ok(None);
    }
    let kind_at = |index: usize| job.parts.get(index).map(|part| part.kind);
    let parent = match kind_at(position) {
        Some(PartKind::Reply) => {
            (0..position).rev().find(|index| kind_at(*index) != Some(PartKind::FirstComment)).unwrap_or(0)
        }
        _ => 0,
    };
    Ok(Some(json!({ "root": reference(job, 0)?, "parent": reference(job, parent)? })))
}

/// A strong reference (`com.atproto.repo.strongRef`) to a part that is live.
fn reference(job: &Job, position: usize) -> Result<Value, NetworkError> {
    let live = job.parts.get(position).is_some_and(|part| part.state == PartState::Live);
    match Handle::of(job, position) {
        Handle { uri: Some(uri), cid: Some(cid), .. } if live => Ok(json!({ "uri": uri, "cid": cid })),
        _ => Err(NetworkError::of(ErrorClass::Refused, "parent_missing")),
    }
}

fn rfc3339(at: Timestamp) -> String {
    let instant = Instant::from_millisecond(at.as_millis()).unwrap_or(Instant::UNIX_EPOCH);
    instant.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
