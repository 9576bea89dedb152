//! What other systems got wrong in public; each a case here.

use domain::{
    Account, Decline, MerchantId,
    lot::{LotOrder, LotSource},
    operation::Destination,
};
use domain_testing::{
    fixture::{MERCHANTS, lot, noon},
    memory::Memory,
};

use crate::harness::*;

pub(crate) fn cases() -> Vec<Case> {
    [exhausted(), abandoned(), where_refunds_go(), remainders(), every_path(), clearing()]
        .into_iter()
        .flatten()
        .collect()
}

/// A card that was emptied or closed after pricing pays nothing, and says so.
fn exhausted() -> Vec<Case> {
    vec![
        case(
            "emptied after pricing",
            given().before("other", redeem(1, 1_000)),
            redeem(1, 10),
            Declined(Decline::InsufficientFunds),
        ),
        case(
            "closed after pricing",
            given().before("o", cash_out(1)),
            redeem(1, 10),
            Declined(Decline::CardClosed),
        ),
    ]
}

/// A hold that nobody captures gives its value back.
fn abandoned() -> Vec<Case> {
    let abandoned = || given().before("h", hold(1, 1_000)).after(900);
    vec![
        case(
            "while it lasts it can be tried again",
            given().before("h", hold(1, 1_000)),
            redeem(1, 1),
            Declined(Decline::HeldElsewhere),
        ),
        case("it ends", abandoned(), release_expired("h"), Approved(1_000)),
        case(
            "then the card is whole",
            abandoned().before("r", release_expired("h")),
            redeem(1, 1_000),
            Approved(1_000),
        ),
    ]
}

/// Refunding a part gives back that part; the value always has a place to go.
fn where_refunds_go() -> Vec<Case> {
    let sold = || given().before("sale", redeem(1, 600));
    vec![
        case("one of three items", sold(), refund("sale", Some(200)), Approved(200)).then(|memory| {
            assert_eq!(worth(memory, 1), (600, 0, 0));
            assert_eq!(recorded(memory, "sale").compensation.refunded.get(), 200);
        }),
        case(
            "expired",
            sold().card(1, |c| c.expires_at = Some(noon())).before("e", expire(1)),
            refund("sale", None),
            Approved(600),
        )
        .then(|memory| {
            assert_eq!(worth(memory, 1), (0, 0, 1_000));
            assert_eq!(
                recorded(memory, "the case itself").operation.detail.destination,
                Some(Destination::Residual)
            );
        }),
        case("closed", sold().before("o", cash_out(1)), refund("sale", None), Approved(600))
            .then(|m| assert_eq!(worth(m, 1), (0, 0, 600))),
        case("replaced", sold().before("r", replace(1, 8)), refund("sale", None), Approved(600)).then(
            |memory| {
                assert_eq!((worth(memory, 1), worth(memory, 8)), ((0, 0, 0), (1_000, 0, 0)));
                assert_eq!(
                    recorded(memory, "the case itself").operation.detail.destination,
                    Some(Destination::Successor)
                );
            },
        ),
        case("merged", sold().before("m", merge(1, 2)), refund("sale", None), Approved(600))
            .then(|m| assert_eq!(worth(m, 2), (1_500, 0, 0))),
        case(
            "replaced and then closed",
            sold().before("r", replace(1, 8)).before("o", cash_out(8)),
            refund("sale", None),
            Approved(600),
        )
        .then(|m| assert_eq!(worth(m, 8), (0, 0, 600))),
        case(
            "only the lot expired",
            given()
                .before("b", load_until(1, 50, noon().plus_seconds(60)))
                .before("sale", redeem(1, 1_050))
                .after(60),
            refund("sale", None),
            Approved(1_050),
        )
        .then(|m| assert_eq!(worth(m, 1), (1_000, 0, 50))),
        case(
            "into the lots it came from",
            given().before("l", load_with(1, 200, 600)).before("sale", redeem(1, 900)),
            refund("sale", Some(450)),
            Approved(450),
        )
        .then(|memory| {
            // 900 of 1,200 paid and 600 bonus took 600 and 300; the newest part comes back first.
            assert_eq!(lots(memory, 1), [(LotSource::Paid, 750), (LotSource::Bonus, 600)]);
        }),
    ]
}

