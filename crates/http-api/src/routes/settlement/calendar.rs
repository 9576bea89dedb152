//! Working days: what yearly notices say.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use settlement::{CalendarDay, calendar::mainland_china_days};
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    extract::{Json, Query},
    state::AppState,
    wire::{day::Day, schema, text::Name},
};

/// A day that a notice lists.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalendarDayRequest {
    /// The day. A notice may list days at the end of the year before.
    #[schema(value_type = schema::Date)]
    date: Day,
    /// Whether it is a working day.
    working: bool,
    /// The name of the holiday.
    #[schema(value_type = schema::Name)]
    name: Name,
}

/// The notice of a year.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalendarYearRequest {
    /// The year.
    #[schema(value_type = schema::Year)]
    year: i16,
    /// All days that it lists, at most 400. None: the notice is not known, and what was built in applies.
    #[schema(max_items = 400)]
    days: Vec<CalendarDayRequest>,
}

/// A day of the calendar that departs from Monday to Friday.
#[derive(Serialize, ToSchema)]
#[schema(as = CalendarDay)]
pub(crate) struct CalendarDayView {
    /// The day.
    #[schema(value_type = schema::Date)]
    date: Day,
    /// Whether it is a working day.
    working: bool,
    /// The name of the holiday.
    name: String,
}

/// What is known of a year.
#[derive(Serialize, ToSchema)]
pub(crate) struct CalendarYear {
    /// The year.
    year: i16,
    /// Whether the issuer gave it, or it was built in.
    imported: bool,
    /// The days that depart from Monday to Friday. None: the notice is not known.
    days: Vec<CalendarDayView>,
}

/// Which year.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CalendarQuery {
    /// The year.
    #[param(value_type = schema::Year)]
    #[serde(deserialize_with = "year")]
    year: i16,
}

/// Parameters arrive as text.
fn year<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i16, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| serde::de::Error::custom("expected a year, such as 2026"))
}

fn check_year(year: i16) -> Result<(), Problem> {
    if (2000..=9998).contains(&year) {
        return Ok(());
    }
    Err(Problem::new(Code::InvalidParameter, "give a year from 2000 to 9998").parameter("year"))
}

fn show(year: i16, imported: bool, days: Vec<CalendarDay>) -> Result<Response, Problem> {
    let view =
        |day: CalendarDay| CalendarDayView { date: Day(day.date), working: day.working, name: day.name };
    let days = days.into_iter().map(view).collect();
    json(StatusCode::OK, &CalendarYear { year, imported, days })
}

/// Read the calendar of a year
///
/// The days that depart from "Monday to Friday are working days".
#[utoipa::path(
    get,
    path = "/v1/calendar-days",
    tag = "settlement",
    operation_id = "read_calendar",
    params(CalendarQuery),
    responses((status = 200, description = "The year.", body = CalendarYear)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<CalendarQuery>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    check_year(query.year)?;
    let own = app.engine.store().calendar_days(issuer, query.year, query.year).await?;
    if !own.is_empty() {
        return show(query.year, true, own);
    }
    let built_in = mainland_china_days().into_iter().filter(|day| day.year == query.year);
    show(query.year, false, built_in.collect())
}

/// Import the calendar of a year
///
/// Takes the place of what was known of that year. Statements that are open keep their periods.
#[utoipa::path(
    put,
    path = "/v1/calendar-days",
    tag = "settlement",
    operation_id = "import_calendar",
    request_body = CalendarYearRequest,
    responses((status = 200, description = "The year.", body = CalendarYear)),
)]
pub(crate) async fn import(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<CalendarYearRequest>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let issuer = caller.issuer()?;
    if !(2000..=9998).contains(&body.year) {
        return Err(Problem::new(Code::InvalidField, "give a year from 2000 to 9998").at("/year"));
    }
    if body.days.len() > settlement::calendar::MAX_DAYS_A_YEAR {
        return Err(Problem::new(Code::TooManyItems, "give at most 400 days").at("/days"));
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut days = Vec::with_capacity(body.days.len());
    for (position, day) in body.days.into_iter().enumerate() {
        let year = day.date.0.year();
        let of_year = [body.year.into(), i32::from(body.year) - 1].contains(&year);
        if !of_year || !seen.insert(day.date) {
            let text = "give each day once, of this year or of the end of the year before";
            return Err(Problem::new(Code::TermsContradict, text).at(format!("/days/{position}/date")));
        }
        let (date, working, name) = (day.date.0, day.working, day.name.0);
        days.push(CalendarDay { year: body.year, date, working, name });
    }
    app.engine.store().put_calendar_year(issuer, body.year, &days).await?;
    show(body.year, true, days)
}
