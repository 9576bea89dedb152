//! Signing in through an identity provider: which providers there are, who they named, and the sessions that follow.
//!
//! A provider can say of anybody of its issuer that he is there. Whoever enters one could become everybody, so he needs
//! what everybody together may do; and a provider reaches nobody of another issuer.

use domain::{IdentityProviderId, IssuerId, UserId, program::Status};
use sha2::{Digest, Sha256};
use storage::{
    IdentityProvider, LinkedIdentity, Page, ProviderChangeEffect, Sealed, SessionStage, SignInFlow,
    SignInPage, StorageError, Store, User,
};
use vault::{SealedText, purpose};
use zeroize::Zeroizing;

use super::{
    Granter, Identity,
    sign_in::{Failed, Origin, Signed, network},
};
use crate::{
    Token,
    error::{IdentityError, Result},
    login,
};

/// Providers of an issuer, and buttons of a log-in page.
const MOST_PROVIDERS: usize = 20;
/// How long somebody may stay at a provider.
pub const FLOW_SECONDS: i64 = 10 * 60;
/// Sign-ins on their way from one address, which may be that of a whole company.
const FLOWS_OF_ADDRESS: usize = 200;
const FLOWS: usize = 20_000;
const RESEALED_AT_ONCE: usize = 100;

/// A provider to enter.
#[derive(Debug)]
pub struct NewProvider {
    /// What its button says.
    pub name: String,
    /// Its own name for itself.
    pub issuer_url: String,
    /// As whom it knows us.
    pub client_id: String,
    /// What proves that to it.
    pub client_secret: Secret,
    /// Whether a second factor that it asked for counts as ours.
    pub trusted_second_factor: bool,
}

/// What changes of a provider. What is not given stays.
#[derive(Debug, Default)]
pub struct ProviderChange {
    /// The version that the change is based on.
    pub version: u32,
    /// What its button says.
    pub name: Option<String>,
    /// Its own name for itself.
    pub issuer_url: Option<String>,
    /// As whom it knows us.
    pub client_id: Option<String>,
    /// What proves that to it.
    pub client_secret: Option<Secret>,
    /// Whether a second factor that it asked for counts as ours.
    pub trusted_second_factor: Option<bool>,
    /// Whether it lets people in.
    pub status: Option<Status>,
}

/// A secret in plain. Prints masked, and is wiped when dropped.
pub struct Secret(pub Zeroizing<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Who somebody is, as a provider says.
#[derive(Clone, Copy)]
pub struct Named<'a> {
    /// The provider's name for him.
    pub subject: &'a str,
    /// His address, if the provider has verified it.
    pub verified_email: Option<&'a str>,
    /// Whether he proved himself in two ways there.
    pub two_factors: bool,
}

impl std::fmt::Debug for Named<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Named(***)")
    }
}

impl Identity {
    fn providers_store(&self) -> &dyn Store {
        &**self.0.engine.store()
    }

    /// Whether somebody may enter and change providers: he could become everybody of the issuer.
    async fn check_may_become_anybody(&self, by: &Granter) -> Result<()> {
        if by.merchant.is_some() {
            return Err(IdentityError::BeyondOwn("the users of other merchants"));
        }
        for role in self.roles(by.issuer).await? {
            by.check_grant(by.issuer, &role.permissions)?;
        }
        Ok(())
    }

    /// The providers of the granter's issuer.
    pub async fn providers(&self, by: &Granter) -> Result<Vec<IdentityProvider>> {
        Ok(self.providers_store().providers(by.issuer).await?)
    }

    /// One of them.
    pub async fn provider(&self, by: &Granter, id: IdentityProviderId) -> Result<IdentityProvider> {
        let found = self.providers_store().provider(id).await?;
        found.filter(|provider| provider.issuer == by.issuer).ok_or(IdentityError::ProviderUnknown)
    }

