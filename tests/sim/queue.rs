//! A queue that hands out what it was given: late, in any order, and twice, as the test says.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use postern::platform::{Clock, Errand, Later, Queue, QueueFault, Timestamp};

use super::{SimClock, yield_now};

pub struct SimQueue {
    /// Whether the deployment has one.
    pub is_bound: Cell<bool>,
    /// How many of the next batches are lost; who sent them is told so.
    pub failing: Cell<u32>,
    waiting: RefCell<Vec<(Timestamp, Errand)>>,
    clock: Rc<SimClock>,
}

impl SimQueue {
    pub fn new(clock: Rc<SimClock>) -> Self {
        Self { is_bound: Cell::new(false), failing: Cell::new(0), waiting: RefCell::default(), clock }
    }

    /// Takes the errands whose delay is over, in the order in which they were given.
    pub fn take_due(&self) -> Vec<String> {
        let now = self.clock.now();
        let waiting = self.waiting.take();
        let (due, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(at, _)| *at <= now);
        self.waiting.replace(later);
        due.into_iter().map(|(_, errand)| errand.body).collect()
    }

    /// When the errands that wait will be handed out.
    pub fn times(&self) -> Vec<Timestamp> {
        self.waiting.borrow().iter().map(|(at, _)| *at).collect()
    }
}

impl Queue for SimQueue {
    fn send(&self, errands: Vec<Errand>) -> Later<'_, Result<(), QueueFault>> {
        Box::pin(async move {
            yield_now().await;
            assert!(errands.len() <= 100 && errands.iter().all(|errand| errand.body.len() <= 100_000));
            if self.failing.get() > 0 {
                self.failing.set(self.failing.get() - 1);
                return Err(QueueFault);
            }
            let now = self.clock.now();
            let timed =
                errands.into_iter().map(|errand| (now.plus_seconds(errand.delay_seconds.into()), errand));
            self.waiting.borrow_mut().extend(timed);
            yield_now().await;
            Ok(())
        })
    }
}
