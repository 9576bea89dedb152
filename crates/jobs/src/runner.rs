//! Runs the jobs: each in a task of its own, in rounds, until told to stop.

use std::{sync::Arc, time::Duration};

use engine::{Engine, Membership, SubmitError};
use finance::{reconciliation::ReconcileError, settlement::FinanceError};
use storage::StorageError;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use crate::{
    board::Board,
    check_books::Checking,
    deliver_codes, expire_approvals, expire_cards, expire_gifts, issue_cards, release_holds, roll_up,
    roll_up_journal,
    settle::Settling,
    turns::{Keeper, Turns, TurnsConfig},
};

/// All jobs, in the order in which their leases are asked for.
const NAMES: &[&str] = &[
    "release_holds",
    "expire_cards",
    "roll_up",
    "issue_cards",
    "roll_up_journal",
    "settle",
    "check_books",
    "expire_approvals",
    "expire_gifts",
    // The last of all: it only is where there is a gateway.
    "deliver_codes",
];
/// How soon it is looked again whether a job that is another node's is ours.
const LOOK: Duration = Duration::from_secs(1);

/// Why a round of a job failed. It is tried again in the next round.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The engine did not take the commands.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// Settlement failed.
    #[error(transparent)]
    Finance(#[from] FinanceError),
    /// Looking after wallets failed.
    #[error(transparent)]
    Wallet(#[from] wallet::WalletError),
    /// Codes were not delivered.
    #[error("{count} sign-in codes were not delivered: {reason}")]
    Undelivered {
        /// How many.
        count: u64,
        /// Why one of them was not.
        reason: String,
    },
    /// Posting a correction of a reconciliation failed.
    #[error(transparent)]
    Reconciliation(#[from] ReconcileError),
}

/// How often jobs look for work.
#[derive(Clone, Copy, Debug)]
pub struct JobsConfig {
    /// Between rounds of releasing holds whose time ran out.
    pub release_holds: Duration,
    /// Between rounds of expiring cards and lots.
    pub expire_cards: Duration,
    /// Between rounds of rolling account totals up.
    pub roll_up: Duration,
    /// Between rounds of rolling the journal up.
    pub roll_up_journal: Duration,
    /// Between rounds of settling.
    pub settle: Duration,
    /// Between rounds of checking the books against the log.
    pub check_books: Duration,
    /// Between rounds of giving up what nobody approved in time.
    pub expire_approvals: Duration,
    /// Between rounds of ending gifts and forgetting what wallets need no more.
    pub expire_gifts: Duration,
    /// Between looks for sign-in codes that other nodes were asked for, besides being woken.
    pub deliver_codes: Duration,
    /// Between looks for unfinished batches, besides being woken.
    pub issue_cards: Duration,
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self {
            release_holds: Duration::from_secs(1),
            expire_cards: Duration::from_mins(1),
            roll_up: Duration::from_secs(2),
            roll_up_journal: Duration::from_secs(2),
            settle: Duration::from_secs(5),
            check_books: Duration::from_secs(30),
            expire_approvals: Duration::from_mins(1),
            expire_gifts: Duration::from_secs(30),
            deliver_codes: Duration::from_secs(1),
            // The node that was asked for a batch need not be the one that makes it.
            issue_cards: Duration::from_secs(2),
        }
    }
}

/// The running jobs.
pub struct JobsHandle {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    keeper: Keeper,
    wake_issuing: Arc<Notify>,
    board: Board,
}

impl JobsHandle {
    /// Where the jobs say how they are.
    pub fn board(&self) -> Board {
        self.board.clone()
    }

    /// What wakes the job that makes cards, when a batch was asked for.
    pub fn wake_issuing(&self) -> Arc<Notify> {
        Arc::clone(&self.wake_issuing)
    }

    /// Stops the jobs after their current round, waits for that, and lets other nodes have them.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
        self.keeper.stop().await;
    }
}

/// What a round of a job did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Round {
    /// Subjects dealt with.
    pub(crate) done: u64,
    /// Whether there is certainly more to do at once.
    pub(crate) more: bool,
}

/// What delivers codes, and what wakes it when there is one.
pub type Delivering = (wallet::Deliveries, Arc<Notify>);

