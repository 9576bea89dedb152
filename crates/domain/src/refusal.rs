//! Why a request is turned away before the card's rules are even asked: it names something that does not
//! exist or is foreign, or contradicts the catalog. Nothing is stored.

/// A reason to refuse. Codes never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The key was used for another request.
    IdempotencyConflict,
    /// No such card within reach.
    CardUnknown,
    /// No such second card within reach.
    CounterpartUnknown,
    /// Both cards are the same.
    SameCard,
    /// No such hold within reach.
    HoldUnknown,
    /// No such operation within reach.
    OperationUnknown,
    /// Only redemptions and captures are refunded.
    NotARedemption,
    /// No such merchant within reach.
    MerchantUnknown,
    /// No such store within reach.
    StoreUnknown,
    /// No such terminal within reach.
    TerminalUnknown,
    /// The issuer does no business any more.
    IssuerClosed,
    /// The merchant does no business any more.
    MerchantClosed,
    /// The store does no business any more.
    StoreClosed,
    /// The terminal is out of use.
    TerminalClosed,
    /// The request must name a merchant.
    MerchantRequired,
    /// The store belongs to another merchant, or the terminal to another store.
    PlaceMismatch,
    /// The program has another currency.
    CurrencyMismatch,
    /// The request must name an amount.
    AmountRequired,
    /// The amount must be at least one minor unit.
    AmountZero,
    /// A trace number needs a terminal.
    TraceWithoutTerminal,
    /// The moment given is not in the future.
    MomentInThePast,
    /// The hold would last longer than allowed.
    HoldTooLong,
    /// Nothing on the card has expired yet, or holds are in the way. Only the expiry job asks.
    NothingToExpire,
    /// A posting moves something, and not too much at once.
    PostingSize,
    /// The kind of posting does not move value between these accounts.
    PostingPair,
    /// The posting names no merchant, or another than its transfers move.
    PostingMerchant,
    /// A posting is undone by its own counter-posting.
    PostingNotReversible,
    /// No such account within reach.
    AccountUnknown,
    /// No program of the issuer has this currency.
    CurrencyUnknown,
    /// The sum is beyond the largest amount.
    AmountTooLarge,
    /// A client that is bound to a merchant moves no value of the ledger.
    NotForMerchants,
    /// The day of rescission has not come, or is no day.
    RescissionInTheFuture,
    /// Cost is kept of a refund where the law does not let it be.
    CostNotAllowed,
    /// The program names a policy pack that this version does not have.
    PolicyPackUnknown,
    /// Stored data contradicts itself. Never the caller's fault.
    Inconsistent,
}

/// What kind of mistake a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// The request itself is wrong.
    Malformed,
    /// It names something that is not there, or not within the client's reach.
    Unknown,
    /// It contradicts the state of things.
    Conflict,
    /// The system's own fault.
    Fault,
}

impl Refusal {
    /// All refusals.
    pub const ALL: [Self; 35] = [
        Self::IdempotencyConflict,
        Self::CardUnknown,
        Self::CounterpartUnknown,
        Self::SameCard,
        Self::HoldUnknown,
        Self::OperationUnknown,
        Self::NotARedemption,
        Self::MerchantUnknown,
        Self::StoreUnknown,
        Self::TerminalUnknown,
        Self::IssuerClosed,
        Self::MerchantClosed,
        Self::StoreClosed,
        Self::TerminalClosed,
        Self::MerchantRequired,
        Self::PlaceMismatch,
        Self::CurrencyMismatch,
        Self::AmountRequired,
        Self::AmountZero,
        Self::TraceWithoutTerminal,
        Self::MomentInThePast,
        Self::HoldTooLong,
        Self::NothingToExpire,
        Self::PostingSize,
        Self::PostingPair,
        Self::PostingMerchant,
        Self::PostingNotReversible,
        Self::AccountUnknown,
        Self::CurrencyUnknown,
        Self::AmountTooLarge,
        Self::NotForMerchants,
        Self::RescissionInTheFuture,
        Self::CostNotAllowed,
        Self::PolicyPackUnknown,
        Self::Inconsistent,
    ];

