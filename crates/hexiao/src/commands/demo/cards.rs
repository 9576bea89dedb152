//! The demo's cards: one batch for each program. Numbers and PINs are read back from their sealed forms,
//! which the key ring of the demo opens; a batch that was exported shows numbers only.

use domain::{Amount, BatchId, CardId, Program};
use engine::Engine;
use storage::{Batch, BatchStatus};
use vault::{CardNumber, SealedNumber, SealedText, purpose};
use zeroize::Zeroizing;

use super::catalog::{Shop, fen};
use crate::failure::{Failure, Result};

/// A card to try.
pub(super) struct DemoCard {
    pub(super) id: CardId,
    pub(super) number: CardNumber,
    pub(super) pin: Option<Zeroizing<String>>,
}

/// The cards of each program.
pub(super) struct Cards {
    pub(super) gift: Vec<DemoCard>,
    pub(super) benefit: Vec<DemoCard>,
    pub(super) member: Vec<DemoCard>,
}

const COUNT: u32 = 12;

/// Makes what is missing and reads all of them.
pub(super) async fn prepare(engine: &Engine, shop: &Shop) -> Result<Cards> {
    Ok(Cards {
        gift: batch(engine, shop, &shop.gift, fen(20_000)).await?,
        benefit: batch(engine, shop, &shop.benefit, fen(50_000)).await?,
        member: batch(engine, shop, &shop.member, fen(30_000)).await?,
    })
}

async fn batch(engine: &Engine, shop: &Shop, program: &Program, face_value: Amount) -> Result<Vec<DemoCard>> {
    let key = format!("demo-{}", program.id);
    let client = shop.manager.0.id;
    let known = engine.store().batch_by_key(client, &key).await?;
    let batch = if let Some(batch) = known {
        batch
    } else {
        let batch = new_batch(engine, shop, program, face_value, key);
        engine.store().create_batch(&batch).await?;
        batch
    };
    let id = batch.id;
    if batch.status == BatchStatus::Running {
        engine.run_batch(batch).await?;
    }
    let rows = engine.store().batch_cards(id, None, COUNT as usize).await?;
    rows.into_iter().map(|row| open(engine, row)).collect()
}

fn new_batch(engine: &Engine, shop: &Shop, program: &Program, face_value: Amount, key: String) -> Batch {
    Batch {
        id: BatchId::new(engine.next_id()),
        issuer: shop.issuer,
        program: program.id,
        client: shop.manager.0.id,
        fingerprint: engine.vault().fingerprint(key.as_bytes()),
        key,
        count: COUNT,
        face_value: Some(face_value),
        activate: true,
        issued: 0,
        activated: 0,
        status: BatchStatus::Running,
        failure: None,
        created_at: engine.now(),
        completed_at: None,
        exported_at: None,
    }
}

pub(super) fn open(engine: &Engine, row: storage::ExportRow) -> Result<DemoCard> {
    let (id, vault) = (row.card, engine.vault());
    let number = SealedNumber { key_id: row.number.key_id, bytes: row.number.bytes };
    let number = vault.open(id.get(), &number).map_err(Failure::from)?;
    let pin = row.pin.map(|pin| {
        let sealed = SealedText { key_id: pin.key_id, bytes: pin.bytes };
        vault.open_text(id.get(), purpose::PIN_UNTIL_EXPORT, &sealed)
    });
    Ok(DemoCard { id, number, pin: pin.transpose()? })
}
