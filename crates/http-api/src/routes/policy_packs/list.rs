//! All policy packs.

use axum::{extract::State, response::Response};

use super::{PackView, today};
use crate::{
    auth::Caller,
    error::Problem,
    page::{PageOf, page},
    state::AppState,
};

/// List policy packs
///
/// All that this server has, with every rule, its article and source. Not legal advice.
#[utoipa::path(
    get,
    path = "/v1/policy-packs",
    tag = "catalog",
    operation_id = "list_policy_packs",
    responses((status = 200, description = "All policy packs.", body = PageOf<PackView>)),
)]
pub(crate) async fn list(State(app): State<AppState>, caller: Caller) -> Result<Response, Problem> {
    let today = today(&app, &caller)?;
    page(domain::policy::packs().iter().map(|pack| PackView::new(pack, today)).collect(), None)
}
