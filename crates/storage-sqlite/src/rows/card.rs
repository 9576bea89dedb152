//! Cards.

use domain::{
    BatchId, BusinessDate, Card, CardId, CardState, IssuerId, OperationId, ProgramId, Timestamp,
    card::{CloseReason, DayCounters, PinDigest, PinState, StateCode},
};
use rusqlite::{Row, Statement};
use storage::{NewCard, Result};

use crate::{
    error::{IntoStorage, corrupt},
    fields::{Binder, Fields},
    lots,
};

/// What [`read`] reads, in its order.
macro_rules! columns {
    () => {
        "id, issuer_id, program_id, batch_id, last4, state, state_reason, successor_id, face_value, lots, \
         held, day, day_count, day_amount, pin_key_id, pin_digest, pin_failures, pin_lifetime_failures, \
         member, activated_at, expires_at, last_operation_id, created_at"
    };
}

pub(crate) const BY_ID: &str = concat!("SELECT ", columns!(), " FROM card WHERE id = ?1");
pub(crate) const BY_NUMBER: &str = concat!("SELECT ", columns!(), " FROM card WHERE number_index = ?1");
/// Walks the index by expiry; states 2 and 3 are active and frozen.
pub(crate) const EXPIRING: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM card INDEXED BY card_by_expiry WHERE expires_at IS NOT NULL AND state IN (2, 3) \
     AND (expires_at, id) > (?1, ?2) AND expires_at <= ?3 AND issuer_id = ?4 AND posted > 0 \
     ORDER BY expires_at, id LIMIT ?5"
);
/// For checking: every card in order, with the sum that is stored beside its lots.
pub(crate) const ALL_WITH_POSTED: &str = concat!("SELECT ", columns!(), ", posted FROM card ORDER BY id");

/// Writes what a sale changes. It leaves every indexed column alone, so that no index is touched.
pub(crate) const UPDATE_USE: &str = "UPDATE card SET lots = ?1, held = ?2, day = ?3, day_count = ?4, \
     day_amount = ?5, pin_failures = ?6, pin_lifetime_failures = ?7, last_operation_id = ?8, posted = ?9 \
     WHERE id = ?10";

/// Writes everything that can change.
pub(crate) const UPDATE_ALL: &str = "UPDATE card SET lots = ?1, held = ?2, day = ?3, day_count = ?4, \
     day_amount = ?5, pin_failures = ?6, pin_lifetime_failures = ?7, last_operation_id = ?8, posted = ?9, \
     state = ?10, state_reason = ?11, successor_id = ?12, pin_key_id = ?13, pin_digest = ?14, member = ?15, \
     activated_at = ?16, expires_at = ?17, next_lot_expiry = ?18 WHERE id = ?19";

/// A taken number is not an error of the statement: the caller reports all of them at once.
pub(crate) const INSERT: &str = concat!(
    "INSERT INTO card (",
    columns!(),
    ", posted, next_lot_expiry, number_key_id, number_index) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, \
     ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27) \
     ON CONFLICT (number_index) DO NOTHING"
);

/// Reads a card.
pub(crate) fn read(row: &Row<'_>) -> Result<Card> {
    let mut fields = Fields::new(row);
    let (id, issuer, program) = (fields.int()?, fields.int()?, fields.int()?);
    let batch = fields.opt_int()?.map(BatchId::new);
    let last4 = fields.narrow()?;
    let code = fields.coded(StateCode::from_number)?;
    let (reason, successor) = (fields.opt_text()?, fields.opt_int()?);
    let state = state(code, reason, successor)?;
    let face_value = fields.opt_amount()?;
    let lots = lots::decode(fields.text()?)?;
    let held = fields.amount()?;
    let date = BusinessDate::from_stored(fields.narrow()?);
    let day = DayCounters { date, count: fields.narrow()?, amount: fields.amount()? };
    let pin = pin(&mut fields)?;
    Ok(Card {
        id: CardId::new(id),
        issuer: IssuerId::new(issuer),
        program: ProgramId::new(program),
        batch,
        last4,
        state,
        face_value,
        lots,
        held,
        day,
        pin,
        member: fields.opt_text()?.map(str::to_owned),
        activated_at: fields.opt_time()?,
        expires_at: fields.opt_time()?,
        last_operation: fields.opt_int()?.map(OperationId::new),
        created_at: fields.time()?,
    })
}

fn pin(fields: &mut Fields<'_, '_>) -> Result<PinState> {
    let key_id: Option<u8> = fields.opt_narrow()?;
    let digest = match (key_id, fields.opt_blob()?.map(<[u8; 16]>::try_from)) {
        (Some(key_id), Some(Ok(bytes))) => Some(PinDigest { key_id, bytes }),
        (None, None) => None,
        _ => return Err(corrupt("the PIN digest of a card is damaged")),
    };
    Ok(PinState { digest, failures: fields.narrow()?, lifetime_failures: fields.narrow()? })
}

const REPLACED: &str = "replaced";
const MERGED: &str = "merged";
const CASHED_OUT: &str = "cashed_out";
const REFUNDED: &str = "refunded";
const DESTROYED: &str = "destroyed";

