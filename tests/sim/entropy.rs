//! Randomness from a seed.

use std::cell::{Cell, RefCell};

use postern::platform::Entropy;

/// A small generator (SplitMix64): the same seed gives the same numbers.
pub struct Random(Cell<u64>);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    pub fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` - 1.
    pub fn below(&self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Whether something that happens `per_mille` times in a thousand happens now.
    pub fn happens(&self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }
}

pub struct SimEntropy {
    random: Random,
    recorded: RefCell<Option<Vec<Vec<u8>>>>,
}

impl SimEntropy {
    pub const fn new(seed: u64) -> Self {
        Self { random: Random::new(seed ^ 0x656e_7472_6f70_7921), recorded: RefCell::new(None) }
    }

    /// From now on remembers everything that is drawn.
    pub fn record(&self) {
        *self.recorded.borrow_mut() = Some(Vec::new());
    }

    /// What was drawn since, each draw by itself.
    pub fn recorded(&self) -> Vec<Vec<u8>> {
        self.recorded.borrow().clone().unwrap_or_default()
    }
}

impl Entropy for SimEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let random = self.random.next().to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
        if let Some(recorded) = self.recorded.borrow_mut().as_mut() {
            recorded.push(bytes.to_vec());
        }
    }
}
