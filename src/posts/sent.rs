//! What of a post went out, or may have, as it was sent: an edit afterwards does not change it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::store::PostRow;
use crate::{
    desk::{PostId, ProfileId},
    networks::{self, Attachment, Network, PartKind, RenderedPart},
    platform::{FromRow, Row, RowFault},
};

/// A part as it was rendered for sending; the parts of a delivery are stored in its plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanPart {
    /// What it is.
    pub kind: PartKind,
    /// The final text.
    pub text: String,
    /// Its media.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Attachment>,
    /// What the connector needs besides.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub wire: Value,
}

impl From<RenderedPart> for PlanPart {
    fn from(part: RenderedPart) -> Self {
        Self { kind: part.kind, text: part.text, media: part.media, wire: part.wire }
    }
}

impl PlanPart {
    /// The part as rendering gave it.
    pub fn rendered(self, network: Network) -> RenderedPart {
        RenderedPart {
            kind: self.kind,
            length: networks::measure(network, &self.text),
            text: self.text,
            media: self.media,
            wire: self.wire,
        }
    }
}

/// What of one delivery is, or may be, public.
pub struct SentRow {
    post_id: PostId,
    profile_id: ProfileId,
    parts: Vec<PlanPart>,
}

impl FromRow for SentRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let parts: String = row.get("parts")?;
        let public: i64 = row.get("public")?;
        let mut parts: Vec<PlanPart> =
            serde_json::from_str(&parts).map_err(|_| RowFault { column: "parts" })?;
        parts.truncate(usize::try_from(public).unwrap_or(0));
        Ok(Self { post_id: row.get("post_id")?, profile_id: row.get("profile_id")?, parts })
    }
}

/// Puts to each delivery what of it went out.
pub fn put_to(posts: &mut [PostRow], sent: Vec<SentRow>) {
    for one in sent {
        let post = posts.iter_mut().find(|post| post.post_id == one.post_id);
        let delivery = post.and_then(|post| {
            post.deliveries.iter_mut().find(|delivery| delivery.profile_id == one.profile_id)
        });
        if let Some(delivery) = delivery {
            delivery.sent = one.parts;
        }
    }
}
