//! Whether the worker's databases answer, and have the migrations that this worker needs.

use serde::Serialize;

use super::store;
use crate::{
    http::Response,
    platform::{Database, Platform, Sql, only},
};

/// The number of the last migration in `schema/directory` that this worker needs.
pub const DIRECTORY_SCHEMA: i64 = 1;

/// The number of the last migration in `schema/shard` that this worker needs.
pub const SHARD_SCHEMA: i64 = 2;

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Behind,
    Unreachable,
}

#[derive(Serialize)]
struct DatabaseHealth {
    database: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<i64>,
    needs: i64,
}

#[derive(Serialize)]
struct Health {
    ok: bool,
    databases: Vec<DatabaseHealth>,
}

/// Answers `/healthz`: 200 when every database answers and has the schema that this worker needs, else 503.
pub async fn health(platform: &Platform<'_>) -> Response {
    let directory = platform.directory;
    let mut databases =
        vec![examine("DIRECTORY".to_owned(), directory, store::directory::SCHEMA, DIRECTORY_SCHEMA).await];
    for (number, shard) in platform.shards.iter().enumerate() {
        databases.push(examine(format!("SHARD_{number}"), *shard, store::shard::SCHEMA, SHARD_SCHEMA).await);
    }
    let ok = databases.iter().all(|database| database.state == State::Ok);
    Response::json(if ok { 200 } else { 503 }, &Health { ok, databases }).no_store()
}

/// Whether a shard has the schema that this worker needs.
pub async fn shard_is_current(shard: &dyn Database) -> bool {
    version(shard, store::shard::SCHEMA).await.is_some_and(|version| version >= SHARD_SCHEMA)
}

async fn examine(name: String, database: &dyn Database, schema: Sql, needs: i64) -> DatabaseHealth {
    let schema = version(database, schema).await;
    let state = match schema {
        None => State::Unreachable,
        Some(version) if version < needs => State::Behind,
        Some(_) => State::Ok,
    };
    DatabaseHealth { database: name, state, schema, needs }
}

async fn version(database: &dyn Database, schema: Sql) -> Option<i64> {
    only(database, schema.with([])).await.ok()?.first()?.get("version").ok()
}
