//! Paying: redemptions with their limits and PINs, and the till's own numbers.

use domain::{
    Decline, Refusal,
    card::MAX_PIN_FAILURES,
    command::{Payment, Place},
    program::PinRule,
};
use domain_testing::fixture::{self, MERCHANTS, PIN, STORES, TERMINALS, amount, noon};

use crate::harness::*;

const DAY: i64 = 86_400;

pub(crate) fn cases() -> Vec<Case> {
    [redeeming(), limits(), pins(), traces()].into_iter().flatten().collect()
}

fn redeeming() -> Vec<Case> {
    let accepting =
        |merchant: usize| given().rules(move |r| r.acceptance.merchants = Some([MERCHANTS[merchant]].into()));
    let at = |place: Place| domain::Command::Redeem(Payment { place, ..fixture::payment(1, 10) });
    let till = Place { terminal: Some(TERMINALS[0]), ..Place::default() };
    let web = domain::Channel::parse("web").expect("a name");
    vec![
        case("redeem", given(), redeem(1, 300), Approved(300)).then(|m| assert_eq!(worth(m, 1), (700, 0, 0))),
        case("all", given(), redeem(1, 1_000), Approved(1_000)),
        case("too much", given(), redeem(1, 1_001), Declined(Decline::InsufficientFunds)),
        case("a part", given(), redeem_partly(1, 1_001), Approved(1_000)).then(|memory| {
            let operation = recorded(memory, "the case itself").operation;
            assert_eq!((operation.requested.get(), operation.approved.get()), (1_001, 1_000));
        }),
        case(
            "a part of nothing",
            given().before("all", redeem(1, 1_000)),
            redeem_partly(1, 1),
            Declined(Decline::InsufficientFunds),
        ),
        case(
            "a part below the minimum",
            given().rules(|r| r.redemption_min = some(1_001)),
            redeem_partly(1, 2_000),
            Declined(Decline::InsufficientFunds),
        ),
        case("the till names its store and merchant", given(), at(till), Approved(10)).then(|memory| {
            let operation = recorded(memory, "the case itself").operation;
            assert_eq!((operation.merchant, operation.store), (Some(MERCHANTS[0]), Some(STORES[0])));
            assert_eq!(operation.channel.map(domain::Channel::name), Some("store".to_owned()));
        }),
        case("accepted", accepting(0), redeem(1, 1), Approved(1)),
        case("not by this merchant", accepting(1), redeem(1, 1), Declined(Decline::MerchantNotAccepted)),
        case(
            "not in this store",
            given().rules(|r| r.acceptance.stores = Some([STORES[1]].into())),
            at(till),
            Declined(Decline::StoreNotAccepted),
        ),
        case(
            "no store where stores are listed",
            given().rules(|r| r.acceptance.stores = Some([STORES[1]].into())),
            redeem(1, 1),
            Declined(Decline::StoreNotAccepted),
        ),
        case(
            "not through this channel",
            given().rules(move |r| r.acceptance.channels = Some([web].into())),
            at(till),
            Declined(Decline::ChannelNotAccepted),
        ),
        case("stocked", given(), redeem(8, 1), Declined(Decline::CardNotActivated)),
        case("lost", given().before("l", lose(1)), redeem(1, 1), Declined(Decline::CardLost)),
        case("frozen", given().before("f", freeze(1)), redeem(1, 1), Declined(Decline::CardFrozen)),
        case(
            "past its validity before the job ran",
            given().card(1, |c| c.expires_at = Some(noon())),
            redeem(1, 1),
            Declined(Decline::CardExpired),
        ),
        case(
            "nobody's card",
            given().rules(|r| r.member_required = true),
            redeem(1, 1),
            Declined(Decline::MemberRequired),
        ),
        case(
            "expired lots do not pay",
            given().before("b", load_until(1, 50, noon().plus_seconds(60))).after(60),
            redeem(1, 1_001),
            Declined(Decline::InsufficientFunds),
        ),
    ]
}

