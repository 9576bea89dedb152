//! What does not agree, and what would correct it.

use domain::{Account, IssuerId};

/// How two sides disagree. Names never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// They have it and we do not.
    MissingHere,
    /// We have it and they do not.
    MissingThere,
    /// Both have it, with different amounts.
    AmountDiffers,
    /// One side has it twice.
    Duplicate,
    /// It took place on one side only: failed, declined or undone on the other.
    StatusDiffers,
    /// Both have it, further apart in time than is usual.
    Late,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 6] = [
        Self::MissingHere,
        Self::MissingThere,
        Self::AmountDiffers,
        Self::Duplicate,
        Self::StatusDiffers,
        Self::Late,
    ];

    /// The name in texts and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingHere => "missing_here",
            Self::MissingThere => "missing_there",
            Self::AmountDiffers => "amount_differs",
            Self::Duplicate => "duplicate",
            Self::StatusDiffers => "status_differs",
            Self::Late => "late",
        }
    }

    /// The class with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// One difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// How the sides disagree.
    pub class: Class,
    /// The position of the line among the lines, where they have one.
    pub line: Option<u32>,
    /// The position of the own record among the own records, where we have one.
    pub own: Option<u32>,
    /// What moved by our books, in minor units.
    pub here: i64,
    /// What moved by theirs.
    pub there: i64,
}

impl Difference {
    /// What our books would have to move for both to agree, if they are right. Nothing where they are not:
    /// what they have twice is theirs to mend, and what is only late mends itself.
    pub fn correction(&self) -> i64 {
        match self.class {
            Class::Late => 0,
            Class::Duplicate if self.own.is_none() => 0,
            // Amounts are at most 2^53 each, so this cannot overflow.
            _ => self.there.saturating_sub(self.here),
        }
    }
}

/// A transfer that would make an account agree: debit and credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The account that gives.
    pub debit: Account,
    /// The account that receives.
    pub credit: Account,
    /// How much, in minor units.
    pub amount: i64,
}

impl Correction {
    /// What moves `delta` into `account`, seen as its owner's file sees it: a merchant's file grows with what
    /// is owed to the merchant (a credit), a channel's with the money it collected (a debit). The other side
    /// is the issuer's suspense account. Nothing for a bank account: money there moves by payouts and
    /// payments, never by correction.
    pub fn of(account: Account, issuer: IssuerId, delta: i64) -> Option<Self> {
        let suspense = Account::Suspense(issuer);
        let grows_by_credit = match account {
            Account::Merchant(_) => true,
            Account::Channel(_) => false,
            _ => return None,
        };
        let amount = delta.checked_abs().filter(|amount| *amount > 0)?;
        let into = (delta > 0) == grows_by_credit;
        let (debit, credit) = if into { (suspense, account) } else { (account, suspense) };
        Some(Self { debit, credit, amount })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Channel, MerchantId};

    #[test]
    fn corrections_go_the_right_way() {
        let issuer = IssuerId::new(1);
        let (merchant, suspense) = (Account::Merchant(MerchantId::new(2)), Account::Suspense(issuer));
        let channel = Account::Channel(Channel::parse("web").expect("a name"));
        let check = |account, delta, expect: Option<(Account, Account, i64)>| {
            let found = Correction::of(account, issuer, delta);
            assert_eq!(found.map(|c| (c.debit, c.credit, c.amount)), expect);
        };
        check(merchant, 5, Some((suspense, merchant, 5)));
        check(merchant, -5, Some((merchant, suspense, 5)));
        check(channel, 5, Some((channel, suspense, 5)));
        check(channel, -5, Some((suspense, channel, 5)));
        check(merchant, 0, None);
        check(Account::Bank(issuer), 5, None);
        check(merchant, i64::MIN, None);
    }
}
