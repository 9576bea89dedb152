//! Reversals, on time, late and out of order.

use domain::{Amount, CardState, Decline, command::Direction, lot::LotSource, operation::Destination};

use crate::harness::*;

const DAY: i64 = 86_400;

pub(crate) fn cases() -> Vec<Case> {
    [reversing(), reversing_the_rest(), late(), reversing_what_was_sold()].into_iter().flatten().collect()
}

fn reversing() -> Vec<Case> {
    let sold = || given().before("sale", redeem(1, 600));
    vec![
        case("a sale", sold(), reverse("sale"), Approved(600))
            .then(|m| assert_eq!(worth(m, 1), (1_000, 0, 0))),
        case("twice", sold().before("first", reverse("sale")), reverse("sale"), Replayed("first")),
        case(
            "a refunded sale",
            sold().before("r", refund("sale", Some(1))),
            reverse("sale"),
            Declined(Decline::AlreadyRefunded),
        ),
        case(
            "a sale whose refund was reversed",
            sold().before("r", refund("sale", Some(1))).before("u", reverse("r")),
            reverse("sale"),
            Approved(600),
        ),
        case("in time", sold().after(DAY), reverse("sale"), Approved(600)),
        case("too late", sold().after(DAY + 1), reverse("sale"), Declined(Decline::ReversalWindowPassed)),
        case("a declined sale", given().declined("sale", redeem(1, 1_001)), reverse("sale"), Approved(0)),
        case(
            "a declined sale twice",
            given().declined("sale", redeem(1, 1_001)).before("first", reverse("sale")),
            reverse("sale"),
            Replayed("first"),
        ),
        case(
            "a sale on a card replaced since",
            sold().before("r", replace(1, 8)),
            reverse("sale"),
            Approved(600),
        )
        .then(|memory| {
            assert_eq!(worth(memory, 8), (1_000, 0, 0));
            assert_eq!(
                recorded(memory, "the case itself").operation.detail.destination,
                Some(Destination::Successor)
            );
        }),
        case(
            "a sale on a card replaced twice",
            sold().before("r", replace(1, 8)).before("s", replace(8, 9)),
            reverse("sale"),
            Approved(600),
        )
        .then(|m| assert_eq!(worth(m, 9), (1_000, 0, 0))),
    ]
}

fn reversing_what_was_sold() -> Vec<Case> {
    vec![
        case(
            "an activation",
            given().before("a", activate(8, Some(50))).before("m", bind(8, "m1")),
            reverse("a"),
            Approved(50),
        )
        .then(|memory| {
            let card = of_card(memory, 8);
            assert_eq!((card.state, card.member, card.activated_at), (CardState::Stocked, None, None));
        }),
        case(
            "and activated again",
            given().before("a", activate(8, Some(50))).before("r", reverse("a")),
            activate(8, Some(60)),
            Approved(60),
        ),
        case(
            "an activation that was spent from",
            given().before("a", activate(8, Some(50))).before("s", redeem(8, 1)),
            reverse("a"),
            Declined(Decline::InsufficientFunds),
        ),
        case(
            "an activation that was loaded upon",
            given().before("a", activate(8, Some(50))).before("l", load(8, 1)),
            reverse("a"),
            Declined(Decline::BalanceRemaining),
        ),
        case(
            "an activation of a card frozen since",
            given().before("a", activate(8, Some(50))).before("f", freeze(8)),
            reverse("a"),
            Declined(Decline::CardFrozen),
        ),
        case("a load", given().before("l", load_with(1, 100, 20)), reverse("l"), Approved(100)).then(
            |memory| {
                assert_eq!(lots(memory, 1), [(LotSource::Paid, 1_000), (LotSource::Bonus, 0)]);
            },
        ),
        case(
            "a load that is held",
            given().before("l", load(1, 100)).before("h", hold(1, 1_050)),
            reverse("l"),
            Declined(Decline::HeldElsewhere),
        ),
        case(
            "a load on a card closed since",
            given().before("l", load(1, 100)).before("o", cash_out(1)),
            reverse("l"),
            Declined(Decline::CardClosed),
        ),
        case(
            "a debit of a card closed since",
            given().before("d", adjust(1, Direction::Debit, 100)).before("o", cash_out(1)),
            reverse("d"),
            Declined(Decline::CardClosed),
        ),
        case("a debit", given().before("d", adjust(1, Direction::Debit, 100)), reverse("d"), Approved(100))
            .then(|m| assert_eq!(worth(m, 1), (1_000, 0, 0))),
        case("an unlinked refund", given().before("u", unlinked(1, 70)), reverse("u"), Approved(70)),
    ]
}