fn state(code: StateCode, reason: Option<&str>, successor: Option<i64>) -> Result<CardState> {
    let successor = successor.map(CardId::new);
    Ok(match (code, reason, successor) {
        (StateCode::Stocked, None, None) => CardState::Stocked,
        (StateCode::Active, None, None) => CardState::Active,
        (StateCode::Frozen, Some(reason), None) => CardState::Frozen { reason: reason.to_owned() },
        (StateCode::Lost, None, None) => CardState::Lost,
        (StateCode::Expired, None, None) => CardState::Expired,
        (StateCode::Closed, Some(reason), successor) => {
            let reason = match (reason, successor) {
                (REPLACED, Some(card)) => CloseReason::Replaced(card),
                (MERGED, Some(card)) => CloseReason::Merged(card),
                (CASHED_OUT, None) => CloseReason::CashedOut,
                (REFUNDED, None) => CloseReason::Refunded,
                (DESTROYED, None) => CloseReason::Destroyed,
                _ => return Err(corrupt("the reason why a card was closed is damaged")),
            };
            CardState::Closed { reason }
        }
        _ => return Err(corrupt("the state of a card is damaged")),
    })
}

fn state_reason(state: &CardState) -> Option<&str> {
    match state {
        CardState::Frozen { reason } => Some(reason),
        CardState::Closed { reason } => Some(match reason {
            CloseReason::Replaced(_) => REPLACED,
            CloseReason::Merged(_) => MERGED,
            CloseReason::CashedOut => CASHED_OUT,
            CloseReason::Refunded => REFUNDED,
            CloseReason::Destroyed => DESTROYED,
        }),
        _ => None,
    }
}

/// The earliest own expiry of a lot that still holds value.
pub(crate) fn next_lot_expiry(card: &Card) -> Option<Timestamp> {
    card.lots.iter().filter(|lot| !lot.remaining.is_zero()).filter_map(|lot| lot.expires_at).min()
}

/// The columns that a sale leaves alone, as they were read.
#[derive(PartialEq)]
pub(crate) struct Settled {
    state: CardState,
    digest: Option<PinDigest>,
    member: Option<String>,
    activated_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    next_lot_expiry: Option<Timestamp>,
}

impl Settled {
    pub(crate) fn of(card: &Card) -> Self {
        Self {
            state: card.state.clone(),
            digest: card.pin.digest,
            member: card.member.clone(),
            activated_at: card.activated_at,
            expires_at: card.expires_at,
            next_lot_expiry: next_lot_expiry(card),
        }
    }

    /// Whether they are still the same.
    pub(crate) fn holds_for(&self, card: &Card) -> bool {
        self.state == card.state
            && self.digest == card.pin.digest
            && self.member == card.member
            && self.activated_at == card.activated_at
            && self.expires_at == card.expires_at
            && self.next_lot_expiry == next_lot_expiry(card)
    }
}

fn put_use(binder: &mut Binder<'_, '_>, card: &Card, text: &mut String) -> Result<()> {
    text.clear();
    lots::encode(&card.lots, text);
    binder.put(text.as_str())?.put(card.held.get())?;
    binder.put(card.day.date.get())?.put(card.day.count)?.put(card.day.amount.get())?;
    binder.put(card.pin.failures)?.put(card.pin.lifetime_failures)?;
    binder.put(card.last_operation.map(OperationId::get))?.put(card.posted().get())?;
    Ok(())
}

/// Runs [`UPDATE_USE`]. `text` is a buffer.
pub(crate) fn update_use(statement: &mut Statement<'_>, card: &Card, text: &mut String) -> Result<usize> {
    let mut binder = Binder::new(statement);
    put_use(&mut binder, card, text)?;
    binder.put(card.id.get())?.run().stored()
}

/// Runs [`UPDATE_ALL`].
pub(crate) fn update_all(statement: &mut Statement<'_>, card: &Card, text: &mut String) -> Result<usize> {
    let mut binder = Binder::new(statement);
    put_use(&mut binder, card, text)?;
    binder.put(card.state.code().number())?.put(state_reason(&card.state))?;
    binder.put(card.state.successor().map(CardId::get))?;
    binder
        .put(card.pin.digest.map(|pin| pin.key_id))?
        .put(card.pin.digest.as_ref().map(|pin| &pin.bytes[..]))?;
    binder.put(card.member.as_deref())?;
    binder.put(card.activated_at.map(Timestamp::micros))?.put(card.expires_at.map(Timestamp::micros))?;
    binder.put(next_lot_expiry(card).map(Timestamp::micros))?;
    binder.put(card.id.get())?.run().stored()
}

/// Runs [`INSERT`]. `false` if the number is taken.
pub(crate) fn insert(statement: &mut Statement<'_>, new: &NewCard, text: &mut String) -> Result<bool> {
    let card = &new.card;
    text.clear();
    lots::encode(&card.lots, text);
    let mut binder = Binder::new(statement);
    binder.put(card.id.get())?.put(card.issuer.get())?.put(card.program.get())?;
    binder.put(card.batch.map(BatchId::get))?.put(card.last4)?;
    binder.put(card.state.code().number())?.put(state_reason(&card.state))?;
    binder.put(card.state.successor().map(CardId::get))?.put(card.face_value.map(i64::from))?;
    binder.put(text.as_str())?.put(card.held.get())?;
    binder.put(card.day.date.get())?.put(card.day.count)?.put(card.day.amount.get())?;
    binder
        .put(card.pin.digest.map(|pin| pin.key_id))?
        .put(card.pin.digest.as_ref().map(|pin| &pin.bytes[..]))?;
    binder.put(card.pin.failures)?.put(card.pin.lifetime_failures)?.put(card.member.as_deref())?;
    binder.put(card.activated_at.map(Timestamp::micros))?.put(card.expires_at.map(Timestamp::micros))?;
    binder.put(card.last_operation.map(OperationId::get))?.put(card.created_at.micros())?;
    binder.put(card.posted().get())?.put(next_lot_expiry(card).map(Timestamp::micros))?;
    binder.put(new.index_key_id)?.put(&new.index.0[..])?;
    Ok(binder.run().unique("card")? == 1)
}
