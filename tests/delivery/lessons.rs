//! What publishers' users report of other systems, each as a test of ours that is named after its lesson: the part that is the
//! engine's. What follows from posts themselves is in `posts::lessons`.

use postern::{
    delivery::{DeliveryState, RetryAnswer, retry},
    networks::Ladder,
};

use super::{network::Moods, world::World};
use crate::sim::{Fault, Port, run};

/// "Infinite posting loop: a failing workflow after the publish failed the activity, which was retried."
#[test]
fn nothing_after_the_irreversible_call_fails_the_step_that_contains_it() {
    let world = World::new(701);
    world.trade.bluesky.ladder.set(Ladder::Lookup);
    world.schedule(&[&world.bluesky], 1, world.now());
    world.sim.faults.on_statement("tick_ends", Fault::LostRequest);
    world.tick();
    assert_eq!(world.only().state, DeliveryState::Published);
    for _ in 0..3 {
        world.sim.clock.advance_seconds(600);
        world.tick();
    }
    assert_eq!(world.trade.bluesky.sends.get(), 1);
}

/// "Re-posted until the account was disabled."
#[test]
fn what_was_sent_is_stored_before_anything_else_and_goes_out_once_however_often_it_is_tried() {
    let world = World::new(702);
    world.trade.bluesky.ladder.set(Ladder::Lookup);
    let post = world.schedule(&[&world.bluesky], 1, world.now());
    for _ in 0..3 {
        world.sim.faults.on_statement("delivery_settle_part", Fault::LostRequest);
    }
    world.tick();
    for _ in 0..5 {
        let caller = world.company.caller(&world.sim);
        drop(run(retry(&caller, &world.trade, &post, None)));
        world.sim.clock.advance_seconds(181);
        world.tick();
    }
    assert_eq!(world.only().state, DeliveryState::Published);
    assert_eq!(world.trade.bluesky.sends.get(), 1);
}

/// "Reported as failed though live; users retried, and had duplicates."
#[test]
fn an_outcome_that_is_not_known_is_not_called_failed_and_is_looked_up_before_a_retry() {
    let world = World::new(704);
    world.trade.bluesky.ladder.set(Ladder::Lookup);
    let post = world.schedule(&[&world.bluesky], 1, world.now());
    world.sim.faults.on_call(Port::Web, 1, Fault::LostReply);
    world.trade.bluesky.moods.set(Moods { unclear: 1000, ..Moods::default() });
    for _ in 0..20 {
        world.tick();
        assert_ne!(world.only().state, DeliveryState::Failed);
        world.sim.clock.advance_seconds(3700);
    }
    assert_eq!(world.only().state, DeliveryState::Unknown);
    world.trade.bluesky.moods.set(Moods::default());
    let caller = world.company.caller(&world.sim);
    let retried = run(retry(&caller, &world.trade, &post, None)).unwrap();
    assert_eq!(retried[0].answer, RetryAnswer::LookedUp);
    world.tick();
    assert_eq!(world.only().state, DeliveryState::Published);
    assert_eq!(world.trade.bluesky.sends.get(), 1);
}

/// "Deleted or rescheduled posts still went out: the workflow was not terminated."
#[test]
fn what_goes_out_is_decided_by_the_row_when_it_is_claimed_and_by_no_timer() {
    let world = World::new(706);
    let called_off = world.schedule(&[&world.bluesky], 1, world.now().plus_seconds(60));
    let moved = world.schedule(&[&world.bluesky], 1, world.now().plus_seconds(60));
    world.tick();
    world.unschedule(&called_off);
    world.reschedule(&moved, world.now().plus_seconds(3600));
    world.sim.clock.advance_seconds(120);
    world.tick();
    assert_eq!(world.trade.bluesky.live().len(), 0);
    world.sim.clock.advance_seconds(3600);
    world.tick();
    assert_eq!(world.trade.bluesky.live().len(), 1);
    assert!(world.trade.bluesky.live()[0].text.starts_with(moved.as_str()));
}

/// "Scheduled posts silently vanish; 'post now' works."
#[test]
fn what_no_tick_saw_in_its_minute_is_found_by_the_next_one_that_runs() {
    let world = World::new(707);
    world.schedule(&[&world.bluesky], 1, world.now().plus_seconds(60));
    world.sim.clock.advance_seconds(2 * 3600);
    assert_eq!(world.tick().published, 1);
}

/// "The workflow completed with null: nothing posted, and no error."
#[test]
fn every_run_ends_in_a_recorded_outcome() {
    let moods = [
        Moods { too_many_requests: 1000, ..Moods::default() },
        Moods { reauthorise: 1000, ..Moods::default() },
        Moods { fix: 1000, ..Moods::default() },
        Moods { refused: 1000, ..Moods::default() },
        Moods::default(),
    ];
    for ladder in [Ladder::Exact, Ladder::Window(3600), Ladder::TwoPhase, Ladder::Lookup, Ladder::Blind] {
        for mood in moods {
            let world = World::new(708);
            world.trade.bluesky.ladder.set(ladder);
            world.trade.bluesky.moods.set(mood);
            world.schedule(&[&world.bluesky], 1, world.now());
            world.tick();
            let attempts =
                world.sim.shard().number("SELECT count(*) FROM attempt WHERE outcome IS NOT NULL", []);
            assert!(attempts >= 1, "{ladder:?} {mood:?}");
            let seen = world.only();
            assert!(
                seen.state == DeliveryState::Published || seen.reason.is_some(),
                "{ladder:?} {mood:?}: {seen:?}"
            );
        }
    }
}
