//! Devices that show payment codes of a card.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{CardId, DeviceId, card::StateCode};
use serde::Serialize;
use utoipa::ToSchema;
use wallet::code::{LENGTH, PERIOD_SECONDS, PREFIX};

use super::own_card;
use crate::{
    answer::json,
    error::{Code, Problem},
    extract::Named,
    holder::CurrentHolder,
    state::AppState,
    wire::{moment::Moment, schema},
};

/// What a device needs to show payment codes. Given once: keep the secret where no script can read it.
#[derive(Serialize, ToSchema)]
pub(crate) struct EnrolledDevice {
    /// The device.
    #[schema(value_type = schema::DeviceId)]
    device: DeviceId,
    /// What its codes name it by: 8 digits.
    #[schema(pattern = "^[0-9]{8}$")]
    tag: String,
    /// The key of HMAC-SHA256, 32 bytes in base64url without padding.
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    secret: String,
    /// What codes begin with.
    prefix: &'static str,
    /// Digits of a code.
    digits: usize,
    /// How long a time step lasts.
    period_s: i64,
    /// The server's time. Codes are made by it: keep the difference from the device's own clock.
    #[schema(value_type = schema::Moment)]
    server_time: Moment,
}

/// Enrol a device
///
/// Lets this device show payment codes of the card, without a connection. One more than three revokes the oldest.
/// A code is `prefix`, `tag`, nine digits of HMAC-SHA256 over the time step, and a Luhn digit.
#[utoipa::path(
    post,
    path = "/v1/wallet/cards/{id}/devices",
    tag = "wallet",
    operation_id = "enrol_device",
    params(("id" = schema::CardId, Path, description = "The card.")),
    responses((status = 201, description = "The device, with its secret this once.", body = EnrolledDevice)),
)]
pub(crate) async fn enrol(
    State(app): State<AppState>,
    current: CurrentHolder,
    Named(id): Named<CardId>,
) -> Result<Response, Problem> {
    let own = own_card(&app, current.holder(), id).await?;
    let state = own.card.state.code();
    if matches!(state, StateCode::Lost | StateCode::Closed) {
        let detail = format!("the card is {} and pays nothing any more", state.name());
        return Err(Problem::new(Code::CardUnusable, detail));
    }
    let enrolled = app.wallet.enrol(current.holder(), &own).await?;
    let answer = EnrolledDevice {
        device: enrolled.device.id,
        tag: format!("{:08}", enrolled.device.tag),
        secret: enrolled.secret.to_text().to_string(),
        prefix: PREFIX,
        digits: LENGTH,
        period_s: PERIOD_SECONDS,
        server_time: Moment(app.engine.now()),
    };
    json(StatusCode::CREATED, &answer)
}

/// A device.
#[derive(Serialize, ToSchema)]
pub(crate) struct WalletDevice {
    /// Its id.
    #[schema(value_type = schema::DeviceId)]
    id: DeviceId,
    /// When it was enrolled.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
}

/// The devices of a card.
#[derive(Serialize, ToSchema)]
pub(crate) struct WalletDevices {
    /// At most three, newest first.
    items: Vec<WalletDevice>,
}

/// List the devices of a card
#[utoipa::path(
    get,
    path = "/v1/wallet/cards/{id}/devices",
    tag = "wallet",
    operation_id = "list_devices",
    params(("id" = schema::CardId, Path, description = "The card.")),
    responses((status = 200, description = "The devices.", body = WalletDevices)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    current: CurrentHolder,
    Named(id): Named<CardId>,
) -> Result<Response, Problem> {
    let own = own_card(&app, current.holder(), id).await?;
    let devices = app.wallet.devices(current.holder(), own.card.id).await?;
    let view =
        |device: storage::Device| WalletDevice { id: device.id, created_at: Moment(device.created_at) };
    json(StatusCode::OK, &WalletDevices { items: devices.into_iter().map(view).collect() })
}

/// Revoke a device
///
/// Its codes are worth nothing from now on.
#[utoipa::path(
    delete,
    path = "/v1/wallet/devices/{id}",
    tag = "wallet",
    operation_id = "revoke_device",
    params(("id" = schema::DeviceId, Path, description = "The device.")),
    responses((status = 204, description = "Revoked.")),
)]
pub(crate) async fn revoke(
    State(app): State<AppState>,
    current: CurrentHolder,
    Named(id): Named<DeviceId>,
) -> Result<Response, Problem> {
    if app.wallet.revoke_device(current.holder(), id).await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Err(Problem::new(Code::DeviceUnknown, "no such live device of this holder").parameter("id"))
}
