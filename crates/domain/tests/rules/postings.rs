//! Value between accounts of the ledger, without a card.

use domain::{
    Account, Amount, Channel, Command, Currency, Decline, IssuerId, MerchantId, PostedTransfer, Posting,
    PostingKind, Refusal,
};
use domain_testing::{
    fixture::{self, FOREIGN_ISSUER, ISSUER, MERCHANTS, amount},
    memory::Memory,
};

use crate::harness::*;

pub(crate) fn cases() -> Vec<Case> {
    [allowed(), refused(), keys()].into_iter().flatten().collect()
}

const SHOP: Account = Account::Merchant(MERCHANTS[0]);
const OTHER: Account = Account::Merchant(MERCHANTS[1]);
const FEES: Account = Account::Fees(ISSUER);
const BANK: Account = Account::Bank(ISSUER);

fn web() -> Account {
    Account::Channel(Channel::parse("web").expect("a channel"))
}

fn posting(kind: PostingKind, transfers: &[(Account, Account, i64)]) -> Posting {
    let transfer = |(debit, credit, minor): &(Account, Account, i64)| PostedTransfer {
        debit: *debit,
        credit: *credit,
        amount: amount(*minor),
    };
    Posting {
        kind,
        currency: Currency::CNY,
        merchant: Some(MERCHANTS[0]),
        transfers: transfers.iter().map(transfer).collect(),
        reason: None,
    }
}

fn settle(transfers: &[(Account, Account, i64)]) -> Command {
    Command::Post(posting(PostingKind::Settlement, transfers))
}

fn without_merchant(kind: PostingKind, transfers: &[(Account, Account, i64)]) -> Command {
    Command::Post(Posting { merchant: None, ..posting(kind, transfers) })
}

fn payout(minor: i64) -> Command {
    Command::Post(posting(PostingKind::Payout, &[(SHOP, BANK, minor)]))
}

fn allowed() -> Vec<Case> {
    let fees_and_split = [(SHOP, FEES, 30), (SHOP, OTHER, 20), (FEES, SHOP, 3), (OTHER, SHOP, 2)];
    let suspense = Account::Suspense(ISSUER);
    let correction =
        posting(PostingKind::Correction, &[(suspense, SHOP, 5), (SHOP, web(), 4), (web(), suspense, 1)]);
    let correction = Posting { reason: Some("counted twice".to_owned()), ..correction };
    let (residual, breakage) = (Account::Residual(ISSUER), Account::Breakage(ISSUER));
    let close_shop = |c: &mut domain::Catalog| {
        let shop = c.merchants.get_mut(&MERCHANTS[0]).expect("it");
        closed(&mut std::sync::Arc::make_mut(shop).status);
    };
    vec![
        case("fees, a split and what is given back", given(), settle(&fees_and_split), Approved(55))
            .then(says_what_moved),
        case("a payout", given(), payout(40), Approved(40)),
        case("a closed merchant is still paid", given().catalog(close_shop), payout(40), Approved(40)),
        case(
            "a payout comes back",
            given().before("p", payout(40)),
            Command::Post(posting(PostingKind::PayoutReturn, &[(BANK, SHOP, 40)])),
            Approved(40),
        ),
        case(
            "a merchant pays",
            given(),
            Command::Post(posting(PostingKind::MerchantPayment, &[(BANK, SHOP, 7)])),
            Approved(7),
        ),
        case(
            "a channel pays in and is given back",
            given(),
            without_merchant(PostingKind::ChannelPayment, &[(BANK, web(), 9), (web(), BANK, 1)]),
            Approved(10),
        )
        .then(|memory| {
            let operation = recorded(memory, "the case itself").operation;
            assert_eq!((operation.merchant, operation.channel), (None, Channel::parse("web").ok()));
        }),
        case("a correction", given(), Command::Post(correction), Approved(10)).then(|memory| {
            let operation = recorded(memory, "the case itself").operation;
            assert_eq!(operation.detail.reason.as_deref(), Some("counted twice"));
        }),
        case(
            "breakage, and back",
            given(),
            without_merchant(PostingKind::Breakage, &[(residual, breakage, 8), (breakage, residual, 1)]),
            Approved(9),
        ),
        case("64 transfers", given(), settle(&[(SHOP, FEES, 1); 64]), Approved(64)),
    ]
}

fn says_what_moved(memory: &Memory) {
    let recorded = recorded(memory, "the case itself");
    let operation = &recorded.operation;
    assert_eq!((operation.card, operation.program, operation.counterpart), (None, None, None));
    assert_eq!((operation.merchant, operation.currency), (Some(MERCHANTS[0]), Some(Currency::CNY)));
    let moved: Vec<_> = recorded.transfers.iter().map(|t| (t.seq, t.debit, t.credit)).collect();
    assert_eq!(moved, [(1, SHOP, FEES), (2, SHOP, OTHER), (3, FEES, SHOP), (4, OTHER, SHOP)]);
    assert!(recorded.transfers.iter().all(|t| t.debit_lot.is_none() && t.credit_lot.is_none()));
}

