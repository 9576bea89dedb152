//! Holds with their captures and releases, and refunds.

use domain::{Amount, Decline, card::StateCode, command::Direction};
use domain_testing::fixture::noon;

use crate::harness::*;

const DAY: i64 = 86_400;

pub(crate) fn cases() -> Vec<Case> {
    [holding(), refunding()].into_iter().flatten().collect()
}

fn holding() -> Vec<Case> {
    let held = || given().before("h", hold(1, 600));
    vec![
        case("hold", given(), hold(1, 600), Approved(600)).then(|m| assert_eq!(worth(m, 1), (1_000, 600, 0))),
        case("the rest", held(), redeem(1, 400), Approved(400)),
        case("held elsewhere", held(), redeem(1, 401), Declined(Decline::HeldElsewhere)),
        case("not there at all", held(), redeem(1, 1_001), Declined(Decline::InsufficientFunds)),
        case("capture all", held(), capture("h", None, true), Approved(600))
            .then(|m| assert_eq!(worth(m, 1), (400, 0, 0))),
        case("capture a part", held(), capture("h", Some(200), false), Approved(200))
            .then(|m| assert_eq!(worth(m, 1), (800, 400, 0))),
        case("capture a last part", held(), capture("h", Some(200), true), Approved(200))
            .then(|m| assert_eq!(worth(m, 1), (800, 0, 0))),
        case(
            "a part, then the rest is released",
            held().before("c", capture("h", Some(200), false)),
            release("h"),
            Approved(400),
        )
        .then(|m| assert_eq!(worth(m, 1), (800, 0, 0))),
        case(
            "two parts",
            held().before("c", capture("h", Some(200), false)),
            capture("h", None, false),
            Approved(400),
        )
        .then(|m| assert_eq!(worth(m, 1), (400, 0, 0))),
        case("more than held", held(), capture("h", Some(601), true), Declined(Decline::CaptureExceedsHold)),
        case(
            "more than left",
            held().before("c", capture("h", Some(200), false)),
            capture("h", Some(401), true),
            Declined(Decline::CaptureExceedsHold),
        ),
        case("too late", held().after(900), capture("h", None, true), Declined(Decline::HoldExpired)),
        case(
            "too late after the job",
            held().after(900).before("r", release_expired("h")),
            capture("h", None, true),
            Declined(Decline::HoldExpired),
        ),
        case(
            "released",
            held().before("r", release("h")),
            capture("h", None, true),
            Declined(Decline::HoldClosed),
        ),
        case("release twice", held().before("r", release("h")), release("h"), Declined(Decline::HoldClosed)),
        case(
            "captured from a frozen card",
            held().before("f", freeze(1)),
            capture("h", None, true),
            Approved(600),
        ),
        case(
            "captured from a lost card",
            held().before("f", lose(1)),
            capture("h", None, true),
            Approved(600),
        ),
        case(
            "captured past the card's validity",
            held().card(1, |c| c.expires_at = Some(noon().plus_seconds(60))).after(60),
            capture("h", None, true),
            Approved(600),
        ),
        case(
            "captured out of lots that have expired since",
            given()
                .before("b", load_until(1, 50, noon().plus_seconds(60)))
                .before("h", hold(1, 1_050))
                .after(60),
            capture("h", None, true),
            Approved(1_050),
        ),
        case("a card with holds is not replaced", held(), replace(1, 8), Declined(Decline::HeldElsewhere)),
        case("nor merged", held(), merge(1, 2), Declined(Decline::HeldElsewhere)),
        case("nor paid out", held(), cash_out(1), Declined(Decline::HeldElsewhere)),
        case("nor closed", held(), close(1), Declined(Decline::BalanceRemaining)),
        case("nor emptied by a transfer", held(), transfer(1, 2, 401), Declined(Decline::HeldElsewhere)),
        case(
            "nor by an adjustment",
            held(),
            adjust(1, Direction::Debit, 401),
            Declined(Decline::HeldElsewhere),
        ),
        case(
            "captured and then closed",
            held().before("c", capture("h", None, true)).before("o", cash_out(1)),
            capture("h", None, true),
            Declined(Decline::CardClosed),
        ),
    ]
}

fn refunding() -> Vec<Case> {
    let sold = || given().before("sale", redeem(1, 600));
    vec![
        case("refund", sold(), refund("sale", None), Approved(600))
            .then(|m| assert_eq!(worth(m, 1), (1_000, 0, 0))),
        case("a part", sold(), refund("sale", Some(1)), Approved(1)),
        case("the rest", sold().before("r", refund("sale", Some(1))), refund("sale", None), Approved(599)),
        case(
            "more than the rest",
            sold().before("r", refund("sale", Some(1))),
            refund("sale", Some(600)),
            Declined(Decline::RefundExceedsRedemption),
        ),
        case(
            "nothing left",
            sold().before("r", refund("sale", None)),
            refund("sale", None),
            Declined(Decline::RefundExceedsRedemption),
        ),
        case(
            "of a capture",
            given().before("h", hold(1, 600)).before("c", capture("h", Some(500), true)),
            refund("c", None),
            Approved(500),
        ),
        case(
            "of a reversed sale",
            sold().before("r", reverse("sale")),
            refund("sale", None),
            Declined(Decline::AlreadyReversed),
        ),
        case(
            "of a declined sale",
            given().declined("sale", redeem(1, 1_001)),
            refund("sale", None),
            Declined(Decline::OriginalDeclined),
        ),
        case(
            "in time",
            sold().rules(|r| r.refund_days = Some(7)).after(7 * DAY),
            refund("sale", None),
            Approved(600),
        ),
        case(
            "too late",
            sold().rules(|r| r.refund_days = Some(7)).after(7 * DAY + 1),
            refund("sale", None),
            Declined(Decline::RefundWindowPassed),
        ),
        case(
            "over the cap all the same",
            sold().rules(|r| r.balance_cap = some(1_000)).before("l", load(1, 600)),
            refund("sale", None),
            Approved(600),
        ),
        case(
            "beyond counting",
            given()
                .before("s", redeem(1, 1_000))
                .before("l", load_until(1, Amount::MAX.get(), noon().plus_seconds(60))),
            refund("s", None),
            Declined(Decline::BalanceCapExceeded),
        ),
        case("to a frozen card", sold().before("f", freeze(1)), refund("sale", None), Approved(600)).then(
            |memory| {
                assert_eq!(worth(memory, 1), (1_000, 0, 0));
                assert_eq!(of_card(memory, 1).state.code(), StateCode::Frozen);
            },
        ),
    ]
}
