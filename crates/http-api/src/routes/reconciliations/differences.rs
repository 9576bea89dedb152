//! Differences, newest first, and one with everything that was done about it.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{ClientId, DifferenceId, ReconciliationId};
use reconciliation::Class;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use storage::{DifferenceFilter, DifferenceStatus};
use utoipa::{IntoParams, ToSchema};

use super::{DifferenceView, unknown};
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::{Named, Query},
    page::{Cursor, Limit, PageOf, page},
    state::AppState,
    wire::{moment::Moment, schema},
};

/// Which differences.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct DifferencesQuery {
    /// How many items: 1 to 200, 50 if not given.
    #[param(value_type = Option<schema::Limit>, nullable = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<schema::Cursor>, nullable = false)]
    cursor: Option<Cursor>,
    /// Those of one file.
    #[param(value_type = Option<schema::ReconciliationId>, nullable = false)]
    reconciliation: Option<ReconciliationId>,
    /// Those in one state.
    #[param(value_type = Option<schema::DifferenceStatus>, nullable = false)]
    status: Option<StatusName>,
    /// Those of one class.
    #[param(value_type = Option<schema::DifferenceClass>, nullable = false)]
    class: Option<ClassName>,
}

#[derive(Clone, Copy, Debug)]
struct StatusName(DifferenceStatus);

impl<'de> Deserialize<'de> for StatusName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let found = DifferenceStatus::from_name(&text);
        found.map(Self).ok_or_else(|| D::Error::custom("a status is open, proposed, approved or cleared"))
    }
}

#[derive(Clone, Copy, Debug)]
struct ClassName(Class);

impl<'de> Deserialize<'de> for ClassName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Class::from_name(&text).map(Self).ok_or_else(|| {
            D::Error::custom(
                "a class is missing_here, missing_there, amount_differs, duplicate, status_differs or late",
            )
        })
    }
}

/// List differences
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/reconciliation-differences",
    tag = "reconciliation",
    operation_id = "list_differences",
    params(DifferencesQuery),
    responses((status = 200, description = "A page of differences.", body = PageOf<DifferenceView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<DifferencesQuery>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let filter = DifferenceFilter {
        issuer: caller.issuer()?,
        reconciliation: query.reconciliation,
        status: query.status.map(|status| status.0),
        class: query.class.map(|class| class.0),
    };
    let before = query.cursor.map(|cursor| DifferenceId::new(cursor.0));
    let found = app.engine.store().differences(&filter, before, query.limit.0).await?;
    page(found.items.into_iter().map(DifferenceView::new).collect(), found.next)
}

/// What somebody did about a difference.
#[derive(Serialize, ToSchema)]
#[schema(as = DifferenceEvent)]
struct EventView {
    /// When.
    #[schema(value_type = schema::Moment)]
    at: Moment,
    /// Who; nobody where a later file cleared it.
    #[schema(value_type = Option<schema::ClientId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<ClientId>,
    /// What.
    #[schema(value_type = schema::DifferenceAction)]
    action: String,
    /// Why; the operation where a correction was posted, the file where it was cleared.
    note: String,
}

/// A difference with its history.
#[derive(Serialize, ToSchema)]
#[schema(as = DifferenceWithHistory)]
pub(crate) struct WithHistory {
    /// The difference.
    difference: DifferenceView,
    /// What was done, oldest first.
    history: Vec<EventView>,
}

/// Read a difference
///
/// With everything that was done about it.
#[utoipa::path(
    get,
    path = "/v1/reconciliation-differences/{id}",
    tag = "reconciliation",
    operation_id = "read_difference",
    params(("id" = schema::DifferenceId, Path, description = "Its id.")),
    responses((status = 200, description = "The difference.", body = WithHistory)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<DifferenceId>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let issuer = caller.issuer()?;
    let store = app.engine.store();
    let found = store.difference(id).await?.filter(|found| found.issuer == issuer);
    let difference = DifferenceView::new(found.ok_or_else(|| unknown("difference"))?);
    let event = |event: storage::DifferenceEvent| EventView {
        at: Moment(event.at),
        by: event.by,
        action: event.action,
        note: event.note,
    };
    let history = store.difference_events(id).await?.into_iter().map(event).collect();
    json(StatusCode::OK, &WithHistory { difference, history })
}
