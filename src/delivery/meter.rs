//! A database that counts, since an invocation may issue only so many statements.

use std::cell::Cell;

use crate::platform::{Database, DatabaseFault, Later, Rows, Statement};

/// Counts the statements that go through it.
pub(super) struct Meter<'a> {
    database: &'a dyn Database,
    statements: Cell<u32>,
}

impl<'a> Meter<'a> {
    pub(super) const fn new(database: &'a dyn Database) -> Self {
        Self { database, statements: Cell::new(0) }
    }

    /// How many statements went through.
    pub(super) fn statements(&self) -> u32 {
        self.statements.get()
    }
}

impl Database for Meter<'_> {
    fn batch(&self, statements: Vec<Statement>) -> Later<'_, Result<Vec<Rows>, DatabaseFault>> {
        let count = u32::try_from(statements.len()).unwrap_or(u32::MAX);
        self.statements.set(self.statements.get().saturating_add(count));
        self.database.batch(statements)
    }
}
