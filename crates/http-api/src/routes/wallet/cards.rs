//! The cards of a wallet, and adding one.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{CardId, ClientId, command::NumberIndex};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;
use wallet::Added;

use super::{
    own_card,
    views::{self, WalletCard},
};
use crate::{
    answer::{in_time, json},
    error::{Code, Problem},
    extract::{Json, Named},
    holder::CurrentHolder,
    lookup_limit::Lookup,
    payment_codes::next_stroke,
    state::AppState,
    wire::{
        schema,
        secret::{Number, TypedPin},
    },
};

/// The cards of a wallet.
#[derive(Serialize, ToSchema)]
pub(crate) struct WalletCards {
    /// At most 50, newest first.
    items: Vec<WalletCard>,
}

/// List one's cards
#[utoipa::path(
    get,
    path = "/v1/wallet/cards",
    tag = "wallet",
    operation_id = "list_wallet_cards",
    responses((status = 200, description = "The cards.", body = WalletCards)),
)]
pub(crate) async fn list(State(app): State<AppState>, current: CurrentHolder) -> Result<Response, Problem> {
    let own = app.wallet.cards(current.holder()).await?;
    let items = own.iter().map(|own| views::card(&app, own)).collect::<Result<_, _>>()?;
    json(StatusCode::OK, &WalletCards { items })
}

/// Read one of one's cards
#[utoipa::path(
    get,
    path = "/v1/wallet/cards/{id}",
    tag = "wallet",
    operation_id = "read_wallet_card",
    params(("id" = schema::CardId, Path, description = "The card.")),
    responses((status = 200, description = "The card.", body = WalletCard)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    current: CurrentHolder,
    Named(id): Named<CardId>,
) -> Result<Response, Problem> {
    let own = own_card(&app, current.holder(), id).await?;
    json(StatusCode::OK, &views::card(&app, &own)?)
}

/// A card to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WalletCardRequest {
    /// The card's number.
    #[schema(value_type = schema::CardNumber)]
    number: Number,
    /// Its PIN. A card without a PIN cannot be added.
    #[schema(value_type = schema::Pin)]
    pin: TypedPin,
}

/// Add a card
///
/// By number and PIN. An unknown number, a card that was not sold, and a wrong, locked or missing PIN are answered
/// alike, and failures are limited per minute.
#[utoipa::path(
    post,
    path = "/v1/wallet/cards",
    tag = "wallet",
    operation_id = "add_wallet_card",
    request_body = WalletCardRequest,
    responses((status = 201, description = "The card is in the wallet.", body = WalletCard)),
)]
pub(crate) async fn add(
    State(app): State<AppState>,
    current: CurrentHolder,
    Json(body): Json<WalletCardRequest>,
) -> Result<Response, Problem> {
    let started = Instant::now();
    let counted = lookup(&app, &current, &body.number);
    let turn = in_time(&app, app.lookups.turn()).await?;
    let at = app.engine.now();
    app.lookups.count(counted, at, app.nodes())?;
    let added = match &body.number {
        Number::Possible(number) => {
            in_time(&app, app.wallet.add_card(current.holder(), number, &body.pin.0)).await??
        }
        Number::Impossible => Added::NotFound,
    };
    if !matches!(added, Added::NotFound) {
        app.lookups.forgive(counted, at);
    }
    drop(turn);
    match added {
        Added::Yes(own) => json(StatusCode::CREATED, &views::card(&app, &own)?),
        Added::NotFound => {
            metrics::counter!("hexiao_lookups_failed_total").increment(1);
            tokio::time::sleep_until(next_stroke(started)).await;
            let detail = "the number is unknown, or the PIN is wrong, missing or locked; check both";
            Err(Problem::new(Code::CardNotFound, detail))
        }
        Added::Taken => {
            let detail = "the card is in somebody else's wallet; ask its giver to give it, or the issuer";
            Err(Problem::new(Code::CardTaken, detail))
        }
        Added::Declined(decline) => {
            let detail = format!("the card cannot be added ({}); ask the issuer", decline.code());
            Err(Problem::new(Code::CardUnusable, detail))
        }
        Added::Full => {
            Err(Problem::new(Code::WalletFull, "a wallet has at most 50 cards; use another phone"))
        }
    }
}

fn lookup(app: &AppState, current: &CurrentHolder, number: &Number) -> Lookup {
    let holder = current.holder();
    let number = match number {
        Number::Possible(number) => Some(NumberIndex(app.engine.vault().index(number))),
        Number::Impossible => None,
    };
    Lookup { client: ClientId::new(holder.id.get()), issuer: holder.issuer, number }
}
