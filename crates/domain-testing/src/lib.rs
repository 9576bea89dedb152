//! What tests of the rules have in common, for the domain itself and for the stores that run it.
//!
//! - [`fixture`]: a small catalog, cards and requests.
//! - [`memory`]: the simplest store that can exist, which reads what `plan` asks for and nothing else.
//! - [`invariants`]: what must hold of every decision.
//! - [`script`]: commands as plain data, turned into requests whose ids are known beforehand, with a
//!   proptest strategy for random ones.
//! - [`model`]: the same rules written a second time, as simply as possible, to compare with.
//!
//! Only for tests: functions panic where their set-up is wrong.

pub mod fixture;
pub mod invariants;
pub mod memory;
pub mod model;
pub mod script;