fn limits() -> Vec<Case> {
    let twice =
        || given().rules(|r| r.daily_count = Some(2)).before("a", redeem(1, 10)).before("b", hold(1, 10));
    let hundred = || given().rules(|r| r.daily_amount = some(100));
    vec![
        case(
            "minimum",
            given().rules(|r| r.redemption_min = some(5)),
            redeem(1, 4),
            Declined(Decline::AmountBelowMinimum),
        ),
        case(
            "maximum",
            given().rules(|r| r.redemption_max = some(5)),
            hold(1, 6),
            Declined(Decline::AmountAboveMaximum),
        ),
        case("a hold counts", twice(), redeem(1, 10), Declined(Decline::DailyCountExceeded)),
        case("tomorrow", twice().after(DAY), redeem(1, 10), Approved(10)),
        case("midnight is the issuer's", twice().after(14 * 3_600), redeem(1, 10), Approved(10)),
        case(
            "a second before",
            twice().after(14 * 3_600 - 1),
            redeem(1, 10),
            Declined(Decline::DailyCountExceeded),
        ),
        case("a reversal gives the use back", twice().before("r", reverse("a")), redeem(1, 10), Approved(10)),
        case("of a hold too", twice().before("r", reverse("b")), redeem(1, 10), Approved(10)),
        case(
            "the day's amount",
            hundred().before("a", redeem(1, 60)),
            redeem(1, 41),
            Declined(Decline::DailyAmountExceeded),
        ),
        case("up to it", hundred().before("a", redeem(1, 60)), redeem(1, 40), Approved(40)),
        case(
            "a released hold gives back",
            hundred().before("h", hold(1, 100)).before("r", release("h")),
            redeem(1, 100),
            Approved(100),
        ),
        case(
            "an expired one too",
            hundred().before("h", hold(1, 100)).after(900).before("r", release_expired("h")),
            redeem(1, 100),
            Approved(100),
        ),
        case(
            "and what was not captured",
            hundred().before("h", hold(1, 100)).before("c", capture("h", Some(30), true)),
            redeem(1, 70),
            Approved(70),
        ),
        case(
            "but not what was",
            hundred().before("h", hold(1, 100)).before("c", capture("h", Some(30), true)),
            redeem(1, 71),
            Declined(Decline::DailyAmountExceeded),
        ),
        case(
            "a replacement takes its use along",
            hundred().before("a", redeem(1, 60)).before("r", replace(1, 8)),
            redeem(8, 41),
            Declined(Decline::DailyAmountExceeded),
        ),
        case(
            "also back",
            hundred().before("a", redeem(1, 60)).before("r", replace(1, 8)).before("u", reverse("a")),
            redeem(8, 100),
            Approved(100),
        ),
        case(
            "a merged card has its own",
            hundred()
                .before("s", redeem(2, 60))
                .before("a", redeem(1, 60))
                .before("m", merge(1, 2))
                .before("u", reverse("a")),
            redeem(2, 41),
            Declined(Decline::DailyAmountExceeded),
        ),
    ]
}

