//! Identity providers in memory.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

use async_trait::async_trait;
use domain::{IdentityProviderId, IssuerId, Timestamp, UserId};

use super::{
    MemoryStore,
    identity::{cut, follows},
    state::conflict,
};
use crate::{
    IdentityProvider, LinkedIdentity, Page, ProviderChangeEffect, ProviderStore, Result, Sealed, SignInFlow,
};

/// What is kept of providers.
#[derive(Default)]
pub(super) struct Providers {
    pub(super) all: BTreeMap<IdentityProviderId, IdentityProvider>,
    pub(super) identities: BTreeMap<(IdentityProviderId, UserId), LinkedIdentity>,
    flows: HashMap<[u8; 32], SignInFlow>,
}

impl Providers {
    /// Master keys that a secret is sealed under.
    pub(super) fn key_ids(&self) -> impl Iterator<Item = u8> + '_ {
        self.all.values().map(|provider| provider.secret.key_id)
    }
}

#[async_trait]
impl ProviderStore for MemoryStore {
    async fn providers(&self, issuer: Option<IssuerId>) -> Result<Vec<IdentityProvider>> {
        let state = self.read();
        Ok(state.providers.all.values().filter(|provider| provider.issuer == issuer).cloned().collect())
    }

    async fn provider(&self, id: IdentityProviderId) -> Result<Option<IdentityProvider>> {
        Ok(self.read().providers.all.get(&id).cloned())
    }

    async fn put_provider(
        &self,
        provider: &IdentityProvider,
        effect: ProviderChangeEffect,
        most: usize,
    ) -> Result<()> {
        let state = &mut *self.write();
        let all = &mut state.providers.all;
        if !follows(all.get(&provider.id).map(|stored| stored.version), provider.version) {
            return conflict("version");
        }
        let own = all.values().filter(|other| other.issuer == provider.issuer).count();
        if provider.version == 1 && own >= most {
            return conflict("providers");
        }
        all.insert(provider.id, provider.clone());
        let (ProviderChangeEffect::EndsSessions(at) | ProviderChangeEffect::Unlinks(at)) = effect else {
            return Ok(());
        };
        if matches!(effect, ProviderChangeEffect::Unlinks(_)) {
            state.providers.identities.retain(|(of, _), _| *of != provider.id);
        }
        state.people.end_let_in_by(provider.id, None, at);
        Ok(())
    }

    async fn identity(&self, provider: IdentityProviderId, subject: &str) -> Result<Option<LinkedIdentity>> {
        let state = self.read();
        let is_meant = |of: &&LinkedIdentity| of.provider == provider && of.subject == subject;
        Ok(state.providers.identities.values().find(is_meant).cloned())
    }

    async fn link(&self, identity: &LinkedIdentity) -> Result<()> {
        let identities = &mut self.write().providers.identities;
        let taken = |of: &LinkedIdentity| {
            of.provider == identity.provider && (of.subject == identity.subject || of.user == identity.user)
        };
        if identities.values().any(taken) {
            return conflict("identity");
        }
        identities.insert((identity.provider, identity.user), identity.clone());
        Ok(())
    }

    async fn unlink(&self, provider: IdentityProviderId, user: UserId, at: Timestamp) -> Result<bool> {
        let state = &mut *self.write();
        if state.providers.identities.remove(&(provider, user)).is_none() {
            return Ok(false);
        }
        state.people.end_let_in_by(provider, Some(user), at);
        Ok(true)
    }

    async fn identities(
        &self,
        provider: IdentityProviderId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Page<LinkedIdentity>> {
        let state = self.read();
        let from = Bound::Excluded((provider, after.unwrap_or(UserId::new(i64::MIN))));
        let to = Bound::Included((provider, UserId::new(i64::MAX)));
        let found = state.providers.identities.range((from, to));
        Ok(cut(found.map(|((_, user), identity)| (user.get(), identity.clone())), limit))
    }

    async fn begin_flow(
        &self,
        flow: &SignInFlow,
        now: Timestamp,
        most: usize,
        most_of_all: usize,
    ) -> Result<bool> {
        let flows = &mut self.write().providers.flows;
        flows.retain(|_, flow| flow.expires_at > now);
        let from_there = flows.values().filter(|other| other.subject == flow.subject).count();
        if flows.len() >= most_of_all || from_there >= most {
            return Ok(false);
        }
        if flows.contains_key(&flow.state_hash) {
            return conflict("flow");
        }
        flows.insert(flow.state_hash, flow.clone());
        Ok(true)
    }

    async fn take_flow(&self, state_hash: [u8; 32], now: Timestamp) -> Result<Option<SignInFlow>> {
        let taken = self.write().providers.flows.remove(&state_hash);
        Ok(taken.filter(|flow| flow.expires_at > now))
    }

    async fn providers_not_under(
        &self,
        current: u8,
        after: Option<IdentityProviderId>,
        limit: usize,
    ) -> Result<Vec<IdentityProvider>> {
        let state = self.read();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = state.providers.all.range((from, Bound::Unbounded)).map(|(_, provider)| provider);
        Ok(rest.filter(|provider| provider.secret.key_id != current).take(limit).cloned().collect())
    }

    async fn reseal_providers(&self, secrets: &[(IdentityProviderId, Sealed)]) -> Result<()> {
        let all = &mut self.write().providers.all;
        for (id, secret) in secrets {
            if let Some(provider) = all.get_mut(id) {
                provider.secret = secret.clone();
            }
        }
        Ok(())
    }
}
