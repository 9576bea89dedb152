//! The life of a card: its states, value between cards, its end and what comes back after it.

use domain::{CardState, Decline, LotNo, Refusal, Timestamp, card::CloseReason, lot::LotSource};
use domain_testing::fixture::{self, lot, noon};

use crate::harness::*;

const DAY: i64 = 86_400;

pub(crate) fn cases() -> Vec<Case> {
    [status(), moving(), ending(), expiring()].into_iter().flatten().collect()
}

fn status() -> Vec<Case> {
    vec![
        case("freeze", given(), freeze(1), Approved(0)),
        case("freeze twice", given().before("f", freeze(1)), freeze(1), Declined(Decline::CardFrozen)),
        case("unfreeze", given().before("f", freeze(1)), unfreeze(1), Approved(0)),
        case("not frozen", given(), unfreeze(1), Declined(Decline::CardNotFrozen)),
        case("unfreeze a lost card", given().before("l", lose(1)), unfreeze(1), Declined(Decline::CardLost)),
        case("lost", given(), lose(1), Approved(0)),
        case("lost while frozen", given().before("f", freeze(1)), lose(1), Approved(0)),
        case(
            "lost and anonymous",
            given().rules(|r| r.registered = false),
            lose(1),
            Declined(Decline::CardNotRegistered),
        ),
        case("bind", given(), bind(1, "m1"), Approved(0))
            .then(|m| assert_eq!(of_card(m, 1).member.as_deref(), Some("m1"))),
        case("bind again", given().before("b", bind(1, "m1")), bind(1, "m1"), Approved(0)),
        case(
            "bind to another",
            given().before("b", bind(1, "m1")),
            bind(1, "m2"),
            Declined(Decline::MemberAlreadyBound),
        ),
        case("hand over", given().before("b", bind(1, "m1")), hand_over(1, "m1", "m2"), Approved(0))
            .then(|m| assert_eq!(of_card(m, 1).member.as_deref(), Some("m2"))),
        case(
            "hand over what is somebody else's",
            given().before("b", bind(1, "m1")),
            hand_over(1, "m2", "m3"),
            Refused(Refusal::CardUnknown),
        ),
        case("hand over what is nobody's", given(), hand_over(1, "m1", "m2"), Refused(Refusal::CardUnknown)),
        case(
            "bound cards pay",
            given().rules(|r| r.member_required = true).before("b", bind(1, "m1")),
            redeem(1, 1),
            Approved(1),
        ),
        case("close", given(), close(8), Approved(0)),
        case("close with value", given(), close(1), Declined(Decline::BalanceRemaining)),
        case("close twice", given().before("c", close(8)), close(8), Declined(Decline::CardClosed)),
    ]
}

