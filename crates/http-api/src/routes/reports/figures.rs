//! Figures that finance enters: balances of the custody account, and yearly revenue. A correction is a new
//! version; the newest counts.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{Amount, BusinessDate, ClientId, Currency};
use serde::{Deserialize, Serialize};
use storage::Figure;
use utoipa::ToSchema;

use super::books;
use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    extract::Json,
    state::AppState,
    wire::{amount::AnyAmount, card::given, day::Day, moment::Moment, schema, text::Reason},
};

/// The balance of the custody account at the end of a day.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CustodyBalanceRequest {
    /// The day.
    #[schema(value_type = schema::Date)]
    day: Day,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// The balance, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    amount: AnyAmount,
    /// Where the figure is from, such as a statement of the bank.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::Reason>, nullable = false)]
    note: Option<Reason>,
}

/// The revenue of the main business in a year.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevenueRequest {
    /// The year.
    #[schema(minimum = 2000, maximum = 9999)]
    year: i32,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// The revenue, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    amount: AnyAmount,
    /// Where the figure is from.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::Reason>, nullable = false)]
    note: Option<Reason>,
}

/// A figure that finance entered.
#[derive(Serialize, ToSchema)]
#[schema(as = Figure)]
pub(crate) struct FigureView {
    /// The day, of a balance.
    #[schema(value_type = Option<schema::Date>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<Day>,
    /// The year, of a revenue.
    #[serde(skip_serializing_if = "Option::is_none")]
    year: Option<i32>,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// In minor units.
    #[schema(value_type = schema::AnyAmount)]
    amount: Amount,
    /// Where it is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// 1, 2, 3 …
    version: u32,
    /// Who entered it.
    #[schema(value_type = schema::ClientId)]
    client: ClientId,
    /// When.
    #[schema(value_type = schema::Moment)]
    entered_at: Moment,
}

impl FigureView {
    pub(crate) fn new(figure: &Figure) -> Self {
        let is_day = figure.kind == storage::FigureKind::CustodyBalance;
        Self {
            day: is_day.then(|| Day(BusinessDate::from_stored(figure.period))),
            year: (!is_day).then_some(figure.period),
            currency: figure.currency,
            amount: figure.amount,
            note: figure.note.clone(),
            version: figure.version,
            client: figure.client,
            entered_at: Moment(figure.entered_at),
        }
    }
}

fn about(error: finance::accounting::AccountingError, pointer: &'static str) -> Problem {
    match error {
        finance::accounting::AccountingError::Days(why) => {
            Problem::new(Code::TermsContradict, why).at(pointer)
        }
        other => other.into(),
    }
}

/// Enter a custody balance
///
/// The balance of the custody account at the end of a day. The same again changes nothing; another amount or
/// note is the next version, and the versions before stay.
#[utoipa::path(
    put,
    path = "/v1/reports/custody/balance",
    tag = "reports",
    operation_id = "enter_custody_balance",
    request_body = CustodyBalanceRequest,
    responses((status = 200, description = "The figure as it now counts.", body = FigureView)),
)]
pub(crate) async fn custody_balance(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<CustodyBalanceRequest>,
) -> Result<Response, Problem> {
    let books = books(&app, &caller)?;
    let note = body.note.map(|note| note.0);
    let entered = books.enter_custody(body.day.0, body.currency, body.amount.0, note, caller.0.id).await;
    json(StatusCode::OK, &FigureView::new(&entered.map_err(|error| about(error, "/day"))?))
}

/// Enter a year's revenue
///
/// The revenue of the main business, which limits what may be prepaid in the next year. The same again changes
/// nothing; another amount or note is the next version, and the versions before stay.
#[utoipa::path(
    put,
    path = "/v1/reports/custody/revenue",
    tag = "reports",
    operation_id = "enter_revenue",
    request_body = RevenueRequest,
    responses((status = 200, description = "The figure as it now counts.", body = FigureView)),
)]
pub(crate) async fn revenue(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<RevenueRequest>,
) -> Result<Response, Problem> {
    let books = books(&app, &caller)?;
    let note = body.note.map(|note| note.0);
    let entered = books.enter_revenue(body.year, body.currency, body.amount.0, note, caller.0.id).await;
    json(StatusCode::OK, &FigureView::new(&entered.map_err(|error| about(error, "/year"))?))
}
