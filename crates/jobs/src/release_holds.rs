//! Releases holds whose time ran out, so that an abandoned hold does not make a card look empty.

use domain::{Command, command::Release};
use engine::Engine;

use crate::{
    ROUND, intent,
    runner::{JobError, Round},
};

const RELEASE: u64 = u64::from_be_bytes(*b"release_");

pub(crate) async fn round(engine: Engine) -> Result<Round, JobError> {
    let due = engine.store().due_holds(engine.now(), ROUND).await?;
    let intents: Vec<_> = due
        .iter()
        .filter_map(|due| {
            let release = Command::Release(Release { hold: due.hold, expired: true });
            intent(due.issuer, due.hold.get(), RELEASE, release)
        })
        .collect();
    if intents.is_empty() {
        return Ok(Round::default());
    }
    let outcomes = engine.submit_many(intents).await?;
    let done = outcomes.iter().flatten().filter(|answer| answer.operation.is_approved()).count();
    Ok(Round { done: done as u64, more: due.len() == ROUND })
}