    /// Enters a provider.
    pub async fn create_provider(&self, by: &Granter, new: NewProvider) -> Result<IdentityProvider> {
        self.check_may_become_anybody(by).await?;
        let id = IdentityProviderId::new(self.next_id());
        let provider = IdentityProvider {
            id,
            issuer: by.issuer,
            name: new.name,
            issuer_url: new.issuer_url,
            client_id: new.client_id,
            secret: self.seal_secret(id, &new.client_secret)?,
            trusted_second_factor: new.trusted_second_factor,
            status: Status::Active,
            created_at: self.now(),
            version: 1,
        };
        self.put_provider(&provider, ProviderChangeEffect::Keeps).await?;
        Ok(provider)
    }

    /// Changes a provider. Closing it, or no longer trusting its second factor, ends the sessions that it let in; another
    /// address or client is another provider, whose people are linked anew.
    pub async fn change_provider(
        &self,
        by: &Granter,
        id: IdentityProviderId,
        change: ProviderChange,
    ) -> Result<IdentityProvider> {
        self.check_may_become_anybody(by).await?;
        let known = self.provider(by, id).await?;
        let mut next = known.clone();
        next.version = change.version.saturating_add(1);
        next.name = change.name.unwrap_or(next.name);
        next.issuer_url = change.issuer_url.unwrap_or(next.issuer_url);
        next.client_id = change.client_id.unwrap_or(next.client_id);
        next.trusted_second_factor = change.trusted_second_factor.unwrap_or(next.trusted_second_factor);
        next.status = change.status.unwrap_or(next.status);
        // Or who changes the address would be sent the secret.
        if next.issuer_url != known.issuer_url && change.client_secret.is_none() {
            return Err(IdentityError::ProviderRefused("another address needs the client secret again"));
        }
        if let Some(secret) = &change.client_secret {
            next.secret = self.seal_secret(id, secret)?;
        }
        let is_another = next.issuer_url != known.issuer_url || next.client_id != known.client_id;
        let lets_fewer_in = (known.trusted_second_factor && !next.trusted_second_factor)
            || (known.status == Status::Active && next.status != Status::Active);
        let effect = match (is_another, lets_fewer_in) {
            (true, _) => ProviderChangeEffect::Unlinks(self.now()),
            (false, true) => ProviderChangeEffect::EndsSessions(self.now()),
            (false, false) => ProviderChangeEffect::Keeps,
        };
        self.put_provider(&next, effect).await?;
        if effect != ProviderChangeEffect::Keeps {
            self.0.cache.clear();
        }
        Ok(next)
    }

    async fn put_provider(&self, provider: &IdentityProvider, effect: ProviderChangeEffect) -> Result<()> {
        let put = self.providers_store().put_provider(provider, effect, MOST_PROVIDERS).await;
        put.map_err(|error| match error {
            StorageError::Conflict { what: "version" } => IdentityError::VersionConflict,
            StorageError::Conflict { what: "providers" } => {
                IdentityError::Full("an issuer has at most 20 identity providers; change one instead")
            }
            error => error.into(),
        })
    }

    fn seal_secret(&self, id: IdentityProviderId, secret: &Secret) -> Result<Sealed> {
        let sealed = self.vault().seal_text(id.get(), purpose::PROVIDER_SECRET, &secret.0);
        let sealed = sealed.map_err(|_| IdentityError::Internal("a secret cannot be sealed"))?;
        Ok(Sealed { key_id: sealed.key_id, bytes: sealed.bytes })
    }

    /// What proves us to a provider.
    pub fn secret_of(&self, provider: &IdentityProvider) -> Result<Secret> {
        let sealed = SealedText { key_id: provider.secret.key_id, bytes: provider.secret.bytes.clone() };
        let opened = self.vault().open_text(provider.id.get(), purpose::PROVIDER_SECRET, &sealed);
        opened.map(Secret).map_err(|_| IdentityError::Internal("the secret of a provider does not open"))
    }

