//! People are not simulated, nor are their passkeys: the port is left to the store in memory.

use async_trait::async_trait;
use domain::{PasskeyId, Timestamp, UserId};
use storage::{AnsweredChallenge, Passkey, PasskeyRemoval, PasskeyStore, PasskeyUse, Result};

use super::Connection;

#[async_trait]
impl PasskeyStore for Connection {
    async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>> {
        self.database.rest.passkeys(user).await
    }

    async fn passkey_by_credential(&self, credential: &[u8]) -> Result<Option<Passkey>> {
        self.database.rest.passkey_by_credential(credential).await
    }

    async fn add_passkey(&self, passkey: &Passkey, challenge: AnsweredChallenge, most: usize) -> Result<()> {
        self.database.rest.add_passkey(passkey, challenge, most).await
    }

    async fn use_passkey(
        &self,
        id: PasskeyId,
        challenge: AnsweredChallenge,
        counter: u32,
        at: Timestamp,
    ) -> Result<PasskeyUse> {
        self.database.rest.use_passkey(id, challenge, counter, at).await
    }

    async fn remove_passkey(&self, user: UserId, id: PasskeyId, even_last: bool) -> Result<PasskeyRemoval> {
        self.database.rest.remove_passkey(user, id, even_last).await
    }

    async fn remove_passkeys(&self, user: UserId) -> Result<()> {
        self.database.rest.remove_passkeys(user).await
    }

    async fn forget_challenges(&self, now: Timestamp) -> Result<u64> {
        self.database.rest.forget_challenges(now).await
    }
}
