//! SQL databases: one method, a batch that is one transaction.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use super::Later;

/// Which schema a statement belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// The one directory database.
    Directory,
    /// Every shard database.
    Shard,
}

/// A named statement, written once. Its text's first line is `-- name`, so that logs and plans tell which it is.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    /// The statement's name, unique in the crate.
    pub name: &'static str,
    /// The text with its name in the first line.
    pub text: &'static str,
    /// The schema it runs on.
    pub home: Home,
}

impl Sql {
    /// The statement with its parameters, in the order of `?1 … ?n`.
    pub fn with<const N: usize>(self, parameters: [Value; N]) -> Statement {
        Statement { sql: self, parameters: parameters.into() }
    }
}

/// Defines a store's named statements and `STATEMENTS`, the list of them all.
macro_rules! statements {
    ($home:ident: $( $(#[$meta:meta])* $visibility:vis $constant:ident = $name:literal, $text:expr; )*) => {
        $(
            $(#[$meta])*
            $visibility const $constant: $crate::platform::Sql = $crate::platform::Sql {
                name: $name,
                text: concat!("-- ", $name, "\n", $text),
                home: $crate::platform::Home::$home,
            };
        )*
        /// Every statement of this store, for the contract suite and the plans' test.
        pub const STATEMENTS: &[$crate::platform::Sql] = &[$($constant),*];
    };
}
pub(crate) use statements;

/// A statement and what its parameters are bound to.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The statement.
    pub sql: Sql,
    /// The values of `?1 … ?n`; at most 100.
    pub parameters: Vec<Value>,
}

/// What D1 and SQLite store alike: no floating point, no bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// An integer of magnitude below 2^53, which JavaScript keeps exactly.
    Int(i64),
    /// UTF-8 text.
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A database. A batch is one transaction: all of its statements take effect or none does.
pub trait Database {
    /// Runs `statements` in order in one transaction and gives the rows of each.
    ///
    /// # Errors
    /// See [`DatabaseFault`]. After [`DatabaseFault::Aborted`] nothing has changed; after
    /// [`DatabaseFault::Unknown`] the batch may or may not have been committed.
    fn batch(&self, statements: Vec<Statement>) -> Later<'_, Result<Vec<Rows>, DatabaseFault>>;
}

/// Why a batch gave no rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseFault {
    /// A constraint or a guard stopped it; nothing changed.
    Aborted(String),
    /// The statement itself is at fault; nothing changed.
    Rejected(String),
    /// The connection or the database was lost; the outcome is not known.
    Unknown(String),
}

impl fmt::Display for DatabaseFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aborted(why) => write!(formatter, "aborted: {why}"),
            Self::Rejected(why) => write!(formatter, "rejected: {why}"),
            Self::Unknown(why) => write!(formatter, "outcome unknown: {why}"),
        }
    }
}

/// The rows of one statement.
pub type Rows = Vec<Row>;

/// One row, read by column name.
#[derive(Clone, Debug, Default)]
pub struct Row(Vec<(String, Value)>);

impl Row {
    /// A row of these columns.
    pub fn new(columns: Vec<(String, Value)>) -> Self {
        Self(columns)
    }

    /// The column `name` as a `T`.
    ///
    /// # Errors
    /// When there is no such column or its value is not a `T`.
    pub fn get<T: FromValue>(&self, name: &'static str) -> Result<T, RowFault> {
        let value = self
            .0
            .iter()
            .find(|(column, _)| column == name)
            .map(|(_, value)| value)
            .ok_or(RowFault { column: name })?;
        T::from_value(value).ok_or(RowFault { column: name })
    }
}

/// A column that is missing or holds what its type does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFault {
    /// The column.
    pub column: &'static str,
}

impl From<RowFault> for DatabaseFault {
    fn from(fault: RowFault) -> Self {
        Self::Rejected(format!("column {} cannot be read", fault.column))
    }
}

/// Parses a column's value into a type that cannot be wrong.
pub trait FromValue: Sized {
    /// The value as `Self`, or nothing when it is not one.
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for Value {
    fn from_value(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}
impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }
}
impl FromValue for bool {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(|number| number != 0)
    }
}
impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}
impl FromValue for serde_json::Value {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => serde_json::from_str(text).ok(),
            _ => None,
        }
    }
}
impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}

/// A row as a domain type.
pub trait FromRow: Sized {
    /// Reads the row.
    ///
    /// # Errors
    /// When a column is missing or does not parse.
    fn from_row(row: &Row) -> Result<Self, RowFault>;
}

/// The first row as a `T`, if there is one.
///
/// # Errors
/// When a column does not parse.
pub fn first<T: FromRow>(rows: &Rows) -> Result<Option<T>, DatabaseFault> {
    rows.first().map(T::from_row).transpose().map_err(Into::into)
}

/// The rows of the only statement of a batch of one.
///
/// # Errors
/// Those of the batch.
pub async fn only(database: &dyn Database, statement: Statement) -> Result<Rows, DatabaseFault> {
    let mut answers = database.batch(vec![statement]).await?;
    Ok(answers.pop().unwrap_or_default())
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;
        impl Visitor<'_> for AnyValue {
            type Value = Value;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("null, an integer or text")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_none<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Int(value))
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
                i64::try_from(value).map(Value::Int).map_err(E::custom)
            }
            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
                const EXACT: f64 = 9_007_199_254_740_992.0;
                if value.fract() == 0.0 && value.abs() < EXACT {
                    #[expect(clippy::cast_possible_truncation, reason = "an integer below 2^53")]
                    return Ok(Value::Int(value as i64));
                }
                Err(E::custom("not an integer below 2^53"))
            }
            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(Value::Text(value.to_owned()))
            }
            fn visit_string<E>(self, value: String) -> Result<Value, E> {
                Ok(Value::Text(value))
            }
        }
        deserializer.deserialize_any(AnyValue)
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Columns;
        impl<'de> Visitor<'de> for Columns {
            type Value = Row;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a row")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
                let mut columns = Vec::with_capacity(map.size_hint().unwrap_or(8));
                while let Some(column) = map.next_entry()? {
                    columns.push(column);
                }
                Ok(Row(columns))
            }
        }
        deserializer.deserialize_map(Columns)
    }
}
