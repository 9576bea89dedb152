//! Custody of prepaid money, and the prepaid balance against revenue.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::Currency;
use finance::accounting::{
    Profile,
    custody::{Custody, custody_table},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Format, books, csv, figures::FigureView};
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::Query,
    state::AppState,
    wire::{day::Day, schema},
};

/// On which day.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct CustodyQuery {
    /// The day; today if not given.
    #[param(value_type = Option<schema::Date>, nullable = false)]
    day: Option<Day>,
    /// `json` if not given.
    #[param(inline, value_type = Option<Format>, nullable = false)]
    format: Format,
}

/// A duty: a figure against a base.
#[derive(Serialize, ToSchema)]
pub(crate) struct Duty {
    /// The article.
    article: &'static str,
    /// The base: the prepaid balance at the end of the last quarter, or last year's revenue.
    #[schema(value_type = Option<schema::Total>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<i64>,
    /// The figure, in basis points of the base. Absent where one of the two is missing or the base is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio_bp: Option<i64>,
    /// What it must be at least (custody), or at most (prepaid balance), in basis points.
    limit_bp: i64,
    /// `met`, `near` (by less than a tenth), `breached`, or `unknown` while a figure has not been entered.
    standing: &'static str,
}

/// Both duties of an issuer of single-purpose cards.
#[derive(Serialize, ToSchema)]
#[schema(as = CustodyReport)]
pub(crate) struct CustodyView {
    /// The day.
    #[schema(value_type = schema::Date)]
    day: Day,
    /// The currency of all amounts.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// The rules, as a policy pack and its version.
    rules: String,
    /// The kind of issuer: `scale`, `group` or `brand`.
    issuer_kind: &'static str,
    /// The last day of the quarter before.
    #[schema(value_type = schema::Date)]
    base_day: Day,
    /// What has to be in custody at least.
    #[schema(value_type = schema::Total)]
    required: i64,
    /// The balance of the custody account that was entered last, a year ago at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    custody_balance: Option<FigureView>,
    /// Enough in custody.
    custody: Duty,
    /// What is owed at the end of the day: on cards, and expired.
    #[schema(value_type = schema::Total)]
    prepaid_balance: i64,
    /// The revenue of the main business in the year before.
    #[serde(skip_serializing_if = "Option::is_none")]
    revenue: Option<FigureView>,
    /// Not too much prepaid.
    prepaid: Duty,
}

/// Custody
///
/// How the duties of an issuer of single-purpose cards stand on a day: money in custody, and the prepaid
/// balance against revenue (MOFCOM order 9 of 2012, art. 26 and 25).
#[utoipa::path(
    get,
    path = "/v1/reports/custody",
    tag = "reports",
    operation_id = "report_custody",
    params(CustodyQuery),
    responses((status = 200, description = "The report.", content(
        (CustodyView = "application/json"), (String = "text/csv"),
    ))),
)]
pub(crate) async fn custody(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<CustodyQuery>,
) -> Result<Response, Problem> {
    let books = books(&app, &caller)?;
    let report = books.custody(query.day.map_or_else(|| books.today(), |day| day.0)).await?;
    match query.format {
        Format::Json => json(StatusCode::OK, &show(&report)),
        Format::Csv => csv("custody", custody_table(&report).to_csv().into()),
    }
}

fn show(report: &Custody) -> CustodyView {
    let Profile { kind, services } = report.profile;
    CustodyView {
        day: Day(report.day),
        currency: report.rules.currency,
        rules: report.rules.pack.clone(),
        issuer_kind: kind.name(),
        base_day: Day(report.base_day),
        required: report.required,
        custody_balance: report.custody.as_ref().map(FigureView::new),
        custody: Duty {
            article: "26",
            base: Some(report.base),
            ratio_bp: report.custody_bp,
            limit_bp: report.rules.custody_bp(kind),
            standing: report.custody_standing.name(),
        },
        prepaid_balance: report.prepaid,
        revenue: report.revenue.as_ref().map(FigureView::new),
        prepaid: Duty {
            article: "25",
            base: report.revenue.as_ref().map(|figure| figure.amount.get()),
            ratio_bp: report.revenue_bp,
            limit_bp: report.rules.revenue_bp(services),
            standing: report.revenue_standing.name(),
        },
    }
}
