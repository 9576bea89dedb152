//! What finance decides about reports: the kind of issuer, the chart of accounts, expectations of breakage.

use std::collections::BTreeMap;

use axum::{extract::State, http::StatusCode, response::Response};
use domain::ProgramId;
use finance::accounting::{
    Accounting, BreakageSettings, Profile,
    chart::{Chart, GlAccount},
    settings::IssuerKind,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::books;
use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    extract::Json,
    state::AppState,
    wire::{card::given, integer::Integer},
};

/// What an issuer is, as far as its duties depend on it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportProfile {
    /// `scale` (规模发卡企业), `group` (集团) or `brand` (品牌).
    #[schema(value_type = String, pattern = "^(scale|group|brand)$")]
    kind: IssuerKind,
    /// Whether the main business are services.
    services: bool,
}

/// An account of the general ledger.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LedgerAccount {
    /// Its code, such as 2205.
    #[schema(min_length = 1, max_length = 64)]
    code: String,
    /// Its name.
    #[schema(max_length = 256)]
    name: String,
}

/// Settings. In a change, what is absent stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ReportSettingsRequest {
    /// What the issuer is.
    #[serde(deserialize_with = "given")]
    #[schema(nullable = false)]
    profile: Option<ReportProfile>,
    /// By program: the share of value that is expected to be redeemed, in basis points from 1 to 10000. A program
    /// that is not named has no estimate of breakage.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<BTreeMap<String, i64>>, nullable = false)]
    expected_redemption_bp: Option<BTreeMap<String, Integer<i64>>>,
    /// By account (`merchant:mer_…`, `cards:prog_…`, `channel:web`) or kind of account (`merchant`): the account
    /// of the general ledger.
    #[serde(deserialize_with = "given")]
    #[schema(nullable = false)]
    chart: Option<BTreeMap<String, LedgerAccount>>,
}

/// Settings as they are.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReportSettings {
    /// What the issuer is.
    profile: ReportProfile,
    /// By program: the share of value that is expected to be redeemed, in basis points.
    #[schema(value_type = BTreeMap<String, u16>)]
    expected_redemption_bp: BTreeMap<ProgramId, u16>,
    /// By account or kind of account: the account of the general ledger, where it is not the built-in one.
    chart: BTreeMap<String, LedgerAccount>,
}

/// Read the settings of reports
///
/// Those that finance has decided on.
#[utoipa::path(
    get,
    path = "/v1/reports/settings",
    tag = "reports",
    operation_id = "read_report_settings",
    responses((status = 200, description = "The settings.", body = ReportSettings)),
)]
pub(crate) async fn read(State(app): State<AppState>, caller: Caller) -> Result<Response, Problem> {
    shown(&books(&app, &caller)?).await
}

/// Change the settings of reports
///
/// Each is replaced whole; every version is kept.
#[utoipa::path(
    put,
    path = "/v1/reports/settings",
    tag = "reports",
    operation_id = "change_report_settings",
    request_body = ReportSettingsRequest,
    responses((status = 200, description = "The settings.", body = ReportSettings)),
)]
pub(crate) async fn change(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<ReportSettingsRequest>,
) -> Result<Response, Problem> {
    let (books, client) = (books(&app, &caller)?, caller.0.id);
    if let Some(ReportProfile { kind, services }) = body.profile {
        books.set(&Profile { kind, services }, client).await?;
    }
    if let Some(expected) = body.expected_redemption_bp {
        let expected_redemption_bp = expectations(&expected)?;
        books.set(&BreakageSettings { expected_redemption_bp }, client).await?;
    }
    if let Some(chart) = body.chart {
        let entry = |(name, of): (String, LedgerAccount)| (name, GlAccount { code: of.code, name: of.name });
        books.set(&Chart(chart.into_iter().map(entry).collect()), client).await?;
    }
    shown(&books).await
}

/// By program. What a map may be named by is not part of its description, so what is wrong with it contradicts
/// no description, but the state of things.
fn expectations(given: &BTreeMap<String, Integer<i64>>) -> Result<BTreeMap<ProgramId, u16>, Problem> {
    let wrong = |name: &str, what: String| {
        let pointer = format!("/expected_redemption_bp/{}", name.replace('~', "~0").replace('/', "~1"));
        Problem::new(Code::TermsContradict, what).at(pointer)
    };
    let one = |(name, share): (&String, &Integer<i64>)| {
        let program = ProgramId::parse(name).map_err(|error| wrong(name, error.to_string()))?;
        let share = u16::try_from(share.0);
        Ok((program, share.map_err(|_| wrong(name, "give 1 to 10000 basis points".to_owned()))?))
    };
    given.iter().map(one).collect()
}

async fn shown(books: &Accounting) -> Result<Response, Problem> {
    let (Profile { kind, services }, _) = books.setting::<Profile>().await?;
    let (BreakageSettings { expected_redemption_bp }, _) = books.setting::<BreakageSettings>().await?;
    let (chart, _) = books.setting::<Chart>().await?;
    let entry = |(name, of): (String, GlAccount)| (name, LedgerAccount { code: of.code, name: of.name });
    let shown = ReportSettings {
        profile: ReportProfile { kind, services },
        expected_redemption_bp,
        chart: chart.0.into_iter().map(entry).collect(),
    };
    json(StatusCode::OK, &shown)
}
