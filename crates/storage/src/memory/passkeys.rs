//! Passkeys in memory.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use domain::{PasskeyId, Timestamp, UserId};

use super::{MemoryStore, state::conflict};
use crate::{
    AnsweredChallenge, Passkey, PasskeyRemoval, PasskeyStore, PasskeyUse, Result, passkey_store::counts_on,
};

/// What is kept of passkeys.
#[derive(Default)]
pub(super) struct Passkeys {
    all: BTreeMap<PasskeyId, Passkey>,
    answered: HashMap<[u8; 32], Timestamp>,
}

impl Passkeys {
    fn of(&self, user: UserId) -> impl Iterator<Item = &Passkey> {
        self.all.values().filter(move |passkey| passkey.user == user)
    }
}

#[async_trait]
impl PasskeyStore for MemoryStore {
    async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>> {
        Ok(self.read().passkeys.of(user).cloned().collect())
    }

    async fn passkey_by_credential(&self, credential: &[u8]) -> Result<Option<Passkey>> {
        let state = self.read();
        Ok(state.passkeys.all.values().find(|passkey| passkey.credential == credential).cloned())
    }

    async fn add_passkey(&self, passkey: &Passkey, challenge: AnsweredChallenge, most: usize) -> Result<()> {
        let passkeys = &mut self.write().passkeys;
        if passkeys.answered.contains_key(&challenge.hash) {
            return conflict("challenge");
        }
        if passkeys.of(passkey.user).count() >= most {
            return conflict("passkeys");
        }
        if passkeys.all.values().any(|other| other.credential == passkey.credential) {
            return conflict("credential");
        }
        passkeys.answered.insert(challenge.hash, challenge.expires_at);
        passkeys.all.insert(passkey.id, passkey.clone());
        Ok(())
    }

    async fn use_passkey(
        &self,
        id: PasskeyId,
        challenge: AnsweredChallenge,
        counter: u32,
        at: Timestamp,
    ) -> Result<PasskeyUse> {
        let passkeys = &mut self.write().passkeys;
        if passkeys.answered.contains_key(&challenge.hash) {
            return Ok(PasskeyUse::Replayed);
        }
        let Some(passkey) = passkeys.all.get_mut(&id) else { return Ok(PasskeyUse::Gone) };
        if !counts_on(passkey.counter, counter) {
            return Ok(PasskeyUse::CountedBack);
        }
        (passkey.counter, passkey.last_used_at) = (counter, Some(at));
        passkeys.answered.insert(challenge.hash, challenge.expires_at);
        Ok(PasskeyUse::Noted)
    }

    async fn remove_passkey(&self, user: UserId, id: PasskeyId, even_last: bool) -> Result<PasskeyRemoval> {
        let passkeys = &mut self.write().passkeys;
        if passkeys.of(user).all(|passkey| passkey.id != id) {
            return Ok(PasskeyRemoval::Unknown);
        }
        if !even_last && passkeys.of(user).count() == 1 {
            return Ok(PasskeyRemoval::Last);
        }
        passkeys.all.remove(&id);
        Ok(PasskeyRemoval::Removed)
    }

    async fn remove_passkeys(&self, user: UserId) -> Result<()> {
        self.write().passkeys.all.retain(|_, passkey| passkey.user != user);
        Ok(())
    }

    async fn forget_challenges(&self, now: Timestamp) -> Result<u64> {
        let answered = &mut self.write().passkeys.answered;
        let before = answered.len();
        answered.retain(|_, expires_at| *expires_at > now);
        Ok(u64::try_from(before - answered.len()).unwrap_or(u64::MAX))
    }
}