/// Not a minor unit is lost or left over, whatever a unit is worth.
fn remainders() -> Vec<Case> {
    let kwd = domain::Currency::parse("KWD").expect("a currency");
    assert_eq!(kwd.exponent(), 3);
    let thirds = || {
        given().rules(|r| r.lot_order = LotOrder::ProRata).card(1, |card| {
            let sources = [LotSource::Paid, LotSource::EmployerFunded, LotSource::Bonus];
            card.lots = sources.into_iter().zip(1_u16..).map(|(source, no)| lot(no, source, 1)).collect();
        })
    };
    let in_fils = move |minor| {
        let domain::Command::Redeem(payment) = redeem(1, minor) else { unreachable!("a redemption") };
        domain::Command::Redeem(domain::command::Payment { currency: kwd, ..payment })
    };
    vec![
        case("one of three", thirds(), redeem(1, 1), Approved(1))
            .then(|m| assert_eq!(worth(m, 1), (2, 0, 0))),
        case("two of three", thirds(), redeem(1, 2), Approved(2))
            .then(|m| assert_eq!(worth(m, 1), (1, 0, 0))),
        case("the last one", thirds().before("s", redeem(1, 2)), redeem(1, 1), Approved(1))
            .then(|m| assert_eq!(worth(m, 1), (0, 0, 0))),
        case("three decimals", given().program(move |p| p.currency = kwd), in_fils(999), Approved(999))
            .then(|m| assert_eq!(worth(m, 1), (1, 0, 0))),
        case(
            "and its last fils",
            given().program(move |p| p.currency = kwd).sent("s", with_key("s", in_fils(999)), true),
            in_fils(1),
            Approved(1),
        ),
    ]
}

/// A rule holds on every path that value can leave by.
fn every_path() -> Vec<Case> {
    let owned = || given().rules(|r| r.member_required = true);
    let elsewhere = || given().rules(|r| r.acceptance.merchants = Some([MERCHANTS[1]].into()));
    vec![
        case("owner: redeem", owned(), redeem(1, 1), Declined(Decline::MemberRequired)),
        case("owner: hold", owned(), hold(1, 1), Declined(Decline::MemberRequired)),
        case("owner: transfer", owned(), transfer(1, 2, 1), Declined(Decline::MemberRequired)),
        case("owner: merge", owned(), merge(1, 2), Declined(Decline::MemberRequired)),
        case("owner: cash out", owned(), cash_out(1), Declined(Decline::MemberRequired)),
        case("store: redeem", elsewhere(), redeem(1, 1), Declined(Decline::MerchantNotAccepted)),
        case("store: hold", elsewhere(), hold(1, 1), Declined(Decline::MerchantNotAccepted)),
        case("store: unlinked refund", elsewhere(), unlinked(1, 1), Declined(Decline::MerchantNotAccepted)),
        case(
            "a stolen card is not emptied by any of them",
            given().before("l", lose(1)),
            transfer(1, 2, 1),
            Declined(Decline::CardLost),
        ),
        case("nor by merging", given().before("l", lose(1)), merge(1, 2), Declined(Decline::CardLost)),
        case("nor by binding", given().before("l", lose(1)), bind(1, "thief"), Declined(Decline::CardLost)),
        case("nor by holding", given().before("l", lose(1)), hold(1, 1), Declined(Decline::CardLost)),
    ]
}

fn merchants(memory: &Memory, name: &str) -> Vec<(i64, MerchantId)> {
    let side = |account: Account, sign: i64| match account {
        Account::Merchant(id) => Some((sign, id)),
        _ => None,
    };
    let of = |t: &domain::Transfer| side(t.credit, t.amount.get()).or_else(|| side(t.debit, -t.amount.get()));
    recorded(memory, name).transfers.iter().filter_map(of).collect()
}

/// Who holds the cash owes it: the channel that sold, and whoever redeemed is owed, even if the card was
/// sold by another and the refund is made elsewhere.
fn clearing() -> Vec<Case> {
    vec![
        case(
            "redeemed by the second merchant",
            given().before("sold", activate(8, Some(100))),
            redeem_at(8, 100, 1),
            Approved(100),
        )
        .then(|memory| {
            assert_eq!(merchants(memory, "the case itself"), [(100, MERCHANTS[1])]);
            assert!(merchants(memory, "sold").is_empty());
            assert!(matches!(recorded(memory, "sold").transfers[0].debit, Account::Channel(_)));
        }),
        case(
            "its refund is paid by the second",
            given().before("sale", redeem_at(1, 100, 1)),
            refund("sale", None),
            Approved(100),
        )
        .then(|memory| {
            assert_eq!(merchants(memory, "the case itself"), [(-100, MERCHANTS[1])]);
        }),
        case(
            "its reversal too",
            given().before("sale", redeem_at(1, 100, 1)),
            reverse("sale"),
            Approved(100),
        )
        .then(|memory| {
            assert_eq!(merchants(memory, "the case itself"), [(-100, MERCHANTS[1])]);
        }),
        case(
            "a capture is owed to whom held",
            given().before("h", hold(1, 100)),
            capture("h", None, true),
            Approved(100),
        )
        .then(|memory| {
            assert_eq!(merchants(memory, "the case itself"), [(100, MERCHANTS[0])]);
        }),
    ]
}
