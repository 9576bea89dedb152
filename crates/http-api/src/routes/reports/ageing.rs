//! How old the liability is.

use axum::{extract::State, response::Response};
use domain::{Currency, ProgramId};
use finance::accounting::ageing::Aged;
use serde::Serialize;
use utoipa::ToSchema;

use super::{FormatQuery, ListOf, answer, books};
use crate::{auth::Caller, error::Problem, extract::Query, state::AppState, wire::schema};

/// What cards of one program, source and age hold.
#[derive(Serialize, ToSchema)]
#[schema(as = AgeingLine)]
pub(crate) struct AgeingView {
    /// The program.
    #[schema(value_type = schema::ProgramId)]
    program: ProgramId,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// Where the value came from: `paid`, `employer_funded`, `merchant_funded` or `bonus`.
    source: &'static str,
    /// The time since the cards were activated: `under_3_months`, `3_to_6_months`, `6_to_12_months`,
    /// `1_to_2_years`, `2_to_3_years`, `3_to_5_years` or `over_5_years`.
    age: &'static str,
    /// Cards with such value.
    cards: i64,
    /// On the cards.
    #[schema(value_type = schema::Total)]
    remaining: i64,
    /// Expired, and still to be claimed.
    #[schema(value_type = schema::Total)]
    claimable: i64,
}

/// Ageing
///
/// What is on cards now, by the time since they were activated.
#[utoipa::path(
    get,
    path = "/v1/reports/ageing",
    tag = "reports",
    operation_id = "report_ageing",
    params(FormatQuery),
    responses((status = 200, description = "The report.", content(
        (ListOf<AgeingView> = "application/json"), (String = "text/csv"),
    ))),
)]
pub(crate) async fn ageing(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<FormatQuery>,
) -> Result<Response, Problem> {
    let books = books(&app, &caller)?;
    let lines = books.ageing().await?;
    answer(query.format, || lines.iter().map(show).collect(), || books.ageing_table(&lines))
}

fn show(line: &Aged) -> AgeingView {
    AgeingView {
        program: line.program,
        currency: line.currency,
        source: line.source.name(),
        age: line.age,
        cards: line.cards,
        remaining: line.remaining,
        claimable: line.claimable,
    }
}
