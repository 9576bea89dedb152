//! The server itself: is it alive, is it ready, how is it doing, what can it do.

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::catalog::Scope;
use serde::Serialize;
use utoipa::{ToSchema, openapi::OpenApi};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    access::Access,
    answer::json,
    error::{Code, Problem},
    state::AppState,
};

/// Who may read the metrics where they are protected.
pub(crate) const METRICS_PROTECTED: Access = Access::AnyOf(&[Scope::LedgerRead, Scope::Platform]);

/// How the server is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    status: &'static str,
}

/// Is the server alive
///
/// Answers as long as the process does.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "service",
    operation_id = "healthz",
    responses((status = 200, description = "It is.", body = Health)),
)]
pub(crate) async fn healthz() -> Result<Response, Problem> {
    json(StatusCode::OK, &Health { status: "ok" })
}

/// Is the server ready
///
/// Whether requests are taken in and the database answers.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "service",
    operation_id = "readyz",
    responses(
        (status = 200, description = "It is.", body = Health),
        (status = 500, description = "The database fails.", body = crate::error::ProblemBody,
         content_type = "application/problem+json"),
        (status = 504, description = "The database does not answer.", body = crate::error::ProblemBody,
         content_type = "application/problem+json"),
        (status = 503, description = "It is not.", body = crate::error::ProblemBody,
         content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn readyz(State(app): State<AppState>) -> Result<Response, Problem> {
    if !app.engine.is_running() {
        return Err(Problem::new(Code::Stopped, "the engine has stopped"));
    }
    if app.options.leaving.load(std::sync::atomic::Ordering::Relaxed) {
        return Err(Problem::new(Code::Stopped, "this node is about to stop; use another one"));
    }
    if !app.is_member() {
        return Err(Problem::new(Code::Busy, "this node has lost touch with the database"));
    }
    crate::answer::in_time(&app, app.engine.store().catalog_revision()).await??;
    json(StatusCode::OK, &Health { status: "ready" })
}

/// Metrics
///
/// In the text format of Prometheus. Rates and counts, never numbers, names or secrets.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "service",
    operation_id = "metrics",
    responses(
        (status = 200, description = "The metrics.", body = String, content_type = "text/plain"),
        (status = 401, description = "They are protected.", body = crate::error::ProblemBody,
         content_type = "application/problem+json"),
        (status = 403, description = "They are protected.", body = crate::error::ProblemBody,
         content_type = "application/problem+json"),
        (status = 404, description = "They are not kept.", body = crate::error::ProblemBody,
         content_type = "application/problem+json"),
        (status = 429, description = "Too many requests.", body = crate::error::ProblemBody,
         content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn metrics(State(app): State<AppState>) -> Result<Response, Problem> {
    let Some(handle) = &app.options.metrics else {
        return Err(Problem::new(Code::RouteUnknown, "this server keeps no metrics"));
    };
    let mut response = handle.render().into_response();
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, format);
    Ok(response)
}

/// Adds the description and the page that shows it. Everything is served from the binary.
pub(crate) fn with_pages(router: Router<AppState>, document: &OpenApi) -> Router<AppState> {
    let text = document.to_json().unwrap_or_default();
    let text = axum::body::Bytes::from(text);
    let serve = move || {
        let text = text.clone();
        async move { ([(CONTENT_TYPE, "application/json")], text) }
    };
    let ui = SwaggerUi::new("/docs").config(Config::from("/openapi.json"));
    router.route("/openapi.json", get(serve)).merge(ui)
}