fn moving() -> Vec<Case> {
    let fixed = || given().rules(|r| r.transferable = false);
    vec![
        case("transfer", given(), transfer(1, 2, 100), Approved(100)).then(|memory| {
            assert_eq!((worth(memory, 1).0, worth(memory, 2).0), (900, 600));
        }),
        case(
            "lots keep their source",
            given().before("b", load_until(1, 1_000, noon().plus_seconds(60))),
            transfer(1, 2, 100),
            Approved(100),
        )
        .then(|memory| {
            assert_eq!(lots(memory, 2), [(LotSource::Paid, 550), (LotSource::Bonus, 50)]);
            assert_eq!(of_card(memory, 2).lots[1].expires_at, Some(noon().plus_seconds(60)));
        }),
        case("not transferable", fixed(), transfer(1, 2, 1), Declined(Decline::NotTransferable)),
        case("nor mergeable", fixed(), merge(1, 2), Declined(Decline::NotTransferable)),
        case("another program", given(), transfer(1, 40, 1), Declined(Decline::ProgramMismatch)),
        case("too much", given(), transfer(1, 2, 1_001), Declined(Decline::InsufficientFunds)),
        case(
            "over the receiver's cap",
            given().rules(|r| r.balance_cap = some(1_000)),
            transfer(1, 2, 501),
            Declined(Decline::BalanceCapExceeded),
        ),
        case("to a stocked card", given(), transfer(1, 8, 1), Declined(Decline::CardNotActivated)),
        case(
            "nobody's card",
            given().rules(|r| r.member_required = true),
            transfer(1, 2, 1),
            Declined(Decline::MemberRequired),
        ),
        case(
            "nobody's card, all of it",
            given().rules(|r| r.member_required = true),
            merge(1, 2),
            Declined(Decline::MemberRequired),
        ),
        case("merge", given(), merge(1, 2), Approved(1_000)).then(|memory| {
            assert_eq!((worth(memory, 1).0, worth(memory, 2).0), (0, 1_500));
            let reason = CloseReason::Merged(domain::CardId::new(2));
            assert_eq!(of_card(memory, 1).state, CardState::Closed { reason });
        }),
        case(
            "merge over the cap",
            given().rules(|r| r.balance_cap = some(1_499)),
            merge(1, 2),
            Declined(Decline::BalanceCapExceeded),
        ),
        case(
            "replace",
            given().before("b", bind(1, "m1")).before("l", lose(1)),
            replace(1, 8),
            Approved(1_000),
        )
        .then(|memory| {
            let card = of_card(memory, 8);
            assert_eq!(
                (card.posted().get(), card.state, card.member.as_deref()),
                (1_000, CardState::Active, Some("m1"))
            );
        }),
        case(
            "replace twice",
            given().before("r", replace(1, 8)),
            replace(1, 9),
            Declined(Decline::CardClosed),
        ),
        case("replace the replacement", given().before("r", replace(1, 8)), replace(8, 9), Approved(1_000)),
        case("by a card in use", given(), replace(1, 2), Declined(Decline::ReplacementNotStocked)),
        case("a stocked card", given(), replace(8, 9), Declined(Decline::CardNotActivated)),
        case(
            "past its validity",
            given().card(1, |c| c.expires_at = Some(noon())),
            replace(1, 8),
            Declined(Decline::CardExpired),
        ),
        case(
            "a replaced program",
            given().card(8, |c| c.program = fixture::OTHER_PROGRAM),
            replace(1, 8),
            Declined(Decline::ProgramMismatch),
        ),
    ]
}

fn ending() -> Vec<Case> {
    let with_bonus = || given().before("l", load_with(1, 1, 200));
    let claimed = || {
        given()
            .rules(|r| r.cash_out = true)
            .before("sale", redeem(1, 600))
            .before("o", cash_out(1))
            .before("r", refund("sale", None))
    };
    vec![
        case("cash out", with_bonus(), cash_out(1), Approved(1_001)).then(|memory| {
            let operation = recorded(memory, "the case itself").operation;
            assert_eq!(operation.detail.forfeited, some(200));
            assert_eq!(worth(memory, 1), (0, 0, 0));
        }),
        case(
            "cash out is not allowed",
            given().rules(|r| r.cash_out = false),
            cash_out(1),
            Declined(Decline::CashOutNotAllowed),
        ),
        case("cash out twice", given().before("o", cash_out(1)), cash_out(1), Declined(Decline::CardClosed)),
        case("a lost card", given().before("l", lose(1)), cash_out(1), Declined(Decline::CardLost)),
        case(
            "nobody's card",
            given().rules(|r| r.member_required = true),
            cash_out(1),
            Declined(Decline::MemberRequired),
        ),
        case("what came back to a closed card", claimed(), cash_out(1), Approved(600)),
        case(
            "whatever the program says by now",
            claimed().rules(|r| r.cash_out = false),
            cash_out(1),
            Approved(600),
        ),
        case(
            "an expired card's claim",
            given().card(1, |c| c.expires_at = Some(noon())).before("e", expire(1)),
            cash_out(1),
            Approved(1_000),
        ),
        case(
            "a card with a claim is not closed",
            given().card(1, |c| c.expires_at = Some(noon())).before("e", expire(1)),
            close(1),
            Declined(Decline::BalanceRemaining),
        ),
    ]
}

