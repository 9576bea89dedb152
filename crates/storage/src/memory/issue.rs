//! Batches and new cards in memory.

use std::{collections::HashSet, ops::Bound};

use async_trait::async_trait;
use domain::{BatchId, CardId, ClientId, IssuerId, Timestamp};

use super::{MemoryStore, state::conflict};
use crate::{Batch, BatchStatus, ExportRow, IssueStore, NewCard, Page, Result};

#[async_trait]
impl IssueStore for MemoryStore {
    async fn create_batch(&self, batch: &Batch) -> Result<()> {
        let _turn = self.turn.lock().await;
        let mut state = self.write();
        if state.batches.values().any(|b| b.client == batch.client && b.key == batch.key) {
            return conflict("key");
        }
        if state.batches.contains_key(&batch.id) {
            return conflict("id");
        }
        state.batches.insert(batch.id, batch.clone());
        Ok(())
    }

    async fn batch(&self, id: BatchId) -> Result<Option<Batch>> {
        Ok(self.read().batches.get(&id).cloned())
    }

    async fn batch_by_key(&self, client: ClientId, key: &str) -> Result<Option<Batch>> {
        let state = self.read();
        Ok(state.batches.values().find(|b| b.client == client && b.key == key).cloned())
    }

    async fn batches(&self, issuer: IssuerId, before: Option<BatchId>, limit: usize) -> Result<Page<Batch>> {
        let state = self.read();
        let older = state.batches.values().rev().filter(|b| before.is_none_or(|end| b.id < end));
        let mut items: Vec<Batch> =
            older.filter(|b| b.issuer == issuer).take(limit.saturating_add(1)).cloned().collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|b| b.id.get());
        Ok(Page { items, next })
    }

    async fn running_batches(&self) -> Result<Vec<Batch>> {
        let state = self.read();
        Ok(state.batches.values().filter(|b| b.status == BatchStatus::Running).cloned().collect())
    }

    async fn insert_cards(&self, cards: &[NewCard], progress: Option<&Batch>) -> Result<Vec<usize>> {
        let _turn = self.turn.lock().await;
        let mut state = self.write();
        let (mut indexes, mut ids, mut taken) = (HashSet::new(), HashSet::new(), Vec::new());
        for (position, new) in cards.iter().enumerate() {
            if state.numbers.contains_key(&new.index) || !indexes.insert(new.index) {
                taken.push(position);
            } else if state.cards.contains_key(&new.card.id) || !ids.insert(new.card.id) {
                return conflict("id");
            }
        }
        if !taken.is_empty() {
            return Ok(taken);
        }
        for new in cards {
            state.numbers.insert(new.index, new.card.id);
            state.cards.insert(new.card.id, new.clone());
        }
        if let Some(batch) = progress.and_then(|p| state.batches.get_mut(&p.id).zip(Some(p))) {
            let (stored, progress) = batch;
            stored.issued = progress.issued;
            stored.activated = progress.activated;
            stored.status = progress.status;
            stored.failure.clone_from(&progress.failure);
            stored.completed_at = progress.completed_at;
        }
        Ok(Vec::new())
    }

    async fn batch_cards(&self, id: BatchId, after: Option<CardId>, limit: usize) -> Result<Vec<ExportRow>> {
        let state = self.read();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let cards = state.cards.range((from, Bound::Unbounded)).map(|(_, stored)| stored);
        let rows = cards.filter(|stored| stored.card.batch == Some(id)).take(limit).map(|stored| ExportRow {
            card: stored.card.id,
            number: stored.number.clone(),
            pin: stored.pin.clone(),
            face_value: stored.card.face_value,
        });
        Ok(rows.collect())
    }

    async fn claim_export(&self, id: BatchId, at: Timestamp, lapsed: Timestamp) -> Result<bool> {
        let _turn = self.turn.lock().await;
        let mut state = self.write();
        let exported = state.batches.get(&id).is_none_or(|batch| batch.exported_at.is_some());
        if exported || state.export_claims.get(&id).is_some_and(|claimed_at| *claimed_at > lapsed) {
            return Ok(false);
        }
        state.export_claims.insert(id, at);
        Ok(true)
    }

    async fn release_export(&self, id: BatchId, claimed_at: Timestamp) -> Result<()> {
        let _turn = self.turn.lock().await;
        let mut state = self.write();
        if state.export_claims.get(&id) == Some(&claimed_at) {
            state.export_claims.remove(&id);
        }
        Ok(())
    }

    async fn finish_export(&self, id: BatchId, claimed_at: Timestamp, at: Timestamp) -> Result<bool> {
        let _turn = self.turn.lock().await;
        let mut state = self.write();
        if state.export_claims.get(&id) != Some(&claimed_at) {
            return Ok(false);
        }
        state.export_claims.remove(&id);
        if let Some(batch) = state.batches.get_mut(&id) {
            batch.exported_at = Some(at);
        }
        Ok(true)
    }

    async fn erase_pins(&self, id: BatchId) -> Result<()> {
        let _turn = self.turn.lock().await;
        let mut state = self.write();
        if state.batches.get(&id).is_some_and(|b| b.exported_at.is_some()) {
            for stored in state.cards.values_mut().filter(|stored| stored.card.batch == Some(id)) {
                stored.pin = None;
            }
        }
        Ok(())
    }
}
