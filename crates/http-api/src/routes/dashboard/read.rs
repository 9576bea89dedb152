//! The figures of today and yesterday, what is owed and what waits. Counts in memory and bounded questions, never a
//! walk over the log.

use std::collections::BTreeMap;

use activity::{Figures, Of, Sums};
use axum::{extract::State, http::StatusCode, response::Response};
use domain::{BusinessDate, Currency, IssuerId, Timestamp, catalog::Scope};
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use serde::Serialize;
use settlement::PayoutStatus;
use storage::PayoutFilter;
use utoipa::ToSchema;

use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    state::AppState,
    wire::{day::Day, moment::Moment, schema},
};

/// The most payouts that are summed up.
const MAX_PAYOUTS: usize = 1_000;

/// What a span of time comes to, in one currency. Sums are in minor units.
#[derive(Serialize, ToSchema)]
#[schema(as = DashboardTotal)]
struct TotalView {
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// Redemptions and captures that were approved.
    #[schema(value_type = schema::Total)]
    sales: i64,
    /// How many.
    count: i64,
    /// Sales that were reversed, at the moment of the reversal, whenever they were made.
    #[schema(value_type = schema::Total)]
    reversed: i64,
    /// How many.
    reversed_count: i64,
    /// Refunds, less those that were reversed.
    #[schema(value_type = schema::Total)]
    refunds: i64,
    /// How many.
    refund_count: i64,
}

/// Sales that were declined for one reason.
#[derive(Serialize, ToSchema)]
#[schema(as = DashboardDeclines)]
struct DeclinesView {
    /// The reason.
    #[schema(value_type = schema::DeclineCode)]
    code: &'static str,
    /// How many.
    count: i64,
}

/// An hour of a day. On the day when clocks change there are 23 or 25.
#[derive(Serialize, ToSchema)]
#[schema(as = DashboardHour)]
struct HourView {
    /// When it begins.
    #[schema(value_type = schema::Moment)]
    starts_at: Moment,
    /// What it came to, by currency.
    totals: Vec<TotalView>,
}

/// A day.
#[derive(Serialize, ToSchema)]
#[schema(as = DashboardDay)]
struct DayView {
    /// The day, in the issuer's time zone.
    #[schema(value_type = schema::Date)]
    date: Day,
    /// What it came to, by currency.
    totals: Vec<TotalView>,
    /// Sales that were declined, the most frequent reason first.
    declined: Vec<DeclinesView>,
    /// By hour, of today up to the one that is running.
    by_hour: Vec<HourView>,
}

/// What yesterday had come to at this time of the day, to compare today with.
#[derive(Serialize, ToSchema)]
#[schema(as = DashboardComparison)]
struct ComparisonView {
    /// The moment of yesterday up to which it is counted: at most five minutes, or fifteen for a merchant, before
    /// this time.
    #[schema(value_type = schema::Moment)]
    until: Moment,
    /// What it came to, by currency.
    totals: Vec<TotalView>,
}

/// An amount that is owed.
#[derive(Serialize, ToSchema)]
#[schema(as = DashboardAmount)]
struct AmountView {
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// In minor units.
    #[schema(value_type = schema::Total)]
    amount: i64,
}

/// Payouts in one status and currency.
#[derive(Serialize, ToSchema)]
#[schema(as = DashboardPayouts)]
struct PayoutsView {
    /// `proposed`: waits for a second person. `approved`: waits to be sent.
    #[schema(value_type = schema::PayoutStatus)]
    status: &'static str,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// How many.
    count: i64,
    /// What they come to.
    #[schema(value_type = schema::Total)]
    amount: i64,
}

/// What is to be paid to merchants.
#[derive(Serialize, ToSchema)]
#[schema(as = DashboardSettlement)]
struct SettlementView {
    /// Payouts that wait.
    payouts: Vec<PayoutsView>,
    /// Whether there are more than were counted.
    more: bool,
    /// The earliest day on which one is due.
    #[schema(value_type = Option<schema::Date>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_due_on: Option<Day>,
}

/// How long sales took in the last five minutes, on the node that answers: from the head of the request to its
/// answer, in microseconds, at most a fifth above the truth.
#[derive(Serialize, ToSchema)]
#[schema(as = DashboardLatency)]
struct LatencyView {
    /// How many there were.
    count: u64,
    /// Half of them took no longer.
    p50_us: u64,
    /// All but one of a hundred took no longer.
    p99_us: u64,
}

