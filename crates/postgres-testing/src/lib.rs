//! A temporary PostgreSQL for tests and benchmarks.
//!
//! A cluster lives in a temporary folder, listens on loopback and on a socket in that folder, and is
//! stopped and deleted when it is dropped. A shell that holds the other end of a pipe does the same when
//! the process ends in any other way, so that a killed test leaves nothing behind. A suite shares one
//! cluster ([`Cluster::shared`]) and gives each test a database of its own.

mod cluster;
mod programs;
mod watchdog;

pub use cluster::{Cluster, Durability, Options};
