//! Value that nobody is expected to redeem, estimated against what was recognised.

use axum::{extract::State, response::Response};
use domain::{Currency, ProgramId};
use finance::accounting::breakage::{Breakage, Estimate};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Format, ListOf, answer, books};
use crate::{
    auth::Caller,
    error::Problem,
    extract::Query,
    state::AppState,
    wire::{day::Day, schema},
};

/// Until when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct BreakageQuery {
    /// The last business day that counts; today if not given.
    #[param(value_type = Option<schema::Date>, nullable = false)]
    to: Option<Day>,
    /// `json` if not given.
    #[param(inline, value_type = Option<Format>, nullable = false)]
    format: Format,
}

/// The estimate of a program, since its first card.
#[derive(Serialize, ToSchema)]
#[schema(as = BreakageLine)]
pub(crate) struct BreakageView {
    /// The program.
    #[schema(value_type = schema::ProgramId)]
    program: ProgramId,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// Put on cards, less what was paid out, forfeited or corrected.
    #[schema(value_type = schema::Total)]
    granted: i64,
    /// Redeemed, less what was refunded.
    #[schema(value_type = schema::Total)]
    redeemed: i64,
    /// Expired into income.
    #[schema(value_type = schema::Total)]
    recognised: i64,
    /// Absent while finance has not stated an expectation for the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<EstimateView>,
}

/// What an expectation comes to.
#[derive(Serialize, ToSchema)]
#[schema(as = BreakageEstimate)]
pub(crate) struct EstimateView {
    /// The share that is expected to be redeemed, in basis points.
    expected_redemption_bp: u16,
    /// Expected never to be redeemed.
    #[schema(value_type = schema::Total)]
    expected: i64,
    /// Of this, what redemptions so far have earned.
    #[schema(value_type = schema::Total)]
    earned: i64,
    /// Still to be recognised; negative if too much was.
    #[schema(value_type = schema::Total)]
    difference: i64,
}

/// Breakage
///
/// In proportion to redemptions (CAS 14, IFRS 15). Off for every program until finance states an expectation.
#[utoipa::path(
    get,
    path = "/v1/reports/breakage",
    tag = "reports",
    operation_id = "report_breakage",
    params(BreakageQuery),
    responses((status = 200, description = "The report.", content(
        (ListOf<BreakageView> = "application/json"), (String = "text/csv"),
    ))),
)]
pub(crate) async fn breakage(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<BreakageQuery>,
) -> Result<Response, Problem> {
    let books = books(&app, &caller)?;
    let lines = books.breakage(query.to.map_or_else(|| books.today(), |day| day.0)).await?;
    answer(query.format, || lines.iter().map(show).collect(), || books.breakage_table(&lines))
}

fn show(line: &Breakage) -> BreakageView {
    let estimate = |of: Estimate| EstimateView {
        expected_redemption_bp: of.expected_redemption_bp,
        expected: of.expected,
        earned: of.earned,
        difference: of.difference,
    };
    BreakageView {
        program: line.program,
        currency: line.currency,
        granted: line.granted,
        redeemed: line.redeemed,
        recognised: line.recognised,
        estimate: line.estimate.map(estimate),
    }
}
