//! Requests that name what is not there or contradict the catalog. Nothing is stored of them.

use std::sync::Arc;

use domain::{
    CardId, Command, Currency, MerchantId, Refusal, StoreId, TerminalId,
    catalog::Catalog,
    command::{Capture, Payment, Place, PlaceHold, Refund},
    decide::{Context, decide},
    working::Working,
};
use domain_testing::fixture::{self, MERCHANTS, STORES, TERMINALS, TestSecrets, noon, payment};

use crate::harness::*;

pub(crate) fn cases() -> Vec<Case> {
    [things(), places(), amounts(), keys(), reach()].into_iter().flatten().collect()
}

fn at(place: Place) -> Command {
    Command::Redeem(Payment { place, ..payment(1, 10) })
}

fn things() -> Vec<Case> {
    vec![
        case("no such card", given(), redeem(77, 1), Refused(Refusal::CardUnknown)),
        case("another issuer's card", given(), redeem(30, 1), Refused(Refusal::CardUnknown)),
        case("no such receiver", given(), transfer(1, 77, 1), Refused(Refusal::CounterpartUnknown)),
        case("another issuer's receiver", given(), merge(1, 30), Refused(Refusal::CounterpartUnknown)),
        case("to itself", given(), transfer(1, 1, 1), Refused(Refusal::SameCard)),
        case("no such hold", given(), capture("nothing", None, true), Refused(Refusal::HoldUnknown)),
        case("no such hold to release", given(), release("nothing"), Refused(Refusal::HoldUnknown)),
        case("no such operation", given(), refund("nothing", None), Refused(Refusal::OperationUnknown)),
        case(
            "not a sale",
            given().before("f", freeze(1)),
            refund("f", None),
            Refused(Refusal::NotARedemption),
        ),
        case("nothing has expired", given(), expire(1), Refused(Refusal::NothingToExpire)),
        case(
            "holds are in the way",
            given().before("h", hold(1, 10)).card(1, |c| c.expires_at = Some(noon())),
            expire(1),
            Refused(Refusal::NothingToExpire),
        ),
        case(
            "a lost card does not expire",
            given().before("l", lose(1)).card(1, |c| c.expires_at = Some(noon())),
            expire(1),
            Refused(Refusal::NothingToExpire),
        ),
        case(
            "the hold lasts",
            given().before("h", hold(1, 10)),
            release_expired("h"),
            Refused(Refusal::NothingToExpire),
        ),
        case(
            "the hold is over",
            given().before("h", hold(1, 10)).before("r", release("h")).after(900),
            release_expired("h"),
            Refused(Refusal::NothingToExpire),
        ),
        case(
            "the issuer is closed",
            given().issuer(|i| closed(&mut i.status)),
            redeem(1, 1),
            Refused(Refusal::IssuerClosed),
        ),
    ]
}

fn places() -> Vec<Case> {
    let store = |id| Place { store: Some(id), ..Place::default() };
    let terminal = |id| Place { terminal: Some(id), ..Place::default() };
    let shut = |change: fn(&mut Catalog)| given().catalog(change);
    vec![
        case("nowhere", given(), at(Place::default()), Refused(Refusal::MerchantRequired)),
        case(
            "no such merchant",
            given(),
            at(Place { merchant: Some(MerchantId::new(9)), ..Place::default() }),
            Refused(Refusal::MerchantUnknown),
        ),
        case("no such store", given(), at(store(StoreId::new(9))), Refused(Refusal::StoreUnknown)),
        case(
            "no such terminal",
            given(),
            at(terminal(TerminalId::new(9))),
            Refused(Refusal::TerminalUnknown),
        ),
        case(
            "another merchant's store",
            given(),
            at(Place { merchant: Some(MERCHANTS[1]), ..store(STORES[0]) }),
            Refused(Refusal::PlaceMismatch),
        ),
        case(
            "another store's terminal",
            given(),
            at(Place { store: Some(STORES[1]), ..terminal(TERMINALS[0]) }),
            Refused(Refusal::PlaceMismatch),
        ),
        case(
            "the merchant is closed",
            shut(|c| closed(&mut Arc::make_mut(c.merchants.get_mut(&MERCHANTS[0]).expect("it")).status)),
            redeem(1, 1),
            Refused(Refusal::MerchantClosed),
        ),
        case(
            "the store is closed",
            shut(|c| closed(&mut Arc::make_mut(c.stores.get_mut(&STORES[0]).expect("it")).status)),
            at(store(STORES[0])),
            Refused(Refusal::StoreClosed),
        ),
        case(
            "the terminal is closed",
            shut(|c| closed(&mut Arc::make_mut(c.terminals.get_mut(&TERMINALS[0]).expect("it")).status)),
            at(terminal(TERMINALS[0])),
            Refused(Refusal::TerminalClosed),
        ),
        case(
            "a number without its terminal",
            given(),
            traced("it", 7, redeem(1, 1)),
            Refused(Refusal::TraceWithoutTerminal),
        ),
        case(
            "a number on what has no place",
            given(),
            traced("it", 7, freeze(1)),
            Refused(Refusal::TraceWithoutTerminal),
        ),
    ]
}

