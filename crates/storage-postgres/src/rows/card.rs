//! Cards.

use domain::{
    BatchId, BusinessDate, Card, CardId, CardState, IssuerId, OperationId, ProgramId, Timestamp,
    card::{CloseReason, DayCounters, PinDigest, PinState, StateCode},
    command::NumberIndex,
};
use storage::{NewCard, Result};
use tokio_postgres::Row;

use super::arrays::arrays;
use crate::{error::corrupt, fields::Fields, lots};

/// What [`read`] reads, in its order.
macro_rules! columns {
    () => {
        "card.id, card.issuer_id, card.program_id, card.batch_id, card.last4, card.state, card.state_reason, \
         card.successor_id, card.face_value, card.lots, card.held, card.day, card.day_count, \
         card.day_amount, card.pin_key_id, card.pin_digest, card.pin_failures, card.pin_lifetime_failures, \
         card.member, card.activated_at, card.expires_at, card.last_operation_id, card.created_at"
    };
}

/// Walks the index by expiry; states 2 and 3 are active and frozen.
pub(crate) const EXPIRING: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM card WHERE expires_at IS NOT NULL AND state IN (2, 3) AND expires_at >= $1 \
     AND (expires_at, id) > ($1, $2) AND expires_at <= $3 AND issuer_id = $4 AND posted > 0 \
     ORDER BY expires_at, id LIMIT $5"
);
pub(crate) const BY_ID: &str = concat!("SELECT ", columns!(), " FROM card WHERE id = $1");
/// The first of the numbers that exists.
pub(crate) const BY_NUMBERS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM card WHERE number_index = ANY ($1) ORDER BY array_position($1, number_index) LIMIT 1"
);
/// For checking: every card in order, with the sum that is stored beside its lots.
pub(crate) const ALL_WITH_POSTED: &str = concat!("SELECT ", columns!(), ", posted FROM card ORDER BY id");

// Locks are taken in the order of ids, so that no two batches wait for each other. After each card comes
// the index of its number, by which it was asked for.

/// By id.
pub(crate) const LOCK_BY_ID: &str = concat!(
    "SELECT ",
    columns!(),
    ", card.number_index FROM card WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE"
);
/// By number.
pub(crate) const LOCK_BY_NUMBER: &str = concat!(
    "SELECT ",
    columns!(),
    ", card.number_index FROM card WHERE number_index = ANY ($1::bytea[]) ORDER BY id FOR UPDATE"
);
/// By id, by number, and the cards of operations and of holds: their rows may only be believed once their
/// card is locked, because whoever changes what is known of them holds that lock.
pub(crate) const LOCK_ALL: &str = concat!(
    "WITH wanted (id) AS MATERIALIZED ( \
         SELECT unnest($1::bigint[]) \
         UNION SELECT c.id FROM card c WHERE c.number_index = ANY ($2::bytea[]) \
         UNION SELECT o.card_id FROM operation o WHERE o.id = ANY ($3::bigint[]) \
         UNION SELECT o.counterpart_id FROM operation o \
             WHERE o.id = ANY ($3::bigint[]) AND o.counterpart_id IS NOT NULL \
         UNION SELECT h.card_id FROM hold h WHERE h.id = ANY ($4::bigint[])) \
     SELECT ",
    columns!(),
    ", card.number_index FROM wanted JOIN card ON card.id = wanted.id ORDER BY card.id FOR UPDATE OF card"
);

arrays! {
    /// What a sale changes. It leaves every indexed column alone, so that no index is touched.
    Used<'a> {
        id: i64 => "bigint",
        lots: String => "text",
        held: i64 => "bigint",
        day: i32 => "integer",
        day_count: i64 => "bigint",
        day_amount: i64 => "bigint",
        pin_failures: i32 => "integer",
        pin_lifetime_failures: i64 => "bigint",
        last_operation_id: Option<i64> => "bigint",
        posted: i64 => "bigint",
    }
}

arrays! {
    /// Everything that can change.
    Changed<'a> {
        id: i64 => "bigint",
        lots: String => "text",
        held: i64 => "bigint",
        day: i32 => "integer",
        day_count: i64 => "bigint",
        day_amount: i64 => "bigint",
        pin_failures: i32 => "integer",
        pin_lifetime_failures: i64 => "bigint",
        last_operation_id: Option<i64> => "bigint",
        posted: i64 => "bigint",
        state: i16 => "smallint",
        state_reason: Option<&'a str> => "text",
        successor_id: Option<i64> => "bigint",
        pin_key_id: Option<i16> => "smallint",
        pin_digest: Option<&'a [u8]> => "bytea",
        member: Option<&'a str> => "text",
        activated_at: Option<i64> => "bigint",
        expires_at: Option<i64> => "bigint",
        next_lot_expiry: Option<i64> => "bigint",
    }
}

