//! Roles of users: what they may do, and up to which amount without a second person.
//!
//! A role is data. Those that come with the program belong to no issuer and are the same for all; an issuer
//! adds its own. A user has one or several: his permissions are all of them together, and his limit for a kind
//! of work is the highest of them.

use std::collections::BTreeSet;

use crate::{Amount, IssuerId, RoleId, Timestamp, catalog::Scope};

/// Work for which a second person is needed beyond a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitKind {
    /// Making cards: their face value together.
    Issue,
    /// Adjusting a balance, up or down.
    Adjust,
    /// Refunding without a redemption.
    UnlinkedRefund,
    /// Agreeing on terms of settlement. These have no amount: a limit of zero asks for a second person, any
    /// other does not.
    Terms,
}

impl LimitKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Issue, Self::Adjust, Self::UnlinkedRefund, Self::Terms];

    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Adjust => "adjust",
            Self::UnlinkedRefund => "unlinked_refund",
            Self::Terms => "terms",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How much of one kind of work needs no second person, in minor units of whatever currency the work is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Limit {
    /// For one operation.
    pub per_operation: Amount,
    /// For a business day of the issuer, all operations of the user together.
    pub per_day: Amount,
}

impl Limit {
    /// Everything needs a second person.
    pub const NONE: Self = Self { per_operation: Amount::ZERO, per_day: Amount::ZERO };
    /// Nothing needs one.
    pub const UNLIMITED: Self = Self { per_operation: Amount::MAX, per_day: Amount::MAX };

    /// Whether an operation of this amount needs no second person, after what was done on the day before it.
    /// Without an amount, as with terms, any limit above zero will do.
    pub fn allows(self, amount: Amount, done_today: Amount) -> bool {
        let together = done_today.checked_add(amount).unwrap_or(Amount::MAX);
        !self.per_operation.is_zero() && amount <= self.per_operation && together <= self.per_day
    }

    fn highest(self, other: Self) -> Self {
        Self {
            per_operation: self.per_operation.max(other.per_operation),
            per_day: self.per_day.max(other.per_day),
        }
    }
}

/// Limits for every kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Limits {
    /// Making cards.
    pub issue: Limit,
    /// Adjusting balances.
    pub adjust: Limit,
    /// Refunding without a redemption.
    pub unlinked_refund: Limit,
    /// Agreeing on terms.
    pub terms: Limit,
}

impl Limits {
    /// A second person for everything.
    pub const NONE: Self =
        Self { issue: Limit::NONE, adjust: Limit::NONE, unlinked_refund: Limit::NONE, terms: Limit::NONE };

    /// The limit for this kind.
    pub const fn of(&self, kind: LimitKind) -> Limit {
        match kind {
            LimitKind::Issue => self.issue,
            LimitKind::Adjust => self.adjust,
            LimitKind::UnlinkedRefund => self.unlinked_refund,
            LimitKind::Terms => self.terms,
        }
    }

    /// The same place, to change it.
    pub const fn of_mut(&mut self, kind: LimitKind) -> &mut Limit {
        match kind {
            LimitKind::Issue => &mut self.issue,
            LimitKind::Adjust => &mut self.adjust,
            LimitKind::UnlinkedRefund => &mut self.unlinked_refund,
            LimitKind::Terms => &mut self.terms,
        }
    }

    /// The higher of both for every kind.
    #[must_use]
    pub fn highest(self, other: Self) -> Self {
        Self {
            issue: self.issue.highest(other.issue),
            adjust: self.adjust.highest(other.adjust),
            unlinked_refund: self.unlinked_refund.highest(other.unlinked_refund),
            terms: self.terms.highest(other.terms),
        }
    }
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Its issuer; roles that come with the program have none.
    pub issuer: Option<IssuerId>,
    /// Its name for programs: unique within the issuer, and not one of those that come with the program.
    pub code: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// What it lets do.
    pub permissions: BTreeSet<Scope>,
    /// How much of that without a second person.
    pub limits: Limits,
    /// When it was created.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(minor: i64) -> Amount {
        Amount::new(minor).expect("an amount")
    }

    #[test]
    fn a_limit_counts_the_operation_and_the_day() {
        let limit = Limit { per_operation: amount(100), per_day: amount(250) };
        for (asked, done, expect) in [
            (100, 0, true),
            (101, 0, false),
            (100, 150, true),
            (100, 151, false),
            (0, 250, true),
            (1, 250, false),
            (100, Amount::MAX.get(), false),
        ] {
            assert_eq!(limit.allows(amount(asked), amount(done)), expect, "{asked} after {done}");
        }
        assert!(!Limit::NONE.allows(Amount::ZERO, Amount::ZERO));
        assert!(Limit::UNLIMITED.allows(Amount::MAX, Amount::ZERO));
        assert!(Limit::UNLIMITED.allows(Amount::ZERO, Amount::ZERO));
    }

    #[test]
    fn several_roles_give_the_highest_limit() {
        let issue = Limits { issue: Limit::UNLIMITED, ..Limits::NONE };
        let mut adjust = Limits::NONE;
        *adjust.of_mut(LimitKind::Adjust) = Limit { per_operation: amount(5), per_day: amount(9) };
        let both = issue.highest(adjust);
        assert_eq!(both.of(LimitKind::Issue), Limit::UNLIMITED);
        assert_eq!(both.of(LimitKind::Adjust), adjust.adjust);
        assert_eq!(both.of(LimitKind::Terms), Limit::NONE);
    }
}
