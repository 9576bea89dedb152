//! Many seeds, then every planted bug, and one line of JSON on standard output at the end.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use serde_json::json;

use crate::{
    Report,
    planted::{self, Bug},
    run,
};

/// The most seeds that a planted bug may take until it is found.
pub const SEEDS_PER_BUG: u64 = 5000;

/// What to play.
pub struct Campaign {
    /// The first seed.
    pub first: u64,
    /// How many.
    pub seeds: u64,
    /// On how many threads.
    pub threads: usize,
    /// The most seeds for each planted bug.
    pub seeds_per_bug: u64,
}

/// What many seeds added up to.
#[derive(Default)]
struct Totals {
    seeds: u64,
    operations: u64,
    answers: u64,
    faults: u64,
    violations: u64,
}

/// Plays one seed and says what is wrong. `false` if anything is.
pub fn replay(seed: u64, bug: Option<Bug>, shown: bool) -> bool {
    planted::plant(bug);
    let report = run(seed, shown);
    planted::plant(None);
    for violation in &report.violations {
        eprintln!("seed {seed}: {violation}");
    }
    println!(
        "{}",
        json!({
            "seed": seed,
            "operations": report.operations,
            "answers": report.answers,
            "faults": report.faults,
            "violations": report.violations.len(),
            "digest": format!("{:016x}", report.digest),
        })
    );
    report.violations.is_empty()
}

/// Plays seeds with a planted bug until one finds it. Returns that seed and what it found.
pub fn hunt(bug: Bug, first: u64, most: u64) -> Option<(u64, Report)> {
    planted::plant(Some(bug));
    let found = (first..first.saturating_add(most))
        .map(|seed| (seed, run(seed, false)))
        .find(|(_, report)| !report.violations.is_empty());
    planted::plant(None);
    found
}

impl Campaign {
    /// Plays everything. `false` if a seed is wrong or a planted bug is not found.
    pub fn run(&self) -> bool {
        let started = Instant::now();
        let totals = self.play_seeds();
        let seconds = started.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
        let rate = |count: u64| count as f64 / seconds.max(0.001);
        eprintln!(
            "{} seeds in {seconds:.1} s: {:.0} seeds/s, {:.0} operations/s, {:.0} answers/s, {} faults",
            totals.seeds,
            rate(totals.seeds),
            rate(totals.operations),
            rate(totals.answers),
            totals.faults,
        );
        let bugs: &[Bug] = if cfg!(feature = "planted") { Bug::ALL } else { &[] };
        let found = self.hunt_all(bugs);
        eprintln!(
            "{found} of {} planted bugs found; {:.1} s in all",
            bugs.len(),
            started.elapsed().as_secs_f64()
        );
        // Written out, because a map would not keep this order.
        println!(
            r#"{{"seeds":{},"operations":{},"faults":{},"violations":{},"planted":{},"planted_found":{found}}}"#,
            totals.seeds,
            totals.operations,
            totals.faults,
            totals.violations,
            bugs.len(),
        );
        totals.violations == 0 && found == bugs.len()
    }

    fn play_seeds(&self) -> Totals {
        let next = AtomicU64::new(0);
        let work = || {
            let mut totals = Totals::default();
            planted::plant(None);
            loop {
                let position = next.fetch_add(1, Ordering::Relaxed);
                if position >= self.seeds {
                    return totals;
                }
                let seed = self.first.saturating_add(position);
                add(&mut totals, seed, &run(seed, false));
                if (position + 1).is_multiple_of(1000) {
                    eprintln!("{} of {} seeds", position + 1, self.seeds);
                }
            }
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads).map(|_| scope.spawn(work)).collect();
            let mut all = Totals::default();
            for thread in threads {
                match thread.join() {
                    Ok(totals) => all.take(&totals),
                    Err(_) => all.violations += 1,
                }
            }
            all
        })
    }

    fn hunt_all(&self, bugs: &[Bug]) -> usize {
        let next = AtomicU64::new(0);
        let work = || {
            let mut found = 0;
            loop {
                let position = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX);
                let Some(bug) = bugs.get(position) else { return found };
                match hunt(*bug, self.first, self.seeds_per_bug) {
                    Some((seed, report)) => {
                        found += 1;
                        let first = report.violations.first().map_or("", String::as_str);
                        let first: String = first.chars().take(160).collect();
                        eprintln!("planted {}: found by seed {seed}: {first}", bug.name());
                    }
                    None => eprintln!("planted {}: NOT FOUND ({})", bug.name(), bug.what()),
                }
            }
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads).map(|_| scope.spawn(work)).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
        })
    }
}

/// How many wrong seeds are described.
const DESCRIBED: u64 = 10;

fn add(totals: &mut Totals, seed: u64, report: &Report) {
    totals.seeds += 1;
    totals.operations += report.operations;
    totals.answers += report.answers;
    totals.faults += report.faults;
    totals.violations += report.violations.len() as u64;
    let Some(first) = report.violations.first() else { return };
    if totals.violations <= DESCRIBED {
        eprintln!("seed {seed}: {first}");
        eprintln!("  again: scripts/sim --seed {seed} --trace");
    }
}

impl Totals {
    fn take(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.operations += other.operations;
        self.answers += other.answers;
        self.faults += other.faults;
        self.violations += other.violations;
    }
}
