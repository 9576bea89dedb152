//! Commands as plain data.
//!
//! A step names cards by a small number and earlier steps by their position; [`acts`] settles what they
//! mean, [`calls`] turns them into requests. Ids of operations and holds are known beforehand, so that the
//! same script can be played on any store, one by one or in batches of any size, and compared.

use domain::{
    Card, CardId, Catalog, Command, Currency, HoldId, OperationId, PostingKind, Timestamp,
    command::{
        Activate, Adjust, BindMember, Bonus, Capture, CashOut, Direction, Exchange, HolderRefund, Inquire,
        Load, Move, MoveAll, Payment, PlaceHold, Reactivate, Refund, Release, Reverse, UnlinkedRefund,
        WithReason,
    },
    lot::{LotOrder, LotSource},
    policy::{
        NamedPack, PackId,
        refund::{Cause, Claim},
    },
    program::{Rules, Validity},
};
use proptest::prelude::*;

use crate::{
    fixture::{self, amount, at_merchant, card_ref, request},
    memory::Call,
};

/// How many cards a script is about: 1 to 6. The prologue activates the first three.
pub const CARDS: u8 = 6;
/// How long the cards of a script are valid, in days.
pub const VALID_DAYS: u16 = 30;
/// The most uses of a card per day.
pub const DAILY_COUNT: u32 = 8;
/// The largest sum of uses of a card per day.
pub const DAILY_AMOUNT: i64 = 2_000;
/// The largest balance.
pub const BALANCE_CAP: i64 = 3_000;
/// The smallest and the largest use.
pub const REDEMPTION: (i64, i64) = (5, 900);

/// One step of a script. `card`, `from` and `to` are 1 to [`CARDS`]; `of` picks an earlier step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum Step {
    Activate {
        card: u8,
        amount: i64,
        bonus: i64,
    },
    Load {
        card: u8,
        amount: i64,
        bonus: i64,
    },
    Redeem {
        card: u8,
        amount: i64,
        partial: bool,
    },
    Hold {
        card: u8,
        amount: i64,
    },
    Capture {
        of: usize,
        amount: Option<i64>,
        is_final: bool,
    },
    Release {
        of: usize,
        expired: bool,
    },
    /// May also name a step that has not come yet: a tombstone.
    Reverse {
        of: usize,
    },
    Refund {
        of: usize,
        amount: Option<i64>,
    },
    UnlinkedRefund {
        card: u8,
        amount: i64,
    },
    Adjust {
        card: u8,
        credit: bool,
        amount: i64,
    },
    Freeze {
        card: u8,
    },
    Unfreeze {
        card: u8,
    },
    ReportLost {
        card: u8,
    },
    Replace {
        from: u8,
        to: u8,
    },
    Transfer {
        from: u8,
        to: u8,
        amount: i64,
    },
    Merge {
        from: u8,
        to: u8,
    },
    Expire {
        card: u8,
    },
    Reactivate {
        card: u8,
    },
    CashOut {
        card: u8,
    },
    Close {
        card: u8,
    },
    Bind {
        card: u8,
        member: u8,
    },
    Inquire {
        card: u8,
    },
    HolderRefund {
        card: u8,
        cause: Cause,
    },
    Exchange {
        from: u8,
        to: u8,
        amount: Option<i64>,
    },
    /// Along which of its pairs, see [`fixture::posting`].
    Post {
        kind: PostingKind,
        way: u8,
        amount: i64,
    },
    /// An earlier request again.
    Again {
        of: usize,
    },
    /// Another request under the key of an earlier one.
    Changed {
        of: usize,
    },
    /// Time passes.
    Wait {
        seconds: i64,
    },
}

/// A step that was settled: what is asked, under the key of which step, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The position of the step, from which its id follows.
    pub position: usize,
    /// The step whose key it uses: its own, or an earlier one's.
    pub key: usize,
    /// What is asked; `of` is a position now. Never [`Step::Again`], [`Step::Changed`] or [`Step::Wait`].
    pub step: Step,
    /// When.
    pub now: Timestamp,
}

