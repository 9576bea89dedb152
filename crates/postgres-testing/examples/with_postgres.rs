//! Runs a command beside a temporary PostgreSQL with real durability:
//!
//!     cargo run --release -p postgres-testing --example with_postgres -- COMMAND ARGUMENT…
//!
//! The command finds an empty database in `HEXIAO_DB`, another in `PGBENCH_URL`, and PostgreSQL's programs
//! in `PG_PROGRAMS`. Ends with the command's own exit code.
//!
//! `PG_SETTINGS` may hold further settings of the server, one on each line: `max_wal_size=1GB`.

use std::process::{Command, ExitCode};

use postgres_testing::{Cluster, Durability, Options};

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let Some(program) = words.next() else {
        eprintln!("name a command to run");
        return ExitCode::from(2);
    };
    let given = std::env::var("PG_SETTINGS").unwrap_or_default();
    let settings = given.lines().filter_map(|line| line.split_once('='));
    let settings = settings.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect();
    let cluster = match Cluster::start(&Options { durability: Durability::Real, settings, tls: None }) {
        Ok(cluster) => cluster,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let ended = Command::new(&program)
        .args(words)
        .env("HEXIAO_DB", cluster.create_database())
        .env("PGBENCH_URL", cluster.create_database())
        .env("PG_PROGRAMS", cluster.programs())
        .status();
    match ended.map(|status| status.code()) {
        Ok(Some(code)) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Ok(None) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{}: {error}", program.to_string_lossy());
            ExitCode::FAILURE
        }
    }
}
