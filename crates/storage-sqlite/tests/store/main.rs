//! Tests of the store on real files.

mod append_only;
mod archive;
mod backup;
mod conformance;
#[path = "../../examples/write_path/driver.rs"]
mod driver;
mod failing_disk;
mod log_length;
mod opening;
mod plans;
mod support;
