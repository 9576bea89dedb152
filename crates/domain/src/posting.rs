//! Postings: value that moves between accounts of the ledger without touching a card.
//!
//! Settlement fees, payouts, corrections and the like. Each kind may move value only along the pairs of
//! account kinds in its table, so that no posting can do what belongs to another one, and none can change
//! what a card is worth. The table is checked when a posting is decided, and again by the audit.

use crate::{
    Account, Amount, Channel, Currency, IssuerId, MerchantId, OperationKind, Refusal, account::AccountKind,
};

/// The most transfers of one posting.
pub const MAX_TRANSFERS: usize = 64;

/// What a posting is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PostingKind {
    /// A statement is closed: its fees and splits, or what a claw-back gives back of them (结算).
    Settlement,
    /// A merchant is paid (打款).
    Payout,
    /// The bank sent a payout back (退票).
    PayoutReturn,
    /// A merchant pays what its statement left it owing.
    MerchantPayment,
    /// A sales channel pays in what it sold for, or gets a payment back.
    ChannelPayment,
    /// An approved correction of a reconciliation (对账调整).
    Correction,
    /// Residual value is recognised as income, or is owed again (残值).
    Breakage,
}

use AccountKind::{Bank, Breakage, Channel as Clearing, Fees, Merchant, Residual, Suspense};

/// From → to.
type Pair = (AccountKind, AccountKind);

const SETTLEMENT: &[Pair] = &[(Merchant, Fees), (Fees, Merchant), (Merchant, Merchant)];
const PAYOUT: &[Pair] = &[(Merchant, Bank)];
const PAYOUT_RETURN: &[Pair] = &[(Bank, Merchant)];
const MERCHANT_PAYMENT: &[Pair] = &[(Bank, Merchant)];
const CHANNEL_PAYMENT: &[Pair] = &[(Bank, Clearing), (Clearing, Bank)];
const CORRECTION: &[Pair] = &[
    (Suspense, Merchant),
    (Merchant, Suspense),
    (Suspense, Clearing),
    (Clearing, Suspense),
    (Merchant, Clearing),
    (Clearing, Merchant),
];
const BREAKAGE: &[Pair] = &[(Residual, Breakage), (Breakage, Residual)];

impl PostingKind {
    /// All kinds, in the order of their operations' numbers.
    pub const ALL: [Self; 7] = [
        Self::Settlement,
        Self::Payout,
        Self::PayoutReturn,
        Self::MerchantPayment,
        Self::ChannelPayment,
        Self::Correction,
        Self::Breakage,
    ];

    /// The kind of operation that records it.
    pub const fn operation(self) -> OperationKind {
        match self {
            Self::Settlement => OperationKind::Settlement,
            Self::Payout => OperationKind::Payout,
            Self::PayoutReturn => OperationKind::PayoutReturn,
            Self::MerchantPayment => OperationKind::MerchantPayment,
            Self::ChannelPayment => OperationKind::ChannelPayment,
            Self::Correction => OperationKind::Correction,
            Self::Breakage => OperationKind::Breakage,
        }
    }

    /// The posting that this kind of operation records, if it is one.
    pub fn of(kind: OperationKind) -> Option<Self> {
        Self::ALL.into_iter().find(|posting| posting.operation() == kind)
    }

    /// Between which kinds of account it may move value: from → to.
    pub const fn pairs(self) -> &'static [(AccountKind, AccountKind)] {
        match self {
            Self::Settlement => SETTLEMENT,
            Self::Payout => PAYOUT,
            Self::PayoutReturn => PAYOUT_RETURN,
            Self::MerchantPayment => MERCHANT_PAYMENT,
            Self::ChannelPayment => CHANNEL_PAYMENT,
            Self::Correction => CORRECTION,
            Self::Breakage => BREAKAGE,
        }
    }

    /// Whether it may move value from one account to the other, within `issuer` and for `merchant`.
    pub fn allows(
        self,
        debit: Account,
        credit: Account,
        issuer: IssuerId,
        merchant: Option<MerchantId>,
    ) -> bool {
        self.check(debit, credit, issuer, merchant).is_ok()
    }

    /// The same, with what is wrong. That merchants exist is not known here.
    pub fn check(
        self,
        debit: Account,
        credit: Account,
        issuer: IssuerId,
        merchant: Option<MerchantId>,
    ) -> Result<(), Refusal> {
        if debit == credit || !self.pairs().contains(&(debit.kind(), credit.kind())) {
            return Err(Refusal::PostingPair);
        }
        if [debit, credit].into_iter().any(|account| owner(account).is_some_and(|owner| owner != issuer)) {
            return Err(Refusal::AccountUnknown);
        }
        let merchants = [debit, credit].into_iter().filter_map(merchant_of);
        let (mut any, mut named) = (false, false);
        for found in merchants {
            any = true;
            named |= Some(found) == merchant;
        }
        if any == named { Ok(()) } else { Err(Refusal::PostingMerchant) }
    }
}

