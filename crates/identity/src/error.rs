//! Why something about people is refused.

use storage::StorageError;

/// Why it is refused.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The login is unknown, the password is wrong, or the user is closed: nobody is told which.
    #[error("the name or the password is wrong")]
    LoginFailed,
    /// Too many tries.
    #[error("too many tries; wait")]
    Locked {
        /// Seconds until the next is let through.
        seconds: u64,
    },
    /// The one-time password or recovery code is wrong or was used.
    #[error("the code is wrong, or was used before")]
    CodeWrong,
    /// The session has ended, or is not at this step.
    #[error("the session has ended; sign in again")]
    SessionEnded,
    /// The password is too easy to guess.
    #[error("{0}")]
    PasswordWeak(&'static str),
    /// The current password is wrong.
    #[error("the current password is wrong")]
    PasswordWrong,
    /// Somebody has this login.
    #[error("somebody has this login already; choose another")]
    LoginTaken,
    /// The text cannot be a login.
    #[error("{0}")]
    LoginInvalid(&'static str),
    /// The issuer has a role with this code.
    #[error("there is a role with this code already; choose another")]
    CodeTaken,
    /// No such user within reach.
    #[error("there is no such user")]
    UserUnknown,
    /// No such identity provider within reach, or it lets nobody in.
    #[error("there is no such identity provider; check the id")]
    ProviderUnknown,
    /// The provider cannot be like that.
    #[error("{0}")]
    ProviderRefused(&'static str),
    /// No such role within reach.
    #[error("there is no such role")]
    RoleUnknown,
    /// Roles that come with the program are the same for all.
    #[error("a role that comes with the program does not change; make one of your own")]
    RoleBuiltIn,
    /// Nobody grants what he does not have.
    #[error("this grants what you do not have yourself: {0}")]
    BeyondOwn(&'static str),
    /// Nobody changes his own rights.
    #[error("nobody changes his own rights; ask another administrator")]
    OwnRights,
    /// The invitation is unknown, was used, was withdrawn or has run out.
    #[error("the invitation is not good any more; ask for another")]
    InvitationEnded,
    /// Somebody else changed it first.
    #[error("somebody else changed it first; read it again and repeat the change")]
    VersionConflict,
    /// A generator of one-time passwords is in use.
    #[error("one-time passwords are set up already; remove them first")]
    TotpInUse,
    /// None was begun.
    #[error("begin to set one-time passwords up first")]
    TotpNotBegun,
    /// The last second factor stays where one is required.
    #[error("a second factor is required here; set another up before this one is removed")]
    FactorRequired,
    /// Something is full.
    #[error("{0}")]
    Full(&'static str),
    /// A name is taken.
    #[error("a view of this list has this name already; choose another")]
    NameTaken,
    /// Too many are checking passwords.
    #[error("too many are signing in; try again in a second")]
    Busy,
    /// The server is at fault.
    #[error("the server is at fault: {0}")]
    Internal(&'static str),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Result of a service.
pub type Result<T> = std::result::Result<T, IdentityError>;

/// Gives conflicts of the store their meaning.
pub(crate) fn of_conflict(error: StorageError) -> IdentityError {
    match error {
        StorageError::Conflict { what: "login" } => IdentityError::LoginTaken,
        StorageError::Conflict { what: "code" } => IdentityError::CodeTaken,
        StorageError::Conflict { what: "version" } => IdentityError::VersionConflict,
        StorageError::Conflict { what: "invitation" } => IdentityError::InvitationEnded,
        StorageError::Conflict { what: "totp" } => IdentityError::TotpInUse,
        StorageError::Conflict { what: "views" } => {
            IdentityError::Full("you have as many saved views as fit; delete one first")
        }
        StorageError::Conflict { what: "name" } => IdentityError::NameTaken,
        error => IdentityError::Storage(error),
    }
}
