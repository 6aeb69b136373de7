//! Rate limits that count exactly, in periods of a minute by the simulated clock. Without a limit everybody comes in.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use postern::platform::{Clock, Door, Later, LimitFault, RateLimits};

use super::{Faults, Port, SimClock};

/// For each door and visitor, their last minute and how often they came in it.
type Visits = BTreeMap<(&'static str, String), (i64, u32)>;

pub struct SimLimits {
    faults: Rc<Faults>,
    clock: Rc<SimClock>,
    limits: RefCell<BTreeMap<&'static str, u32>>,
    visits: RefCell<Visits>,
}

impl SimLimits {
    pub fn new(faults: Rc<Faults>, clock: Rc<SimClock>) -> Self {
        Self { faults, clock, limits: RefCell::default(), visits: RefCell::default() }
    }

    /// From now on a visitor may come so often in a minute.
    pub fn set(&self, door: Door, limit: u32) {
        self.limits.borrow_mut().insert(door.binding(), limit);
    }

    /// Who was counted at a door, and how often in their last minute.
    pub fn visitors(&self, door: Door) -> Vec<(String, u32)> {
        let visits = self.visits.borrow();
        let here = visits.iter().filter(|((binding, _), _)| *binding == door.binding());
        here.map(|((_, visitor), (_, count))| (visitor.clone(), *count)).collect()
    }

    fn admit(&self, door: Door, visitor: &str) -> bool {
        let period = self.clock.now().as_seconds() / 60;
        let mut visits = self.visits.borrow_mut();
        let counted = visits.entry((door.binding(), visitor.to_owned())).or_insert((period, 0));
        if counted.0 != period {
            *counted = (period, 0);
        }
        let limit = self.limits.borrow().get(door.binding()).copied();
        let admitted = limit.is_none_or(|limit| counted.1 < limit);
        if admitted {
            counted.1 += 1;
        }
        admitted
    }
}

impl RateLimits for SimLimits {
    fn count<'a>(&'a self, door: Door, visitor: &'a str) -> Later<'a, Result<bool, LimitFault>> {
        let fault = self.faults.next(Port::Limits, &[]);
        Box::pin(async move {
            let admitted = self.faults.call(fault, || self.admit(door, visitor)).await;
            admitted.map_err(|fault| LimitFault(format!("{fault:?}")))
        })
    }
}
