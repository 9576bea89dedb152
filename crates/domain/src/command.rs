//! Commands: everything that can be asked of a card, and of the ledger beside the cards.

use crate::{
    Amount, CardId, Channel, ClientId, Currency, Fingerprint, HoldId, IdempotencyKey, IssuerId, MerchantId,
    OperationId, StoreId, TerminalId, Timestamp,
    lot::LotSource,
    policy::{Funding, Payout, refund::Claim},
    posting::Posting,
};

/// The keyed index of a card number: what a number is looked up by, without being readable.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NumberIndex(pub [u8; 16]);

impl std::fmt::Debug for NumberIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NumberIndex(…)")
    }
}

/// How a request names a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardRef {
    /// By id.
    Id(CardId),
    /// By number: its index under each key of the key ring, the current key first.
    Number(Vec<NumberIndex>),
    /// By who holds it: somebody has proven to be this member, and the card must be bound to the member when
    /// the command is decided. Stands for a PIN, and for nobody else's card.
    Held {
        /// The card.
        card: CardId,
        /// The member.
        member: String,
    },
}

impl CardRef {
    /// Whether the holder is known without a PIN.
    pub const fn is_held(&self) -> bool {
        matches!(self, Self::Held { .. })
    }
}

/// A PIN as typed. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PinAttempt(pub Box<str>);

impl std::fmt::Debug for PinAttempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PinAttempt(…)")
    }
}

/// Where something happens, as far as the request says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The merchant.
    pub merchant: Option<MerchantId>,
    /// The store.
    pub store: Option<StoreId>,
    /// The terminal.
    pub terminal: Option<TerminalId>,
    /// The sales channel.
    pub channel: Option<Channel>,
}

/// Promotional value granted together with paid value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bonus {
    /// How much.
    pub amount: Amount,
    /// When it expires before the card does.
    pub expires_at: Option<Timestamp>,
}

/// Stocked → Active, with its first value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activate {
    /// The card.
    pub card: CardRef,
    /// What it is sold for; without it, the face value it was made with.
    pub amount: Option<Amount>,
    /// The currency.
    pub currency: Currency,
    /// Promotional value on top.
    pub bonus: Option<Bonus>,
    /// Where it is sold.
    pub place: Place,
    /// How it is paid for.
    pub funding: Option<Box<Funding>>,
}

/// More value onto an active card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// The card.
    pub card: CardRef,
    /// How much.
    pub amount: Amount,
    /// The currency.
    pub currency: Currency,
    /// Where the value comes from.
    pub source: LotSource,
    /// When it expires before the card does.
    pub expires_at: Option<Timestamp>,
    /// Promotional value on top.
    pub bonus: Option<Bonus>,
    /// Where it is sold.
    pub place: Place,
    /// How it is paid for.
    pub funding: Option<Box<Funding>>,
}

/// Paying with a card, at once (redeem) or later (hold).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The card.
    pub card: CardRef,
    /// How much.
    pub amount: Amount,
    /// The currency.
    pub currency: Currency,
    /// Where.
    pub place: Place,
    /// The PIN, if given.
    pub pin: Option<PinAttempt>,
    /// Whether less than the amount may be approved.
    pub partial: bool,
}

/// Setting value aside for a merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceHold {
    /// The payment it prepares.
    pub payment: Payment,
    /// How long it lasts, in seconds; without it, as the program says.
    pub seconds: Option<u32>,
}

/// Taking value that a hold set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The hold.
    pub hold: HoldId,
    /// How much; without it, all that is left of the hold.
    pub amount: Option<Amount>,
    /// The currency, if given.
    pub currency: Option<Currency>,
    /// Whether the rest of the hold is given back.
    pub is_final: bool,
}

/// Giving a hold up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The hold.
    pub hold: HoldId,
    /// Whether its time has run out; only the job says so.
    pub expired: bool,
}

/// Undoing an operation whose outcome its caller does not want or does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reverse {
    /// The idempotency key of the original, of the same client.
    pub original: IdempotencyKey,
}

/// Giving value of a redemption back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The redemption or capture.
    pub original: OperationId,
    /// How much; without it, all that is left to refund.
    pub amount: Option<Amount>,
    /// The currency, if given.
    pub currency: Option<Currency>,
}

/// Giving value back without a redemption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnlinkedRefund {
    /// The card.
    pub card: CardRef,
    /// How much.
    pub amount: Amount,
    /// The currency.
    pub currency: Currency,
    /// Where.
    pub place: Place,
}

/// Which way an adjustment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Onto the card.
    Credit,
    /// Off the card.
    Debit,
}

/// Correcting a balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjust {
    /// The card.
    pub card: CardRef,
    /// Which way.
    pub direction: Direction,
    /// How much.
    pub amount: Amount,
    /// The currency.
    pub currency: Currency,
    /// Why.
    pub reason: String,
}

/// Freeze or close, with the reason for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithReason {
    /// The card.
    pub card: CardRef,
    /// Why.
    pub reason: String,
}

/// Moving value to another card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The card that gives.
    pub from: CardRef,
    /// The card that receives.
    pub to: CardRef,
    /// How much.
    pub amount: Amount,
    /// The currency.
    pub currency: Currency,
    /// The PIN of the card that gives, if given.
    pub pin: Option<PinAttempt>,
}

