//! Card holders: how they sign in, their cards, devices, used codes and gifts.

mod devices;
mod gifts;
mod people;
mod sign_in;

use async_trait::async_trait;
use domain::{CardId, ClientId, DeviceId, GiftId, HolderId, IssuerId, Timestamp};
use storage::{
    CodeUse, Device, Gift, HeldCard, Holder, HolderPurge, HolderSession, HolderStore, LoginAttempt,
    LoginCode, LoginLimits, OutboxMessage, PhoneIndex, RekeyedPhone, Result, Sealed, StoredPhone,
};

use crate::{
    SqliteStore,
    statements::{list, run},
};

#[async_trait]
impl HolderStore for SqliteStore {
    async fn put_login_code(&self, code: &LoginCode, limits: &LoginLimits) -> Result<bool> {
        let (code, limits) = (code.clone(), *limits);
        self.write(move |connection| sign_in::put(connection, &code, &limits)).await
    }

    async fn take_login_attempt(
        &self,
        issuer: IssuerId,
        phones: &[PhoneIndex],
        now: Timestamp,
    ) -> Result<Option<LoginAttempt>> {
        let phones = phones.to_vec();
        self.write(move |connection| sign_in::take(connection, issuer, &phones, now)).await
    }

    async fn use_login_code(&self, issuer: IssuerId, attempt: &LoginAttempt) -> Result<bool> {
        let attempt = *attempt;
        self.write(move |connection| sign_in::use_up(connection, issuer, &attempt)).await
    }

    async fn put_message(&self, message: &OutboxMessage) -> Result<()> {
        let message = message.clone();
        self.write(move |connection| sign_in::put_message(connection, &message)).await
    }

