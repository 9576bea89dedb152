//! What clients ask: random commands on what they know of.

use std::collections::BTreeMap;

use domain::{
    Command, Currency, Fingerprint, HoldId, IdempotencyKey, OperationId, PostingKind, Request, Timestamp,
    command::{
        Activate, Actor, Adjust, BindMember, Bonus, Canonical, Capture, CardRef, CashOut, Direction,
        Exchange, HolderRefund, Inquire, Load, Move, MoveAll, Payment, PinAttempt, Place, PlaceHold,
        Reactivate, Refund, Release, Reverse, UnlinkedRefund, WithReason,
    },
    lot::LotSource,
    policy::refund::{Cause, Claim},
};
use domain_testing::{
    fixture::{self, amount},
    script::Step,
};
use engine::Intent;

use crate::{
    random::Random,
    world::{self, ISLANDS, Island},
};

/// Kinds of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Activate,
    Load,
    Redeem,
    Hold,
    Capture,
    Release,
    Reverse,
    Refund,
    UnlinkedRefund,
    Adjust,
    Freeze,
    Unfreeze,
    ReportLost,
    Replace,
    Transfer,
    Merge,
    Expire,
    Reactivate,
    CashOut,
    Close,
    Bind,
    Inquire,
    Post,
    HolderRefund,
    Exchange,
}

impl Kind {
    pub(crate) const ALL: [Self; 25] = [
        Self::Activate,
        Self::Load,
        Self::Redeem,
        Self::Hold,
        Self::Capture,
        Self::Release,
        Self::Reverse,
        Self::Refund,
        Self::UnlinkedRefund,
        Self::Adjust,
        Self::Freeze,
        Self::Unfreeze,
        Self::ReportLost,
        Self::Replace,
        Self::Transfer,
        Self::Merge,
        Self::Expire,
        Self::Reactivate,
        Self::CashOut,
        Self::Close,
        Self::Bind,
        Self::Inquire,
        Self::Post,
        Self::HolderRefund,
        Self::Exchange,
    ];

    /// Without these a seed is about nothing.
    pub(crate) fn is_vital(self) -> bool {
        matches!(self, Self::Activate | Self::Redeem)
    }

    fn weight(self) -> u64 {
        match self {
            Self::Redeem => 16,
            Self::Activate | Self::Load | Self::Hold | Self::Capture | Self::Reverse | Self::Refund => 8,
            Self::Release | Self::Transfer | Self::Adjust | Self::Inquire | Self::Bind | Self::Post => 3,
            Self::UnlinkedRefund
            | Self::Freeze
            | Self::Unfreeze
            | Self::Expire
            | Self::Reactivate
            | Self::Exchange => 2,
            Self::ReportLost
            | Self::Replace
            | Self::Merge
            | Self::CashOut
            | Self::Close
            | Self::HolderRefund => 1,
        }
    }
}

/// A request, as it is sent any number of times.
pub(crate) struct Ask {
    pub(crate) island: usize,
    pub(crate) actor: Actor,
    pub(crate) key: IdempotencyKey,
    /// Names the key across clients.
    pub(crate) number: usize,
    pub(crate) canonical: Box<[u8]>,
    pub(crate) command: Command,
    /// The command as the reference model has it.
    pub(crate) step: Step,
    pub(crate) trace: Option<u32>,
    /// The real-world intent that it stands for: a caller who sends another key for the same thing pays
    /// twice.
    pub(crate) purpose: usize,
    /// Whether all that it names was answered, and therefore exists, when it was made.
    pub(crate) names_known: bool,
}

impl Ask {
    pub(crate) fn intent(&self) -> Intent {
        Intent {
            actor: self.actor,
            key: self.key.clone(),
            canonical: self.canonical.clone(),
            command: self.command.clone(),
            trace: self.trace,
            reference: None,
            metadata: None,
        }
    }

