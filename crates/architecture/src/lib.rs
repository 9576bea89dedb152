//! Nothing ships from here. This crate is the home of the tests that look at the workspace as a
//! whole (`tests/dependencies`): a rule about all crates belongs to none of them.
