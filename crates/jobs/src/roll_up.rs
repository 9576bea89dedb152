//! Rolls account totals up by the hour, so that a balance is a few rows and a short scan.

use engine::Engine;

use crate::runner::{JobError, Round};

/// Operations taken in per transaction: short enough not to be felt by sales in between.
const STEP: usize = 2000;

pub(crate) async fn round(engine: Engine) -> Result<Round, JobError> {
    let step = engine.store().roll_up(STEP).await?;
    #[expect(clippy::cast_precision_loss, reason = "a metric")]
    metrics::gauge!("hexiao_roll_up_behind_operations").set(step.behind as f64);
    Ok(Round { done: step.operations, more: step.behind > 0 })
}
