//! Writes a JSON object member by member, so that ready JSON goes into it as it is, neither parsed nor copied twice.

use serde::Serialize;

/// An object in the making. Names are literals that need no escaping.
#[derive(Clone, Debug, Default)]
pub(super) struct ObjectWriter(String);

impl ObjectWriter {
    /// Adds a member whose value is JSON already.
    pub(super) fn raw(mut self, name: &'static str, json: &str) -> Self {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
        self.0.push_str(json);
        self
    }

    /// Adds a member. A value that cannot be serialised, which no type here is, is null.
    pub(super) fn member(self, name: &'static str, value: &impl Serialize) -> Self {
        let json = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
        self.raw(name, &json)
    }

    /// Adds a member if there is a value.
    pub(super) fn optional(self, name: &'static str, value: Option<&impl Serialize>) -> Self {
        match value {
            Some(value) => self.member(name, value),
            None => self,
        }
    }

    /// The object.
    pub(super) fn finish(mut self) -> String {
        self.0.push_str(if self.0.is_empty() { "{}" } else { "}" });
        self.0
    }
}
