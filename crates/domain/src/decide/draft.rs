//! The working copy that a command changes: cards, transfers and the fields of the coming operation.

use std::sync::Arc;

use super::{Context, Decision, Step, Stop, place::Located, same_intent};
use crate::{
    Account, Amount, BusinessDate, Card, CardId, Command, Currency, Decline, Hold, LotNo, MerchantId,
    Operation, OperationId, OperationKind, Program, Refusal, Request, Timestamp, Transfer,
    card::PinState,
    catalog::Issuer,
    command::CardRef,
    operation::{CardAfter, Compensation, Detail, Recorded, Status},
    plan,
    program::Status as CatalogStatus,
    working::{Tombstone, Working},
};

/// One side of a transfer: an account, with the lot where it is a card's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side {
    pub(crate) account: Account,
    pub(crate) lot: Option<LotNo>,
}

impl From<Account> for Side {
    fn from(account: Account) -> Self {
        Self { account, lot: None }
    }
}

/// The lot of a card as one side of a transfer.
pub(crate) fn card_lot(card: CardId, lot: LotNo) -> Side {
    Side { account: Account::Card(card), lot: Some(lot) }
}

/// The working copy.
pub(crate) struct Draft<'a> {
    pub(crate) request: &'a Request,
    pub(crate) working: &'a Working,
    pub(crate) context: &'a Context<'a>,
    pub(crate) issuer: &'a Issuer,
    pub(crate) date: BusinessDate,
    pub(crate) program: Option<&'a Program>,
    pub(crate) card: Option<Card>,
    pub(crate) counterpart: Option<Card>,
    pub(crate) located: Located,
    pub(crate) currency: Option<Currency>,
    pub(crate) requested: Amount,
    pub(crate) approved: Amount,
    pub(crate) original: Option<OperationId>,
    pub(crate) hold: Option<Hold>,
    /// The reversal that came before this request.
    tombstone_of: Option<OperationId>,
    pub(crate) detail: Detail,
    pub(crate) compensations: Vec<(OperationId, Compensation)>,
    pub(crate) tombstone: Option<Tombstone>,
    /// The PIN counters after this attempt: they stay even if the request is declined.
    pub(crate) pin_after: Option<PinState>,
    transfers: Vec<Transfer>,
    replay: Option<Arc<Operation>>,
    keep_trace: bool,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(
        request: &'a Request,
        working: &'a Working,
        context: &'a Context<'a>,
        tombstone_of: Option<OperationId>,
    ) -> Result<Self, Refusal> {
        let issuer = context.catalog.issuers.get(&request.actor.issuer).ok_or(Refusal::IssuerClosed)?;
        if issuer.status == CatalogStatus::Closed {
            return Err(Refusal::IssuerClosed);
        }
        Ok(Self {
            request,
            working,
            context,
            issuer,
            date: BusinessDate::of(context.now, &issuer.zone),
            program: None,
            card: None,
            counterpart: None,
            located: Located { merchant: request.actor.merchant, ..Located::default() },
            currency: None,
            requested: Amount::ZERO,
            approved: Amount::ZERO,
            original: None,
            hold: None,
            tombstone_of,
            detail: Detail::default(),
            compensations: Vec::new(),
            tombstone: None,
            pin_after: None,
            transfers: Vec::new(),
            replay: None,
            keep_trace: true,
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.context.now
    }

    /// The working copy of the card. Commands call this after [`Draft::open`].
    pub(crate) fn card(&mut self) -> Step<&mut Card> {
        self.card.as_mut().ok_or(Stop::Refuse(Refusal::Inconsistent))
    }

    pub(crate) fn card_ref(&self) -> Step<&Card> {
        self.card.as_ref().ok_or(Stop::Refuse(Refusal::Inconsistent))
    }

    pub(crate) fn counterpart(&mut self) -> Step<&mut Card> {
        self.counterpart.as_mut().ok_or(Stop::Refuse(Refusal::Inconsistent))
    }

    /// The rules of the card's program.
    pub(crate) fn program(&self) -> Step<&'a Program> {
        self.program.ok_or(Stop::Refuse(Refusal::Inconsistent))
    }

    /// Takes the card that a request names as the draft's card.
    pub(crate) fn open(&mut self, card: &CardRef) -> Step {
        let card = self.find(card).ok_or(Refusal::CardUnknown)?.clone();
        self.open_card(card)
    }

    /// Takes a loaded card as the draft's card.
    pub(crate) fn open_id(&mut self, id: CardId) -> Step {
        let card = self.loaded(id).ok_or(Refusal::CardUnknown)?.clone();
        self.open_card(card)
    }

    fn open_card(&mut self, card: Card) -> Step {
        let program = self.context.catalog.programs.get(&card.program).ok_or(Refusal::Inconsistent)?;
        self.program = Some(program);
        self.currency = Some(program.currency);
        self.card = Some(card);
        Ok(())
    }

    /// Takes the second card that a request names.
    pub(crate) fn open_counterpart(&mut self, card: &CardRef) -> Step {
        let other = self.find(card).ok_or(Refusal::CounterpartUnknown)?.clone();
        if self.card_ref()?.id == other.id {
            return Err(Refusal::SameCard.into());
        }
        self.counterpart = Some(other);
        Ok(())
    }

    fn find(&self, card: &CardRef) -> Option<&'a Card> {
        match card {
            CardRef::Id(id) => self.loaded(*id),
            CardRef::Number(indexes) => {
                let id = self.working.numbers.get(indexes.first()?).copied().flatten()?;
                self.loaded(id)
            }
            // Bound to somebody else meanwhile, it is not theirs, and what is not theirs is not there.
            CardRef::Held { card, member } => {
                self.loaded(*card).filter(|card| card.member.as_ref() == Some(member))
            }
        }
    }

    /// A card of the actor's issuer.
    pub(crate) fn loaded(&self, id: CardId) -> Option<&'a Card> {
        let card = self.working.cards.get(&id)?.as_ref()?;
        (card.issuer == self.request.actor.issuer).then_some(card)
    }

    /// An operation of the actor's issuer, and of its merchant if it is bound to one.
    pub(crate) fn recorded(&self, id: OperationId) -> Option<&'a Recorded> {
        let recorded = self.working.operations.get(&id)?.as_ref()?;
        let operation = &recorded.operation;
        let own_issuer = operation.issuer == self.request.actor.issuer;
        let own_merchant = self.may_act_for(operation.merchant);
        (own_issuer && own_merchant).then_some(recorded)
    }

    /// Whether the actor may act for this merchant: any, unless it is bound to one.
    pub(crate) fn may_act_for(&self, merchant: Option<MerchantId>) -> bool {
        self.request.actor.merchant.is_none() || self.request.actor.merchant == merchant
    }

    /// Sets the amount asked for, in the currency of the card's program.
    pub(crate) fn ask(&mut self, amount: Amount, currency: Option<Currency>) -> Step {
        if currency.is_some_and(|c| Some(c) != self.currency) {
            return Err(Refusal::CurrencyMismatch.into());
        }
        self.requested = amount;
        Ok(())
    }

    /// Declines a request whose key was reversed before it arrived.
    pub(crate) fn check_tombstone(&self) -> Step {
        if self.tombstone_of.is_some() { Err(Decline::ReversedBeforeArrival.into()) } else { Ok(()) }
    }

    /// The same terminal, trace number and date: the same request is a replay, another is declined.
    pub(crate) fn check_trace(&mut self) -> Step {
        if self.request.trace.is_none() {
            return Ok(());
        }
        let Some(key) = plan::trace_key(self.request, self.context.catalog, self.now()) else {
            return Err(Refusal::TraceWithoutTerminal.into());
        };
        let earlier = self.working.traces.get(&key).ok_or(Refusal::Inconsistent)?;
        let Some(earlier) = earlier else { return Ok(()) };
        // Another client of the terminal has its own keys and requests: never a replay. A foreign issuer's
        // terminal is refused below.
        let own = earlier.client == self.request.actor.client;
        if own && same_intent(self.request, earlier, self.context) {
            self.replay = Some(Arc::clone(earlier));
            return Err(Stop::Replay);
        }
        self.keep_trace = false;
        self.detail.duplicate_trace = self.request.trace;
        Ok(())
    }

    /// Declines a request whose trace number another request used. Called once the card is open.
    pub(crate) fn check_duplicate_trace(&self) -> Step {
        if self.keep_trace { Ok(()) } else { Err(Decline::DuplicateTrace.into()) }
    }

    /// Answers with an earlier operation.
    pub(crate) fn replay(&mut self, operation: Arc<Operation>) -> Stop {
        self.replay = Some(operation);
        Stop::Replay
    }

    pub(crate) fn take_replay(self) -> Result<Arc<Operation>, Refusal> {
        self.replay.ok_or(Refusal::Inconsistent)
    }

    /// Writes a transfer. Nothing moves nothing.
    pub(crate) fn transfer(
        &mut self,
        debit: impl Into<Side>,
        credit: impl Into<Side>,
        amount: Amount,
    ) -> Step {
        if amount.is_zero() {
            return Ok(());
        }
        let (debit, credit) = (debit.into(), credit.into());
        let position = self.transfers.len().checked_add(1).and_then(|n| u16::try_from(n).ok());
        self.transfers.push(Transfer {
            operation: self.context.id,
            seq: position.ok_or(Refusal::Inconsistent)?,
            debit: debit.account,
            debit_lot: debit.lot,
            credit: credit.account,
            credit_lot: credit.lot,
            amount,
        });
        Ok(())
    }

    /// The decision if all went well.
    pub(crate) fn approve(mut self) -> Result<Decision, Refusal> {
        let id = self.context.id;
        let operation = self.operation(Status::Approved);
        let link = |card: Option<Card>| {
            card.map(|mut card| {
                card.last_operation = Some(id);
                card
            })
        };
        let cards: Vec<Card> =
            [link(self.card.take()), link(self.counterpart.take())].into_iter().flatten().collect();
        // The last wall before anything is written: held value is always covered.
        if cards.iter().any(|card| card.held > card.posted()) {
            return Err(Refusal::Inconsistent);
        }
        Ok(Decision {
            operation,
            transfers: self.transfers,
            cards,
            hold: self.hold,
            compensations: self.compensations,
            tombstone: self.tombstone,
        })
    }

    /// The decision if the card's rules turned the request down: nothing moves, but the operation is
    /// recorded, and a wrong PIN counts.
    pub(crate) fn decline(mut self, decline: Decline) -> Decision {
        self.approved = Amount::ZERO;
        if decline == Decline::ReversedBeforeArrival {
            self.original = self.tombstone_of;
        }
        let pin_after = self.pin_after;
        let restore = |card: Option<Card>| -> Option<Card> {
            let id = card?.id;
            self.working.cards.get(&id)?.clone()
        };
        let mut card = restore(self.card.take());
        if let (Some(card), Some(pin)) = (card.as_mut(), pin_after) {
            card.pin = pin;
        }
        let counterpart = restore(self.counterpart.take());
        self.card = card;
        self.counterpart = counterpart;
        self.detail.expires_at = None;
        self.detail.forfeited = None;
        self.detail.destination = None;
        self.detail.refund = None;
        let operation = self.operation(Status::Declined(decline));
        let id = self.context.id;
        let cards = [self.card.take(), self.counterpart.take()].into_iter().flatten();
        let cards = cards.map(|card| Card { last_operation: Some(id), ..card }).collect();
        Decision {
            operation,
            transfers: Vec::new(),
            cards,
            hold: None,
            compensations: Vec::new(),
            tombstone: None,
        }
    }

    fn operation(&mut self, status: Status) -> Operation {
        let now = self.now();
        let after = |card: &Card| CardAfter {
            id: card.id,
            last4: card.last4,
            state: card.state.code(),
            balance: card.posted(),
            held: card.held,
            available: card.available(now),
            previous: card.last_operation,
        };
        let terminal = self.located.terminal;
        Operation {
            id: self.context.id,
            issuer: self.issuer.id,
            client: self.request.actor.client,
            key: self.request.key.clone(),
            fingerprint: self.request.fingerprint,
            kind: kind(&self.request.command),
            status,
            program: self.program.map(|p| p.id),
            card: self.card.as_ref().map(after),
            counterpart: self.counterpart.as_ref().map(after),
            original: self.original,
            hold: self.hold.as_ref().map(|hold| hold.id),
            merchant: self.located.merchant,
            store: self.located.store,
            terminal,
            channel: self.located.channel,
            currency: self.currency,
            requested: self.requested,
            approved: self.approved,
            business_date: self.date,
            at: now,
            trace: self.request.trace.filter(|_| self.keep_trace && terminal.is_some()),
            reference: self.request.reference.clone(),
            metadata: self.request.metadata.clone(),
            detail: std::mem::take(&mut self.detail),
        }
    }
}