/// Everything a card has goes to another: merge into an active card, or replace by a stocked one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveAll {
    /// The card that is given up.
    pub from: CardRef,
    /// The card that goes on.
    pub to: CardRef,
    /// The PIN of the card that is given up, if given.
    pub pin: Option<PinAttempt>,
}

/// Claiming back what expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reactivate {
    /// The card.
    pub card: CardRef,
    /// The new end of validity; without it, the program's validity counted from now.
    pub expires_at: Option<Timestamp>,
}

/// Paying a card's value out and closing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashOut {
    /// The card.
    pub card: CardRef,
    /// The PIN, if given.
    pub pin: Option<PinAttempt>,
    /// How the holder is paid.
    pub payout: Option<Box<Payout>>,
}

/// Paying back to its holder what the law says of a card, and closing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolderRefund {
    /// The card, or one that it replaced or that was merged into it.
    pub card: CardRef,
    /// Why, and what the law lets a request say.
    pub claim: Claim,
    /// How the holder is paid.
    pub payout: Option<Box<Payout>>,
    /// The PIN, if given.
    pub pin: Option<PinAttempt>,
}

/// Putting what is left of an expired card onto a new one, from each lot in proportion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The expired card.
    pub from: CardRef,
    /// The stocked card of the same program that goes on.
    pub to: CardRef,
    /// How much; without it, all, and then the new card takes the old one's place.
    pub amount: Option<Amount>,
    /// The PIN of the expired card, if given.
    pub pin: Option<PinAttempt>,
}

/// Asking for a card's balance with its PIN. Recorded, so that wrong PINs count wherever they are tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquire {
    /// The card.
    pub card: CardRef,
    /// The PIN, if given.
    pub pin: Option<PinAttempt>,
}

/// Binding a card to a member. Named by who holds it, a card is handed over by that member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindMember {
    /// The card.
    pub card: CardRef,
    /// The member, in the issuer's own words.
    pub member: String,
    /// The PIN, if given.
    pub pin: Option<PinAttempt>,
}

/// Everything that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Stocked → Active.
    Activate(Activate),
    /// More value.
    Load(Load),
    /// Paying (核销).
    Redeem(Payment),
    /// Setting value aside (预授权).
    Hold(PlaceHold),
    /// Taking what was set aside (预授权完成).
    Capture(Capture),
    /// Giving it up (解冻).
    Release(Release),
    /// Undoing an operation (冲正).
    Reverse(Reverse),
    /// Giving value of a redemption back (退款).
    Refund(Refund),
    /// Giving value back without a redemption.
    UnlinkedRefund(UnlinkedRefund),
    /// Correcting a balance (调账).
    Adjust(Adjust),
    /// Active → Frozen (冻结).
    Freeze(WithReason),
    /// Frozen → Active; also ends a lock after wrong PINs in a row.
    Unfreeze(CardRef),
    /// Active, Frozen → Lost (挂失).
    ReportLost(CardRef),
    /// A stocked card takes a card's place (补换卡).
    Replace(MoveAll),
    /// Value to another card (转卡).
    Transfer(Move),
    /// A card goes up in another (并卡).
    Merge(MoveAll),
    /// What is past its validity leaves the balance.
    Expire(CardId),
    /// What expired comes back.
    Reactivate(Reactivate),
    /// Paid out and closed.
    CashOut(CashOut),
    /// Withdrawn.
    Close(WithReason),
    /// Bound to a member.
    BindMember(BindMember),
    /// Balance asked for with a PIN (查询).
    Inquire(Inquire),
    /// Value between accounts of the ledger, without a card (记账).
    Post(Posting),
    /// Paid back by law, and closed (返还预付款).
    HolderRefund(HolderRefund),
    /// What expired goes onto a new card (换卡).
    Exchange(Exchange),
}

/// The client that jobs act as. It has no secret, so nobody can log in as it.
pub const SYSTEM_CLIENT: ClientId = ClientId::new(0);

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The API client.
    pub client: ClientId,
    /// The issuer it belongs to.
    pub issuer: IssuerId,
    /// The only merchant it may act for, if it is bound to one.
    pub merchant: Option<MerchantId>,
}

/// A command with its envelope.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub actor: Actor,
    /// What names the operation, for ever.
    pub key: IdempotencyKey,
    /// The digest of `canonical` under the current key.
    pub fingerprint: Fingerprint,
    /// The canonical request: what makes two requests the same. Kept in memory only, to be digested
    /// again under an older key when a stored fingerprint has one.
    pub canonical: Canonical,
    /// What is asked.
    pub command: Command,
    /// The terminal's own number of the transaction, 0 to 999999.
    pub trace: Option<u32>,
    /// The caller's own reference, at most 128 characters.
    pub reference: Option<String>,
    /// The caller's own data, JSON text of at most 4 KiB.
    pub metadata: Option<String>,
}

/// The canonical bytes of a request. May contain a number or PIN: never printed, never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Canonical(pub Box<[u8]>);

impl std::fmt::Debug for Canonical {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Canonical(…)")
    }
}
