//! Sending payouts: the file for the bank.

use axum::{extract::State, response::Response};
use domain::PayoutId;
use finance::settlement::{Payer, PayoutFormat, send_payouts};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{decision, document};
use crate::{
    auth::Caller,
    error::Problem,
    extract::Json,
    state::AppState,
    wire::{day::Day, schema},
};

/// Payouts to send.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PayoutFileRequest {
    /// 1 to 1000 payouts of one currency, approved or sent before.
    #[schema(value_type = Vec<schema::PayoutId>, min_items = 1, max_items = 1000)]
    payouts: Vec<PayoutId>,
    /// The day the bank is to pay.
    #[schema(value_type = schema::Date)]
    execution: Day,
    /// The account that pays.
    payer: PayerRequest,
}

/// The account that pays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PayerRequest {
    /// Who holds it, at most 140 characters.
    holder_name: String,
    /// Its number: at most 34 letters, digits and hyphens.
    account_number: String,
    /// The bank with its branch.
    bank_name: Option<String>,
    /// The bank's BIC.
    bic: Option<String>,
    /// The bank's number in the national clearing system (联行号): 12 digits.
    clearing_code: Option<String>,
}

/// Send payouts
///
/// Answers with an ISO 20022 pain.001.001.09 file, and posts the payouts: from then on the merchants are owed
/// that much less. Payouts that were sent before are in the file as they were, so that a lost answer can be had
/// again; nothing is posted twice.
#[utoipa::path(
    post,
    path = "/v1/payouts/export",
    tag = "settlement",
    operation_id = "export_payouts",
    request_body = PayoutFileRequest,
    responses((status = 200, description = "The file.", body = String, content_type = "application/xml")),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<PayoutFileRequest>,
) -> Result<Response, Problem> {
    let payer = Payer {
        holder_name: body.payer.holder_name,
        account_number: body.payer.account_number,
        bank_name: body.payer.bank_name,
        bic: body.payer.bic,
        clearing_code: body.payer.clearing_code,
    };
    let by = decision(&caller)?;
    let format = PayoutFormat::Pain001;
    let sent = send_payouts(&app.engine, by, &body.payouts, payer, body.execution.0, format).await?;
    document(sent.bytes, "application/xml", "payouts.xml")
}
