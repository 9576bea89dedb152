//! Policy packs: what is sold, loaded and paid out under one, holder refunds, and exchanges.

use domain::{
    BusinessDate, Command, Currency, Decline, Refusal, Timestamp,
    command::{Activate, CashOut, Exchange, HolderRefund, Load},
    lot::LotSource,
    operation::Status,
    policy::{
        BankAccount, Buyer, Funding, Means, NamedPack, PackId, Payout, PayoutMeans,
        refund::{Cause, Claim, Item},
    },
    program::{ResidualPolicy, Rules, Validity},
};
use domain_testing::{
    fixture::{self, amount, at_merchant, card_ref, noon},
    memory::Memory,
};

use crate::harness::{
    Approved, Case, Declined, Given, Refused, activate, adjust, case, expire, freeze, given, load, load_with,
    lose, lots, of_card, reactivate, recorded, redeem, refund, replace, reverse, transfer, unlinked,
    with_key, worth,
};

pub(crate) fn cases() -> Vec<Case> {
    [selling(), loading(), paying_out(), which_version(), refunds(), after_moves(), exchanges()]
        .into_iter()
        .flatten()
        .collect()
}

#[expect(clippy::unnecessary_wraps, reason = "written where a fact is optional")]
fn named(id: &str, since: i64) -> Option<NamedPack> {
    let id = PackId::parse(id).expect("a name");
    Some(NamedPack { id, since: Timestamp::from_micros(since) })
}

/// Cards made an hour ago, under this pack.
fn under(pack: &'static str, rules: impl Fn(&mut Rules)) -> Given {
    let mut it = given().rules(|r| {
        r.policy_pack = named(pack, 0);
        rules(r);
    });
    for id in [1, 2, 8, 9] {
        it = it.card(id, |card| card.created_at = noon().plus_seconds(-3_600));
    }
    it
}

fn registered() -> Given {
    under("cn-single-purpose", |_| ())
}

fn anonymous() -> Given {
    under("cn-single-purpose", |r| (r.registered, r.validity) = (false, Validity::Months { months: 36 }))
}

#[expect(clippy::unnecessary_wraps, reason = "written where a fact is optional")]
fn account() -> Option<BankAccount> {
    Some(BankAccount { ending: "5678".to_owned(), sealed: String::new() })
}

#[expect(clippy::unnecessary_wraps, reason = "written where a fact is optional")]
fn funding(change: impl Fn(&mut Funding)) -> Option<Box<Funding>> {
    let mut funding = Funding {
        buyer: Buyer::Person,
        face_to_face: true,
        means: Means::Cash,
        payer: None,
        payee: None,
        identity_verified: true,
        purchase: None,
    };
    change(&mut funding);
    Some(Box::new(funding))
}

fn by_transfer(funding: &mut Funding) {
    (funding.means, funding.payer, funding.payee) = (Means::BankTransfer, account(), account());
}

fn sell(card: i64, minor: i64, funding: Option<Box<Funding>>) -> Command {
    Command::Activate(Activate {
        card: card_ref(card),
        amount: Some(amount(minor)),
        currency: Currency::CNY,
        bonus: None,
        place: at_merchant(0),
        funding,
    })
}

fn top_up(card: i64, minor: i64, source: LotSource, funding: Option<Box<Funding>>) -> Command {
    Command::Load(Load {
        card: card_ref(card),
        amount: amount(minor),
        currency: Currency::CNY,
        source,
        expires_at: None,
        bonus: None,
        place: at_merchant(0),
        funding,
    })
}

/// The rule that the case was declined for.
fn rule(memory: &Memory) -> (String, String, Option<String>) {
    let operation = recorded(memory, "the case itself").operation;
    assert_eq!(operation.status, Status::Declined(Decline::PolicyRuleBroken));
    let broken = operation.detail.broken_rule.clone().expect("a declined operation names its rule");
    (broken.rule, broken.pointer, broken.article)
}

