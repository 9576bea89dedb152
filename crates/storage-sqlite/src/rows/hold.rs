//! Holds.

use domain::{CardId, Hold, HoldId, IssuerId, MerchantId, StoreId, TerminalId, hold::HoldStatus};
use rusqlite::{Row, Statement};
use storage::Result;

use crate::{
    error::IntoStorage,
    fields::{Binder, Fields},
};

macro_rules! columns {
    () => {
        "id, issuer_id, card_id, merchant_id, store_id, terminal_id, amount, captured, status, created_at, \
         expires_at"
    };
}

pub(crate) const BY_ID: &str = concat!("SELECT ", columns!(), " FROM hold WHERE id = ?1");
pub(crate) const OF_CARD: &str =
    concat!("SELECT ", columns!(), " FROM hold WHERE card_id = ?1 ORDER BY id DESC LIMIT ?2");
/// Only `captured` and `status` of a hold ever change.
pub(crate) const UPSERT: &str = concat!(
    "INSERT INTO hold (",
    columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
     ON CONFLICT (id) DO UPDATE SET captured = excluded.captured, status = excluded.status"
);

/// Reads a hold.
pub(crate) fn read(row: &Row<'_>) -> Result<Hold> {
    let mut fields = Fields::new(row);
    Ok(Hold {
        id: HoldId::new(fields.int()?),
        issuer: IssuerId::new(fields.int()?),
        card: CardId::new(fields.int()?),
        merchant: MerchantId::new(fields.int()?),
        store: fields.opt_int()?.map(StoreId::new),
        terminal: fields.opt_int()?.map(TerminalId::new),
        amount: fields.amount()?,
        captured: fields.amount()?,
        status: fields.coded(HoldStatus::from_number)?,
        created_at: fields.time()?,
        expires_at: fields.time()?,
    })
}

/// Runs [`UPSERT`].
pub(crate) fn upsert(statement: &mut Statement<'_>, hold: &Hold) -> Result<()> {
    let mut binder = Binder::new(statement);
    binder.put(hold.id.get())?.put(hold.issuer.get())?.put(hold.card.get())?.put(hold.merchant.get())?;
    binder.put(hold.store.map(StoreId::get))?.put(hold.terminal.map(TerminalId::get))?;
    binder.put(hold.amount.get())?.put(hold.captured.get())?.put(hold.status.number())?;
    binder.put(hold.created_at.micros())?.put(hold.expires_at.micros())?.run().stored()?;
    Ok(())
}
