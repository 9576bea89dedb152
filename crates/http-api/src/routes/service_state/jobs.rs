//! What runs in the background, and how it goes.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    state::AppState,
    wire::{moment::Moment, schema},
};

/// A job as the process that runs it tells of it.
#[derive(Clone, Debug, Default)]
pub struct JobReport {
    /// Its name.
    pub name: &'static str,
    /// Whether it is this process's turn to run it.
    pub is_here: bool,
    /// The time between its rounds, in seconds.
    pub every_seconds: u64,
    /// When its last round ended.
    pub last_run: Option<Timestamp>,
    /// When a round last ended well.
    pub last_success: Option<Timestamp>,
    /// When it last had nothing left to do.
    pub caught_up: Option<Timestamp>,
    /// When a round last failed, and why.
    pub last_error: Option<(Timestamp, String)>,
    /// Rounds that failed since the start of the process.
    pub failures: u64,
    /// What it has dealt with since the start of the process.
    pub done: u64,
    /// How long its last round took, in milliseconds.
    pub took_ms: u64,
}

/// A job.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
struct JobView {
    /// Its name.
    name: &'static str,
    /// Whether the node that answers runs it at the moment. Of several nodes one does, and what follows is what this
    /// node knows of its own rounds.
    here: bool,
    /// `ok`, `failing` (its last round failed), `late` (its rounds do not end in time), `elsewhere` (another node
    /// runs it) or `starting` (no round has ended yet).
    #[schema(pattern = "^(ok|failing|late|elsewhere|starting)$")]
    status: &'static str,
    /// The time between its rounds, in seconds.
    every_seconds: u64,
    /// When its last round ended.
    #[schema(value_type = Option<schema::Moment>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_run: Option<Moment>,
    /// When a round last ended well.
    #[schema(value_type = Option<schema::Moment>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_success: Option<Moment>,
    /// Seconds since it last had nothing left to do.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    lag_seconds: Option<i64>,
    /// When a round last failed.
    #[schema(value_type = Option<schema::Moment>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error_at: Option<Moment>,
    /// Why it failed.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// Rounds that failed since the node has started.
    failures: u64,
    /// What it has dealt with since the node has started: cards, operations, holds.
    done: u64,
    /// How long its last round took, in milliseconds.
    took_ms: u64,
}

/// The jobs.
#[derive(Serialize, ToSchema)]
pub(crate) struct Jobs {
    /// When this was true.
    #[schema(value_type = schema::Moment)]
    at: Moment,
    /// Each of them.
    items: Vec<JobView>,
}

/// Jobs
///
/// What runs in the background: when each last ran, whether it failed, how far it is behind.
#[utoipa::path(
    get,
    path = "/v1/service/jobs",
    tag = "service",
    operation_id = "list_jobs",
    responses((status = 200, description = "The jobs.", body = Jobs)),
)]
pub(crate) async fn jobs(State(app): State<AppState>, _caller: Caller) -> Result<Response, Problem> {
    let now = app.engine.now();
    let reports = app.options.jobs.as_ref().map(|jobs| jobs()).unwrap_or_default();
    let items = reports.into_iter().map(|report| show(report, now)).collect();
    json(StatusCode::OK, &Jobs { at: Moment(now), items })
}

fn seconds_since(at: Timestamp, now: Timestamp) -> i64 {
    (now.millis().saturating_sub(at.millis()) / 1000).max(0)
}

/// How long a round may be overdue before that is told.
const PATIENCE_SECONDS: u64 = 60;

/// In a word.
pub(super) fn status(of: &JobReport, now: Timestamp) -> &'static str {
    let allowed = i64::try_from(of.every_seconds.saturating_mul(2).max(PATIENCE_SECONDS)).unwrap_or(i64::MAX);
    match (of.is_here, of.last_run, &of.last_error) {
        (false, _, _) => "elsewhere",
        (true, None, _) => "starting",
        (true, Some(_), Some((failed, _))) if Some(*failed) > of.last_success => "failing",
        (true, Some(run), _) if seconds_since(run, now) > allowed => "late",
        (true, Some(_), _) => "ok",
    }
}

fn show(of: JobReport, now: Timestamp) -> JobView {
    let status = status(&of, now);
    let (last_error_at, last_error) = of.last_error.unzip();
    JobView {
        name: of.name,
        here: of.is_here,
        status,
        every_seconds: of.every_seconds,
        last_run: of.last_run.map(Moment),
        last_success: of.last_success.map(Moment),
        lag_seconds: of.caught_up.map(|at| seconds_since(at, now)),
        last_error_at: last_error_at.map(Moment),
        last_error,
        failures: of.failures,
        done: of.done,
        took_ms: of.took_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_in_a_word() {
        let at = |seconds| Timestamp::from_micros(1_772_350_800_000_000).plus_seconds(seconds);
        let base = JobReport { is_here: true, every_seconds: 5, ..JobReport::default() };
        let failed = |seconds| Some((at(seconds), "the database was away".to_owned()));
        for (report, word) in [
            (JobReport { is_here: false, ..base.clone() }, "elsewhere"),
            (base.clone(), "starting"),
            (JobReport { last_run: Some(at(0)), last_success: Some(at(0)), ..base.clone() }, "ok"),
            (JobReport { last_run: Some(at(0)), last_error: failed(0), ..base.clone() }, "failing"),
            (
                JobReport {
                    last_run: Some(at(5)),
                    last_success: Some(at(5)),
                    last_error: failed(0),
                    ..base.clone()
                },
                "ok",
            ),
            (JobReport { last_run: Some(at(-120)), last_success: Some(at(-120)), ..base }, "late"),
        ] {
            assert_eq!(status(&report, at(10)), word, "{report:?}");
        }
    }
}
