//! How old the differences are about which something is left to do.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::Currency;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{answer::json, auth::Caller, error::Problem, state::AppState, wire::schema};

/// The names of the four ages, in order.
const AGES: [&str; 4] = ["0-7", "8-30", "31-90", "over-90"];

/// Differences of one age and currency.
#[derive(Serialize, ToSchema)]
struct AgeView {
    /// How old, in whole days.
    #[schema(value_type = schema::DifferenceAge)]
    days: &'static str,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// How many.
    count: u64,
    /// What the books would have to move for them in all, either way, in minor units.
    #[schema(value_type = schema::Total)]
    amount: i64,
}

/// Ages of what is left to do.
#[derive(Serialize, ToSchema)]
pub(crate) struct DifferenceAgeing {
    /// By age and currency; ages without differences are left out.
    ages: Vec<AgeView>,
}

/// Ages of open differences
///
/// Open or proposed, by whole days since they happened.
#[utoipa::path(
    get,
    path = "/v1/reconciliation-ageing",
    tag = "reconciliation",
    operation_id = "read_difference_ageing",
    responses((status = 200, description = "The ages.", body = DifferenceAgeing)),
)]
pub(crate) async fn ageing(State(app): State<AppState>, caller: Caller) -> Result<Response, Problem> {
    caller.unbound()?;
    let found = app.engine.store().difference_ageing(caller.issuer()?, app.engine.now()).await?;
    let view = |age: &storage::Ageing| AgeView {
        days: AGES.get(age.bucket).copied().unwrap_or("over-90"),
        currency: age.currency,
        count: age.count,
        amount: age.amount,
    };
    json(StatusCode::OK, &DifferenceAgeing { ages: found.iter().map(view).collect() })
}
