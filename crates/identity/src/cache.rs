//! Sessions that were looked up a moment ago, so that a busy till does not ask the database for each sale who it is.
//!
//! An entry is good for two seconds. Whatever takes rights away on this node forgets the entries at once; other
//! nodes see it within those two seconds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{Timestamp, UserId};

use crate::service::SignedIn;

/// How long an entry is good, in microseconds.
const GOOD_FOR: i64 = 2_000_000;
/// Entries at most.
const MOST: usize = 10_000;

struct Entry {
    signed_in: Arc<SignedIn>,
    read_at: Timestamp,
}

#[derive(Default)]
struct Inner {
    entries: HashMap<[u8; 32], Entry>,
    /// How often something was forgotten. What was read before that is not put in after it.
    forgotten: u64,
}

/// What was looked up.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Inner>);

/// The state of the cache when a look-up began.
#[derive(Clone, Copy)]
pub(crate) struct Began(u64);

impl Cache {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, token_hash: &[u8; 32], now: Timestamp) -> Option<Arc<SignedIn>> {
        let inner = self.inner();
        let entry = inner.entries.get(token_hash)?;
        let age = now.micros().saturating_sub(entry.read_at.micros());
        (0..GOOD_FOR).contains(&age).then(|| Arc::clone(&entry.signed_in))
    }

    pub(crate) fn begin(&self) -> Began {
        Began(self.inner().forgotten)
    }

    pub(crate) fn put(&self, began: Began, token_hash: [u8; 32], signed_in: &Arc<SignedIn>, now: Timestamp) {
        let mut inner = self.inner();
        if inner.forgotten != began.0 {
            return;
        }
        if inner.entries.len() >= MOST {
            inner.entries.clear();
        }
        inner.entries.insert(token_hash, Entry { signed_in: Arc::clone(signed_in), read_at: now });
    }

    /// Forgets a user's sessions.
    pub(crate) fn forget(&self, user: UserId) {
        let mut inner = self.inner();
        inner.forgotten = inner.forgotten.wrapping_add(1);
        inner.entries.retain(|_, entry| entry.signed_in.user.id != user);
    }

    /// Forgets all: a role has changed, and anybody may have it.
    pub(crate) fn clear(&self) {
        let mut inner = self.inner();
        inner.forgotten = inner.forgotten.wrapping_add(1);
        inner.entries.clear();
    }
}
