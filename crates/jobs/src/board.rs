//! What each job last did, for people who look after the server.

use std::sync::{Arc, Mutex, PoisonError};

use domain::Timestamp;

use crate::runner::{JobError, Round};

/// The longest text of an error that is kept.
const LONGEST: usize = 300;

/// How a job is, as this process knows it.
#[derive(Clone, Debug, Default)]
pub struct JobState {
    /// Its name.
    pub name: &'static str,
    /// Whether it is this process's turn to run it.
    pub is_here: bool,
    /// The time between its rounds, in seconds.
    pub every_seconds: u64,
    /// When its last round ended.
    pub last_run: Option<Timestamp>,
    /// When a round last ended well.
    pub last_success: Option<Timestamp>,
    /// When it last had nothing left to do.
    pub caught_up: Option<Timestamp>,
    /// When a round last failed, and why.
    pub last_error: Option<(Timestamp, String)>,
    /// Rounds that failed since the start.
    pub failures: u64,
    /// What it has dealt with since the start.
    pub done: u64,
    /// How long its last round took, in milliseconds.
    pub took_ms: u64,
}

/// Where jobs report. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Board(Arc<Mutex<Vec<JobState>>>);

impl Board {
    /// One with these jobs, in their order.
    pub(crate) fn new(names: &[&'static str]) -> Self {
        let blank = |name: &&'static str| JobState { name, ..JobState::default() };
        Self(Arc::new(Mutex::new(names.iter().map(blank).collect())))
    }

    /// All jobs as they are now.
    pub fn states(&self) -> Vec<JobState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, job: usize, change: impl FnOnce(&mut JobState)) {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = states.get_mut(job) {
            change(state);
        }
    }

    /// Whose turn it is, and how often.
    pub(crate) fn turn(&self, job: usize, is_here: bool, every_seconds: u64) {
        self.change(job, |state| {
            state.is_here = is_here;
            state.every_seconds = every_seconds;
        });
    }

    /// What a round did that began and ended at these moments.
    pub(crate) fn report(
        &self,
        job: usize,
        began: Timestamp,
        ended: Timestamp,
        round: &Result<Round, JobError>,
    ) {
        self.change(job, |state| {
            state.last_run = Some(ended);
            let took = ended.micros().saturating_sub(began.micros()) / 1000;
            state.took_ms = u64::try_from(took).unwrap_or(0);
            match round {
                Ok(round) => {
                    state.last_success = Some(ended);
                    state.done = state.done.saturating_add(round.done);
                    if !round.more {
                        // What came while it looked may be left.
                        state.caught_up = Some(began);
                    }
                }
                Err(error) => {
                    state.failures = state.failures.saturating_add(1);
                    let text: String = error.to_string().chars().take(LONGEST).collect();
                    state.last_error = Some((ended, text));
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use storage::StorageError;

    use super::*;

    #[test]
    fn a_board_tells_the_last_round_of_each_job() {
        let at = |seconds| Timestamp::from_micros(1_772_350_800_000_000).plus_seconds(seconds);
        let board = Board::new(&["one", "two"]);
        board.turn(1, true, 5);
        board.report(1, at(0), at(1), &Ok(Round { done: 3, more: true }));
        board.report(1, at(2), at(3), &Ok(Round { done: 4, more: false }));
        board.report(1, at(4), at(6), &Err(StorageError::Unavailable("x".repeat(1000)).into()));
        let states = board.states();
        assert_eq!((states[0].name, states[0].is_here, states[0].last_run), ("one", false, None));
        let two = &states[1];
        assert_eq!((two.last_run, two.last_success, two.caught_up), (Some(at(6)), Some(at(3)), Some(at(2))));
        assert_eq!((two.done, two.failures, two.took_ms, two.every_seconds), (7, 1, 2000, 5));
        let (failed, why) = two.last_error.clone().expect("an error");
        assert_eq!((failed, why.chars().count()), (at(6), LONGEST));
    }
}
