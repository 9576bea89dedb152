//! Goes on with batches of cards that are not complete: new ones, and those that a crash interrupted.

use engine::{Engine, issue::IssueError};

use crate::runner::{JobError, Round};

pub(crate) async fn round(engine: Engine) -> Result<Round, JobError> {
    let mut done = 0;
    for batch in engine.store().running_batches().await? {
        let (id, count) = (batch.id, batch.count);
        match engine.run_batch(batch).await {
            Ok(_) => {
                tracing::info!(batch = %id, count, "batch complete");
                done += u64::from(count);
            }
            Err(IssueError::Storage(error)) => return Err(error.into()),
            Err(IssueError::Submit(error)) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(batch = %id, %error, "batch failed");
                if let Some(batch) = engine.store().batch(id).await? {
                    engine.fail_batch(batch, &error).await?;
                }
            }
        }
    }
    Ok(Round { done, more: false })
}
