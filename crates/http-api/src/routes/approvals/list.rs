//! Approvals, newest first.

use axum::{extract::State, response::Response};
use domain::{ApprovalId, role::LimitKind};
use serde::{Deserialize, Deserializer, de::Error};
use storage::{ApprovalFilter, ApprovalState};
use utoipa::IntoParams;

use super::{ApprovalView, Names, sees};
use crate::{
    auth::Caller,
    error::{Code, Problem},
    extract::Query,
    page::{Cursor, Limit, PageOf, page},
    state::AppState,
    wire::schema,
};

/// Which approvals.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ApprovalsQuery {
    /// How many items: 1 to 200, 50 if not given.
    #[param(value_type = Option<schema::Limit>, nullable = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<schema::Cursor>, nullable = false)]
    cursor: Option<Cursor>,
    /// A kind.
    #[param(value_type = Option<schema::LimitKind>, nullable = false)]
    #[serde(deserialize_with = "kind")]
    kind: Option<LimitKind>,
    /// How far.
    #[param(value_type = Option<schema::ApprovalState>, nullable = false)]
    #[serde(deserialize_with = "state")]
    state: Option<ApprovalState>,
    /// Only those that the caller asked for himself.
    #[param(value_type = Option<bool>, nullable = false)]
    #[serde(deserialize_with = "flag")]
    own: bool,
}

fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<LimitKind>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let kind = LimitKind::from_name(&name);
    kind.map(Some).ok_or_else(|| D::Error::custom("expected issue, adjust, unlinked_refund or terms"))
}

fn state<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ApprovalState>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let state = ApprovalState::from_name(&name);
    state.map(Some).ok_or_else(|| D::Error::custom("expected a state of approvals, such as pending"))
}

fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(D::Error::custom("expected true or false")),
    }
}

/// List approvals
///
/// Newest first: what the caller asked for, and what he may decide or audit. A page may be short while there is a
/// next one.
#[utoipa::path(
    get,
    path = "/v1/approvals",
    tag = "approvals",
    operation_id = "list_approvals",
    params(ApprovalsQuery),
    responses((status = 200, description = "A page of approvals.", body = PageOf<ApprovalView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<ApprovalsQuery>,
) -> Result<Response, Problem> {
    let seen = |kind: LimitKind| sees(&caller, kind);
    let none = !LimitKind::ALL.into_iter().any(seen) || query.kind.is_some_and(|kind| !seen(kind));
    let filter = ApprovalFilter {
        issuer: caller.issuer()?,
        kind: query.kind,
        state: query.state,
        maker: (query.own || none).then_some(caller.0.id),
    };
    let before = query.cursor.map(|cursor| ApprovalId::new(cursor.0));
    let found = app.engine.store().approvals(&filter, before, query.limit.0).await?;
    let next = found.next;
    let mut own = found.items;
    own.retain(|one| one.maker == caller.0.id || seen(one.kind()));
    let names = Names::of(&app, &own).await?;
    let items: Result<Vec<ApprovalView>, Problem> =
        own.into_iter().map(|one| ApprovalView::new(one, &names)).collect();
    page(items?, next)
}

/// Only users have anything to decide.
pub(super) fn user_only(caller: &Caller) -> Result<(), Problem> {
    match caller.user() {
        Some(_) => Ok(()),
        None => Err(Problem::new(Code::NotPermitted, "people decide this: sign in as a user")),
    }
}
