//! Operations.

use domain::{
    BusinessDate, CardId, Channel, ClientId, Currency, Decline, Fingerprint, HoldId, IdempotencyKey,
    IssuerId, MerchantId, Operation, OperationId, OperationKind, ProgramId, StoreId, TerminalId,
    card::StateCode,
    operation::{CardAfter, Detail, Status},
};
use rusqlite::{Row, Statement};
use storage::Result;

use super::detail;
use crate::{
    error::{IntoStorage, corrupt},
    fields::{Binder, Fields},
};

/// The columns that every sale has.
macro_rules! usual {
    () => {
        "id, issuer_id, client_id, key, key_text, fingerprint_key_id, fingerprint, kind, decline, program_id, \
         card_id, card_last4, card_state, card_balance, card_held, card_available, card_previous_id, \
         merchant_id, store_id, terminal_id, channel, currency, requested, approved, business_date, at, \
         trace, reference, metadata"
    };
}

/// The columns that few operations have.
macro_rules! rare {
    () => {
        "original_id, hold_id, counterpart_id, counterpart_last4, counterpart_state, counterpart_balance, \
         counterpart_held, counterpart_available, counterpart_previous_id, detail"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", usual!(), ", ", rare!(), " FROM operation ", $rest)
    };
}

pub(crate) const BY_ID: &str = select!("WHERE id = ?1");
pub(crate) const BY_KEY: &str = select!("WHERE client_id = ?1 AND key = ?2");
pub(crate) const BY_TRACE: &str =
    select!("WHERE terminal_id = ?1 AND business_date = ?2 AND trace = ?3 AND trace IS NOT NULL");
/// Newest first, from below `?1` down to `?2`, at most `?3`: what the filters let through, where an absent one is
/// null. Only those are read whole.
pub(crate) const DOWNWARD: &str = select!(
    "WHERE id < ?1 AND id >= ?2 AND issuer_id = ?4 AND (?5 IS NULL OR kind = ?5) \
     AND (?6 IS NULL OR (decline IS NULL) = ?6) AND (?7 IS NULL OR merchant_id = ?7) \
     AND (?8 IS NULL OR store_id = ?8) AND (?9 IS NULL OR terminal_id = ?9) AND (?10 IS NULL OR client_id = ?10) \
     AND (?11 IS NULL OR at >= ?11) AND (?12 IS NULL OR at < ?12) ORDER BY id DESC LIMIT ?3"
);
/// The id of the operation that is `?3` further down than the first one below `?1`, not below `?2`.
pub(crate) const FURTHER_DOWN: &str =
    "SELECT id FROM operation WHERE id < ?1 AND id >= ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3";

pub(crate) const INSERT_USUAL: &str = concat!(
    "INSERT INTO operation (",
    usual!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, \
     ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29)"
);
pub(crate) const INSERT_RARE: &str = concat!(
    "INSERT INTO operation (",
    usual!(),
    ", ",
    rare!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, \
     ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39)"
);

/// Reads an operation.
pub(crate) fn read(row: &Row<'_>) -> Result<Operation> {
    let mut fields = Fields::new(row);
    let f = &mut fields;
    let id = OperationId::new(f.int()?);
    let issuer = IssuerId::new(f.int()?);
    let client = ClientId::new(f.int()?);
    let key = IdempotencyKey::from_stored(f.bytes()?, f.opt_text()?.map(Into::into));
    let fingerprint = Fingerprint { key_id: f.narrow()?, bytes: f.bytes()? };
    let kind = f.coded(OperationKind::from_number)?;
    let status = status(f.opt_int()?)?;
    let program = f.opt_int()?.map(ProgramId::new);
    let card = card_after(f)?;
    let merchant = f.opt_int()?.map(MerchantId::new);
    let store = f.opt_int()?.map(StoreId::new);
    let terminal = f.opt_int()?.map(TerminalId::new);
    let channel = f.opt_int()?.map(Channel::from_packed).transpose();
    let channel = channel.map_err(|error| corrupt(error.to_string()))?;
    let currency = f.opt_text()?.map(Currency::parse).transpose();
    let currency = currency.map_err(|error| corrupt(error.to_string()))?;
    Ok(Operation {
        id,
        issuer,
        client,
        key,
        fingerprint,
        kind,
        status,
        program,
        card,
        merchant,
        store,
        terminal,
        channel,
        currency,
        requested: f.amount()?,
        approved: f.amount()?,
        business_date: BusinessDate::from_stored(f.narrow()?),
        at: f.time()?,
        trace: f.opt_narrow()?,
        reference: f.opt_text()?.map(str::to_owned),
        metadata: f.opt_text()?.map(str::to_owned),
        original: f.opt_int()?.map(OperationId::new),
        hold: f.opt_int()?.map(HoldId::new),
        counterpart: card_after(f)?,
        detail: detail::decode(f.opt_text()?)?,
    })
}

