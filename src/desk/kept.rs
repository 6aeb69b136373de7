//! What those who manage an organisation keep a few of, such as its providers.

use super::{Act, Caller, Code, Problem, Refusal};
use crate::platform::Statement;

/// A list that those who manage keep.
pub struct Kept {
    /// The statement that gives each of them a row.
    pub list: Statement,
    /// How many there may be.
    pub most: i64,
    /// What they are, in the plural.
    pub of: &'static str,
}

impl Kept {
    /// Carries out a change of one of them, whose statement checks role and number itself; tells why where it changed nothing.
    ///
    /// # Errors
    /// `role_not_allowed`, `too_many`; a conflict when it was changed already; or when the gate is closed.
    pub async fn change(self, caller: &Caller<'_>, act: Act<'_>, change: Statement) -> Result<(), Refusal> {
        match caller.write(act, vec![change, Caller::require_changes(1)]).await {
            Ok(_) => Ok(()),
            Err(Refusal::Conflict) => Err(self.why_not(caller).await?),
            Err(refusal) => Err(refusal),
        }
    }

    async fn why_not(self, caller: &Caller<'_>) -> Result<Refusal, Refusal> {
        let mut answer = caller.read(vec![self.list]).await?;
        let count = i64::try_from(answer.next_rows().len()).unwrap_or(i64::MAX);
        Ok(if !answer.facts.role.manages() {
            ask_a_manager().into()
        } else if count >= self.most {
            Problem::new(Code::TooMany, "", "Remove one first.")
                .message(format!("An organisation has at most {} {}.", self.most, self.of))
                .into()
        } else {
            Refusal::Conflict
        })
    }
}

/// What only those who manage may do.
pub fn ask_a_manager() -> Problem {
    Problem::new(Code::RoleNotAllowed, "", "Ask an owner or admin of the organisation.")
}