fn pins() -> Vec<Case> {
    let always = || given().rules(|r| r.pin = PinRule::Always);
    let all_wrong = |given: Given, names: [&'static str; 5]| {
        names.into_iter().fold(given, |g, name| g.declined(name, redeem_with(1, 1, "000000")))
    };
    let wrong = |given| all_wrong(given, ["1", "2", "3", "4", "5"]);
    let again = |given| all_wrong(given, ["6", "7", "8", "9", "10"]);
    let above = || given().rules(|r| r.pin = PinRule::Above { amount: amount(100) });
    let not_present = || given().rules(|r| r.pin = PinRule::CardNotPresent);
    let held_with_pin = || always().before("b", bind_with(1, "m1", PIN));
    let by_holder =
        |member| domain::Command::Redeem(Payment { card: held(1, member), ..fixture::payment(1, 10) });
    let at_till = domain::Command::Redeem(Payment {
        place: Place { terminal: Some(TERMINALS[0]), ..Place::default() },
        ..fixture::payment(1, 10)
    });
    vec![
        case("asked for", always(), redeem(1, 1), Declined(Decline::PinRequired)),
        case("right", always(), redeem_with(1, 1, PIN), Approved(1)),
        case("wrong", always(), redeem_with(1, 1, "000000"), Declined(Decline::PinWrong)).then(|memory| {
            let pin = of_card(memory, 1).pin;
            assert_eq!((pin.failures, pin.lifetime_failures), (1, 1));
        }),
        case("given without being asked", given(), redeem_with(1, 1, "000000"), Declined(Decline::PinWrong)),
        case(
            "none to compare",
            given().card(1, |c| c.pin.digest = None),
            redeem_with(1, 1, PIN),
            Declined(Decline::PinNotSet),
        ),
        case("locked", wrong(always()), redeem_with(1, 1, PIN), Declined(Decline::PinLocked)).then(
            |memory| {
                assert_eq!(of_card(memory, 1).pin.failures, MAX_PIN_FAILURES);
            },
        ),
        case("locked without a rule too", wrong(given()), redeem(1, 1), Approved(1)),
        case(
            "unlocked by staff",
            wrong(always()).before("u", unfreeze(1)),
            redeem_with(1, 1, PIN),
            Approved(1),
        ),
        case(
            "but not for life",
            again(wrong(always()).before("u", unfreeze(1))).before("v", unfreeze(1)),
            redeem_with(1, 1, PIN),
            Declined(Decline::PinLocked),
        ),
        case(
            "a right one starts the row again",
            given().declined("a", redeem_with(1, 1, "0")).before("b", redeem_with(1, 1, PIN)),
            redeem(1, 1),
            Approved(1),
        )
        .then(|memory| {
            assert_eq!(of_card(memory, 1).pin.failures, 0);
        }),
        case("its holder needs none", held_with_pin(), by_holder("m1"), Approved(10)),
        case("another is not its holder", held_with_pin(), by_holder("m2"), Refused(Refusal::CardUnknown)),
        case("small", above(), redeem(1, 100), Approved(100)),
        case("large", above(), redeem(1, 101), Declined(Decline::PinRequired)),
        case("at a till", not_present(), at_till, Approved(10)),
        case("not at a till", not_present(), redeem(1, 10), Declined(Decline::PinRequired)),
        case("hold", always(), hold(1, 1), Declined(Decline::PinRequired)),
        case("transfer", above(), transfer(1, 2, 1), Declined(Decline::PinRequired)),
        case("merge", above(), merge(1, 2), Declined(Decline::PinRequired)),
        case("cash out", above(), cash_out(1), Declined(Decline::PinRequired)),
        case("bind", above(), bind(1, "m"), Declined(Decline::PinRequired)),
        case("inquire", above(), inquire(1, None), Declined(Decline::PinRequired)),
        case("inquire with it", above(), inquire(1, Some(PIN)), Approved(0)),
        case("inquire with a wrong one", above(), inquire(1, Some("0")), Declined(Decline::PinWrong)),
        case("inquire of a stocked card", given(), inquire(8, None), Declined(Decline::CardNotActivated)),
        case("inquire of a frozen card", given().before("f", freeze(1)), inquire(1, None), Approved(0)),
    ]
}

fn traces() -> Vec<Case> {
    let at_till = |minor| {
        let place = Place { terminal: Some(TERMINALS[0]), ..Place::default() };
        domain::Command::Redeem(Payment { place, ..fixture::payment(1, minor) })
    };
    let traced_before = move || given().sent("first", traced("first", 7, at_till(10)), true);
    let by_other_client = move || {
        let mut request = traced("it", 7, at_till(10));
        request.actor.client = domain::ClientId::new(8);
        request
    };
    vec![
        case("the same under another key", traced_before(), traced("it", 7, at_till(10)), Replayed("first")),
        case(
            "something else",
            traced_before(),
            traced("it", 7, at_till(11)),
            Declined(Decline::DuplicateTrace),
        )
        .then(|memory| {
            let operation = recorded(memory, "the case itself").operation;
            assert_eq!((operation.trace, operation.detail.duplicate_trace), (None, Some(7)));
        }),
        case("the next number", traced_before(), traced("it", 8, at_till(10)), Approved(10)),
        case("tomorrow", traced_before().after(DAY), traced("it", 7, at_till(10)), Approved(10)),
        case(
            "another client of the terminal",
            traced_before(),
            by_other_client(),
            Declined(Decline::DuplicateTrace),
        ),
    ]
}
