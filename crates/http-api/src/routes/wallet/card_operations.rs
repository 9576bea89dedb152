//! What was done with a card since it is the holder's. What an earlier holder bought stays that holder's.

use axum::{extract::State, response::Response};
use domain::{CardId, Operation, OperationId, operation::Status};
use serde::Serialize;
use storage::OperationFilter;
use utoipa::ToSchema;

use super::own_card;
use crate::{
    error::Problem,
    extract::{Named, Query},
    holder::CurrentHolder,
    page::{PageOf, PageQuery, page},
    state::AppState,
    wire::{moment::Moment, schema},
};

/// What was done, as the holder sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct WalletOperation {
    /// Its id.
    #[schema(value_type = schema::OperationId)]
    id: OperationId,
    /// What it did.
    #[schema(value_type = schema::OperationKind)]
    kind: &'static str,
    /// How it was decided.
    #[schema(value_type = schema::OperationStatus)]
    status: &'static str,
    /// Why it was declined.
    #[schema(value_type = Option<schema::DeclineCode>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    decline: Option<&'static str>,
    /// How much was done, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    amount: i64,
    /// The currency.
    #[schema(value_type = Option<schema::Currency>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// What was on the card after it, in minor units.
    #[schema(value_type = Option<schema::AnyAmount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_after: Option<i64>,
    /// What could be spent after it, in minor units.
    #[schema(value_type = Option<schema::AnyAmount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    available_after: Option<i64>,
    /// The name of the merchant.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_name: Option<String>,
    /// The name of the store.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    store_name: Option<String>,
    /// When.
    #[schema(value_type = schema::Moment)]
    at: Moment,
}

fn view(app: &AppState, card: CardId, operation: &Operation) -> WalletOperation {
    let catalog = app.engine.catalog();
    let cards = [operation.card.as_ref(), operation.counterpart.as_ref()];
    let after = cards.into_iter().flatten().find(|after| after.id == card);
    let (status, decline) = match operation.status {
        Status::Approved => ("approved", None),
        Status::Declined(decline) => ("declined", Some(decline.code())),
    };
    WalletOperation {
        id: operation.id,
        kind: operation.kind.name(),
        status,
        decline,
        amount: operation.approved.get(),
        currency: operation.currency.map(|currency| currency.code().to_owned()),
        balance_after: after.map(|after| after.balance.get()),
        available_after: after.map(|after| after.available.get()),
        merchant_name: operation
            .merchant
            .and_then(|id| catalog.merchants.get(&id))
            .map(|merchant| merchant.name.clone()),
        store_name: operation.store.and_then(|id| catalog.stores.get(&id)).map(|store| store.name.clone()),
        at: Moment(operation.at),
    }
}

/// List the operations of one of one's cards
///
/// Newest first, from when the card came into the wallet.
#[utoipa::path(
    get,
    path = "/v1/wallet/cards/{id}/operations",
    tag = "wallet",
    operation_id = "list_wallet_card_operations",
    params(("id" = schema::CardId, Path, description = "The card."), PageQuery),
    responses((status = 200, description = "A page of operations.", body = PageOf<WalletOperation>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    current: CurrentHolder,
    Named(id): Named<CardId>,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let own = own_card(&app, current.holder(), id).await?;
    let filter = OperationFilter {
        issuer: own.card.issuer,
        card: Some(id),
        kind: None,
        approved: None,
        merchant: None,
        store: None,
        terminal: None,
        client: None,
        from: None,
        to: None,
    };
    let before = query.cursor.map(|cursor| OperationId::new(cursor.0));
    let mut found = app.engine.store().operations(&filter, before, query.limit.0).await?;
    let whole = found.items.len();
    found.items.retain(|operation| operation.id >= own.since);
    // What follows is older still, and not the holder's to see.
    let next = if found.items.len() < whole { None } else { found.next };
    page(found.items.iter().map(|operation| view(&app, id, operation)).collect(), next)
}
