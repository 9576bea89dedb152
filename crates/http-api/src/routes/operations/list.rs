//! Operations, newest first, with filters named as fields.

use axum::{extract::State, response::Response};
use domain::{CardId, ClientId, MerchantId, OperationId, OperationKind, StoreId, TerminalId};
use serde::{Deserialize, Deserializer, de::Error};
use storage::OperationFilter;
use utoipa::IntoParams;

use crate::{
    auth::Caller,
    error::Problem,
    extract::Query,
    page::{Cursor, Limit, PageOf, page},
    state::AppState,
    wire::{moment::Moment, operation::Operation, schema},
};

/// Which operations.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct OperationsQuery {
    /// How many items: 1 to 200, 50 if not given.
    #[param(value_type = Option<schema::Limit>, nullable = false)]
    pub(super) limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<schema::Cursor>, nullable = false)]
    pub(super) cursor: Option<Cursor>,
    /// A card, as first or second card.
    #[param(value_type = Option<schema::CardId>, nullable = false)]
    pub(super) card: Option<CardId>,
    /// A kind.
    #[param(value_type = Option<schema::OperationKind>, nullable = false)]
    #[serde(deserialize_with = "kind")]
    pub(super) kind: Option<OperationKind>,
    /// Approved or declined.
    #[param(value_type = Option<schema::OperationStatus>, nullable = false)]
    pub(super) status: Option<Decided>,
    /// A merchant.
    #[param(value_type = Option<schema::MerchantId>, nullable = false)]
    pub(super) merchant: Option<MerchantId>,
    /// A store.
    #[param(value_type = Option<schema::StoreId>, nullable = false)]
    pub(super) store: Option<StoreId>,
    /// A terminal.
    #[param(value_type = Option<schema::TerminalId>, nullable = false)]
    pub(super) terminal: Option<TerminalId>,
    /// The client that asked.
    #[param(value_type = Option<schema::ClientId>, nullable = false)]
    pub(super) client: Option<ClientId>,
    /// Not before this moment.
    #[param(value_type = Option<schema::Moment>, nullable = false)]
    pub(super) from: Option<Moment>,
    /// Before this moment.
    #[param(value_type = Option<schema::Moment>, nullable = false)]
    pub(super) to: Option<Moment>,
}

/// Approved or declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Decided {
    Approved,
    Declined,
}

/// Reads the name of a kind.
pub(super) fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OperationKind>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let kind = OperationKind::from_name(&name);
    kind.map(Some).ok_or_else(|| D::Error::custom("expected a kind of operation, such as redemption"))
}

/// List operations
///
/// Newest first. A client that is bound to a merchant sees its merchant's.
#[utoipa::path(
    get,
    path = "/v1/operations",
    tag = "operations",
    operation_id = "list_operations",
    params(OperationsQuery),
    responses((status = 200, description = "A page of operations.", body = PageOf<Operation>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<OperationsQuery>,
) -> Result<Response, Problem> {
    match filter_of(&caller, &query)? {
        Some(filter) => show(&app, &filter, query.limit, query.cursor).await,
        None => page::<Operation<'_>>(Vec::new(), None),
    }
}

/// What is asked for, as far as the caller may see it; nothing where he sees nothing of it.
pub(super) fn filter_of(
    caller: &Caller,
    query: &OperationsQuery,
) -> Result<Option<OperationFilter>, Problem> {
    let filter = OperationFilter {
        card: query.card,
        kind: query.kind,
        approved: query.status.map(|status| status == Decided::Approved),
        merchant: query.merchant,
        store: query.store,
        terminal: query.terminal,
        client: query.client,
        from: query.from.map(|at| at.0),
        to: query.to.map(|at| at.0),
        ..everything_of(caller)?
    };
    let hidden = filter.merchant.is_some_and(|merchant| !caller.sees(Some(merchant)));
    let merchant = caller.merchant().or(filter.merchant);
    Ok((!hidden).then_some(OperationFilter { merchant, ..filter }))
}

/// All operations that the caller may see.
pub(crate) fn everything_of(caller: &Caller) -> Result<OperationFilter, Problem> {
    Ok(OperationFilter {
        issuer: caller.issuer()?,
        card: None,
        kind: None,
        approved: None,
        merchant: caller.merchant(),
        store: None,
        terminal: None,
        client: None,
        from: None,
        to: None,
    })
}

/// A page of operations.
pub(crate) async fn show(
    app: &AppState,
    filter: &OperationFilter,
    limit: Limit,
    cursor: Option<Cursor>,
) -> Result<Response, Problem> {
    let before = cursor.map(|cursor| OperationId::new(cursor.0));
    let found = app.engine.store().operations(filter, before, limit.0).await?;
    page(found.items.iter().map(Operation::record).collect(), found.next)
}
