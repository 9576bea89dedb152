//! The accounts between which value moves.

use crate::{CardId, Channel, IssuerId, MerchantId};

/// An account of an issuer's ledger. Every transfer debits one and credits another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// Liability: value on a card.
    Card(CardId),
    /// Payable: what a merchant is owed.
    Merchant(MerchantId),
    /// Clearing: cash that a sales channel owes.
    Channel(Channel),
    /// Expense that funds bonus value.
    Promotion(IssuerId),
    /// Income from settlement fees.
    Fees(IssuerId),
    /// Income from value that will never be redeemed.
    Breakage(IssuerId),
    /// Liability: expired value that can still be claimed.
    Residual(IssuerId),
    /// Cash.
    Bank(IssuerId),
    /// Differences that wait for an explanation.
    Suspense(IssuerId),
}

/// The kind of an account, with the number it is stored under. Numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountKind {
    /// See [`Account::Card`].
    Card,
    /// See [`Account::Merchant`].
    Merchant,
    /// See [`Account::Channel`].
    Channel,
    /// See [`Account::Promotion`].
    Promotion,
    /// See [`Account::Fees`].
    Fees,
    /// See [`Account::Breakage`].
    Breakage,
    /// See [`Account::Residual`].
    Residual,
    /// See [`Account::Bank`].
    Bank,
    /// See [`Account::Suspense`].
    Suspense,
}

impl AccountKind {
    /// All kinds, in the order of their numbers (1, 2, …).
    pub const ALL: [Self; 9] = [
        Self::Card,
        Self::Merchant,
        Self::Channel,
        Self::Promotion,
        Self::Fees,
        Self::Breakage,
        Self::Residual,
        Self::Bank,
        Self::Suspense,
    ];

    /// The number it is stored under.
    pub const fn number(self) -> i64 {
        match self {
            Self::Card => 1,
            Self::Merchant => 2,
            Self::Channel => 3,
            Self::Promotion => 4,
            Self::Fees => 5,
            Self::Breakage => 6,
            Self::Residual => 7,
            Self::Bank => 8,
            Self::Suspense => 9,
        }
    }

    /// The kind with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The name in texts: `card`, `merchant`, …
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Merchant => "merchant",
            Self::Channel => "channel",
            Self::Promotion => "promotion",
            Self::Fees => "fees",
            Self::Breakage => "breakage",
            Self::Residual => "residual",
            Self::Bank => "bank",
            Self::Suspense => "suspense",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Account {
    /// Its kind.
    pub const fn kind(self) -> AccountKind {
        match self {
            Self::Card(_) => AccountKind::Card,
            Self::Merchant(_) => AccountKind::Merchant,
            Self::Channel(_) => AccountKind::Channel,
            Self::Promotion(_) => AccountKind::Promotion,
            Self::Fees(_) => AccountKind::Fees,
            Self::Breakage(_) => AccountKind::Breakage,
            Self::Residual(_) => AccountKind::Residual,
            Self::Bank(_) => AccountKind::Bank,
            Self::Suspense(_) => AccountKind::Suspense,
        }
    }

    /// The integer that says which account of its kind, as stored beside the kind's number.
    pub const fn reference(self) -> i64 {
        match self {
            Self::Card(id) => id.get(),
            Self::Merchant(id) => id.get(),
            Self::Channel(channel) => channel.packed(),
            Self::Promotion(id)
            | Self::Fees(id)
            | Self::Breakage(id)
            | Self::Residual(id)
            | Self::Bank(id)
            | Self::Suspense(id) => id.get(),
        }
    }

    /// The account stored under this kind and reference.
    pub fn from_stored(kind: AccountKind, reference: i64) -> Option<Self> {
        let issuer = IssuerId::new(reference);
        Some(match kind {
            AccountKind::Card => Self::Card(CardId::new(reference)),
            AccountKind::Merchant => Self::Merchant(MerchantId::new(reference)),
            AccountKind::Channel => Self::Channel(Channel::from_packed(reference).ok()?),
            AccountKind::Promotion => Self::Promotion(issuer),
            AccountKind::Fees => Self::Fees(issuer),
            AccountKind::Breakage => Self::Breakage(issuer),
            AccountKind::Residual => Self::Residual(issuer),
            AccountKind::Bank => Self::Bank(issuer),
            AccountKind::Suspense => Self::Suspense(issuer),
        })
    }

    /// Reads `card:card_…`, `merchant:mer_…`, `channel:web`, `fees:iss_…` …
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, reference) = text.split_once(':')?;
        let kind = AccountKind::from_name(kind)?;
        let number = match kind {
            AccountKind::Card => CardId::parse(reference).ok()?.get(),
            AccountKind::Merchant => MerchantId::parse(reference).ok()?.get(),
            AccountKind::Channel => Channel::parse(reference).ok()?.packed(),
            _ => IssuerId::parse(reference).ok()?.get(),
        };
        Self::from_stored(kind, number)
    }
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.kind().name();
        match self {
            Self::Card(id) => write!(f, "{kind}:{id}"),
            Self::Merchant(id) => write!(f, "{kind}:{id}"),
            Self::Channel(channel) => write!(f, "{kind}:{channel}"),
            Self::Promotion(id)
            | Self::Fees(id)
            | Self::Breakage(id)
            | Self::Residual(id)
            | Self::Bank(id)
            | Self::Suspense(id) => write!(f, "{kind}:{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_stored_forms_round_trip() {
        let issuer = IssuerId::new(7);
        let accounts = [
            Account::Card(CardId::new(1)),
            Account::Merchant(MerchantId::new(2)),
            Account::Channel(Channel::parse("web").expect("a name")),
            Account::Promotion(issuer),
            Account::Fees(issuer),
            Account::Breakage(issuer),
            Account::Residual(issuer),
            Account::Bank(issuer),
            Account::Suspense(issuer),
        ];
        for account in accounts {
            assert_eq!(Account::parse(&account.to_string()), Some(account));
            assert_eq!(Account::from_stored(account.kind(), account.reference()), Some(account));
            assert_eq!(AccountKind::from_number(account.kind().number()), Some(account.kind()));
        }
        for bad in ["", "card", "card:", "card:mer_0000000000002", "gold:iss_0000000000007", "channel:WEB"] {
            assert_eq!(Account::parse(bad), None, "{bad}");
        }
    }
}