fn refused() -> Vec<Case> {
    let fee = || posting(PostingKind::Settlement, &[(SHOP, FEES, 1)]);
    let card = Account::Card(domain::CardId::new(1));
    let foreign = Account::Fees(FOREIGN_ISSUER);
    let (gone, stranger) = (MerchantId::new(9), Account::Merchant(MerchantId::new(9)));
    let euro = Currency::parse("EUR").expect("a currency");
    let largest = Amount::MAX.get();
    let foreign_shop = |c: &mut domain::Catalog| {
        let shop = c.merchants.get_mut(&MERCHANTS[1]).expect("it");
        std::sync::Arc::make_mut(shop).issuer = FOREIGN_ISSUER;
    };
    let refuse = |name, command, refusal| case(name, given(), command, Refused(refusal));
    vec![
        refuse("nothing", settle(&[]), Refusal::PostingSize),
        refuse("65 transfers", settle(&[(SHOP, FEES, 1); 65]), Refusal::PostingSize),
        refuse("of nothing", settle(&[(SHOP, FEES, 1), (SHOP, FEES, 0)]), Refusal::AmountZero),
        refuse("off a card", settle(&[(card, SHOP, 1)]), Refusal::PostingPair),
        refuse("onto a card", settle(&[(SHOP, card, 1)]), Refusal::PostingPair),
        refuse("a fee paid to the bank", settle(&[(SHOP, BANK, 1)]), Refusal::PostingPair),
        refuse("to itself", settle(&[(SHOP, SHOP, 1)]), Refusal::PostingPair),
        refuse("another issuer's fees", settle(&[(SHOP, foreign, 1)]), Refusal::AccountUnknown),
        refuse("between two others", settle(&[(OTHER, FEES, 1)]), Refusal::PostingMerchant),
        refuse(
            "no merchant named",
            without_merchant(PostingKind::Payout, &[(SHOP, BANK, 1)]),
            Refusal::PostingMerchant,
        ),
        refuse(
            "a merchant named in vain",
            Command::Post(posting(PostingKind::ChannelPayment, &[(BANK, web(), 1)])),
            Refusal::PostingMerchant,
        ),
        refuse(
            "no such merchant",
            Command::Post(Posting { merchant: Some(gone), ..fee() }),
            Refusal::MerchantUnknown,
        ),
        refuse("no such receiver", settle(&[(SHOP, stranger, 1)]), Refusal::MerchantUnknown),
        case(
            "another issuer's merchant",
            given().catalog(foreign_shop),
            settle(&[(SHOP, OTHER, 1)]),
            Refused(Refusal::MerchantUnknown),
        ),
        refuse(
            "a currency that is not issued",
            Command::Post(Posting { currency: euro, ..fee() }),
            Refusal::CurrencyUnknown,
        ),
        refuse(
            "more than there can be",
            settle(&[(SHOP, FEES, largest), (SHOP, FEES, 1)]),
            Refusal::AmountTooLarge,
        ),
        case(
            "by a merchant, for itself",
            given(),
            bound_to(MERCHANTS[0], payout(1)),
            Refused(Refusal::NotForMerchants),
        ),
    ]
}

fn keys() -> Vec<Case> {
    let paid = || given().before("it", payout(40));
    vec![
        case("the same again", paid(), payout(40), Replayed("it")),
        case("another one under its key", paid(), payout(41), Refused(Refusal::IdempotencyConflict)),
        case(
            "reversed",
            given().before("p", payout(40)),
            reverse("p"),
            Refused(Refusal::PostingNotReversible),
        ),
        case(
            "refunded",
            given().before("p", payout(40)),
            refund("p", None),
            Refused(Refusal::NotARedemption),
        ),
        case(
            "reversed before it came",
            given().before("r", reverse("it")),
            payout(40),
            Declined(Decline::ReversedBeforeArrival),
        ),
        case(
            "and reversed again, as before",
            given().before("r", reverse("p")).declined("p", payout(40)),
            reverse("p"),
            Replayed("r"),
        ),
    ]
}

#[test]
fn an_issuer_has_its_own_accounts_only() {
    let mut request = fixture::request("it", payout(1));
    request.actor.issuer = IssuerId::new(FOREIGN_ISSUER.get());
    case("another issuer", given(), request, Refused(Refusal::CurrencyUnknown)).check();
}
