//! Fetching a file from the web into the library's store: bounded, guarded, examined, and gone again unless it is kept.

use super::sniff::{Examined, Examiner, NotAccepted};
use crate::{
    desk::{Code, Fix, MediaId, Problem, TenantId, blob_key},
    http::{Address, FetchFault, GuardedClient},
    platform::{ByteRange, HttpFault, Platform, ResponseSink},
};

/// Largest file, in bytes.
const MAX_BYTES: u64 = 20 * 1000 * 1000;
/// Longest wait for an answer, in milliseconds.
const TIMEOUT_MILLIS: u32 = 15_000;
/// How much of a stored file is looked at in one go.
const PIECE: u64 = 4 << 20;

/// A file that was fetched, accepted and stored, but is in no library yet.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) id: MediaId,
    pub(super) examined: Examined,
}

/// Why a file was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FetchRefusal {
    /// The guarded client does not ask that address, for this reason.
    Forbidden(&'static str),
    /// Nothing useful came back.
    NotFetched,
    /// More bytes than are taken.
    TooLarge,
    /// It is not a picture that can be posted.
    NotAccepted(NotAccepted),
    /// Our own store failed.
    Store,
}

impl FetchRefusal {
    /// The problem of the input at `field`. It tells nothing of the other side but what kind of failure it was.
    pub(super) fn problem(self, field: &str) -> Problem {
        const ADDRESS: &str =
            "Give a public https address that answers with the picture itself, or leave this item out.";
        const OTHER_FILE: &str = "Give another file: PNG, JPEG, GIF or WebP, at most 20 MB.";
        let (code, message, hint) = match self {
            Self::Forbidden(why) => (Code::MediaNotFetched, why, ADDRESS),
            Self::NotFetched => (Code::MediaNotFetched, "The address did not answer with a file.", ADDRESS),
            Self::TooLarge => (Code::MediaNotAccepted, "The file is larger than 20 MB.", OTHER_FILE),
            Self::NotAccepted(why) => (Code::MediaNotAccepted, why.sentence(), OTHER_FILE),
            Self::Store => (Code::Unavailable, Code::Unavailable.sentence(), "Repeat the call in a minute."),
        };
        let problem = Problem::new(code, format!("{field}.url"), hint).message(message);
        if code == Code::Unavailable { problem } else { problem.fix(Fix::RemoveItem) }
    }
}

/// Fetches `url` into the blob store under a new media id.
///
/// # Errors
/// Why not; nothing is left in the store then.
pub(super) async fn fetch(
    platform: &Platform<'_>,
    tenant: &TenantId,
    url: &str,
) -> Result<Arrival, FetchRefusal> {
    let id = MediaId::new(platform.now(), platform.entropy);
    let key = blob_key(tenant, &id);
    let examined = match download(platform, url, &key).await {
        Ok(()) => examine(platform, &key).await,
        Err(refusal) => Err(refusal),
    };
    match examined {
        Ok(examined) => Ok(Arrival { id, examined }),
        Err(refusal) => {
            discard(platform, tenant, &id).await;
            Err(refusal)
        }
    }
}

/// Whether `url` may be asked at all; asks nobody.
///
/// # Errors
/// Why not.
pub(super) fn check_address(platform: &Platform<'_>, url: &str) -> Result<(), FetchRefusal> {
    Address::parse(url, platform.config).map(drop).map_err(|why| FetchRefusal::Forbidden(why.sentence()))
}

/// Removes a file that nothing refers to. A store that does not answer keeps an orphan that nobody can address.
pub(super) async fn discard(platform: &Platform<'_>, tenant: &TenantId, id: &MediaId) {
    let _ = platform.blobs.delete(&blob_key(tenant, id)).await;
}

async fn download(platform: &Platform<'_>, url: &str, key: &str) -> Result<(), FetchRefusal> {
    let web = GuardedClient::new(platform.http, platform.config);
    let sink = ResponseSink::Blob { key: key.to_owned(), limit: MAX_BYTES };
    match web.get(url, sink, TIMEOUT_MILLIS).await {
        Ok(fetched) if fetched.response.status == 200 => Ok(()),
        Ok(_) | Err(FetchFault::Redirects) => Err(FetchRefusal::NotFetched),
        Err(FetchFault::Forbidden(why)) => Err(FetchRefusal::Forbidden(why.sentence())),
        Err(FetchFault::Http(HttpFault::TooLarge)) => Err(FetchRefusal::TooLarge),
        Err(FetchFault::Http(_)) => Err(FetchRefusal::NotFetched),
    }
}

async fn examine(platform: &Platform<'_>, key: &str) -> Result<Examined, FetchRefusal> {
    let info = platform.blobs.head(key).await.map_err(|_| FetchRefusal::Store)?;
    let size = info.ok_or(FetchRefusal::NotFetched)?.size;
    let mut examiner = Examiner::default();
    let mut start = 0;
    while start < size {
        let range = ByteRange { start, length: PIECE.min(size - start) };
        let piece = platform.blobs.read(key, range).await.ok().flatten().ok_or(FetchRefusal::Store)?;
        if piece.is_empty() {
            return Err(FetchRefusal::Store);
        }
        start = start.saturating_add(piece.len() as u64);
        examiner.feed(&piece);
    }
    examiner.finish().map_err(FetchRefusal::NotAccepted)
}
