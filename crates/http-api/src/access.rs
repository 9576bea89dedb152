//! Who may call a route. Each route is registered with its access, and the gate refuses what has none.

use domain::catalog::{Client, Scope};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody.
    Public,
    /// A client with one of these scopes.
    AnyOf(&'static [Scope]),
}

impl Access {
    /// Whether this client may. `platform` counts only for clients of no issuer, and everything else
    /// only for clients of one: a platform client reaches nothing of an issuer's value.
    pub(crate) fn allows(self, client: &Client) -> bool {
        match self {
            Self::Public => true,
            Self::AnyOf(scopes) => scopes.iter().any(|scope| {
                let fits = (*scope == Scope::Platform) == client.issuer.is_none();
                fits && client.scopes.contains(scope)
            }),
        }
    }

    /// The scopes, for the documentation.
    pub(crate) fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Public => &[],
            Self::AnyOf(scopes) => scopes,
        }
    }
}
