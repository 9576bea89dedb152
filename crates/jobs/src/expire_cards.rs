//! Moves value past its validity off cards: whole cards, and single lots.

use domain::{CardId, Command};
use engine::Engine;

use crate::{
    ROUND, intent,
    runner::{JobError, Round},
};

pub(crate) async fn round(engine: Engine) -> Result<Round, JobError> {
    let mut done = 0;
    let mut after: Option<CardId> = None;
    loop {
        let due = engine.store().due_cards(engine.now(), after, ROUND).await?;
        let Some((last, _)) = due.last().copied() else { break };
        after = Some(last);
        // A card can have something to expire more than once, so its newest operation is part of the
        // key: the same state of a card is expired once.
        let mut intents = Vec::with_capacity(due.len());
        for (card, issuer) in &due {
            let newest = engine.store().card(*card).await?.and_then(|card| card.last_operation);
            let tag = newest.and_then(|id| u64::try_from(id.get()).ok()).unwrap_or(0);
            intents.extend(intent(*issuer, card.get(), tag, Command::Expire(*card)));
        }
        let outcomes = engine.submit_many(intents).await?;
        done += outcomes.iter().flatten().filter(|answer| !answer.replayed).count() as u64;
        if due.len() < ROUND {
            break;
        }
    }
    Ok(Round { done, more: false })
}
