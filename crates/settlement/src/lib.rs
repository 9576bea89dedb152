//! Settlement (结算): what merchants are owed, when, and less which fees.
//!
//! Pure: no I/O, no clock, no randomness. Movements of the ledger come in, in the order of the log; lines of
//! statements come out ([`fold`]). A statement whose period has ended is closed by arithmetic alone
//! ([`closing`]). The same movements under the same agreements give the same statements, in whatever
//! portions they are folded.
//!
//! Units: amounts are minor units (fen, cents) of the agreement's currency, rates are basis points (1/100 of
//! a percent), days are business dates in the issuer's time zone.

#![warn(clippy::arithmetic_side_effects, clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "tests compute with plain numbers"))]

pub mod agreement;
pub mod books;
pub mod calendar;
pub mod closing;
pub mod cut_off;
pub mod cycle;
pub mod dry_run;
pub mod fees;
pub mod fold;
pub mod line;
pub mod movement;
pub mod payee;
pub mod payout;
pub mod splits;
pub mod statement;

pub use agreement::{Agreement, Negative, TermError, Terms};
pub use books::Books;
pub use calendar::{Calendar, CalendarDay};
pub use cut_off::CutOff;
pub use cycle::{Cycle, MonthDay, Period, Weekday};
pub use fees::{FeeRounding, FeeSchedule, Tier};
pub use fold::Fold;
pub use line::{Line, Refunded, SplitPart};
pub use movement::{Movement, MovementKind};
pub use payee::{Payee, SealedAccount};
pub use payout::{Payout, PayoutStatus};
pub use splits::{Receiver, Share, SplitBase, Splits};
pub use statement::{Statement, StatementStatus, StatementSums};
