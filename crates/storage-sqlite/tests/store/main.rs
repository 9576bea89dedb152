//! Tests of the store on real files.

mod conformance;
