//! Thousands of seeded lives of a handful of posts, in which everything goes wrong that can.
//!
//! `POSTERN_SEED=n` repeats one of them.

use std::collections::HashMap;

use postern::{
    delivery::{
        Budget, DeliveryState, Outcome, Overdue, Release, Scope, Word, confirm, pause, release, resume,
        retry, run_errand, tick,
    },
    networks::Ladder,
    platform::Later,
};

use super::{
    moves::{record_moves, unlawful_moves},
    network::{Moods, Public, SimNetwork},
    world::{OPEN, Seen, World},
};
use crate::sim::{Odds, Random, Snapshot, for_each_seed, interleave_until_crash, run, yield_now};

const RUNS: u64 = 10_000;
const LADDERS: [Ladder; 5] =
    [Ladder::Exact, Ladder::Window(3600), Ladder::TwoPhase, Ladder::Lookup, Ladder::Blind];

#[test]
fn nothing_goes_out_twice_and_nothing_is_lost_whatever_goes_wrong() {
    for_each_seed(RUNS, live);
}

/// One life: some hours in which things go wrong, then calm until everything is settled.
fn live(seed: u64) {
    let life = Life::new(seed);
    life.troubled();
    life.settle();
    life.judge();
}

struct Life {
    world: World,
    random: Random,
    restores: bool,
    restored: std::cell::Cell<bool>,
    copies: std::cell::RefCell<Vec<Snapshot>>,
}

