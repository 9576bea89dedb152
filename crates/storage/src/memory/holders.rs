//! Card holders in memory: maps of whole values.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

use async_trait::async_trait;
use domain::{CardId, ClientId, DeviceId, GiftId, HolderId, IssuerId, Timestamp};

use super::{MemoryStore, state::conflict};
use crate::{
    CodeUse, Device, Gift, GiftState, HeldCard, Holder, HolderPurge, HolderSession, HolderStore,
    LoginAttempt, LoginCode, LoginLimits, LoginState, OutboxMessage, PhoneIndex, RekeyedPhone, Result,
    Sealed, StorageError, StoredPhone,
};

/// What holders keep.
#[derive(Default)]
#[expect(clippy::struct_field_names, reason = "holders are one of the things that holders keep")]
pub(super) struct Holders {
    logins: HashMap<(IssuerId, PhoneIndex), LoginState>,
    messages: BTreeMap<i64, OutboxMessage>,
    holders: BTreeMap<HolderId, Holder>,
    sessions: HashMap<[u8; 32], HolderSession>,
    cards: BTreeMap<(HolderId, CardId), HeldCard>,
    devices: BTreeMap<DeviceId, Device>,
    uses: BTreeMap<(DeviceId, i64), CodeUse>,
    gifts: BTreeMap<GiftId, Gift>,
}

impl Holders {
    fn change_gift(&mut self, gift: &Gift) -> Result<()> {
        let stored = self.gifts.get_mut(&gift.id);
        match stored.filter(|stored| stored.version.checked_add(1) == Some(gift.version)) {
            Some(stored) => {
                *stored = gift.clone();
                Ok(())
            }
            None => conflict("version"),
        }
    }

    fn revoke_devices_of(&mut self, card: CardId, at: Timestamp) {
        let all = self.devices.values_mut();
        for device in all.filter(|device| device.card == card && device.revoked_at.is_none()) {
            device.revoked_at = Some(at);
        }
    }
}

/// Removes at most `limit` entries that nobody needs, and says how many.
fn purge<K: Ord + Clone, V>(map: &mut BTreeMap<K, V>, limit: usize, useless: impl Fn(&V) -> bool) -> usize {
    let keys: Vec<K> =
        map.iter().filter(|(_, value)| useless(value)).map(|(key, _)| key.clone()).take(limit).collect();
    for key in &keys {
        map.remove(key);
    }
    keys.len()
}

#[async_trait]
impl HolderStore for MemoryStore {
    async fn put_login_code(&self, code: &LoginCode, limits: &LoginLimits) -> Result<bool> {
        let logins = &mut self.write().holders.logins;
        let key = (code.issuer, code.phone);
        let next = LoginState::after(logins.get(&key), code, limits);
        if let Some(next) = next {
            logins.insert(key, next);
        }
        Ok(next.is_some())
    }

    async fn take_login_attempt(
        &self,
        issuer: IssuerId,
        phones: &[PhoneIndex],
        now: Timestamp,
    ) -> Result<Option<LoginAttempt>> {
        let logins = &mut self.write().holders.logins;
        for phone in phones {
            if let Some(state) = logins.get_mut(&(issuer, *phone))
                && state.attempts_left > 0
                && state.expires_at > now
            {
                state.attempts_left -= 1;
                return Ok(Some(LoginAttempt { phone: *phone, digest: state.digest }));
            }
        }
        Ok(None)
    }

    async fn use_login_code(&self, issuer: IssuerId, attempt: &LoginAttempt) -> Result<bool> {
        let logins = &mut self.write().holders.logins;
        let used = Timestamp::from_micros(0);
        let state = logins.get_mut(&(issuer, attempt.phone));
        let open = state.filter(|state| state.digest == attempt.digest && state.expires_at != used);
        Ok(open.map(|state| (state.expires_at, state.attempts_left) = (used, 0)).is_some())
    }

