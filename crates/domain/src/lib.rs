//! The rules of cards and money.
//!
//! Everything here is a pure function of its arguments: no I/O, no clock, no randomness. Time, ids and
//! secrets checks come in through [`decide::Context`]. A command is handled in three steps:
//! [`plan`] says what must be read, [`decide`] turns the loaded [`working::Working`] state and a
//! [`command::Request`] into a [`decide::Decision`], and the store writes that decision.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "tests compute with plain numbers"))]

pub mod account;
pub mod allocate;
pub mod amount;
pub mod card;
pub mod catalog;
pub mod channel;
pub mod command;
pub mod currency;
pub mod decide;
pub mod decline;
pub mod hold;
pub mod idempotency;
pub mod ids;
pub mod lot;
pub mod operation;
pub mod plan;
pub mod policy;
pub mod posting;
pub mod program;
pub mod refusal;
pub mod role;
pub mod time;
pub mod transfer;
pub mod working;

pub use account::Account;
pub use amount::Amount;
pub use card::{Card, CardState};
pub use catalog::Catalog;
pub use channel::Channel;
pub use command::{Command, Request};
pub use currency::Currency;
pub use decline::Decline;
pub use hold::Hold;
pub use idempotency::{Fingerprint, IdempotencyKey};
pub use ids::*;
pub use lot::Lot;
pub use operation::{Operation, OperationKind};
pub use posting::{PostedTransfer, Posting, PostingKind};
pub use program::Program;
pub use refusal::Refusal;
pub use role::Role;
pub use time::{BusinessDate, Timestamp};
pub use transfer::Transfer;
