//! The clock, randomness and events of an isolate.

use worker::{Date, console_log, wasm_bindgen};

use crate::platform::{Clock, Entropy, Event, Events, Timestamp};

/// The isolate's clock. It stands still between I/O.
pub struct IsolateClock;

impl Clock for IsolateClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(Date::now().as_millis()).unwrap_or_default())
    }
}

/// The runtime's randomness.
pub struct IsolateEntropy;

impl Entropy for IsolateEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            wasm_bindgen::throw_str("no randomness");
        }
    }
}

/// One JSON line per event on the console.
pub struct Console;

impl Events for Console {
    fn emit(&self, event: Event) {
        if let Ok(line) = serde_json::to_string(&event) {
            console_log!("{line}");
        }
    }
}