    /// The request as the engine makes it.
    pub(crate) fn request(&self, fingerprint: Fingerprint) -> Request {
        Request {
            actor: self.actor,
            key: self.key.clone(),
            fingerprint,
            canonical: Canonical(self.canonical.clone()),
            command: self.command.clone(),
            trace: self.trace,
            reference: None,
            metadata: None,
        }
    }

    /// The PIN it comes with.
    pub(crate) fn pin(&self) -> Option<&PinAttempt> {
        match &self.command {
            Command::Redeem(c) => c.pin.as_ref(),
            Command::Hold(c) => c.payment.pin.as_ref(),
            Command::Transfer(c) => c.pin.as_ref(),
            Command::Merge(c) | Command::Replace(c) => c.pin.as_ref(),
            Command::CashOut(c) => c.pin.as_ref(),
            Command::HolderRefund(c) => c.pin.as_ref(),
            Command::Exchange(c) => c.pin.as_ref(),
            Command::BindMember(c) => c.pin.as_ref(),
            Command::Inquire(c) => c.pin.as_ref(),
            _ => None,
        }
    }
}

/// The key of a client's so many-th request. Clients have the same ones, and must not get in each other's
/// way.
pub(crate) fn key(position: usize) -> IdempotencyKey {
    let text = format!("019a0000-0000-7000-8000-{position:012x}");
    IdempotencyKey::parse(&text).unwrap_or_else(|_| unreachable!("a UUID is a key"))
}

/// Numbers of one client's keys are apart from those of the next.
pub(crate) const KEYS: usize = 100_000;

/// What the clients of an issuer know from answers.
#[derive(Default)]
pub(crate) struct Knowledge {
    /// Operations by the number of their key.
    pub(crate) operations: BTreeMap<usize, OperationId>,
    /// Of those, holds.
    pub(crate) holds: Vec<usize>,
    /// Of those, activations.
    pub(crate) activations: Vec<usize>,
    /// Of those, redemptions and captures.
    pub(crate) payments: Vec<usize>,
}

/// Makes requests for one client.
pub(crate) struct Asking<'a> {
    pub(crate) random: &'a mut Random,
    pub(crate) kinds: &'a [Kind],
    pub(crate) island: &'static Island,
    pub(crate) known: &'a Knowledge,
    pub(crate) now: Timestamp,
    /// The number of the client's first key, and of its next one.
    pub(crate) first_number: usize,
    pub(crate) next_number: usize,
}

