//! Several nodes on one database: who has which node number, and who runs which job.
//!
//! All times are those of the database's clock, so that nodes whose clocks differ agree. A lease that is
//! not renewed runs out by itself; whoever held it may be dead, frozen or cut off, and cannot be asked.

use std::time::Duration;

use async_trait::async_trait;
use domain::Timestamp;

use crate::Result;

/// Node numbers there are: ids have ten bits for them.
pub const NODES: u16 = 1024;

/// A node number on loan.
///
/// What keeps ids apart is not that a holder stops in time, which a frozen process cannot, but that every
/// holder has moments of its own: ids of this number carry moments from `ids_from` on and before
/// `ids_until`, and the next holder of the number begins where this one's moments end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLease {
    /// The number, 0 to 1023.
    pub node: u16,
    /// Grows with every holder of the number, so that an earlier one cannot be mistaken for this.
    pub term: i64,
    /// The first moment that ids of this lease may carry.
    pub ids_from: Timestamp,
    /// The first moment that they must not carry. A renewal moves it on.
    pub ids_until: Timestamp,
    /// The database's clock as this was written.
    pub now: Timestamp,
    /// Numbers on loan at that moment, this one among them.
    pub nodes: u16,
}

/// Where leases are kept.
#[async_trait]
pub trait NodeStore: Send + Sync {
    /// Lends the lowest number that nobody has, or whose time has run out, for `time`. `name` says to
    /// people who has it. `None`: all are taken.
    ///
    /// `ids_from` is where the moments of its last holder ended. `ids_until` is `time` after the latest of
    /// the database's clock, `at` (the latest moment that the node's own ids carry) and `ids_from`.
    async fn lease_node(&self, name: &str, at: Timestamp, time: Duration) -> Result<Option<NodeLease>>;

    /// Moves the end of a lease to `time` from now, and its `ids_until` as above; never back. Also after its
    /// time ran out, if nobody took the number since. `None`: somebody did, or it was released.
    async fn renew_node(&self, lease: &NodeLease, at: Timestamp, time: Duration)
    -> Result<Option<NodeLease>>;

    /// Gives a number back at once; ids were given with moments before `ids_until` only. Does nothing where
    /// the lease is another's by now.
    async fn release_node(&self, lease: &NodeLease, ids_until: Timestamp) -> Result<()>;

    /// Takes each of these leases for `time`, or keeps it that long, unless another holder has it. Says of
    /// each whether `holder` has it now.
    async fn hold_leases(&self, names: &[&str], holder: &str, time: Duration) -> Result<Vec<bool>>;

    /// Gives up all that `holder` has.
    async fn release_leases(&self, holder: &str) -> Result<()>;
}
