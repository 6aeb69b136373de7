//! D1 as a database: one `batch` call, which is one transaction.

use worker::{D1Database, D1PreparedStatement, js_sys, wasm_bindgen::JsValue};

use crate::{
    edge::fault::database_fault,
    platform::{Database, DatabaseFault, Later, Row, Rows, Statement, Value},
};

/// Integers from here on lose digits in JavaScript.
const INEXACT: u64 = 1 << 53;

/// A bound D1 database.
pub struct D1(pub D1Database);

impl D1 {
    fn prepare(&self, statement: &Statement) -> Result<D1PreparedStatement, DatabaseFault> {
        let parameters: Vec<JsValue> =
            statement.parameters.iter().map(parameter).collect::<Result<_, _>>()?;
        self.0.prepare(statement.sql.text).bind(&parameters).map_err(|fault| failed(&fault))
    }

    async fn run(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseFault> {
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        let prepared: Vec<D1PreparedStatement> =
            statements.iter().map(|statement| self.prepare(statement)).collect::<Result<_, _>>()?;
        let results = self.0.batch(prepared).await.map_err(|fault| failed(&fault))?;
        // From here on the batch is committed: rows that cannot be read are a fault of the statement's columns.
        results
            .iter()
            .map(|result| result.results::<Row>().map_err(|fault| DatabaseFault::Rejected(fault.to_string())))
            .collect()
    }
}

impl Database for D1 {
    fn batch(&self, statements: Vec<Statement>) -> Later<'_, Result<Vec<Rows>, DatabaseFault>> {
        Box::pin(self.run(statements))
    }
}

/// D1 takes numbers as floating point only, and refuses BigInt and `undefined`.
fn parameter(value: &Value) -> Result<JsValue, DatabaseFault> {
    match value {
        Value::Null => Ok(JsValue::NULL),
        Value::Text(text) => Ok(JsValue::from_str(text)),
        Value::Int(number) if number.unsigned_abs() >= INEXACT => {
            Err(DatabaseFault::Rejected("an integer of 2^53 or more".to_owned()))
        }
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
        Value::Int(number) => Ok(JsValue::from_f64(*number as f64)),
    }
}

/// D1's error names the cause in its message; formatting its `cause` could throw.
fn failed(fault: &worker::Error) -> DatabaseFault {
    let message = match fault {
        worker::Error::D1(fault) => String::from(AsRef::<js_sys::Error>::as_ref(fault).message()),
        other => other.to_string(),
    };
    database_fault(&message)
}