impl Asking<'_> {
    /// A random step.
    pub(crate) fn step(&mut self) -> Step {
        let total: u64 = self.kinds.iter().map(|kind| kind.weight()).sum();
        let mut left = self.random.below(total);
        for kind in self.kinds {
            if left < kind.weight() {
                return self.step_of(*kind);
            }
            left -= kind.weight();
        }
        self.step_of(Kind::Redeem)
    }

    fn card(&mut self) -> u8 {
        // Few cards, so that requests meet.
        self.random.pick(&[1, 1, 1, 2, 2, 3, 4, 5, 6])
    }

    fn money(&mut self) -> i64 {
        match self.random.below(20) {
            0 => 0,
            1..=3 => self.random.between(401, 1500),
            _ => self.random.between(1, 400),
        }
    }

    fn part(&mut self) -> Option<i64> {
        self.random.chance(600).then(|| self.money())
    }

    fn known(&mut self, from: &[usize]) -> usize {
        match from.last() {
            None => usize::MAX,
            // Several clients at once go for the newest.
            Some(newest) if self.random.chance(400) => *newest,
            Some(_) => self.random.pick(from),
        }
    }

    /// A key of one's own: used, in use, or not yet used.
    fn own_key(&mut self) -> usize {
        if self.random.chance(150) {
            let own = self.first_number..self.next_number;
            let mut sold = self.known.activations.iter().rev().filter(|number| own.contains(number));
            if let Some(number) = sold.next() {
                return *number;
            }
        }
        let span = self.next_number - self.first_number + 3;
        let back = self.random.index(span.min(12));
        self.next_number + 2 - back
    }

    fn step_of(&mut self, kind: Kind) -> Step {
        let (holds, payments) = (&self.known.holds, &self.known.payments);
        match kind {
            Kind::Activate => {
                let bonus = self.random.pick(&[0, 0, 50, 100]);
                Step::Activate { card: self.card(), amount: self.money(), bonus }
            }
            Kind::Load => {
                let bonus = self.random.pick(&[0, 0, 50, 100]);
                Step::Load { card: self.card(), amount: self.money(), bonus }
            }
            Kind::Redeem => {
                Step::Redeem { card: self.card(), amount: self.money(), partial: self.random.chance(300) }
            }
            Kind::Hold => Step::Hold { card: self.card(), amount: self.money() },
            Kind::Capture => Step::Capture {
                of: self.known(holds),
                amount: self.part(),
                is_final: self.random.chance(500),
            },
            Kind::Release => Step::Release { of: self.known(holds), expired: self.random.chance(200) },
            Kind::Reverse => Step::Reverse { of: self.own_key() },
            Kind::Refund => Step::Refund { of: self.known(payments), amount: self.part() },
            Kind::UnlinkedRefund => Step::UnlinkedRefund { card: self.card(), amount: self.money() },
            Kind::Adjust => {
                Step::Adjust { card: self.card(), credit: self.random.chance(600), amount: self.money() }
            }
            Kind::Post => {
                let way = self.random.pick(&[0, 1, 2, 3, 34, 69, 100]);
                Step::Post { kind: self.random.pick(&PostingKind::ALL), way, amount: self.money() }
            }
            Kind::Transfer => Step::Transfer { from: self.card(), to: self.card(), amount: self.money() },
            other => self.step_on_status(other),
        }
    }

    fn step_on_status(&mut self, kind: Kind) -> Step {
        let card = self.card();
        match kind {
            Kind::Freeze => Step::Freeze { card },
            Kind::Unfreeze => Step::Unfreeze { card },
            Kind::ReportLost => Step::ReportLost { card },
            Kind::Replace => Step::Replace { from: card, to: self.card() },
            Kind::Merge => Step::Merge { from: card, to: self.card() },
            Kind::Expire => Step::Expire { card },
            Kind::Reactivate => Step::Reactivate { card },
            Kind::CashOut => Step::CashOut { card },
            Kind::HolderRefund => Step::HolderRefund { card, cause: self.random.pick(&Cause::ALL) },
            Kind::Exchange => Step::Exchange { from: card, to: self.card(), amount: self.part() },
            Kind::Close => Step::Close { card },
            Kind::Bind => Step::Bind { card, member: self.random.pick(&[1, 2]) },
            _ => Step::Inquire { card },
        }
    }

    /// The command of a step, on this issuer, with the trimmings that only the second one has.
    pub(crate) fn command(&mut self, step: &Step) -> Command {
        match *step {
            Step::Activate { card, amount: a, bonus } => Command::Activate(Activate {
                card: self.card_ref(card),
                amount: Some(amount(a)),
                currency: Currency::CNY,
                bonus: self.bonus(bonus),
                place: self.place(),
                funding: None,
            }),
            Step::Load { card, amount: a, bonus } => self.load(card, a, bonus),
            Step::Redeem { card, amount, partial } => Command::Redeem(self.payment(card, amount, partial)),
            Step::Hold { card, amount } => {
                Command::Hold(PlaceHold { payment: self.payment(card, amount, false), seconds: None })
            }
            Step::Capture { of, amount: a, is_final } => Command::Capture(Capture {
                hold: self.hold(of),
                amount: a.map(amount),
                currency: None,
                is_final,
            }),
            Step::Release { of, expired } => Command::Release(Release { hold: self.hold(of), expired }),
            Step::Reverse { of } => Command::Reverse(Reverse { original: key(of - self.first_number) }),
            Step::Refund { of, amount: a } => Command::Refund(Refund {
                original: self.operation(of),
                amount: a.map(amount),
                currency: None,
            }),
            Step::UnlinkedRefund { card, amount: a } => Command::UnlinkedRefund(UnlinkedRefund {
                card: self.card_ref(card),
                amount: amount(a),
                currency: Currency::CNY,
                place: self.place(),
            }),
            Step::Adjust { card, credit, amount: a } => Command::Adjust(Adjust {
                card: self.card_ref(card),
                direction: if credit { Direction::Credit } else { Direction::Debit },
                amount: amount(a),
                currency: Currency::CNY,
                reason: "count".to_owned(),
            }),
            Step::Transfer { from, to, amount: a } => Command::Transfer(Move {
                from: self.card_ref(from),
                to: self.card_ref(to),
                amount: amount(a),
                currency: Currency::CNY,
                pin: self.pin(),
            }),
            Step::Post { kind, way, amount } => {
                let (issuer, merchants) = (self.island.issuer, self.island.merchants);
                Command::Post(fixture::posting(kind, way, amount, issuer, merchants))
            }
            ref other => self.command_on_status(other),
        }
    }

    fn command_on_status(&mut self, step: &Step) -> Command {
        let reason = || "reason".to_owned();
        match *step {
            Step::Freeze { card } => {
                Command::Freeze(WithReason { card: self.card_ref(card), reason: reason() })
            }
            Step::Unfreeze { card } => Command::Unfreeze(self.card_ref(card)),
            Step::ReportLost { card } => Command::ReportLost(self.card_ref(card)),
            Step::Replace { from, to } => Command::Replace(self.all(from, to)),
            Step::Merge { from, to } => Command::Merge(self.all(from, to)),
            Step::Expire { card } => Command::Expire(self.island.card(card)),
            Step::Reactivate { card } => {
                Command::Reactivate(Reactivate { card: self.card_ref(card), expires_at: None })
            }
            Step::CashOut { card } => {
                Command::CashOut(CashOut { card: self.card_ref(card), pin: self.pin(), payout: None })
            }
            Step::HolderRefund { card, cause } => Command::HolderRefund(HolderRefund {
                card: self.card_ref(card),
                claim: Claim { cause, rescinded_on: None, rate: None, cost: None },
                payout: None,
                pin: self.pin(),
            }),
            Step::Exchange { from, to, amount: a } => Command::Exchange(Exchange {
                from: self.card_ref(from),
                to: self.card_ref(to),
                amount: a.map(amount),
                pin: self.pin(),
            }),
            Step::Close { card } => {
                Command::Close(WithReason { card: self.card_ref(card), reason: reason() })
            }
            Step::Bind { card, member } => Command::BindMember(BindMember {
                card: self.card_ref(card),
                member: format!("m{member}"),
                pin: self.pin(),
            }),
            Step::Inquire { card } => {
                Command::Inquire(Inquire { card: self.card_ref(card), pin: self.pin() })
            }
            ref other => unreachable!("{other:?} is not made here"),
        }
    }

    fn is_plain(&self) -> bool {
        self.island.is_modelled
    }

    fn card_ref(&mut self, card: u8) -> CardRef {
        if self.random.chance(10) {
            // Somebody else's: it does not exist for this client.
            let foreign = if self.is_plain() { &ISLANDS[1] } else { &ISLANDS[0] };
            return CardRef::Id(foreign.card(card));
        }
        let id = self.island.card(card);
        if self.random.chance(200) { CardRef::Number(vec![world::index_of(id)]) } else { CardRef::Id(id) }
    }

    fn all(&mut self, from: u8, to: u8) -> MoveAll {
        MoveAll { from: self.card_ref(from), to: self.card_ref(to), pin: self.pin() }
    }

    fn load(&mut self, card: u8, minor: i64, bonus: i64) -> Command {
        let sources = [LotSource::Paid, LotSource::Paid, LotSource::EmployerFunded];
        let source = if self.is_plain() { LotSource::Paid } else { self.random.pick(&sources) };
        Command::Load(Load {
            card: self.card_ref(card),
            amount: amount(minor),
            currency: Currency::CNY,
            source,
            expires_at: if self.is_plain() { None } else { self.moment() },
            bonus: self.bonus(bonus),
            place: self.place(),
            funding: None,
        })
    }

    fn moment(&mut self) -> Option<Timestamp> {
        let seconds = self.random.pick(&[3_600, 90_000, 10 * 86_400]);
        self.random.chance(500).then(|| self.now.plus_seconds(seconds))
    }

    fn bonus(&mut self, minor: i64) -> Option<Bonus> {
        let expires_at = if self.is_plain() { None } else { self.moment() };
        (minor > 0).then(|| Bonus { amount: amount(minor), expires_at })
    }

    fn payment(&mut self, card: u8, minor: i64, partial: bool) -> Payment {
        Payment {
            card: self.card_ref(card),
            amount: amount(minor),
            currency: Currency::CNY,
            place: self.place(),
            pin: self.pin(),
            partial,
        }
    }

    fn place(&mut self) -> Place {
        let island = self.island;
        if self.is_plain() {
            return Place { merchant: Some(island.merchants[0]), ..Place::default() };
        }
        let at = usize::from(self.random.chance(200));
        let (store, terminal) = (Some(island.stores[at]), Some(island.terminals[at]));
        match self.random.below(3) {
            0 => Place { merchant: Some(island.merchants[at]), ..Place::default() },
            _ => Place { merchant: Some(island.merchants[at]), store, terminal, channel: None },
        }
    }

    fn pin(&mut self) -> Option<PinAttempt> {
        if self.is_plain() {
            return None;
        }
        match self.random.below(10) {
            0 => Some(PinAttempt("000000".into())),
            1..=3 => None,
            _ => Some(PinAttempt(world::PIN.into())),
        }
    }

    fn operation(&mut self, of: usize) -> OperationId {
        self.known.operations.get(&of).copied().unwrap_or(OperationId::new(1))
    }

    fn hold(&mut self, of: usize) -> HoldId {
        HoldId::new(self.operation(of).get())
    }
}

