//! Services over the ledger: what is computed from it, and what is posted to it, for merchants, banks, finance
//! and authorities. No SQL and no HTTP: stores are ports, and answers are plain values.

pub mod accounting;
pub mod reconciliation;
pub mod settlement;
