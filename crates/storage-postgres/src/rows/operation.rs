//! Operations.

use domain::{
    BusinessDate, CardId, Channel, ClientId, Currency, Decline, Fingerprint, HoldId, IdempotencyKey,
    IssuerId, MerchantId, Operation, OperationId, OperationKind, ProgramId, StoreId, TerminalId,
    card::StateCode,
    operation::{CardAfter, Detail, Status},
};
use storage::Result;
use tokio_postgres::Row;

use super::{arrays::arrays, detail};
use crate::{error::corrupt, fields::Fields};

macro_rules! columns {
    () => {
        "o.id, o.issuer_id, o.client_id, o.key, o.key_text, o.fingerprint_key_id, o.fingerprint, o.kind, \
         o.decline, o.program_id, o.card_id, o.card_last4, o.card_state, o.card_balance, o.card_held, \
         o.card_available, o.card_previous_id, o.merchant_id, o.store_id, o.terminal_id, o.channel, \
         o.currency, o.requested, o.approved, o.business_date, o.at, o.trace, o.reference, o.metadata, \
         o.original_id, o.hold_id, o.counterpart_id, o.counterpart_last4, o.counterpart_state, \
         o.counterpart_balance, o.counterpart_held, o.counterpart_available, o.counterpart_previous_id, \
         o.detail"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM ", $rest)
    };
}

pub(crate) const BY_IDS: &str = select!("operation o WHERE o.id = ANY ($1::bigint[])");
pub(crate) const BY_KEYS: &str = select!(
    "unnest($1::bigint[], $2::bytea[]) AS asked (client_id, key) \
     JOIN operation o ON o.client_id = asked.client_id AND o.key = asked.key"
);
pub(crate) const BY_TRACES: &str = select!(
    "unnest($1::bigint[], $2::integer[], $3::bigint[]) AS asked (terminal_id, business_date, trace) \
     JOIN operation o ON o.terminal_id = asked.terminal_id AND o.business_date = asked.business_date \
     AND o.trace = asked.trace AND o.trace IS NOT NULL"
);
/// Newest first, from below `$1` down to `$2`, at most `$3`: what the filters let through, where an absent one is
/// null. Only those are sent.
pub(crate) const DOWNWARD: &str = select!(
    "operation o WHERE o.id < $1 AND o.id >= $2 AND o.issuer_id = $4 AND ($5::bigint IS NULL OR o.kind = $5) \
     AND ($6::boolean IS NULL OR (o.decline IS NULL) = $6) AND ($7::bigint IS NULL OR o.merchant_id = $7) \
     AND ($8::bigint IS NULL OR o.store_id = $8) AND ($9::bigint IS NULL OR o.terminal_id = $9) \
     AND ($10::bigint IS NULL OR o.client_id = $10) AND ($11::bigint IS NULL OR o.at >= $11) \
     AND ($12::bigint IS NULL OR o.at < $12) ORDER BY o.id DESC LIMIT $3"
);
/// Operations of card `$1` from `$2` back along its chain, at most `$3`.
pub(crate) const CHAIN: &str = concat!(
    "WITH RECURSIVE chain (id, previous, n) AS ( \
         SELECT id, CASE WHEN card_id = $1 THEN card_previous_id ELSE counterpart_previous_id END, 1::bigint \
         FROM operation WHERE id = $2 \
         UNION ALL SELECT p.id, \
             CASE WHEN p.card_id = $1 THEN p.card_previous_id ELSE p.counterpart_previous_id END, n + 1 \
         FROM chain JOIN operation p ON p.id = chain.previous \
         WHERE chain.n < $3 AND chain.previous < chain.id) \
     SELECT ",
    columns!(),
    " FROM chain JOIN operation o ON o.id = chain.id ORDER BY o.id DESC"
);

arrays! {
    /// New operations, in the columns that every sale has.
    Usual<'a> {
        id: i64 => "bigint",
        card_id: i64 => "bigint",
        issuer_id: i64 => "bigint",
        client_id: i64 => "bigint",
        requested: i64 => "bigint",
        approved: i64 => "bigint",
        at: i64 => "bigint",
        program_id: Option<i64> => "bigint",
        card_balance: Option<i64> => "bigint",
        card_held: Option<i64> => "bigint",
        card_available: Option<i64> => "bigint",
        card_previous_id: Option<i64> => "bigint",
        merchant_id: Option<i64> => "bigint",
        store_id: Option<i64> => "bigint",
        terminal_id: Option<i64> => "bigint",
        channel: Option<i64> => "bigint",
        business_date: i32 => "integer",
        kind: i16 => "smallint",
        fingerprint_key_id: i16 => "smallint",
        decline: Option<i16> => "smallint",
        card_last4: Option<i16> => "smallint",
        card_state: Option<i16> => "smallint",
        key: &'a [u8] => "bytea",
        fingerprint: &'a [u8] => "bytea",
        currency: Option<&'a str> => "text",
    }
}