/// Starts all jobs. With a membership, each runs on one node at a time; without, this process is alone.
pub fn spawn(
    engine: &Engine,
    membership: Option<Membership>,
    config: JobsConfig,
    delivering: Option<Delivering>,
) -> JobsHandle {
    let names = if delivering.is_some() { NAMES } else { &NAMES[..NAMES.len() - 1] };
    let (stop, stopped) = watch::channel(false);
    let wake_issuing = Arc::new(Notify::new());
    let never = Arc::new(Notify::new());
    let (turns, keeper) = Turns::start(engine.store(), membership, names, TurnsConfig::default());
    let board = Board::new(names);
    let job = |number: usize, every, wake: &Arc<Notify>| Job {
        name: NAMES[number],
        number,
        every,
        wake: Arc::clone(wake),
        stopped: stopped.clone(),
        turns: turns.clone(),
        engine: engine.clone(),
        board: board.clone(),
    };
    let settling = Settling::new();
    let checking = Checking::new();
    let mut tasks = vec![
        tokio::spawn(job(0, config.release_holds, &never).run(release_holds::round)),
        tokio::spawn(job(1, config.expire_cards, &never).run(expire_cards::round)),
        tokio::spawn(job(2, config.roll_up, &never).run(roll_up::round)),
        tokio::spawn(job(3, config.issue_cards, &wake_issuing).run(issue_cards::round)),
        tokio::spawn(job(4, config.roll_up_journal, &never).run(roll_up_journal::round)),
        tokio::spawn(job(5, config.settle, &never).run(move |engine| settling.clone().round(engine))),
        tokio::spawn(job(6, config.check_books, &never).run(move |engine| checking.clone().round(engine))),
        tokio::spawn(job(7, config.expire_approvals, &never).run(expire_approvals::round)),
        tokio::spawn(job(8, config.expire_gifts, &never).run(expire_gifts::round)),
    ];
    if let Some((deliveries, wake)) = delivering {
        deliver_codes::describe();
        let round = move |_: Engine| deliver_codes::round(deliveries.clone());
        tasks.push(tokio::spawn(job(NAMES.len() - 1, config.deliver_codes, &wake).run(round)));
    }
    JobsHandle { stop, tasks, keeper, wake_issuing, board }
}

/// A job with what it needs to run.
struct Job {
    name: &'static str,
    number: usize,
    every: Duration,
    wake: Arc<Notify>,
    stopped: watch::Receiver<bool>,
    turns: Turns,
    engine: Engine,
    board: Board,
}

impl Job {
    async fn run<F>(mut self, round: impl Fn(Engine) -> F)
    where
        F: Future<Output = Result<Round, JobError>>,
    {
        metrics::counter!("hexiao_job_failures_total", "job" => self.name).absolute(0);
        while !*self.stopped.borrow() && self.engine.is_running() {
            let is_ours = self.turns.is_ours(self.number);
            self.board.turn(self.number, is_ours, self.every.as_secs());
            if !is_ours {
                tokio::select! {
                    () = self.turns.asked_again() => {}
                    () = tokio::time::sleep(LOOK) => {}
                    _ = self.stopped.changed() => {}
                }
                continue;
            }
            let began = self.engine.now();
            let done = round(self.engine.clone()).await;
            self.board.report(self.number, began, self.engine.now(), &done);
            let more = report(self.name, &self.engine, done);
            if more {
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(self.every) => {}
                () = self.wake.notified() => {}
                _ = self.stopped.changed() => {}
            }
        }
    }
}

/// Counts a round. Returns whether to go on at once.
fn report(name: &'static str, engine: &Engine, round: Result<Round, JobError>) -> bool {
    match round {
        Ok(Round { done, more }) => {
            metrics::counter!("hexiao_job_items_total", "job" => name).increment(done);
            #[expect(clippy::cast_precision_loss, reason = "seconds since the epoch fit")]
            let now = (engine.now().millis() / 1000) as f64;
            metrics::gauge!("hexiao_job_last_success_timestamp_seconds", "job" => name).set(now);
            more && done > 0
        }
        Err(error) => {
            metrics::counter!("hexiao_job_failures_total", "job" => name).increment(1);
            tracing::warn!(job = name, %error, "a round failed; it will be tried again");
            false
        }
    }
}