    /// The stable code, the JSON pointer of the offending field (empty: the whole request), the kind,
    /// and what is wrong with the cure.
    #[expect(clippy::too_many_lines, reason = "a table, best read in one piece")]
    pub const fn describe(self) -> (&'static str, &'static str, RefusalKind, &'static str) {
        use RefusalKind::{Conflict, Fault, Malformed, Unknown};
        match self {
            Self::IdempotencyConflict => (
                "idempotency_key_reused",
                "",
                Conflict,
                "this Idempotency-Key was used for a different request; use a new key for a new request",
            ),
            Self::CardUnknown => {
                ("card_unknown", "/card", Unknown, "no such card for this client; check the number or id")
            }
            Self::CounterpartUnknown => (
                "card_unknown",
                "/to",
                Unknown,
                "no such receiving card for this client; check the number or id",
            ),
            Self::SameCard => {
                ("same_card", "/to", Conflict, "both cards are the same; name two different cards")
            }
            Self::HoldUnknown => {
                ("hold_unknown", "", Unknown, "no such hold for this client; check the id in the path")
            }
            Self::OperationUnknown => (
                "operation_unknown",
                "",
                Unknown,
                "no such operation for this client; check the id in the path",
            ),
            Self::NotARedemption => (
                "not_a_redemption",
                "",
                Conflict,
                "only an approved redemption or capture can be refunded; use a reversal for other operations",
            ),
            Self::MerchantUnknown => {
                ("merchant_unknown", "/merchant", Unknown, "no such merchant for this client; check the id")
            }
            Self::StoreUnknown => {
                ("store_unknown", "/store", Unknown, "no such store for this client; check the id")
            }
            Self::TerminalUnknown => {
                ("terminal_unknown", "/terminal", Unknown, "no such terminal for this client; check the id")
            }
            Self::IssuerClosed => {
                ("issuer_closed", "", Conflict, "the issuer is closed; no value moves any more")
            }
            Self::MerchantClosed => (
                "merchant_closed",
                "/merchant",
                Conflict,
                "the merchant is closed; reopen it or name another",
            ),
            Self::StoreClosed => {
                ("store_closed", "/store", Conflict, "the store is closed; reopen it or name another")
            }
            Self::TerminalClosed => (
                "terminal_closed",
                "/terminal",
                Conflict,
                "the terminal is out of use; put it back into use or name another",
            ),
            Self::MerchantRequired => (
                "merchant_required",
                "/merchant",
                Conflict,
                "name a merchant, store or terminal, or use a client that is bound to a merchant",
            ),
            Self::PlaceMismatch => (
                "place_mismatch",
                "/store",
                Conflict,
                "the store belongs to another merchant, or the terminal to another store",
            ),
            Self::CurrencyMismatch => (
                "currency_mismatch",
                "/currency",
                Conflict,
                "the card's program has another currency; see GET /v1/programs/{id}",
            ),
            Self::AmountRequired => (
                "amount_required",
                "/amount",
                Conflict,
                "the card has no face value; name the amount in minor units",
            ),
            Self::AmountZero => {
                ("amount_zero", "/amount", Malformed, "the amount must be at least one minor unit")
            }
            Self::TraceWithoutTerminal => (
                "trace_without_terminal",
                "/trace",
                Conflict,
                "a trace number needs a terminal; name the terminal too",
            ),
            Self::MomentInThePast => {
                ("moment_in_the_past", "/expires_at", Conflict, "the moment must be in the future")
            }
            Self::HoldTooLong => (
                "hold_too_long",
                "/expires_in_seconds",
                Malformed,
                "a hold lasts 1 second to 30 days (2592000 seconds)",
            ),
            Self::NothingToExpire => (
                "nothing_to_expire",
                "",
                Conflict,
                "nothing on the card has expired, or holds are in the way",
            ),
            Self::PostingSize => (
                "posting_size",
                "/transfers",
                Malformed,
                "a posting has 1 to 64 transfers; split a larger one over several postings",
            ),
            Self::PostingPair => (
                "posting_pair_not_allowed",
                "/transfers",
                Conflict,
                "this kind of posting moves no value between these accounts; choose the kind that does",
            ),
            Self::PostingMerchant => (
                "posting_merchant_mismatch",
                "/merchant",
                Conflict,
                "name the merchant whose account the transfers move, and only that one",
            ),
            Self::PostingNotReversible => (
                "posting_not_reversible",
                "/original_key",
                Conflict,
                "a posting is not reversed; post the opposite: a payout return, a returned channel payment, or a correction",
            ),
            Self::AccountUnknown => (
                "account_unknown",
                "/transfers",
                Unknown,
                "an account belongs to another issuer; name accounts of your own",
            ),
            Self::CurrencyUnknown => (
                "currency_not_issued",
                "/currency",
                Conflict,
                "no program of the issuer has this currency; see GET /v1/programs",
            ),
            Self::AmountTooLarge => (
                "amount_too_large",
                "/transfers",
                Malformed,
                "the amounts add up to more than 9007199254740991 minor units; post them separately",
            ),
            Self::NotForMerchants => (
                "not_for_merchant_clients",
                "",
                Conflict,
                "a client that is bound to a merchant cannot post; use a client of the issuer",
            ),
            Self::RescissionInTheFuture => (
                "rescission_in_the_future",
                "/rescinded_on",
                Conflict,
                "the day of rescission must be a day that has come, in the issuer's time zone",
            ),
            Self::CostNotAllowed => (
                "cost_not_allowed",
                "/cost",
                Conflict,
                "cost is kept only of an unused card, where the policy pack lets it be, and never more than was \
                 paid; leave it out",
            ),
            Self::PolicyPackUnknown => (
                "policy_pack_unknown",
                "",
                Fault,
                "the program names a policy pack that this version of the server does not have; run a newer one",
            ),
            Self::Inconsistent => (
                "internal_error",
                "",
                Fault,
                "stored data contradicts itself; nothing was changed; ask the operator to run `hexiao verify`",
            ),
        }
    }

    /// The stable code.
    pub const fn code(self) -> &'static str {
        self.describe().0
    }
}
