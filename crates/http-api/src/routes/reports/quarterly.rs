//! The quarterly report to the authority.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::Currency;
use finance::accounting::quarter::{Quarter, Quarterly, QuarterlyLine, quarterly_table};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
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

/// A quarter as a text.
#[derive(Clone, Copy, Debug)]
struct QuarterName(Quarter);

impl<'de> Deserialize<'de> for QuarterName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Quarter::parse(&text)
            .map(Self)
            .ok_or_else(|| D::Error::custom("a quarter is a year and its number, such as 2026-Q3"))
    }
}

/// Which quarter.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct QuarterlyQuery {
    /// The quarter.
    #[param(value_type = String, pattern = "^(2[0-9]|[3-8][0-9])[0-9]{2}-Q[1-4]$", example = "2026-Q3")]
    quarter: QuarterName,
    /// `json` if not given.
    #[serde(default)]
    #[param(inline, value_type = Option<Format>, nullable = false)]
    format: Format,
}

/// One currency. No figure has a sign but `other`.
#[derive(Serialize, ToSchema)]
#[schema(as = QuarterlyLine)]
pub(crate) struct QuarterlyLineView {
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// 发卡数量: cards sold, less sales undone.
    cards_issued: i64,
    /// 期初预收资金余额: owed when the quarter began.
    #[schema(value_type = schema::Total)]
    opening: i64,
    /// 发卡及充值金额: put on cards by sales and loads, with bonus.
    #[schema(value_type = schema::Total)]
    issued: i64,
    /// 预收资金: of this, what buyers paid.
    #[schema(value_type = schema::Total)]
    prepaid: i64,
    /// 兑付金额: redeemed, less refunds.
    #[schema(value_type = schema::Total)]
    redeemed: i64,
    /// 退卡金额: paid out to holders.
    #[schema(value_type = schema::Total)]
    refunded: i64,
    /// What else changed the balance, signed.
    #[schema(value_type = schema::Total)]
    other: i64,
    /// 期末预收资金余额: owed when the quarter had ended.
    #[schema(value_type = schema::Total)]
    balance: i64,
    /// 存管资金余额: the newest balance of the custody account that was entered for a day of the quarter.
    #[serde(skip_serializing_if = "Option::is_none")]
    custody_balance: Option<FigureView>,
    /// 存管比例: that balance, in basis points of the balance owed.
    #[serde(skip_serializing_if = "Option::is_none")]
    custody_bp: Option<i64>,
}

/// The quarterly report on single-purpose cards.
#[derive(Serialize, ToSchema)]
#[schema(as = QuarterlyReport)]
pub(crate) struct QuarterlyView {
    /// The quarter.
    quarter: String,
    /// Its first day.
    #[schema(value_type = schema::Date)]
    from: Day,
    /// Its last day.
    #[schema(value_type = schema::Date)]
    to: Day,
    /// Whether it has ended. Until then, figures change.
    ended: bool,
    /// The last day to hand it in.
    #[schema(value_type = schema::Date)]
    due: Day,
    /// Whether a day on the way to it is of a year whose holidays are not known.
    due_estimated: bool,
    /// The rules, as a policy pack and its version.
    rules: String,
    /// Where they are from.
    source: String,
    /// By currency.
    lines: Vec<QuarterlyLineView>,
}

/// Quarterly report
///
/// What an issuer of single-purpose cards reports for each quarter (MOFCOM order 9 of 2012, art. 31).
#[utoipa::path(
    get,
    path = "/v1/reports/quarterly",
    tag = "reports",
    operation_id = "report_quarterly",
    params(QuarterlyQuery),
    responses((status = 200, description = "The report.", content(
        (QuarterlyView = "application/json"), (String = "text/csv"),
    ))),
)]
pub(crate) async fn quarterly(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<QuarterlyQuery>,
) -> Result<Response, Problem> {
    let report = books(&app, &caller)?.quarterly(query.quarter.0).await?;
    match query.format {
        Format::Json => json(StatusCode::OK, &show(&report)),
        Format::Csv => csv("quarterly", quarterly_table(&report).to_csv().into()),
    }
}

fn show(report: &Quarterly) -> QuarterlyView {
    QuarterlyView {
        quarter: report.quarter.to_string(),
        from: Day(report.days.from),
        to: Day(report.days.to),
        ended: report.ended,
        due: Day(report.due),
        due_estimated: report.due_estimated,
        rules: report.rule.pack.clone(),
        source: report.rule.source.clone(),
        lines: report.lines.iter().map(show_line).collect(),
    }
}

fn show_line(line: &QuarterlyLine) -> QuarterlyLineView {
    QuarterlyLineView {
        currency: line.currency,
        cards_issued: line.cards_issued,
        opening: line.opening,
        issued: line.issued,
        prepaid: line.prepaid,
        redeemed: line.redeemed,
        refunded: line.refunded,
        other: line.other,
        balance: line.balance,
        custody_balance: line.custody.as_ref().map(FigureView::new),
        custody_bp: line.custody_bp,
    }
}