fn amounts() -> Vec<Case> {
    let euro = Currency::parse("EUR").expect("a currency");
    let lasting = |seconds| Command::Hold(PlaceHold { payment: payment(1, 10), seconds: Some(seconds) });
    let foreign = Command::Redeem(Payment { currency: euro, ..payment(1, 10) });
    let id = domain::HoldId::new(id_of("h").get());
    let capture_in_euro =
        Command::Capture(Capture { hold: id, amount: None, currency: Some(euro), is_final: true });
    let refund_in_euro = Command::Refund(Refund { original: id_of("s"), amount: None, currency: Some(euro) });
    let zero = [
        redeem(1, 0),
        hold(1, 0),
        load(1, 0),
        transfer(1, 2, 0),
        unlinked(1, 0),
        adjust(1, domain::command::Direction::Credit, 0),
    ];
    let mut cases: Vec<Case> =
        zero.into_iter().map(|c| case("nothing", given(), c, Refused(Refusal::AmountZero))).collect();
    cases.extend([
        case(
            "capture nothing",
            given().before("h", hold(1, 10)),
            capture("h", Some(0), true),
            Refused(Refusal::AmountZero),
        ),
        case(
            "refund nothing",
            given().before("s", redeem(1, 10)),
            refund("s", Some(0)),
            Refused(Refusal::AmountZero),
        ),
        case("no amount", given(), activate(8, None), Refused(Refusal::AmountRequired)),
        case("another currency", given(), foreign, Refused(Refusal::CurrencyMismatch)),
        case(
            "capture in another",
            given().before("h", hold(1, 10)),
            capture_in_euro,
            Refused(Refusal::CurrencyMismatch),
        ),
        case(
            "refund in another",
            given().before("s", redeem(1, 10)),
            refund_in_euro,
            Refused(Refusal::CurrencyMismatch),
        ),
        case("value that has expired", given(), load_until(1, 10, noon()), Refused(Refusal::MomentInThePast)),
        case(
            "even onto a frozen card",
            given().before("f", freeze(1)),
            load_until(1, 10, noon()),
            Refused(Refusal::MomentInThePast),
        ),
        case("a hold of no time", given(), lasting(0), Refused(Refusal::HoldTooLong)),
        case("a hold of a month", given(), lasting(2_592_000), Approved(10)),
        case("a hold of more", given(), lasting(2_592_001), Refused(Refusal::HoldTooLong)),
    ]);
    cases
}

fn keys() -> Vec<Case> {
    let used = || given().before("it", redeem(1, 10));
    let mut rotated = fixture::request("it", redeem(1, 10));
    rotated.fingerprint = domain::Fingerprint { key_id: 2, bytes: [9; 16] };
    vec![
        case("the same again", used(), redeem(1, 10), Replayed("it")),
        case("the same after the key was rotated", used(), rotated, Replayed("it")),
        case("something else", used(), redeem(1, 11), Refused(Refusal::IdempotencyConflict)),
        case(
            "another PIN is something else",
            used(),
            redeem_with(1, 10, "1"),
            Refused(Refusal::IdempotencyConflict),
        ),
        case(
            "a decline again, though it would pass now",
            given().declined("it", redeem(1, 1_001)).before("l", load(1, 1)),
            redeem(1, 1_001),
            Replayed("it"),
        ),
        case(
            "a replay though the issuer is closed",
            used().issuer(|i| closed(&mut i.status)),
            redeem(1, 10),
            Replayed("it"),
        ),
    ]
}

/// A client that is bound to a merchant reaches nothing of another's.
fn reach() -> Vec<Case> {
    let theirs = || given().before("sale", redeem_at(1, 10, 1));
    let their_hold = || {
        let theirs = Payment { place: fixture::at_merchant(1), ..payment(1, 10) };
        given().before("h", Command::Hold(PlaceHold { payment: theirs, seconds: None }))
    };
    let bound = |command| bound_to(MERCHANTS[0], command);
    vec![
        case("its own sale", given(), bound(at(Place::default())), Approved(10)),
        case("their sale", theirs(), bound(refund("sale", None)), Refused(Refusal::OperationUnknown)),
        case("their sale by its key", theirs(), bound(reverse("sale")), Refused(Refusal::OperationUnknown)),
        case("their hold", their_hold(), bound(capture("h", None, true)), Refused(Refusal::HoldUnknown)),
        case("their hold to release", their_hold(), bound(release("h")), Refused(Refusal::HoldUnknown)),
        case("at them", given(), bound(redeem_at(1, 1, 1)), Refused(Refusal::MerchantUnknown)),
        case(
            "in their store",
            given(),
            bound(at(Place { store: Some(STORES[1]), ..Place::default() })),
            Refused(Refusal::StoreUnknown),
        ),
        case(
            "at their terminal",
            given(),
            bound(at(Place { terminal: Some(TERMINALS[1]), ..Place::default() })),
            Refused(Refusal::TerminalUnknown),
        ),
    ]
}

/// A rule must never see less than it asked for: what was not read is a fault, not "not there".
#[test]
fn state_that_was_not_read_is_a_fault() {
    let given = given();
    let request = fixture::request("it", redeem(1, 1));
    let context = Context { catalog: &given.catalog, now: given.now, id: id_of("it"), secrets: &TestSecrets };
    let verdict = decide(&request, &Working::default(), &context).map(|_| ());
    assert_eq!(verdict, Err(Refusal::Inconsistent));
}

#[test]
fn a_number_finds_its_card_and_no_number_finds_none() {
    use domain::command::{CardRef, NumberIndex};
    let mut given = given();
    given.memory.numbers.insert(NumberIndex([1; 16]), CardId::new(1));
    let by = |indexes: Vec<NumberIndex>| {
        Command::Redeem(Payment { card: CardRef::Number(indexes), ..payment(1, 10) })
    };
    let old_key_last = by(vec![NumberIndex([2; 16]), NumberIndex([1; 16])]);
    case("under an older key", given, old_key_last, Approved(10)).check();
    let unknown = by(vec![NumberIndex([2; 16])]);
    case("unknown", crate::harness::given(), unknown, Refused(Refusal::CardUnknown)).check();
    case("none", crate::harness::given(), by(Vec::new()), Refused(Refusal::CardUnknown)).check();
}
