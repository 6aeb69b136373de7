//! What only a person can settle, and what kills whoever touches it.

use std::task::{Context, Waker};

use postern::{
    delivery::{Budget, DeliveryState, Outcome, Word, confirm, tick},
    desk::{Code, PostId, Refusal},
    networks::Ladder,
    platform::{Clock, Later},
};

use super::world::World;
use crate::sim::{Fault, Port, run};

/// A post whose `call`th call of its blind network was never answered.
fn in_doubt(seed: u64, parts: usize, call: u64, fault: Fault) -> (World, PostId) {
    let world = World::new(seed);
    world.trade.bluesky.ladder.set(Ladder::Blind);
    let post = world.schedule(&[&world.bluesky], parts, world.now());
    world.sim.faults.on_call(Port::Web, call, fault);
    world.tick();
    let seen = world.only();
    assert_eq!((seen.state, seen.next_at), (DeliveryState::Unknown, None));
    (world, post)
}

fn say(world: &World, post: &PostId, outcome: Outcome, address: Option<&str>) -> Result<(), Code> {
    let caller = world.company.caller(&world.sim);
    let word = Word { profile: None, outcome, address, hold_seconds: 30 };
    match run(confirm(&caller, post, &word)) {
        Ok(profile) => {
            assert_eq!(profile, world.bluesky);
            Ok(())
        }
        Err(Refusal::Problems(problems)) => Err(problems[0].code),
        Err(refusal) => panic!("{refusal:?}"),
    }
}

fn attempts(world: &World) -> Vec<(String, String)> {
    let rows = world.sim.shard().query("SELECT step, outcome FROM attempt ORDER BY number", []);
    rows.iter().map(|row| (row.get("step").unwrap(), row.get("outcome").unwrap())).collect()
}

#[test]
fn what_a_person_saw_is_published_with_its_address_and_sent_no_more() {
    let (world, post) = in_doubt(41, 1, 1, Fault::LostReply);
    say(&world, &post, Outcome::Live, Some("https://network.example/seen")).unwrap();
    let seen = world.only();
    assert_eq!((seen.state, seen.next_at, seen.reason), (DeliveryState::Published, None, None));
    assert_eq!(seen.url.as_deref(), Some("https://network.example/seen"));
    let settled = world.sim.shard().number("SELECT published_at FROM delivery", []);
    assert_eq!(settled, world.now().as_millis());
    assert_eq!(attempts(&world).last().unwrap(), &("confirm".to_owned(), "live".to_owned()));
    world.sim.clock.advance_seconds(3600);
    world.tick();
    assert_eq!(world.trade.bluesky.sends.get(), 1);
    assert_eq!(say(&world, &post, Outcome::Live, None), Err(Code::NotUnknown));
    assert_eq!(say(&world, &post, Outcome::SendAgain, None), Err(Code::NotUnknown));
}

#[test]
fn what_a_person_did_not_find_goes_out_again_once_after_the_hold() {
    let (world, post) = in_doubt(42, 1, 1, Fault::LostRequest);
    say(&world, &post, Outcome::SendAgain, None).unwrap();
    let seen = world.only();
    assert_eq!(seen.state, DeliveryState::Retrying);
    assert_eq!(seen.next_at, Some(world.now().plus_seconds(30).as_millis()));
    assert_eq!(attempts(&world).last().unwrap(), &("confirm".to_owned(), "send again".to_owned()));
    world.sim.clock.advance_seconds(29);
    world.tick();
    assert_eq!(world.trade.bluesky.live().len(), 0);
    world.sim.clock.advance_seconds(1);
    world.tick();
    world.tick();
    assert_eq!(world.only().state, DeliveryState::Published);
    assert_eq!(world.trade.bluesky.live().len(), 1);
}

#[test]
fn a_thread_in_doubt_in_its_middle_goes_on_from_there_whichever_it_is() {
    for (fault, outcome) in [(Fault::LostReply, Outcome::Live), (Fault::LostRequest, Outcome::SendAgain)] {
        let (world, post) = in_doubt(43, 3, 2, fault);
        say(&world, &post, outcome, None).unwrap();
        if outcome == Outcome::Live {
            let seen = world.only();
            assert_eq!((seen.state, seen.reason.as_deref()), (DeliveryState::Failed, Some("incomplete")));
            assert!(seen.text.unwrap().contains("2 of 3 parts are public"));
            let caller = world.company.caller(&world.sim);
            run(postern::delivery::retry(&caller, &world.trade, &post, None)).unwrap();
        }
        world.sim.clock.advance_seconds(31);
        world.tick();
        assert_eq!(world.only().state, DeliveryState::Published, "{outcome:?}");
        let parts: Vec<usize> = world.trade.bluesky.live().iter().map(|public| public.part).collect();
        assert_eq!(parts, [0, 1, 2], "{outcome:?}");
    }
}

