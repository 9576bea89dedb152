//! Users, and their passwords.

use domain::{MerchantId, SessionId, StoreId, UserId, program::Status};
use storage::{Page, User, UserFilter};

use super::{Granter, Identity, SignedIn};
use crate::{
    error::{IdentityError, Result, of_conflict},
    login,
    password::{self, Password},
};

/// What changes of a user. What is not given stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// The version that the change is based on.
    pub version: u32,
    /// A new name.
    pub name: Option<String>,
    /// Whether he is let in.
    pub status: Option<Status>,
    /// His roles, all of them, by id or code.
    pub roles: Option<Vec<String>>,
    /// The merchant to which he is bound; `Some(None)` unbinds.
    pub merchant: Option<Option<MerchantId>>,
    /// The store to which he is bound; `Some(None)` unbinds.
    pub store: Option<Option<StoreId>>,
}

impl UserChange {
    fn is_of_rights(&self) -> bool {
        self.status.is_some() || self.roles.is_some() || self.merchant.is_some() || self.store.is_some()
    }
}

impl Identity {
    /// Users within reach.
    pub async fn users(
        &self,
        by: &Granter,
        merchant: Option<MerchantId>,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Page<User>> {
        let filter = UserFilter { issuer: by.issuer, merchant: by.merchant.or(merchant) };
        Ok(self.store().users(filter, after, limit).await?)
    }

    /// A user within reach.
    pub async fn user(&self, by: &Granter, id: UserId) -> Result<User> {
        let found = self.store().user(id).await?;
        found.filter(|user| by.reaches(user.issuer, user.merchant)).ok_or(IdentityError::UserUnknown)
    }

    /// A user, whoever asks.
    pub async fn user_by_id(&self, id: UserId) -> Result<Option<User>> {
        Ok(self.store().user(id).await?)
    }

    /// A user by his login, whoever asks.
    pub async fn user_by_login(&self, login: &str) -> Result<Option<User>> {
        let Some(login) = login::normalized(login) else { return Ok(None) };
        Ok(self.store().user_by_login(&login).await?)
    }

    /// Makes a user with a password, without an invitation: for the command line and the demo.
    pub async fn create_user(
        &self,
        by: &Granter,
        user: User,
        names: &[String],
        password: &Password,
    ) -> Result<User> {
        let login = login::normalized(&user.login);
        let login = login.ok_or(IdentityError::LoginInvalid(WHAT_A_LOGIN_IS))?;
        password::check(password, &login).map_err(IdentityError::PasswordWeak)?;
        let roles = self.grantable(by, user.issuer, names).await?;
        let now = self.now();
        let user = User {
            id: UserId::new(self.next_id()),
            login,
            roles,
            status: Status::Active,
            created_at: now,
            version: 1,
            ..user
        };
        if !self.place_fits(user.issuer, user.merchant, user.store) {
            return Err(IdentityError::BeyondOwn("a merchant or store of another"));
        }
        let hash = self.0.hasher.hash(password).await?;
        self.store().put_user(&user, None).await.map_err(of_conflict)?;
        self.store().put_password(&user, &hash, now, None).await?;
        Ok(user)
    }

    /// Changes a user. What takes or gives rights ends his sessions.
    pub async fn change_user(&self, by: &Granter, id: UserId, change: UserChange) -> Result<User> {
        let known = self.user(by, id).await?;
        self.check_outranks(by, &known).await?;
        let of_rights = change.is_of_rights();
        if of_rights && id.principal() == by.principal {
            return Err(IdentityError::OwnRights);
        }
        if change.version != known.version {
            return Err(IdentityError::VersionConflict);
        }
        let roles = match &change.roles {
            Some(names) => self.grantable(by, known.issuer, names).await?,
            None => known.roles.clone(),
        };
        let merchant = change.merchant.unwrap_or(known.merchant);
        let moved = merchant != known.merchant;
        let store = change.store.unwrap_or(if moved { None } else { known.store });
        let version = known.version.checked_add(1).ok_or(IdentityError::VersionConflict)?;
        let user = User {
            name: change.name.unwrap_or(known.name),
            status: change.status.unwrap_or(known.status),
            roles,
            merchant,
            store,
            version,
            ..known
        };
        if !by.reaches(user.issuer, user.merchant) || !self.place_fits(user.issuer, user.merchant, user.store)
        {
            return Err(IdentityError::BeyondOwn("a merchant or store that is not within reach"));
        }
        self.store().put_user(&user, of_rights.then(|| self.now())).await.map_err(of_conflict)?;
        self.0.cache.forget(user.id);
        Ok(user)
    }

    /// Whoever changes a user must be able to give all that he has.
    pub async fn check_outranks(&self, by: &Granter, user: &User) -> Result<()> {
        let held = self.store().roles_by_id(&user.roles).await?;
        let held = held.iter().flat_map(|role| role.permissions.iter().copied()).collect();
        by.check_grant(user.issuer, &held)
    }

    /// Changes one's own password. All other sessions end.
    pub async fn change_password(
        &self,
        signed_in: &SignedIn,
        current: &Password,
        new: &Password,
    ) -> Result<()> {
        let user = &signed_in.user;
        self.attempt(&[(self.guard_key("own password", &user.id.to_string()), super::sign_in::LOGIN)])
            .await?;
        let stored = self.store().password(user.id).await?;
        if !self.0.hasher.verify(current, stored).await? {
            return Err(IdentityError::PasswordWrong);
        }
        self.set_password(user, new, Some(signed_in.session.id)).await?;
        Ok(self.store().clear_attempts(self.guard_key("own password", &user.id.to_string())).await?)
    }

    /// Sets a password, and ends all sessions but the one that is kept.
    pub async fn set_password(&self, user: &User, new: &Password, keep: Option<SessionId>) -> Result<()> {
        password::check(new, &user.login).map_err(IdentityError::PasswordWeak)?;
        let hash = self.0.hasher.hash(new).await?;
        self.store().put_password(user, &hash, self.now(), keep).await?;
        self.0.cache.forget(user.id);
        Ok(())
    }

    /// Names of users, for lists that show who did something. What is not there is left out.
    pub async fn names(&self, ids: &[UserId]) -> Result<Vec<(UserId, String)>> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(self.store().user(*id).await?.map(|user| (user.id, user.name)));
        }
        Ok(found)
    }
}

pub(super) const WHAT_A_LOGIN_IS: &str =
    "a login is an e-mail address, or 3 to 100 letters, digits and . - _ @ + without spaces";
