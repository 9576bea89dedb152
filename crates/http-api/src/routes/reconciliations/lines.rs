//! The lines of a file, with what became of each.

use axum::{extract::State, response::Response};
use domain::{OperationId, ReconciliationId};
use serde::Serialize;
use storage::ReconciledLine;
use utoipa::ToSchema;

use super::read::own;
use crate::{
    auth::Caller,
    error::Problem,
    extract::{Named, Query},
    page::{PageOf, PageQuery, page},
    state::AppState,
    wire::{moment::Moment, schema},
};

/// A line of a file.
#[derive(Serialize, ToSchema)]
#[schema(as = ReconciledLine)]
pub(crate) struct LineView {
    /// Its position among the lines.
    number: u32,
    /// The line of the file, or the row of the sheet.
    place: u32,
    /// What the file calls it by.
    reference: String,
    /// Minor units; below zero where money went back.
    #[schema(value_type = schema::Total)]
    amount: i64,
    /// The earliest moment at which it may have happened.
    #[schema(value_type = schema::Moment)]
    from: Moment,
    /// The latest such moment.
    #[schema(value_type = schema::Moment)]
    to: Moment,
    /// What became of it by the file.
    #[schema(value_type = schema::LineStatus)]
    status: &'static str,
    /// The operation that it speaks of.
    #[schema(value_type = Option<schema::OperationId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<OperationId>,
    /// How it differs, if it does.
    #[schema(value_type = Option<schema::DifferenceClass>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
}

impl LineView {
    fn new(of: ReconciledLine) -> Self {
        Self {
            number: of.number,
            place: of.place,
            reference: of.reference.into(),
            amount: of.amount,
            from: Moment(of.from),
            to: Moment(of.to),
            status: of.status.name(),
            operation: of.operation,
            class: of.class.map(reconciliation::Class::name),
        }
    }
}

/// List the lines of a reconciliation
///
/// In the order of the file.
#[utoipa::path(
    get,
    path = "/v1/reconciliations/{id}/lines",
    tag = "reconciliation",
    operation_id = "list_reconciled_lines",
    params(("id" = schema::ReconciliationId, Path, description = "The reconciliation."), PageQuery),
    responses((status = 200, description = "A page of lines.", body = PageOf<LineView>)),
)]
pub(crate) async fn lines(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<ReconciliationId>,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    own(&app, &caller, id).await?;
    let after = query.cursor.map_or(0, |cursor| u32::try_from(cursor.0).unwrap_or(u32::MAX));
    let mut found = app.engine.store().reconciled_lines(id, after, query.limit.0 + 1).await?;
    let more = found.len() > query.limit.0;
    found.truncate(query.limit.0);
    let next = found.last().filter(|_| more).map(|line| i64::from(line.number));
    page(found.into_iter().map(LineView::new).collect(), next)
}