macro_rules! broken {
    ($rule:literal, $pointer:literal, $article:literal) => {
        |memory: &Memory| {
            let article = Some($article.to_owned()).filter(|article| !article.is_empty());
            assert_eq!(rule(memory), ($rule.to_owned(), $pointer.to_owned(), article));
        }
    };
}

const BROKEN: crate::harness::Expect = Declined(Decline::PolicyRuleBroken);

#[expect(clippy::too_many_lines, reason = "a table, best read in one piece")]
fn selling() -> Vec<Case> {
    vec![
        case("an identified buyer", registered(), sell(8, 500_000, funding(|_| ())), Approved(500_000)).then(
            |memory| {
                let kept = recorded(memory, "the case itself").operation.detail.funding.clone();
                assert_eq!(kept, funding(|_| ()));
            },
        ),
        case("nobody knows who", registered(), sell(8, 100, None), BROKEN).then(broken!(
            "identity_registered",
            "/funding",
            "15"
        )),
        case(
            "known, not verified",
            registered(),
            sell(8, 100, funding(|f| f.identity_verified = false)),
            BROKEN,
        )
        .then(broken!("identity_registered", "/funding/identity_verified", "15")),
        case("above the cap", registered(), sell(8, 500_001, funding(|_| ())), BROKEN).then(broken!(
            "balance_cap_registered",
            "/amount",
            "18"
        )),
        case(
            "an anonymous card",
            anonymous(),
            sell(8, 100_000, funding(|f| f.identity_verified = false)),
            Approved(100_000),
        ),
        case("above its cap", anonymous(), sell(8, 100_001, funding(|_| ())), BROKEN).then(broken!(
            "balance_cap_anonymous",
            "/amount",
            "18"
        )),
        case(
            "ten cards at once",
            anonymous(),
            sell(
                8,
                100_000,
                funding(|f| (f.identity_verified, f.purchase) = (false, Some(amount(1_000_000)))),
            ),
            BROKEN,
        )
        .then(broken!("identity_anonymous_from", "/funding/identity_verified", "15")),
        case(
            "a company pays in cash",
            anonymous(),
            sell(8, 100, funding(|f| (f.buyer, f.purchase) = (Buyer::Company, Some(amount(500_000))))),
            BROKEN,
        )
        .then(broken!("transfer_company_from", "/funding/payment", "17")),
        case(
            "a company pays by transfer",
            anonymous(),
            sell(
                8,
                100,
                funding(|f| {
                    (f.buyer, f.purchase) = (Buyer::Company, Some(amount(500_000)));
                    by_transfer(f);
                }),
            ),
            Approved(100),
        ),
        case(
            "a person pays much in cash",
            anonymous(),
            sell(8, 100, funding(|f| f.purchase = Some(amount(5_000_000)))),
            BROKEN,
        )
        .then(broken!("transfer_person_from", "/funding/payment", "17")),
        case("not face to face", anonymous(), sell(8, 100, funding(|f| f.face_to_face = false)), BROKEN)
            .then(broken!("transfer_remote", "/funding/payment", "17")),
        case("nothing is said, and no store", anonymous(), activate(8, Some(100)), BROKEN).then(broken!(
            "transfer_remote",
            "/funding",
            "17"
        )),
        case(
            "one account is missing",
            anonymous(),
            sell(
                8,
                100,
                funding(|f| {
                    by_transfer(f);
                    f.payee = None;
                }),
            ),
            BROKEN,
        )
        .then(broken!("transfer_accounts", "/funding/payer_account", "17")),
        case(
            "valid for less than three years",
            anonymous().rules(|r| r.validity = Validity::Until { at: noon().plus_seconds(94_000_000) }),
            sell(8, 100, funding(|_| ())),
            BROKEN,
        )
        .then(broken!("anonymous_validity", "/card", "19")),
        case(
            "a registered card that ends",
            registered().rules(|r| r.validity = Validity::Months { months: 120 }),
            sell(8, 100, funding(|_| ())),
            BROKEN,
        )
        .then(broken!("registered_never_expires", "/card", "19")),
        case(
            "by credit card",
            under("cn-multi-purpose", |_| ()),
            sell(8, 100, funding(|f| f.means = Means::CreditCard)),
            BROKEN,
        )
        .then(broken!("no_credit_cards", "/funding/payment", "")),
        case(
            "a pack that is not there",
            under("cn-atlantis", |_| ()),
            sell(8, 100, funding(|_| ())),
            Refused(Refusal::PolicyPackUnknown),
        ),
    ]
}

