//! Single promises, told one by one.

use postern::{
    delivery::{
        Budget, DeliveryState, Release, RemovalOutcome, RetryAnswer, hold, remove_live, retry, status, tick,
    },
    desk::{Code, Refusal},
    networks::Ladder,
};

use super::{network::Moods, world::World};
use crate::sim::{Fault, Port, run, run_until_crash, world::Company};

#[test]
fn a_post_waits_for_its_time_and_then_goes_out() {
    let world = World::new(1);
    let due = world.now().plus_seconds(60);
    world.schedule(&[&world.bluesky], 1, due);
    world.tick();
    assert_eq!(world.only().state, DeliveryState::Waiting);
    world.sim.clock.advance_seconds(60);
    let report = world.tick();
    assert_eq!((report.claimed, report.published, report.fault), (1, 1, None));
    let seen = world.only();
    assert_eq!(seen.state, DeliveryState::Published);
    assert_eq!(seen.url.as_deref(), Some("https://network.example/r0"));
    assert_eq!(world.trade.bluesky.live().len(), 1);
}

#[test]
fn a_thread_that_stops_in_the_middle_says_what_is_public_and_goes_on_from_there() {
    let world = World::new(2);
    let post = world.schedule(&[&world.bluesky], 3, world.now());
    world.trade.bluesky.refuse_send(2);
    world.tick();
    let seen = world.only();
    assert_eq!((seen.state, seen.reason.as_deref()), (DeliveryState::Failed, Some("incomplete")));
    let words = seen.text.unwrap();
    assert!(words.contains("1 of 3") && words.contains("https://network.example/r0"), "{words}");
    assert_eq!(seen.said.as_deref(), Some("The network says not_here."));

    let caller = world.company.caller(&world.sim);
    let retried = run(retry(&caller, &world.trade, &post, None)).unwrap();
    assert_eq!(retried[0].answer, RetryAnswer::GoesOn);
    world.sim.clock.advance_seconds(31);
    world.tick();
    assert_eq!(world.only().state, DeliveryState::Published);
    let parts: Vec<usize> = world.trade.bluesky.live().iter().map(|public| public.part).collect();
    assert_eq!(parts, [0, 1, 2]);
}

#[test]
fn what_a_blind_network_did_not_answer_is_unknown_and_never_sent_again_without_a_person() {
    let world = World::new(3);
    world.trade.bluesky.ladder.set(Ladder::Blind);
    let post = world.schedule(&[&world.bluesky], 1, world.now());
    world.sim.faults.on_call(Port::Web, 1, Fault::LostReply);
    world.tick();
    let seen = world.only();
    assert_eq!((seen.state, seen.next_at), (DeliveryState::Unknown, None));

    let caller = world.company.caller(&world.sim);
    let refused = run(retry(&caller, &world.trade, &post, None)).unwrap_err();
    let Refusal::Problems(problems) = refused else { panic!("{refused:?}") };
    assert_eq!(problems[0].code, Code::NotRetryable);
    for _ in 0..50 {
        world.sim.clock.advance_seconds(3600);
        world.tick();
    }
    assert_eq!(world.trade.bluesky.sends.get(), 1);
}

#[test]
fn a_process_that_dies_after_the_call_leaves_a_post_that_is_found_not_sent_again() {
    for ladder in [Ladder::TwoPhase, Ladder::Lookup] {
        for steps in 1..200 {
            let world = World::new(4);
            world.trade.bluesky.ladder.set(ladder);
            world.schedule(&[&world.bluesky], 1, world.now());
            let platform = world.sim.platform();
            let ended = run_until_crash(steps, tick(&platform, &world.trade, 0, Budget::default()));
            for _ in 0..4 {
                world.sim.clock.advance_seconds(181);
                world.tick();
            }
            assert_eq!(world.only().state, DeliveryState::Published, "{ladder:?}, died at {steps}");
            assert_eq!(world.trade.bluesky.sends.get(), 1, "{ladder:?}, died at {steps}");
            if ended.is_some() {
                break;
            }
        }
    }
}

#[test]
fn who_finds_the_lease_nearly_over_after_arming_does_not_send() {
    let world = World::new(18);
    world.trade.bluesky.ladder.set(Ladder::Lookup);
    world.schedule(&[&world.bluesky], 1, world.now());
    world.sim.faults.on_statement("delivery_arm", Fault::SlowReply(100_000));
    world.tick();
    assert_eq!(world.only().state, DeliveryState::Armed);
    assert_eq!(world.trade.bluesky.sends.get(), 0);
    world.sim.clock.advance_seconds(81);
    world.tick();
    assert_eq!(world.only().state, DeliveryState::Published);
    assert_eq!(world.trade.bluesky.sends.get(), 1);
}