    /// Who is linked to a provider, with what is left of the users.
    pub async fn linked_users(
        &self,
        by: &Granter,
        provider: IdentityProviderId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Page<(LinkedIdentity, User)>> {
        let provider = self.provider(by, provider).await?;
        let found = self.providers_store().identities(provider.id, after, limit).await?;
        let mut items = Vec::with_capacity(found.items.len());
        for linked in found.items {
            if let Some(user) = self.store().user(linked.user).await? {
                items.push((linked, user));
            }
        }
        Ok(Page { items, next: found.next })
    }

    /// Unlinks a user. The sessions that the provider let him in end.
    pub async fn unlink(&self, by: &Granter, provider: IdentityProviderId, user: UserId) -> Result<()> {
        self.check_may_become_anybody(by).await?;
        let provider = self.provider(by, provider).await?;
        if !self.providers_store().unlink(provider.id, user, self.now()).await? {
            return Err(IdentityError::UserUnknown);
        }
        self.0.cache.forget(user);
        Ok(())
    }

    /// The providers that a log-in page offers: of an issuer where one is named. Without, the platform's, and those of
    /// the only issuer where there is but one: who else is a customer here is nobody's business.
    pub async fn sign_in_options(&self, issuer: Option<IssuerId>) -> Result<Vec<IdentityProvider>> {
        let mut found = Vec::new();
        for issuer in self.offered(issuer) {
            found.extend(self.providers_store().providers(issuer).await?);
        }
        found.retain(|provider| provider.status == Status::Active);
        Ok(found)
    }

    fn offered(&self, issuer: Option<IssuerId>) -> Vec<Option<IssuerId>> {
        if issuer.is_some() {
            return if self.is_open(issuer) { vec![issuer] } else { Vec::new() };
        }
        let catalog = self.0.engine.catalog();
        let mut open = catalog.issuers.values().filter(|issuer| issuer.status == Status::Active);
        match (open.next(), open.next()) {
            (Some(only), None) => vec![None, Some(only.id)],
            _ => vec![None],
        }
    }

    /// A provider that lets people in.
    pub async fn open_provider(&self, id: IdentityProviderId) -> Result<IdentityProvider> {
        let found = self.providers_store().provider(id).await?;
        let is_open = |of: &IdentityProvider| of.status == Status::Active && self.is_open(of.issuer);
        found.filter(is_open).ok_or(IdentityError::ProviderUnknown)
    }

    /// What a browser keeps while its user is at a provider.
    pub fn new_flow_token() -> Token {
        Self::new_token()
    }

    /// Notes that somebody was sent to a provider, and will bring this back.
    pub async fn begin_flow(
        &self,
        provider: &IdentityProvider,
        state: &str,
        page: SignInPage,
        origin: &Origin,
    ) -> Result<()> {
        let now = self.now();
        let from = origin.address.map(network).unwrap_or_default();
        let flow = SignInFlow {
            state_hash: hashed(state),
            provider: provider.id,
            issuer: provider.issuer,
            subject: self.guard_key("provider", &from),
            page,
            expires_at: now.plus_seconds(FLOW_SECONDS),
        };
        let store = self.providers_store();
        if store.begin_flow(&flow, now, FLOWS_OF_ADDRESS, FLOWS).await? {
            return Ok(());
        }
        Err(IdentityError::Locked { seconds: 60 })
    }

    /// Who comes back with this, once: from which provider, and where he goes on.
    pub async fn take_flow(&self, state: &str) -> Result<Option<(IdentityProvider, SignInPage)>> {
        let taken = self.providers_store().take_flow(hashed(state), self.now()).await?;
        let Some(flow) = taken else { return Ok(None) };
        Ok(Some((self.open_provider(flow.provider).await?, flow.page)))
    }

    /// Begins a session for somebody whom a provider has named. The first time, his verified address has to be the
    /// login of a user of the same issuer: nobody becomes a user by it.
    pub async fn sign_in_named(
        &self,
        provider: &IdentityProvider,
        named: Named<'_>,
        origin: &Origin,
    ) -> std::result::Result<Signed, Failed> {
        let user = self.named_user(provider, named).await.map_err(|error| (error, None))?;
        let begun = async {
            let trusted = provider.trusted_second_factor && named.two_factors;
            let factors = self.factors_of(user.id).await?;
            let stage = if trusted { SessionStage::Complete } else { self.stage_after_password(&factors) };
            let (token, session) = self.open_for(&user, stage, origin, Some(provider.id)).await?;
            Ok((token, session, factors))
        };
        match begun.await {
            Ok((token, session, factors)) => Ok(Signed { token, session, user, factors }),
            // Closed or unlinked meanwhile.
            Err(IdentityError::Storage(StorageError::Conflict { what: "provider" })) => {
                Err((IdentityError::LoginFailed, Some(user)))
            }
            Err(error) => Err((error, Some(user))),
        }
    }

    /// Whom a provider means.
    async fn named_user(&self, provider: &IdentityProvider, named: Named<'_>) -> Result<User> {
        let linked = self.providers_store().identity(provider.id, named.subject).await?;
        let user = match linked {
            Some(linked) => self.store().user(linked.user).await?,
            None => self.linked_first(provider, named).await?,
        };
        let fits = |user: &User| {
            user.issuer == provider.issuer && user.status == Status::Active && self.is_open(user.issuer)
        };
        user.filter(fits).ok_or(IdentityError::LoginFailed)
    }

    async fn linked_first(&self, provider: &IdentityProvider, named: Named<'_>) -> Result<Option<User>> {
        let Some(login) = named.verified_email.and_then(login::normalized) else { return Ok(None) };
        let user = self.store().user_by_login(&login).await?;
        let fits = |user: &User| user.issuer == provider.issuer && user.status == Status::Active;
        let Some(user) = user.filter(fits) else { return Ok(None) };
        let identity = LinkedIdentity {
            provider: provider.id,
            subject: named.subject.to_owned(),
            user: user.id,
            issuer: user.issuer,
            linked_at: self.now(),
        };
        match self.providers_store().link(&identity).await {
            Ok(()) => {
                tracing::info!(user = %user.id, provider = %provider.id, "a user was linked");
                Ok(Some(user))
            }
            Err(StorageError::Conflict { .. }) => {
                // Another request of his was first, or the provider has named him otherwise before.
                let linked = self.providers_store().identity(provider.id, named.subject).await?;
                Ok(linked.filter(|linked| linked.user == user.id).map(|_| user))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn hashed(state: &str) -> [u8; 32] {
    Sha256::digest(state.as_bytes()).into()
}

/// Brings the secrets of providers under the current key. Returns how many were not.
pub async fn reseal_providers(store: &dyn Store, vault: &vault::Vault) -> Result<u64> {
    let current = vault.keys().current_id();
    let (mut after, mut done) = (None, 0);
    loop {
        let found = store.providers_not_under(current, after, RESEALED_AT_ONCE).await?;
        let Some(last) = found.last() else { return Ok(done) };
        after = Some(last.id);
        let resealed = found.iter().map(|provider| reseal(vault, provider)).collect::<Result<Vec<_>>>()?;
        store.reseal_providers(&resealed).await?;
        done += u64::try_from(resealed.len()).unwrap_or(u64::MAX);
    }
}

fn reseal(vault: &vault::Vault, provider: &IdentityProvider) -> Result<(IdentityProviderId, Sealed)> {
    let context = provider.id.get();
    let sealed = SealedText { key_id: provider.secret.key_id, bytes: provider.secret.bytes.clone() };
    let plain = vault.open_text(context, purpose::PROVIDER_SECRET, &sealed);
    let plain = plain.map_err(|_| IdentityError::Internal("the secret of a provider does not open"))?;
    let fresh = vault.seal_text(context, purpose::PROVIDER_SECRET, &plain);
    let fresh = fresh.map_err(|_| IdentityError::Internal("a secret cannot be sealed"))?;
    Ok((provider.id, Sealed { key_id: fresh.key_id, bytes: fresh.bytes }))
}