fn loading() -> Vec<Case> {
    let rich = || anonymous().card(1, |card| card.lots[0].remaining = amount(99_000));
    vec![
        case("up to the cap", rich(), top_up(1, 1_000, LotSource::Paid, funding(|_| ())), Approved(1_000)),
        case("over it", rich(), top_up(1, 1_001, LotSource::Paid, funding(|_| ())), BROKEN).then(broken!(
            "balance_cap_anonymous",
            "/amount",
            "18"
        )),
        case("by a bonus", rich(), top_up(1, 1_001, LotSource::Bonus, None), BROKEN).then(broken!(
            "balance_cap_anonymous",
            "/amount",
            "18"
        )),
        case("a bonus is not bought", rich(), top_up(1, 1_000, LotSource::Bonus, None), Approved(1_000)),
        case(
            "by a transfer from another card",
            rich().before("l", top_up(1, 1_000, LotSource::Bonus, None)),
            transfer(2, 1, 1),
            BROKEN,
        )
        .then(broken!("balance_cap_anonymous", "/amount", "18")),
        case("by goods returned", rich(), unlinked(1, 1_001), BROKEN),
        case(
            "a large load in cash",
            under("cn-multi-purpose", |_| ()).card(1, |card| card.lots.clear()),
            top_up(1, 500_000, LotSource::Paid, funding(|_| ())),
            BROKEN,
        )
        .then(broken!("transfer_load_from", "/funding/payment", "")),
    ]
}

#[expect(clippy::unnecessary_wraps, reason = "written where a fact is optional")]
fn payout(means: PayoutMeans, known: bool, same: bool) -> Option<Box<Payout>> {
    let account = account().filter(|_| means == PayoutMeans::BankTransfer);
    Some(Box::new(Payout { means, identity_verified: known, same_name: same, account }))
}

fn pay_out(card: i64, payout: Option<Box<Payout>>) -> Command {
    Command::CashOut(CashOut { card: card_ref(card), pin: None, payout })
}

fn paying_out() -> Vec<Case> {
    let multi = |months_ago: i64| {
        under("cn-multi-purpose", |_| ())
            .card(1, move |card| card.activated_at = Some(noon().plus_seconds(-months_ago * 31 * 86_400)))
    };
    let bank = || payout(PayoutMeans::BankTransfer, true, true);
    let rich = || registered().card(1, |card| card.lots[0].remaining = amount(10_001));
    vec![
        case(
            "little, in cash",
            registered(),
            pay_out(1, payout(PayoutMeans::Cash, true, false)),
            Approved(1_000),
        ),
        case("to whom", registered(), pay_out(1, None), BROKEN).then(broken!(
            "payout_identity",
            "/payout",
            "21"
        )),
        case("much, in cash", rich(), pay_out(1, payout(PayoutMeans::Cash, true, false)), BROKEN)
            .then(broken!("payout_cash_up_to", "/payout/payment", "21")),
        case(
            "to another's account",
            rich(),
            pay_out(1, payout(PayoutMeans::BankTransfer, true, false)),
            BROKEN,
        )
        .then(broken!("payout_same_name", "/payout/account", "21")),
        case("to the holder's account", rich(), pay_out(1, bank()), Approved(10_001)),
        case("three months later", multi(3), pay_out(1, bank()), Approved(1_000)),
        case("two months later", multi(2), pay_out(1, bank()), BROKEN).then(broken!(
            "redeemable_after",
            "/card",
            ""
        )),
        case("an anonymous card", multi(3).rules(|r| r.registered = false), pay_out(1, bank()), BROKEN)
            .then(broken!("anonymous_not_redeemable", "/card", "")),
    ]
}

