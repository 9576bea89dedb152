//! The trial balance: what all accounts gave and received, equal in sum within each currency.

use std::collections::BTreeMap;

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{Currency, account::AccountKind};
use serde::{Deserialize, Serialize};
use storage::{BalanceLine, LedgerLine};
use utoipa::{IntoParams, ToSchema};

use super::{balance, normal_side};
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::Query,
    state::AppState,
    wire::{moment::Moment, schema},
};

/// When.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct AtQuery {
    /// All operations before this moment; all until now if not given.
    #[param(value_type = Option<schema::Moment>, nullable = false)]
    pub at: Option<Moment>,
}

/// One account in one currency.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrialBalanceLine {
    /// The account, or `cards:prog_…` for all cards of a program.
    account: String,
    /// The currency of its sums.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// The side on which its balance is usually found.
    #[schema(value_type = schema::NormalSide)]
    normal_side: &'static str,
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

/// All lines of one currency.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrialBalanceTotal {
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// The sum of all debits, in minor units.
    #[schema(value_type = schema::Total)]
    debits: i64,
    /// The sum of all credits, in minor units.
    #[schema(value_type = schema::Total)]
    credits: i64,
}

/// All accounts of an issuer.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrialBalance {
    /// The accounts, each once for each currency in which it moved value.
    lines: Vec<TrialBalanceLine>,
    /// The sums of all lines, by currency code. Empty if nothing ever moved.
    totals: Vec<TrialBalanceTotal>,
    /// Whether debits and credits are equal in each currency, as they always are.
    balanced: bool,
    /// The moment it is about.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Moment>,
}

/// Trial balance
///
/// Debits and credits of all accounts at a moment, equal in sum within each currency. Programs of one
/// issuer may have different currencies, whose amounts are never added together.
#[utoipa::path(
    get,
    path = "/v1/ledger/trial-balance",
    tag = "ledger",
    operation_id = "trial_balance",
    params(AtQuery),
    responses((status = 200, description = "The trial balance.", body = TrialBalance)),
)]
pub(crate) async fn trial_balance(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<AtQuery>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    caller.unbound()?;
    let lines = app.engine.store().trial_balance(issuer, query.at.map(|at| at.0)).await?;
    let totals = totals(&lines);
    let balanced = totals.iter().all(|total| total.debits == total.credits);
    let lines = lines.iter().map(show).collect();
    json(StatusCode::OK, &TrialBalance { lines, totals, balanced, at: query.at })
}

fn totals(lines: &[BalanceLine]) -> Vec<TrialBalanceTotal> {
    let mut sums = BTreeMap::<Currency, (i64, i64)>::new();
    for line in lines {
        let (debits, credits) = sums.entry(line.currency).or_default();
        *debits = debits.saturating_add(line.debits);
        *credits = credits.saturating_add(line.credits);
    }
    let total = |(currency, (debits, credits))| TrialBalanceTotal { currency, debits, credits };
    sums.into_iter().map(total).collect()
}

fn show(line: &BalanceLine) -> TrialBalanceLine {
    let (account, kind) = match line.line {
        LedgerLine::Cards(program) => (format!("cards:{program}"), AccountKind::Card),
        LedgerLine::Account(account) => (account.to_string(), account.kind()),
    };
    TrialBalanceLine {
        account,
        currency: line.currency,
        normal_side: normal_side(kind),
        debits: line.debits,
        credits: line.credits,
        balance: balance(kind, line.debits, line.credits),
    }
}
