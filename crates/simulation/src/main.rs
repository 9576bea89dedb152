//! Plays seeds and ends with one line of JSON; or plays one seed again, showing what happens.

use std::process::ExitCode;

use clap::Parser;
use simulation::{
    campaign::{self, Campaign},
    planted::Bug,
};

/// Deterministic simulation of the engine over a simulated database.
#[derive(Parser)]
struct Arguments {
    /// How many seeds are played.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Threads; each plays seeds of its own.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// The most seeds for each planted bug.
    #[arg(long, default_value_t = campaign::SEEDS_PER_BUG)]
    seeds_per_bug: u64,
    /// Play this seed only.
    #[arg(long)]
    seed: Option<u64>,
    /// With a planted bug (needs `--features planted`).
    #[arg(long, value_parser = bug)]
    bug: Option<Bug>,
    /// Write what happens to standard error.
    #[arg(long)]
    trace: bool,
}

fn bug(name: &str) -> Result<Bug, String> {
    let names = || Bug::ALL.iter().map(|bug| bug.name()).collect::<Vec<_>>().join(", ");
    Bug::ALL.iter().copied().find(|bug| bug.name() == name).ok_or_else(|| format!("one of: {}", names()))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.seed {
        return code(campaign::replay(seed, arguments.bug, arguments.trace));
    }
    let campaign = Campaign {
        first: arguments.first,
        seeds: arguments.seeds,
        threads: arguments.threads.clamp(1, 64),
        seeds_per_bug: arguments.seeds_per_bug,
    };
    code(campaign.run())
}

fn code(sound: bool) -> ExitCode {
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
