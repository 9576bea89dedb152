//! The demo's card holder: a phone number with two cards, to try the wallet with.

use engine::Engine;
use vault::Pin;
use wallet::{Phone, Wallet, WalletError};

use super::{
    cards::{Cards, DemoCard},
    catalog::Shop,
};
use crate::failure::{Failure, Result};

/// The phone that signs in at the demo's wallet. Its codes are shown by the page itself.
pub(super) const PHONE: &str = "13800000001";

/// Which card of each kind it is: none of those that are printed to be tried at a till.
const SHOWN: usize = 5;

/// Makes the holder, and puts a benefit card and a member card into its wallet.
pub(super) async fn prepare(engine: &Engine, shop: &Shop, cards: &Cards) -> Result {
    let wallet = Wallet::with_outbox(engine.clone());
    let phone = Phone::parse(PHONE).map_err(|error| Failure::new(error.to_string()))?;
    let holder = wallet.holder_of(shop.issuer, &phone).await.map_err(failed)?;
    for card in [cards.member.get(SHOWN), cards.benefit.get(SHOWN)].into_iter().flatten() {
        if wallet.card(&holder, card.id).await.map_err(failed)?.is_some() {
            continue;
        }
        match pin_of(card) {
            Some(pin) => wallet.add_card(&holder, &card.number, &pin).await.map(drop).map_err(failed)?,
            None => wallet.assign(&holder, card.id).await.map(drop).map_err(failed)?,
        }
    }
    Ok(())
}

fn pin_of(card: &DemoCard) -> Option<Pin> {
    Pin::parse(card.pin.as_ref()?).ok()
}

#[expect(clippy::needless_pass_by_value, reason = "what map_err calls")]
fn failed(error: WalletError) -> Failure {
    Failure::new(error.to_string())
}
