//! Stopping everything, and letting it go on; and accounts that their networks asked to wait.

use postern::{
    delivery::{DeliveryState, Overdue, Resumed, Scope, pause, resume},
    desk::{Code, ProfileId, Refusal, WorkspaceFacts},
    platform::Timestamp,
};

use super::{network::Moods, world::World};
use crate::sim::run;

fn workspace(world: &World) -> WorkspaceFacts {
    run(world.company.caller(&world.sim).facts()).unwrap().workspaces[0].clone()
}

fn stop(world: &World, profiles: &[ProfileId], until: Option<Timestamp>) {
    let workspace = workspace(world);
    let scope = Scope { workspace: &workspace, profiles };
    run(pause(&world.company.caller(&world.sim), scope, until, "The shop burns.")).unwrap();
}

fn go_on(world: &World, profiles: &[ProfileId], overdue: Overdue) -> Result<Resumed, Refusal> {
    let workspace = workspace(world);
    run(resume(&world.company.caller(&world.sim), Scope { workspace: &workspace, profiles }, overdue))
}

fn minutes(world: &World, minutes: i64) {
    for _ in 0..minutes {
        world.sim.clock.advance_seconds(60);
        assert_eq!(world.tick().fault, None);
    }
}

#[test]
fn nothing_is_claimed_from_the_moment_of_a_pause_and_what_falls_due_says_why_it_waits() {
    let world = World::new(61);
    world.schedule(&[&world.bluesky, &world.wall], 1, world.now().plus_seconds(60));
    stop(&world, &[], None);
    minutes(&world, 3);
    assert_eq!(world.trade.bluesky.sends.get() + world.trade.wall.sends.get(), 0);
    for seen in world.deliveries() {
        assert_eq!((seen.state, seen.next_at), (DeliveryState::Paused, None));
        assert_eq!(seen.reason.as_deref(), Some("on_hold"));
        assert!(seen.text.unwrap().ends_with("The reason given: The shop burns."));
    }
}

#[test]
fn a_pause_of_one_profile_leaves_the_others() {
    let world = World::new(62);
    world.schedule(&[&world.bluesky, &world.wall], 1, world.now());
    stop(&world, std::slice::from_ref(&world.bluesky), None);
    minutes(&world, 2);
    for seen in world.deliveries() {
        let paused = seen.profile == world.bluesky;
        assert_eq!(seen.state, if paused { DeliveryState::Paused } else { DeliveryState::Published });
    }
}

#[test]
fn what_was_due_in_a_pause_that_ended_by_its_time_stays_on_hold_and_what_comes_after_goes_out() {
    let world = World::new(63);
    let overdue = world.schedule(&[&world.bluesky], 1, world.now().plus_seconds(60));
    let after = world.schedule(&[&world.bluesky], 1, world.now().plus_seconds(1200));
    stop(&world, &[], Some(world.now().plus_seconds(600)));
    minutes(&world, 30);
    for seen in world.deliveries() {
        let state = if seen.post == overdue { DeliveryState::Paused } else { DeliveryState::Published };
        assert_eq!(seen.state, state);
    }
    assert_eq!(world.trade.bluesky.live().len(), 1);
    assert!(world.trade.bluesky.live()[0].text.starts_with(after.as_str()));
    assert_eq!(go_on(&world, &[], Overdue::Review).unwrap().on_hold, 1);
    assert_eq!(go_on(&world, &[], Overdue::Skip).unwrap().skipped, 1);
    let skipped = world.deliveries().into_iter().find(|seen| seen.post == overdue).unwrap();
    assert_eq!((skipped.state, skipped.next_at), (DeliveryState::Missed, None));
}

#[test]
fn what_is_respaced_never_floods_and_keeps_clear_of_what_is_scheduled() {
    let world = World::new(64);
    for _ in 0..5 {
        world.schedule(&[&world.bluesky], 1, world.now().plus_seconds(60));
    }
    stop(&world, &[], None);
    minutes(&world, 120);
    let scheduled = world.now().plus_seconds(400);
    world.schedule(&[&world.bluesky], 1, scheduled);
    let resumed = go_on(&world, &[], Overdue::Respace).unwrap();
    assert_eq!(resumed.respaced.len(), 5);
    let mut times: Vec<i64> = resumed.respaced.iter().map(|(_, at)| at.as_millis()).collect();
    times.push(scheduled.as_millis());
    times.sort_unstable();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 300_000), "{times:?}");
    assert!(times[0] >= world.now().as_millis() + 30_000);
    let mut before = 0;
    for _ in 0..40 {
        minutes(&world, 1);
        let live = world.trade.bluesky.live().len();
        assert!(live - before <= 1, "{live} after {before}");
        before = live;
    }
    assert_eq!(before, 6);
}

#[test]
fn there_must_be_something_to_resume_and_the_scope_must_be_the_one_that_was_paused() {
    let world = World::new(65);
    let code = |outcome: Result<Resumed, Refusal>| match outcome {
        Err(Refusal::Problems(problems)) => problems[0].code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(go_on(&world, &[], Overdue::Skip)), Code::NotPaused);
    stop(&world, std::slice::from_ref(&world.wall), None);
    let bluesky = std::slice::from_ref(&world.bluesky);
    assert_eq!(code(go_on(&world, bluesky, Overdue::Skip)), Code::NotPaused);
    stop(&world, &[], None);
    assert_eq!(code(go_on(&world, bluesky, Overdue::Skip)), Code::Conflicting);
    go_on(&world, &[], Overdue::Skip).unwrap();
    assert_eq!(world.sim.shard().number("SELECT count(*) FROM publishing_pause", []), 0);
    assert_eq!(code(go_on(&world, &[], Overdue::Skip)), Code::NotPaused);
}

#[test]
fn what_may_be_public_already_is_looked_up_in_a_pause_too() {
    let world = World::new(66);
    world.trade.bluesky.ladder.set(postern::networks::Ladder::Lookup);
    world.schedule(&[&world.bluesky], 1, world.now());
    world.sim.faults.on_call(crate::sim::Port::Web, 1, crate::sim::Fault::LostReply);
    world.tick();
    assert_eq!(world.only().state, DeliveryState::Armed);
    stop(&world, &[], None);
    minutes(&world, 4);
    assert_eq!(world.only().state, DeliveryState::Published);
    assert_eq!(world.trade.bluesky.sends.get(), 1);
}

#[test]
fn an_account_that_was_asked_to_wait_is_left_in_peace_by_all_its_posts() {
    let world = World::new(67);
    for _ in 0..30 {
        world.schedule(&[&world.bluesky], 1, world.now());
    }
    world.schedule(&[&world.wall], 1, world.now());
    world.trade.bluesky.moods.set(Moods { too_many_requests: 1000, ..Moods::default() });
    world.tick();
    world.tick();
    world.trade.bluesky.moods.set(Moods::default());
    assert_eq!(world.trade.bluesky.refusals.get(), 1, "one is told to wait, the others are not tried");
    assert_eq!(world.trade.wall.live().len(), 1);
    let until = world.sim.shard().number("SELECT max(not_before) FROM profile", []);
    for seen in world.deliveries().into_iter().filter(|seen| seen.profile == world.bluesky) {
        assert_eq!(seen.state, DeliveryState::Retrying, "{seen:?}");
        assert!(seen.next_at.unwrap() >= until);
    }
    world.sim.clock.advance_millis(until - world.now().as_millis() - 1);
    world.tick();
    assert_eq!(world.trade.bluesky.live().len(), 0);
    world.sim.clock.advance_seconds(10);
    world.tick();
    assert_eq!(world.trade.bluesky.live().len(), 30);
}
