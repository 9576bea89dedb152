//! Tests of the store on real files.

mod accounting;
mod append_only;
mod archive;
mod backup;
mod books;
mod conformance;
#[path = "../../examples/write_path/driver.rs"]
mod driver;
mod failing_disk;
mod log_length;
mod opening;
mod plans;
mod reconciliation;
mod support;
