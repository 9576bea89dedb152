//! The port of second factors. Signing in asks which of them a user has and knows nothing of how they work: each
//! proves by its own routes, and then has the session completed with [`crate::Identity::complete`].

use async_trait::async_trait;
use domain::UserId;
use storage::{StorageError, User};

/// A kind of second factor.
#[async_trait]
pub trait SecondFactor: Send + Sync {
    /// Its name in answers, such as `totp`.
    fn name(&self) -> &'static str;

    /// Whether the user has set it up.
    async fn is_set_up(&self, user: UserId) -> Result<bool, StorageError>;

    /// Takes it away, for a user who has lost it.
    async fn take_away(&self, user: &User) -> Result<(), StorageError>;
}