/// What today looks like. What the caller has no scope for is left out.
#[derive(Serialize, ToSchema)]
pub(crate) struct Dashboard {
    /// When this was counted.
    #[schema(value_type = schema::Moment)]
    at: Moment,
    /// The issuer's time zone.
    time_zone: String,
    /// `false` for some seconds after the server has started, while it still counts what was before.
    complete: bool,
    /// Today. Left out where there are too many merchants to count each.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    today: Option<DayView>,
    /// All of yesterday.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    yesterday: Option<DayView>,
    /// Yesterday up to the same time.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    yesterday_by_now: Option<ComparisonView>,
    /// What is owed to holders of cards, by currency. Needs `accounting_read` or `ledger_read`.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    liability: Option<Vec<AmountView>>,
    /// What is to be paid to merchants. Needs `settlement_read`.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    settlement: Option<SettlementView>,
    /// Requests that wait for a second person. Needs a scope that approves.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    approvals_pending: Option<u64>,
    /// How long sales take. Needs `service_read`. Left out where there were none.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<LatencyView>,
}

/// Dashboard
///
/// Sales, refunds and declines of today and yesterday as they are being made, what is owed and what waits. Days are
/// the issuer's. A client that is bound to a merchant sees its merchant's sales.
#[utoipa::path(
    get,
    path = "/v1/dashboard",
    tag = "dashboard",
    operation_id = "read_dashboard",
    responses((status = 200, description = "The dashboard.", body = Dashboard)),
)]
pub(crate) async fn read(State(app): State<AppState>, caller: Caller) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    let now = app.engine.now();
    crate::dashboard::follow(&app);
    app.dashboard.catch_up(now).await?;
    let of = caller.merchant().map_or(Of::Issuer(issuer), Of::Merchant);
    let view = app.dashboard.follower.view(of);
    let name = time_zone(&app, issuer)?;
    let clock = Clock::new(now, &name)?;
    let figures = view.figures.as_ref();
    let body = Dashboard {
        at: Moment(now),
        time_zone: name,
        complete: view.is_complete,
        today: figures.map(|figures| clock.day(figures, clock.today)),
        yesterday: figures.map(|figures| clock.day(figures, clock.yesterday)),
        yesterday_by_now: figures.map(|figures| clock.by_now(figures)),
        liability: liability(&app, &caller, issuer).await?,
        settlement: settlement(&app, &caller, issuer).await?,
        approvals_pending: approvals(&app, &caller, issuer).await?,
        latency: latency(&app, &caller),
    };
    json(StatusCode::OK, &body)
}

fn time_zone(app: &AppState, issuer: IssuerId) -> Result<String, Problem> {
    let catalog = app.engine.catalog();
    let found = catalog.issuers.get(&issuer).map(|issuer| issuer.time_zone.clone());
    found.ok_or_else(|| Problem::new(Code::IssuerUnknown, "the issuer is not known any more"))
}

fn has(caller: &Caller, any: &[Scope]) -> bool {
    any.iter().any(|scope| caller.0.scopes.contains(scope))
}

/// Today and yesterday, where the issuer is.
struct Clock {
    now: Timestamp,
    zone: TimeZone,
    today: Date,
    yesterday: Date,
}

impl Clock {
    fn new(now: Timestamp, zone: &str) -> Result<Self, Problem> {
        let wrong = |_| Problem::new(Code::Internal, "the issuer's time zone is not known to this server");
        let zone = TimeZone::get(zone).map_err(wrong)?;
        let today = now.date_in(&zone);
        let yesterday = today.yesterday().unwrap_or(Date::MIN);
        Ok(Self { now, zone, today, yesterday })
    }

    /// When a day begins.
    fn start(&self, date: Date) -> Timestamp {
        let before = date.yesterday().unwrap_or(Date::MIN);
        Timestamp::from_micros(Timestamp::end_of(before, &self.zone).micros().saturating_add(1))
    }

    fn day(&self, figures: &Figures, date: Date) -> DayView {
        let (from, end) = (self.start(date), Timestamp::end_of(date, &self.zone));
        let until = Timestamp::from_micros(end.micros().saturating_add(1));
        let declined = figures.declines(from, until);
        DayView {
            date: Day(BusinessDate::from_date(date)),
            totals: totals(&figures.sums(from, until)),
            declined: declined
                .into_iter()
                .map(|(decline, count)| DeclinesView { code: decline.code(), count })
                .collect(),
            by_hour: Self::hours(figures, from, until.min(self.now)),
        }
    }

