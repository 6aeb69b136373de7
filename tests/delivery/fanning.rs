//! With a queue: who claims hands out, whoever gets an errand publishes, and an errand that comes twice, late or never does no
//! harm.

use postern::{
    delivery::{Budget, DeliveryState, TickReport, minute, run_errand},
    networks::Ladder,
    platform::Later,
};

use super::world::World;
use crate::sim::{Random, interleave, run, world::Company};

fn with_queue(seed: u64) -> World {
    let world = World::new(seed);
    world.sim.queue.is_bound.set(true);
    world
}

fn errand(world: &World, body: &str) -> TickReport {
    let report = run(run_errand(&world.sim.platform(), &world.trade, body, Budget::default())).unwrap();
    assert_eq!(report.fault, None);
    report
}

/// Does everything that is in the queue now, and what comes of it.
fn drain(world: &World) -> Vec<TickReport> {
    let mut reports = Vec::new();
    loop {
        let due = world.sim.queue.take_due();
        if due.is_empty() {
            return reports;
        }
        reports.extend(due.iter().map(|body| errand(world, body)));
    }
}

#[test]
fn the_tick_claims_and_hands_out_and_an_errand_publishes() {
    let world = with_queue(81);
    world.schedule(&[&world.bluesky, &world.wall], 2, world.now());
    let report = world.tick();
    assert_eq!((report.claimed, report.published), (2, 0));
    assert!(world.deliveries().iter().all(|seen| seen.state == DeliveryState::Claimed));
    assert_eq!(world.trade.bluesky.sends.get(), 0);
    let reports = drain(&world);
    assert_eq!(reports.len(), 1);
    assert_eq!((reports[0].claimed, reports[0].published), (2, 2));
    assert_eq!(world.trade.bluesky.live().len(), 2);
}

#[test]
fn an_errand_that_comes_twice_one_after_the_other_or_at_once_sends_nothing_twice() {
    for seed in 0..60 {
        let world = with_queue(820 + seed);
        // Of this one a second send would be a second post.
        world.trade.bluesky.ladder.set(Ladder::Lookup);
        for _ in 0..3 {
            world.schedule(&[&world.bluesky], 2, world.now());
        }
        world.tick();
        let due = world.sim.queue.take_due();
        assert_eq!(due.len(), 1);
        let body = due[0].as_str();
        let platform = world.sim.platform();
        let one =
            || -> Later<'_, _> { Box::pin(run_errand(&platform, &world.trade, body, Budget::default())) };
        drop(interleave(&Random::new(seed), vec![one(), one()]));
        errand(&world, body);
        for _ in 0..3 {
            world.sim.clock.advance_seconds(181);
            world.tick();
            drain(&world);
        }
        assert!(world.deliveries().iter().all(|seen| seen.state == DeliveryState::Published), "{seed}");
        assert_eq!(world.trade.bluesky.live().len(), 6, "{seed}");
    }
}

#[test]
fn an_errand_that_never_comes_or_comes_too_late_is_done_by_another() {
    let world = with_queue(83);
    world.trade.bluesky.ladder.set(Ladder::Lookup);
    world.schedule(&[&world.bluesky], 1, world.now());
    world.tick();
    let late = world.sim.queue.take_due();
    world.sim.clock.advance_seconds(181);
    world.tick();
    drain(&world);
    assert_eq!(world.only().state, DeliveryState::Published);
    assert_eq!(errand(&world, &late[0]).claimed, 0);
    assert_eq!(world.trade.bluesky.sends.get(), 1);
}

#[test]
fn what_the_queue_does_not_take_the_tick_publishes_itself() {
    let world = with_queue(84);
    world.schedule(&[&world.bluesky], 1, world.now());
    world.sim.queue.failing.set(1);
    assert_eq!(world.tick().published, 1);
    assert!(world.sim.queue.take_due().is_empty());
}

#[test]
fn what_is_due_within_the_minute_goes_out_on_its_second() {
    let world = with_queue(85);
    for seconds in [10, 10, 25, 61, 90] {
        world.schedule(&[&world.bluesky], 1, world.now().plus_seconds(seconds));
    }
    let begin = world.now();
    world.tick();
    assert_eq!(world.sim.queue.times(), [begin.plus_seconds(10), begin.plus_seconds(25)]);
    for (second, live) in [(9, 0), (10, 2), (24, 2), (25, 3), (59, 3)] {
        world.sim.clock.advance_millis(begin.plus_seconds(second).millis_since(world.now()));
        drain(&world);
        assert_eq!(world.trade.bluesky.live().len(), live, "at {second}");
    }
    // A tick between two minutes makes no further ones.
    assert!(world.sim.queue.times().is_empty());
}

#[test]
fn an_errand_for_a_shard_that_is_held_sends_nothing() {
    let world = with_queue(86);
    world.schedule(&[&world.bluesky], 1, world.now());
    world.tick();
    run(postern::delivery::hold(&world.sim.platform(), 0, "Moving house.")).unwrap();
    let reports = drain(&world);
    assert!(reports.iter().all(|report| report.held.is_some()));
    assert_eq!(world.trade.bluesky.sends.get(), 0);
}

#[test]
fn nobody_does_what_is_no_errand() {
    let world = with_queue(87);
    for body in ["", "{}", "[]", "{\"do\":\"burn\",\"shard\":0}", "{\"do\":\"tick\"}"] {
        let platform = world.sim.platform();
        assert_eq!(run(run_errand(&platform, &world.trade, body, Budget::default())), None, "{body}");
    }
    let elsewhere = "{\"do\":\"tick\",\"shard\":7,\"cron\":true}";
    let platform = world.sim.platform();
    let report = run(run_errand(&platform, &world.trade, elsewhere, Budget::default())).unwrap();
    assert_eq!(report.fault.as_deref(), Some("no such shard"));
}

#[test]
fn several_shards_get_one_errand_each_per_tick() {
    let sim = crate::sim::Sim::with_shards(88, 3);
    sim.queue.is_bound.set(true);
    for (shard, safename) in [(0, "acme"), (1, "other"), (2, "third")] {
        Company::found_on(&sim, safename, shard);
    }
    let trade = super::network::SimTrade::new(88, &sim.clock, &sim.faults);
    for shard in 0..3 {
        run(minute(&sim.platform(), &trade, shard, Budget::default()));
    }
    assert_eq!(sim.queue.take_due().len(), 3);
}

#[test]
fn a_flood_is_out_in_one_tick_and_its_errands_each_within_what_an_invocation_may() {
    let world = with_queue(89);
    let begin = world.now();
    for _ in 0..400 {
        world.schedule(&[&world.bluesky], 1, world.now());
    }
    let other = Company::found(&world.sim, "other");
    let small = World { company: other.clone(), wall: other.wall.clone(), ..world };
    let post = small.schedule(&[&small.wall], 1, small.now());
    let tick = small.tick();
    assert!(tick.statements <= 800, "{tick:?}");
    let first = small.sim.queue.take_due();
    let report = errand(&small, &first[0]);
    assert!(report.claimed <= 21 && report.statements <= 800, "{report:?}");
    let seen = small.deliveries().into_iter().find(|seen| seen.post == post).unwrap();
    assert_eq!(seen.state, DeliveryState::Published, "the one of another tenant is among the first");
    for body in &first[1..] {
        assert!(errand(&small, body).statements <= 800);
    }
    for report in drain(&small) {
        assert!(report.statements <= 800, "{report:?}");
    }
    assert_eq!(small.trade.bluesky.live().len(), 400);
    assert_eq!(small.now(), begin, "no other minute was needed");
}
