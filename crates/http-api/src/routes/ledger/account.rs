//! The totals and balance of one account, in each currency.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{Currency, account::AccountKind};
use serde::Serialize;
use storage::AccountTotals;
use utoipa::ToSchema;

use super::{AccountName, balance, check_own, normal_side, trial_balance::AtQuery};
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::{Named, Query},
    state::AppState,
    wire::{moment::Moment, schema},
};

/// The sums of an account in one currency.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountTotal {
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// What it gave, in minor units.
    #[schema(value_type = schema::Total)]
    debits: i64,
    /// What it received, in minor units.
    #[schema(value_type = schema::Total)]
    credits: i64,
    /// Debits less credits of a debit-normal account, credits less debits of a credit-normal one.
    #[schema(value_type = schema::Total)]
    balance: i64,
}

/// One account.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountBalance {
    /// The account.
    #[schema(value_type = schema::Account)]
    account: String,
    /// The side on which its balance is usually found.
    #[schema(value_type = schema::NormalSide)]
    normal_side: &'static str,
    /// Its sums, by currency code: one for each currency in which it moved value, none if it never did.
    totals: Vec<AccountTotal>,
    /// The moment it is about.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Moment>,
}

/// Balance of an account
///
/// One balance for each currency in which the account moved value, none if it never did.
///
/// Debit-normal: `bank`, `channel`, `promotion`, `suspense`. Credit-normal: `card`, `merchant`, `fees`,
/// `breakage`, `residual`.
#[utoipa::path(
    get,
    path = "/v1/ledger/accounts/{account}",
    tag = "ledger",
    operation_id = "read_account",
    params(("account" = schema::Account, Path, description = "The account."), AtQuery),
    responses((status = 200, description = "Its totals.", body = AccountBalance)),
)]
pub(crate) async fn account(
    State(app): State<AppState>,
    caller: Caller,
    Named(AccountName(account)): Named<AccountName>,
    Query(query): Query<AtQuery>,
) -> Result<Response, Problem> {
    check_own(&app, &caller, account).await?;
    let at = query.at.map(|at| at.0);
    let totals = app.engine.store().account_totals(caller.issuer()?, account, at).await?;
    let kind = account.kind();
    let shown = AccountBalance {
        account: account.to_string(),
        normal_side: normal_side(kind),
        totals: totals.iter().map(|totals| show(kind, totals)).collect(),
        at: query.at,
    };
    json(StatusCode::OK, &shown)
}

fn show(kind: AccountKind, totals: &AccountTotals) -> AccountTotal {
    let AccountTotals { currency, debits, credits } = *totals;
    AccountTotal { currency, debits, credits, balance: balance(kind, debits, credits) }
}
