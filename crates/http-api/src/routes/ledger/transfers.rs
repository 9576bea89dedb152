//! The lines of the ledger.

use axum::{extract::State, response::Response};
use domain::{Account, Currency, OperationId};
use serde::{Deserialize, Serialize};
use storage::{TransferFilter, TransferRow};
use utoipa::{IntoParams, ToSchema};

use super::{AccountName, check_own};
use crate::{
    auth::Caller,
    error::Problem,
    extract::Query,
    page::{Cursor, Limit, PageOf, page},
    state::AppState,
    wire::{moment::Moment, schema},
};

/// Which transfers.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct TransfersQuery {
    /// How many items: 1 to 200, 50 if not given. All transfers of the last operation are on the page.
    #[param(value_type = Option<schema::Limit>, nullable = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<schema::Cursor>, nullable = false)]
    cursor: Option<Cursor>,
    /// An account, on either side.
    #[param(value_type = Option<schema::Account>, nullable = false)]
    account: Option<AccountName>,
    /// An operation.
    #[param(value_type = Option<schema::OperationId>, nullable = false)]
    operation: Option<OperationId>,
    /// Not before this moment.
    #[param(value_type = Option<schema::Moment>, nullable = false)]
    from: Option<Moment>,
    /// Before this moment.
    #[param(value_type = Option<schema::Moment>, nullable = false)]
    to: Option<Moment>,
}

/// Value that moved from one account to another.
#[derive(Serialize, ToSchema)]
#[schema(as = Transfer)]
pub(crate) struct TransferView {
    /// The operation it belongs to.
    #[schema(value_type = schema::OperationId)]
    operation: OperationId,
    /// Its position within the operation.
    #[schema(minimum = 1)]
    seq: u16,
    /// What the operation did.
    #[schema(value_type = schema::OperationKind)]
    kind: &'static str,
    /// The account that gave.
    #[schema(value_type = schema::Account)]
    debit: String,
    /// Its lot, where it is a card or a claim on one.
    #[serde(skip_serializing_if = "Option::is_none")]
    debit_lot: Option<u16>,
    /// The account that received.
    #[schema(value_type = schema::Account)]
    credit: String,
    /// Its lot, where it is a card or a claim on one.
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_lot: Option<u16>,
    /// How much, in minor units.
    #[schema(value_type = schema::Amount)]
    amount: i64,
    /// The currency of the amount.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// When.
    #[schema(value_type = schema::Moment)]
    at: Moment,
}

/// List transfers
///
/// Newest operation first. A client that is bound to a merchant sees its merchant's.
#[utoipa::path(
    get,
    path = "/v1/ledger/transfers",
    tag = "ledger",
    operation_id = "list_transfers",
    params(TransfersQuery),
    responses((status = 200, description = "A page of transfers.", body = PageOf<TransferView>)),
)]
pub(crate) async fn transfers(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<TransfersQuery>,
) -> Result<Response, Problem> {
    let account = query.account.map(|account| account.0).or(caller.merchant().map(Account::Merchant));
    if let Some(account) = account {
        check_own(&app, &caller, account).await?;
    }
    let filter = TransferFilter {
        issuer: caller.issuer()?,
        account,
        operation: query.operation,
        from: query.from.map(|at| at.0),
        to: query.to.map(|at| at.0),
    };
    let before = query.cursor.map(|cursor| OperationId::new(cursor.0));
    let found = app.engine.store().transfers(&filter, before, query.limit.0).await?;
    page(found.items.iter().map(show).collect(), found.next)
}

fn show(row: &TransferRow) -> TransferView {
    let transfer = &row.transfer;
    TransferView {
        operation: transfer.operation,
        seq: transfer.seq,
        kind: row.kind.name(),
        debit: transfer.debit.to_string(),
        debit_lot: transfer.debit_lot.map(|lot| lot.0),
        credit: transfer.credit.to_string(),
        credit_lot: transfer.credit_lot.map(|lot| lot.0),
        amount: transfer.amount.get(),
        currency: row.currency,
        at: Moment(row.at),
    }
}
