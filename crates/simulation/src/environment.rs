//! What everything in a simulation shares: chance, time, and the record of what happened.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::Timestamp;
use engine::Clock;
use tokio::time::Instant;

use crate::{profile::Profile, random::Random};

/// The record of what happened: a digest over all of it, and the text where somebody wants to read it.
struct Trace {
    digest: u64,
    shown: bool,
}

/// What everything in a simulation shares.
pub(crate) struct Environment {
    pub(crate) profile: Profile,
    random: Mutex<Random>,
    trace: Mutex<Trace>,
    violations: Mutex<Vec<String>>,
    faults: AtomicU64,
    /// Nothing goes wrong any more.
    calm: AtomicBool,
    began: Instant,
    /// How far time has leapt, in microseconds.
    leapt: AtomicI64,
}

/// Locks what no other thread can have.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Environment {
    pub(crate) fn new(profile: Profile, random: Random, shown: bool) -> Self {
        Self {
            profile,
            random: Mutex::new(random),
            trace: Mutex::new(Trace { digest: 0xcbf2_9ce4_8422_2325, shown }),
            violations: Mutex::new(Vec::new()),
            faults: AtomicU64::new(0),
            calm: AtomicBool::new(false),
            began: Instant::now(),
            leapt: AtomicI64::new(0),
        }
    }

    pub(crate) fn random(&self) -> MutexGuard<'_, Random> {
        lock(&self.random)
    }

    /// Whether a fault happens now. Counts it.
    pub(crate) fn strikes(&self, per_mille: u32, what: &'static str) -> bool {
        let strikes = per_mille > 0 && !self.is_calm() && self.random().chance(per_mille);
        if strikes {
            self.fault(what, 0);
        }
        strikes
    }

    /// Counts a fault.
    pub(crate) fn fault(&self, what: &'static str, subject: i64) {
        self.faults.fetch_add(1, Ordering::Relaxed);
        self.note(what, subject, 0);
    }

    pub(crate) fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    pub(crate) fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    /// Microseconds since the beginning, without leaps.
    pub(crate) fn elapsed(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    /// The time, as the best clock would have it.
    pub(crate) fn now(&self) -> Timestamp {
        let passed = self.elapsed() + self.leapt.load(Ordering::Relaxed);
        Timestamp::from_micros(domain_testing::fixture::noon().micros() + passed)
    }

    pub(crate) fn leap(&self, seconds: i64) {
        self.leapt.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// Lets others run, for a moment or longer.
    pub(crate) async fn pause(&self) {
        let (slow, kind, millis) = {
            let mut random = self.random();
            let slow = random.chance(self.profile.faults.slow);
            (slow, random.below(4), 1 + random.below(20))
        };
        if slow {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        } else if kind == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Waits for up to so many milliseconds.
    pub(crate) async fn wait_up_to(&self, millis: u64) {
        let millis = self.random().below(millis + 1);
        if millis > 0 {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
    }

    /// Records what happened.
    pub(crate) fn note(&self, what: &'static str, a: i64, b: i64) {
        let at = self.elapsed();
        let mut trace = lock(&self.trace);
        if trace.shown {
            eprintln!("{:>10}.{:03} ms  {what} {a} {b}", at / 1000, at % 1000);
        }
        for byte in what.bytes() {
            trace.digest = (trace.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        for number in [at, a, b] {
            trace.digest =
                (trace.digest.rotate_left(23) ^ number.cast_unsigned()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    pub(crate) fn digest(&self) -> u64 {
        lock(&self.trace).digest
    }

    /// Records that something is wrong.
    pub(crate) fn violation(&self, what: String) {
        lock(&self.violations).push(what);
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        lock(&self.violations).clone()
    }
}

/// A node's clock: a little off, and never going back while the node lives.
pub(crate) struct NodeClock {
    pub(crate) environment: Arc<Environment>,
    pub(crate) skew_micros: i64,
    pub(crate) latest: AtomicI64,
}

impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        let now = self.environment.now().micros() + self.skew_micros;
        Timestamp::from_micros(self.latest.fetch_max(now, Ordering::Relaxed).max(now))
    }
}