/// The version that holds for a card follows from the moment it was made.
fn which_version() -> Vec<Case> {
    let since = noon().plus_seconds(-3_600).micros();
    let adopted = move || registered().rules(move |r| r.policy_pack = named("cn-single-purpose", since));
    let sell = || sell(8, 100, None);
    vec![
        case("made when the program had it", adopted(), sell(), BROKEN),
        case(
            "made before",
            adopted().card(8, move |card| card.created_at = Timestamp::from_micros(since - 1)),
            sell(),
            Approved(100),
        ),
        case(
            "made before the law",
            registered().card(8, |card| card.created_at = moment("2012-10-31T23:59:59.999999+08:00")),
            sell(),
            Approved(100),
        ),
        case(
            "made on its first day",
            registered().card(8, |card| card.created_at = moment("2012-11-01T00:00:00+08:00")),
            sell(),
            BROKEN,
        ),
        case(
            "a refund is under what holds when it is asked for",
            registered().card(1, |card| card.created_at = moment("2012-11-01T00:00:00+08:00")),
            give_back(1, Cause::Holder),
            Approved(1_000),
        ),
    ]
}

fn moment(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a moment")
}

fn claimed(card: i64, claim: Claim) -> Command {
    let payout = payout(PayoutMeans::BankTransfer, true, true);
    Command::HolderRefund(HolderRefund { card: card_ref(card), claim, payout, pin: None })
}

fn give_back(card: i64, cause: Cause) -> Command {
    claimed(card, Claim { cause, rescinded_on: None, rate: None, cost: None })
}

/// Card 8: paid 1,000.00 and a bonus of 200.00, of which 600.00 were used.
fn used(pack: &'static str) -> Given {
    // Sold before it was under a pack, so that the sale needs no facts.
    let made = |card: &mut domain::Card| card.created_at = Timestamp::from_micros(0);
    under(pack, |_| ())
        .card(8, made)
        .before("a", activate(8, Some(0)))
        .before("l", load_with(8, 100_000, 20_000))
        .before("sale", redeem(8, 60_000))
}

fn figures(memory: &Memory) -> Vec<(Item, i64)> {
    let refund = recorded(memory, "the case itself").operation.detail.refund.clone().expect("a calculation");
    refund.lines.iter().map(|line| (line.item, line.amount.get())).collect()
}