#[test]
fn what_is_later_than_the_workspace_allows_is_missed_and_says_so() {
    let world = World::new(5);
    world.schedule(&[&world.bluesky], 1, world.now().plus_seconds(-6 * 3600 - 1));
    let late = world.schedule(&[&world.wall], 1, world.now().plus_seconds(-6 * 3600 + 60));
    let report = world.tick();
    assert_eq!((report.missed, report.published), (1, 1));
    for seen in world.deliveries() {
        if seen.post == late {
            assert_eq!(seen.state, DeliveryState::Published);
        } else {
            assert_eq!((seen.state, seen.reason.as_deref()), (DeliveryState::Missed, Some("late")));
        }
    }
}

#[test]
fn a_sick_account_pauses_its_deliveries_until_it_is_connected_again() {
    let world = World::new(6);
    world.schedule(&[&world.bluesky], 1, world.now());
    world.trade.bluesky.moods.set(Moods { reauthorise: 1000, ..Moods::default() });
    world.tick();
    let seen = world.only();
    assert_eq!((seen.state, seen.reason.as_deref()), (DeliveryState::Paused, Some("reauthorise")));
    assert_eq!(seen.said.as_deref(), Some("The network says said_so."));

    world.trade.bluesky.moods.set(Moods::default());
    world.sim.clock.advance_seconds(601);
    world.tick();
    assert_eq!(world.only().state, DeliveryState::Paused);
    world.reconnect();
    world.sim.clock.advance_seconds(601);
    world.tick();
    assert_eq!(world.only().state, DeliveryState::Published);
}

#[test]
fn an_account_that_stays_sick_fails_what_was_for_it_when_its_time_is_over() {
    let world = World::new(7);
    world.schedule(&[&world.bluesky], 1, world.now());
    world.trade.bluesky.moods.set(Moods { reauthorise: 1000, ..Moods::default() });
    for _ in 0..40 {
        world.tick();
        world.sim.clock.advance_seconds(601);
    }
    let seen = world.only();
    assert_eq!((seen.state, seen.reason.as_deref()), (DeliveryState::Failed, Some("reauthorise")));
    assert_eq!(world.trade.bluesky.live().len(), 0);
}

#[test]
fn a_session_that_is_over_is_renewed_and_the_post_goes_out_in_the_same_tick() {
    let world = World::new(8);
    world.schedule(&[&world.bluesky], 2, world.now());
    world.trade.bluesky.end_session();
    assert_eq!(world.tick().published, 1);
    assert_eq!(world.trade.bluesky.live().len(), 2);
}

#[test]
fn a_network_that_says_when_to_come_back_is_asked_then_and_not_before() {
    let world = World::new(9);
    world.schedule(&[&world.bluesky], 1, world.now());
    world.trade.bluesky.moods.set(Moods { too_many_requests: 1000, ..Moods::default() });
    world.tick();
    world.trade.bluesky.moods.set(Moods::default());
    let seen = world.only();
    assert_eq!(seen.state, DeliveryState::Retrying);
    let next_at = seen.next_at.unwrap();
    world.sim.clock.advance_millis(next_at - world.now().as_millis() - 1);
    world.tick();
    assert_eq!(world.only().state, DeliveryState::Retrying);
    world.sim.clock.advance_millis(1);
    world.tick();
    assert_eq!(world.only().state, DeliveryState::Published);
}

#[test]
fn content_that_must_be_mended_fails_with_the_reason() {
    let world = World::new(10);
    let post = world.schedule(&[&world.bluesky], 1, world.now());
    assert!(world.edit(&post, 1, "too long!"));
    world.tick();
    let seen = world.only();
    assert_eq!((seen.state, seen.reason.as_deref()), (DeliveryState::Failed, Some("fix")));
    assert_eq!(world.trade.bluesky.sends.get(), 0);
}

#[test]
fn one_tenants_flood_does_not_delay_anothers_post() {
    let world = World::new(11);
    for _ in 0..200 {
        world.schedule(&[&world.bluesky], 1, world.now().plus_seconds(-60));
    }
    let other = Company::found(&world.sim, "other");
    let small = World { company: other.clone(), wall: other.wall.clone(), ..world };
    let post = small.schedule(&[&small.wall], 1, small.now());
    let report =
        run(tick(&small.sim.platform(), &small.trade, 0, Budget { statements: 250, ..Budget::default() }));
    assert!(report.stopped);
    let seen = small.deliveries().into_iter().find(|seen| seen.post == post).unwrap();
    assert_eq!(seen.state, DeliveryState::Published);
}

#[test]
fn a_tick_stays_within_its_statements_and_the_next_one_goes_on_at_once() {
    let world = World::new(12);
    for _ in 0..200 {
        world.schedule(&[&world.bluesky], 1, world.now());
    }
    let first = world.tick();
    assert!(first.stopped && first.statements <= 800, "{first:?}");
    for _ in 0..5 {
        world.tick();
    }
    assert_eq!(world.trade.bluesky.live().len(), 200);
}

