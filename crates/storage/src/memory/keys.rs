//! Rotating keys in memory.

use std::{collections::BTreeSet, ops::Bound};

use async_trait::async_trait;
use domain::{CardId, UserId};

use super::{MemoryStore, state::conflict};
use crate::{KeyStore, Rekeyed, Result, Sealed, StoredNumber};

#[async_trait]
impl KeyStore for MemoryStore {
    async fn numbers_not_under(
        &self,
        current: u8,
        after: Option<CardId>,
        limit: usize,
    ) -> Result<Vec<StoredNumber>> {
        let state = self.read();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let cards = state.cards.range((from, Bound::Unbounded)).map(|(_, stored)| stored);
        let old = cards.filter(|stored| stored.number.key_id != current || stored.index_key_id != current);
        let old = old.take(limit).map(|stored| StoredNumber {
            card: stored.card.id,
            number: stored.number.clone(),
            pin: stored.pin.clone(),
        });
        Ok(old.collect())
    }

    async fn rekey(&self, cards: &[Rekeyed]) -> Result<()> {
        let _turn = self.turn.lock().await;
        let mut state = self.write();
        for new in cards {
            let taken = state.numbers.get(&new.index).is_some_and(|owner| *owner != new.card);
            if taken || !state.cards.contains_key(&new.card) {
                return conflict("number");
            }
        }
        for new in cards {
            let state = &mut *state;
            let Some(stored) = state.cards.get_mut(&new.card) else { continue };
            state.numbers.remove(&stored.index);
            state.numbers.insert(new.index, new.card);
            stored.index = new.index;
            stored.index_key_id = new.index_key_id;
            stored.number = new.number.clone();
            // A PIN that was erased while its new form was made must not come back.
            if stored.pin.is_some() {
                stored.pin.clone_from(&new.pin);
            }
        }
        Ok(())
    }

    async fn totp_not_under(
        &self,
        current: u8,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, Sealed)>> {
        Ok(self.read().people.totp_not_under(current, after, limit))
    }

    async fn rekey_totp(&self, secrets: &[(UserId, Sealed)]) -> Result<()> {
        self.write().people.rekey_totp(secrets);
        Ok(())
    }

    async fn key_ids_in_use(&self) -> Result<Vec<u8>> {
        let state = self.read();
        let pins = state.cards.values().filter_map(|stored| Some(stored.card.pin.digest?.key_id));
        let fingerprints = state.operations.values().map(|operation| operation.fingerprint.key_id);
        let batches = state.batches.values().map(|batch| batch.fingerprint.0);
        let (people, accounts) = (state.people.key_ids(), state.settlements.key_ids());
        let people = people.chain(state.providers.key_ids());
        let ids: BTreeSet<u8> =
            pins.chain(fingerprints).chain(batches).chain(people).chain(accounts).collect();
        Ok(ids.into_iter().collect())
    }
}