#[expect(clippy::too_many_lines, reason = "a table, best read in one piece")]
fn refunds() -> Vec<Case> {
    let held = || used("cn-single-purpose").before("h", crate::harness::hold(8, 100));
    let expired = || used("cn-single-purpose").card(8, |c| c.expires_at = Some(noon()));
    let rescinded = |date: i32| Claim {
        cause: Cause::Operator,
        rescinded_on: Some(BusinessDate::from_stored(date)),
        rate: None,
        cost: None,
    };
    vec![
        case(
            "the operator's cause",
            used("cn-single-purpose"),
            give_back(8, Cause::Operator),
            Approved(50_000),
        )
        .then(|memory| {
            use Item::{Bonus, Cost, Forfeited, Interest, Paid, Principal, Refund, Used, UsedCounted};
            let expect = [
                (Paid, 100_000),
                (Bonus, 20_000),
                (Used, 60_000),
                (UsedCounted, 50_000),
                (Cost, 0),
                (Principal, 50_000),
                (Interest, 0),
                (Refund, 50_000),
                (Forfeited, 10_000),
            ];
            assert_eq!(figures(memory), expect);
            assert_eq!(worth(memory, 8), (0, 0, 0));
            assert_eq!(recorded(memory, "the case itself").operation.detail.forfeited, Some(amount(10_000)));
        }),
        case("the holder's wish", used("cn-single-purpose"), give_back(8, Cause::Holder), Approved(40_000)),
        case("interest", used("cn-single-purpose"), claimed(8, rescinded(20_251_122)), Approved(51_500))
            .then(|memory| {
                let moved = recorded(memory, "the case itself").transfers;
                let sum: i64 = moved.iter().map(|transfer| transfer.amount.get()).sum();
                assert_eq!(sum, 51_500 + 10_000);
            }),
        case(
            "rescinded tomorrow",
            used("cn-single-purpose"),
            claimed(8, rescinded(20_261_123)),
            Refused(Refusal::RescissionInTheFuture),
        ),
        case(
            "cost is kept",
            used("cn-single-purpose"),
            claimed(8, Claim { cost: Some(amount(1)), ..rescinded(20_251_122) }),
            Refused(Refusal::CostNotAllowed),
        ),
        case("within a week, used", used("cn-single-purpose"), give_back(8, Cause::CoolingOff), BROKEN)
            .then(broken!("cooling_off", "/cause", "14")),
        case(
            "within a week, unused",
            registered().card(1, |card| card.activated_at = Some(noon())),
            give_back(1, Cause::CoolingOff),
            Approved(1_000),
        ),
        case("no pack", given(), give_back(1, Cause::Holder), Declined(Decline::HolderRefundNotProvided)),
        case("held", held(), give_back(8, Cause::Holder), Declined(Decline::HeldElsewhere)),
        case(
            "frozen",
            used("cn-single-purpose").before("f", freeze(8)),
            give_back(8, Cause::Holder),
            Declined(Decline::CardFrozen),
        ),
        case(
            "lost",
            used("cn-single-purpose").before("f", lose(8)),
            give_back(8, Cause::Holder),
            Declined(Decline::CardLost),
        ),
        case("past its validity", expired(), give_back(8, Cause::Holder), Approved(40_000)),
        case("expired", expired().before("e", expire(8)), give_back(8, Cause::Holder), Approved(40_000)),
        case(
            "twice",
            used("cn-single-purpose").before("g", give_back(8, Cause::Holder)),
            give_back(8, Cause::Holder),
            Declined(Decline::CardClosed),
        ),
        case(
            "it is not undone",
            used("cn-single-purpose").before("g", give_back(8, Cause::Holder)),
            reverse("g"),
            Declined(Decline::NotReversible),
        ),
        case(
            "goods returned afterwards",
            used("cn-single-purpose").before("g", give_back(8, Cause::Holder)),
            refund("sale", None),
            Approved(60_000),
        )
        .then(|memory| assert_eq!(worth(memory, 8), (0, 0, 60_000))),
        case(
            "to nobody in particular",
            used("cn-single-purpose"),
            Command::HolderRefund(HolderRefund {
                card: card_ref(8),
                claim: Claim { cause: Cause::Holder, rescinded_on: None, rate: None, cost: None },
                payout: None,
                pin: None,
            }),
            BROKEN,
        )
        .then(broken!("payout_identity", "/payout", "21")),
    ]
}

/// What was used of a card is known, whatever moved in between.
fn after_moves() -> Vec<Case> {
    let wish = |card| give_back(card, Cause::Holder);
    let sold = || used("cn-single-purpose");
    vec![
        case(
            "a replaced card",
            sold().before("lost", lose(8)).before("r", replace(8, 9)),
            wish(9),
            Approved(40_000),
        ),
        case(
            "by the lost card's name",
            sold().before("lost", lose(8)).before("r", replace(8, 9)),
            wish(8),
            Approved(40_000),
        ),
        case("goods returned first", sold().before("r", refund("sale", None)), wish(8), Approved(100_000)),
        case(
            "goods returned to a replaced card",
            sold().before("lost", lose(8)).before("p", replace(8, 9)).before("r", refund("sale", None)),
            wish(9),
            Approved(100_000),
        ),
        case(
            "a load that was reversed",
            sold().before("m", load(8, 1)).before("n", reverse("m")),
            wish(8),
            Approved(40_000),
        )
        .then(|memory| assert_eq!(figures(memory)[0], (Item::Paid, 100_000))),
        case(
            "value that was put right",
            sold().before("d", adjust(8, domain::command::Direction::Debit, 1_200)),
            wish(8),
            Approved(39_000),
        )
        .then(|memory| assert_eq!(figures(memory)[2], (Item::Used, 60_000))),
        // 300.00 of 600.00 left go to card 1, 250.00 of them paid for.
        case("value that moved on", sold().before("t", transfer(8, 1, 30_000)), wish(8), Approved(15_000)),
        case("where it moved", sold().before("t", transfer(8, 1, 30_000)), wish(1), Approved(26_000)),
        case(
            "a move undone",
            sold().before("t", transfer(8, 1, 30_000)).before("u", reverse("t")),
            wish(8),
            Approved(40_000),
        ),
    ]
}

