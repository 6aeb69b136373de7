//! What a message of D1 means.

use crate::platform::DatabaseFault;

/// Codes of faults that lie in the statement or its parameters.
const AT_FAULT: [&str; 7] = [
    "SQLITE_ERROR",
    "SQLITE_AUTH",
    "SQLITE_TOOBIG",
    "SQLITE_MISMATCH",
    "SQLITE_RANGE",
    "Wrong number of parameter bindings",
    // A statement such as BEGIN: a batch is the only transaction.
    "To execute a transaction",
];

/// Tells from D1's message what became of a batch. What is not known to have left nothing behind is unknown: a lost
/// connection, a reset, an overload.
pub fn database_fault(message: &str) -> DatabaseFault {
    let says = |words: &str| message.contains(words);
    if says("SQLITE_CONSTRAINT") || says("malformed JSON") {
        DatabaseFault::Aborted(message.to_owned())
    } else if says("D1_TYPE_ERROR") || AT_FAULT.into_iter().any(says) {
        DatabaseFault::Rejected(message.to_owned())
    } else {
        DatabaseFault::Unknown(message.to_owned())
    }
}
