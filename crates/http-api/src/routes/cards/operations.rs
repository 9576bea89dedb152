//! The operations of a card, newest first.

use axum::{extract::State, response::Response};
use domain::CardId;

use super::own_card;
use crate::{
    auth::Caller,
    error::Problem,
    extract::{Named, Query},
    page::{PageOf, PageQuery},
    routes::operations::list::{everything_of, show},
    state::AppState,
    wire::{operation::Operation, schema},
};

/// List the operations of a card
///
/// Newest first. A client that is bound to a merchant sees its merchant's.
#[utoipa::path(
    get,
    path = "/v1/cards/{id}/operations",
    tag = "cards",
    operation_id = "list_card_operations",
    params(("id" = schema::CardId, Path, description = "The card."), PageQuery),
    responses((status = 200, description = "A page of operations.", body = PageOf<Operation>)),
)]
pub(crate) async fn operations(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<CardId>,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let card = own_card(&app, &caller, id).await?;
    let mut filter = everything_of(&caller)?;
    filter.card = Some(card.id);
    show(&app, &filter, query.limit, query.cursor).await
}
