//! The service: adding passkeys, removing them, and signing in with them, over the store and over `identity`.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{AuditEventId, PasskeyId, Timestamp, UserId};
use engine::Engine;
use identity::{Identity, IdentityError, Origin, SecondFactor, Signed, SignedIn};
use storage::{
    AnsweredChallenge, AuditEvent, Passkey, PasskeyRemoval, PasskeyStore, PasskeyUse, SessionStage,
    StorageError, User,
};

use crate::{
    ceremony::{self, Assertion, Attestation, Expected},
    challenge::{self, Purpose},
    client_data::ClientData,
    web_origin::WebOrigin,
};

/// Passkeys of one user.
const MOST: usize = 10;
/// How long after its beginning a session may add a passkey without the password: whoever finds a session that
/// somebody left open must not be able to make himself a key to come back with.
const FRESH_SECONDS: i64 = 600;
/// One use in so many forgets challenges that have ended.
const TIDY_EVERY: i64 = 16;
/// What the trail says of a passkey that may have been copied.
const COPIED: &str = "passkey.counted_back";

/// Why something about passkeys is refused.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// Something is wrong with the answer: nobody is told what.
    #[error("the passkey is not known here, or its answer is wrong, too late or used")]
    Refused,
    /// The page is at an address that has no passkeys.
    #[error("there are no passkeys at this address{0}")]
    NotHere(String),
    /// The session began too long ago.
    #[error("give your password: this session began more than ten minutes ago")]
    PasswordNeeded,
    /// The second factor is given first.
    #[error("give the second factor that you have first")]
    SecondFactorFirst,
    /// The session is at another step.
    #[error("this session does not wait for a second factor")]
    NotAsked,
    /// As many as fit.
    #[error("you have as many passkeys as fit; remove one first")]
    Full,
    /// The authenticator has one of ours already.
    #[error("this passkey is here already")]
    Taken,
    /// No such passkey of the user.
    #[error("no such passkey of yours; check the id")]
    Unknown,
    /// Something about people.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl From<StorageError> for PasskeyError {
    fn from(error: StorageError) -> Self {
        Self::Identity(IdentityError::Storage(error))
    }
}

/// Result of the service.
pub(crate) type Result<T> = std::result::Result<T, PasskeyError>;

/// Passkeys as a second factor, for [`identity::Identity`].
pub struct PasskeyFactor(Arc<dyn PasskeyStore>);

impl PasskeyFactor {
    /// Over this store.
    pub fn new(store: Arc<dyn PasskeyStore>) -> Self {
        Self(store)
    }
}

/// What they are called in answers.
const NAME: &str = "passkey";

#[async_trait]
impl SecondFactor for PasskeyFactor {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn is_set_up(&self, user: UserId) -> std::result::Result<bool, StorageError> {
        Ok(!self.0.passkeys(user).await?.is_empty())
    }

    async fn take_away(&self, user: &User) -> std::result::Result<(), StorageError> {
        self.0.remove_passkeys(user.id).await
    }
}

/// What a browser needs to make a passkey.
#[derive(Debug)]
pub struct CreationOffer {
    /// The challenge.
    pub challenge: Vec<u8>,
    /// For whom.
    pub rp_id: String,
    /// The user, as his authenticator knows him.
    pub user_handle: Vec<u8>,
    /// Credentials that he has: an authenticator with one of them makes no other.
    pub exclude: Vec<Vec<u8>>,
}

/// What a browser needs to use one.
#[derive(Debug)]
pub struct AssertionOffer {
    /// The challenge.
    pub challenge: Vec<u8>,
    /// For whom.
    pub rp_id: String,
    /// Credentials that are good; any that the authenticator has itself, if none is named.
    pub allow: Vec<Vec<u8>>,
    /// Whether the authenticator has to make sure that it is its owner.
    pub verified: bool,
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Passkeys {
    engine: Engine,
    identity: Identity,
    store: Arc<dyn PasskeyStore>,
    origins: Arc<[WebOrigin]>,
}

impl std::fmt::Debug for Passkeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passkeys").field("origins", &self.origins).finish_non_exhaustive()
    }
}

/// The user as authenticators know him: nothing but his id.
fn user_handle(user: UserId) -> Vec<u8> {
    user.get().to_be_bytes().to_vec()
}

impl Passkeys {
    /// Passkeys at these origins.
    pub fn new(engine: Engine, identity: Identity, origins: Vec<WebOrigin>) -> Self {
        let store = Arc::clone(engine.store()) as Arc<dyn PasskeyStore>;
        Self { engine, identity, store, origins: origins.into() }
    }

    /// Where passkeys are good.
    pub fn origins(&self) -> &[WebOrigin] {
        &self.origins
    }

