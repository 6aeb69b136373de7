//! Workers KV.

use worker::{KvError, KvStore};

use crate::platform::{KeyValue, KvFault, Later};

/// How long a location may tell a read again, in seconds: the shortest that KV allows.
const CACHE_SECONDS: u64 = 30;

/// A bound KV namespace.
pub struct Kv(pub KvStore);

impl KeyValue for Kv {
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<String>, KvFault>> {
        Box::pin(async move { self.0.get(key).cache_ttl(CACHE_SECONDS).text().await.map_err(failed) })
    }

    fn put<'a>(&'a self, key: &'a str, value: String, ttl_seconds: u32) -> Later<'a, Result<(), KvFault>> {
        Box::pin(async move {
            let put = self.0.put(key, value).map_err(failed)?;
            put.expiration_ttl(u64::from(ttl_seconds)).execute().await.map_err(failed)
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Later<'a, Result<(), KvFault>> {
        Box::pin(async move { self.0.delete(key).await.map_err(failed) })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn failed(fault: KvError) -> KvFault {
    KvFault(fault.to_string())
}
