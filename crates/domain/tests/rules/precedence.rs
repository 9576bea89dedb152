//! Where several reasons apply, the one that comes first in the enum is given.

use domain::Decline;
use domain_testing::fixture::{MERCHANTS, amount, noon};

use crate::harness::*;

/// Takes one reason away.
type Mend = fn(Given) -> Given;

pub(crate) fn cases() -> Vec<Case> {
    // Everything is wrong with this payment; each line mends one thing.
    let mut cases = Vec::new();
    let steps: [(Decline, Mend); 12] = [
        (Decline::CardLost, |g| g.card(1, |c| c.state = domain::CardState::Active)),
        (Decline::CardExpired, |g| g.card(1, |c| c.expires_at = None)),
        (Decline::PinLocked, |g| g.card(1, |c| c.pin.failures = 0)),
        (Decline::PinRequired, |g| g.rules(|r| r.pin = domain::program::PinRule::Never)),
        (Decline::MemberRequired, |g| g.rules(|r| r.member_required = false)),
        (Decline::MerchantNotAccepted, |g| g.rules(|r| r.acceptance.merchants = None)),
        (Decline::StoreNotAccepted, |g| g.rules(|r| r.acceptance.stores = None)),
        (Decline::ChannelNotAccepted, |g| g.rules(|r| r.acceptance.channels = None)),
        (Decline::AmountAboveMaximum, |g| g.rules(|r| r.redemption_max = None)),
        (Decline::DailyCountExceeded, |g| g.rules(|r| r.daily_count = None)),
        (Decline::DailyAmountExceeded, |g| g.rules(|r| r.daily_amount = None)),
        (Decline::InsufficientFunds, |g| g),
    ];
    for (until, (decline, _)) in steps.iter().enumerate() {
        let mended = steps.iter().take(until).fold(all_wrong(), |given, (_, mend)| mend(given));
        cases.push(case("everything is wrong", mended, redeem(1, 1_001), Declined(*decline)));
    }
    cases.extend(others());
    cases
}

fn all_wrong() -> Given {
    let web = domain::Channel::parse("web").expect("a name");
    given()
        .before("used", redeem(1, 1))
        .card(1, |card| {
            card.state = domain::CardState::Lost;
            card.expires_at = Some(noon());
            card.pin.failures = 5;
        })
        .rules(move |rules| {
            rules.pin = domain::program::PinRule::Always;
            rules.member_required = true;
            rules.acceptance.merchants = Some([MERCHANTS[1]].into());
            rules.acceptance.stores = Some([domain::StoreId::new(99)].into());
            rules.acceptance.channels = Some([web].into());
            rules.redemption_max = some(1_000);
            rules.daily_count = Some(1);
            rules.daily_amount = some(500);
        })
}

fn others() -> Vec<Case> {
    let late = 86_401;
    vec![
        case(
            "tombstone before all",
            all_wrong().before("r", reverse("it")),
            redeem(1, 1_001),
            Declined(Decline::ReversedBeforeArrival),
        ),
        case(
            "kind before window",
            given().before("f", freeze(1)).after(late),
            reverse("f"),
            Declined(Decline::NotReversible),
        ),
        case(
            "refund before window",
            given().before("s", redeem(1, 10)).before("r", refund("s", Some(1))).after(late),
            reverse("s"),
            Declined(Decline::AlreadyRefunded),
        ),
        case(
            "state before window",
            given().before("l", load(1, 10)).before("o", cash_out(1)).after(late),
            reverse("l"),
            Declined(Decline::CardClosed),
        ),
        case(
            "window before what is left",
            given().before("a", activate(8, Some(10))).before("l", load(8, 1)).after(late),
            reverse("a"),
            Declined(Decline::ReversalWindowPassed),
        ),
        case(
            "the receiver's state before the giver's",
            given().before("f", freeze(1)).before("o", cash_out(2)),
            transfer(1, 2, 1),
            Declined(Decline::CardClosed),
        ),
        case(
            "balance before cap",
            given().rules(|r| r.balance_cap = some(500)),
            transfer(1, 2, 1_001),
            Declined(Decline::InsufficientFunds),
        ),
        case(
            "cap before the end of validity",
            given().rules(|r| {
                r.balance_cap = some(10);
                r.validity = domain::program::Validity::Until { at: noon() };
            }),
            activate(8, Some(11)),
            Declined(Decline::BalanceCapExceeded),
        ),
        case(
            "program before denomination",
            given().program(|p| closed(&mut p.status)).rules(|r| {
                r.denominations = domain::program::Denominations::Fixed { amounts: vec![amount(1)] };
            }),
            activate(8, Some(11)),
            Declined(Decline::ProgramClosed),
        ),
        case("program mismatch before stock", given(), replace(1, 40), Declined(Decline::ProgramMismatch)),
        case(
            "registered after state",
            given().rules(|r| r.registered = false).before("f", close(8)),
            lose(8),
            Declined(Decline::CardClosed),
        ),
        case(
            "hold expired before closed",
            given().before("h", hold(1, 10)).after(900),
            capture("h", Some(11), true),
            Declined(Decline::HoldExpired),
        ),
        case(
            "declined before window",
            given().declined("s", redeem(1, 1_001)).rules(|r| r.refund_days = Some(1)).after(2 * late),
            refund("s", Some(5_000)),
            Declined(Decline::OriginalDeclined),
        ),
        case(
            "window before amount",
            given().before("s", redeem(1, 10)).rules(|r| r.refund_days = Some(1)).after(2 * late),
            refund("s", Some(5_000)),
            Declined(Decline::RefundWindowPassed),
        ),
    ]
}
