//! Second factors, whatever they are.

use domain::UserId;
use storage::{SessionsOf, StorageError, User};

use super::{
    Identity, Origin, SignedIn,
    sign_in::{ADDRESS, LOGIN, network},
};
use crate::{
    error::{IdentityError, Result},
    password::Password,
};

impl Identity {
    /// The names of the second factors that a user has set up.
    pub async fn factors_of(&self, user: UserId) -> std::result::Result<Vec<&'static str>, StorageError> {
        let mut found = Vec::new();
        for factor in &self.0.factors {
            if factor.is_set_up(user).await? {
                found.push(factor.name());
            }
        }
        Ok(found)
    }

    /// Refuses to remove the last one where one is required.
    pub async fn check_removal(&self, user: UserId, name: &str) -> Result<()> {
        let others = self.factors_of(user).await?.into_iter().any(|factor| factor != name);
        if others || !self.0.policy.second_factor_required {
            Ok(())
        } else {
            Err(IdentityError::FactorRequired)
        }
    }

    /// Takes all second factors away, for a user who has lost them, and ends his sessions: the next time he signs
    /// in he sets one up anew.
    pub async fn reset_factors(&self, user: &User) -> Result<()> {
        for factor in &self.0.factors {
            factor.take_away(user).await?;
        }
        self.store().end_sessions(user.id, SessionsOf::All, self.now()).await?;
        self.0.cache.forget(user.id);
        Ok(())
    }

    /// Counts a try of a user at a factor that has no count of its own, before it is judged.
    pub async fn count_proof(&self, user: UserId) -> Result<()> {
        self.attempt(&[(self.guard_key("proof", &user.to_string()), LOGIN)]).await
    }

    /// Forgets such tries: one succeeded.
    pub async fn clear_proofs(&self, user: UserId) -> Result<()> {
        Ok(self.store().clear_attempts(self.guard_key("proof", &user.to_string())).await?)
    }

    /// Counts a try that belongs to nobody on the address that it came from.
    pub async fn count_stranger(&self, origin: &Origin) -> Result<()> {
        let Some(address) = origin.address else { return Ok(()) };
        self.attempt(&[(self.guard_key("address", &network(address)), ADDRESS)]).await
    }

    /// Judges the password of somebody who is signed in, once more.
    pub async fn prove_password(&self, signed_in: &SignedIn, password: &Password) -> Result<()> {
        let user = signed_in.user.id;
        let guard = self.guard_key("own password", &user.to_string());
        self.attempt(&[(guard, LOGIN)]).await?;
        let stored = self.store().password(user).await?;
        if !self.0.hasher.verify(password, stored).await? {
            return Err(IdentityError::PasswordWrong);
        }
        Ok(self.store().clear_attempts(guard).await?)
    }
}
