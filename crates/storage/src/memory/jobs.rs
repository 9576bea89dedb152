//! What jobs look for, in memory.

use std::ops::Bound;

use async_trait::async_trait;
use domain::{Card, CardId, IssuerId, Timestamp, card::StateCode, hold::HoldStatus};

use super::MemoryStore;
use crate::{DueHold, JobsStore, Result, RollUp};

#[async_trait]
impl JobsStore for MemoryStore {
    async fn due_holds(&self, now: Timestamp, limit: usize) -> Result<Vec<DueHold>> {
        let state = self.read();
        let mut due: Vec<_> = state
            .holds
            .values()
            .filter(|hold| hold.status == HoldStatus::Open && hold.expires_at <= now)
            .collect();
        due.sort_by_key(|hold| (hold.expires_at, hold.id));
        Ok(due.iter().take(limit).map(|hold| DueHold { hold: hold.id, issuer: hold.issuer }).collect())
    }

    async fn due_cards(
        &self,
        now: Timestamp,
        after: Option<CardId>,
        limit: usize,
    ) -> Result<Vec<(CardId, IssuerId)>> {
        let state = self.read();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let cards = state.cards.range((from, Bound::Unbounded)).map(|(_, stored)| &stored.card);
        Ok(cards.filter(|card| is_due(card, now)).take(limit).map(|card| (card.id, card.issuer)).collect())
    }

    async fn roll_up(&self, limit: usize) -> Result<RollUp> {
        let _turn = self.turn.lock().await;
        let mut state = self.write();
        let from = state.rolled_up.map_or(Bound::Unbounded, Bound::Excluded);
        let waiting: Vec<_> = state.operations.range((from, Bound::Unbounded)).map(|(id, _)| *id).collect();
        let taken = waiting.len().min(limit);
        if let Some(last) = taken.checked_sub(1) {
            state.rolled_up = Some(waiting[last]);
        }
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Ok(RollUp { operations: count(taken), behind: count(waiting.len() - taken) })
    }
}

fn is_due(card: &Card, now: Timestamp) -> bool {
    let live = matches!(card.state.code(), StateCode::Active | StateCode::Frozen);
    let lot_due = card.lots.iter().any(|lot| !lot.remaining.is_zero() && !lot.usable_at(now));
    live && (lot_due || (card.is_past_validity(now) && card.held.is_zero()))
}
