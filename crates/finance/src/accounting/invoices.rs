//! Data for invoices (SAT notice 53 of 2016). A sale or load is invoiced to the buyer without VAT, as item 601
//! (预付卡销售和充值); a sale that was undone is invoiced in red. What merchants invoice to the issuer has the
//! remark 收到预付卡结算款.

use std::collections::BTreeMap;

use domain::{BusinessDate, Channel, Currency, Operation, OperationId, OperationKind, ProgramId, Timestamp};
use storage::{Days, OperationFilter};

use super::{
    Accounting, AccountingError, Result,
    table::{self, Table},
};

/// The item of a no-VAT invoice for a sale or load.
pub const ITEM: &str = "601";
/// Its name.
pub const ITEM_NAME: &str = "预付卡销售和充值";
/// What a merchant writes on the invoice for a settlement.
pub const SETTLEMENT_REMARK: &str = "收到预付卡结算款";

/// Which operations are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvoiceKind {
    /// Sales of cards.
    Sale,
    /// Loads.
    Load,
    /// Sales and loads that were undone.
    Reversal,
}

impl InvoiceKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Sale, Self::Load, Self::Reversal];

    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Load => "load",
            Self::Reversal => "reversal",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    const fn operations(self) -> OperationKind {
        match self {
            Self::Sale => OperationKind::Activation,
            Self::Load => OperationKind::Load,
            Self::Reversal => OperationKind::Reversal,
        }
    }
}

/// A row: one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceRow {
    /// The operation.
    pub operation: OperationId,
    /// What it undid.
    pub original: Option<OperationId>,
    /// The business day.
    pub day: BusinessDate,
    /// When.
    pub at: Timestamp,
    /// Sale, load or reversal.
    pub kind: InvoiceKind,
    /// The program.
    pub program: Option<ProgramId>,
    /// The last four digits of the card.
    pub card_last4: Option<u16>,
    /// Where it was sold.
    pub channel: Option<Channel>,
    /// The currency.
    pub currency: Currency,
    /// What the buyer paid, in minor units; negative where it was given back.
    pub amount: i64,
    /// The caller's reference.
    pub reference: Option<String>,
}

/// Rows, and where the next ones begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvoicePage {
    /// The rows, newest first.
    pub rows: Vec<InvoiceRow>,
    /// The operation to go on before; `None` at the end.
    pub next: Option<i64>,
}

impl Accounting {
    /// Rows of one kind over some days, newest first. A page may be short while there is more.
    pub async fn invoices(
        &self,
        days: Days,
        kind: InvoiceKind,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<InvoicePage> {
        let filter = OperationFilter {
            issuer: self.issuer.id,
            card: None,
            kind: Some(kind.operations()),
            approved: Some(true),
            merchant: None,
            store: None,
            terminal: None,
            client: None,
            from: Some(self.start_of(days.from)?),
            to: Some(self.end_of(days.to)?),
        };
        let page = self.store.operations(&filter, before, limit).await?;
        let originals = self.originals(kind, &page.items).await?;
        let mut rows = Vec::with_capacity(page.items.len());
        for operation in &page.items {
            rows.extend(row(kind, operation, &originals)?);
        }
        Ok(InvoicePage { rows, next: page.next })
    }

    /// What reversals undid. They are few.
    async fn originals(
        &self,
        kind: InvoiceKind,
        operations: &[Operation],
    ) -> Result<BTreeMap<OperationId, Operation>> {
        let mut found = BTreeMap::new();
        let wanted = operations.iter().filter(|_| kind == InvoiceKind::Reversal);
        for id in wanted.filter_map(|operation| operation.original) {
            if let Some(original) = self.store.operation(id).await? {
                found.insert(id, original);
            }
        }
        Ok(found)
    }
}

/// What the buyer paid; nothing for what only moved bonus value, or undid something else.
fn row(
    kind: InvoiceKind,
    operation: &Operation,
    originals: &BTreeMap<OperationId, Operation>,
) -> Result<Option<InvoiceRow>> {
    let (paid_by, sign) = match kind {
        InvoiceKind::Sale | InvoiceKind::Load => (operation, 1),
        InvoiceKind::Reversal => match operation.original.and_then(|id| originals.get(&id)) {
            Some(of) if matches!(of.kind, OperationKind::Activation | OperationKind::Load) => (of, -1),
            _ => return Ok(None),
        },
    };
    let Some(currency) = operation.currency.or(paid_by.currency) else { return Ok(None) };
    let amount = paid_by.approved.get().checked_mul(sign).ok_or(AccountingError::TooLarge)?;
    if amount == 0 {
        return Ok(None);
    }
    Ok(Some(InvoiceRow {
        operation: operation.id,
        original: operation.original.filter(|_| kind == InvoiceKind::Reversal),
        day: operation.business_date,
        at: operation.at,
        kind,
        program: operation.program.or(paid_by.program),
        card_last4: operation.card.or(paid_by.card).map(|card| card.last4),
        channel: operation.channel.or(paid_by.channel),
        currency,
        amount,
        reference: operation.reference.clone(),
    }))
}

/// Rows as a table.
pub fn invoices_table(rows: &[InvoiceRow]) -> Table {
    let columns = [
        "operation",
        "original",
        "date",
        "time",
        "kind",
        "item_code",
        "item_name",
        "tax",
        "program",
        "card_last4",
        "channel",
        "currency",
        "amount",
        "reference",
    ];
    let mut table = Table::new("invoices", columns);
    for row in rows {
        let text = |value: Option<String>| value.unwrap_or_default();
        table.rows.push(vec![
            row.operation.to_string(),
            text(row.original.map(|id| id.to_string())),
            row.day.to_string(),
            row.at.to_string(),
            row.kind.name().to_owned(),
            ITEM.to_owned(),
            ITEM_NAME.to_owned(),
            "不征税".to_owned(),
            text(row.program.map(|id| id.to_string())),
            text(row.card_last4.map(|last4| format!("{last4:04}"))),
            text(row.channel.map(|channel| channel.to_string())),
            row.currency.code().to_owned(),
            table::money(row.amount, row.currency),
            table::safe(row.reference.as_deref().unwrap_or_default()),
        ]);
    }
    table
}
