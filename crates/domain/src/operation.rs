//! Operations: commands as they were decided, for ever. The answer to a request is a function of its
//! operation alone, so that a replay is identical by construction.

use crate::{
    Amount, BusinessDate, CardId, Channel, ClientId, Currency, Decline, Fingerprint, HoldId, IdempotencyKey,
    IssuerId, MerchantId, OperationId, ProgramId, StoreId, TerminalId, Timestamp, Transfer,
    card::StateCode,
    command::Direction,
    policy::{BrokenRule, Funding, Payout, refund::Calculation},
};

/// What an operation did. Numbers and names never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperationKind {
    /// See [`crate::Command::Activate`].
    Activation,
    /// See [`crate::Command::Load`].
    Load,
    /// See [`crate::Command::Redeem`].
    Redemption,
    /// See [`crate::Command::Hold`].
    Hold,
    /// See [`crate::Command::Capture`].
    Capture,
    /// See [`crate::Command::Release`].
    Release,
    /// See [`crate::Command::Reverse`].
    Reversal,
    /// See [`crate::Command::Refund`].
    Refund,
    /// See [`crate::Command::UnlinkedRefund`].
    UnlinkedRefund,
    /// See [`crate::Command::Adjust`].
    Adjustment,
    /// See [`crate::Command::Freeze`].
    Freeze,
    /// See [`crate::Command::Unfreeze`].
    Unfreeze,
    /// See [`crate::Command::ReportLost`].
    LossReport,
    /// See [`crate::Command::Replace`].
    Replacement,
    /// See [`crate::Command::Transfer`].
    Transfer,
    /// See [`crate::Command::Merge`].
    Merge,
    /// See [`crate::Command::Expire`].
    Expiry,
    /// See [`crate::Command::Reactivate`].
    Reactivation,
    /// See [`crate::Command::CashOut`].
    CashOut,
    /// See [`crate::Command::Close`].
    Closure,
    /// See [`crate::Command::BindMember`].
    MemberBinding,
    /// See [`crate::Command::Inquire`].
    Inquiry,
    /// See [`crate::posting::PostingKind::Settlement`].
    Settlement,
    /// See [`crate::posting::PostingKind::Payout`].
    Payout,
    /// See [`crate::posting::PostingKind::PayoutReturn`].
    PayoutReturn,
    /// See [`crate::posting::PostingKind::MerchantPayment`].
    MerchantPayment,
    /// See [`crate::posting::PostingKind::ChannelPayment`].
    ChannelPayment,
    /// See [`crate::posting::PostingKind::Correction`].
    Correction,
    /// See [`crate::posting::PostingKind::Breakage`].
    Breakage,
    /// A card's remaining value paid back to its holder under the law; closes the card (退卡).
    HolderRefund,
    /// Value left on an expired card, or claimed from residual, onto a new card (换卡).
    Exchange,
}

impl OperationKind {
    /// All kinds, in the order of their numbers (1, 2, …).
    pub const ALL: [Self; 31] = [
        Self::Activation,
        Self::Load,
        Self::Redemption,
        Self::Hold,
        Self::Capture,
        Self::Release,
        Self::Reversal,
        Self::Refund,
        Self::UnlinkedRefund,
        Self::Adjustment,
        Self::Freeze,
        Self::Unfreeze,
        Self::LossReport,
        Self::Replacement,
        Self::Transfer,
        Self::Merge,
        Self::Expiry,
        Self::Reactivation,
        Self::CashOut,
        Self::Closure,
        Self::MemberBinding,
        Self::Inquiry,
        Self::Settlement,
        Self::Payout,
        Self::PayoutReturn,
        Self::MerchantPayment,
        Self::ChannelPayment,
        Self::Correction,
        Self::Breakage,
        Self::HolderRefund,
        Self::Exchange,
    ];

    /// The number it is stored under.
    pub const fn number(self) -> i64 {
        match self {
            Self::Activation => 1,
            Self::Load => 2,
            Self::Redemption => 3,
            Self::Hold => 4,
            Self::Capture => 5,
            Self::Release => 6,
            Self::Reversal => 7,
            Self::Refund => 8,
            Self::UnlinkedRefund => 9,
            Self::Adjustment => 10,
            Self::Freeze => 11,
            Self::Unfreeze => 12,
            Self::LossReport => 13,
            Self::Replacement => 14,
            Self::Transfer => 15,
            Self::Merge => 16,
            Self::Expiry => 17,
            Self::Reactivation => 18,
            Self::CashOut => 19,
            Self::Closure => 20,
            Self::MemberBinding => 21,
            Self::Inquiry => 22,
            Self::Settlement => 23,
            Self::Payout => 24,
            Self::PayoutReturn => 25,
            Self::MerchantPayment => 26,
            Self::ChannelPayment => 27,
            Self::Correction => 28,
            Self::Breakage => 29,
            Self::HolderRefund => 30,
            Self::Exchange => 31,
        }
    }

