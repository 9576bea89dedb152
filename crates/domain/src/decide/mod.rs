//! Deciding: a pure function from loaded state and a request to what shall be written.
//!
//! Every command has a file of its own. All of them work on a [`Draft`], which holds the working copies
//! of the cards, collects transfers, and is turned into the operation at the end. Checks run in a fixed
//! order: what does not exist or contradicts the catalog is refused first (nothing is stored), then the
//! declines in the order of their enum.

mod activate;
mod adjust;
mod draft;
mod exchange;
mod expire;
mod guard;
mod hold;
mod holder_refund;
mod load;
mod moves;
mod place;
mod policy;
mod post;
mod redeem;
mod refund;
mod reverse;
mod status;

use std::sync::Arc;

use crate::{
    Card, CardId, Catalog, Command, Decline, Hold, Operation, OperationId, Refusal, Request, Timestamp,
    Transfer,
    card::PinDigest,
    command::PinAttempt,
    operation::Compensation,
    working::{KeyState, Tombstone, Working},
};

use draft::Draft;

/// Checks that need keys, which the domain never sees.
pub trait Secrets {
    /// Whether a typed PIN matches a card's digest.
    fn pin_matches(&self, card: CardId, digest: &PinDigest, attempt: &PinAttempt) -> bool;
    /// The fingerprint of canonical bytes under an older key; `None` if that key is gone.
    fn fingerprint(&self, key_id: u8, canonical: &[u8]) -> Option<[u8; 16]>;
}

/// What a decision takes from outside.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The catalog.
    pub catalog: &'a Catalog,
    /// The time.
    pub now: Timestamp,
    /// The id that the operation will have.
    pub id: OperationId,
    /// Checks that need keys.
    pub secrets: &'a dyn Secrets,
}

/// What shall be written.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The operation.
    pub operation: Operation,
    /// Its transfers.
    pub transfers: Vec<Transfer>,
    /// The cards it changes.
    pub cards: Vec<Card>,
    /// The hold it makes or changes.
    pub hold: Option<Hold>,
    /// What has now been given back of earlier operations.
    pub compensations: Vec<(OperationId, Compensation)>,
    /// The tombstone of a reversal that came before its original.
    pub tombstone: Option<Tombstone>,
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// A new operation, approved or declined.
    Decided(Box<Decision>),
    /// Decided before; the same answer again.
    Replayed(Arc<Operation>),
}

/// Why a command stopped half-way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop {
    Decline(Decline),
    Refuse(Refusal),
    Replay,
}

impl From<Decline> for Stop {
    fn from(decline: Decline) -> Self {
        Self::Decline(decline)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

pub(crate) type Step<T = ()> = Result<T, Stop>;

/// Decides one request on loaded state.
pub fn decide(request: &Request, working: &Working, context: &Context<'_>) -> Result<Verdict, Refusal> {
    let tombstone = match earlier(request, working, context)? {
        Earlier::Same(operation) => return Ok(Verdict::Replayed(operation)),
        Earlier::Reversed(reversal) => Some(reversal),
        Earlier::Nothing => None,
    };
    let mut draft = Draft::new(request, working, context, tombstone)?;
    let step = draft.check_trace().and_then(|()| command(&mut draft, &request.command));
    match step {
        Ok(()) => draft.approve().map(Box::new).map(Verdict::Decided),
        Err(Stop::Decline(decline)) => Ok(Verdict::Decided(Box::new(draft.decline(decline)))),
        Err(Stop::Refuse(refusal)) => Err(refusal),
        Err(Stop::Replay) => draft.take_replay().map(Verdict::Replayed),
    }
}

/// What happened under a request's key before it.
enum Earlier {
    Nothing,
    /// The same request.
    Same(Arc<Operation>),
    /// A reversal, by this operation, of what had not arrived yet.
    Reversed(OperationId),
}

fn earlier(request: &Request, working: &Working, context: &Context<'_>) -> Result<Earlier, Refusal> {
    let key = (request.actor.client, request.key.clone());
    match working.keys.get(&key) {
        Some(KeyState::Taken(operation)) if same_intent(request, operation, context) => {
            Ok(Earlier::Same(Arc::clone(operation)))
        }
        Some(KeyState::Taken(_)) => Err(Refusal::IdempotencyConflict),
        Some(KeyState::Tombstone(reversal)) => Ok(Earlier::Reversed(*reversal)),
        Some(KeyState::Free) => Ok(Earlier::Nothing),
        None => Err(Refusal::Inconsistent),
    }
}

pub(crate) fn same_intent(request: &Request, operation: &Operation, context: &Context<'_>) -> bool {
    let stored = operation.fingerprint;
    if stored.key_id == request.fingerprint.key_id {
        return stored.bytes == request.fingerprint.bytes;
    }
    context.secrets.fingerprint(stored.key_id, &request.canonical.0) == Some(stored.bytes)
}

fn command(draft: &mut Draft<'_>, command: &Command) -> Step {
    match command {
        Command::Activate(c) => activate::decide(draft, c),
        Command::Load(c) => load::decide(draft, c),
        Command::Redeem(c) => redeem::decide(draft, c),
        Command::Hold(c) => hold::decide_hold(draft, c),
        Command::Capture(c) => hold::decide_capture(draft, c),
        Command::Release(c) => hold::decide_release(draft, c),
        Command::Reverse(c) => reverse::decide(draft, c),
        Command::Refund(c) => refund::decide(draft, c),
        Command::UnlinkedRefund(c) => refund::decide_unlinked(draft, c),
        Command::Adjust(c) => adjust::decide(draft, c),
        Command::Freeze(c) => status::decide_freeze(draft, c),
        Command::Unfreeze(card) => status::decide_unfreeze(draft, card),
        Command::ReportLost(card) => status::decide_report_lost(draft, card),
        Command::Replace(c) => moves::decide_replace(draft, c),
        Command::Transfer(c) => moves::decide_transfer(draft, c),
        Command::Merge(c) => moves::decide_merge(draft, c),
        Command::Expire(card) => expire::decide(draft, *card),
        Command::Reactivate(c) => expire::decide_reactivate(draft, c),
        Command::CashOut(c) => moves::decide_cash_out(draft, c),
        Command::Close(c) => status::decide_close(draft, c),
        Command::BindMember(c) => status::decide_bind_member(draft, c),
        Command::Inquire(c) => status::decide_inquire(draft, c),
        Command::Post(posting) => post::decide(draft, posting),
        Command::HolderRefund(c) => holder_refund::decide(draft, c),
        Command::Exchange(c) => exchange::decide(draft, c),
    }
}