    /// Hours by the clock on the wall, which in some zones begin at a half or a quarter of the world's.
    fn hours(figures: &Figures, from: Timestamp, until: Timestamp) -> Vec<HourView> {
        let (mut hours, mut start) = (Vec::with_capacity(25), from);
        while start < until || (hours.is_empty() && start <= until) {
            let end = start.plus_seconds(3600);
            let totals = totals(&figures.sums(start, end));
            hours.push(HourView { starts_at: Moment(start), totals });
            start = end;
        }
        hours
    }

    /// The same time of yesterday, by the clock on the wall.
    fn by_now(&self, figures: &Figures) -> ComparisonView {
        let here = jiff::Timestamp::from_microsecond(self.now.micros())
            .map(|now| now.to_zoned(self.zone.clone()))
            .and_then(|now| now.checked_sub(1.day()));
        let then = here.map_or(self.now.plus_seconds(-86_400), |then| {
            Timestamp::from_micros(then.timestamp().as_microsecond())
        });
        let until = figures.whole_until(then);
        ComparisonView {
            until: Moment(until),
            totals: totals(&figures.sums(self.start(self.yesterday), until)),
        }
    }
}

fn totals(sums: &BTreeMap<Currency, Sums>) -> Vec<TotalView> {
    let view = |(currency, sums): (&Currency, &Sums)| TotalView {
        currency: *currency,
        sales: sums.sales,
        count: sums.count,
        reversed: sums.reversed,
        reversed_count: sums.reversed_count,
        refunds: sums.refunds,
        refund_count: sums.refund_count,
    };
    sums.iter().map(view).collect()
}

async fn liability(
    app: &AppState,
    caller: &Caller,
    issuer: IssuerId,
) -> Result<Option<Vec<AmountView>>, Problem> {
    if caller.merchant().is_some() || !has(caller, &[Scope::AccountingRead, Scope::LedgerRead]) {
        return Ok(None);
    }
    let owed = app.dashboard.liability(app.engine.store().as_ref(), issuer).await?;
    Ok(Some(owed.into_iter().map(|(currency, amount)| AmountView { currency, amount }).collect()))
}

async fn settlement(
    app: &AppState,
    caller: &Caller,
    issuer: IssuerId,
) -> Result<Option<SettlementView>, Problem> {
    if !has(caller, &[Scope::SettlementRead]) {
        return Ok(None);
    }
    let mut view = SettlementView { payouts: Vec::new(), more: false, next_due_on: None };
    for status in [PayoutStatus::Proposed, PayoutStatus::Approved] {
        let filter =
            PayoutFilter { merchant: caller.merchant(), status: Some(status), ..PayoutFilter::all(issuer) };
        let page = app.engine.store().payouts(&filter, None, MAX_PAYOUTS).await?;
        view.more |= page.next.is_some();
        let mut sums: BTreeMap<Currency, (i64, i64)> = BTreeMap::new();
        for payout in &page.items {
            let (count, amount) = sums.entry(payout.currency).or_default();
            (*count, *amount) = (*count + 1, amount.saturating_add(payout.amount.get()));
            let due = Day(payout.due_on);
            view.next_due_on = Some(view.next_due_on.map_or(due, |earliest| earliest.min(due)));
        }
        let show =
            |(currency, (count, amount))| PayoutsView { status: status.name(), currency, count, amount };
        view.payouts.extend(sums.into_iter().map(show));
    }
    Ok(Some(view))
}

async fn approvals(app: &AppState, caller: &Caller, issuer: IssuerId) -> Result<Option<u64>, Problem> {
    let approving = [Scope::ApproveIssue, Scope::ApproveAdjust, Scope::ApproveRefund, Scope::ApproveTerms];
    if caller.merchant().is_some() || !has(caller, &approving) {
        return Ok(None);
    }
    Ok(Some(app.engine.store().pending_approvals(issuer).await?))
}

fn latency(app: &AppState, caller: &Caller) -> Option<LatencyView> {
    if !has(caller, &[Scope::ServiceRead]) {
        return None;
    }
    let said = app.dashboard.latency.percentiles(std::time::Instant::now())?;
    let micros = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Some(LatencyView { count: said.count, p50_us: micros(said.p50), p99_us: micros(said.p99) })
}