fn reversing_the_rest() -> Vec<Case> {
    let sold = || given().before("sale", redeem(1, 600));
    vec![
        case("a transfer", given().before("t", transfer(1, 2, 100)), reverse("t"), Approved(100)).then(
            |memory| {
                assert_eq!((worth(memory, 1).0, worth(memory, 2).0), (1_000, 500));
            },
        ),
        case(
            "a transfer that was spent",
            given().before("t", transfer(1, 2, 100)).before("s", redeem(2, 501)),
            reverse("t"),
            Declined(Decline::InsufficientFunds),
        ),
        case("a hold", given().before("h", hold(1, 600)), reverse("h"), Approved(600))
            .then(|m| assert_eq!(worth(m, 1), (1_000, 0, 0))),
        case(
            "a captured hold",
            given().before("h", hold(1, 600)).before("c", capture("h", Some(1), false)),
            reverse("h"),
            Declined(Decline::HoldClosed),
        ),
        case(
            "a capture",
            given().before("h", hold(1, 600)).before("c", capture("h", None, true)),
            reverse("c"),
            Approved(600),
        ),
        case("a freeze", given().before("f", freeze(1)), reverse("f"), Declined(Decline::NotReversible)),
        case(
            "a reversal",
            sold().before("r", reverse("sale")),
            reverse("r"),
            Declined(Decline::NotReversible),
        ),
        case(
            "an empty reversal",
            given().before("r", reverse("never")),
            reverse("r"),
            Declined(Decline::NotReversible),
        ),
        case("itself", given(), reverse("it"), Declined(Decline::NotReversible)),
        case("a refund", sold().before("r", refund("sale", Some(100))), reverse("r"), Approved(100)).then(
            |memory| {
                assert_eq!(recorded(memory, "sale").compensation.refunded, Amount::ZERO);
            },
        ),
        case(
            "a refund that was spent",
            sold().before("r", refund("sale", None)).before("s", redeem(1, 1_000)),
            reverse("r"),
            Declined(Decline::InsufficientFunds),
        ),
    ]
}

/// What arrives after its own reversal, and refunds that are reversed out of order.
fn late() -> Vec<Case> {
    let early = || given().before("first", reverse("sale"));
    let two_sources = || {
        given()
            .rules(|r| r.lot_order = domain::lot::LotOrder::PaidFirst)
            .before("l", load_with(1, 1, 100))
            .before("sale", redeem(1, 1_101))
            .before("one", refund("sale", Some(60)))
            .before("two", refund("sale", Some(100)))
    };
    vec![
        case("nothing yet", given(), reverse("sale"), Approved(0)),
        case("nothing yet, twice", early(), reverse("sale"), Replayed("first")),
        case("late", early(), with_key("sale", redeem(1, 10)), Declined(Decline::ReversedBeforeArrival))
            .then(|memory| {
                let operation = recorded(memory, "the case itself").operation;
                assert_eq!(operation.original, Some(id_of("first")));
                assert_eq!(worth(memory, 1), (1_000, 0, 0));
            }),
        case(
            "late and again",
            early().declined("sale", redeem(1, 10)),
            with_key("sale", redeem(1, 10)),
            Replayed("sale"),
        ),
        case(
            "late and something else",
            early().declined("sale", redeem(1, 10)),
            with_key("sale", redeem(1, 11)),
            Refused(domain::Refusal::IdempotencyConflict),
        ),
        case(
            "late and reversed again",
            early().declined("sale", redeem(1, 10)),
            reverse("sale"),
            Replayed("first"),
        ),
        case(
            "a late reversal",
            given().before("first", reverse("it")),
            reverse("other"),
            Declined(Decline::ReversedBeforeArrival),
        ),
        case("the older of two refunds", two_sources(), reverse("one"), Declined(Decline::AlreadyRefunded)),
        case("the newer", two_sources(), reverse("two"), Approved(100)).then(|memory| {
            assert_eq!(lots(memory, 1), [(LotSource::Paid, 0), (LotSource::Bonus, 60)]);
        }),
        case("then the older", two_sources().before("u", reverse("two")), reverse("one"), Approved(60)),
    ]
}
