//! Mail: letters as they were handed over.

use std::cell::RefCell;

use postern::platform::{Letter, Mail};

#[derive(Default)]
pub struct SimMail(RefCell<Vec<Letter>>);

impl SimMail {
    /// How many letters were handed over since they were last taken.
    pub fn count(&self) -> usize {
        self.0.borrow().len()
    }

    /// Takes the letters, in order.
    pub fn take(&self) -> Vec<Letter> {
        self.0.take()
    }
}

impl Mail for SimMail {
    fn post(&self, letter: Letter) {
        self.0.borrow_mut().push(letter);
    }
}