/// The issuer that an account names. What a channel or merchant belongs to is not in its name.
const fn owner(account: Account) -> Option<IssuerId> {
    match account {
        Account::Promotion(issuer)
        | Account::Fees(issuer)
        | Account::Breakage(issuer)
        | Account::Residual(issuer)
        | Account::Bank(issuer)
        | Account::Suspense(issuer) => Some(issuer),
        Account::Card(_) | Account::Merchant(_) | Account::Channel(_) => None,
    }
}

pub(crate) const fn merchant_of(account: Account) -> Option<MerchantId> {
    match account {
        Account::Merchant(merchant) => Some(merchant),
        _ => None,
    }
}

/// One transfer of a posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostedTransfer {
    /// The account that gives.
    pub debit: Account,
    /// The account that receives.
    pub credit: Account,
    /// How much, never zero.
    pub amount: Amount,
}

/// Moving value between accounts, without a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// What it is for.
    pub kind: PostingKind,
    /// The currency.
    pub currency: Currency,
    /// The merchant it is about. Each transfer that moves a merchant's account moves this one's.
    pub merchant: Option<MerchantId>,
    /// 1 to [`MAX_TRANSFERS`].
    pub transfers: Vec<PostedTransfer>,
    /// Why, in the caller's words.
    pub reason: Option<String>,
}

impl Posting {
    /// The sum of its transfers; `None` above [`Amount::MAX`].
    pub fn total(&self) -> Option<Amount> {
        Amount::checked_sum(self.transfers.iter().map(|transfer| transfer.amount))
    }

    /// What makes two postings the same, as bytes for their fingerprint. The reason is the caller's words,
    /// which may hold anything: it comes last, so that nothing in it can pass for a transfer.
    pub fn canonical(&self) -> Box<[u8]> {
        use std::fmt::Write;
        let merchant = self.merchant.map_or_else(|| "-".to_owned(), |merchant| merchant.to_string());
        let mut text = format!("post {} {} {merchant}", self.kind.operation().name(), self.currency.code());
        for PostedTransfer { debit, credit, amount } in &self.transfers {
            let _ = write!(text, "\n{debit} {credit} {amount}");
        }
        if let Some(reason) = &self.reason {
            let _ = write!(text, "\nreason {reason}");
        }
        text.into_bytes().into_boxed_slice()
    }

