//! Which port calls go wrong, and how: by script, or by odds from a seed.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use super::{Random, SimClock, yield_now};

/// A port whose calls can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    Directory,
    Shard,
    KeyValue,
    Blobs,
    Web,
    Limits,
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happened, and where the port can tell, the caller is told so.
    NotSent,
    /// Nothing happened, but the caller cannot know.
    LostRequest,
    /// It happened, but the caller cannot know.
    LostReply,
    /// The clock moves on by so many milliseconds before it happens.
    SlowRequest(i64),
    /// The clock moves on by so many milliseconds after it happened, before the answer.
    SlowReply(i64),
}

/// How often each fault happens, in a thousand calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Odds {
    pub not_sent: u64,
    pub lost_request: u64,
    pub lost_reply: u64,
    /// Half of them slow before the effect, half after it.
    pub slow: u64,
    /// The longest that a slow call takes.
    pub slowest_millis: u64,
}

impl Odds {
    /// Nothing goes wrong.
    pub const CALM: Self = Self { not_sent: 0, lost_request: 0, lost_reply: 0, slow: 0, slowest_millis: 0 };
}

enum Trigger {
    /// The call after so many others.
    Nth { port: Port, remaining: u64 },
    /// The first batch in which this statement stands.
    Statement(&'static str),
}

/// The plan of what goes wrong.
pub struct Faults {
    clock: Rc<SimClock>,
    random: Random,
    odds: Cell<Odds>,
    script: RefCell<Vec<(Trigger, Fault)>>,
    calls: RefCell<Vec<Call>>,
}

/// A call of a port, with the names of a batch's statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub port: Port,
    pub statements: Vec<&'static str>,
}

impl Faults {
    pub fn new(seed: u64, clock: Rc<SimClock>) -> Self {
        Self {
            clock,
            random: Random::new(seed ^ 0x6661_756c_7473_2121),
            odds: Cell::new(Odds::CALM),
            script: RefCell::new(Vec::new()),
            calls: RefCell::default(),
        }
    }

    /// The `nth` call of `port` from now on (1 is the next) meets `fault`.
    pub fn on_call(&self, port: Port, nth: u64, fault: Fault) {
        let trigger = Trigger::Nth { port, remaining: nth };
        self.script.borrow_mut().push((trigger, fault));
    }

    /// The next batch in which the statement named `name` stands meets `fault`.
    pub fn on_statement(&self, name: &'static str, fault: Fault) {
        self.script.borrow_mut().push((Trigger::Statement(name), fault));
    }

    /// The calls of all ports since they were asked for last.
    pub fn take_calls(&self) -> Vec<Call> {
        self.calls.take()
    }

    /// From now on calls fail at random.
    pub fn set_odds(&self, odds: Odds) {
        self.odds.set(odds);
    }

    /// From now on nothing fails.
    pub fn calm(&self) {
        self.odds.set(Odds::CALM);
        self.script.borrow_mut().clear();
    }

    /// The fault of this call, if it has one. `statements` are the names in a batch.
    pub fn next(&self, port: Port, statements: &[&'static str]) -> Option<Fault> {
        self.calls.borrow_mut().push(Call { port, statements: statements.to_vec() });
        self.scripted(port, statements).or_else(|| self.drawn())
    }

    fn scripted(&self, port: Port, statements: &[&'static str]) -> Option<Fault> {
        let mut script = self.script.borrow_mut();
        let mut due = None;
        for (index, (trigger, _)) in script.iter_mut().enumerate() {
            let met = match trigger {
                Trigger::Nth { port: of, remaining } if *of == port => {
                    *remaining = remaining.saturating_sub(1);
                    *remaining == 0
                }
                Trigger::Nth { .. } => false,
                Trigger::Statement(name) => statements.contains(name),
            };
            if met && due.is_none() {
                due = Some(index);
            }
        }
        due.map(|index| script.remove(index).1)
    }

    fn drawn(&self) -> Option<Fault> {
        let odds = self.odds.get();
        let mut drawn = self.random.below(1000);
        let mut falls_in = |share: u64| {
            let hit = drawn < share;
            drawn = drawn.wrapping_sub(share);
            hit
        };
        if falls_in(odds.not_sent) {
            Some(Fault::NotSent)
        } else if falls_in(odds.lost_request) {
            Some(Fault::LostRequest)
        } else if falls_in(odds.lost_reply) {
            Some(Fault::LostReply)
        } else if falls_in(odds.slow) {
            let millis = i64::try_from(self.random.below(odds.slowest_millis)).unwrap();
            let request_is_slow = self.random.happens(500);
            Some(if request_is_slow { Fault::SlowRequest(millis) } else { Fault::SlowReply(millis) })
        } else {
            None
        }
    }

    /// Carries out one port call: waits, has its effect or not, waits, and answers with what the effect gave or with
    /// the fault that hides it.
    pub async fn call<T>(&self, fault: Option<Fault>, effect: impl FnOnce() -> T) -> Result<T, Fault> {
        if let Some(Fault::SlowRequest(millis)) = fault {
            self.clock.advance_millis(millis);
        }
        yield_now().await;
        if let Some(fault @ (Fault::NotSent | Fault::LostRequest)) = fault {
            return Err(fault);
        }
        let result = effect();
        if let Some(Fault::SlowReply(millis)) = fault {
            self.clock.advance_millis(millis);
        }
        yield_now().await;
        match fault {
            Some(fault @ Fault::LostReply) => Err(fault),
            _ => Ok(result),
        }
    }
}