fn exchange(from: i64, to: i64, minor: Option<i64>) -> Command {
    let amount = minor.map(amount);
    Command::Exchange(Exchange { from: card_ref(from), to: card_ref(to), amount, pin: None })
}

fn exchanges() -> Vec<Case> {
    let ended = || {
        given()
            .rules(|r| r.validity = Validity::Months { months: 36 })
            .before("l", load_with(1, 1, 499))
            .card(1, |card| (card.expires_at, card.member) = (Some(noon()), Some("m".to_owned())))
    };
    let expired = || ended().before("e", expire(1));
    let policy = |residual| expired().rules(move |r| r.residual = residual);
    vec![
        case("all of it", expired(), exchange(1, 8, None), Approved(1_500)).then(|memory| {
            assert_eq!(lots(memory, 8), [(LotSource::Paid, 1_001), (LotSource::Bonus, 499)]);
            assert_eq!(worth(memory, 1), (0, 0, 0));
            let new = of_card(memory, 8);
            assert_eq!((new.member.as_deref(), new.expires_at > Some(noon())), (Some("m"), true));
            assert_eq!(of_card(memory, 1).state.successor(), Some(new.id));
        }),
        case("before the job came", ended(), exchange(1, 8, None), Approved(1_500)),
        case("a part, in proportion", expired(), exchange(1, 8, Some(150)), Approved(150)).then(|memory| {
            assert_eq!(lots(memory, 8), [(LotSource::Paid, 100), (LotSource::Bonus, 50)]);
            assert_eq!(worth(memory, 1), (0, 0, 1_350));
        }),
        case("too much", expired(), exchange(1, 8, Some(1_501)), Declined(Decline::InsufficientFunds)),
        case("nothing", expired(), exchange(1, 8, Some(0)), Refused(Refusal::AmountZero)),
        case("a card in use", given(), exchange(1, 8, None), Declined(Decline::NothingToClaim)),
        case("onto a card in use", expired(), exchange(1, 2, None), Declined(Decline::ReplacementNotStocked)),
        case("onto itself", expired(), exchange(1, 1, None), Refused(Refusal::SameCard)),
        case("a lost card", given().before("l", lose(1)), exchange(1, 8, None), Declined(Decline::CardLost)),
        case(
            "into another program's card",
            expired().card(8, |card| card.program = fixture::OTHER_PROGRAM),
            exchange(1, 8, None),
            Declined(Decline::ProgramMismatch),
        ),
        case("by exchange only", policy(ResidualPolicy::Exchange), exchange(1, 8, None), Approved(1_500)),
        case(
            "not by reactivation",
            policy(ResidualPolicy::Exchange),
            reactivate(1, None),
            Declined(Decline::ResidualClaimedOtherwise),
        ),
        case(
            "by reactivation only",
            policy(ResidualPolicy::Reactivate),
            reactivate(1, None),
            Approved(1_500),
        ),
        case(
            "not by exchange",
            policy(ResidualPolicy::Reactivate),
            exchange(1, 8, None),
            Declined(Decline::ResidualClaimedOtherwise),
        ),
        case(
            "for a period",
            policy(ResidualPolicy::Reactivate).rules(|r| r.reactivation_months = Some(6)),
            reactivate(1, None),
            Approved(1_500),
        )
        .then(|memory| {
            let end = of_card(memory, 1).expires_at.expect("an end").to_string();
            assert_eq!(end, "2027-05-22T15:59:59.999999Z");
        }),
        case(
            "the same card again",
            expired().before("x", exchange(1, 8, None)),
            with_key("y", exchange(1, 9, None)),
            Declined(Decline::CardClosed),
        ),
    ]
}
