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
    PostgresStore,
    session::Param,
    statements::{each, ended},
    store::Scope,
};

fn indexes(phones: &[PhoneIndex]) -> Vec<&[u8]> {
    phones.iter().map(|phone| &phone.0[..]).collect()
}

/// One statement in a transaction of its own. Returns how many rows it changed.
async fn run(
    store: &PostgresStore,
    scope: Scope,
    sql: &str,
    params: &[Param<'_>],
    what: &'static str,
) -> Result<u64> {
    let writing = store.writing(scope).await?;
    let done = writing.execute_unique(sql, params, what).await;
    ended(writing, done).await
}

#[async_trait]
impl HolderStore for PostgresStore {
    async fn put_login_code(&self, code: &LoginCode, limits: &LoginLimits) -> Result<bool> {
        let writing = self.writing(Scope::One(code.issuer)).await?;
        let done = sign_in::put(&writing, code, limits).await;
        ended(writing, done).await
    }

    async fn take_login_attempt(
        &self,
        issuer: IssuerId,
        phones: &[PhoneIndex],
        now: Timestamp,
    ) -> Result<Option<LoginAttempt>> {
        let writing = self.writing(Scope::One(issuer)).await?;
        let done = sign_in::take(&writing, issuer, phones, now).await;
        ended(writing, done).await
    }

    async fn use_login_code(&self, issuer: IssuerId, attempt: &LoginAttempt) -> Result<bool> {
        sign_in::use_up(self, issuer, attempt).await
    }

    async fn put_message(&self, message: &OutboxMessage) -> Result<()> {
        sign_in::put_message(self, message).await
    }

    async fn take_messages(
        &self,
        now: Timestamp,
        again: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>> {
        let writing = self.writing(Scope::All).await?;
        let done = sign_in::take_messages(&writing, now, again, limit).await;
        ended(writing, done).await
    }

    async fn postpone_message(&self, id: i64, due_at: Timestamp) -> Result<()> {
        let writing = self.writing(Scope::All).await?;
        let done = sign_in::postpone_message(&writing, id, due_at).await;
        ended(writing, done).await
    }

    async fn drop_message(&self, id: i64) -> Result<()> {
        let writing = self.writing(Scope::All).await?;
        let done = sign_in::drop_message(&writing, id).await;
        ended(writing, done).await
    }

    async fn messages(
        &self,
        issuer: IssuerId,
        phones: &[PhoneIndex],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>> {
        sign_in::messages(self, issuer, phones, (now, limit)).await
    }

    async fn holder_by_phone(&self, issuer: IssuerId, phones: &[PhoneIndex]) -> Result<Option<Holder>> {
        people::by_phone(self, issuer, phones).await
    }

    async fn holders(&self, ids: &[HolderId]) -> Result<Vec<Holder>> {
        people::holders(self, ids).await
    }

    async fn add_holder(&self, holder: &Holder) -> Result<()> {
        people::add(self, holder).await
    }

    async fn add_holder_session(&self, session: &HolderSession, most: usize) -> Result<()> {
        let writing = self.writing(Scope::One(session.issuer)).await?;
        let done = people::add_session(&writing, session, most).await;
        ended(writing, done).await
    }

    async fn holder_session(&self, hash: &[u8; 32]) -> Result<Option<HolderSession>> {
        people::session(self, hash).await
    }

    async fn extend_holder_session(&self, hash: &[u8; 32], idle_until: Timestamp) -> Result<()> {
        let sql = "UPDATE holder_session SET idle_until = $2 WHERE hash = $1";
        run(self, Scope::All, sql, &[&&hash[..], &idle_until.micros()], "session").await.map(|_| ())
    }

    async fn end_holder_session(&self, hash: &[u8; 32]) -> Result<()> {
        let sql = "DELETE FROM holder_session WHERE hash = $1";
        run(self, Scope::All, sql, &[&&hash[..]], "session").await.map(|_| ())
    }

    async fn put_held_card(&self, held: &HeldCard) -> Result<()> {
        let writing = self.writing(Scope::One(held.issuer)).await?;
        let done = people::put_card(&writing, held).await;
        ended(writing, done).await
    }

    async fn remove_held_card(&self, holder: HolderId, card: CardId) -> Result<()> {
        let writing = self.writing(Scope::All).await?;
        let done = people::remove_card(&writing, holder, card).await;
        ended(writing, done).await
    }

    async fn held_cards(&self, holder: HolderId, limit: usize) -> Result<Vec<HeldCard>> {
        people::cards(self, holder, limit).await
    }

    async fn add_device(&self, device: &Device, most: usize) -> Result<()> {
        let writing = self.writing(Scope::One(device.issuer)).await?;
        let done = devices::add(&writing, device, most).await;
        ended(writing, done).await
    }

    async fn live_devices(&self, issuer: IssuerId, tags: &[u32]) -> Result<Vec<Device>> {
        devices::by_tags(self, issuer, tags).await
    }

    async fn devices(&self, ids: &[DeviceId]) -> Result<Vec<Device>> {
        devices::by_ids(self, ids).await
    }

    async fn devices_of(&self, holder: HolderId, card: CardId) -> Result<Vec<Device>> {
        devices::of(self, holder, card).await
    }

    async fn revoke_device(&self, id: DeviceId, at: Timestamp) -> Result<bool> {
        let sql = "UPDATE holder_device SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        Ok(run(self, Scope::All, sql, &[&id.get(), &at.micros()], "device").await? == 1)
    }

    async fn revoke_devices_of(&self, card: CardId, at: Timestamp) -> Result<()> {
        let writing = self.writing(Scope::All).await?;
        let done = devices::revoke_of(&writing, card, at).await;
        ended(writing, done).await
    }

    async fn use_codes(&self, uses: &[CodeUse]) -> Result<Vec<CodeUse>> {
        let writing = self.writing(Scope::All).await?;
        let done = devices::use_codes(&writing, uses).await;
        ended(writing, done).await
    }

    async fn codes_used_under(&self, client: ClientId, keys: &[[u8; 32]]) -> Result<Vec<CodeUse>> {
        devices::used_under(self, client, keys).await
    }

    async fn add_gift(&self, gift: &Gift) -> Result<()> {
        gifts::add(self, gift).await
    }

    async fn gift(&self, id: GiftId) -> Result<Option<Gift>> {
        gifts::one(self, id).await
    }

    async fn gifts_of(&self, holder: HolderId, limit: usize) -> Result<Vec<Gift>> {
        gifts::of(self, holder, limit).await
    }

    async fn change_gift(&self, gift: &Gift) -> Result<()> {
        let writing = self.writing(Scope::One(gift.issuer)).await?;
        let done = gifts::change(&writing, gift).await;
        ended(writing, done).await
    }

    async fn finish_gift(&self, gift: &Gift, held: &HeldCard) -> Result<()> {
        let writing = self.writing(Scope::One(gift.issuer)).await?;
        let done = async {
            gifts::change(&writing, gift).await?;
            people::remove_card(&writing, gift.giver, gift.card).await?;
            people::put_card(&writing, held).await?;
            devices::revoke_of(&writing, gift.card, held.added_at).await
        };
        let done = done.await;
        ended(writing, done).await
    }

    async fn due_gifts(&self, now: Timestamp, stuck: Timestamp, limit: usize) -> Result<Vec<Gift>> {
        gifts::due(self, now, stuck, limit).await
    }

    async fn purge_holders(&self, purge: &HolderPurge) -> Result<u64> {
        let writing = self.writing(Scope::All).await?;
        let done = people::purge(&writing, purge).await;
        ended(writing, done).await
    }

    async fn phones_not_under(
        &self,
        current: u8,
        after: Option<HolderId>,
        limit: usize,
    ) -> Result<Vec<StoredPhone>> {
        people::phones_not_under(self, current, after, limit).await
    }

    async fn rekey_phones(&self, phones: &[RekeyedPhone]) -> Result<()> {
        let writing = self.writing(Scope::All).await?;
        let done = people::rekey(&writing, phones).await;
        ended(writing, done).await
    }

    async fn device_secrets_not_under(
        &self,
        current: u8,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Vec<(DeviceId, Sealed)>> {
        devices::not_under(self, current, after, limit).await
    }

    async fn rekey_devices(&self, secrets: &[(DeviceId, Sealed)]) -> Result<()> {
        let writing = self.writing(Scope::All).await?;
        let done = devices::rekey(&writing, secrets).await;
        ended(writing, done).await
    }
}
