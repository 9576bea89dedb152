//! Jobs run by whoever moves the clock: a past that is made is aged by the same jobs that age the present.

use engine::Engine;

use crate::{
    expire_cards, expire_gifts, release_holds, roll_up, roll_up_journal,
    runner::{JobError, Round},
    settle::Settling,
};

/// What the passing of time asks for, one visit at a time. Must not run beside [`crate::spawn`] of the same engine.
#[derive(Clone)]
pub struct ByHand(Settling);

impl Default for ByHand {
    fn default() -> Self {
        Self(Settling::new())
    }
}

impl ByHand {
    /// Releases, expires, settles and rolls up all that is due at the engine's present moment.
    pub async fn catch_up(&self, engine: &Engine) -> Result<(), JobError> {
        until_done(async || release_holds::round(engine.clone()).await).await?;
        expire_cards::round(engine.clone()).await?;
        expire_gifts::round(engine.clone()).await?;
        until_done(async || self.0.clone().round(engine.clone()).await).await?;
        until_done(async || roll_up::round(engine.clone()).await).await?;
        until_done(async || roll_up_journal::round(engine.clone()).await).await
    }
}

async fn until_done(round: impl AsyncFn() -> Result<Round, JobError>) -> Result<(), JobError> {
    loop {
        let Round { done, more } = round().await?;
        if !more || done == 0 {
            return Ok(());
        }
    }
}
