//! Tests of the store on a real server.

mod append_only;
mod conformance;
#[path = "../../examples/write_path/driver.rs"]
mod driver;
mod encryption;
mod failures;
mod following;
mod holders;
mod opening;
mod parity;
mod plans;
mod races;
mod reconciliation;
mod relocation;
mod support;