fn expiring() -> Vec<Case> {
    let soon = noon().plus_seconds(60);
    let ends = move || given().card(1, move |c| c.expires_at = Some(soon)).after(60);
    let bonus = move || given().before("b", load_until(1, 50, soon)).after(60);
    let expired = move || ends().before("e", expire(1));
    let later = |given: &Given| Some(given.now.plus_seconds(DAY));
    let end = later(&expired());
    vec![
        case("a card", ends(), expire(1), Approved(1_000)).then(|memory| {
            assert_eq!(worth(memory, 1), (0, 0, 1_000));
            assert_eq!(of_card(memory, 1).state, CardState::Expired);
        }),
        case("a lot", bonus(), expire(1), Approved(50)).then(|m| assert_eq!(worth(m, 1), (1_000, 0, 50))),
        case(
            "a lot that is partly held",
            given().before("b", load_until(1, 50, soon)).before("h", hold(1, 1_030)).after(60),
            expire(1),
            Approved(20),
        )
        .then(|m| assert_eq!(worth(m, 1), (1_030, 1_030, 20))),
        case("the longest expired goes first", two_expired_lots(), expire(1), Approved(50)).then(|memory| {
            let left: Vec<_> = of_card(memory, 1).lots.iter().map(|l| (l.no, l.remaining.get())).collect();
            assert_eq!(left, [(LotNo(1), 100), (LotNo(2), 0)]);
        }),
        case(
            "captured from what was left",
            two_expired_lots().before("e", expire(1)),
            capture("h", None, true),
            Approved(100),
        ),
        case(
            "a frozen card",
            given().before("f", freeze(1)).card(1, move |c| c.expires_at = Some(soon)).after(60),
            expire(1),
            Approved(1_000),
        ),
        case("reactivate", expired(), reactivate(1, end), Approved(1_000)).then(|memory| {
            assert_eq!(worth(memory, 1), (1_000, 0, 0));
            assert_eq!(of_card(memory, 1).state, CardState::Active);
        }),
        case("reactivate before the job ran", ends(), reactivate(1, end), Approved(0))
            .then(|m| assert_eq!(worth(m, 1), (1_000, 0, 0))),
        case(
            "reactivate a lot of an active card",
            bonus().before("e", expire(1)),
            reactivate(1, None),
            Approved(50),
        )
        .then(|memory| {
            assert_eq!(lots(memory, 1), [(LotSource::Paid, 1_000), (LotSource::Bonus, 50)]);
        }),
        case("nothing to claim", given(), reactivate(1, None), Declined(Decline::NothingToClaim)),
        case(
            "into the past",
            expired(),
            reactivate(1, Some(Timestamp::from_micros(1))),
            Declined(Decline::ExpiryInThePast),
        ),
        case(
            "a frozen card",
            given().before("f", freeze(1)),
            reactivate(1, None),
            Declined(Decline::CardFrozen),
        ),
        case(
            "a claim left on a replaced card",
            bonus().before("e", expire(1)).before("r", replace(1, 8)),
            reactivate(1, None),
            Approved(50),
        )
        .then(|memory| {
            assert_eq!((worth(memory, 1), worth(memory, 8)), ((0, 0, 0), (1_050, 0, 0)));
        }),
        case(
            "no claim on a replaced card",
            given().before("r", replace(1, 8)),
            reactivate(1, None),
            Declined(Decline::CardClosed),
        ),
        case(
            "a claim, and its successor frozen",
            bonus().before("e", expire(1)).before("r", merge(1, 2)).before("f", freeze(2)),
            reactivate(1, None),
            Declined(Decline::CardFrozen),
        ),
        case("an expired card pays nothing", expired(), redeem(1, 1), Declined(Decline::CardExpired)),
    ]
}

/// A hold of 100 on the first lot; the second had expired before it was made. By now the first has, too.
fn two_expired_lots() -> Given {
    let expiring = |card: &mut domain::Card| {
        card.lots = vec![lot(1, LotSource::Paid, 100), lot(2, LotSource::Paid, 50)];
        card.lots[0].expires_at = Some(noon().plus_seconds(60));
        card.lots[1].expires_at = Some(noon());
    };
    given().card(1, expiring).before("h", hold(1, 100)).after(60)
}