arrays! {
    /// The columns that few operations have.
    Rare<'a> {
        trace: Option<i64> => "bigint",
        original_id: Option<i64> => "bigint",
        hold_id: Option<i64> => "bigint",
        counterpart_id: Option<i64> => "bigint",
        counterpart_balance: Option<i64> => "bigint",
        counterpart_held: Option<i64> => "bigint",
        counterpart_available: Option<i64> => "bigint",
        counterpart_previous_id: Option<i64> => "bigint",
        counterpart_last4: Option<i16> => "smallint",
        counterpart_state: Option<i16> => "smallint",
        key_text: Option<&'a str> => "text",
        reference: Option<&'a str> => "text",
        metadata: Option<&'a str> => "text",
        detail: Option<String> => "text",
    }
}

/// The columns of both.
pub(crate) fn all_columns() -> Vec<(&'static str, &'static str)> {
    [Usual::COLUMNS, Rare::COLUMNS].concat()
}

/// The distribution key of an operation and all that belongs to it: its card, 0 where it has none.
pub(crate) fn card_of(operation: &Operation) -> i64 {
    operation.card.map_or(0, |card| card.id.get())
}

/// Whether it has any of the columns that few operations have.
pub(crate) fn is_rare(operation: &Operation) -> bool {
    operation.original.is_some()
        || operation.hold.is_some()
        || operation.counterpart.is_some()
        || operation.trace.is_some()
        || operation.reference.is_some()
        || operation.metadata.is_some()
        || operation.key.stored_text().is_some()
        || operation.detail != Detail::default()
}

fn small(number: i64) -> i16 {
    i16::try_from(number).unwrap_or(-1)
}

impl<'a> Usual<'a> {
    pub(crate) fn push(&mut self, o: &'a Operation) {
        self.id.push(o.id.get());
        self.card_id.push(card_of(o));
        self.issuer_id.push(o.issuer.get());
        self.client_id.push(o.client.get());
        self.requested.push(o.requested.get());
        self.approved.push(o.approved.get());
        self.at.push(o.at.micros());
        self.program_id.push(o.program.map(ProgramId::get));
        let card = o.card.as_ref();
        self.card_balance.push(card.map(|card| card.balance.get()));
        self.card_held.push(card.map(|card| card.held.get()));
        self.card_available.push(card.map(|card| card.available.get()));
        self.card_previous_id.push(card.and_then(|card| card.previous).map(OperationId::get));
        self.merchant_id.push(o.merchant.map(MerchantId::get));
        self.store_id.push(o.store.map(StoreId::get));
        self.terminal_id.push(o.terminal.map(TerminalId::get));
        self.channel.push(o.channel.map(Channel::packed));
        self.business_date.push(o.business_date.get());
        self.kind.push(small(o.kind.number()));
        self.fingerprint_key_id.push(o.fingerprint.key_id.into());
        self.decline.push(match o.status {
            Status::Approved => None,
            Status::Declined(decline) => Some(small(decline.number())),
        });
        self.card_last4.push(card.map(|card| small(card.last4.into())));
        self.card_state.push(card.map(|card| small(card.state.number())));
        self.key.push(&o.key.bytes()[..]);
        self.fingerprint.push(&o.fingerprint.bytes[..]);
        self.currency.push(o.currency.as_ref().map(Currency::code));
    }
}

impl<'a> Rare<'a> {
    pub(crate) fn push(&mut self, o: &'a Operation) -> Result<()> {
        let second = o.counterpart.as_ref();
        self.trace.push(o.trace.map(i64::from));
        self.original_id.push(o.original.map(OperationId::get));
        self.hold_id.push(o.hold.map(HoldId::get));
        self.counterpart_id.push(second.map(|card| card.id.get()));
        self.counterpart_balance.push(second.map(|card| card.balance.get()));
        self.counterpart_held.push(second.map(|card| card.held.get()));
        self.counterpart_available.push(second.map(|card| card.available.get()));
        self.counterpart_previous_id.push(second.and_then(|card| card.previous).map(OperationId::get));
        self.counterpart_last4.push(second.map(|card| small(card.last4.into())));
        self.counterpart_state.push(second.map(|card| small(card.state.number())));
        self.key_text.push(o.key.stored_text());
        self.reference.push(o.reference.as_deref());
        self.metadata.push(o.metadata.as_deref());
        self.detail.push(detail::encode(&o.detail)?);
        Ok(())
    }
}

/// Reads an operation.
pub(crate) fn read(row: &Row) -> Result<Operation> {
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

fn card_after(f: &mut Fields<'_>) -> Result<Option<CardAfter>> {
    let Some(id) = f.opt_int()?.filter(|id| *id != 0) else {
        f.skip(6);
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
