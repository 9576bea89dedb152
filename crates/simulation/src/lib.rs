//! Deterministic simulation: the real engine and rules on a simulated database, clock and network, on one
//! thread, driven by one seed. The same seed gives the same run, bit for bit.
//!
//! - [`run`] plays a seed: clients of two issuers ask through several nodes, while nodes and the database
//!   die, commits are in doubt, messages are lost, doubled and late, and time leaps. Then it checks what
//!   was answered against what is stored, and what is stored against rules written a second time.
//! - [`planted`]: bugs on purpose, to know that bugs are found.
//! - [`campaign`]: many seeds, with and without planted bugs, and one line of JSON.
//!
//! Tests only: nothing here ships.

mod asking;
pub mod campaign;
mod checks;
mod client;
mod database;
mod environment;
mod faults;
mod history;
mod jobs;
mod node;
pub mod planted;
mod profile;
mod random;
mod simulation;
mod world;

pub use simulation::{Report, run};