    /// The origin of a page, as its browser names it. Programs name none, and get the first.
    fn origin(&self, named: Option<&str>) -> Result<&WebOrigin> {
        let found = match named {
            Some(named) => self.origins.iter().find(|origin| origin.as_str() == named),
            None => self.origins.first(),
        };
        found.ok_or_else(|| {
            let there = self.origins.first().map(|origin| format!("; open {origin}"));
            PasskeyError::NotHere(there.unwrap_or_default())
        })
    }

    /// A user's passkeys.
    pub async fn of(&self, user: UserId) -> Result<Vec<Passkey>> {
        Ok(self.store.passkeys(user).await?)
    }

    /// Begins to add a passkey to the user of a session that has just been proved, or proves itself by the password.
    pub async fn begin_adding(
        &self,
        signed_in: &SignedIn,
        password: Option<&identity::password::Password>,
        page: Option<&str>,
    ) -> Result<CreationOffer> {
        let session = &signed_in.session;
        if session.stage == SessionStage::SecondFactor {
            return Err(PasskeyError::SecondFactorFirst);
        }
        let origin = self.origin(page)?;
        let now = self.engine.now();
        if let Some(password) = password {
            self.identity.prove_password(signed_in, password).await?;
        } else if now >= session.created_at.plus_seconds(FRESH_SECONDS) {
            return Err(PasskeyError::PasswordNeeded);
        }
        let own = self.store.passkeys(session.user).await?;
        if own.len() >= MOST {
            return Err(PasskeyError::Full);
        }
        let here = own.into_iter().filter(|passkey| passkey.rp_id == origin.rp_id());
        Ok(CreationOffer {
            challenge: challenge::make(self.engine.vault(), Purpose::Add(session.id), origin, now),
            rp_id: origin.rp_id().to_owned(),
            user_handle: user_handle(session.user),
            exclude: here.map(|passkey| passkey.credential).collect(),
        })
    }

