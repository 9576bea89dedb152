//! Giving a card to the holder of another phone.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{CardId, GiftId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wallet::{GiftError, Phone, SeenGift};

use crate::{
    answer::{in_time, json},
    error::{Code, Problem},
    extract::{Json, Named},
    holder::CurrentHolder,
    routes::cards::program_of,
    state::AppState,
    wire::{moment::Moment, operation::Last4, schema},
};

/// To whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GiftRequest {
    /// The receiver's phone.
    #[schema(value_type = schema::Phone)]
    phone: Phone,
}

/// A gift, as one of the two sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct WalletGift {
    /// Its id.
    #[schema(value_type = schema::GiftId)]
    id: GiftId,
    /// Whether it is given to, or by, who looks.
    #[schema(value_type = schema::GiftDirection)]
    direction: &'static str,
    /// Where it is in its life.
    #[schema(value_type = schema::GiftState)]
    state: &'static str,
    /// The last four digits of the other's phone.
    #[schema(value_type = schema::Last4)]
    other_last4: String,
    /// The card.
    #[schema(value_type = schema::CardId)]
    card: CardId,
    /// The last four digits of its number.
    #[schema(value_type = schema::Last4)]
    card_last4: Last4,
    /// The name of its program.
    program_name: String,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: String,
    /// What can be spent from it now, in minor units, while the gift is open or who looks has the card.
    #[schema(value_type = Option<schema::AnyAmount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i64>,
    /// When it was offered.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
    /// Until when it can be accepted.
    #[schema(value_type = schema::Moment)]
    expires_at: Moment,
}

/// Gifts.
#[derive(Serialize, ToSchema)]
pub(crate) struct WalletGifts {
    /// At most 100, newest first.
    items: Vec<WalletGift>,
}

fn view(app: &AppState, seen: &SeenGift) -> Result<WalletGift, Problem> {
    let program = program_of(app, seen.card.program)?;
    let gift = &seen.gift;
    Ok(WalletGift {
        id: gift.id,
        direction: if seen.incoming { "incoming" } else { "outgoing" },
        state: gift.state.name(),
        other_last4: seen.other_last4.clone(),
        card: gift.card,
        card_last4: Last4(seen.card.last4),
        program_name: program.name.clone(),
        currency: program.currency.code().to_owned(),
        available: gift.state.is_open().then_some(seen.available.get()),
        created_at: Moment(gift.created_at),
        expires_at: Moment(gift.expires_at),
    })
}

fn problem(error: GiftError) -> Problem {
    let detail = error.to_string();
    match error {
        GiftError::Unknown => {
            Problem::new(Code::GiftUnknown, "no such gift or card for this holder; look at the list")
                .parameter("id")
        }
        GiftError::State(_) => {
            Problem::new(Code::GiftState, format!("{detail}: nothing can be done with it"))
        }
        GiftError::Oneself => {
            Problem::new(Code::GiftState, "a card cannot be given to its own holder").at("/phone")
        }
        GiftError::Offered => {
            Problem::new(Code::GiftState, "the card is being given to somebody; withdraw that gift first")
        }
        GiftError::TooMany => {
            Problem::new(Code::RateLimited, format!("{detail}; go on tomorrow")).retry_after(3_600)
        }
        GiftError::Full => Problem::new(Code::WalletFull, detail),
        GiftError::Fault(error) => error.into(),
    }
}

/// Give a card
///
/// Offers it to the holder of a phone number, who has seven days to accept. Until then it stays the giver's, who can
/// spend from it and take the gift back.
#[utoipa::path(
    post,
    path = "/v1/wallet/cards/{id}/gifts",
    tag = "wallet",
    operation_id = "offer_gift",
    params(("id" = schema::CardId, Path, description = "The card.")),
    request_body = GiftRequest,
    responses((status = 201, description = "The gift is offered.", body = WalletGift)),
)]
pub(crate) async fn offer(
    State(app): State<AppState>,
    current: CurrentHolder,
    Named(id): Named<CardId>,
    Json(body): Json<GiftRequest>,
) -> Result<Response, Problem> {
    let seen = app.wallet.offer(current.holder(), id, &body.phone).await.map_err(problem)?;
    json(StatusCode::CREATED, &view(&app, &seen)?)
}

/// List gifts
///
/// Those that were given to who looks, and by.
#[utoipa::path(
    get,
    path = "/v1/wallet/gifts",
    tag = "wallet",
    operation_id = "list_gifts",
    responses((status = 200, description = "The gifts.", body = WalletGifts)),
)]
pub(crate) async fn list(State(app): State<AppState>, current: CurrentHolder) -> Result<Response, Problem> {
    let seen = app.wallet.gifts(current.holder()).await.map_err(problem)?;
    let items = seen.iter().map(|seen| view(&app, seen)).collect::<Result<_, _>>()?;
    json(StatusCode::OK, &WalletGifts { items })
}

/// Accept a gift
///
/// The card is in this wallet from now on, and the giver's devices show codes for it no more.
#[utoipa::path(
    post,
    path = "/v1/wallet/gifts/{id}/accept",
    tag = "wallet",
    operation_id = "accept_gift",
    params(("id" = schema::GiftId, Path, description = "The gift.")),
    responses((status = 200, description = "The gift, accepted.", body = WalletGift)),
)]
pub(crate) async fn accept(
    State(app): State<AppState>,
    current: CurrentHolder,
    Named(id): Named<GiftId>,
) -> Result<Response, Problem> {
    let seen = in_time(&app, app.wallet.accept(current.holder(), id)).await?.map_err(problem)?;
    json(StatusCode::OK, &view(&app, &seen)?)
}

/// Decline a gift
#[utoipa::path(
    post,
    path = "/v1/wallet/gifts/{id}/decline",
    tag = "wallet",
    operation_id = "decline_gift",
    params(("id" = schema::GiftId, Path, description = "The gift.")),
    responses((status = 200, description = "The gift, declined.", body = WalletGift)),
)]
pub(crate) async fn decline(
    State(app): State<AppState>,
    current: CurrentHolder,
    Named(id): Named<GiftId>,
) -> Result<Response, Problem> {
    let seen = app.wallet.decline(current.holder(), id).await.map_err(problem)?;
    json(StatusCode::OK, &view(&app, &seen)?)
}

/// Take a gift back
#[utoipa::path(
    post,
    path = "/v1/wallet/gifts/{id}/withdraw",
    tag = "wallet",
    operation_id = "withdraw_gift",
    params(("id" = schema::GiftId, Path, description = "The gift.")),
    responses((status = 200, description = "The gift, taken back.", body = WalletGift)),
)]
pub(crate) async fn withdraw(
    State(app): State<AppState>,
    current: CurrentHolder,
    Named(id): Named<GiftId>,
) -> Result<Response, Problem> {
    let seen = app.wallet.withdraw(current.holder(), id).await.map_err(problem)?;
    json(StatusCode::OK, &view(&app, &seen)?)
}
