//! The services: people over the store. One file for each concern.

mod invitations;
mod openid;
mod roles;
mod second_factor;
mod sessions;
mod sign_in;
mod totp;
mod trail;
mod users;

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    IssuerId, MerchantId, Role, Timestamp,
    catalog::{Client, Scope},
    program::Status,
    role::Limits,
};
use engine::Engine;
use storage::{IdentityStore, Session, User};
use vault::{OsRandomness, Vault};

use crate::{Token, cache::Cache, factor::SecondFactor, hasher::Hasher};

pub use invitations::{Invited, NewInvitation};
pub use openid::{FLOW_SECONDS, Named, NewProvider, ProviderChange, Secret, reseal_providers};
pub use roles::Granter;
pub use sign_in::{Failed, Origin, Signed};
pub use totp::TotpOffer;
pub use users::UserChange;

/// How signing in works here.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Whether everybody needs a second factor. Without, those who have set one up are still asked for it.
    pub second_factor_required: bool,
    /// Seconds without a request after which a session ends.
    pub idle_seconds: i64,
    /// Seconds after which it ends in any case.
    pub absolute_seconds: i64,
    /// Seconds within which the steps of signing in have to be done.
    pub pending_seconds: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            second_factor_required: true,
            idle_seconds: 15 * 60,
            absolute_seconds: 12 * 3600,
            pending_seconds: 10 * 60,
        }
    }
}

/// Somebody who is signed in, with all that his roles give him.
#[derive(Debug)]
pub struct SignedIn {
    /// The session, as it was read.
    pub session: Session,
    /// The user.
    pub user: User,
    /// His roles.
    pub roles: Vec<Role>,
    /// What they permit together.
    pub permissions: BTreeSet<Scope>,
    /// How much of it without a second person.
    pub limits: Limits,
    /// The user as what everything in the system is done by.
    pub client: Arc<Client>,
}

/// Requests per second of one user, averaged.
const USER_RATE: u32 = 100;

impl SignedIn {
    fn new(session: Session, user: User, roles: Vec<Role>) -> Self {
        let permissions: BTreeSet<Scope> =
            roles.iter().flat_map(|role| role.permissions.iter().copied()).collect();
        let limits = roles.iter().fold(Limits::NONE, |limits, role| limits.highest(role.limits));
        let client = Client {
            id: user.id.principal(),
            issuer: user.issuer,
            merchant: user.merchant,
            name: user.name.clone(),
            scopes: permissions.clone(),
            // No key has this hash: nobody authenticates as a user's principal but the user.
            secret_hash: [0; 32],
            rate_per_second: USER_RATE,
            status: Status::Active,
            created_at: user.created_at,
            version: user.version,
        };
        Self { session, user, roles, permissions, limits, client: Arc::new(client) }
    }
}

/// The services. Cheap to clone.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    engine: Engine,
    store: Arc<dyn IdentityStore>,
    policy: Policy,
    hasher: Hasher,
    cache: Cache,
    factors: Vec<Arc<dyn SecondFactor>>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("policy", &self.0.policy).finish_non_exhaustive()
    }
}

impl Identity {
    /// The services over the engine's store. Second factors beside one-time passwords are given.
    pub fn new(engine: Engine, policy: Policy, mut factors: Vec<Arc<dyn SecondFactor>>) -> Self {
        let store: Arc<dyn IdentityStore> = Arc::clone(engine.store()) as Arc<dyn IdentityStore>;
        factors.insert(0, Arc::new(totp::TotpFactor(Arc::clone(&store))));
        let inner = Inner { engine, store, policy, hasher: Hasher::new(), cache: Cache::default(), factors };
        Self(Arc::new(inner))
    }

    /// How signing in works here.
    pub fn policy(&self) -> Policy {
        self.0.policy
    }

    /// Makes ready what the first stranger would otherwise wait for. To be run where blocking is allowed.
    pub fn warm_up() {
        crate::hasher::warm_up();
    }

    fn store(&self) -> &dyn IdentityStore {
        &*self.0.store
    }

    fn vault(&self) -> &Vault {
        self.0.engine.vault()
    }

    fn now(&self) -> Timestamp {
        self.0.engine.now()
    }

    fn next_id(&self) -> i64 {
        self.0.engine.next_id()
    }

    fn new_token() -> Token {
        Token::generate(&mut OsRandomness::new())
    }

    /// Whether people of this issuer are let in at all.
    fn is_open(&self, issuer: Option<IssuerId>) -> bool {
        let catalog = self.0.engine.catalog();
        let open = |id| catalog.issuers.get(&id).is_some_and(|issuer| issuer.status == Status::Active);
        issuer.is_none_or(open)
    }

    /// Whether a merchant is the issuer's, and a store the merchant's.
    fn place_fits(
        &self,
        issuer: Option<IssuerId>,
        merchant: Option<MerchantId>,
        store: Option<domain::StoreId>,
    ) -> bool {
        let catalog = self.0.engine.catalog();
        let merchant_fits =
            merchant.is_none_or(|id| catalog.merchants.get(&id).is_some_and(|m| Some(m.issuer) == issuer));
        let store_fits =
            store.is_none_or(|id| catalog.stores.get(&id).is_some_and(|s| Some(s.merchant) == merchant));
        merchant_fits && store_fits
    }
}