    /// Adds the passkey that a browser made.
    pub async fn add(&self, signed_in: &SignedIn, name: String, answer: &Attestation) -> Result<Passkey> {
        let session = &signed_in.session;
        if session.stage == SessionStage::SecondFactor {
            return Err(PasskeyError::SecondFactorFirst);
        }
        let (client, origin, challenge) = self.judge(&answer.client_data, Purpose::Add(session.id))?;
        let expected = Expected { origin, verified: false };
        let made = ceremony::made(answer, &client, expected).map_err(|_| PasskeyError::Refused)?;
        let passkey = Passkey {
            id: PasskeyId::new(self.engine.next_id()),
            user: session.user,
            issuer: session.issuer,
            name,
            rp_id: origin.rp_id().to_owned(),
            credential: made.credential,
            public_key: made.public_key,
            counter: made.counter,
            created_at: self.engine.now(),
            last_used_at: None,
        };
        match self.store.add_passkey(&passkey, challenge, MOST).await {
            Ok(()) => Ok(passkey),
            Err(StorageError::Conflict { what: "challenge" }) => Err(PasskeyError::Refused),
            Err(StorageError::Conflict { what: "passkeys" }) => Err(PasskeyError::Full),
            Err(StorageError::Conflict { what: "credential" }) => Err(PasskeyError::Taken),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a passkey, unless it is the last second factor where one is required.
    pub async fn remove(&self, user: UserId, id: PasskeyId) -> Result<()> {
        let even_last = match self.identity.check_removal(user, NAME).await {
            Ok(()) => true,
            Err(IdentityError::FactorRequired) => false,
            Err(error) => return Err(error.into()),
        };
        match self.store.remove_passkey(user, id, even_last).await? {
            PasskeyRemoval::Removed => Ok(()),
            PasskeyRemoval::Unknown => Err(PasskeyError::Unknown),
            PasskeyRemoval::Last => Err(IdentityError::FactorRequired.into()),
        }
    }

    /// Begins to sign in without a password.
    pub fn begin_sign_in(&self, page: Option<&str>) -> Result<AssertionOffer> {
        let origin = self.origin(page)?;
        let challenge = challenge::make(self.engine.vault(), Purpose::SignIn, origin, self.engine.now());
        Ok(AssertionOffer { challenge, rp_id: origin.rp_id().to_owned(), allow: Vec::new(), verified: true })
    }

    /// Signs in with a passkey alone: something one has, and what its authenticator knows its owner by.
    pub async fn sign_in(
        &self,
        answer: &Assertion,
        origin: &Origin,
    ) -> std::result::Result<Signed, (PasskeyError, Option<Passkey>)> {
        let found = self.store.passkey_by_credential(&answer.credential).await;
        let found = found.map_err(|error| (error.into(), None))?;
        let Some(passkey) = found else {
            // There is nothing to guess in a signature; what is limited is knocking.
            let counted = self.identity.count_stranger(origin).await;
            return Err((counted.err().map_or(PasskeyError::Refused, PasskeyError::from), None));
        };
        let signed = async {
            let named =
                answer.user_handle.as_ref().is_some_and(|handle| *handle == user_handle(passkey.user));
            self.identity.count_proof(passkey.user).await?;
            if !named {
                return Err(PasskeyError::Refused);
            }
            self.prove(&passkey, answer, Purpose::SignIn, origin).await?;
            match self.identity.sign_in_proved(passkey.user, origin).await {
                Err(IdentityError::LoginFailed) => Err(PasskeyError::Refused),
                signed => Ok(signed?),
            }
        };
        signed.await.map_err(|error| (error, Some(passkey.clone())))
    }

    /// Begins to give a passkey as the second factor of a session.
    pub async fn begin_proof(&self, signed_in: &SignedIn, page: Option<&str>) -> Result<AssertionOffer> {
        let session = &signed_in.session;
        if session.stage != SessionStage::SecondFactor {
            return Err(PasskeyError::NotAsked);
        }
        let origin = self.origin(page)?;
        let own = self.store.passkeys(session.user).await?.into_iter();
        let allow: Vec<Vec<u8>> =
            own.filter(|passkey| passkey.rp_id == origin.rp_id()).map(|passkey| passkey.credential).collect();
        if allow.is_empty() {
            return Err(PasskeyError::NotHere(String::new()));
        }
        let purpose = Purpose::SecondFactor(session.id);
        let challenge = challenge::make(self.engine.vault(), purpose, origin, self.engine.now());
        Ok(AssertionOffer { challenge, rp_id: origin.rp_id().to_owned(), allow, verified: false })
    }

    /// Judges a passkey as the second factor of a session.
    pub async fn prove_second(
        &self,
        signed_in: &SignedIn,
        answer: &Assertion,
        origin: &Origin,
    ) -> Result<()> {
        let user = signed_in.session.user;
        self.identity.count_proof(user).await?;
        let passkey = self.store.passkey_by_credential(&answer.credential).await?;
        let passkey = passkey.filter(|passkey| passkey.user == user).ok_or(PasskeyError::Refused)?;
        self.prove(&passkey, answer, Purpose::SecondFactor(signed_in.session.id), origin).await
    }

    /// Judges an answer of a passkey, and notes its use.
    async fn prove(
        &self,
        passkey: &Passkey,
        answer: &Assertion,
        purpose: Purpose,
        from: &Origin,
    ) -> Result<()> {
        let (client, origin, challenge) = self.judge(&answer.client_data, purpose)?;
        if passkey.rp_id != origin.rp_id() {
            return Err(PasskeyError::Refused);
        }
        let expected = Expected { origin, verified: purpose == Purpose::SignIn };
        let counter = ceremony::used(answer, &client, &passkey.public_key, expected);
        let counter = counter.map_err(|_| PasskeyError::Refused)?;
        let now = self.engine.now();
        match self.store.use_passkey(passkey.id, challenge, counter, now).await? {
            PasskeyUse::Noted => {}
            PasskeyUse::CountedBack => {
                self.note_copy(passkey, from).await?;
                return Err(PasskeyError::Refused);
            }
            PasskeyUse::Replayed | PasskeyUse::Gone => return Err(PasskeyError::Refused),
        }
        self.identity.clear_proofs(passkey.user).await?;
        self.tidy(now).await;
        Ok(())
    }

    /// What an answer says, from which of our pages, and its challenge, if that is one of ours for this.
    fn judge(
        &self,
        client_data: &[u8],
        purpose: Purpose,
    ) -> Result<(ClientData, &WebOrigin, AnsweredChallenge)> {
        let judged = || {
            let client = ClientData::read(client_data)?;
            let origin = self.origins.iter().find(|origin| origin.as_str() == client.origin)?;
            let challenge = client.challenge()?;
            let vault = self.engine.vault();
            let answered = challenge::judge(vault, purpose, origin, &challenge, self.engine.now())?;
            Some((client, origin, answered))
        };
        judged().ok_or(PasskeyError::Refused)
    }

    /// Two devices count: one of them has a copy. The owner cannot tell, so those who look after him have to.
    async fn note_copy(&self, passkey: &Passkey, from: &Origin) -> Result<()> {
        tracing::warn!(passkey = %passkey.id, "a passkey counts back: it may have been copied");
        let event = AuditEvent {
            id: AuditEventId::new(0),
            issuer: passkey.issuer,
            user: Some(passkey.user),
            session: None,
            at: Timestamp::from_micros(0),
            address: from.address.map(|address| address.to_string()),
            action: COPIED.to_owned(),
            object: Some(passkey.id.to_string()),
            status: 401,
            code: Some("login_failed".to_owned()),
            request_id: None,
        };
        Ok(self.identity.record(event).await?)
    }

    /// Tidying up belongs to those who make the mess: no job is needed for it.
    async fn tidy(&self, now: Timestamp) {
        if self.engine.next_id() % TIDY_EVERY != 0 {
            return;
        }
        if let Err(error) = self.store.forget_challenges(now).await {
            tracing::warn!(%error, "answered challenges could not be forgotten");
        }
    }
}
