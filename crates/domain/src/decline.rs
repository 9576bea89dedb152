//! Why a card's rules turned a well-formed request down. A decline is an answer, not an error: it is
//! recorded, has a stable code, and replays identically.

macro_rules! declines {
    ($( $(#[$doc:meta])* $name:ident = $number:literal, $code:literal, $retryable:literal; )*) => {
        /// A reason to decline. The order of the variants is their precedence: where several apply, the
        /// first is given. Numbers and codes never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Decline {
            $( $(#[$doc])* $name, )*
        }

        impl Decline {
            /// All reasons, in order of precedence.
            pub const ALL: &'static [Self] = &[ $( Self::$name, )* ];

            /// The number it is stored under.
            pub const fn number(self) -> i64 {
                match self { $( Self::$name => $number, )* }
            }

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self { $( Self::$name => $code, )* }
            }

            /// Whether the same request under a new key can succeed later without anybody changing the
            /// request, the card or the program.
            pub const fn retryable(self) -> bool {
                match self { $( Self::$name => $retryable, )* }
            }

            /// The reason stored under this number.
            pub fn from_number(number: i64) -> Option<Self> {
                Self::ALL.iter().copied().find(|d| d.number() == number)
            }
        }
    };
}

declines! {
    /// A reversal of this key came before the request itself.
    ReversedBeforeArrival = 1, "reversed_before_arrival", false;
    /// The card was never activated.
    CardNotActivated = 2, "card_not_activated", false;
    /// The card is active already.
    CardAlreadyActive = 3, "card_already_active", false;
    /// The card was reported lost.
    CardLost = 4, "card_lost", false;
    /// The card is closed.
    CardClosed = 5, "card_closed", false;
    /// The card is frozen.
    CardFrozen = 6, "card_frozen", false;
    /// The card is not frozen.
    CardNotFrozen = 7, "card_not_frozen", false;
    /// The card is past its validity.
    CardExpired = 8, "card_expired", false;
    /// The program is closed for new business.
    ProgramClosed = 9, "program_closed", false;
    /// Only a registered card can be reported lost.
    CardNotRegistered = 10, "card_not_registered", false;
    /// The cards belong to different programs.
    ProgramMismatch = 11, "program_mismatch", false;
    /// The card that was to take another's place is in use.
    ReplacementNotStocked = 12, "replacement_not_stocked", false;
    /// The PIN is locked after too many wrong attempts.
    PinLocked = 13, "pin_locked", false;
    /// A PIN must be given.
    PinRequired = 14, "pin_required", false;
    /// A PIN must be given, and the card has none.
    PinNotSet = 15, "pin_not_set", false;
    /// The PIN is wrong.
    PinWrong = 16, "pin_wrong", false;
    /// The card must be bound to a member first.
    MemberRequired = 17, "member_required", false;
    /// The card is bound to another member.
    MemberAlreadyBound = 18, "member_already_bound", false;
    /// The program is not accepted by this merchant.
    MerchantNotAccepted = 19, "merchant_not_accepted", false;
    /// The program is not accepted in this store.
    StoreNotAccepted = 20, "store_not_accepted", false;
    /// The program is not accepted through this sales channel.
    ChannelNotAccepted = 21, "channel_not_accepted", false;
    /// The program does not allow this.
    NotReloadable = 22, "not_reloadable", false;
    /// The program does not let value move between cards.
    NotTransferable = 23, "not_transferable", false;
    /// The program does not pay value out.
    CashOutNotAllowed = 24, "cash_out_not_allowed", false;
    /// The program's policy pack does not provide for this refund, or it names no pack.
    HolderRefundNotProvided = 49, "holder_refund_not_provided", false;
    /// The program lets expired value be claimed in another way.
    ResidualClaimedOtherwise = 50, "residual_claimed_otherwise", false;
    /// The card may not be sold for this amount.
    DenominationNotAllowed = 25, "denomination_not_allowed", false;
    /// Below the smallest redemption.
    AmountBelowMinimum = 26, "amount_below_minimum", false;
    /// Above the largest redemption.
    AmountAboveMaximum = 27, "amount_above_maximum", false;
    /// The card was used too often today.
    DailyCountExceeded = 28, "daily_count_exceeded", true;
    /// Too much was redeemed with the card today.
    DailyAmountExceeded = 29, "daily_amount_exceeded", true;
    /// The value is there, but set aside by holds.
    HeldElsewhere = 30, "held_elsewhere", true;
    /// The card does not hold that much.
    InsufficientFunds = 31, "insufficient_funds", false;
    /// The card would hold more than it may.
    BalanceCapExceeded = 32, "balance_cap_exceeded", false;
    /// A rule of the program's policy pack is broken; the operation says which.
    PolicyRuleBroken = 48, "policy_rule_broken", false;
    /// The card has too many lots of different source and expiry.
    TooManyLots = 33, "too_many_lots", false;
    /// The hold's time ran out.
    HoldExpired = 34, "hold_expired", false;
    /// The hold was captured or released before.
    HoldClosed = 35, "hold_closed", false;
    /// More than the hold sets aside.
    CaptureExceedsHold = 36, "capture_exceeds_hold", false;
    /// The original was declined: there is nothing to give back.
    OriginalDeclined = 37, "original_declined", false;
    /// The original was reversed.
    AlreadyReversed = 38, "already_reversed", false;
    /// The original was refunded, or refunded further, so it can no longer be reversed.
    AlreadyRefunded = 39, "already_refunded", false;
    /// This kind of operation cannot be refunded or reversed.
    NotReversible = 40, "not_reversible", false;
    /// The time for a reversal has passed.
    ReversalWindowPassed = 41, "reversal_window_passed", false;
    /// The time for a refund has passed.
    RefundWindowPassed = 42, "refund_window_passed", false;
    /// More than what is left to refund.
    RefundExceedsRedemption = 43, "refund_exceeds_redemption", false;
    /// The card still has value, holds or claims.
    BalanceRemaining = 44, "balance_remaining", false;
    /// Nothing expired from the card that could be claimed.
    NothingToClaim = 45, "nothing_to_claim", false;
    /// The new end of validity is not in the future.
    ExpiryInThePast = 46, "expiry_in_the_past", false;
    /// The terminal used this trace number on this business date before.
    DuplicateTrace = 47, "duplicate_trace", false;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_and_codes_are_unique() {
        let numbers: HashSet<_> = Decline::ALL.iter().map(|d| d.number()).collect();
        let codes: HashSet<_> = Decline::ALL.iter().map(|d| d.code()).collect();
        assert_eq!(numbers.len(), Decline::ALL.len());
        assert_eq!(codes.len(), Decline::ALL.len());
        assert!(Decline::ALL.is_sorted());
        assert_eq!(Decline::from_number(31), Some(Decline::InsufficientFunds));
        assert_eq!(Decline::from_number(0), None);
    }
}
