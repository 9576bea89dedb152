//! Dry run: what other terms would have cost.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::MerchantId;
use finance::settlement::{Comparison, compare};
use serde::{Deserialize, Serialize};
use settlement::Terms;
use utoipa::ToSchema;

use super::merchant;
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::Json,
    state::AppState,
    wire::{day::Day, schema},
};

/// Terms to try on a past period.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DryRunRequest {
    /// A merchant; without one, all.
    #[schema(value_type = Option<schema::MerchantId>)]
    merchant: Option<MerchantId>,
    /// The first day.
    #[schema(value_type = schema::Date)]
    from: Day,
    /// The last day.
    #[schema(value_type = schema::Date)]
    to: Day,
    /// The terms to try.
    #[schema(value_type = schema::Terms)]
    terms: Terms,
}

/// What was paid, and what would have been paid, without yearly fees.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct DryRunFees {
    /// The merchant; absent in the sum of all.
    #[schema(value_type = Option<schema::MerchantId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<MerchantId>,
    /// Its sales, in minor units.
    sales: i64,
    /// How many.
    sales_count: u64,
    /// Fees charged less fees given back, in minor units.
    fees: i64,
    /// The same under the terms to try, in minor units.
    candidate_fees: i64,
}

/// A dry run.
#[derive(Serialize, ToSchema)]
pub(crate) struct DryRun {
    /// For each merchant.
    merchants: Vec<DryRunFees>,
    /// For all.
    total: DryRunFees,
}

/// Try terms on a past period
///
/// Compares the fees that were charged on a period with those that other terms would have charged. Writes
/// nothing. Days are those on which operations were made; tiers begin at zero with the period.
#[utoipa::path(
    post,
    path = "/v1/agreements/dry-run",
    tag = "settlement",
    operation_id = "dry_run_agreement",
    request_body = DryRunRequest,
    responses((status = 200, description = "The comparison.", body = DryRun)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<DryRunRequest>,
) -> Result<Response, Problem> {
    let merchant = merchant(&caller, body.merchant)?;
    let comparison = Comparison { merchant, from: body.from.0, to: body.to.0, terms: body.terms };
    let compared = compare(&app.engine, caller.issuer()?, &comparison).await?;
    let mut total = DryRunFees::default();
    let merchants = compared.into_iter().map(|(merchant, of)| {
        total.sales = total.sales.saturating_add(of.sales);
        total.sales_count = total.sales_count.saturating_add(of.sales_count);
        total.fees = total.fees.saturating_add(of.fees);
        total.candidate_fees = total.candidate_fees.saturating_add(of.candidate_fees);
        DryRunFees {
            merchant: Some(merchant),
            sales: of.sales,
            sales_count: of.sales_count,
            fees: of.fees,
            candidate_fees: of.candidate_fees,
        }
    });
    let merchants = merchants.collect();
    json(StatusCode::OK, &DryRun { merchants, total })
}
