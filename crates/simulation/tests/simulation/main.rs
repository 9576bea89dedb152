//! The simulation itself: the same seed gives the same run, sound code has no violation, and (with the
//! feature `planted`) every planted bug is found by a seed that is clean without it.

#[cfg(feature = "planted")]
mod planted;

use simulation::{campaign, run};

/// Enough to go through every kind of database, fault and command.
const SEEDS: std::ops::Range<u64> = 1..201;

#[test]
fn sound_code_has_no_violation() {
    let (mut operations, mut faults) = (0, 0);
    for seed in SEEDS {
        let report = run(seed, false);
        assert!(report.violations.is_empty(), "seed {seed}: {:#?}", report.violations);
        operations += report.operations;
        faults += report.faults;
    }
    // Clean because nothing happened would be no result.
    assert!(operations > 10_000 && faults > 1_000, "{operations} operations, {faults} faults");
}

#[test]
fn a_seed_gives_the_same_run_every_time() {
    for seed in SEEDS.take(30) {
        let (one, two) = (run(seed, false), run(seed, false));
        assert_eq!((one.digest, one.operations), (two.digest, two.operations), "seed {seed}");
    }
    assert_ne!(run(1, false).digest, run(2, false).digest, "seeds differ");
}

#[test]
fn a_seed_gives_the_same_run_in_another_process_and_on_another_thread() {
    for seed in [3_u64, 4, 5] {
        let here = std::thread::spawn(move || run(seed, false)).join().expect("a run");
        let there = std::process::Command::new(env!("CARGO_BIN_EXE_simulation"))
            .args(["--seed", &seed.to_string()])
            .output()
            .expect("the program runs");
        let line = String::from_utf8(there.stdout).expect("text");
        let digest = format!("\"digest\":\"{:016x}\"", here.digest);
        assert!(line.contains(&digest), "seed {seed}: {line} has not {digest}");
    }
}

#[test]
fn a_seed_is_replayed_with_its_verdict() {
    assert!(campaign::replay(1, None, false));
}
