//! The ports' promises, kept by the simulated platform. The same suites run inside the real runtime.

use postern::{edge::statements, platform::contract};

use crate::sim::{Sim, run};

#[test]
fn the_simulated_platform_keeps_every_promise() {
    let sim = Sim::with_shards(1, 2);
    let checks = run(contract::run(&sim.platform(), statements()));
    let broken: Vec<_> = checks.iter().filter(|check| check.broken.is_some()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(checks.len() > 80, "{} promises", checks.len());
    assert!(checks.iter().any(|check| check.promise == "SHARD prepares gate_grant"));
    assert_eq!(sim.blobs.keys(), [""; 0], "nothing is left behind");
    assert!(sim.key_value.newest().is_empty());
}