#[test]
fn a_look_up_that_is_under_way_changes_nothing_after_a_persons_word() {
    for outcome in [Outcome::Live, Outcome::SendAgain] {
        for steps in 1..40 {
            let world = World::new(44);
            world.trade.bluesky.ladder.set(Ladder::Lookup);
            let post = world.schedule(&[&world.bluesky], 1, world.now());
            world.sim.shard().execute(
                "UPDATE delivery SET state = 'unknown', reason = 'restored', plan = NULL WHERE post_id = ?1",
                [post.as_str()],
            );
            let platform = world.sim.platform();
            let mut looking: Later<'_, _> = Box::pin(tick(&platform, &world.trade, 0, Budget::default()));
            let mut context = Context::from_waker(Waker::noop());
            let mut ended = false;
            for _ in 0..steps {
                ended = ended || looking.as_mut().poll(&mut context).is_ready();
                if ended {
                    break;
                }
            }
            let said = if ended { Err(Code::NotUnknown) } else { say(&world, &post, outcome, None) };
            if !ended {
                run(looking);
            }
            let state = world.only().state;
            match (said, outcome) {
                (Ok(()), Outcome::Live) => assert_eq!(state, DeliveryState::Published, "{steps}"),
                (Ok(()), Outcome::SendAgain) => assert_eq!(state, DeliveryState::Retrying, "{steps}"),
                (Err(code), _) => assert_eq!(code, Code::NotUnknown, "{steps}"),
            }
        }
    }
}

#[test]
fn of_several_unknown_outcomes_the_profile_must_be_named_and_a_stranger_finds_nothing() {
    let world = World::new(45);
    for network in world.trade.both() {
        network.ladder.set(Ladder::Blind);
    }
    let post = world.schedule(&[&world.wall, &world.bluesky], 1, world.now());
    world.sim.shard().execute("UPDATE delivery SET state = 'unknown', next_at = NULL", []);
    assert_eq!(say(&world, &post, Outcome::Live, None), Err(Code::AmbiguousProfile));
    let caller = world.company.caller(&world.sim);
    let word = Word { profile: Some(&world.wall), outcome: Outcome::Live, address: None, hold_seconds: 30 };
    assert_eq!(run(confirm(&caller, &post, &word)).unwrap(), world.wall);
    let states: Vec<_> = world.deliveries().into_iter().map(|seen| (seen.profile, seen.state)).collect();
    assert!(states.contains(&(world.wall.clone(), DeliveryState::Published)));
    assert!(states.contains(&(world.bluesky.clone(), DeliveryState::Unknown)));
    let stranger = PostId::new(world.sim.clock.now(), &world.sim.entropy);
    assert_eq!(say(&world, &stranger, Outcome::Live, None), Err(Code::PostNotFound));
}

/// A tick that dies as soon as `dies` says so. Whether it did.
fn tick_that_dies(world: &World, dies: impl Fn() -> bool) -> bool {
    let platform = world.sim.platform();
    let mut ticking: Later<'_, _> = Box::pin(tick(&platform, &world.trade, 0, Budget::default()));
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if dies() {
            return true;
        }
        if ticking.as_mut().poll(&mut context).is_ready() {
            return false;
        }
    }
}

/// Whether a process is at work on this post: at the fifth claim it is not touched any more.
fn is_held(world: &World, post: &PostId) -> bool {
    let held = "SELECT count(*) FROM delivery WHERE post_id = ?1 AND state = 'claimed' AND next_at > ?2 AND claims < 5";
    let now = world.now().as_millis();
    world.sim.shard().number(held, rusqlite::params![post.as_str(), now]) == 1
}

#[test]
fn what_kills_every_process_that_takes_it_is_given_up_and_says_so() {
    let world = World::new(46);
    let post = world.schedule(&[&world.bluesky], 1, world.now());
    for _ in 0..4 {
        assert!(tick_that_dies(&world, || is_held(&world, &post)));
        world.sim.clock.advance_seconds(181);
    }
    assert_eq!(world.tick().failed, 1);
    let seen = world.only();
    assert_eq!((seen.state, seen.reason.as_deref()), (DeliveryState::Failed, Some("exhausted")));
    assert!(seen.text.unwrap().contains("died 4 times in a row"));
    assert_eq!(world.trade.bluesky.sends.get(), 0);
    let caller = world.company.caller(&world.sim);
    run(postern::delivery::retry(&caller, &world.trade, &post, None)).unwrap();
    world.sim.clock.advance_seconds(31);
    world.tick();
    assert_eq!(world.only().state, DeliveryState::Published);
}

#[test]
fn what_died_while_armed_is_asked_of_a_person_and_not_called_failed() {
    let world = World::new(47);
    world.trade.bluesky.ladder.set(Ladder::Lookup);
    world.schedule(&[&world.bluesky], 1, world.now());
    world.sim.faults.on_call(Port::Web, 1, Fault::LostReply);
    world.tick();
    assert_eq!(world.only().state, DeliveryState::Armed);
    world.sim.shard().execute("UPDATE delivery SET claims = 4", []);
    world.sim.clock.advance_seconds(181);
    assert_eq!(world.tick().unknown, 1);
    let seen = world.only();
    assert_eq!((seen.state, seen.next_at), (DeliveryState::Unknown, None));
    assert_eq!(seen.reason.as_deref(), Some("unconfirmed"));
}

#[test]
fn what_kills_its_process_takes_no_other_delivery_down_with_it() {
    let world = World::new(48);
    let killer = world.schedule(&[&world.bluesky], 1, world.now());
    for _ in 0..10 {
        world.schedule(&[&world.bluesky], 1, world.now());
    }
    let mut deaths = 0;
    for _ in 0..8 {
        deaths += i32::from(tick_that_dies(&world, || is_held(&world, &killer)));
        world.sim.clock.advance_seconds(181);
    }
    assert_eq!(deaths, 4);
    world.sim.clock.advance_seconds(181);
    world.tick();
    for seen in world.deliveries() {
        let expected = if seen.post == killer { DeliveryState::Failed } else { DeliveryState::Published };
        assert_eq!(seen.state, expected, "{seen:?}");
    }
}