    async fn put_message(&self, message: &OutboxMessage) -> Result<()> {
        self.write().holders.messages.insert(message.id, message.clone());
        Ok(())
    }

    async fn take_messages(
        &self,
        now: Timestamp,
        again: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>> {
        let messages = &mut self.write().holders.messages;
        let due = messages.values().filter_map(|m| Some((m.due_at.filter(|at| *at <= now)?, m.id)));
        let mut due: Vec<_> = due.collect();
        due.sort_unstable();
        due.truncate(limit);
        let mut taken = Vec::with_capacity(due.len());
        for (_, id) in due {
            if let Some(message) = messages.get_mut(&id) {
                (message.due_at, message.attempts) = (Some(again), message.attempts + 1);
                taken.push(message.clone());
            }
        }
        Ok(taken)
    }

    async fn postpone_message(&self, id: i64, due_at: Timestamp) -> Result<()> {
        if let Some(message) = self.write().holders.messages.get_mut(&id) {
            message.due_at = Some(due_at);
        }
        Ok(())
    }

    async fn drop_message(&self, id: i64) -> Result<()> {
        self.write().holders.messages.remove(&id);
        Ok(())
    }

    async fn messages(
        &self,
        issuer: IssuerId,
        phones: &[PhoneIndex],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>> {
        let state = self.read();
        let all = state.holders.messages.values().rev();
        let open = all.filter(|message| {
            message.issuer == issuer && phones.contains(&message.phone) && message.expires_at > now
        });
        Ok(open.take(limit).cloned().collect())
    }

    async fn holder_by_phone(&self, issuer: IssuerId, phones: &[PhoneIndex]) -> Result<Option<Holder>> {
        let state = self.read();
        let find = |phone: &PhoneIndex| {
            let mut all = state.holders.holders.values();
            all.find(|holder| holder.issuer == issuer && holder.phone_index == *phone)
        };
        Ok(phones.iter().find_map(find).cloned())
    }

    async fn holders(&self, ids: &[HolderId]) -> Result<Vec<Holder>> {
        let state = self.read();
        Ok(ids.iter().filter_map(|id| state.holders.holders.get(id)).cloned().collect())
    }

    async fn add_holder(&self, holder: &Holder) -> Result<()> {
        let holders = &mut self.write().holders.holders;
        let same = |other: &Holder| other.issuer == holder.issuer && other.phone_index == holder.phone_index;
        if holders.values().any(same) {
            return conflict("phone");
        }
        holders.insert(holder.id, holder.clone());
        Ok(())
    }

    async fn add_holder_session(&self, session: &HolderSession, most: usize) -> Result<()> {
        let sessions = &mut self.write().holders.sessions;
        sessions.insert(session.hash, session.clone());
        let mut own: Vec<(Timestamp, [u8; 32])> = sessions
            .values()
            .filter(|other| other.holder == session.holder)
            .map(|s| (s.created_at, s.hash))
            .collect();
        own.sort_unstable();
        for (_, hash) in own.iter().rev().skip(most) {
            sessions.remove(hash);
        }
        Ok(())
    }

    async fn holder_session(&self, hash: &[u8; 32]) -> Result<Option<HolderSession>> {
        Ok(self.read().holders.sessions.get(hash).cloned())
    }

    async fn extend_holder_session(&self, hash: &[u8; 32], idle_until: Timestamp) -> Result<()> {
        if let Some(session) = self.write().holders.sessions.get_mut(hash) {
            session.idle_until = idle_until;
        }
        Ok(())
    }

    async fn end_holder_session(&self, hash: &[u8; 32]) -> Result<()> {
        self.write().holders.sessions.remove(hash);
        Ok(())
    }

    async fn put_held_card(&self, held: &HeldCard) -> Result<()> {
        self.write().holders.cards.insert((held.holder, held.card), *held);
        Ok(())
    }

    async fn remove_held_card(&self, holder: HolderId, card: CardId) -> Result<()> {
        self.write().holders.cards.remove(&(holder, card));
        Ok(())
    }

    async fn held_cards(&self, holder: HolderId, limit: usize) -> Result<Vec<HeldCard>> {
        let state = self.read();
        let mut own: Vec<HeldCard> =
            state.holders.cards.values().filter(|held| held.holder == holder).copied().collect();
        own.sort_by_key(|held| std::cmp::Reverse((held.added_at, held.card)));
        own.truncate(limit);
        Ok(own)
    }

    async fn add_device(&self, device: &Device, most: usize) -> Result<()> {
        let devices = &mut self.write().holders.devices;
        let live = |other: &Device| other.revoked_at.is_none();
        if devices.values().any(|o| live(o) && (o.issuer, o.tag) == (device.issuer, device.tag)) {
            return conflict("tag");
        }
        devices.insert(device.id, device.clone());
        let own = devices.values_mut().rev();
        let own = own.filter(|o| live(o) && (o.holder, o.card) == (device.holder, device.card));
        for old in own.skip(most) {
            old.revoked_at = Some(device.created_at);
        }
        Ok(())
    }

    async fn live_devices(&self, issuer: IssuerId, tags: &[u32]) -> Result<Vec<Device>> {
        let state = self.read();
        let live = state.holders.devices.values().filter(|device| device.revoked_at.is_none());
        Ok(live.filter(|device| device.issuer == issuer && tags.contains(&device.tag)).cloned().collect())
    }

    async fn devices(&self, ids: &[DeviceId]) -> Result<Vec<Device>> {
        let state = self.read();
        Ok(ids.iter().filter_map(|id| state.holders.devices.get(id)).cloned().collect())
    }

    async fn devices_of(&self, holder: HolderId, card: CardId) -> Result<Vec<Device>> {
        let state = self.read();
        let live = state.holders.devices.values().rev().filter(|device| device.revoked_at.is_none());
        Ok(live.filter(|device| (device.holder, device.card) == (holder, card)).cloned().collect())
    }

    async fn revoke_device(&self, id: DeviceId, at: Timestamp) -> Result<bool> {
        let mut state = self.write();
        let device = state.holders.devices.get_mut(&id).filter(|device| device.revoked_at.is_none());
        Ok(device.map(|device| device.revoked_at = Some(at)).is_some())
    }

    async fn revoke_devices_of(&self, card: CardId, at: Timestamp) -> Result<()> {
        self.write().holders.revoke_devices_of(card, at);
        Ok(())
    }

    async fn use_codes(&self, uses: &[CodeUse]) -> Result<Vec<CodeUse>> {
        let all = &mut self.write().holders.uses;
        let take =
            |used: &CodeUse| all.entry((used.device, used.step)).or_insert_with(|| used.clone()).clone();
        Ok(uses.iter().map(take).collect())
    }

    async fn codes_used_under(&self, client: ClientId, keys: &[[u8; 32]]) -> Result<Vec<CodeUse>> {
        let state = self.read();
        let all = state.holders.uses.values();
        Ok(all.filter(|used| used.client == client && keys.contains(&used.key)).cloned().collect())
    }

    async fn add_gift(&self, gift: &Gift) -> Result<()> {
        let gifts = &mut self.write().holders.gifts;
        let open = |other: &Gift| other.card == gift.card && other.state.is_open();
        if gift.state.is_open() && gifts.values().any(open) {
            return conflict("gift");
        }
        gifts.insert(gift.id, gift.clone());
        Ok(())
    }

    async fn gift(&self, id: GiftId) -> Result<Option<Gift>> {
        Ok(self.read().holders.gifts.get(&id).cloned())
    }

    async fn gifts_of(&self, holder: HolderId, limit: usize) -> Result<Vec<Gift>> {
        let state = self.read();
        let all = state.holders.gifts.values().rev();
        Ok(all.filter(|gift| gift.giver == holder || gift.receiver == holder).take(limit).cloned().collect())
    }

    async fn change_gift(&self, gift: &Gift) -> Result<()> {
        self.write().holders.change_gift(gift)
    }

    async fn finish_gift(&self, gift: &Gift, held: &HeldCard) -> Result<()> {
        let holders = &mut self.write().holders;
        holders.change_gift(gift)?;
        holders.cards.remove(&(gift.giver, gift.card));
        holders.cards.insert((held.holder, held.card), *held);
        holders.revoke_devices_of(gift.card, held.added_at);
        Ok(())
    }

    async fn due_gifts(&self, now: Timestamp, stuck: Timestamp, limit: usize) -> Result<Vec<Gift>> {
        let state = self.read();
        let due = |gift: &&Gift| match gift.state {
            GiftState::Pending => gift.expires_at <= now,
            GiftState::Accepting => gift.decided_at.is_some_and(|at| at <= stuck),
            _ => false,
        };
        Ok(state.holders.gifts.values().filter(due).take(limit).cloned().collect())
    }

    async fn purge_holders(&self, bounds: &HolderPurge) -> Result<u64> {
        let holders = &mut self.write().holders;
        let (ended, limit) = (bounds.ended_before, bounds.limit);
        let mut gone = purge(&mut holders.messages, limit, |message| message.expires_at < ended);
        gone += purge(&mut holders.uses, limit, |used| used.used_at < bounds.used_before);
        let old = |device: &Device| device.revoked_at.is_some_and(|at| at < bounds.used_before);
        gone += purge(&mut holders.devices, limit, old);
        let over = |s: &HolderSession| s.idle_until < ended || s.expires_at < ended;
        let sessions: Vec<_> =
            holders.sessions.values().filter(|s| over(s)).map(|s| s.hash).take(limit).collect();
        let logins: Vec<_> = holders
            .logins
            .iter()
            .filter(|(_, state)| state.sent_at < bounds.counted_before && state.expires_at < ended)
            .map(|(key, _)| *key)
            .take(limit)
            .collect();
        gone += sessions.len() + logins.len();
        holders.sessions.retain(|hash, _| !sessions.contains(hash));
        holders.logins.retain(|key, _| !logins.contains(key));
        Ok(gone as u64)
    }

    async fn phones_not_under(
        &self,
        current: u8,
        after: Option<HolderId>,
        limit: usize,
    ) -> Result<Vec<StoredPhone>> {
        let state = self.read();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let all = state.holders.holders.range((from, Bound::Unbounded)).map(|(_, holder)| holder);
        let old = all.filter(|holder| holder.phone.key_id != current || holder.index_key_id != current);
        let old = old.take(limit).map(|holder| StoredPhone {
            holder: holder.id,
            issuer: holder.issuer,
            phone: holder.phone.clone(),
        });
        Ok(old.collect())
    }

    async fn rekey_phones(&self, phones: &[RekeyedPhone]) -> Result<()> {
        let holders = &mut self.write().holders.holders;
        for new in phones {
            let Some(holder) = holders.get_mut(&new.holder) else {
                return Err(StorageError::Conflict { what: "holder" });
            };
            (holder.phone_index, holder.index_key_id) = (new.index, new.index_key_id);
            holder.phone = new.phone.clone();
        }
        Ok(())
    }

    async fn device_secrets_not_under(
        &self,
        current: u8,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Vec<(DeviceId, Sealed)>> {
        let state = self.read();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let all = state.holders.devices.range((from, Bound::Unbounded));
        let old = all.filter(|(_, device)| device.secret.key_id != current);
        Ok(old.take(limit).map(|(id, device)| (*id, device.secret.clone())).collect())
    }

    async fn rekey_devices(&self, secrets: &[(DeviceId, Sealed)]) -> Result<()> {
        let devices = &mut self.write().holders.devices;
        for (id, secret) in secrets {
            if let Some(device) = devices.get_mut(id) {
                device.secret = secret.clone();
            }
        }
        Ok(())
    }
}