    async fn take_messages(
        &self,
        now: Timestamp,
        again: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>> {
        self.write(move |connection| sign_in::take_messages(connection, now, again, limit)).await
    }

    async fn postpone_message(&self, id: i64, due_at: Timestamp) -> Result<()> {
        self.write(move |connection| sign_in::postpone_message(connection, id, due_at)).await
    }

    async fn drop_message(&self, id: i64) -> Result<()> {
        self.write(move |connection| sign_in::drop_message(connection, id)).await
    }

    async fn messages(
        &self,
        issuer: IssuerId,
        phones: &[PhoneIndex],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>> {
        self.point(|connection| sign_in::messages(connection, issuer, phones, (now, limit))).await
    }

    async fn holder_by_phone(&self, issuer: IssuerId, phones: &[PhoneIndex]) -> Result<Option<Holder>> {
        self.point(|connection| people::by_phone(connection, issuer, phones)).await
    }

    async fn holders(&self, ids: &[HolderId]) -> Result<Vec<Holder>> {
        self.point(|connection| people::holders(connection, ids)).await
    }

    async fn add_holder(&self, holder: &Holder) -> Result<()> {
        let holder = holder.clone();
        self.write(move |connection| people::add(connection, &holder)).await
    }

    async fn add_holder_session(&self, session: &HolderSession, most: usize) -> Result<()> {
        let session = session.clone();
        self.write(move |connection| people::add_session(connection, &session, most)).await
    }

    async fn holder_session(&self, hash: &[u8; 32]) -> Result<Option<HolderSession>> {
        self.point(|connection| people::session(connection, hash)).await
    }

    async fn extend_holder_session(&self, hash: &[u8; 32], idle_until: Timestamp) -> Result<()> {
        let hash = *hash;
        let sql = "UPDATE holder_session SET idle_until = ?2 WHERE hash = ?1";
        self.write(move |connection| run(connection, sql, (&hash[..], idle_until.micros())).map(|_| ())).await
    }

    async fn end_holder_session(&self, hash: &[u8; 32]) -> Result<()> {
        let hash = *hash;
        let sql = "DELETE FROM holder_session WHERE hash = ?1";
        self.write(move |connection| run(connection, sql, [&hash[..]]).map(|_| ())).await
    }

    async fn put_held_card(&self, held: &HeldCard) -> Result<()> {
        let held = *held;
        self.write(move |connection| people::put_card(connection, &held)).await
    }

    async fn remove_held_card(&self, holder: HolderId, card: CardId) -> Result<()> {
        self.write(move |connection| people::remove_card(connection, holder, card)).await
    }

    async fn held_cards(&self, holder: HolderId, limit: usize) -> Result<Vec<HeldCard>> {
        self.point(|connection| people::cards(connection, holder, limit)).await
    }

    async fn add_device(&self, device: &Device, most: usize) -> Result<()> {
        let device = device.clone();
        self.write(move |connection| devices::add(connection, &device, most)).await
    }

    async fn live_devices(&self, issuer: IssuerId, tags: &[u32]) -> Result<Vec<Device>> {
        self.point(|connection| devices::by_tags(connection, issuer, tags)).await
    }

    async fn devices(&self, ids: &[DeviceId]) -> Result<Vec<Device>> {
        self.point(|connection| devices::by_ids(connection, ids)).await
    }

    async fn devices_of(&self, holder: HolderId, card: CardId) -> Result<Vec<Device>> {
        self.point(|connection| devices::of(connection, holder, card)).await
    }

    async fn revoke_device(&self, id: DeviceId, at: Timestamp) -> Result<bool> {
        let sql = "UPDATE holder_device SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
        self.write(move |connection| Ok(run(connection, sql, (id.get(), at.micros()))? == 1)).await
    }

    async fn revoke_devices_of(&self, card: CardId, at: Timestamp) -> Result<()> {
        self.write(move |connection| devices::revoke_of(connection, card, at)).await
    }

    async fn use_codes(&self, uses: &[CodeUse]) -> Result<Vec<CodeUse>> {
        let uses = uses.to_vec();
        self.write(move |connection| devices::use_codes(connection, &uses)).await
    }

    async fn codes_used_under(&self, client: ClientId, keys: &[[u8; 32]]) -> Result<Vec<CodeUse>> {
        self.point(|connection| devices::used_under(connection, client, keys)).await
    }

    async fn add_gift(&self, gift: &Gift) -> Result<()> {
        let gift = gift.clone();
        self.write(move |connection| gifts::add(connection, &gift)).await
    }

    async fn gift(&self, id: GiftId) -> Result<Option<Gift>> {
        self.point(|connection| gifts::one(connection, id)).await
    }

    async fn gifts_of(&self, holder: HolderId, limit: usize) -> Result<Vec<Gift>> {
        self.point(|connection| gifts::of(connection, holder, limit)).await
    }

    async fn change_gift(&self, gift: &Gift) -> Result<()> {
        let gift = gift.clone();
        self.write(move |connection| gifts::change(connection, &gift)).await
    }

    async fn finish_gift(&self, gift: &Gift, held: &HeldCard) -> Result<()> {
        let (gift, held) = (gift.clone(), *held);
        self.write(move |connection| {
            gifts::change(connection, &gift)?;
            people::remove_card(connection, gift.giver, gift.card)?;
            people::put_card(connection, &held)?;
            devices::revoke_of(connection, gift.card, held.added_at)
        })
        .await
    }

    async fn due_gifts(&self, now: Timestamp, stuck: Timestamp, limit: usize) -> Result<Vec<Gift>> {
        self.point(|connection| gifts::due(connection, now, stuck, limit)).await
    }

    async fn purge_holders(&self, purge: &HolderPurge) -> Result<u64> {
        let purge = *purge;
        self.write(move |connection| people::purge(connection, &purge)).await
    }

    async fn phones_not_under(
        &self,
        current: u8,
        after: Option<HolderId>,
        limit: usize,
    ) -> Result<Vec<StoredPhone>> {
        self.long(move |connection| people::phones_not_under(connection, current, after, limit)).await
    }

    async fn rekey_phones(&self, phones: &[RekeyedPhone]) -> Result<()> {
        let phones = phones.to_vec();
        self.write(move |connection| people::rekey(connection, &phones)).await
    }

    async fn device_secrets_not_under(
        &self,
        current: u8,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Vec<(DeviceId, Sealed)>> {
        self.long(move |connection| devices::not_under(connection, current, after, limit)).await
    }

    async fn rekey_devices(&self, secrets: &[(DeviceId, Sealed)]) -> Result<()> {
        let secrets = secrets.to_vec();
        self.write(move |connection| devices::rekey(connection, &secrets)).await
    }
}
