//! Reads a command's fields and names every problem at once.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    desk::{Code, Problem, Problems},
    http::Response,
};

/// The fields of a command that were not read yet, and the problems found so far.
pub(super) struct Fields {
    rest: Map<String, Value>,
    problems: Problems,
}

impl Fields {
    pub(super) fn new(rest: Map<String, Value>) -> Self {
        Self { rest, problems: Problems::default() }
    }

    /// A text that `parse` understands; its fault is a sentence that says what it must be.
    pub(super) fn text<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        match self.rest.remove(name) {
            None => self.fault(Code::Missing, name, "Add it."),
            Some(Value::String(text)) => {
                parse(&text).map_or_else(|must| self.fault(Code::Malformed, name, must), Some)
            }
            Some(_) => self.fault(Code::WrongType, name, "It is a text."),
        }
    }

    /// A text that may be left out.
    pub(super) fn optional_text(&mut self, name: &'static str) -> Option<String> {
        match self.rest.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => self.fault(Code::WrongType, name, "It is a text, or left out."),
        }
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        match self.rest.remove(name).map(serde_json::from_value) {
            None => self.fault(Code::Missing, name, "Add it."),
            Some(Ok(texts)) => Some(texts),
            Some(Err(_)) => self.fault(Code::WrongType, name, "It is a list of texts."),
        }
    }

    /// True or false; false when left out.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        match self.rest.remove(name) {
            None => false,
            Some(Value::Bool(flag)) => flag,
            Some(_) => self.fault(Code::WrongType, name, "It is true or false.").unwrap_or_default(),
        }
    }

    /// A whole number from 0.
    pub(super) fn number(&mut self, name: &'static str) -> Option<i64> {
        match self.rest.remove(name) {
            None => self.fault(Code::Missing, name, "Add it."),
            Some(value) => match value.as_i64().filter(|number| *number >= 0) {
                Some(number) => Some(number),
                None => self.fault(Code::WrongType, name, "It is a whole number from 0."),
            },
        }
    }

    /// What was made of the fields, if there was no problem; fields that nobody asked for are problems.
    pub(super) fn finish<T>(mut self, made: Option<T>) -> Result<T, Vec<Problem>> {
        for name in self.rest.keys() {
            self.problems.add(Problem::new(Code::UnknownField, name, "Leave it out."));
        }
        match made {
            Some(made) if self.problems.is_empty() => Ok(made),
            _ => Err(self.problems.into_vec()),
        }
    }

    fn fault<T>(&mut self, code: Code, name: &str, hint: &str) -> Option<T> {
        self.problems.add(Problem::new(code, name, hint));
        None
    }
}

#[derive(Serialize)]
struct RefusalBody<'a> {
    status: u16,
    code: &'a str,
    message: String,
    hint: &'a str,
    problems: &'a [Problem],
}

/// 400 with every problem, the first one as the body's own.
pub(super) fn refusal(problems: &[Problem]) -> Response {
    let first = problems.first();
    let said: Vec<String> = problems
        .iter()
        .map(|problem| {
            format!("{}: {} {}", problem.field, problem.message, problem.hint)
                .trim_start_matches(": ")
                .to_owned()
        })
        .collect();
    let body = RefusalBody {
        status: 400,
        code: first.map_or("malformed", |problem| problem.code.as_str()),
        message: said.join(" "),
        hint: first.map_or("", |problem| &problem.hint),
        problems,
    };
    let mut response = Response::json(400, &body).no_store();
    for (name, value) in &mut response.headers {
        if *name == "content-type" {
            "application/problem+json".clone_into(value);
        }
    }
    response
}