fn status(decline: Option<i64>) -> Result<Status> {
    let Some(number) = decline else { return Ok(Status::Approved) };
    let decline = Decline::from_number(number);
    decline.map(Status::Declined).ok_or_else(|| corrupt(format!("decline {number} is unknown")))
}

fn card_after(f: &mut Fields<'_, '_>) -> Result<Option<CardAfter>> {
    let Some(id) = f.opt_int()? else {
        for _ in 0..6 {
            f.opt_int()?;
        }
        return Ok(None);
    };
    Ok(Some(CardAfter {
        id: CardId::new(id),
        last4: f.narrow()?,
        state: f.coded(StateCode::from_number)?,
        balance: f.amount()?,
        held: f.amount()?,
        available: f.amount()?,
        previous: f.opt_int()?.map(OperationId::new),
    }))
}

/// Whether it has any of the columns that few operations have.
pub(crate) fn is_rare(operation: &Operation) -> bool {
    operation.original.is_some()
        || operation.hold.is_some()
        || operation.counterpart.is_some()
        || operation.detail != Detail::default()
}

/// Runs [`INSERT_USUAL`] or, for an operation that [`is_rare`], [`INSERT_RARE`].
pub(crate) fn insert(statement: &mut Statement<'_>, operation: &Operation) -> Result<()> {
    let o = operation;
    let mut binder = Binder::new(statement);
    let b = &mut binder;
    b.put(o.id.get())?.put(o.issuer.get())?.put(o.client.get())?;
    b.put(&o.key.bytes()[..])?.put(o.key.stored_text())?;
    b.put(o.fingerprint.key_id)?.put(&o.fingerprint.bytes[..])?;
    b.put(o.kind.number())?;
    b.put(match o.status {
        Status::Approved => None,
        Status::Declined(decline) => Some(decline.number()),
    })?;
    b.put(o.program.map(ProgramId::get))?;
    put_card(b, o.card.as_ref())?;
    b.put(o.merchant.map(MerchantId::get))?.put(o.store.map(StoreId::get))?;
    b.put(o.terminal.map(TerminalId::get))?.put(o.channel.map(Channel::packed))?;
    b.put(o.currency.as_ref().map(Currency::code))?;
    b.put(o.requested.get())?.put(o.approved.get())?.put(o.business_date.get())?.put(o.at.micros())?;
    b.put(o.trace)?.put(o.reference.as_deref())?.put(o.metadata.as_deref())?;
    if is_rare(o) {
        b.put(o.original.map(OperationId::get))?.put(o.hold.map(HoldId::get))?;
        put_card(b, o.counterpart.as_ref())?;
        b.put(detail::encode(&o.detail)?)?;
    }
    b.run().unique(if o.trace.is_some() { "key or trace" } else { "key" })?;
    Ok(())
}

fn put_card(b: &mut Binder<'_, '_>, card: Option<&CardAfter>) -> Result<()> {
    let Some(card) = card else {
        for _ in 0..7 {
            b.put(None::<i64>)?;
        }
        return Ok(());
    };
    b.put(card.id.get())?.put(card.last4)?.put(card.state.number())?;
    b.put(card.balance.get())?.put(card.held.get())?.put(card.available.get())?;
    b.put(card.previous.map(OperationId::get))?;
    Ok(())
}