#[test]
fn a_restored_shard_is_held_and_sends_nothing_until_it_is_released_and_then_nothing_twice() {
    let world = World::new(13);
    world.trade.bluesky.ladder.set(Ladder::Lookup);
    world.trade.wall.ladder.set(Ladder::Blind);
    world.schedule(&[&world.bluesky, &world.wall], 2, world.now());
    let copy = world.sim.shard().snapshot();
    world.tick();
    let sends = world.trade.bluesky.sends.get();

    world.sim.shard().restore(&copy);
    for _ in 0..3 {
        let report = world.tick();
        assert!(report.held.is_some_and(|why| why.contains("restored")));
    }
    assert_eq!(world.trade.bluesky.sends.get(), sends);
    assert_eq!(world.release(), Release::Doubted(2));
    for _ in 0..4 {
        world.tick();
        world.sim.clock.advance_seconds(181);
    }
    for seen in world.deliveries() {
        let expected =
            if seen.profile == world.wall { DeliveryState::Unknown } else { DeliveryState::Published };
        assert_eq!(seen.state, expected);
    }
    assert_eq!(world.trade.bluesky.live().len(), 2);
    assert_eq!(world.trade.wall.live().len(), 2);
    assert_eq!(world.release(), Release::NotHeld);
}

#[test]
fn a_copy_from_the_middle_of_a_tick_is_behind_when_the_tick_has_ended() {
    let scheduled = || {
        let world = World::new(14);
        world.trade.bluesky.ladder.set(Ladder::Lookup);
        world.schedule(&[&world.bluesky], 1, world.now());
        world
    };
    for steps in 1..200 {
        // The same world twice: what is stored when one tick is so far is put under the other, whose tick has ended.
        let midway = scheduled();
        let platform = midway.sim.platform();
        if run_until_crash(steps, tick(&platform, &midway.trade, 0, Budget::default())).is_some() {
            return;
        }
        let world = scheduled();
        world.tick();
        world.sim.shard().restore(&midway.sim.shard().snapshot());
        for _ in 0..4 {
            world.tick();
            world.release();
            world.sim.clock.advance_seconds(181);
        }
        assert_eq!(world.trade.bluesky.sends.get(), 1, "a copy from step {steps}");
        assert_eq!(world.only().state, DeliveryState::Published, "a copy from step {steps}");
    }
    panic!("the tick never ended");
}

#[test]
fn an_operators_hold_sends_nothing_and_its_release_doubts_nothing() {
    let world = World::new(15);
    world.schedule(&[&world.bluesky], 1, world.now());
    run(hold(&world.sim.platform(), 0, "Moving house.")).unwrap();
    assert_eq!(world.tick().held.as_deref(), Some("Moving house."));
    assert_eq!(world.only().state, DeliveryState::Waiting);
    let told = run(status(&world.sim.platform(), 0)).unwrap().unwrap();
    assert_eq!(told.held_why.as_deref(), Some("Moving house."));
    assert!(told.oldest_due.is_some());
    assert_eq!(world.release(), Release::Resumed);
    assert_eq!(world.tick().published, 1);
}

#[test]
fn taking_down_removes_every_part_and_can_be_repeated() {
    let world = World::new(16);
    let post = world.schedule(&[&world.bluesky, &world.wall], 2, world.now());
    world.tick();
    assert_eq!(world.trade.bluesky.live().len(), 2);
    let caller = world.company.caller(&world.sim);
    for _ in 0..2 {
        let removed = run(remove_live(&caller, &world.trade, &post)).unwrap();
        assert_eq!(removed.len(), 2);
        assert!(removed.iter().all(|removal| removal.outcome == RemovalOutcome::Removed));
    }
    assert!(world.trade.bluesky.live().is_empty() && world.trade.wall.live().is_empty());
    let gone = world.sim.shard().number("SELECT count(*) FROM delivery WHERE removed_at IS NOT NULL", []);
    assert_eq!(gone, 2);
}

#[test]
fn a_tick_tells_the_directory_and_the_events_how_it_went() {
    let world = World::new(17);
    world.schedule(&[&world.bluesky], 1, world.now());
    world.tick();
    let rows =
        world.sim.directory.query("SELECT good_at, ended_at, fault, counts FROM tick WHERE shard = 0", []);
    let good_at: Option<i64> = rows[0].get("good_at").unwrap();
    assert!(good_at.is_some());
    let counts: serde_json::Value = rows[0].get("counts").unwrap();
    assert_eq!(counts["published"], 1);
    let event = world.sim.events.all().pop().unwrap();
    assert_eq!((event["event"].as_str(), event["published"].as_i64()), (Some("tick"), Some(1)));

    world.sim.faults.on_call(Port::Shard, 1, Fault::LostRequest);
    let report = world.tick();
    assert!(report.fault.is_some());
    let told = run(status(&world.sim.platform(), 0)).unwrap().unwrap();
    assert_eq!(told.good_at.map(|at| at.as_millis()), good_at);
    assert!(told.fault.is_some());
}
