//! Bugs on purpose, to show that the simulation finds bugs. Compiled with the feature `planted`; one of
//! them at a time is active on a thread.
//!
//! - `Site::Database`: in the simulated database, as a store could have them.
//! - `Site::Engine`: between requests of a batch, and where answers go back.
//! - `Site::Rules`: around [`domain::decide::decide`]: what it is given, or what it returns. The serial
//!   replay that answers are compared with has the same bug, so that only independent knowledge (the
//!   reference model, the books, the facts of the history) can find these.

#[cfg(feature = "planted")]
mod rules;

/// Where a bug sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// A store.
    Database,
    /// The engine, or a caller of it.
    Engine,
    /// The rules of cards.
    Rules,
}

macro_rules! bugs {
    ($( $site:ident $name:ident $text:literal, $what:literal; )*) => {
        /// A bug that can be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Bug {
            $( #[doc = $what] $name, )*
        }

        impl Bug {
            /// All of them.
            pub const ALL: &'static [Self] = &[ $( Self::$name, )* ];

            /// Its name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$name => $text, )* }
            }

            /// What it does wrong.
            pub const fn what(self) -> &'static str {
                match self { $( Self::$name => $what, )* }
            }

            /// Where it sits.
            pub const fn site(self) -> Site {
                match self { $( Self::$name => Site::$site, )* }
            }
        }
    };
}

bugs! {
    Database AnsweredBeforeDurable "answered-before-durable", "a commit counts as durable before it is synced";
    Database SyncedOutOfOrder "synced-out-of-order", "a later commit survives a crash that an earlier one does not";
    Database ReopenedUnsynced "reopened-unsynced", "what a killed process wrote is answered as stored before it is synced";
    Database FailoverLosesCommits "failover-loses-commits", "the last commits before a fail-over are gone";
    Database DoubtTakenForDone "doubt-taken-for-done", "a commit without an answer is taken for done";
    Database TornCommit "torn-commit", "a commit that was in doubt wrote its cards, not its operations";
    Database CardsNotLocked "cards-not-locked", "two writers change the same card, the second undoes the first";
    Database HoldReadBeforeLock "hold-read-before-lock", "a hold is read before its card is locked, and not again";
    Database RefundReadBeforeLock "refund-read-before-lock", "what was refunded is read before the card is locked";
    Database KeysNotUnique "keys-not-unique", "two writers can both use a key that was free";
    Database TombstoneRacesOriginal "tombstone-races-original", "a tombstone and its original are both stored";
    Database TombstoneNotStored "tombstone-not-stored", "tombstones are not written";
    Database ReversalNotNoted "reversal-not-noted", "that an operation was reversed is not written";
    Database KeyOfAnyClient "key-of-any-client", "a key is looked up without its client";
    Database TraceForgotten "trace-forgotten", "trace numbers are not stored";
    Database NodeNumberShared "node-number-shared", "two nodes have the same number, and overwrite each other's ids";
    Engine BatchForgetsKeys "batch-forgets-keys", "a key used earlier in the same batch looks free";
    Engine BatchForgetsCards "batch-forgets-cards", "a card changed earlier in the same batch looks as loaded";
    Engine AnswersOutOfStep "answers-out-of-step", "answers behind a refused request go to the wrong callers";
    Engine RetryUnderNewKey "retry-under-new-key", "a request without an answer is sent again under another key";
    Rules TombstoneIgnored "tombstone-ignored", "a request that was reversed before it came is carried out";
    Rules AnyIntentReplays "any-intent-replays", "another request under a used key gets the first one's answer";
    Rules ReversedTwice "reversed-twice", "a second reversal gives the value back again";
    Rules LastRefundNotCounted "last-refund-not-counted", "what a refund gives back does not count against the next";
    Rules OldestLotRestoredFirst "oldest-lot-restored-first", "a refund restores what was consumed first";
    Rules HoldNotGivenBack "hold-not-given-back", "a release ends the hold and leaves its value held";
    Rules HeldValueSpendable "held-value-spendable", "what holds set aside can be spent";
    Rules ExpiredHoldCaptured "expired-hold-captured", "a hold whose time ran out can be captured";
    Rules CaptureUndoneReopensHold "capture-undone-reopens-hold", "the reversal of a capture opens its hold again";
    Rules DayNeverEnds "day-never-ends", "the counters of the day are not reset on the next";
    Rules UseNotUncounted "use-not-uncounted", "a reversed redemption still counts against the day";
    Rules ExpiredLotSpendable "expired-lot-spendable", "a lot past its expiry can be spent";
    Rules FrozenCardPays "frozen-card-pays", "a frozen card can be redeemed";
    Rules WrongPinNotCounted "wrong-pin-not-counted", "wrong PINs are not counted";
    Rules BalanceCapIgnored "balance-cap-ignored", "a load may exceed the largest balance";
    Rules ReplacementForgetsDay "replacement-forgets-day", "a replaced card may be used as often again on the same day";
    Rules MergeLosesBonus "merge-loses-bonus", "bonus value is lost when cards are merged";
    Rules SharesRoundedWrong "shares-rounded-wrong", "shares of two sources are off by one";
    Rules BonusPaidOut "bonus-paid-out", "a cash-out pays bonus value out";
    Rules MemberKept "member-kept", "a card that goes back to stock keeps its member";
    Rules ForeignCardReached "foreign-card-reached", "a client reaches the cards of another issuer";
    Rules ForfeitPaidOut "forfeit-paid-out", "a refund to the holder pays out what the law has forfeited";
    Rules RefundedCardLives "refunded-card-lives", "a card that was paid back to its holder stays in use";
    Rules ExchangedValueKept "exchanged-value-kept", "an expired card keeps what went onto the new one";
    Rules PostingDoubled "posting-doubled", "a posting moves its first amount twice";
    Rules ReversalWithoutWindow "reversal-without-window", "an operation can be reversed however old it is";
}

#[cfg(feature = "planted")]
thread_local! {
    static ACTIVE: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Whether this bug is active.
#[cfg(feature = "planted")]
pub(crate) fn is(bug: Bug) -> bool {
    ACTIVE.get() == Some(bug)
}

/// Whether this bug is active: never, without the feature.
#[cfg(not(feature = "planted"))]
pub(crate) const fn is(_: Bug) -> bool {
    false
}

/// Activates a bug on this thread, or none.
#[cfg(feature = "planted")]
pub(crate) fn plant(bug: Option<Bug>) {
    ACTIVE.set(bug);
    engine::planted::plant(rules::decide_in_batch);
}

/// Without the feature there is nothing to activate.
#[cfg(not(feature = "planted"))]
pub(crate) fn plant(bug: Option<Bug>) {
    assert!(bug.is_none(), "bugs are compiled in with `--features planted` only");
}

#[cfg(not(feature = "planted"))]
pub(crate) use sound::decide;

#[cfg(feature = "planted")]
pub(crate) use rules::decide_alone as decide;

#[cfg(not(feature = "planted"))]
mod sound {
    use domain::{
        Refusal, Request,
        decide::{Context, Verdict},
        working::Working,
    };

    pub(crate) fn decide(
        request: &Request,
        working: &mut Working,
        context: &Context<'_>,
    ) -> Result<Verdict, Refusal> {
        domain::decide::decide(request, working, context)
    }
}
