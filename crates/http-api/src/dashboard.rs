//! What stands behind the dashboard: the follower of the log, the latency of sales, and those who listen.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
    time::{Duration, Instant},
};

use activity::Follower;
use domain::{ClientId, Currency, IssuerId, Timestamp};
use storage::{LedgerLine, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    error::{Code, Problem},
    latency::Latency,
    state::{AppState, Inner},
};

/// How often the log is read for those who listen, and how often for nobody, so that the next who looks need not
/// wait.
const EVERY: Duration = Duration::from_secs(1);
const EVERY_FOR_NOBODY: Duration = Duration::from_secs(10);
/// How long one who looks waits for what was added since.
const PATIENCE: Duration = Duration::from_millis(80);
/// How long reading may take in the background before others get their turn.
const TURN: Duration = Duration::from_secs(5);
/// How long the value on cards is believed: its balances are sums over roll-ups.
const LIABILITY_FOR: Duration = Duration::from_secs(5);
/// The most streams of events, in all and of one caller: pages that are open.
const STREAMS: usize = 512;
const STREAMS_EACH: usize = 8;

type Owed = Vec<(Currency, i64)>;

/// Everything of the dashboard.
pub(crate) struct Dashboard {
    pub(crate) follower: Follower,
    pub(crate) latency: Latency,
    liability: Mutex<HashMap<IssuerId, (Instant, Owed)>>,
    streams: Arc<Semaphore>,
    listening: Arc<Mutex<HashMap<ClientId, usize>>>,
    following: OnceLock<()>,
}

/// A place among those who listen. Given back when it is dropped.
pub(crate) struct Listening {
    _place: OwnedSemaphorePermit,
    client: ClientId,
    streams: Arc<Mutex<HashMap<ClientId, usize>>>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut listening = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = listening.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                listening.remove(&self.client);
            }
        }
    }
}

impl Dashboard {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            follower: Follower::new(store),
            latency: Latency::default(),
            liability: Mutex::default(),
            streams: Arc::new(Semaphore::new(STREAMS)),
            listening: Arc::default(),
            following: OnceLock::new(),
        }
    }

    /// Takes in what was added to the log, if that is not much.
    pub(crate) async fn catch_up(&self, now: Timestamp) -> storage::Result<()> {
        self.follower.catch_up(now, PATIENCE).await.map(drop)
    }

    /// A place for a caller's stream of events.
    pub(crate) fn listen(&self, client: ClientId) -> Result<Listening, Problem> {
        let place = Arc::clone(&self.streams).try_acquire_owned().map_err(|_| {
            Problem::new(Code::QueueFull, "too many pages listen already; ask for /v1/dashboard now and then")
        })?;
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        let count = listening.entry(client).or_default();
        if *count >= STREAMS_EACH {
            let detail = format!("{STREAMS_EACH} pages of yours listen already; close one");
            return Err(Problem::new(Code::RateLimited, detail).retry_after(5));
        }
        *count += 1;
        drop(listening);
        Ok(Listening { _place: place, client, streams: Arc::clone(&self.listening) })
    }

    /// What is owed to holders of cards, as it was some seconds ago at most.
    pub(crate) async fn liability(&self, store: &dyn Store, issuer: IssuerId) -> storage::Result<Owed> {
        let known = self.liability.lock().unwrap_or_else(PoisonError::into_inner).get(&issuer).cloned();
        if let Some((_, owed)) = known.filter(|(at, _)| at.elapsed() < LIABILITY_FOR) {
            return Ok(owed);
        }
        let mut owed: std::collections::BTreeMap<Currency, i64> = std::collections::BTreeMap::new();
        for line in store.trial_balance(issuer, None).await? {
            if matches!(line.line, LedgerLine::Cards(_)) {
                let sum = owed.entry(line.currency).or_default();
                *sum = sum.saturating_add(line.credits.saturating_sub(line.debits));
            }
        }
        let owed: Owed = owed.into_iter().collect();
        // As many as there are issuers.
        let mut known = self.liability.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(issuer, (Instant::now(), owed.clone()));
        Ok(owed)
    }
}

/// Begins to follow the log in the background, once, for as long as there is a state.
pub(crate) fn follow(app: &AppState) {
    app.dashboard.following.get_or_init(|| {
        tokio::spawn(run(app.downgrade()));
    });
}

async fn run(app: Weak<Inner>) {
    loop {
        let Some(state) = app.upgrade() else { return };
        let follower = state.dashboard.follower.clone();
        let (now, is_running) = (state.engine.now(), state.engine.is_running());
        drop(state);
        if !is_running {
            return;
        }
        let pause = match follower.catch_up(now, TURN).await {
            Ok(true) if follower.listeners() == 0 => EVERY_FOR_NOBODY,
            Ok(true) => EVERY,
            Ok(false) => Duration::ZERO,
            Err(error) => {
                tracing::warn!(%error, "the log could not be followed for the dashboard; trying again");
                EVERY_FOR_NOBODY
            }
        };
        drop(follower);
        wait(&app, pause).await;
    }
}

/// Waits; less as soon as somebody listens.
async fn wait(app: &Weak<Inner>, pause: Duration) {
    let end = tokio::time::Instant::now() + pause;
    loop {
        let left = end.saturating_duration_since(tokio::time::Instant::now());
        tokio::time::sleep(left.min(EVERY)).await;
        let listened = app.upgrade().is_some_and(|app| app.dashboard.follower.listeners() > 0);
        if left <= EVERY || listened {
            return;
        }
    }
}
