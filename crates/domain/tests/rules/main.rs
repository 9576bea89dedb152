//! The rules, through the same three steps as in service: plan, decide, apply.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may stop at once where its own set-up is wrong"
)]

mod harness;
mod holding;
mod law;
mod life;
mod mistakes;
mod paying;
mod postings;
mod precedence;
mod properties;
mod refusals;
mod selling;
mod table;
mod undoing;
