//! One way to write a case: what is given, what is asked, what is expected.

use std::sync::Arc;

use domain::{
    Amount, Card, CardId, Catalog, Command, Currency, Decline, HoldId, IdempotencyKey, MerchantId,
    OperationId, Refusal, Request, Timestamp,
    catalog::Issuer,
    command::{
        Activate, Adjust, BindMember, Bonus, Capture, CardRef, CashOut, Direction, Inquire, Load, Move,
        MoveAll, PlaceHold, Reactivate, Refund, Release, Reverse, UnlinkedRefund, WithReason,
    },
    lot::LotSource,
    operation::Recorded,
    program::{Program, Rules, Status},
};
use domain_testing::{
    fixture::{self, amount, at_merchant, card_ref},
    memory::{Answer, Call, Memory},
};

/// What is given: a catalog, cards, and what happened before.
pub(crate) struct Given {
    pub(crate) catalog: Catalog,
    pub(crate) memory: Memory,
    pub(crate) now: Timestamp,
}

/// What is expected of the last request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    Approved(i64),
    Declined(Decline),
    Refused(Refusal),
    Replayed(&'static str),
}

pub(crate) use Expect::{Approved, Declined, Refused, Replayed};

/// A case.
pub(crate) struct Case {
    name: &'static str,
    given: Given,
    when: Request,
    expect: Expect,
    then: Option<fn(&Memory)>,
}

/// What a case came to, for the test that all codes are reached.
pub(crate) struct Outcome {
    pub(crate) expect: Expect,
    pub(crate) command: Command,
}

pub(crate) fn case(name: &'static str, given: Given, when: impl Into<When>, expect: Expect) -> Case {
    Case { name, given, when: when.into().0, expect, then: None }
}

/// A request: a command under the key `it`, or one that was built by hand.
pub(crate) struct When(Request);

impl From<Command> for When {
    fn from(command: Command) -> Self {
        Self(fixture::request("it", command))
    }
}

impl From<Request> for When {
    fn from(request: Request) -> Self {
        Self(request)
    }
}

impl Case {
    /// What else must be so afterwards.
    pub(crate) fn then(mut self, check: fn(&Memory)) -> Self {
        self.then = Some(check);
        self
    }

    pub(crate) fn check(mut self) -> Outcome {
        let command = self.when.command.clone();
        let key = self.when.key.to_text();
        let call = Call { id: id_of("the case itself"), request: self.when, now: self.given.now };
        let before = self.given.memory.clone();
        let answer = self.given.memory.run(&self.given.catalog, &call);
        let is = match &answer {
            Answer::Refused(refusal) => {
                assert_eq!(before, self.given.memory, "{}: a refusal stored something", self.name);
                Refused(*refusal)
            }
            Answer::Replayed(operation) => {
                assert_eq!(before, self.given.memory, "{}: a replay stored something", self.name);
                assert_eq!(
                    operation, &self.given.memory.operations[&operation.id].operation,
                    "{}",
                    self.name
                );
                match self.expect {
                    Replayed(name) if operation.id == id_of(name) => self.expect,
                    _ => Replayed("another operation"),
                }
            }
            Answer::Decided(operation) => match operation.status {
                domain::operation::Status::Approved => Approved(operation.approved.get()),
                domain::operation::Status::Declined(decline) => Declined(decline),
            },
        };
        assert_eq!(is, self.expect, "{} ({key})", self.name);
        if let Err(broken) = self.given.memory.audit() {
            panic!("{}: {broken}", self.name);
        }
        if let Answer::Decided(_) = answer {
            let again = self.given.memory.run(&self.given.catalog, &call);
            assert!(
                matches!(again, Answer::Replayed(same) if same.id == call.id),
                "{}: no replay",
                self.name
            );
        }
        if let Some(then) = self.then {
            then(&self.given.memory);
        }
        Outcome { expect: self.expect, command }
    }
}

/// Cards 1 (1,000) and 2 (500) are active, 8 and 9 stocked; 30 belongs to another issuer, 40 to another
/// program. Nothing is limited.
pub(crate) fn given() -> Given {
    let mut foreign = fixture::active(30, 1_000);
    foreign.issuer = fixture::FOREIGN_ISSUER;
    let mut other = fixture::active(40, 1_000);
    other.program = fixture::OTHER_PROGRAM;
    let cards =
        [fixture::active(1, 1_000), fixture::active(2, 500), fixture::stocked(8), fixture::stocked(9)];
    Given {
        catalog: fixture::catalog(&fixture::free_rules()),
        memory: Memory::with_cards(cards.into_iter().chain([foreign, other])),
        now: fixture::noon(),
    }
}

impl Given {
    pub(crate) fn rules(mut self, change: impl Fn(&mut Rules)) -> Self {
        for program in self.catalog.programs.values_mut() {
            change(&mut Arc::make_mut(program).rules);
        }
        self
    }

