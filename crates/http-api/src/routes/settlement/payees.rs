//! Bank accounts of merchants.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{Currency, MerchantId, PayeeId};
use finance::settlement::{NewPayee, add_payee};
use serde::{Deserialize, Serialize};
use settlement::Payee;
use utoipa::{IntoParams, ToSchema};

use super::unknown;
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::{Json, Query},
    page::{Cursor, Limit, PageOf, page},
    state::AppState,
    wire::{day::Day, moment::Moment, schema},
};

/// A bank account to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PayeeRequest {
    /// The merchant.
    #[schema(value_type = schema::MerchantId)]
    merchant: MerchantId,
    /// The currency of the payouts that it receives.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// The first day on which payouts go there.
    #[schema(value_type = schema::Date)]
    effective_from: Day,
    /// Who holds it, at most 140 characters.
    holder_name: String,
    /// Its number or IBAN: 5 to 34 digits and capital letters.
    account_number: String,
    /// The bank with its branch, at most 140 characters.
    bank_name: String,
    /// The bank's BIC.
    bic: Option<String>,
    /// The bank's number in the national clearing system (联行号): 12 digits.
    clearing_code: Option<String>,
}

/// A bank account. Its number is masked.
#[derive(Serialize, ToSchema)]
#[schema(as = Payee)]
pub(crate) struct PayeeView {
    /// Its id.
    #[schema(value_type = schema::PayeeId)]
    id: PayeeId,
    /// Its merchant.
    #[schema(value_type = schema::MerchantId)]
    merchant: MerchantId,
    /// Its currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// The first day on which payouts go there.
    #[schema(value_type = schema::Date)]
    effective_from: Day,
    /// Who holds it.
    holder_name: String,
    /// Its number, with all but the last four characters hidden.
    account_number: String,
    /// The bank.
    bank_name: String,
    /// The bank's BIC.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    bic: Option<String>,
    /// The bank's number in the national clearing system.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    clearing_code: Option<String>,
    /// When it was made.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
}

impl PayeeView {
    fn new(of: Payee) -> Self {
        let account_number = of.masked_number();
        Self {
            id: of.id,
            merchant: of.merchant,
            currency: of.currency,
            effective_from: Day(of.effective_from),
            holder_name: of.holder_name,
            account_number,
            bank_name: of.bank_name,
            bic: of.bic,
            clearing_code: of.clearing_code,
            created_at: Moment(of.created_at),
        }
    }
}

/// Whose bank accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PayeesQuery {
    /// How many items: 1 to 200, 50 if not given.
    #[param(value_type = Option<schema::Limit>, nullable = false)]
    #[serde(default)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<schema::Cursor>, nullable = false)]
    #[serde(default)]
    cursor: Option<Cursor>,
    /// The merchant.
    #[param(value_type = schema::MerchantId)]
    merchant: MerchantId,
}

/// Add a bank account
///
/// Never changed: from its first day on it takes the place of the one before it.
#[utoipa::path(
    post,
    path = "/v1/payees",
    tag = "settlement",
    operation_id = "create_payee",
    request_body = PayeeRequest,
    responses((status = 201, description = "The account.", body = PayeeView)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<PayeeRequest>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let actor = caller.actor()?;
    let new = NewPayee {
        merchant: body.merchant,
        currency: body.currency,
        effective_from: body.effective_from.0,
        holder_name: body.holder_name,
        account_number: body.account_number,
        bank_name: body.bank_name,
        bic: body.bic,
        clearing_code: body.clearing_code,
    };
    let payee = add_payee(&app.engine, actor.issuer, actor.client, new).await?;
    json(StatusCode::CREATED, &PayeeView::new(payee))
}

/// List the bank accounts of a merchant
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/payees",
    tag = "settlement",
    operation_id = "list_payees",
    params(PayeesQuery),
    responses((status = 200, description = "A page of accounts.", body = PageOf<PayeeView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<PayeesQuery>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    if !caller.sees(Some(query.merchant)) {
        return Err(unknown("merchant").parameter("merchant"));
    }
    let before = query.cursor.map(|cursor| PayeeId::new(cursor.0));
    let found = app.engine.store().payees(issuer, query.merchant, before, query.limit.0).await?;
    page(found.items.into_iter().map(PayeeView::new).collect(), found.next)
}
