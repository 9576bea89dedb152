//! Selling value and correcting it: activate, load, unlinked refund, adjust.

use domain::{
    Amount, Decline,
    card::MAX_LOTS,
    command::Direction,
    lot::LotSource,
    program::{Denominations, Validity},
};
use domain_testing::fixture::{MERCHANTS, amount, lot, noon};

use crate::harness::*;

pub(crate) fn cases() -> Vec<Case> {
    [selling(), unlinked_and_adjusting()].into_iter().flatten().collect()
}

fn selling() -> Vec<Case> {
    let full = |id: i64| {
        given().card(id, |card| {
            card.lots = (1..=64).map(|no| lot(no, LotSource::Paid, 1)).collect();
            for (lot, end) in card.lots.iter_mut().zip(1_i64..) {
                lot.expires_at = Some(noon().plus_seconds(end));
            }
        })
    };
    assert_eq!(MAX_LOTS, 64);
    vec![
        case("activate", given(), activate(8, Some(700)), Approved(700)).then(|memory| {
            assert_eq!(worth(memory, 8), (700, 0, 0));
            assert_eq!(of_card(memory, 8).activated_at, Some(noon()));
        }),
        case("face value", given().card(8, |c| c.face_value = some(300)), activate(8, None), Approved(300)),
        case(
            "another amount than made for",
            given().card(8, |c| c.face_value = some(300)),
            activate(8, Some(200)),
            Declined(Decline::DenominationNotAllowed),
        ),
        case("empty", given(), activate(8, Some(0)), Approved(0)),
        case("active already", given(), activate(1, Some(1)), Declined(Decline::CardAlreadyActive)),
        case("closed", given().before("c", close(8)), activate(8, Some(1)), Declined(Decline::CardClosed)),
        case(
            "program closed",
            given().program(|p| closed(&mut p.status)),
            activate(8, Some(1)),
            Declined(Decline::ProgramClosed),
        ),
        case(
            "denomination",
            given().rules(|r| r.denominations = Denominations::Fixed { amounts: vec![amount(100)] }),
            activate(8, Some(101)),
            Declined(Decline::DenominationNotAllowed),
        ),
        case(
            "over before it began",
            given().rules(|r| r.validity = Validity::Until { at: noon() }),
            activate(8, Some(1)),
            Declined(Decline::ExpiryInThePast),
        ),
        case(
            "cap",
            given().rules(|r| r.balance_cap = some(100)),
            activate(8, Some(101)),
            Declined(Decline::BalanceCapExceeded),
        ),
        case("load", given(), load_with(1, 100, 20), Approved(100)).then(|memory| {
            assert_eq!(lots(memory, 1), [(LotSource::Paid, 1_100), (LotSource::Bonus, 20)]);
        }),
        case("a bonus of nothing is none", given(), load_with(1, 100, 0), Approved(100)).then(|memory| {
            assert_eq!(lots(memory, 1), [(LotSource::Paid, 1_100)]);
        }),
        case(
            "not reloadable",
            given().rules(|r| r.reloadable = false),
            load(1, 1),
            Declined(Decline::NotReloadable),
        ),
        case("up to the cap", given().rules(|r| r.balance_cap = some(1_001)), load(1, 1), Approved(1)),
        case(
            "the bonus counts",
            given().rules(|r| r.balance_cap = some(1_001)),
            load_with(1, 1, 1),
            Declined(Decline::BalanceCapExceeded),
        ),
        case("beyond counting", given(), load(1, Amount::MAX.get()), Declined(Decline::BalanceCapExceeded)),
        case(
            "bonus beyond counting",
            given(),
            load_with(1, Amount::MAX.get(), Amount::MAX.get()),
            Declined(Decline::BalanceCapExceeded),
        ),
        case("too many lots", full(1), load(1, 1), Declined(Decline::TooManyLots)),
        case("load a stocked card", given(), load(8, 1), Declined(Decline::CardNotActivated)),
    ]
}

fn unlinked_and_adjusting() -> Vec<Case> {
    let frozen = || given().before("f", freeze(1));
    vec![
        case("unlinked", given(), unlinked(1, 70), Approved(70))
            .then(|m| assert_eq!(worth(m, 1), (1_070, 0, 0))),
        case(
            "unlinked over the cap",
            given().rules(|r| r.balance_cap = some(1_000)),
            unlinked(1, 1),
            Declined(Decline::BalanceCapExceeded),
        ),
        case("unlinked to a frozen card", frozen(), unlinked(1, 1), Declined(Decline::CardFrozen)),
        case(
            "unlinked by a merchant that is not accepted",
            given().rules(|r| r.acceptance.merchants = Some([MERCHANTS[1]].into())),
            unlinked(1, 1),
            Declined(Decline::MerchantNotAccepted),
        ),
        case("credit", given(), adjust(1, Direction::Credit, 5), Approved(5))
            .then(|m| assert_eq!(worth(m, 1), (1_005, 0, 0))),
        case(
            "credit over the cap",
            given().rules(|r| r.balance_cap = some(1_000)),
            adjust(1, Direction::Credit, 1),
            Declined(Decline::BalanceCapExceeded),
        ),
        case("debit", frozen(), adjust(1, Direction::Debit, 5), Approved(5))
            .then(|m| assert_eq!(worth(m, 1), (995, 0, 0))),
        case(
            "debit too much",
            given(),
            adjust(1, Direction::Debit, 1_001),
            Declined(Decline::InsufficientFunds),
        ),
        case(
            "a lost card",
            given().before("l", lose(1)),
            adjust(1, Direction::Debit, 1),
            Declined(Decline::CardLost),
        ),
        case(
            "a frozen card past its validity",
            frozen().card(1, |c| c.expires_at = Some(noon())),
            adjust(1, Direction::Credit, 1),
            Declined(Decline::CardExpired),
        ),
    ]
}
