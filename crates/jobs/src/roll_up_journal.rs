//! Rolls the journal up by business day, so that reports of accounting read days and not operations.

use engine::Engine;

use crate::runner::{JobError, Round};

/// Operations taken in per transaction: short enough not to be felt by sales in between.
const STEP: usize = 2000;
const MICROS_PER_SECOND: f64 = 1_000_000.0;

pub(crate) async fn round(engine: Engine) -> Result<Round, JobError> {
    let now = engine.now();
    let step = engine.store().roll_up_journal(STEP).await?;
    if step.behind == 0 {
        #[expect(clippy::cast_precision_loss, reason = "a metric")]
        let seconds = now.micros() as f64 / MICROS_PER_SECOND;
        metrics::gauge!("hexiao_journal_caught_up_timestamp_seconds").set(seconds);
    }
    Ok(Round { done: step.operations, more: step.behind > 0 })
}
