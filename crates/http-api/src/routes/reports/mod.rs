//! Reports of accounting, as JSON in minor units or as CSV in whole units. What each figure means is in
//! `docs/accounting.md`.

pub(crate) mod ageing;
pub(crate) mod breakage;
pub(crate) mod custody;
pub(crate) mod figures;
pub(crate) mod invoices;
pub(crate) mod journal;
pub(crate) mod liability;
pub(crate) mod quarterly;
pub(crate) mod settings;

use axum::{
    body::Body,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::Response,
};
use domain::BusinessDate;
use finance::accounting::{self, Accounting, AccountingError, Table};
use serde::{Deserialize, Serialize};
use storage::Days;
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    state::AppState,
    wire::{day::Day, schema},
};

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// For programs: amounts in minor units.
    #[default]
    Json,
    /// For ledgers and spreadsheets: amounts in whole units with decimals.
    Csv,
}

/// The only parameter of a report about now.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct FormatQuery {
    /// `json` if not given.
    #[param(inline, value_type = Option<Format>, nullable = false)]
    pub format: Format,
}

/// Which business days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DaysQuery {
    /// The first business day.
    #[param(value_type = schema::Date)]
    pub from: Day,
    /// The last business day.
    #[param(value_type = schema::Date)]
    pub to: Day,
    /// `json` if not given.
    #[serde(default)]
    #[param(inline, value_type = Option<Format>, nullable = false)]
    pub format: Format,
}

/// A list without pages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListOf<T> {
    /// The items.
    pub items: Vec<T>,
}

/// The books of the caller's issuer. A client that is bound to a merchant has none.
pub(crate) fn books(app: &AppState, caller: &Caller) -> Result<Accounting, Problem> {
    caller.unbound()?;
    let (store, catalog) = (app.engine.store().clone(), app.engine.catalog());
    Ok(Accounting::of(store, catalog, caller.issuer()?, app.engine.now())?)
}

/// The days asked for.
pub(crate) fn days(from: BusinessDate, to: BusinessDate) -> Result<Days, Problem> {
    Ok(accounting::days(from, to)?)
}

impl From<AccountingError> for Problem {
    fn from(error: AccountingError) -> Self {
        match error {
            AccountingError::Storage(error) => error.into(),
            AccountingError::NoIssuer(_) => Self::new(Code::IssuerUnknown, error.to_string()),
            AccountingError::Days(why) => Self::new(Code::TermsContradict, why),
            AccountingError::Setting { name, .. } => {
                Self::new(Code::TermsContradict, error.to_string()).at(format!("/{name}"))
            }
            AccountingError::TooLarge => {
                tracing::error!(%error, "a report could not be computed");
                Self::new(Code::Internal, "a sum of the report is too large; ask the operator")
            }
        }
    }
}

/// A list in JSON, or the table in CSV.
pub(crate) fn answer<T: Serialize>(
    format: Format,
    items: impl FnOnce() -> Vec<T>,
    table: impl FnOnce() -> Table,
) -> Result<Response, Problem> {
    match format {
        Format::Json => json(StatusCode::OK, &ListOf { items: items() }),
        Format::Csv => {
            let table = table();
            csv(table.name, Body::from(table.to_csv()))
        }
    }
}

/// A body of CSV that is saved under this name.
pub(crate) fn csv(name: &str, body: Body) -> Result<Response, Problem> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\""));
    let disposition = disposition.map_err(|_| Problem::new(Code::Internal, "the file has no name"))?;
    headers.insert(CONTENT_DISPOSITION, disposition);
    Ok(response)
}
