//! Background jobs. Each is idempotent (what it asks for has a key that follows from its subject),
//! resumable (it looks for work in the store, or keeps a cursor there), and visible in `/metrics`. Of
//! several nodes on a database, one runs a job at a time.

mod board;
mod by_hand;
mod check_books;
mod check_settlement;
mod deliver_codes;
mod expire_approvals;
mod expire_cards;
mod expire_gifts;
mod issue_cards;
mod release_holds;
mod roll_up;
mod roll_up_journal;
mod runner;
mod settle;
mod turns;

pub use board::{Board, JobState};
pub use by_hand::ByHand;
pub use runner::{Delivering, JobError, JobsConfig, JobsHandle, spawn};

use domain::{
    Command, IssuerId,
    command::{Actor, SYSTEM_CLIENT},
};
use engine::{Intent, issue::job_key};

/// The most subjects that one round of a job takes up.
pub(crate) const ROUND: usize = 500;

/// A command of a job on its own behalf. `subject` and `tag` make the key.
pub(crate) fn intent(issuer: IssuerId, subject: i64, tag: u64, command: Command) -> Option<Intent> {
    Some(Intent {
        actor: Actor { client: SYSTEM_CLIENT, issuer, merchant: None },
        key: job_key(subject, tag)?,
        canonical: format!("job:{subject}:{tag}").into_bytes().into_boxed_slice(),
        command,
        trace: None,
        reference: None,
        metadata: None,
    })
}
