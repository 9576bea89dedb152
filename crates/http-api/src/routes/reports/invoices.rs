//! Data for the invoices of sales and loads.

use axum::{body::Bytes, extract::State, response::Response};
use domain::{Currency, OperationId, ProgramId};
use finance::accounting::{
    Accounting,
    invoices::{ITEM, ITEM_NAME, InvoiceKind, InvoiceRow, invoices_table},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use storage::Days;
use utoipa::{IntoParams, ToSchema};

use super::{Format, books, csv, days};
use crate::{
    auth::Caller,
    csv_stream::{self, Writer},
    error::Problem,
    extract::Query,
    page::{Cursor, Limit, PageOf, page},
    state::AppState,
    wire::{day::Day, moment::Moment, schema},
};

/// Rows that are read at once for a CSV.
const ROWS_AT_ONCE: usize = 500;

/// Which operations.
#[derive(Clone, Copy, Debug)]
struct KindName(InvoiceKind);

impl<'de> Deserialize<'de> for KindName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let kind = InvoiceKind::from_name(&text);
        kind.map(Self).ok_or_else(|| D::Error::custom("a kind is sale, load or reversal"))
    }
}

/// Which operations of which days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InvoicesQuery {
    /// The first business day.
    #[param(value_type = schema::Date)]
    from: Day,
    /// The last business day.
    #[param(value_type = schema::Date)]
    to: Day,
    /// `sale`: cards sold. `load`: loads. `reversal`: either, undone; to be invoiced in red.
    #[param(value_type = String, pattern = "^(sale|load|reversal)$")]
    kind: KindName,
    /// How many items: 1 to 200, 50 if not given. Not for CSV, which has all.
    #[serde(default)]
    #[param(value_type = Option<schema::Limit>, nullable = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[serde(default)]
    #[param(value_type = Option<schema::Cursor>, nullable = false)]
    cursor: Option<Cursor>,
    /// `json` if not given.
    #[serde(default)]
    #[param(inline, value_type = Option<Format>, nullable = false)]
    format: Format,
}

/// What to invoice: one operation.
#[derive(Serialize, ToSchema)]
#[schema(as = InvoiceRow)]
pub(crate) struct InvoiceView {
    /// The operation.
    #[schema(value_type = schema::OperationId)]
    operation: OperationId,
    /// What it undid.
    #[schema(value_type = Option<schema::OperationId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<OperationId>,
    /// The business day.
    #[schema(value_type = schema::Date)]
    day: Day,
    /// When.
    #[schema(value_type = schema::Moment)]
    at: Moment,
    /// The code of the item: 601.
    item_code: &'static str,
    /// Its name: 预付卡销售和充值.
    item_name: &'static str,
    /// The program.
    #[schema(value_type = Option<schema::ProgramId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<ProgramId>,
    /// The last four digits of the card.
    #[serde(skip_serializing_if = "Option::is_none")]
    card_last4: Option<String>,
    /// Where it was sold.
    #[schema(value_type = Option<schema::Channel>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// What the buyer paid, without bonus; negative where it was undone.
    #[schema(value_type = schema::Total)]
    amount: i64,
    /// The caller's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

/// Invoice data
///
/// Sales and loads, to be invoiced to buyers without VAT as item 601 (SAT notice 53 of 2016). Newest first.
#[utoipa::path(
    get,
    path = "/v1/reports/invoices",
    tag = "reports",
    operation_id = "report_invoices",
    params(InvoicesQuery),
    responses((status = 200, description = "A page, or all as CSV.", content(
        (PageOf<InvoiceView> = "application/json"), (String = "text/csv"),
    ))),
)]
pub(crate) async fn invoices(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<InvoicesQuery>,
) -> Result<Response, Problem> {
    let (books, days) = (books(&app, &caller)?, days(query.from.0, query.to.0)?);
    if query.format == Format::Csv {
        let (writer, body) = csv_stream::body();
        tokio::spawn(send(books, days, query.kind.0, writer));
        return csv("invoices", body);
    }
    let before = query.cursor.map(|cursor| OperationId::new(cursor.0));
    let found = books.invoices(days, query.kind.0, before, query.limit.0).await?;
    page(found.rows.iter().map(show).collect(), found.next)
}

async fn send(books: Accounting, days: Days, kind: InvoiceKind, rows: Writer) {
    if rows.send(Bytes::from(invoices_table(&[]).head())).await.is_err() {
        return;
    }
    let mut before = None;
    loop {
        let found = match books.invoices(days, kind, before, ROWS_AT_ONCE).await {
            Ok(found) => found,
            Err(error) => return tracing::warn!(%error, "the export of invoice data broke off"),
        };
        let text = invoices_table(&found.rows).body();
        if !text.is_empty() && rows.send(Bytes::from(text)).await.is_err() {
            return;
        }
        before = found.next.map(OperationId::new);
        if before.is_none() {
            return rows.finish();
        }
    }
}

fn show(row: &InvoiceRow) -> InvoiceView {
    InvoiceView {
        operation: row.operation,
        original: row.original,
        day: Day(row.day),
        at: Moment(row.at),
        item_code: ITEM,
        item_name: ITEM_NAME,
        program: row.program,
        card_last4: row.card_last4.map(|last4| format!("{last4:04}")),
        channel: row.channel.map(|channel| channel.to_string()),
        currency: row.currency,
        amount: row.amount,
        reference: row.reference.clone(),
    }
}
