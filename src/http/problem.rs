//! Problem bodies (RFC 9457) of API paths: never HTML.

use serde::Serialize;

use super::{About, Response};

/// What went wrong, for a program and for a person.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// A stable code.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Problem {
    /// The body of a 500 when even the body cannot be made.
    pub const INTERNAL: &'static str = r#"{"status":500,"code":"internal","message":"Something went wrong here.","hint":"Try again; the operator's log has the request's id."}"#;

    /// A problem with its parts.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), hint: hint.into() }
    }

    /// The problem as a response.
    pub fn response(&self) -> Response {
        let response = match serde_json::to_vec(self) {
            Ok(body) => Response::of(self.status, "application/problem+json", body),
            Err(_) => Response::of(500, "application/problem+json", Self::INTERNAL.as_bytes()),
        };
        response.with_about(About { code: Some(self.code), ..About::default() })
    }
}
