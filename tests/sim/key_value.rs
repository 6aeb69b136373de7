//! KV as a far edge sees it: a read is kept, misses too, and told again until the key's lag has passed.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use postern::platform::{Clock, KeyValue, KvFault, Later, Timestamp};

use super::{Faults, Port, SimClock};

struct Stored {
    value: String,
    expires_at: Timestamp,
}

struct Seen {
    value: Option<String>,
    at: Timestamp,
}

pub struct SimKeyValue {
    faults: Rc<Faults>,
    clock: Rc<SimClock>,
    stored: RefCell<BTreeMap<String, Stored>>,
    seen: RefCell<BTreeMap<String, Seen>>,
    lag_seconds: Cell<i64>,
    lags: RefCell<BTreeMap<String, i64>>,
}

impl SimKeyValue {
    pub fn new(faults: Rc<Faults>, clock: Rc<SimClock>) -> Self {
        Self {
            faults,
            clock,
            stored: RefCell::default(),
            seen: RefCell::default(),
            lag_seconds: Cell::new(0),
            lags: RefCell::default(),
        }
    }

    /// How long a read is told again, for every key that has no lag of its own. 0 at first.
    pub fn set_lag(&self, seconds: i64) {
        self.lag_seconds.set(seconds);
    }

    /// How long a read of `key` is told again.
    pub fn set_lag_of(&self, key: &str, seconds: i64) {
        self.lags.borrow_mut().insert(key.to_owned(), seconds);
    }

    /// Every key with its newest value, whatever readers still see.
    pub fn newest(&self) -> BTreeMap<String, String> {
        self.stored.borrow().iter().map(|(key, stored)| (key.clone(), stored.value.clone())).collect()
    }

    fn lag_of(&self, key: &str) -> i64 {
        self.lags.borrow().get(key).copied().unwrap_or_else(|| self.lag_seconds.get())
    }

    fn read(&self, key: &str) -> Option<String> {
        let now = self.clock.now();
        let mut seen = self.seen.borrow_mut();
        if let Some(kept) = seen.get(key)
            && now < kept.at.plus_seconds(self.lag_of(key))
        {
            return kept.value.clone();
        }
        let stored = self.stored.borrow();
        let value = stored.get(key).filter(|stored| now < stored.expires_at).map(|s| s.value.clone());
        seen.insert(key.to_owned(), Seen { value: value.clone(), at: now });
        value
    }

    fn write(&self, key: &str, value: String, ttl_seconds: u32) -> Result<(), KvFault> {
        if key.is_empty() || key.len() > 512 {
            return Err(KvFault("a key has 1 to 512 bytes".to_owned()));
        }
        if ttl_seconds < 60 {
            return Err(KvFault("nothing expires before 60 s".to_owned()));
        }
        let expires_at = self.clock.now().plus_seconds(i64::from(ttl_seconds));
        self.stored.borrow_mut().insert(key.to_owned(), Stored { value, expires_at });
        Ok(())
    }

    fn call<'a, T: 'a>(
        &'a self,
        effect: impl FnOnce() -> Result<T, KvFault> + 'a,
    ) -> Later<'a, Result<T, KvFault>> {
        let fault = self.faults.next(Port::KeyValue, &[]);
        Box::pin(async move {
            self.faults.call(fault, effect).await.map_err(|fault| KvFault(format!("{fault:?}")))?
        })
    }
}

impl KeyValue for SimKeyValue {
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<String>, KvFault>> {
        self.call(move || Ok(self.read(key)))
    }

    fn put<'a>(&'a self, key: &'a str, value: String, ttl_seconds: u32) -> Later<'a, Result<(), KvFault>> {
        self.call(move || self.write(key, value, ttl_seconds))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Later<'a, Result<(), KvFault>> {
        self.call(move || {
            self.stored.borrow_mut().remove(key);
            Ok(())
        })
    }
}
