//! One policy pack.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::policy::{PackId, find};

use super::{PackView, today};
use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    extract::Named,
    state::AppState,
    wire::schema,
};

/// Read a policy pack
///
/// With every rule, its article and source. Not legal advice.
#[utoipa::path(
    get,
    path = "/v1/policy-packs/{id}",
    tag = "catalog",
    operation_id = "read_policy_pack",
    params(("id" = schema::PackId, Path, description = "The policy pack.")),
    responses((status = 200, description = "The policy pack.", body = PackView)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<PackId>,
) -> Result<Response, Problem> {
    let pack = find(&id).ok_or_else(|| {
        let detail = "there is no such policy pack; see GET /v1/policy-packs";
        Problem::new(Code::PolicyPackUnknown, detail).parameter("id")
    })?;
    json(StatusCode::OK, &PackView::new(pack, today(&app, &caller)?))
}
