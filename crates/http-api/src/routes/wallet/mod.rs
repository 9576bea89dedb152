//! What card holders do (持卡人): sign in by phone, see and add cards, show payment codes, give cards away.
//!
//! Holders have no API key: a session in a cookie says who they are ([`crate::holder`]). What is not theirs is not
//! there.

pub(crate) mod card_operations;
pub(crate) mod cards;
pub(crate) mod codes;
pub(crate) mod devices;
pub(crate) mod gifts;
pub(crate) mod outbox;
pub(crate) mod report_lost;
pub(crate) mod sessions;
pub(crate) mod views;

use domain::CardId;
use storage::Holder;
use wallet::OwnCard;

use crate::{
    error::{Code, Problem},
    state::AppState,
};

/// A card of the holder's wallet.
async fn own_card(app: &AppState, holder: &Holder, id: CardId) -> Result<OwnCard, Problem> {
    let found = app.wallet.card(holder, id).await?;
    found.ok_or_else(|| {
        Problem::new(Code::CardUnknown, "no such card in this wallet; look at the list of cards")
            .parameter("id")
    })
}