    pub(crate) fn program(mut self, change: impl Fn(&mut Program)) -> Self {
        for program in self.catalog.programs.values_mut() {
            change(Arc::make_mut(program));
        }
        self
    }

    pub(crate) fn issuer(mut self, change: impl Fn(&mut Issuer)) -> Self {
        change(Arc::make_mut(self.catalog.issuers.get_mut(&fixture::ISSUER).expect("the issuer")));
        self
    }

    pub(crate) fn catalog(mut self, change: impl Fn(&mut Catalog)) -> Self {
        change(&mut self.catalog);
        self
    }

    pub(crate) fn card(mut self, id: i64, change: impl Fn(&mut Card)) -> Self {
        change(self.memory.cards.get_mut(&CardId::new(id)).expect("a card of the case"));
        self
    }

    pub(crate) fn after(mut self, seconds: i64) -> Self {
        self.now = self.now.plus_seconds(seconds);
        self
    }

    /// Something that happened before, under a key of that name, and was approved.
    pub(crate) fn before(self, name: &'static str, command: Command) -> Self {
        self.did(name, command, true)
    }

    /// Something that was asked before and declined.
    pub(crate) fn declined(self, name: &'static str, command: Command) -> Self {
        self.did(name, command, false)
    }

    fn did(self, name: &'static str, command: Command, approved: bool) -> Self {
        self.sent(name, fixture::request(name, command), approved)
    }

    pub(crate) fn sent(mut self, name: &'static str, request: Request, approved: bool) -> Self {
        let answer = self.memory.run(&self.catalog, &Call { request, id: id_of(name), now: self.now });
        let done = answer.operation().is_some_and(|operation| operation.is_approved() == approved);
        assert!(done, "{name}: {answer:?}");
        self
    }
}

/// The id of what happened under a name.
pub(crate) fn id_of(name: &str) -> OperationId {
    let folded = name.bytes().fold(7_i64, |hash, byte| (hash * 31 + i64::from(byte)) % 1_000_000_007);
    OperationId::new(1_000 + folded)
}

pub(crate) fn recorded(memory: &Memory, name: &str) -> Recorded {
    memory.operations[&id_of(name)].clone()
}

pub(crate) fn of_card(memory: &Memory, id: i64) -> Card {
    memory.cards[&CardId::new(id)].clone()
}

/// (posted, held, claims) of a card.
pub(crate) fn worth(memory: &Memory, id: i64) -> (i64, i64, i64) {
    let card = of_card(memory, id);
    (card.posted().get(), card.held.get(), card.claimable().get())
}

/// What is left in a card's lots, in their order.
pub(crate) fn lots(memory: &Memory, id: i64) -> Vec<(LotSource, i64)> {
    of_card(memory, id).lots.iter().map(|lot| (lot.source, lot.remaining.get())).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "written where a rule is optional")]
pub(crate) fn some(minor: i64) -> Option<Amount> {
    Some(amount(minor))
}

pub(crate) fn with_key(key: &str, command: Command) -> Request {
    fixture::request(key, command)
}

pub(crate) fn bound_to(merchant: MerchantId, command: Command) -> Request {
    let mut request = fixture::request("it", command);
    request.actor.merchant = Some(merchant);
    request
}

pub(crate) fn traced(key: &str, trace: u32, command: Command) -> Request {
    Request { trace: Some(trace), ..fixture::request(key, command) }
}

pub(crate) fn closed(status: &mut Status) {
    *status = Status::Closed;
}

pub(crate) fn activate(card: i64, minor: Option<i64>) -> Command {
    Command::Activate(Activate {
        card: card_ref(card),
        amount: minor.map(amount),
        currency: Currency::CNY,
        bonus: None,
        place: at_merchant(0),
        funding: None,
    })
}

pub(crate) fn load_with(card: i64, minor: i64, bonus: i64) -> Command {
    Command::Load(Load {
        card: card_ref(card),
        amount: amount(minor),
        currency: Currency::CNY,
        source: LotSource::Paid,
        expires_at: None,
        bonus: (bonus >= 0).then(|| Bonus { amount: amount(bonus), expires_at: None }),
        place: at_merchant(0),
        funding: None,
    })
}

pub(crate) fn load(card: i64, minor: i64) -> Command {
    load_with(card, minor, -1)
}

/// Value that expires before its card.
pub(crate) fn load_until(card: i64, minor: i64, end: Timestamp) -> Command {
    let Command::Load(load) = load(card, minor) else { unreachable!("a load") };
    Command::Load(Load { expires_at: Some(end), source: LotSource::Bonus, ..load })
}

pub(crate) fn redeem(card: i64, minor: i64) -> Command {
    Command::Redeem(fixture::payment(card, minor))
}

