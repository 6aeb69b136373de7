//! Record keys (AT Protocol "TID"): 53 bits of microseconds and 10 bits that tell writers apart, in 13 characters.

use sha2::{Digest, Sha256};

use crate::{desk::DeliveryId, platform::Timestamp};

const ALPHABET: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";

/// The time that a part carries: the due time, a millisecond later for each part, so that a thread keeps its order.
pub fn created_at(due_at: Timestamp, position: usize) -> Timestamp {
    due_at.plus_millis(i64::try_from(position).unwrap_or(i64::MAX))
}

/// The key of a part's record: the same for the same delivery, position and due time, also after a restore from
/// backup. Deliveries that are due at the same moment differ in the microseconds and the writer's bits.
pub fn record_key(delivery: &DeliveryId, due_at: Timestamp, position: usize) -> String {
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(delivery.as_str()));
    let micros_in_milli = u64::from(u16::from_be_bytes([a, b]) % 1000);
    let writer = u64::from(u16::from_be_bytes([c, d]) % 1024);
    let millis = u64::try_from(created_at(due_at, position).as_millis()).unwrap_or(0);
    let micros = millis.saturating_mul(1000).saturating_add(micros_in_milli) & ((1 << 53) - 1);
    encode((micros << 10) | writer)
}

/// 64 bits in 13 characters of 5 bits, the highest first; the alphabet keeps the numbers' order.
fn encode(number: u64) -> String {
    (0..13)
        .rev()
        .filter_map(|place| ALPHABET.get(usize::try_from((number >> (5 * place)) & 31).unwrap_or(0)))
        .map(|byte| char::from(*byte))
        .collect()
}
