//! Statements (结算单) and their lines.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{AgreementId, Currency, MerchantId, OperationId, StatementId};
use serde::{Deserialize, Serialize};
use settlement::{Statement, StatementStatus, closing::hex};
use storage::{Settled, StatementFilter};
use utoipa::{IntoParams, ToSchema};

use super::{merchant, unknown};
use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    extract::{Named, Query},
    page::{Cursor, Limit, PageOf, PageQuery, page},
    state::AppState,
    wire::{day::Day, moment::Moment, schema},
};

/// The figures of a statement, in minor units. `closing` is the sum of `opening`, `payouts_rejected`, `sales`,
/// `refunds`, `reversals`, `split_in`, `payout_returns`, `corrections` and `funding`, less `fees`, `splits_out`
/// and `yearly_fee`; `carried` is `closing` less `payout`, and `invoiced` on top.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatementFigures {
    /// Carried forward from the statement before it.
    opening: i64,
    /// Payouts that were rejected, payable again.
    payouts_rejected: i64,
    /// Sales.
    sales: i64,
    /// Refunds, mostly negative.
    refunds: i64,
    /// Reversals.
    reversals: i64,
    /// Parts in the sales of other merchants.
    split_in: i64,
    /// Payouts that came back.
    payout_returns: i64,
    /// Corrections.
    corrections: i64,
    /// Value on cards that the merchant funds.
    funding: i64,
    /// Fees less fees given back: taken.
    fees: i64,
    /// Parts of other merchants: taken.
    splits_out: i64,
    /// The flat fee for a year: taken.
    yearly_fee: i64,
    /// The sum.
    closing: i64,
    /// To be paid out.
    payout: i64,
    /// To be paid by the merchant.
    invoiced: i64,
    /// Carried into the next statement.
    carried: i64,
    /// How many lines.
    lines: u64,
    /// How many sales.
    sales_count: u64,
    /// How many refunds.
    refunds_count: u64,
    /// How many lines of days whose statement had been closed.
    late_count: u64,
}

/// A statement.
#[derive(Serialize, ToSchema)]
#[schema(as = Statement)]
pub(crate) struct StatementView {
    /// Its id.
    #[schema(value_type = schema::StatementId)]
    id: StatementId,
    /// Its merchant.
    #[schema(value_type = schema::MerchantId)]
    merchant: MerchantId,
    /// Its currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// `open`, `closing` or `closed`. A closed one never changes.
    #[schema(value_type = schema::StatementStatus)]
    status: &'static str,
    /// The first settlement day.
    #[schema(value_type = schema::Date)]
    period_from: Day,
    /// The last settlement day.
    #[schema(value_type = schema::Date)]
    period_to: Day,
    /// When its payout is due.
    #[schema(value_type = schema::Date)]
    due_on: Day,
    /// Whether the due date rests on holidays that were not published yet.
    due_estimated: bool,
    /// The agreement at the end of the period; absent under the standard terms.
    #[schema(value_type = Option<schema::AgreementId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<AgreementId>,
    /// The figures; absent while it is open.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    figures: Option<StatementFigures>,
    /// The statement before it.
    #[schema(value_type = Option<schema::StatementId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<StatementId>,
    /// The operation that posted its fees and splits.
    #[schema(value_type = Option<schema::OperationId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<OperationId>,
    /// SHA-256 over its content and the digest of the statement before it, in hexadecimal.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// When it was closed.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<Moment>,
}

impl StatementView {
    fn new(of: &Statement) -> Self {
        Self {
            id: of.id,
            merchant: of.merchant,
            currency: of.currency,
            status: of.status.name(),
            period_from: Day(of.period_from),
            period_to: Day(of.period_to),
            due_on: Day(of.due_on),
            due_estimated: of.due_estimated,
            agreement: of.agreement,
            figures: (of.status != StatementStatus::Open).then(|| figures(of)),
            previous: of.previous,
            operation: of.operation,
            digest: of.digest.map(hex),
            closed_at: of.closed_at.map(Moment),
        }
    }
}

fn figures(of: &Statement) -> StatementFigures {
    let (f, sums) = (&of.figures, &of.figures.sums);
    StatementFigures {
        opening: f.opening,
        payouts_rejected: f.payouts_rejected.get(),
        sales: sums.sales,
        refunds: sums.refunds,
        reversals: sums.reversals,
        split_in: sums.split_in,
        payout_returns: sums.payout_returns,
        corrections: sums.corrections,
        funding: sums.funding,
        fees: sums.fees,
        splits_out: sums.splits_out,
        yearly_fee: f.yearly_fee.get(),
        closing: f.closing,
        payout: f.payout.get(),
        invoiced: f.invoiced.get(),
        carried: f.carried,
        lines: sums.lines,
        sales_count: sums.sales_count,
        refunds_count: sums.refunds_count,
        late_count: sums.late_count,
    }
}

