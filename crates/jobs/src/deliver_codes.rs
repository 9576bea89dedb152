//! Hands sign-in codes of card holders to the gateway that brings them to phones. A gateway that fails is a failure of
//! the job, so that people who look after the server see it, and each message is tried again by itself.

use wallet::Deliveries;

use crate::runner::{JobError, Round};

pub(crate) async fn round(deliveries: Deliveries) -> Result<Round, JobError> {
    let done = deliveries.round().await?;
    for (outcome, count) in [
        ("delivered", done.delivered),
        ("postponed", done.postponed),
        ("given_up", done.given_up),
        ("expired", done.expired),
    ] {
        metrics::counter!("hexiao_codes_total", "outcome" => outcome).increment(count);
    }
    match done.reason {
        None => Ok(Round { done: done.delivered, more: done.more }),
        Some(reason) => Err(JobError::Undelivered { count: done.postponed + done.given_up, reason }),
    }
}

/// Shows all outcomes from the start, so that the first failure is a step and not a new line.
pub(crate) fn describe() {
    metrics::describe_counter!(
        "hexiao_codes_total",
        "Sign-in codes of card holders by what became of an attempt"
    );
    for outcome in ["delivered", "postponed", "given_up", "expired"] {
        metrics::counter!("hexiao_codes_total", "outcome" => outcome).absolute(0);
    }
}
