//! KV, as one location sees it with no lag.

use super::{Check, Suite, same};
use crate::platform::{KeyValue, KvFault};

const KEY: &str = "contract/key";

pub(super) async fn suite(store: &dyn KeyValue) -> Vec<Check> {
    let mut suite = Suite::new("KeyValue");
    suite.check("gives nothing for what was never stored", missing(store).await);
    suite.check("gives what was stored last", stored(store).await.unwrap_or_else(|fault| Err(fault.0)));
    suite.check("refuses to forget in under a minute", too_short(store).await);
    suite.check("refuses a key of more than 512 bytes", long_key(store).await);
    suite.checks
}

async fn missing(store: &dyn KeyValue) -> Result<(), String> {
    same(&store.get("contract/nothing").await, &Ok(None))
}

async fn stored(store: &dyn KeyValue) -> Result<Result<(), String>, KvFault> {
    store.put(KEY, "first".to_owned(), 60).await?;
    let text = "\u{1f426} \"second\"\n".to_owned();
    store.put(KEY, text.clone(), 60).await?;
    let kept = store.get(KEY).await?;
    store.delete(KEY).await?;
    store.delete(KEY).await?;
    Ok(same(&kept, &Some(text)))
}

async fn too_short(store: &dyn KeyValue) -> Result<(), String> {
    refused(store.put("contract/short", "x".to_owned(), 59).await)
}

async fn long_key(store: &dyn KeyValue) -> Result<(), String> {
    refused(store.put(&"k".repeat(513), "x".to_owned(), 60).await)
}

fn refused(outcome: Result<(), KvFault>) -> Result<(), String> {
    outcome.map_or(Ok(()), |()| Err("it was taken".to_owned()))
}
