//! R2 as the store of media.

use worker::{Bucket, ByteStream, Data, HttpMetadata, MultipartUpload, Range, ResponseBody, web_sys};

use super::stream;
use crate::platform::{BlobFault, BlobInfo, Blobs, ByteRange, Later};

/// The smallest part of a multipart upload, but the last: 5 MiB.
const PART: usize = 5 << 20;

/// Most keys that R2 lists at once.
const MOST_LISTED: u32 = 1000;

/// A bound R2 bucket.
pub struct R2(pub Bucket);

/// Why a stream was not stored. Nothing is left of it.
pub enum StreamFault {
    /// It was longer than allowed.
    TooLarge,
    /// It broke off, or the store did.
    Lost(worker::Error),
}

impl From<worker::Error> for StreamFault {
    fn from(fault: worker::Error) -> Self {
        Self::Lost(fault)
    }
}

impl R2 {
    /// A stream of a blob's bytes whose length the runtime knows; nothing when there is no such blob.
    pub async fn stream(
        &self,
        key: &str,
        range: ByteRange,
    ) -> worker::Result<Option<web_sys::ReadableStream>> {
        let Some(object) = self.0.get(key).range(of(range)).execute().await? else { return Ok(None) };
        let body = object.body().map(|body| body.response_body()).transpose()?;
        Ok(match body {
            Some(ResponseBody::Stream(stream)) => Some(stream),
            Some(ResponseBody::Body(_) | ResponseBody::Empty) | None => None,
        })
    }

    /// Stores `bytes` under `key`.
    pub async fn store(&self, key: &str, content_type: &str, bytes: impl Into<Data>) -> worker::Result<()> {
        self.0.put(key, bytes).http_metadata(metadata(content_type)).execute().await.map(|_| ())
    }

    /// Stores a stream of unknown length, at most `limit` bytes, holding one part of it in memory.
    pub async fn store_stream(
        &self,
        key: &str,
        content_type: &str,
        mut from: ByteStream,
        limit: u64,
    ) -> Result<(), StreamFault> {
        let first = fill(&mut from, limit).await?;
        if first.len() < PART {
            return Ok(self.store(key, content_type, first).await?);
        }
        let upload =
            self.0.create_multipart_upload(key).http_metadata(metadata(content_type)).execute().await?;
        match parts(&upload, first, from, limit).await {
            Ok(parts) => Ok(upload.complete(parts).await.map(|_| ())?),
            Err(fault) => {
                // A part that stays behind is never seen: the platform removes unfinished uploads after a week.
                let _ = upload.abort().await;
                Err(fault)
            }
        }
    }

    async fn read_range(&self, key: &str, range: ByteRange) -> worker::Result<Option<Vec<u8>>> {
        let Some(object) = self.0.head(key).await? else { return Ok(None) };
        if range.start >= object.size() || range.length == 0 {
            return Ok(Some(Vec::new()));
        }
        let Some(object) = self.0.get(key).range(of(range)).execute().await? else { return Ok(None) };
        match object.body() {
            Some(body) => body.bytes().await.map(Some),
            None => Ok(None),
        }
    }
}

/// Uploads `first` and what follows it in parts.
async fn parts(
    upload: &MultipartUpload,
    first: Vec<u8>,
    mut from: ByteStream,
    limit: u64,
) -> Result<Vec<worker::UploadedPart>, StreamFault> {
    let mut uploaded = Vec::new();
    let mut part = first;
    let mut total = 0_u64;
    for number in 1.. {
        total = total.saturating_add(part.len() as u64);
        let is_last = part.len() < PART;
        uploaded.push(upload.upload_part(number, part).await?);
        if is_last {
            break;
        }
        part = fill(&mut from, limit.saturating_sub(total)).await?;
        if part.is_empty() {
            break;
        }
    }
    Ok(uploaded)
}

/// Reads until there is enough for a part, or the stream ends. More than `limit` bytes are a fault.
async fn fill(from: &mut ByteStream, limit: u64) -> Result<Vec<u8>, StreamFault> {
    let mut bytes = Vec::new();
    while bytes.len() < PART
        && let Some(piece) = stream::next(from).await
    {
        bytes.extend(piece?);
        if bytes.len() as u64 > limit {
            return Err(StreamFault::TooLarge);
        }
    }
    Ok(bytes)
}

fn metadata(content_type: &str) -> HttpMetadata {
    HttpMetadata { content_type: Some(content_type.to_owned()), ..HttpMetadata::default() }
}

const fn of(range: ByteRange) -> Range {
    Range::OffsetWithLength { offset: range.start, length: range.length }
}

impl Blobs for R2 {
    fn put<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
        bytes: Vec<u8>,
    ) -> Later<'a, Result<(), BlobFault>> {
        Box::pin(async move { self.store(key, content_type, bytes).await.map_err(failed) })
    }

    fn head<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<BlobInfo>, BlobFault>> {
        Box::pin(async move {
            let object = self.0.head(key).await.map_err(failed)?;
            Ok(object.map(|object| BlobInfo {
                size: object.size(),
                content_type: object.http_metadata().content_type.unwrap_or_default(),
            }))
        })
    }

    fn read<'a>(&'a self, key: &'a str, range: ByteRange) -> Later<'a, Result<Option<Vec<u8>>, BlobFault>> {
        Box::pin(async move { self.read_range(key, range).await.map_err(failed) })
    }

    fn list<'a>(&'a self, prefix: &'a str, limit: usize) -> Later<'a, Result<Vec<String>, BlobFault>> {
        let limit = u32::try_from(limit).unwrap_or(MOST_LISTED).min(MOST_LISTED);
        Box::pin(async move {
            let listed = self.0.list().prefix(prefix).limit(limit).execute().await.map_err(failed)?;
            Ok(listed.objects().iter().map(worker::Object::key).collect())
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Later<'a, Result<(), BlobFault>> {
        Box::pin(async move { self.0.delete(key).await.map_err(failed) })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn failed(fault: worker::Error) -> BlobFault {
    BlobFault(fault.to_string())
}
