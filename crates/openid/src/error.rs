//! Why signing in through a provider failed.

/// Why. The texts are for the operator's log: they never contain what a provider or a browser sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenIdError {
    /// No answer, or none that is one.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(&'static str),
    /// An answer that lets nobody in.
    #[error("the provider's answer is refused: {0}")]
    Refused(&'static str),
}