    /// The sales channel, if it is about one and no other.
    pub(crate) fn channel(&self) -> Option<Channel> {
        let accounts = self.transfers.iter().flat_map(|transfer| [transfer.debit, transfer.credit]);
        let mut channels = accounts.filter_map(|account| match account {
            Account::Channel(channel) => Some(channel),
            _ => None,
        });
        let first = channels.next()?;
        channels.all(|channel| channel == first).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CardId;

    const ISSUER: IssuerId = IssuerId::new(1);
    const SHOP: MerchantId = MerchantId::new(2);

    fn account(kind: AccountKind) -> Account {
        let reference = match kind {
            AccountKind::Merchant => SHOP.get(),
            AccountKind::Channel => Channel::parse("web").expect("a name").packed(),
            _ => ISSUER.get(),
        };
        Account::from_stored(kind, reference).expect("an account")
    }

    #[test]
    fn each_kind_is_one_operation_and_back() {
        for kind in PostingKind::ALL {
            assert_eq!(PostingKind::of(kind.operation()), Some(kind));
            assert!(!kind.pairs().is_empty());
        }
        let postings = OperationKind::ALL.into_iter().filter(|kind| PostingKind::of(*kind).is_some());
        let numbers: Vec<i64> = postings.map(OperationKind::number).collect();
        assert_eq!(numbers, [23, 24, 25, 26, 27, 28, 29]);
    }

    /// Counted by hand from the description of the rules, so that a pair that slips into a table is seen.
    #[test]
    fn no_other_pair_is_allowed_and_never_a_card() {
        let mut allowed = 0;
        for kind in PostingKind::ALL {
            for debit in AccountKind::ALL {
                for credit in AccountKind::ALL {
                    let (from, mut to) = (account(debit), account(credit));
                    if debit == AccountKind::Merchant && credit == AccountKind::Merchant {
                        to = Account::Merchant(MerchantId::new(3));
                    }
                    let touches_merchant = [from, to].into_iter().any(|a| merchant_of(a).is_some());
                    let merchant = touches_merchant.then_some(SHOP);
                    if kind.allows(from, to, ISSUER, merchant) {
                        allowed += 1;
                        assert!(debit != AccountKind::Card && credit != AccountKind::Card);
                        assert!(kind.pairs().contains(&(debit, credit)));
                    }
                }
            }
        }
        assert_eq!(allowed, 3 + 1 + 1 + 1 + 2 + 6 + 2);
    }

    #[test]
    fn what_differs_has_another_canonical_form() {
        let transfer = |credit, minor| PostedTransfer {
            debit: Account::Merchant(SHOP),
            credit,
            amount: Amount::new(minor).expect("an amount"),
        };
        let (fees, bank) = (Account::Fees(ISSUER), Account::Bank(ISSUER));
        let one = Posting {
            kind: PostingKind::Settlement,
            currency: Currency::CNY,
            merchant: Some(SHOP),
            transfers: vec![transfer(fees, 1)],
            reason: None,
        };
        let reason = |text: &str| Some(text.to_owned());
        let with = |transfers| Posting { transfers, ..one.clone() };
        let line = format!("{} {fees} 1", Account::Merchant(SHOP));
        let all = [
            one.clone(),
            Posting { kind: PostingKind::Payout, ..one.clone() },
            Posting { merchant: None, ..one.clone() },
            Posting { reason: reason(""), ..one.clone() },
            Posting { reason: reason(&line), ..one.clone() },
            with(vec![transfer(fees, 1), transfer(fees, 1)]),
            with(vec![transfer(fees, 2)]),
            with(vec![transfer(bank, 1)]),
        ];
        let forms: std::collections::HashSet<Box<[u8]>> = all.iter().map(Posting::canonical).collect();
        assert_eq!(forms.len(), all.len());
        assert_eq!(one.clone().canonical(), one.canonical());
    }

    #[test]
    fn accounts_are_the_issuers_and_the_merchants_own() {
        let (shop, fees) = (Account::Merchant(SHOP), Account::Fees(ISSUER));
        let settlement = PostingKind::Settlement;
        assert_eq!(settlement.check(shop, fees, ISSUER, Some(SHOP)), Ok(()));
        assert_eq!(settlement.check(shop, fees, ISSUER, None), Err(Refusal::PostingMerchant));
        let other = Some(MerchantId::new(3));
        assert_eq!(settlement.check(shop, fees, ISSUER, other), Err(Refusal::PostingMerchant));
        let foreign = Account::Fees(IssuerId::new(9));
        assert_eq!(settlement.check(shop, foreign, ISSUER, Some(SHOP)), Err(Refusal::AccountUnknown));
        assert_eq!(settlement.check(shop, shop, ISSUER, Some(SHOP)), Err(Refusal::PostingPair));
        let card = Account::Card(CardId::new(1));
        assert_eq!(settlement.check(card, shop, ISSUER, Some(SHOP)), Err(Refusal::PostingPair));
        let (residual, breakage) = (Account::Residual(ISSUER), Account::Breakage(ISSUER));
        assert_eq!(PostingKind::Breakage.check(residual, breakage, ISSUER, None), Ok(()));
    }
}
