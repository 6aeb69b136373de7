//! What preparing a job has given so far, and what is still to be prepared. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::render::Wire;
use crate::networks::{Attachment, Job, JobPart, PartState, spans::Mark};

const VERSION: u32 = 1;

/// What was prepared; stored as the job's progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    v: u32,
    /// Blob references by media id.
    pub blobs: BTreeMap<String, Value>,
    /// DIDs by handle; nothing for a handle that nobody has.
    pub dids: BTreeMap<String, Option<String>>,
    /// Preview cards by address.
    pub cards: BTreeMap<String, Card>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { v: VERSION, blobs: BTreeMap::new(), dids: BTreeMap::new(), cards: BTreeMap::new() }
    }
}

/// A preview card in the making.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Card {
    /// The page gives none.
    Absent,
    /// The page was read; its picture comes next.
    WithPicture {
        /// The page's title and description.
        words: CardWords,
        /// The address of its picture.
        picture: String,
    },
    /// Ready to be embedded.
    Ready {
        /// The page's title and description.
        words: CardWords,
        /// The blob reference of its picture.
        thumb: Option<Value>,
    },
}

/// What a card says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardWords {
    /// The page's title.
    pub title: String,
    /// Its description; may be empty.
    pub description: String,
}

/// One reversible thing to do before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Find the DID of a handle.
    Resolve(String),
    /// Upload a picture.
    Upload(Attachment),
    /// Read the page of a card.
    ReadPage(String),
    /// Fetch and upload a card's picture.
    FetchPicture {
        /// The card's address.
        link: String,
        /// The page's title and description.
        words: CardWords,
        /// The picture's address.
        picture: String,
    },
}

impl Progress {
    /// The progress of a job; what cannot be read begins again.
    pub fn of(job: &Job) -> Self {
        Self::deserialize(&job.progress).ok().filter(|progress| progress.v == VERSION).unwrap_or_default()
    }

    /// What is to be prepared next, over all parts that are still to be sent: a thread begins when all of it is ready.
    pub fn next_task(&self, job: &Job) -> Option<Task> {
        job.parts
            .iter()
            .filter(|part| matches!(part.state, PartState::Pending | PartState::Armed))
            .find_map(|part| self.task_of(part))
    }

    fn task_of(&self, part: &JobPart) -> Option<Task> {
        let wire = Wire::read(&part.wire);
        let resolve = wire.spans.iter().find_map(|span| match &span.mark {
            Mark::Mention(handle) if !self.dids.contains_key(handle) => Some(Task::Resolve(handle.clone())),
            _ => None,
        });
        let upload = || {
            let missing = |media: &&Attachment| !self.blobs.contains_key(media.media_id.as_str());
            part.media.iter().find(missing).cloned().map(Task::Upload)
        };
        resolve.or_else(upload).or_else(|| self.card_task(wire.card?))
    }

    fn card_task(&self, link: String) -> Option<Task> {
        match self.cards.get(&link) {
            None => Some(Task::ReadPage(link)),
            Some(Card::WithPicture { words, picture }) => {
                Some(Task::FetchPicture { words: words.clone(), picture: picture.clone(), link })
            }
            Some(Card::Absent | Card::Ready { .. }) => None,
        }
    }

    /// The progress as it is stored.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
