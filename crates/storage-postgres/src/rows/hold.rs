//! Holds.

use domain::{CardId, Hold, HoldId, IssuerId, MerchantId, StoreId, TerminalId, hold::HoldStatus};
use storage::Result;
use tokio_postgres::Row;

use super::arrays::{arrays, insert};
use crate::fields::Fields;

macro_rules! columns {
    () => {
        "id, issuer_id, card_id, merchant_id, store_id, terminal_id, amount, captured, status, created_at, \
         expires_at"
    };
}

pub(crate) const BY_IDS: &str = concat!("SELECT ", columns!(), " FROM hold WHERE id = ANY ($1::bigint[])");
pub(crate) const OF_CARD: &str =
    concat!("SELECT ", columns!(), " FROM hold WHERE card_id = $1 ORDER BY id DESC LIMIT $2");

arrays! {
    /// Holds as a batch leaves them.
    Holds<'a> {
        id: i64 => "bigint",
        issuer_id: i64 => "bigint",
        card_id: i64 => "bigint",
        merchant_id: i64 => "bigint",
        store_id: Option<i64> => "bigint",
        terminal_id: Option<i64> => "bigint",
        amount: i64 => "bigint",
        captured: i64 => "bigint",
        status: i16 => "smallint",
        created_at: i64 => "bigint",
        expires_at: i64 => "bigint",
    }
}

/// Only `captured` and `status` of a hold ever change.
pub(crate) fn upsert() -> String {
    insert("hold", Holds::COLUMNS)
        + " ON CONFLICT (id, card_id) DO UPDATE SET captured = excluded.captured, status = excluded.status"
}

impl Holds<'_> {
    pub(crate) fn push(&mut self, hold: &Hold) {
        self.id.push(hold.id.get());
        self.issuer_id.push(hold.issuer.get());
        self.card_id.push(hold.card.get());
        self.merchant_id.push(hold.merchant.get());
        self.store_id.push(hold.store.map(StoreId::get));
        self.terminal_id.push(hold.terminal.map(TerminalId::get));
        self.amount.push(hold.amount.get());
        self.captured.push(hold.captured.get());
        self.status.push(i16::try_from(hold.status.number()).unwrap_or(-1));
        self.created_at.push(hold.created_at.micros());
        self.expires_at.push(hold.expires_at.micros());
    }
}

/// Reads a hold.
pub(crate) fn read(row: &Row) -> Result<Hold> {
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
