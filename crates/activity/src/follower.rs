//! Follows the log and keeps the counts up to date.
//!
//! Where it is in the log and what it has counted change together, under one lock, so that no operation is counted
//! twice or left out, however often reading fails. Nothing of it is stored: after a start it reads two days again,
//! at some hundred thousand operations a second.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};

use domain::{IssuerId, Timestamp};
use storage::{LogPosition, Result, Store};
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};

use crate::{Figures, Fold, Of};

/// Operations that are read at a time: a screen does not wait long for the lock.
const PART: usize = 5_000;
/// Yesterday begins at most so long ago, in the zone of whoever asks and on the day when clocks are put back.
const KEPT_SECONDS: i64 = 50 * 3600;
/// How often old cells are forgotten.
const FORGET_EVERY: Duration = Duration::from_mins(5);

/// Where the follower is.
struct Place {
    /// None: it has not begun.
    position: Option<LogPosition>,
    forgot: Option<Instant>,
}

#[derive(Default)]
struct Counted {
    fold: Fold,
    /// Whether everything that was there at the start is counted.
    is_complete: bool,
}

/// Follows the log. Clones are the same one.
#[derive(Clone)]
pub struct Follower {
    store: Arc<dyn Store>,
    place: Arc<Mutex<Place>>,
    counted: Arc<RwLock<Counted>>,
    /// Those for whom something was counted, and how often that was told.
    changed: Arc<watch::Sender<(u64, Arc<HashSet<IssuerId>>)>>,
}

/// Figures, and whether they are all.
#[derive(Debug)]
pub struct View {
    /// None: there are too many to count each.
    pub figures: Option<Figures>,
    /// Whether everything that was there at the start is counted.
    pub is_complete: bool,
}

impl Follower {
    /// One that has read nothing yet.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            place: Arc::new(Mutex::new(Place { position: None, forgot: None })),
            counted: Arc::default(),
            changed: Arc::new(watch::Sender::default()),
        }
    }

    /// Reads on until nothing is left or the time is over. Returns whether nothing was left. Waits for whoever reads
    /// already, within the same time.
    pub async fn catch_up(&self, now: Timestamp, time: Duration) -> Result<bool> {
        let end = Instant::now() + time;
        let Ok(mut place) = tokio::time::timeout_at(end, self.place.lock()).await else { return Ok(false) };
        let from = now.plus_seconds(-KEPT_SECONDS);
        loop {
            let position = match place.position {
                Some(position) => position,
                None => self.store.activity_start(from).await?,
            };
            let page = self.store.activity(position, PART).await?;
            self.count(&page.items, from, page.caught_up);
            place.position = Some(page.position);
            if page.caught_up || Instant::now() >= end {
                self.forget(&mut place, from);
                return Ok(page.caught_up);
            }
        }
    }

    fn count(&self, items: &[storage::Activity], from: Timestamp, caught_up: bool) {
        if !items.is_empty() || caught_up {
            let mut counted = self.counted.write().unwrap_or_else(PoisonError::into_inner);
            counted.fold.take(items, from);
            counted.is_complete |= caught_up;
        }
        if !items.is_empty() {
            let issuers = Arc::new(items.iter().map(|item| item.issuer).collect());
            self.changed.send_modify(|(times, last)| {
                *times += 1;
                *last = issuers;
            });
        }
    }

    fn forget(&self, place: &mut Place, before: Timestamp) {
        if place.forgot.is_none_or(|at| at.elapsed() >= FORGET_EVERY) {
            self.counted.write().unwrap_or_else(PoisonError::into_inner).fold.forget(before);
            place.forgot = Some(Instant::now());
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Counted> {
        self.counted.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The figures of an issuer or a merchant.
    pub fn view(&self, of: Of) -> View {
        let counted = self.read();
        View { figures: counted.fold.figures(of), is_complete: counted.is_complete }
    }

    /// What tells that something was counted: how often that was told, and for whom the last time. Whoever has
    /// missed a time cannot know for whom it was.
    pub fn changes(&self) -> watch::Receiver<(u64, Arc<HashSet<IssuerId>>)> {
        self.changed.subscribe()
    }

    /// How many listen to [`Follower::changes`].
    pub fn listeners(&self) -> usize {
        self.changed.receiver_count()
    }
}
