//! Policy packs: what the law asks of a program and its cards, as versioned data.
//!
//! A pack is a file under `policies/`, embedded in the program. The code knows what each kind of rule means
//! ([`RuleName`]) and nothing of its numbers, articles and dates. A program names a pack, or none, and then
//! nothing here touches it.
//!
//! **Which version holds.** A pack's versions follow each other by date, in the issuer's time zone, and a
//! version that was released is never edited.
//! - What a card is (validity, caps, residual value) and how it is sold, loaded and paid out: the version in
//!   force on the day the card was made. Its moment of making never changes, and a program never changes its
//!   pack once it has one, so that this is as good as a stamp on the card. Cards made before their program
//!   named a pack are under none.
//! - What a program may be: the version in force when it is created or changed.
//! - A holder refund (返还预付款): the version in force when it is asked for, whenever the card was made; that
//!   is what the court's interpretation says of itself.

mod breach;
mod card;
mod funding;
mod pack;
mod payout;
mod program;
pub mod refund;
mod rule;

pub use breach::{Breach, BrokenRule};
pub use card::{check_face_value, check_holds, check_validity};
pub use funding::{BankAccount, Buyer, Funding, Means, Purchase, check_load, check_sale};
pub use pack::{InForce, Pack, PackId, Text, Version, find, packs};
pub use payout::{PaidFrom, Payout, PayoutMeans, check_payout};
pub use program::{NamedPack, PackChangeError, adopt, breaches, check_program};
pub use rule::{Mark, Rule, RuleName, Unit};
