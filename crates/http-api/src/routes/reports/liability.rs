//! What was owed to holders, what changed it, and what is owed.

use axum::{extract::State, response::Response};
use domain::{Currency, ProgramId};
use finance::accounting::liability::{Change, Liability, RollForward};
use serde::Serialize;
use utoipa::ToSchema;

use super::{DaysQuery, ListOf, answer, books, days};
use crate::{auth::Caller, error::Problem, extract::Query, state::AppState, wire::schema};

/// A liability in one currency over some business days. `opening` and all changes, which are signed, add up to
/// `closing`.
#[derive(Serialize, ToSchema)]
#[schema(as = LiabilityLine)]
pub(crate) struct LiabilityView {
    /// `cards`: value on the cards of a program. `residual`: value that expired and can still be claimed.
    #[schema(pattern = "^(cards|residual)$")]
    liability: &'static str,
    /// The program, of cards.
    #[schema(value_type = Option<schema::ProgramId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<ProgramId>,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// Owed when the first day began, by the ledger.
    #[schema(value_type = schema::Total)]
    opening: i64,
    /// Cards sold, with bonus.
    #[schema(value_type = schema::Total)]
    issued: i64,
    /// Loads, with bonus.
    #[schema(value_type = schema::Total)]
    loaded: i64,
    /// Redemptions and captures.
    #[schema(value_type = schema::Total)]
    redeemed: i64,
    /// Refunds by merchants.
    #[schema(value_type = schema::Total)]
    refunded: i64,
    /// Expiries: off the cards, into the residual account or income.
    #[schema(value_type = schema::Total)]
    expired: i64,
    /// Expired value that was put on a card again.
    #[schema(value_type = schema::Total)]
    reactivated: i64,
    /// From card to card.
    #[schema(value_type = schema::Total)]
    transferred: i64,
    /// Paid out to holders.
    #[schema(value_type = schema::Total)]
    paid_out: i64,
    /// Bonus that holders lost when paid out.
    #[schema(value_type = schema::Total)]
    forfeited: i64,
    /// Corrections.
    #[schema(value_type = schema::Total)]
    adjusted: i64,
    /// Residual value recognised as income.
    #[schema(value_type = schema::Total)]
    breakage: i64,
    /// Anything else.
    #[schema(value_type = schema::Total)]
    other: i64,
    /// Owed when the last day had ended, by the ledger.
    #[schema(value_type = schema::Total)]
    closing: i64,
    /// What the ledger says beyond opening and changes: nothing, or the journal is wrong.
    #[schema(value_type = schema::Total)]
    difference: i64,
    /// Of what was issued and loaded, what the issuer gave on top.
    #[schema(value_type = schema::Total)]
    bonus: i64,
    /// Cards sold, less sales undone.
    cards_issued: i64,
}

/// Liability
///
/// The roll-forward of the contract liability, by program and currency. Exact at any moment; days that have not
/// ended change.
#[utoipa::path(
    get,
    path = "/v1/reports/liability",
    tag = "reports",
    operation_id = "report_liability",
    params(DaysQuery),
    responses((status = 200, description = "The report.", content(
        (ListOf<LiabilityView> = "application/json"), (String = "text/csv"),
    ))),
)]
pub(crate) async fn liability(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<DaysQuery>,
) -> Result<Response, Problem> {
    let books = books(&app, &caller)?;
    let lines = books.liability(days(query.from.0, query.to.0)?).await?;
    answer(query.format, || lines.iter().map(show).collect(), || books.liability_table(&lines))
}

fn show(line: &RollForward) -> LiabilityView {
    let (liability, program) = match line.liability {
        Liability::Cards(program) => ("cards", Some(program)),
        Liability::Residual => ("residual", None),
    };
    LiabilityView {
        liability,
        program,
        currency: line.currency,
        opening: line.opening,
        issued: line.change(Change::Issued),
        loaded: line.change(Change::Loaded),
        redeemed: line.change(Change::Redeemed),
        refunded: line.change(Change::Refunded),
        expired: line.change(Change::Expired),
        reactivated: line.change(Change::Reactivated),
        transferred: line.change(Change::Transferred),
        paid_out: line.change(Change::PaidOut),
        forfeited: line.change(Change::Forfeited),
        adjusted: line.change(Change::Adjusted),
        breakage: line.change(Change::Breakage),
        other: line.change(Change::Other),
        closing: line.closing,
        difference: line.difference(),
        bonus: line.bonus,
        cards_issued: line.cards_issued,
    }
}
