//! Randomised tests: many seeds on all cores, and the one that failed again.

use std::{env, num::NonZero, panic, thread};

/// Lives through every seed below `runs`, or through `POSTERN_SEED` alone; a failure prints the seed that repeats it.
pub fn for_each_seed(runs: u64, live: fn(u64)) {
    if let Ok(seed) = env::var("POSTERN_SEED") {
        return live(seed.parse().expect("POSTERN_SEED is a number"));
    }
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads: Vec<_> = (0..cores)
        .map(|first| {
            thread::spawn(move || {
                for seed in (first as u64..runs).step_by(cores) {
                    let outcome = panic::catch_unwind(|| live(seed));
                    assert!(outcome.is_ok(), "seed {seed} failed; POSTERN_SEED={seed} repeats it");
                }
            })
        })
        .collect();
    for one in threads {
        one.join().unwrap();
    }
}
