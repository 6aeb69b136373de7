//! Blobs in memory.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use postern::platform::{BlobFault, BlobInfo, Blobs, ByteRange, Later};

use super::{Faults, Port};

pub struct SimBlobs {
    faults: Rc<Faults>,
    stored: RefCell<BTreeMap<String, (String, Vec<u8>)>>,
}

impl SimBlobs {
    pub fn new(faults: Rc<Faults>) -> Self {
        Self { faults, stored: RefCell::default() }
    }

    /// Stores without a call, for the web's answers and for tests.
    pub fn insert(&self, key: &str, content_type: &str, bytes: Vec<u8>) {
        self.stored.borrow_mut().insert(key.to_owned(), (content_type.to_owned(), bytes));
    }

    /// Reads without a call.
    pub fn peek(&self, key: &str, range: ByteRange) -> Option<Vec<u8>> {
        let stored = self.stored.borrow();
        let (_, bytes) = stored.get(key)?;
        let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(bytes.len());
        let length = usize::try_from(range.length).unwrap_or(usize::MAX).min(bytes.len() - start);
        Some(bytes[start..start + length].to_vec())
    }

    /// Every key there is.
    pub fn keys(&self) -> Vec<String> {
        self.stored.borrow().keys().cloned().collect()
    }

    fn call<'a, T: 'a>(&'a self, effect: impl FnOnce() -> T + 'a) -> Later<'a, Result<T, BlobFault>> {
        let fault = self.faults.next(Port::Blobs, &[]);
        Box::pin(async move {
            self.faults.call(fault, effect).await.map_err(|fault| BlobFault(format!("{fault:?}")))
        })
    }
}

impl Blobs for SimBlobs {
    fn put<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
        bytes: Vec<u8>,
    ) -> Later<'a, Result<(), BlobFault>> {
        self.call(move || self.insert(key, content_type, bytes))
    }

    fn head<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<BlobInfo>, BlobFault>> {
        self.call(move || {
            self.stored.borrow().get(key).map(|(content_type, bytes)| BlobInfo {
                size: bytes.len() as u64,
                content_type: content_type.clone(),
            })
        })
    }

    fn read<'a>(&'a self, key: &'a str, range: ByteRange) -> Later<'a, Result<Option<Vec<u8>>, BlobFault>> {
        self.call(move || self.peek(key, range))
    }

    fn list<'a>(&'a self, prefix: &'a str, limit: usize) -> Later<'a, Result<Vec<String>, BlobFault>> {
        self.call(move || self.keys().into_iter().filter(|key| key.starts_with(prefix)).take(limit).collect())
    }

    fn delete<'a>(&'a self, key: &'a str) -> Later<'a, Result<(), BlobFault>> {
        self.call(move || {
            self.stored.borrow_mut().remove(key);
        })
    }
}
