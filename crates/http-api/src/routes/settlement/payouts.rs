//! Payouts (打款): listed and read.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{ClientId, Currency, MerchantId, OperationId, PayeeId, PayoutId, StatementId};
use serde::{Deserialize, Serialize};
use settlement::{Payout, PayoutStatus};
use storage::PayoutFilter;
use utoipa::{IntoParams, ToSchema};

use super::{merchant, unknown};
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::{Named, Query},
    page::{Cursor, Limit, PageOf, page},
    state::AppState,
    wire::{day::Day, moment::Moment, schema},
};

/// A payout.
#[derive(Serialize, ToSchema)]
#[schema(as = Payout)]
pub(crate) struct PayoutView {
    /// Its id, which is its number in the payment file.
    #[schema(value_type = schema::PayoutId)]
    id: PayoutId,
    /// Its merchant.
    #[schema(value_type = schema::MerchantId)]
    merchant: MerchantId,
    /// The statement that it pays.
    #[schema(value_type = schema::StatementId)]
    statement: StatementId,
    /// How much, in minor units.
    #[schema(value_type = schema::Amount)]
    amount: i64,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// When it is due.
    #[schema(value_type = schema::Date)]
    due_on: Day,
    /// Whether the due date rests on holidays that were not published yet.
    due_estimated: bool,
    /// How far it is.
    #[schema(value_type = schema::PayoutStatus)]
    status: &'static str,
    /// The bank account that it was sent to.
    #[schema(value_type = Option<schema::PayeeId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    payee: Option<PayeeId>,
    /// Who proposed it.
    #[schema(value_type = schema::ClientId)]
    proposed_by: ClientId,
    /// Who approved or rejected it.
    #[schema(value_type = Option<schema::ClientId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<ClientId>,
    /// Why it was rejected or came back.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The operation that took it from the merchant's account.
    #[schema(value_type = Option<schema::OperationId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<OperationId>,
    /// The operation that put it back.
    #[schema(value_type = Option<schema::OperationId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    return_operation: Option<OperationId>,
    /// When it was proposed.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
}

impl PayoutView {
    pub(super) fn new(of: &Payout) -> Self {
        Self {
            id: of.id,
            merchant: of.merchant,
            statement: of.statement,
            amount: of.amount.get(),
            currency: of.currency,
            due_on: Day(of.due_on),
            due_estimated: of.due_estimated,
            status: of.status.name(),
            payee: of.payee,
            proposed_by: of.proposed_by,
            decided_by: of.decided_by,
            reason: of.reason.clone(),
            operation: of.operation,
            return_operation: of.return_operation,
            created_at: Moment(of.created_at),
        }
    }
}

/// A status by name.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StatusName {
    Proposed,
    Approved,
    Rejected,
    Sent,
    Confirmed,
    Returned,
}

impl StatusName {
    const fn status(self) -> PayoutStatus {
        match self {
            Self::Proposed => PayoutStatus::Proposed,
            Self::Approved => PayoutStatus::Approved,
            Self::Rejected => PayoutStatus::Rejected,
            Self::Sent => PayoutStatus::Sent,
            Self::Confirmed => PayoutStatus::Confirmed,
            Self::Returned => PayoutStatus::Returned,
        }
    }
}

/// Which payouts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct PayoutsQuery {
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
    #[param(value_type = Option<schema::PayoutStatus>, nullable = false)]
    status: Option<StatusName>,
    /// Due on this day or later.
    #[param(value_type = Option<schema::Date>, nullable = false)]
    due_from: Option<Day>,
    /// Due on this day or earlier.
    #[param(value_type = Option<schema::Date>, nullable = false)]
    due_to: Option<Day>,
}

/// List payouts
///
/// Newest first. A client that is bound to a merchant sees its merchant's.
#[utoipa::path(
    get,
    path = "/v1/payouts",
    tag = "settlement",
    operation_id = "list_payouts",
    params(PayoutsQuery),
    responses((status = 200, description = "A page of payouts.", body = PageOf<PayoutView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<PayoutsQuery>,
) -> Result<Response, Problem> {
    let filter = PayoutFilter {
        issuer: caller.issuer()?,
        merchant: merchant(&caller, query.merchant)?,
        status: query.status.map(StatusName::status),
        due_from: query.due_from.map(|day| day.0),
        due_to: query.due_to.map(|day| day.0),
    };
    let before = query.cursor.map(|cursor| PayoutId::new(cursor.0));
    let found = app.engine.store().payouts(&filter, before, query.limit.0).await?;
    page(found.items.iter().map(PayoutView::new).collect(), found.next)
}

/// Read a payout
///
/// As it is now.
#[utoipa::path(
    get,
    path = "/v1/payouts/{id}",
    tag = "settlement",
    operation_id = "read_payout",
    params(("id" = schema::PayoutId, Path, description = "The payout.")),
    responses((status = 200, description = "The payout.", body = PayoutView)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<PayoutId>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    let found = app.engine.store().payout(id).await?;
    let own = found.filter(|found| found.issuer == issuer && caller.sees(Some(found.merchant)));
    let own = own.ok_or_else(|| unknown("payout").parameter("id"))?;
    json(StatusCode::OK, &PayoutView::new(&own))
}
