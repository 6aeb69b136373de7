//! What a prompt is: words with which a person has an assistant begin, filled with what it needs to know.

use super::{Arguments, Caller, Code, Complete, Contents, Problem, Problems, Refusal, Scopes};
use crate::platform::Later;

/// Writes the messages of a prompt with these arguments.
pub type Write = for<'a> fn(&'a Caller<'a>, Arguments) -> Later<'a, Result<Vec<Content>, Refusal>>;

/// A prompt that a person picks.
#[derive(Clone, Copy)]
pub struct PromptEntry {
    /// Snake case.
    pub name: &'static str,
    /// A name for people.
    pub title: &'static str,
    /// What it has the assistant do.
    pub description: &'static str,
    /// The capabilities that it needs.
    pub needs: Scopes,
    /// What a person fills in.
    pub arguments: &'static [PromptArgument],
    /// Writes its messages.
    pub get: Write,
}

/// What a person fills into a prompt.
#[derive(Clone, Copy)]
pub struct PromptArgument {
    /// Snake case.
    pub name: &'static str,
    /// What it is.
    pub description: &'static str,
    /// Whether the prompt is nothing without it.
    pub required: bool,
    /// What may be its value, where that can be told.
    pub complete: Option<Complete>,
}

/// What one message of a prompt holds. All of them are the person's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Words.
    Text(String),
    /// A resource, put in whole.
    Resource {
        /// Its address.
        uri: String,
        /// What it holds.
        contents: Contents,
    },
    /// A picture.
    #[cfg(feature = "contract")]
    Image(Contents),
}

impl PromptEntry {
    /// Writes the messages behind the gate.
    ///
    /// # Errors
    /// All that is missing or unknown among `arguments`, or why the prompt cannot be written.
    pub async fn get(&self, caller: &Caller<'_>, arguments: Arguments) -> Result<Vec<Content>, Refusal> {
        self.problems(&arguments).refuse_if_any()?;
        (self.get)(&caller.needing(self.needs), arguments).await
    }

    fn problems(&self, given: &Arguments) -> Problems {
        let mut problems = Problems::default();
        for missing in self.arguments.iter().filter(|one| one.required && given.get(one.name).is_none()) {
            let hint = format!("Give {}: {}", missing.name, missing.description);
            problems.add(Problem::new(Code::Missing, missing.name, hint));
        }
        for unknown in given.names().filter(|name| self.arguments.iter().all(|one| one.name != *name)) {
            let known: Vec<&str> = self.arguments.iter().map(|one| one.name).collect();
            let hint = format!("It takes: {}.", known.join(", "));
            problems.add(Problem::new(
                Code::UnknownField,
                unknown.chars().take(64).collect::<String>(),
                hint,
            ));
        }
        problems
    }
}