fn kind(command: &Command) -> OperationKind {
    match command {
        Command::Activate(_) => OperationKind::Activation,
        Command::Load(_) => OperationKind::Load,
        Command::Redeem(_) => OperationKind::Redemption,
        Command::Hold(_) => OperationKind::Hold,
        Command::Capture(_) => OperationKind::Capture,
        Command::Release(_) => OperationKind::Release,
        Command::Reverse(_) => OperationKind::Reversal,
        Command::Refund(_) => OperationKind::Refund,
        Command::UnlinkedRefund(_) => OperationKind::UnlinkedRefund,
        Command::Adjust(_) => OperationKind::Adjustment,
        Command::Freeze(_) => OperationKind::Freeze,
        Command::Unfreeze(_) => OperationKind::Unfreeze,
        Command::ReportLost(_) => OperationKind::LossReport,
        Command::Replace(_) => OperationKind::Replacement,
        Command::Transfer(_) => OperationKind::Transfer,
        Command::Merge(_) => OperationKind::Merge,
        Command::Expire(_) => OperationKind::Expiry,
        Command::Reactivate(_) => OperationKind::Reactivation,
        Command::CashOut(_) => OperationKind::CashOut,
        Command::Close(_) => OperationKind::Closure,
        Command::BindMember(_) => OperationKind::MemberBinding,
        Command::Inquire(_) => OperationKind::Inquiry,
        Command::Post(posting) => posting.kind.operation(),
        Command::HolderRefund(_) => OperationKind::HolderRefund,
        Command::Exchange(_) => OperationKind::Exchange,
    }
}