/// The program's rules of every script, with an order of lots.
pub fn rules(order: LotOrder) -> Rules {
    Rules {
        validity: Validity::Days { days: VALID_DAYS },
        daily_count: Some(DAILY_COUNT),
        daily_amount: Some(amount(DAILY_AMOUNT)),
        balance_cap: Some(amount(BALANCE_CAP)),
        redemption_min: Some(amount(REDEMPTION.0)),
        redemption_max: Some(amount(REDEMPTION.1)),
        lot_order: order,
        // It provides for refunds to holders and for nothing that is checked when cards are sold or paid out.
        policy_pack: PackId::parse("cn-prepaid-consumption")
            .map(|id| NamedPack { id, since: Timestamp::from_micros(0) }),
        ..fixture::free_rules()
    }
}

/// The catalog of every script.
pub fn catalog(order: LotOrder) -> Catalog {
    fixture::catalog(&rules(order))
}

/// The cards of every script, all stocked.
pub fn cards() -> Vec<Card> {
    (1..=i64::from(CARDS)).map(fixture::stocked).collect()
}

/// The id that the operation of a step gets; a hold has the same value.
///
/// # Panics
/// Never.
pub fn id(position: usize) -> OperationId {
    OperationId::new(1_000_000 + i64::try_from(position).expect("a short script"))
}

/// Activates half of the cards, so that a random script has something to work with.
pub fn prologue() -> Vec<Step> {
    (1..=CARDS / 2).map(|card| Step::Activate { card, amount: 1_000, bonus: 200 }).collect()
}

/// A random script of at most `length` steps, after the prologue.
pub fn scripts(length: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..=length).prop_map(|steps| prologue().into_iter().chain(steps).collect())
}

/// The three orders of lots.
pub fn orders() -> impl Strategy<Value = LotOrder> {
    prop::sample::select(vec![LotOrder::ProRata, LotOrder::PaidFirst, LotOrder::BonusFirst])
}

fn step() -> impl Strategy<Value = Step> {
    let card = || 1..=CARDS;
    let money = || prop_oneof![8 => 1..=400_i64, 2 => 401..=1_500_i64, 1 => Just(0)];
    let of = || 0..10_000_usize;
    let seconds = prop::sample::select(vec![60_i64, 600, 1_000, 40_000, 90_000, 31 * 86_400]);
    let value = prop_oneof![
        2 => (card(), money(), 0..=100_i64).prop_map(|(card, amount, bonus)| Step::Activate { card, amount, bonus }),
        3 => (card(), money(), 0..=100_i64).prop_map(|(card, amount, bonus)| Step::Load { card, amount, bonus }),
        8 => (card(), money(), any::<bool>())
            .prop_map(|(card, amount, partial)| Step::Redeem { card, amount, partial }),
        4 => (card(), money()).prop_map(|(card, amount)| Step::Hold { card, amount }),
        4 => (of(), prop::option::of(money()), any::<bool>())
            .prop_map(|(of, amount, is_final)| Step::Capture { of, amount, is_final }),
        2 => (of(), any::<bool>()).prop_map(|(of, expired)| Step::Release { of, expired }),
        5 => of().prop_map(|of| Step::Reverse { of }),
        5 => (of(), prop::option::of(money())).prop_map(|(of, amount)| Step::Refund { of, amount }),
        1 => (card(), money()).prop_map(|(card, amount)| Step::UnlinkedRefund { card, amount }),
        2 => (card(), any::<bool>(), money())
            .prop_map(|(card, credit, amount)| Step::Adjust { card, credit, amount }),
        4 => (prop::sample::select(PostingKind::ALL.to_vec()), any::<u8>(), money())
            .prop_map(|(kind, way, amount)| Step::Post { kind, way, amount }),
    ];
    let status = prop_oneof![
        (card(), prop::sample::select(Cause::ALL.to_vec()))
            .prop_map(|(card, cause)| Step::HolderRefund { card, cause }),
        (card(), card(), prop::option::of(money())).prop_map(|(from, to, amount)| Step::Exchange {
            from,
            to,
            amount
        }),
        card().prop_map(|card| Step::Freeze { card }),
        card().prop_map(|card| Step::Unfreeze { card }),
        card().prop_map(|card| Step::ReportLost { card }),
        (card(), card()).prop_map(|(from, to)| Step::Replace { from, to }),
        (card(), card(), money()).prop_map(|(from, to, amount)| Step::Transfer { from, to, amount }),
        (card(), card()).prop_map(|(from, to)| Step::Merge { from, to }),
        card().prop_map(|card| Step::Expire { card }),
        card().prop_map(|card| Step::Reactivate { card }),
        card().prop_map(|card| Step::CashOut { card }),
        card().prop_map(|card| Step::Close { card }),
        (card(), 1..=2_u8).prop_map(|(card, member)| Step::Bind { card, member }),
        card().prop_map(|card| Step::Inquire { card }),
    ];
    let again = prop_oneof![
        2 => of().prop_map(|of| Step::Again { of }),
        1 => of().prop_map(|of| Step::Changed { of }),
        2 => seconds.prop_map(|seconds| Step::Wait { seconds }),
    ];
    prop_oneof![8 => value, 3 => status, 2 => again]
}

