//! Card holders sign in and show codes; nothing in a simulation asks for that: they are left to the store in
//! memory.

use async_trait::async_trait;
use domain::{CardId, ClientId, DeviceId, GiftId, HolderId, IssuerId, Timestamp};
use storage::{
    CodeUse, Device, Gift, HeldCard, Holder, HolderPurge, HolderSession, HolderStore, LoginAttempt,
    LoginCode, LoginLimits, OutboxMessage, PhoneIndex, RekeyedPhone, Result, Sealed, StoredPhone,
};

use super::Connection;

#[async_trait]
impl HolderStore for Connection {
    async fn put_login_code(&self, code: &LoginCode, limits: &LoginLimits) -> Result<bool> {
        self.database.rest.put_login_code(code, limits).await
    }

    async fn take_login_attempt(
        &self,
        issuer: IssuerId,
        phones: &[PhoneIndex],
        now: Timestamp,
    ) -> Result<Option<LoginAttempt>> {
        self.database.rest.take_login_attempt(issuer, phones, now).await
    }

    async fn use_login_code(&self, issuer: IssuerId, attempt: &LoginAttempt) -> Result<bool> {
        self.database.rest.use_login_code(issuer, attempt).await
    }

    async fn put_message(&self, message: &OutboxMessage) -> Result<()> {
        self.database.rest.put_message(message).await
    }

    async fn take_messages(
        &self,
        now: Timestamp,
        again: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>> {
        self.database.rest.take_messages(now, again, limit).await
    }

    async fn postpone_message(&self, id: i64, due_at: Timestamp) -> Result<()> {
        self.database.rest.postpone_message(id, due_at).await
    }

    async fn drop_message(&self, id: i64) -> Result<()> {
        self.database.rest.drop_message(id).await
    }

    async fn messages(
        &self,
        issuer: IssuerId,
        phones: &[PhoneIndex],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>> {
        self.database.rest.messages(issuer, phones, now, limit).await
    }

    async fn holder_by_phone(&self, issuer: IssuerId, phones: &[PhoneIndex]) -> Result<Option<Holder>> {
        self.database.rest.holder_by_phone(issuer, phones).await
    }

    async fn holders(&self, ids: &[HolderId]) -> Result<Vec<Holder>> {
        self.database.rest.holders(ids).await
    }

    async fn add_holder(&self, holder: &Holder) -> Result<()> {
        self.database.rest.add_holder(holder).await
    }

    async fn add_holder_session(&self, session: &HolderSession, most: usize) -> Result<()> {
        self.database.rest.add_holder_session(session, most).await
    }

    async fn put_held_card(&self, held: &HeldCard) -> Result<()> {
        self.database.rest.put_held_card(held).await
    }

    async fn remove_held_card(&self, holder: HolderId, card: CardId) -> Result<()> {
        self.database.rest.remove_held_card(holder, card).await
    }

    async fn held_cards(&self, holder: HolderId, limit: usize) -> Result<Vec<HeldCard>> {
        self.database.rest.held_cards(holder, limit).await
    }

    async fn add_device(&self, device: &Device, most: usize) -> Result<()> {
        self.database.rest.add_device(device, most).await
    }

    async fn live_devices(&self, issuer: IssuerId, tags: &[u32]) -> Result<Vec<Device>> {
        self.database.rest.live_devices(issuer, tags).await
    }

    async fn devices(&self, ids: &[DeviceId]) -> Result<Vec<Device>> {
        self.database.rest.devices(ids).await
    }

    async fn devices_of(&self, holder: HolderId, card: CardId) -> Result<Vec<Device>> {
        self.database.rest.devices_of(holder, card).await
    }

    async fn revoke_device(&self, id: DeviceId, at: Timestamp) -> Result<bool> {
        self.database.rest.revoke_device(id, at).await
    }

    async fn revoke_devices_of(&self, card: CardId, at: Timestamp) -> Result<()> {
        self.database.rest.revoke_devices_of(card, at).await
    }

    async fn use_codes(&self, uses: &[CodeUse]) -> Result<Vec<CodeUse>> {
        self.database.rest.use_codes(uses).await
    }

    async fn add_gift(&self, gift: &Gift) -> Result<()> {
        self.database.rest.add_gift(gift).await
    }

    async fn gift(&self, id: GiftId) -> Result<Option<Gift>> {
        self.database.rest.gift(id).await
    }

    async fn gifts_of(&self, holder: HolderId, limit: usize) -> Result<Vec<Gift>> {
        self.database.rest.gifts_of(holder, limit).await
    }

    async fn change_gift(&self, gift: &Gift) -> Result<()> {
        self.database.rest.change_gift(gift).await
    }

    async fn finish_gift(&self, gift: &Gift, held: &HeldCard) -> Result<()> {
        self.database.rest.finish_gift(gift, held).await
    }

    async fn due_gifts(&self, now: Timestamp, stuck: Timestamp, limit: usize) -> Result<Vec<Gift>> {
        self.database.rest.due_gifts(now, stuck, limit).await
    }

    async fn purge_holders(&self, purge: &HolderPurge) -> Result<u64> {
        self.database.rest.purge_holders(purge).await
    }

    async fn phones_not_under(
        &self,
        current: u8,
        after: Option<HolderId>,
        limit: usize,
    ) -> Result<Vec<StoredPhone>> {
        self.database.rest.phones_not_under(current, after, limit).await
    }

    async fn rekey_phones(&self, phones: &[RekeyedPhone]) -> Result<()> {
        self.database.rest.rekey_phones(phones).await
    }

    async fn device_secrets_not_under(
        &self,
        current: u8,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Vec<(DeviceId, Sealed)>> {
        self.database.rest.device_secrets_not_under(current, after, limit).await
    }

    async fn rekey_devices(&self, secrets: &[(DeviceId, Sealed)]) -> Result<()> {
        self.database.rest.rekey_devices(secrets).await
    }

    async fn holder_session(&self, hash: &[u8; 32]) -> Result<Option<HolderSession>> {
        self.database.rest.holder_session(hash).await
    }

    async fn extend_holder_session(&self, hash: &[u8; 32], idle_until: Timestamp) -> Result<()> {
        self.database.rest.extend_holder_session(hash, idle_until).await
    }

    async fn end_holder_session(&self, hash: &[u8; 32]) -> Result<()> {
        self.database.rest.end_holder_session(hash).await
    }

    async fn codes_used_under(&self, client: ClientId, keys: &[[u8; 32]]) -> Result<Vec<CodeUse>> {
        self.database.rest.codes_used_under(client, keys).await
    }
}
