//! Calls that a result or a refusal suggests.

use serde::Serialize;
use serde_json::Value;

/// A call that would be sensible now, complete enough to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct NextCall {
    /// The tool.
    pub tool: String,
    /// Its arguments.
    pub arguments: Value,
}

/// The call of `tool` with `arguments`, less those that are null.
pub fn next_call(tool: &str, mut arguments: Value) -> NextCall {
    if let Value::Object(fields) = &mut arguments {
        fields.retain(|_, value| !value.is_null());
    }
    NextCall { tool: tool.to_owned(), arguments }
}