/// Which statements.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatementsQuery {
    /// How many items: 1 to 200, 50 if not given.
    #[param(value_type = Option<schema::Limit>, nullable = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<schema::Cursor>, nullable = false)]
    cursor: Option<Cursor>,
    /// A merchant.
    #[param(value_type = Option<schema::MerchantId>, nullable = false)]
    merchant: Option<MerchantId>,
    /// A status.
    #[param(value_type = Option<schema::StatementStatus>, nullable = false)]
    status: Option<StatusName>,
    /// Periods that end on this day or later.
    #[param(value_type = Option<schema::Date>, nullable = false)]
    from: Option<Day>,
    /// Periods that end on this day or earlier.
    #[param(value_type = Option<schema::Date>, nullable = false)]
    to: Option<Day>,
}

/// A status by name.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StatusName {
    Open,
    Closing,
    Closed,
}

impl StatusName {
    const fn status(self) -> StatementStatus {
        match self {
            Self::Open => StatementStatus::Open,
            Self::Closing => StatementStatus::Closing,
            Self::Closed => StatementStatus::Closed,
        }
    }
}

/// List statements
///
/// Newest first. A client that is bound to a merchant sees its merchant's.
#[utoipa::path(
    get,
    path = "/v1/statements",
    tag = "settlement",
    operation_id = "list_statements",
    params(StatementsQuery),
    responses((status = 200, description = "A page of statements.", body = PageOf<StatementView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<StatementsQuery>,
) -> Result<Response, Problem> {
    let filter = StatementFilter {
        issuer: caller.issuer()?,
        merchant: merchant(&caller, query.merchant)?,
        status: query.status.map(StatusName::status),
        from: query.from.map(|day| day.0),
        to: query.to.map(|day| day.0),
    };
    let before = query.cursor.map(|cursor| StatementId::new(cursor.0));
    let found = app.engine.store().statements(&filter, before, query.limit.0).await?;
    page(found.items.iter().map(StatementView::new).collect(), found.next)
}

pub(super) async fn own(app: &AppState, caller: &Caller, id: StatementId) -> Result<Statement, Problem> {
    let issuer = caller.issuer()?;
    let found = app.engine.store().statement(id).await?;
    let own = found.filter(|found| found.issuer == issuer && caller.sees(Some(found.merchant)));
    own.ok_or_else(|| unknown("statement").parameter("id"))
}

pub(super) fn still_open() -> Problem {
    Problem::new(Code::StatementOpen, "the statement is open: its lines can be had once its period is closed")
}

/// Read a statement
///
/// As it is now. Once closed it stays as it is.
#[utoipa::path(
    get,
    path = "/v1/statements/{id}",
    tag = "settlement",
    operation_id = "read_statement",
    params(("id" = schema::StatementId, Path, description = "The statement.")),
    responses((status = 200, description = "The statement.", body = StatementView)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<StatementId>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &StatementView::new(&own(&app, &caller, id).await?))
}

/// A line of a statement: one operation.
#[derive(Serialize, ToSchema)]
#[schema(as = StatementLine)]
pub(crate) struct LineView {
    /// The operation.
    #[schema(value_type = schema::OperationId)]
    operation: OperationId,
    /// What it is about.
    #[schema(value_type = schema::LineKind)]
    kind: &'static str,
    /// Its settlement day.
    #[schema(value_type = schema::Date)]
    day: Day,
    /// What it added to what the merchant is owed, in minor units; negative if it took.
    amount: i64,
    /// The fee, in minor units; negative if it was given back.
    fee: i64,
    /// The agreement in force on the day of the sale.
    #[schema(value_type = Option<schema::AgreementId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<AgreementId>,
    /// The sale that it gives back.
    #[schema(value_type = Option<schema::OperationId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<OperationId>,
    /// Whether the statement of its day had been closed.
    late: bool,
    /// Parts that go to other merchants.
    parts: Vec<LinePart>,
}

/// A part of a line that goes to another merchant.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinePart {
    /// Who receives it.
    #[schema(value_type = schema::MerchantId)]
    receiver: MerchantId,
    /// How much, in minor units; negative if it is clawed back.
    amount: i64,
}

fn line(of: &Settled) -> LineView {
    let parts = of.parts.iter().map(|part| LinePart { receiver: part.receiver, amount: part.amount });
    LineView {
        operation: of.line.operation,
        kind: of.line.kind.name(),
        day: Day(of.line.day),
        amount: of.line.amount,
        fee: of.line.fee,
        agreement: of.line.agreement,
        original: of.line.original,
        late: of.line.late,
        parts: parts.collect(),
    }
}

/// List the lines of a statement
///
/// Newest first. Of a statement that is closed or being closed.
#[utoipa::path(
    get,
    path = "/v1/statements/{id}/lines",
    tag = "settlement",
    operation_id = "list_statement_lines",
    params(("id" = schema::StatementId, Path, description = "The statement."), PageQuery),
    responses(
        (status = 200, description = "A page of lines.", body = PageOf<LineView>),
        (status = 409, description = "The statement is still open.", body = crate::error::ProblemBody,
            content_type = "application/problem+json")
    ),
)]
pub(crate) async fn lines(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<StatementId>,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    if own(&app, &caller, id).await?.status == StatementStatus::Open {
        return Err(still_open());
    }
    let before = query.cursor.map(|cursor| OperationId::new(cursor.0));
    let found = app.engine.store().statement_lines(id, before, query.limit.0).await?;
    page(found.items.iter().map(line).collect(), found.next)
}
