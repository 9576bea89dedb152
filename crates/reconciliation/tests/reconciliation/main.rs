//! One binary for all tests of this crate.

mod files;
mod fuzz;
mod hostile;
mod matching;
mod million;
mod samples;
mod tables;
