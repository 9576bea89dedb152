//! Whether all is well, in more words than a probe needs.

use std::time::{Duration, Instant};

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::jobs::status as job_status;
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    state::AppState,
    wire::{moment::Moment, schema},
};

/// How long the database may take before that is told as a failure.
const PATIENCE: Duration = Duration::from_secs(2);

/// How one part is.
#[derive(Serialize, ToSchema)]
#[schema(as = HealthCheck)]
struct CheckView {
    /// `database`, `engine`, `membership`, `jobs`, `dashboard`.
    name: &'static str,
    /// `ok`, `degraded` or `failing`.
    #[schema(pattern = "^(ok|degraded|failing)$")]
    status: &'static str,
    /// How long it took to find out, in microseconds, where that says something.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    took_us: Option<u64>,
    /// Which of its parts are not well.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// How the server is.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceHealth {
    /// The worst of the checks: `ok`, `degraded` or `failing`.
    #[schema(pattern = "^(ok|degraded|failing)$")]
    status: &'static str,
    /// When this was true.
    #[schema(value_type = schema::Moment)]
    at: Moment,
    /// The version of the server.
    version: &'static str,
    /// When the node that answers has started.
    #[schema(value_type = schema::Moment)]
    started_at: Moment,
    /// Nodes on the database.
    nodes: u16,
    /// Whether the screens were built into the server.
    screens: bool,
    /// Each part.
    checks: Vec<CheckView>,
}

/// Health
///
/// How the database, the engine, the jobs and this node's part among others are. `/readyz` says whether to send
/// requests here.
#[utoipa::path(
    get,
    path = "/v1/service/health",
    tag = "service",
    operation_id = "service_health",
    responses((status = 200, description = "How it is, well or not.", body = ServiceHealth)),
)]
pub(crate) async fn health(State(app): State<AppState>, _caller: Caller) -> Result<Response, Problem> {
    let now = app.engine.now();
    let checks =
        vec![database(&app).await, engine(&app), membership(&app), jobs(&app), dashboard(&app).await];
    let worst = |word| checks.iter().any(|check| check.status == word);
    let status = if worst("failing") {
        "failing"
    } else if worst("degraded") {
        "degraded"
    } else {
        "ok"
    };
    let body = ServiceHealth {
        status,
        at: Moment(now),
        version: env!("CARGO_PKG_VERSION"),
        started_at: Moment(app.started_at),
        nodes: app.nodes(),
        screens: app.options.screens.is_built(),
        checks,
    };
    json(StatusCode::OK, &body)
}

fn check(name: &'static str, is_well: bool) -> CheckView {
    CheckView { name, status: if is_well { "ok" } else { "failing" }, took_us: None, detail: None }
}

async fn database(app: &AppState) -> CheckView {
    let began = Instant::now();
    let answer = tokio::time::timeout(PATIENCE, app.engine.store().catalog_revision()).await;
    let took_us = u64::try_from(began.elapsed().as_micros()).ok();
    CheckView { took_us, ..check("database", matches!(answer, Ok(Ok(_)))) }
}

fn engine(app: &AppState) -> CheckView {
    check("engine", app.engine.is_running())
}

fn membership(app: &AppState) -> CheckView {
    check("membership", app.is_member())
}

fn jobs(app: &AppState) -> CheckView {
    let now = app.engine.now();
    let reports = app.options.jobs.as_ref().map(|jobs| jobs()).unwrap_or_default();
    let bad = reports.iter().filter(|report| matches!(job_status(report, now), "failing" | "late"));
    let names: Vec<&str> = bad.map(|report| report.name).collect();
    let status = if names.is_empty() { "ok" } else { "degraded" };
    CheckView { status, detail: (!names.is_empty()).then(|| names.join(", ")), ..check("jobs", true) }
}

/// Whether the log can be followed.
async fn dashboard(app: &AppState) -> CheckView {
    let well = app.dashboard.catch_up(app.engine.now()).await.is_ok();
    CheckView { status: if well { "ok" } else { "degraded" }, ..check("dashboard", true) }
}