impl Life {
    fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        let world = World::new(seed);
        world.trade.wall.ladder.set(LADDERS[usize::try_from(seed % 5).unwrap()]);
        world.trade.bluesky.ladder.set(LADDERS[usize::try_from(seed / 5 % 5).unwrap()]);
        record_moves(&world.sim);
        world.sim.queue.is_bound.set(seed % 3 == 0);
        let restores = random.happens(300);
        Self {
            world,
            random,
            restores,
            restored: std::cell::Cell::new(false),
            copies: std::cell::RefCell::default(),
        }
    }

    fn pick<'a, T>(&self, from: &'a [T]) -> Option<&'a T> {
        from.get(usize::try_from(self.random.below(from.len() as u64)).unwrap())
    }

    fn below(&self, bound: u64) -> i64 {
        i64::try_from(self.random.below(bound)).unwrap()
    }

    fn troubled(&self) {
        for _ in 0..=self.random.below(2) {
            self.schedule();
        }
        let steps = 3 + self.random.below(6);
        for _ in 0..steps {
            self.trouble();
            self.act();
            self.ticks();
            self.pass_time();
        }
        self.world.sim.faults.calm();
        for network in self.world.trade.both() {
            network.moods.set(Moods::default());
        }
    }

    fn trouble(&self) {
        let rate = [0, 30, 100][usize::try_from(self.random.below(3)).unwrap()];
        self.world.sim.faults.set_odds(Odds {
            not_sent: rate / 2,
            lost_request: rate,
            lost_reply: rate,
            slow: rate,
            slowest_millis: 70_000,
        });
        let mood = [0, 20, 120][usize::try_from(self.random.below(3)).unwrap()];
        for network in self.world.trade.both() {
            network.moods.set(Moods {
                too_many_requests: mood,
                session_over: mood,
                reauthorise: mood / 8,
                fix: mood / 8,
                refused: mood / 8,
                still_preparing: mood,
                prepared_is_gone: mood,
                unclear: mood,
            });
        }
    }

    fn schedule(&self) {
        let world = &self.world;
        let due = world.now().plus_seconds(self.below(3600) - 600);
        let parts = 1 + usize::try_from(self.random.below(3)).unwrap();
        match self.random.below(3) {
            0 => world.schedule(&[&world.wall], parts, due),
            1 => world.schedule(&[&world.bluesky], parts, due),
            _ => world.schedule(&[&world.wall, &world.bluesky], parts, due),
        };
    }

    /// A person stops everything, or some of it.
    fn pause(&self) {
        let world = &self.world;
        let caller = world.company.caller(&world.sim);
        let Ok(facts) = run(caller.facts()) else { return };
        let profiles = [world.wall.clone(), world.bluesky.clone()];
        let profiles = &profiles[..usize::try_from(self.random.below(3)).unwrap()];
        let scope = Scope { workspace: &facts.workspaces[0], profiles };
        let until = self.random.happens(500).then(|| world.now().plus_seconds(self.below(3600)));
        drop(run(pause(&caller, scope, until, "Told to.")));
    }

    fn resume(&self) {
        let world = &self.world;
        let caller = world.company.caller(&world.sim);
        let Ok(facts) = run(caller.facts()) else { return };
        let overdue = [Overdue::Skip, Overdue::Respace, Overdue::Review];
        let overdue = *self.pick(&overdue).unwrap();
        drop(run(resume(&caller, Scope { workspace: &facts.workspaces[0], profiles: &[] }, overdue)));
    }

    /// What people do in between.
    fn act(&self) {
        let world = &self.world;
        let deliveries = world.deliveries();
        let post = self.pick(&deliveries).map(|seen| seen.post.clone());
        match (self.random.below(12), post) {
            (0, _) => self.schedule(),
            (1, Some(post)) => {
                world.edit(&post, 1 + usize::try_from(self.random.below(3)).unwrap(), "changed");
            }
            (2, Some(post)) => world.unschedule(&post),
            (3, Some(post)) => world.reschedule(&post, world.now().plus_seconds(self.below(1200))),
            (4, Some(post)) => {
                // Whether it is refused or not: what matters is what is on the networks.
                let caller = world.company.caller(&world.sim);
                drop(run(retry(&caller, &world.trade, &post, None)));
            }
            (5, _) => world.reconnect(),
            (8, _) => self.look_at_the_account(),
            (9, _) => self.pause(),
            (10, _) => self.resume(),
            (6, _) if self.restores => self.copies.borrow_mut().push(world.sim.shard().snapshot()),
            (7, _) => self.restore(),
            _ => {}
        }
    }

    /// A person looks what became of an unknown outcome, and says so.
    fn look_at_the_account(&self) {
        let unknown: Vec<Seen> =
            self.world.deliveries().into_iter().filter(|seen| seen.state == DeliveryState::Unknown).collect();
        let Some(seen) = self.pick(&unknown) else { return };
        let armed =
            "SELECT coalesce(max(position), 0) FROM delivery_part WHERE delivery_id = ?1 AND state = 'armed'";
        let part = self.world.sim.shard().number(armed, [seen.delivery.as_str()]);
        let is_there = self.live_parts(seen).iter().any(|public| i64::try_from(public.part) == Ok(part));
        let outcome = if is_there { Outcome::Live } else { Outcome::SendAgain };
        let word = Word { profile: Some(&seen.profile), outcome, address: None, hold_seconds: 30 };
        let caller = self.world.company.caller(&self.world.sim);
        drop(run(confirm(&caller, &seen.post, &word)));
    }

    /// One or more ticks at once, which may die at any moment; sometimes so slowly that leases end under their hands.
    fn ticks(&self) {
        let platform = self.world.sim.platform();
        let errands = self.errands();
        let one = |delay: u64| -> Later<'_, ()> {
            let platform = &platform;
            Box::pin(async move {
                for _ in 0..delay {
                    yield_now().await;
                }
                tick(platform, &self.world.trade, 0, Budget::default()).await;
            })
        };
        let other = |body: String| -> Later<'_, ()> {
            let platform = &platform;
            Box::pin(async move {
                run_errand(platform, &self.world.trade, &body, Budget::default()).await;
            })
        };
        let mut together = match self.random.below(10) {
            0..6 => vec![one(0)],
            6..8 => vec![one(0), one(self.random.below(40))],
            _ => vec![one(0), one(self.random.below(40)), one(self.random.below(80)), self.slow_time()],
        };
        together.extend(errands.into_iter().map(other));
        let steps = if self.random.happens(500) { 1 + self.random.below(150) } else { 1_000_000 };
        interleave_until_crash(&self.random, usize::try_from(steps).unwrap(), together);
    }

    /// What the queue hands out: some of it twice, and some of it never.
    fn errands(&self) -> Vec<String> {
        let due = self.world.sim.queue.take_due();
        let times = |_: &String| [0, 1, 1, 1, 2][usize::try_from(self.random.below(5)).unwrap()];
        due.into_iter().flat_map(|body| std::iter::repeat_n(body.clone(), times(&body))).collect()
    }

    /// Minutes that pass while others work.
    fn slow_time(&self) -> Later<'_, ()> {
        Box::pin(async {
            for _ in 0..20 {
                self.world.sim.clock.advance_millis(self.below(150_000));
                yield_now().await;
            }
        })
    }

    fn pass_time(&self) {
        let millis = match self.random.below(10) {
            0..6 => 20_000 + self.below(100_000),
            6..9 => self.below(3_600_000),
            _ => self.below(8 * 3_600_000),
        };
        self.world.sim.clock.advance_millis(millis);
        if self.random.happens(50) {
            self.world.sim.clock.advance_millis(-self.below(millis.unsigned_abs() + 1));
        }
    }

    /// The shard goes back to an earlier copy, and an operator releases it.
    fn restore(&self) {
        let copies = self.copies.borrow();
        let Some(copy) = self.pick(&copies) else { return };
        let world = &self.world;
        world.sim.faults.calm();
        assert_eq!(unlawful_moves(&world.sim), Vec::<String>::new());
        // A tick closes the epoch of one that died.
        world.tick();
        let public = self.public();
        world.sim.shard().restore(copy);
        self.restored.set(true);
        let report = world.tick();
        if report.held.is_some() {
            assert_eq!(self.public(), public, "something was sent by a shard that is on hold");
            while !matches!(run(release(&world.sim.platform(), 0)), Ok(Release::Doubted(_))) {}
        }
    }

    fn public(&self) -> usize {
        self.world.trade.both().iter().map(|network| network.live().len()).sum()
    }

    fn settle(&self) {
        let next = format!(
            "SELECT coalesce(min(next_at), 0) FROM delivery WHERE state IN {OPEN} AND next_at IS NOT NULL"
        );
        self.world.sim.shard().execute("DELETE FROM publishing_pause", []);
        for _ in 0..400 {
            let next_at = self.world.sim.shard().number(&next, []);
            if next_at == 0 {
                return;
            }
            let wait = next_at - self.world.now().as_millis();
            self.world.sim.clock.advance_millis(wait.max(0) + self.below(60_000));
            let report = self.world.tick();
            assert_eq!(report.fault, None);
            for body in self.world.sim.queue.take_due() {
                let platform = self.world.sim.platform();
                run(run_errand(&platform, &self.world.trade, &body, Budget::default())).unwrap();
            }
        }
        panic!("these are never settled: {:#?}", self.world.deliveries());
    }

    fn judge(&self) {
        assert_eq!(unlawful_moves(&self.world.sim), Vec::<String>::new(), "unlawful moves");
        for network in self.world.trade.both() {
            self.nothing_is_there_twice(network);
        }
        for seen in self.world.deliveries() {
            let live = self.live_parts(&seen);
            self.what_is_stored_is_there(&seen, &live);
            if !self.restored.get() {
                Self::nothing_is_there_unknown_to_us(&seen, &live);
            }
        }
        let events = self.world.sim.events.all();
        let faults: Vec<_> = events.iter().filter(|event| event["event"] == "fault").collect();
        assert!(faults.is_empty(), "{faults:?}");
    }

    fn nothing_is_there_twice(&self, network: &SimNetwork) {
        let mut seen: HashMap<String, u32> = HashMap::new();
        for public in network.live() {
            *seen.entry(public.key().to_owned()).or_default() += 1;
        }
        for (key, times) in seen {
            assert_eq!(times, 1, "{key} is there {times} times on {:?}", network.ladder.get());
        }
    }

    fn live_parts(&self, seen: &Seen) -> Vec<Public> {
        let all = self.world.trade.network(seen.network).live();
        all.into_iter().filter(|public| public.delivery == seen.delivery.as_str()).collect()
    }

    fn what_is_stored_is_there(&self, seen: &Seen, live: &[Public]) {
        let rows = self.world.sim.shard().query(
            "SELECT position, state, remote_id FROM delivery_part WHERE delivery_id = ?1 AND state IN ('live', 'armed') ORDER BY position",
            [seen.delivery.as_str()],
        );
        for row in &rows {
            let state: String = row.get("state").unwrap();
            if state == "live" {
                let position: i64 = row.get("position").unwrap();
                // What a person saw has no id of the network's.
                let remote_id: Option<String> = row.get("remote_id").unwrap();
                let is_it = |public: &Public| match &remote_id {
                    Some(id) => public.remote_id == *id,
                    None => i64::try_from(public.part) == Ok(position) || self.restored.get(),
                };
                assert!(live.iter().any(is_it), "part {position} ({remote_id:?}) is not there");
            } else {
                assert_eq!(seen.state, DeliveryState::Unknown, "armed for good: {seen:?}");
            }
        }
        if seen.state == DeliveryState::Published {
            assert!(!rows.is_empty(), "published, but nothing is there: {seen:?}");
            // After a restore the post may have had more parts than the copy knows of.
            assert!(live.len() == rows.len() || self.restored.get(), "published: {rows:?}, there: {live:?}");
            let unseen = "SELECT count(*) FROM delivery_part WHERE delivery_id = ?1 AND state = 'live' AND remote_id IS NULL";
            let by_word = self.world.sim.shard().number(unseen, [seen.delivery.as_str()]) > 0;
            assert!(seen.url.is_some() || by_word);
        }
    }

    fn nothing_is_there_unknown_to_us(seen: &Seen, live: &[Public]) {
        let admitted = matches!(seen.state, DeliveryState::Published | DeliveryState::Unknown)
            || seen.reason.as_deref() == Some("incomplete");
        assert!(live.is_empty() || admitted, "{seen:?} is there: {live:?}");
    }
}
