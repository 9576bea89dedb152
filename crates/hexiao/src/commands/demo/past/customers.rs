//! What the other desks do, and people with their phones: a card is frozen, one is lost and replaced, somebody asks for
//! more than he may alone, and cards are given away.

use jiff::civil::Date;
use serde_json::json;
use wallet::{Phone, Wallet};

use super::{Past, stock::Ware};
use crate::failure::{Failure, Result};

/// Who has cards on his phone.
const PHONES: [&str; 4] = ["13800000002", "13800000003", "13900000004", "13700000005"];

impl Past {
    /// The risk desk freezes a card, customer service replaces a lost one, and some put their cards on their phones.
    pub(super) async fn look_after_cards(&mut self) -> Result {
        let suspicious = self.stock.of(&mut self.random, Ware::Member);
        let lost = self.stock.of(&mut self.random, Ware::Benefit);
        self.office.mistype("risk", 31).await;
        let risk = self.office.sign_in("risk", 31).await?;
        if let Some(card) = suspicious {
            let reason =
                json!({"reason": "短时间多店消费，待核实 many stores within minutes, to be checked"});
            risk.post(&format!("/v1/cards/{}/freeze", self.stock.used[card].id), reason).await?;
            self.frozen = suspicious;
        }
        risk.sign_out().await?;
        if let Some(card) = lost {
            let service = self.office.sign_in("service", 41).await?;
            let id = self.stock.used[card].id;
            service.post(&format!("/v1/cards/{id}/report-lost"), json!({})).await?;
            service.sign_out().await?;
        }
        self.put_on_phones().await
    }

    async fn put_on_phones(&mut self) -> Result {
        let wallet = Wallet::with_outbox(self.engine.clone());
        let mut holders = Vec::new();
        for phone in PHONES {
            let phone = Phone::parse(phone).map_err(|error| Failure::new(error.to_string()))?;
            holders.push((wallet.holder_of(self.shop.issuer, &phone).await?, phone));
        }
        let mut given = Vec::new();
        for (number, (holder, _)) in holders.iter().enumerate() {
            for ware in [Ware::Gift, Ware::Member].into_iter().take(1 + number % 2) {
                let Some(card) = self.stock.of(&mut self.random, ware) else { continue };
                let card = self.stock.used[card].id;
                if wallet.assign(holder, card).await? {
                    given.push((number, card));
                }
            }
        }
        // The first gives a card to the second, who accepts; the third gives one to the fourth, who has not answered.
        for (giver, receiver, accepts) in [(0, 1, true), (2, 3, false)] {
            let Some((_, card)) = given.iter().find(|(holder, _)| *holder == giver) else { continue };
            let gift = wallet.offer(&holders[giver].0, *card, &holders[receiver].1).await?;
            if accepts {
                wallet.accept(&holders[receiver].0, gift.gift.id).await?;
            }
        }
        Ok(())
    }

    /// Two ask for what needs a second person; nobody has decided yet.
    pub(super) async fn last_desk_day(&mut self, _day: Date) -> Result {
        let manager = self.office.sign_in("manager", 12).await?;
        let batch = json!({"program": self.shop.gift.id.to_string(), "count": 100, "face_value": 50_000, "activate": false});
        manager.post("/v1/batches", batch).await?;
        manager.sign_out().await?;
        let Some(card) = self.stock.of(&mut self.random, Ware::Member) else { return Ok(()) };
        let maker = self.office.sign_in("maker", 21).await?;
        let adjustment = json!({
            "card": {"id": self.stock.used[card].id.to_string()}, "direction": "credit", "amount": 50_000,
            "currency": "CNY", "reason": "重复扣款退还 charged twice, given back",
        });
        maker.post("/v1/adjustments", adjustment).await?;
        maker.sign_out().await
    }
}