/// Settles what the steps of a script mean. Waiting is no act.
pub fn acts(steps: &[Step]) -> Vec<Act> {
    let mut now = fixture::noon();
    let mut acts: Vec<Act> = Vec::new();
    for (position, step) in steps.iter().enumerate() {
        // No two at the same moment, so that windows and holds have a clear order.
        now = now.plus_seconds(1);
        let (key, step) = match step {
            Step::Wait { seconds } => {
                now = now.plus_seconds(*seconds);
                continue;
            }
            Step::Again { of } | Step::Changed { of } => {
                let Some(earlier) = pick(&acts, *of, |_| true) else { continue };
                let first = if matches!(step, Step::Again { .. }) {
                    earlier.step.clone()
                } else {
                    other(&earlier.step)
                };
                (earlier.key, first)
            }
            other => (position, settle(other, &acts, position)),
        };
        acts.push(Act { position, key, step, now });
    }
    acts
}

fn settle(step: &Step, acts: &[Act], position: usize) -> Step {
    let at = |of: usize, wanted: fn(&Step) -> bool| pick(acts, of, wanted).map_or(0, |act| act.position);
    match step.clone() {
        Step::Capture { of, amount, is_final } => {
            Step::Capture { of: at(of, |s| matches!(s, Step::Hold { .. })), amount, is_final }
        }
        Step::Release { of, expired } => {
            Step::Release { of: at(of, |s| matches!(s, Step::Hold { .. })), expired }
        }
        Step::Refund { of, amount } if of % 8 == 0 => Step::Refund { of: at(of, |_| true), amount },
        Step::Refund { of, amount } => {
            let of = at(of, |s| matches!(s, Step::Redeem { .. } | Step::Capture { .. }));
            Step::Refund { of, amount }
        }
        // Now and then itself, or what comes next.
        Step::Reverse { of } => Step::Reverse { of: of % (position + 3) },
        other => other,
    }
}

fn pick(acts: &[Act], of: usize, wanted: fn(&Step) -> bool) -> Option<&Act> {
    let fitting: Vec<&Act> = acts.iter().filter(|act| wanted(&act.step)).collect();
    fitting.get(of.checked_rem(fitting.len())?).copied()
}

/// Another request than `step`.
fn other(step: &Step) -> Step {
    match step {
        Step::Inquire { card } => Step::Freeze { card: *card },
        _ => Step::Inquire { card: 1 },
    }
}

fn key(position: usize) -> String {
    format!("step-{position}")
}

/// The requests of a script.
pub fn calls(acts: &[Act]) -> Vec<Call> {
    let key_of = |position: usize| {
        let act = acts.iter().find(|act| act.position == position);
        key(act.map_or(position, |act| act.key))
    };
    let call = |act: &Act| Call {
        request: request(&key(act.key), command(&act.step, &key_of)),
        id: id(act.position),
        now: act.now,
    };
    acts.iter().map(call).collect()
}

