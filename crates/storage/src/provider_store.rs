//! Identity providers: companies that say who their people are (OpenID Connect), whom they named so far, and
//! sign-ins that are on their way.
//!
//! What must not race is one call: a sign-in is taken once, and a session that a provider let in is opened only
//! while that provider is open and the person is linked, under the same lock that ends it.

use async_trait::async_trait;
use domain::{IdentityProviderId, IssuerId, Timestamp, UserId, program::Status};

use crate::{GuardKey, Page, Result, Sealed};

/// A provider that signs people of an issuer in.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityProvider {
    /// Its id.
    pub id: IdentityProviderId,
    /// Whose people it signs in; those who run the platform have none.
    pub issuer: Option<IssuerId>,
    /// What its button says.
    pub name: String,
    /// Its own name for itself, under which its description is found.
    pub issuer_url: String,
    /// As whom it knows us.
    pub client_id: String,
    /// What proves that to it.
    pub secret: Sealed,
    /// Whether a second factor that it says it asked for counts as ours.
    pub trusted_second_factor: bool,
    /// Whether it lets people in.
    pub status: Status,
    /// When it was entered.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: u32,
}

impl std::fmt::Debug for IdentityProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdentityProvider")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A user as a provider names him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedIdentity {
    /// The provider.
    pub provider: IdentityProviderId,
    /// Its name for him, which it never gives to anybody else.
    pub subject: String,
    /// The user.
    pub user: UserId,
    /// The user's issuer.
    pub issuer: Option<IssuerId>,
    /// Since when.
    pub linked_at: Timestamp,
}

/// Where somebody goes on after signing in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignInPage {
    /// The console.
    #[default]
    Console,
    /// The till.
    Till,
}

impl SignInPage {
    /// All pages.
    pub const ALL: [Self; 2] = [Self::Console, Self::Till];

    /// The name under which it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Till => "till",
        }
    }

    /// The page with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.name() == name)
    }
}

/// Somebody who was sent to a provider and has not come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInFlow {
    /// SHA-256 of what he brings back.
    pub state_hash: [u8; 32],
    /// Where he was sent.
    pub provider: IdentityProviderId,
    /// The provider's issuer.
    pub issuer: Option<IssuerId>,
    /// A keyed hash of the address that he was sent from.
    pub subject: GuardKey,
    /// Where he goes on afterwards.
    pub page: SignInPage,
    /// Until when he may come back.
    pub expires_at: Timestamp,
}

/// What a change of a provider takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderChangeEffect {
    /// Nothing.
    Keeps,
    /// The sessions that it let in, at this moment.
    EndsSessions(Timestamp),
    /// The same, and who its people are: it is another one now.
    Unlinks(Timestamp),
}

/// Where identity providers are kept.
#[async_trait]
pub trait ProviderStore: Send + Sync {
    /// The providers of an issuer, or of the platform, by id.
    async fn providers(&self, issuer: Option<IssuerId>) -> Result<Vec<IdentityProvider>>;

    /// A provider.
    async fn provider(&self, id: IdentityProviderId) -> Result<Option<IdentityProvider>>;

    /// Writes a provider. Version 1 is new, and a conflict on `providers` if the issuer has as many as `most`; any
    /// other follows the one before it, or fails with a conflict on `version`.
    async fn put_provider(
        &self,
        provider: &IdentityProvider,
        effect: ProviderChangeEffect,
        most: usize,
    ) -> Result<()>;

    /// Whom a provider names so.
    async fn identity(&self, provider: IdentityProviderId, subject: &str) -> Result<Option<LinkedIdentity>>;

    /// Links somebody. A conflict on `identity` if the provider names another one so, or him otherwise.
    async fn link(&self, identity: &LinkedIdentity) -> Result<()>;

    /// Unlinks a user, and ends the sessions that this provider let him in. Says whether he was linked.
    async fn unlink(&self, provider: IdentityProviderId, user: UserId, at: Timestamp) -> Result<bool>;

    /// Who is linked to a provider, in the order of their ids, after one.
    async fn identities(
        &self,
        provider: IdentityProviderId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Page<LinkedIdentity>>;

    /// Writes a sign-in that begins, and forgets those that ran out. Says whether there was room: at most `most`
    /// are on their way from one address, and `most_of_all` in all.
    async fn begin_flow(
        &self,
        flow: &SignInFlow,
        now: Timestamp,
        most: usize,
        most_of_all: usize,
    ) -> Result<bool>;

    /// Takes a sign-in that has not run out. Nobody takes it twice.
    async fn take_flow(&self, state_hash: [u8; 32], now: Timestamp) -> Result<Option<SignInFlow>>;

    /// Providers whose secret is not under this key, by id after one.
    async fn providers_not_under(
        &self,
        current: u8,
        after: Option<IdentityProviderId>,
        limit: usize,
    ) -> Result<Vec<IdentityProvider>>;

    /// Exchanges sealed secrets for the same ones under another key, in one transaction.
    async fn reseal_providers(&self, secrets: &[(IdentityProviderId, Sealed)]) -> Result<()>;
}
