//! Mail to people.

/// A letter in plain text. It may hold a secret link, so that it cannot be printed.
pub struct Letter {
    /// The e-mail address it goes to.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Takes letters.
///
/// A letter is only handed over here. It is sent when the answer to the request is on its way, so that how long an
/// answer takes tells nothing about whether a letter was written; what becomes of it is an event.
pub trait Mail {
    /// Hands a letter over.
    fn post(&self, letter: Letter);
}
