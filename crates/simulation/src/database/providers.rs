//! Identity providers are not simulated: the port is left to the store in memory.

use async_trait::async_trait;
use domain::{IdentityProviderId, IssuerId, Timestamp, UserId};
use storage::{
    IdentityProvider, LinkedIdentity, Page, ProviderChangeEffect, ProviderStore, Result, Sealed, SignInFlow,
};

use super::Connection;

#[async_trait]
impl ProviderStore for Connection {
    async fn providers(&self, issuer: Option<IssuerId>) -> Result<Vec<IdentityProvider>> {
        self.database.rest.providers(issuer).await
    }

    async fn provider(&self, id: IdentityProviderId) -> Result<Option<IdentityProvider>> {
        self.database.rest.provider(id).await
    }

    async fn put_provider(
        &self,
        provider: &IdentityProvider,
        effect: ProviderChangeEffect,
        most: usize,
    ) -> Result<()> {
        self.database.rest.put_provider(provider, effect, most).await
    }

    async fn identity(&self, provider: IdentityProviderId, subject: &str) -> Result<Option<LinkedIdentity>> {
        self.database.rest.identity(provider, subject).await
    }

    async fn link(&self, identity: &LinkedIdentity) -> Result<()> {
        self.database.rest.link(identity).await
    }

    async fn unlink(&self, provider: IdentityProviderId, user: UserId, at: Timestamp) -> Result<bool> {
        self.database.rest.unlink(provider, user, at).await
    }

    async fn identities(
        &self,
        provider: IdentityProviderId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Page<LinkedIdentity>> {
        self.database.rest.identities(provider, after, limit).await
    }

    async fn begin_flow(
        &self,
        flow: &SignInFlow,
        now: Timestamp,
        most: usize,
        most_of_all: usize,
    ) -> Result<bool> {
        self.database.rest.begin_flow(flow, now, most, most_of_all).await
    }

    async fn take_flow(&self, state_hash: [u8; 32], now: Timestamp) -> Result<Option<SignInFlow>> {
        self.database.rest.take_flow(state_hash, now).await
    }

    async fn providers_not_under(
        &self,
        current: u8,
        after: Option<IdentityProviderId>,
        limit: usize,
    ) -> Result<Vec<IdentityProvider>> {
        self.database.rest.providers_not_under(current, after, limit).await
    }

    async fn reseal_providers(&self, secrets: &[(IdentityProviderId, Sealed)]) -> Result<()> {
        self.database.rest.reseal_providers(secrets).await
    }
}