    /// The kind with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Load => "load",
            Self::Redemption => "redemption",
            Self::Hold => "hold",
            Self::Capture => "capture",
            Self::Release => "release",
            Self::Reversal => "reversal",
            Self::Refund => "refund",
            Self::UnlinkedRefund => "unlinked_refund",
            Self::Adjustment => "adjustment",
            Self::Freeze => "freeze",
            Self::Unfreeze => "unfreeze",
            Self::LossReport => "loss_report",
            Self::Replacement => "replacement",
            Self::Transfer => "transfer",
            Self::Merge => "merge",
            Self::Expiry => "expiry",
            Self::Reactivation => "reactivation",
            Self::CashOut => "cash_out",
            Self::Closure => "closure",
            Self::MemberBinding => "member_binding",
            Self::Inquiry => "inquiry",
            Self::Settlement => "settlement",
            Self::Payout => "payout",
            Self::PayoutReturn => "payout_return",
            Self::MerchantPayment => "merchant_payment",
            Self::ChannelPayment => "channel_payment",
            Self::Correction => "correction",
            Self::Breakage => "breakage",
            Self::HolderRefund => "holder_refund",
            Self::Exchange => "exchange",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it takes value off a card for a merchant, so that it can be refunded.
    pub const fn is_redemption(self) -> bool {
        matches!(self, Self::Redemption | Self::Capture)
    }
}

/// How an operation was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Done.
    Approved,
    /// Turned down by the rules of the card.
    Declined(Decline),
}

/// A card as its operation left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardAfter {
    /// The card.
    pub id: CardId,
    /// The last four digits of its number.
    pub last4: u16,
    /// Its state.
    pub state: StateCode,
    /// The posted balance: the sum of its lots.
    pub balance: Amount,
    /// What open holds set aside.
    pub held: Amount,
    /// What could be spent.
    pub available: Amount,
    /// The operation on it before this one.
    pub previous: Option<OperationId>,
}

/// Where the value of a refund or reversal went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Onto the card that had paid.
    Card,
    /// Onto the card that took its place.
    Successor,
    /// To the residual account, to be claimed, at least in part.
    Residual,
}

impl Destination {
    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Successor => "successor",
            Self::Residual => "residual",
        }
    }

    /// The destination with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Card, Self::Successor, Self::Residual].into_iter().find(|d| d.name() == name)
    }
}

/// What only some kinds of operation have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Why, in the caller's words.
    pub reason: Option<String>,
    /// When the hold, or the card, now ends.
    pub expires_at: Option<Timestamp>,
    /// Bonus value that a cash-out forfeited.
    pub forfeited: Option<Amount>,
    /// Where a refund went.
    pub destination: Option<Destination>,
    /// Which way an adjustment went.
    pub direction: Option<Direction>,
    /// The member a card was bound to.
    pub member: Option<String>,
    /// The key of the original that a reversal named.
    pub original_key: Option<String>,
    /// The trace number of a request that was declined because another one had it.
    pub duplicate_trace: Option<u32>,
    /// The rule of a policy pack that it was declined for.
    pub broken_rule: Option<Box<BrokenRule>>,
    /// How a sale or load was paid for.
    pub funding: Option<Box<Funding>>,
    /// How a holder was paid.
    pub payout: Option<Box<Payout>>,
    /// What a holder refund was made of.
    pub refund: Option<Box<Calculation>>,
}

/// A command as it was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// The client that asked.
    pub client: ClientId,
    /// What the client named it by.
    pub key: IdempotencyKey,
    /// The digest of the request.
    pub fingerprint: Fingerprint,
    /// What it did.
    pub kind: OperationKind,
    /// How it was decided.
    pub status: Status,
    /// The program of its card.
    pub program: Option<ProgramId>,
    /// The card, as it was left. Only a reversal of an unknown original has none.
    pub card: Option<CardAfter>,
    /// The second card of a transfer, merge or replacement.
    pub counterpart: Option<CardAfter>,
    /// The operation it gives back or undoes. Where it came after its own reversal, that reversal.
    pub original: Option<OperationId>,
    /// The hold it makes, takes from or ends.
    pub hold: Option<HoldId>,
    /// The merchant.
    pub merchant: Option<MerchantId>,
    /// The store.
    pub store: Option<StoreId>,
    /// The terminal.
    pub terminal: Option<TerminalId>,
    /// The sales channel.
    pub channel: Option<Channel>,
    /// The currency.
    pub currency: Option<Currency>,
    /// How much was asked for.
    pub requested: Amount,
    /// How much was done.
    pub approved: Amount,
    /// The business date in the issuer's time zone.
    pub business_date: BusinessDate,
    /// When it was decided.
    pub at: Timestamp,
    /// The terminal's trace number.
    pub trace: Option<u32>,
    /// The caller's reference.
    pub reference: Option<String>,
    /// The caller's data, as JSON text.
    pub metadata: Option<String>,
    /// What only some kinds have.
    pub detail: Detail,
}

impl Operation {
    /// Whether it was approved.
    pub fn is_approved(&self) -> bool {
        self.status == Status::Approved
    }
}

/// What was given back of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compensation {
    /// Refunded so far.
    pub refunded: Amount,
    /// The reversal that undid it.
    pub reversed_by: Option<OperationId>,
}

/// An operation with all that later operations need to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The operation.
    pub operation: std::sync::Arc<Operation>,
    /// Its transfers in order.
    pub transfers: Vec<Transfer>,
    /// What was given back of it.
    pub compensation: Compensation,
}
