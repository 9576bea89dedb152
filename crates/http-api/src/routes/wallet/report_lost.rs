//! Reporting a card lost (挂失).

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{CardId, operation::Status};

use super::{
    own_card,
    views::{self, WalletCard},
};
use crate::{
    answer::{in_time, json},
    error::{Code, Problem},
    extract::Named,
    holder::CurrentHolder,
    state::AppState,
    wire::schema,
};

/// Report a card lost
///
/// Nothing can be paid with it any more, and its devices are revoked. The issuer replaces it.
#[utoipa::path(
    post,
    path = "/v1/wallet/cards/{id}/report-lost",
    tag = "wallet",
    operation_id = "report_wallet_card_lost",
    params(("id" = schema::CardId, Path, description = "The card.")),
    responses((status = 200, description = "The card, as it is now.", body = WalletCard)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    current: CurrentHolder,
    Named(id): Named<CardId>,
) -> Result<Response, Problem> {
    let holder = current.holder();
    own_card(&app, holder, id).await?;
    let done = in_time(&app, app.wallet.report_lost(holder, id)).await??;
    match done.map(|operation| operation.status) {
        Some(Status::Declined(decline)) => {
            let detail = format!("the card cannot be reported lost ({}); ask the issuer", decline.code());
            Err(Problem::new(Code::CardUnusable, detail))
        }
        // Gone meanwhile, it is answered as what it is: not there.
        _ => json(StatusCode::OK, &views::card(&app, &own_card(&app, holder, id).await?)?),
    }
}
