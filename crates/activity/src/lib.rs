//! Figures of today and yesterday: what was sold, given back and declined, by issuer and by merchant.
//!
//! No sale writes a counter for them. [`Follower`] reads each operation of the log once, a second or so after it was
//! made, and [`Fold`] counts it in memory, in cells of some minutes, so that days of any time zone can be summed up.
//! After a start the last two days are read again. Each node counts for itself and comes to the same.

mod figures;
mod fold;
mod follower;

pub use figures::{Figures, Sums};
pub use fold::{Fold, Of};
pub use follower::{Follower, View};