fn command(step: &Step, key_of: &impl Fn(usize) -> String) -> Command {
    let card_of = |card: u8| card_ref(i64::from(card));
    let bonus = |bonus: i64| (bonus > 0).then(|| Bonus { amount: amount(bonus), expires_at: None });
    let currency = Currency::CNY;
    match step.clone() {
        Step::Activate { card, amount: a, bonus: b } => Command::Activate(Activate {
            card: card_of(card),
            amount: Some(amount(a)),
            currency,
            bonus: bonus(b),
            place: at_merchant(0),
            funding: None,
        }),
        Step::Load { card, amount: a, bonus: b } => Command::Load(Load {
            card: card_of(card),
            amount: amount(a),
            currency,
            source: LotSource::Paid,
            expires_at: None,
            bonus: bonus(b),
            place: at_merchant(0),
            funding: None,
        }),
        Step::Redeem { card, amount, partial } => Command::Redeem(pay(card, amount, partial)),
        Step::Hold { card, amount } => {
            Command::Hold(PlaceHold { payment: pay(card, amount, false), seconds: None })
        }
        Step::Capture { of, amount: a, is_final } => Command::Capture(Capture {
            hold: HoldId::new(id(of).get()),
            amount: a.map(amount),
            currency: None,
            is_final,
        }),
        Step::Release { of, expired } => {
            Command::Release(Release { hold: HoldId::new(id(of).get()), expired })
        }
        Step::Reverse { of } => {
            let original = domain::IdempotencyKey::parse(&key_of(of)).expect("a key of a step");
            Command::Reverse(Reverse { original })
        }
        Step::Refund { of, amount: a } => {
            Command::Refund(Refund { original: id(of), amount: a.map(amount), currency: None })
        }
        Step::UnlinkedRefund { card, amount: a } => Command::UnlinkedRefund(UnlinkedRefund {
            card: card_of(card),
            amount: amount(a),
            currency,
            place: at_merchant(0),
        }),
        Step::Adjust { card, credit, amount: a } => Command::Adjust(Adjust {
            card: card_of(card),
            direction: if credit { Direction::Credit } else { Direction::Debit },
            amount: amount(a),
            currency,
            reason: "count".to_owned(),
        }),
        Step::Transfer { from, to, amount: a } => Command::Transfer(Move {
            from: card_of(from),
            to: card_of(to),
            amount: amount(a),
            currency,
            pin: None,
        }),
        Step::Post { kind, way, amount } => {
            let posting = fixture::posting(kind, way, amount, fixture::ISSUER, fixture::MERCHANTS);
            Command::Post(posting)
        }
        other => status_command(&other),
    }
}

fn pay(card: u8, minor: i64, partial: bool) -> Payment {
    Payment { partial, ..fixture::payment(i64::from(card), minor) }
}

fn status_command(step: &Step) -> Command {
    let card_of = |card: u8| card_ref(i64::from(card));
    let all = |from, to| MoveAll { from: card_of(from), to: card_of(to), pin: None };
    let reason = || "reason".to_owned();
    match *step {
        Step::Freeze { card } => Command::Freeze(WithReason { card: card_of(card), reason: reason() }),
        Step::Unfreeze { card } => Command::Unfreeze(card_of(card)),
        Step::ReportLost { card } => Command::ReportLost(card_of(card)),
        Step::Replace { from, to } => Command::Replace(all(from, to)),
        Step::Merge { from, to } => Command::Merge(all(from, to)),
        Step::Expire { card } => Command::Expire(CardId::new(i64::from(card))),
        Step::Reactivate { card } => {
            Command::Reactivate(Reactivate { card: card_of(card), expires_at: None })
        }
        Step::HolderRefund { card, cause } => Command::HolderRefund(HolderRefund {
            card: card_of(card),
            claim: Claim { cause, rescinded_on: None, rate: None, cost: None },
            payout: None,
            pin: None,
        }),
        Step::Exchange { from, to, amount: a } => Command::Exchange(Exchange {
            from: card_of(from),
            to: card_of(to),
            amount: a.map(amount),
            pin: None,
        }),
        Step::CashOut { card } => Command::CashOut(CashOut { card: card_of(card), pin: None, payout: None }),
        Step::Close { card } => Command::Close(WithReason { card: card_of(card), reason: reason() }),
        Step::Bind { card, member } => {
            Command::BindMember(BindMember { card: card_of(card), member: format!("m{member}"), pin: None })
        }
        Step::Inquire { card } => Command::Inquire(Inquire { card: card_of(card), pin: None }),
        ref other => unreachable!("{other:?} is not a command of its own"),
    }
}
