//! Who may call a route. Each route is registered with its access, and the gate refuses what has none.

use domain::catalog::{Client, Scope};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody.
    Public,
    /// A card holder who is signed in: the handler asks for one, and there are no scopes.
    Holder,
    /// A client with one of these scopes.
    AnyOf(&'static [Scope]),
    /// Any user who is signed in. No client: it is about the user himself.
    SignedIn,
    /// The same, or one who is about to be: a password was right, and a second factor is awaited.
    Begun,
}

impl Access {
    /// Whether this route is about the user who calls himself.
    pub(crate) fn is_personal(self) -> bool {
        matches!(self, Self::SignedIn | Self::Begun)
    }

    /// Whether this client may. `platform` counts only for clients of no issuer, and everything else
    /// only for clients of one: a platform client reaches nothing of an issuer's value.
    pub(crate) fn allows(self, client: &Client) -> bool {
        match self {
            Self::Public | Self::Holder => true,
            // Who has a session was let in by it, and is looked at before.
            Self::SignedIn | Self::Begun => false,
            Self::AnyOf(scopes) => scopes.iter().any(|scope| {
                let fits = (*scope == Scope::Platform) == client.issuer.is_none();
                fits && client.scopes.contains(scope)
            }),
        }
    }

    /// Whether a permission to read is enough: then the route changes nothing, whatever its method. That is how a
    /// question whose parameters do not belong into a URL is asked.
    pub(crate) fn only_reads(self) -> bool {
        self.scopes().iter().any(|scope| reads(*scope))
    }

    /// The scopes, for the documentation.
    pub(crate) fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Public | Self::Holder | Self::SignedIn | Self::Begun => &[],
            Self::AnyOf(scopes) => scopes,
        }
    }
}

/// Whether a scope lets one see and not change.
const fn reads(scope: Scope) -> bool {
    matches!(
        scope,
        Scope::CatalogRead
            | Scope::CardsRead
            | Scope::LedgerRead
            | Scope::SettlementRead
            | Scope::AccountingRead
            | Scope::ReconciliationRead
            | Scope::AuditRead
            | Scope::ServiceRead
    )
}