pub(crate) fn redeem_at(card: i64, minor: i64, merchant: usize) -> Command {
    Command::Redeem(domain::command::Payment {
        place: at_merchant(merchant),
        ..fixture::payment(card, minor)
    })
}

pub(crate) fn redeem_partly(card: i64, minor: i64) -> Command {
    Command::Redeem(domain::command::Payment { partial: true, ..fixture::payment(card, minor) })
}

pub(crate) fn redeem_with(card: i64, minor: i64, pin: &str) -> Command {
    Command::Redeem(domain::command::Payment { pin: fixture::pin(pin), ..fixture::payment(card, minor) })
}

pub(crate) fn hold(card: i64, minor: i64) -> Command {
    Command::Hold(PlaceHold { payment: fixture::payment(card, minor), seconds: None })
}

fn hold_id(name: &str) -> HoldId {
    HoldId::new(id_of(name).get())
}

pub(crate) fn capture(name: &str, minor: Option<i64>, is_final: bool) -> Command {
    Command::Capture(Capture { hold: hold_id(name), amount: minor.map(amount), currency: None, is_final })
}

pub(crate) fn release(name: &str) -> Command {
    Command::Release(Release { hold: hold_id(name), expired: false })
}

pub(crate) fn release_expired(name: &str) -> Command {
    Command::Release(Release { hold: hold_id(name), expired: true })
}

pub(crate) fn reverse(name: &str) -> Command {
    Command::Reverse(Reverse { original: IdempotencyKey::parse(name).expect("a key") })
}

pub(crate) fn refund(name: &str, minor: Option<i64>) -> Command {
    Command::Refund(Refund { original: id_of(name), amount: minor.map(amount), currency: None })
}

pub(crate) fn unlinked(card: i64, minor: i64) -> Command {
    Command::UnlinkedRefund(UnlinkedRefund {
        card: card_ref(card),
        amount: amount(minor),
        currency: Currency::CNY,
        place: at_merchant(0),
    })
}

pub(crate) fn adjust(card: i64, direction: Direction, minor: i64) -> Command {
    Command::Adjust(Adjust {
        card: card_ref(card),
        direction,
        amount: amount(minor),
        currency: Currency::CNY,
        reason: "count".to_owned(),
    })
}

fn with_reason(card: i64) -> WithReason {
    WithReason { card: card_ref(card), reason: "asked for".to_owned() }
}

pub(crate) fn freeze(card: i64) -> Command {
    Command::Freeze(with_reason(card))
}

pub(crate) fn unfreeze(card: i64) -> Command {
    Command::Unfreeze(card_ref(card))
}

pub(crate) fn lose(card: i64) -> Command {
    Command::ReportLost(card_ref(card))
}

pub(crate) fn close(card: i64) -> Command {
    Command::Close(with_reason(card))
}

fn all(from: i64, to: i64) -> MoveAll {
    MoveAll { from: card_ref(from), to: card_ref(to), pin: None }
}

pub(crate) fn replace(from: i64, to: i64) -> Command {
    Command::Replace(all(from, to))
}

pub(crate) fn merge(from: i64, to: i64) -> Command {
    Command::Merge(all(from, to))
}

pub(crate) fn transfer(from: i64, to: i64, minor: i64) -> Command {
    Command::Transfer(Move {
        from: card_ref(from),
        to: card_ref(to),
        amount: amount(minor),
        currency: Currency::CNY,
        pin: None,
    })
}

pub(crate) fn expire(card: i64) -> Command {
    Command::Expire(CardId::new(card))
}

pub(crate) fn reactivate(card: i64, expires_at: Option<Timestamp>) -> Command {
    Command::Reactivate(Reactivate { card: card_ref(card), expires_at })
}

pub(crate) fn cash_out(card: i64) -> Command {
    Command::CashOut(CashOut { card: card_ref(card), pin: None, payout: None })
}

pub(crate) fn bind(card: i64, member: &str) -> Command {
    Command::BindMember(BindMember { card: card_ref(card), member: member.to_owned(), pin: None })
}

pub(crate) fn bind_with(card: i64, member: &str, pin: &str) -> Command {
    let pin = fixture::pin(pin);
    Command::BindMember(BindMember { card: card_ref(card), member: member.to_owned(), pin })
}

/// A card as its holder names it.
pub(crate) fn held(card: i64, member: &str) -> CardRef {
    CardRef::Held { card: CardId::new(card), member: member.to_owned() }
}

pub(crate) fn hand_over(card: i64, from: &str, to: &str) -> Command {
    Command::BindMember(BindMember { card: held(card, from), member: to.to_owned(), pin: None })
}

pub(crate) fn inquire(card: i64, pin: Option<&str>) -> Command {
    Command::Inquire(Inquire { card: card_ref(card), pin: pin.and_then(fixture::pin) })
}
