//! Payments of merchants: what a statement asked a merchant for, as its money arrives.

use axum::{extract::State, response::Response};
use domain::StatementId;
use finance::settlement::pay_invoice;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    answer::{answered, in_time},
    auth::Caller,
    error::Problem,
    extract::Json,
    state::AppState,
    wire::{amount::Positive, operation::Operation, schema, text::Reference},
};

/// A payment of a merchant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MerchantPaymentRequest {
    /// The closed statement that it pays: one that asks for something.
    #[schema(value_type = schema::StatementId)]
    statement: StatementId,
    /// What was paid, in minor units: the statement's figure `invoiced`.
    #[schema(value_type = schema::Amount)]
    amount: Positive,
    /// Your own reference, such as the number on the bank statement; the statement's id if not given.
    #[schema(value_type = Option<schema::Reference>)]
    reference: Option<Reference>,
}

/// Post a payment of a merchant
///
/// A merchant pays what its statement asked for, in full: bank → merchant. The statement is the key: it is paid
/// once, and asked again the answer is the first one's, with `Idempotent-Replayed: true`.
#[utoipa::path(
    post,
    path = "/v1/merchant-payments",
    tag = "settlement",
    operation_id = "post_merchant_payment",
    request_body = MerchantPaymentRequest,
    responses((status = 201, description = "The operation.", body = Operation)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<MerchantPaymentRequest>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let reference = body.reference.map(|text| text.0);
    let paid = pay_invoice(&app.engine, caller.issuer()?, body.statement, body.amount.0, reference);
    answered(&in_time(&app, paid).await??)
}