arrays! {
    /// New cards.
    Made<'a> {
        id: i64 => "bigint",
        issuer_id: i64 => "bigint",
        program_id: i64 => "bigint",
        batch_id: Option<i64> => "bigint",
        last4: i16 => "smallint",
        state: i16 => "smallint",
        state_reason: Option<&'a str> => "text",
        successor_id: Option<i64> => "bigint",
        face_value: Option<i64> => "bigint",
        lots: String => "text",
        held: i64 => "bigint",
        day: i32 => "integer",
        day_count: i64 => "bigint",
        day_amount: i64 => "bigint",
        pin_key_id: Option<i16> => "smallint",
        pin_digest: Option<&'a [u8]> => "bytea",
        pin_failures: i32 => "integer",
        pin_lifetime_failures: i64 => "bigint",
        member: Option<&'a str> => "text",
        activated_at: Option<i64> => "bigint",
        expires_at: Option<i64> => "bigint",
        last_operation_id: Option<i64> => "bigint",
        created_at: i64 => "bigint",
        posted: i64 => "bigint",
        next_lot_expiry: Option<i64> => "bigint",
        number_key_id: i16 => "smallint",
        number_index: &'a [u8] => "bytea",
    }
}

fn lots_of(card: &Card) -> String {
    let mut text = String::with_capacity(48 * card.lots.len() + 2);
    lots::encode(&card.lots, &mut text);
    text
}

fn small(number: i64) -> i16 {
    // States and key ids; a value that does not fit is refused by the table's CHECK.
    i16::try_from(number).unwrap_or(-1)
}

impl<'a> Used<'a> {
    pub(crate) fn push(&mut self, card: &'a Card) {
        self.id.push(card.id.get());
        self.lots.push(lots_of(card));
        self.held.push(card.held.get());
        self.day.push(card.day.date.get());
        self.day_count.push(card.day.count.into());
        self.day_amount.push(card.day.amount.get());
        self.pin_failures.push(card.pin.failures.into());
        self.pin_lifetime_failures.push(card.pin.lifetime_failures.into());
        self.last_operation_id.push(card.last_operation.map(OperationId::get));
        self.posted.push(card.posted().get());
    }
}

impl<'a> Changed<'a> {
    pub(crate) fn push(&mut self, card: &'a Card) {
        self.id.push(card.id.get());
        self.lots.push(lots_of(card));
        self.held.push(card.held.get());
        self.day.push(card.day.date.get());
        self.day_count.push(card.day.count.into());
        self.day_amount.push(card.day.amount.get());
        self.pin_failures.push(card.pin.failures.into());
        self.pin_lifetime_failures.push(card.pin.lifetime_failures.into());
        self.last_operation_id.push(card.last_operation.map(OperationId::get));
        self.posted.push(card.posted().get());
        self.state.push(small(card.state.code().number()));
        self.state_reason.push(state_reason(&card.state));
        self.successor_id.push(card.state.successor().map(CardId::get));
        self.pin_key_id.push(card.pin.digest.map(|pin| pin.key_id.into()));
        self.pin_digest.push(card.pin.digest.as_ref().map(|pin| &pin.bytes[..]));
        self.member.push(card.member.as_deref());
        self.activated_at.push(card.activated_at.map(Timestamp::micros));
        self.expires_at.push(card.expires_at.map(Timestamp::micros));
        self.next_lot_expiry.push(next_lot_expiry(card).map(Timestamp::micros));
    }
}

impl<'a> Made<'a> {
    pub(crate) fn push(&mut self, new: &'a NewCard) {
        let card = &new.card;
        self.id.push(card.id.get());
        self.issuer_id.push(card.issuer.get());
        self.program_id.push(card.program.get());
        self.batch_id.push(card.batch.map(BatchId::get));
        self.last4.push(small(card.last4.into()));
        self.state.push(small(card.state.code().number()));
        self.state_reason.push(state_reason(&card.state));
        self.successor_id.push(card.state.successor().map(CardId::get));
        self.face_value.push(card.face_value.map(i64::from));
        self.lots.push(lots_of(card));
        self.held.push(card.held.get());
        self.day.push(card.day.date.get());
        self.day_count.push(card.day.count.into());
        self.day_amount.push(card.day.amount.get());
        self.pin_key_id.push(card.pin.digest.map(|pin| pin.key_id.into()));
        self.pin_digest.push(card.pin.digest.as_ref().map(|pin| &pin.bytes[..]));
        self.pin_failures.push(card.pin.failures.into());
        self.pin_lifetime_failures.push(card.pin.lifetime_failures.into());
        self.member.push(card.member.as_deref());
        self.activated_at.push(card.activated_at.map(Timestamp::micros));
        self.expires_at.push(card.expires_at.map(Timestamp::micros));
        self.last_operation_id.push(card.last_operation.map(OperationId::get));
        self.created_at.push(card.created_at.micros());
        self.posted.push(card.posted().get());
        self.next_lot_expiry.push(next_lot_expiry(card).map(Timestamp::micros));
        self.number_key_id.push(new.index_key_id.into());
        self.number_index.push(&new.index.0[..]);
    }
}

/// Reads a card.
pub(crate) fn read(row: &Row) -> Result<Card> {
    read_fields(&mut Fields::new(row))
}

/// Reads a card, and by which number it was found.
pub(crate) fn read_with_number(row: &Row) -> Result<(Card, NumberIndex)> {
    let mut fields = Fields::new(row);
    Ok((read_fields(&mut fields)?, NumberIndex(fields.bytes()?)))
}

pub(crate) fn read_fields(fields: &mut Fields<'_>) -> Result<Card> {
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
    let pin = pin(fields)?;
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

fn pin(fields: &mut Fields<'_>) -> Result<PinState> {
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
