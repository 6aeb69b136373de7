//! Blobs.

use super::{Check, Suite, same};
use crate::platform::{BlobFault, BlobInfo, Blobs, ByteRange};

const KEY: &str = "contract/blob";

pub(super) async fn suite(store: &dyn Blobs) -> Vec<Check> {
    let mut suite = Suite::new("Blobs");
    suite.check("gives nothing for what is not there", flat(absent(store).await));
    suite.check("gives size, type and bytes of what was stored", flat(stored(store).await));
    suite.check("gives runs of bytes, as far as there are any", flat(ranges(store).await));
    suite.check("lists what begins alike, as many as asked for", flat(listed(store).await));
    suite.check("removes, also what is not there", flat(removed(store).await));
    suite.checks
}

fn flat(outcome: Result<Result<(), String>, BlobFault>) -> Result<(), String> {
    outcome.unwrap_or_else(|fault| Err(fault.0))
}

const fn run(start: u64, length: u64) -> ByteRange {
    ByteRange { start, length }
}

async fn absent(store: &dyn Blobs) -> Result<Result<(), String>, BlobFault> {
    let head = store.head("contract/nothing").await?;
    let read = store.read("contract/nothing", run(0, 1)).await?;
    Ok(same(&(head, read), &(None, None)))
}

async fn stored(store: &dyn Blobs) -> Result<Result<(), String>, BlobFault> {
    let bytes: Vec<u8> = (0..=255).collect();
    store.put(KEY, "image/png", bytes.clone()).await?;
    let info = BlobInfo { size: 256, content_type: "image/png".to_owned() };
    let head = store.head(KEY).await?;
    let read = store.read(KEY, run(0, 256)).await?;
    Ok(same(&(head, read), &(Some(info), Some(bytes))))
}

async fn ranges(store: &dyn Blobs) -> Result<Result<(), String>, BlobFault> {
    let middle = store.read(KEY, run(10, 3)).await?;
    let end = store.read(KEY, run(254, 100)).await?;
    let beyond = store.read(KEY, run(256, 1)).await?;
    let none = store.read(KEY, run(0, 0)).await?;
    let wanted = [vec![10, 11, 12], vec![254, 255], vec![], vec![]].map(Some);
    Ok(same(&[middle, end, beyond, none], &wanted))
}

async fn listed(store: &dyn Blobs) -> Result<Result<(), String>, BlobFault> {
    store.put("contract/blob2", "text/plain", vec![1]).await?;
    let mut both = store.list("contract/blob", 10).await?;
    both.sort();
    let counts = (store.list("contract/blob", 1).await?.len(), store.list("contract/x", 10).await?.len());
    store.delete("contract/blob2").await?;
    Ok(same(&(both, counts), &(vec![KEY.to_owned(), "contract/blob2".to_owned()], (1, 0))))
}

async fn removed(store: &dyn Blobs) -> Result<Result<(), String>, BlobFault> {
    store.delete(KEY).await?;
    store.delete(KEY).await?;
    Ok(same(&store.head(KEY).await?, &None))
}
