//! What the engine tells about itself.

use std::time::Duration;

use domain::{Refusal, operation::Status};
use storage::StorageError;

use crate::handle::Outcome;

/// Counts a batch: how large, how long, and what was decided.
pub(crate) fn batch(outcomes: &[Outcome], waited: usize, took: Duration) {
    #[expect(clippy::cast_precision_loss, reason = "a metric of a bounded queue")]
    let size = outcomes.len() as f64;
    metrics::histogram!("hexiao_batch_requests").record(size);
    metrics::histogram!("hexiao_batch_seconds").record(took.as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a metric of a bounded queue")]
    metrics::gauge!("hexiao_queue_requests").set(waited as f64);
    let mut approved = 0;
    let mut replayed = 0;
    for outcome in outcomes {
        match outcome {
            Ok(answer) if answer.replayed => replayed += 1,
            Ok(answer) => match answer.operation.status {
                Status::Approved => approved += 1,
                Status::Declined(decline) => {
                    metrics::counter!("hexiao_declines_total", "code" => decline.code()).increment(1);
                }
            },
            Err(refusal) => refused(*refusal),
        }
    }
    metrics::counter!("hexiao_approved_total").increment(approved);
    metrics::counter!("hexiao_replayed_total").increment(replayed);
}

/// Counts an attempt at a batch that did not go through and is made again.
pub(crate) fn tried_again(error: &StorageError) {
    let reason = match error {
        StorageError::InDoubt(_) => "in_doubt",
        StorageError::Unavailable(_) => "unavailable",
        _ => "busy",
    };
    metrics::counter!("hexiao_batch_retries_total", "reason" => reason).increment(1);
}

/// Counts requests that were not answered because the database could not be reached in time.
pub(crate) fn given_up(submissions: usize) {
    metrics::counter!("hexiao_unanswered_total").increment(submissions as u64);
}

fn refused(refusal: Refusal) {
    metrics::counter!("hexiao_refused_total", "code" => refusal.code()).increment(1);
}

/// Describes the metrics, for those who read them.
pub(crate) fn describe() {
    metrics::describe_histogram!("hexiao_batch_requests", "Requests decided in one database transaction");
    metrics::describe_histogram!("hexiao_batch_seconds", "Seconds from taking a batch to its commit");
    metrics::describe_gauge!("hexiao_queue_requests", "Requests waiting to be decided");
    metrics::describe_counter!("hexiao_approved_total", "Operations approved");
    metrics::describe_counter!("hexiao_replayed_total", "Requests answered with an earlier operation");
    metrics::describe_counter!("hexiao_declines_total", "Operations declined, by decline code");
    metrics::describe_counter!("hexiao_batch_retries_total", "Attempts at a batch made again, by reason");
    metrics::describe_counter!("hexiao_unanswered_total", "Submissions given up on: the database was away");
    metrics::describe_counter!("hexiao_refused_total", "Requests refused without an operation, by code");
}
