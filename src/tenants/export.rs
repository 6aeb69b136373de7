//! All that a tenant has, page by page.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{TABLES, TenantTable, directory, note_by_operator};
use crate::{
    desk::{Act, Tenant},
    platform::{DatabaseFault, Platform, Row, RowFault, Value, only},
};

/// Most rows of one page.
const PAGE: i64 = 2000;

/// A part of an export.
pub struct ExportPage {
    /// JSON lines, each a `table` and a `row`.
    pub lines: String,
    /// What to pass to get what follows; nothing at the end.
    pub next: Option<String>,
}

/// Where a page ended: after the row with this key in this table.
#[derive(Serialize, Deserialize)]
struct Position {
    table: String,
    after: Vec<Key>,
}

/// A part of a key, as it stands in the database.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Key {
    Int(i64),
    Text(String),
}

impl From<Key> for Value {
    fn from(key: Key) -> Self {
        match key {
            Key::Int(number) => Self::Int(number),
            Key::Text(text) => Self::Text(text),
        }
    }
}

impl Position {
    /// Before the first row: no key sorts before the empty text, numbers stand behind texts that do.
    fn before(table: &TenantTable) -> Self {
        let after = table.key.iter().map(|_| Key::Text(String::new())).collect();
        Self { table: table.name.to_owned(), after }
    }

    fn write(&self) -> String {
        BASE64URL_NOPAD.encode(serde_json::json!(self).to_string().as_bytes())
    }

    fn read(text: &str) -> Option<(&'static TenantTable, Self)> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let position: Self = serde_json::from_slice(&bytes).ok()?;
        let table = TABLES.iter().find(|table| table.name == position.table)?;
        (position.after.len() == table.key.len()).then_some((table, position))
    }
}

/// The page after `next`, or the first one. Secrets are not in it. Nothing when `next` is not one that was given.
///
/// # Errors
/// When the shard fails.
pub async fn export(
    platform: &Platform<'_>,
    tenant: &Tenant,
    next: Option<&str>,
) -> Result<Option<ExportPage>, DatabaseFault> {
    let shard = directory::shard_of(platform, tenant)?;
    let begin = match next {
        Some(text) => Position::read(text),
        None => TABLES.first().map(|table| (table, Position::before(table))),
    };
    let Some((first_table, mut position)) = begin else {
        return Ok(None);
    };
    if next.is_none() {
        note_by_operator(platform, tenant, &Act { name: "operator_export_tenant", subjects: &[] }).await?;
    }
    let mut page = ExportPage { lines: String::new(), next: None };
    let mut left = PAGE;
    for table in TABLES.iter().skip_while(|table| table.name != first_table.name) {
        if table.name != position.table {
            position = Position::before(table);
        }
        if left == 0 {
            page.next = Some(position.write());
            break;
        }
        let mut parameters = vec![Value::from(&tenant.id)];
        parameters.extend(position.after.iter().cloned().map(Value::from));
        parameters.push(left.into());
        let rows = only(shard, crate::platform::Statement { sql: table.export, parameters }).await?;
        for row in &rows {
            page.lines.push_str(&line(table, row)?);
        }
        left -= i64::try_from(rows.len()).unwrap_or(left);
        if let (0, Some(last)) = (left, rows.last()) {
            let after = table.key.iter().map(|column| key(last, column)).collect::<Result<_, _>>()?;
            page.next = Some(Position { table: table.name.to_owned(), after }.write());
            break;
        }
    }
    Ok(Some(page))
}

fn key(row: &Row, column: &'static str) -> Result<Key, RowFault> {
    match row.get::<Value>(column)? {
        Value::Int(number) => Ok(Key::Int(number)),
        Value::Text(text) => Ok(Key::Text(text)),
        Value::Null => Err(RowFault { column }),
    }
}

fn line(table: &TenantTable, row: &Row) -> Result<String, RowFault> {
    let mut fields = Map::new();
    for column in ["tenant_id"].iter().chain(table.key).chain(table.columns) {
        let value = match row.get::<Value>(column)? {
            Value::Null => Json::Null,
            Value::Int(number) => number.into(),
            Value::Text(text) => text.into(),
        };
        fields.insert((*column).to_owned(), value);
    }
    Ok(format!("{}\n", serde_json::json!({ "table": table.name, "row": fields })))
}
