//! Settlement runs: what the server does by itself after each cut-off, at once.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{Currency, MerchantId};
use finance::settlement::{EarlyClose, RunScope};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::Json,
    state::AppState,
    wire::{day::Day, schema},
};

/// How far to settle.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunRequest {
    /// Only periods that end on this day or earlier.
    #[schema(value_type = Option<schema::Date>)]
    through: Option<Day>,
    /// A merchant whose periods that have begun are closed too, though they are not over, as when it leaves.
    /// What it still sells in such a period comes late, onto its next statement.
    #[schema(value_type = Option<schema::MerchantId>)]
    #[serde(default)]
    early: Option<MerchantId>,
}

/// What a run did.
#[derive(Serialize, ToSchema)]
pub(crate) struct SettlementRun {
    /// Operations that were looked at.
    operations: u64,
    /// Lines that were written.
    lines: u64,
    /// Statements that were closed.
    statements: u64,
    /// Payouts that were proposed, by this client.
    payouts: u64,
    /// Their sums.
    amounts: Vec<RunAmount>,
    /// Whether the run goes on after this answer: the counts are what was done so far. Asked again, the answer
    /// waits for its end.
    more: bool,
}

/// What is to be paid in a currency.
#[derive(Serialize, ToSchema)]
pub(crate) struct RunAmount {
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// The sum, in minor units.
    amount: i64,
}

/// Settle
///
/// Takes the log into statements, closes those whose period is over, posts their fees and splits, and proposes
/// payouts. Run again it does nothing twice. The client proposes the payouts; another one has to approve them.
///
/// A run that takes longer than an answer may is answered with 202 and `more`, and goes on. Another run of the
/// issuer begins when it is done.
#[utoipa::path(
    post,
    path = "/v1/settlement-runs",
    tag = "settlement",
    operation_id = "settle",
    request_body = RunRequest,
    responses(
        (status = 200, description = "What was done.", body = SettlementRun),
        (status = 202, description = "What was done so far: the run goes on.", body = SettlementRun),
    ),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<RunRequest>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let actor = caller.actor()?;
    let early = body.early.map(EarlyClose::Merchant);
    let scope = RunScope { through: body.through.map(|day| day.0), early, maker: actor.client };
    // The answer has to be made, too.
    let patience = app.options.answer_timeout * 4 / 5;
    let waited = app.settlement_runs.run(&app.engine, actor.issuer, scope, patience).await?;
    let report = waited.report;
    let amounts = report.amounts.into_iter().map(|(currency, amount)| RunAmount { currency, amount });
    let done = SettlementRun {
        operations: report.operations,
        lines: report.lines,
        statements: report.statements,
        payouts: report.payouts,
        amounts: amounts.collect(),
        more: waited.more,
    };
    json(if waited.more { StatusCode::ACCEPTED } else { StatusCode::OK }, &done)
}