/// The terminal that a command comes from, so that it can carry a trace number.
pub(crate) fn has_terminal(command: &Command) -> bool {
    let place = match command {
        Command::Activate(c) => c.place,
        Command::Load(c) => c.place,
        Command::Redeem(c) => c.place,
        Command::Hold(c) => c.payment.place,
        Command::UnlinkedRefund(c) => c.place,
        _ => return false,
    };
    place.terminal.is_some()
}

/// Whether all that a command names is of this issuer and known.
pub(crate) fn names_known(step: &Step, command: &Command, known: &Knowledge, island: &Island) -> bool {
    let own = |card: &CardRef| match card {
        CardRef::Id(id) | CardRef::Held { card: id, .. } => Island::issuer_of(*id) == island.issuer,
        CardRef::Number(_) => true,
    };
    let cards = match command {
        Command::Activate(c) => own(&c.card),
        Command::Load(c) => own(&c.card),
        Command::Redeem(c) => own(&c.card),
        Command::Hold(c) => own(&c.payment.card),
        Command::UnlinkedRefund(c) => own(&c.card),
        Command::Adjust(c) => own(&c.card),
        Command::Freeze(c) | Command::Close(c) => own(&c.card),
        Command::Unfreeze(card) | Command::ReportLost(card) => own(card),
        Command::Replace(c) | Command::Merge(c) => own(&c.from) && own(&c.to),
        Command::Transfer(c) => own(&c.from) && own(&c.to),
        Command::Reactivate(c) => own(&c.card),
        Command::CashOut(c) => own(&c.card),
        Command::HolderRefund(c) => own(&c.card),
        Command::Exchange(c) => own(&c.from) && own(&c.to),
        Command::BindMember(c) => own(&c.card),
        Command::Inquire(c) => own(&c.card),
        _ => true,
    };
    cards
        && match step {
            Step::Capture { of, .. } | Step::Release { of, .. } | Step::Refund { of, .. } => {
                known.operations.contains_key(of)
            }
            _ => true,
        }
}
