//! One test for all planted bugs, as data: each is found within a bounded number of seeds, and the seed
//! that finds it is clean without it.

use simulation::{
    campaign::{SEEDS_PER_BUG, hunt},
    planted::{Bug, Site},
    run,
};

fn check(bug: Bug) -> Result<u64, String> {
    let (seed, _) = hunt(bug, 1, SEEDS_PER_BUG)
        .ok_or_else(|| format!("{} is not found in {SEEDS_PER_BUG} seeds", bug.name()))?;
    let without = run(seed, false);
    if without.violations.is_empty() {
        Ok(seed)
    } else {
        Err(format!("seed {seed} is not clean without {}: {:?}", bug.name(), without.violations))
    }
}

fn all_of(site: Site) {
    let bugs = Bug::ALL.iter().copied().filter(|bug| bug.site() == site);
    let missed: Vec<String> = bugs.filter_map(|bug| check(bug).err()).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn bugs_of_the_database_are_found() {
    all_of(Site::Database);
}

#[test]
fn bugs_of_the_engine_are_found() {
    all_of(Site::Engine);
}

#[test]
fn bugs_of_the_rules_are_found() {
    all_of(Site::Rules);
}

#[test]
fn names_are_unique_and_there_are_enough() {
    let names: std::collections::BTreeSet<&str> = Bug::ALL.iter().map(|bug| bug.name()).collect();
    assert_eq!(names.len(), Bug::ALL.len());
    assert!(names.len() >= 20);
}
