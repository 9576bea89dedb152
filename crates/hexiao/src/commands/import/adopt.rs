//! The second pass: adopts the cards and loads their value.
//!
//! In chunks; each chunk inserts the cards that are missing in one transaction, then submits the
//! activations of all of them (and freezes those that are frozen). Everything can be done again: what is
//! there is found by number, and what was decided replays under its key.

use std::path::Path;

use domain::{
    BatchId, CardId, Channel, Command, IdempotencyKey, Program, Refusal,
    command::{Activate, Actor, CardRef, Place, SYSTEM_CLIENT, WithReason},
    operation::Status,
};
use engine::{Engine, EngineConfig, Intent, SubmitError, issue::KnownNumber};
use storage::{Batch, BatchStatus, NewCard};

use super::{
    check::{Checked, card_with},
    file::Rows,
    row::{Row, RowRules, RowState},
};
use crate::{
    failure::{Failure, Result},
    output::hexadecimal,
    progress::Progress,
};

const CHUNK: usize = EngineConfig::MAX_SUBMISSION;
const UNFINISHED: &str = "the import was interrupted; import the same file again to go on";
/// The channel that imported value comes from, so that the trial balance shows it apart.
const CHANNEL: &str = "import";

/// The steps that a row can need, as a part of its keys.
#[derive(Clone, Copy)]
enum StepOf {
    Activation = 1,
    Freeze = 2,
}

/// A row with its card.
struct Adopted {
    line: u64,
    card: CardId,
    row: Row,
}

/// The key of the batch that a file's cards belong to.
pub(super) fn batch_key(program: &Program, digest: &[u8; 32]) -> String {
    format!("import:{}:{}", program.id, hexadecimal(&digest[..16]))
}

/// Adopts every row of the file.
pub(super) async fn adopt(
    engine: &Engine,
    path: &Path,
    program: &Program,
    rules: &RowRules<'_>,
    checked: &Checked,
) -> Result {
    let batch = batch_of(engine, program, checked).await?;
    let import = Importing { engine, program, batch: batch.id, digest: &checked.digest };
    let progress = Progress::new("cards imported", Some(checked.rows));
    let mut rows = Rows::open(path)?;
    loop {
        let chunk = next_chunk(&mut rows, rules)?;
        let Some(count) = u64::try_from(chunk.len()).ok().filter(|count| *count > 0) else { break };
        import.chunk(chunk).await?;
        progress.add(count);
    }
    progress.finish();
    if rows.digest() != checked.digest {
        return Err(Failure::new("the file was changed while it was imported; import it again as it was"));
    }
    finish(engine, batch).await
}

fn next_chunk(rows: &mut Rows, rules: &RowRules<'_>) -> Result<Vec<(u64, Row)>> {
    let mut chunk = Vec::with_capacity(CHUNK);
    while chunk.len() < CHUNK {
        let Some((line, columns, record)) = rows.next()? else { break };
        let row = rules.read(columns, record);
        let row =
            row.map_err(|reason| Failure::new(format!("line {line} was changed meanwhile: {reason}")))?;
        chunk.push((line, row));
    }
    Ok(chunk)
}

/// The batch of this file. It counts as failed until all is done, so that an interrupted import shows, and
/// its secrets count as exported, because whoever wrote the file has them.
async fn batch_of(engine: &Engine, program: &Program, checked: &Checked) -> Result<Batch> {
    let key = batch_key(program, &checked.digest);
    if let Some(batch) = engine.store().batch_by_key(SYSTEM_CLIENT, &key).await? {
        return Ok(batch);
    }
    let count = u32::try_from(checked.rows).map_err(|_| Failure::new("too many rows"))?;
    let now = engine.now();
    let batch = Batch {
        id: BatchId::new(engine.next_id()),
        issuer: program.issuer,
        program: program.id,
        client: SYSTEM_CLIENT,
        fingerprint: engine.vault().fingerprint(key.as_bytes()),
        key,
        count,
        face_value: None,
        activate: false,
        issued: 0,
        activated: 0,
        status: BatchStatus::Failed,
        failure: Some(UNFINISHED.to_owned()),
        created_at: now,
        completed_at: None,
        exported_at: Some(now),
    };
    engine.store().create_batch(&batch).await?;
    Ok(batch)
}

async fn finish(engine: &Engine, mut batch: Batch) -> Result {
    batch.issued = batch.count;
    batch.status = BatchStatus::Complete;
    batch.failure = None;
    batch.completed_at = Some(engine.now());
    engine.store().insert_cards(&[], Some(&batch)).await?;
    Ok(())
}

struct Importing<'a> {
    engine: &'a Engine,
    program: &'a Program,
    batch: BatchId,
    digest: &'a [u8; 32],
}

impl Importing<'_> {
    async fn chunk(&self, rows: Vec<(u64, Row)>) -> Result {
        let adopted = self.insert(rows).await?;
        let active = adopted.iter().filter(|a| a.row.state != RowState::Stocked);
        self.submit(active.map(|a| (a, self.activation(a))).collect()).await?;
        let frozen = adopted.iter().filter(|a| a.row.state == RowState::Frozen);
        self.submit(frozen.map(|a| (a, self.freeze(a))).collect()).await
    }

    /// Inserts the cards that are not there yet, all of them or none.
    async fn insert(&self, rows: Vec<(u64, Row)>) -> Result<Vec<Adopted>> {
        let mut adopted = Vec::with_capacity(rows.len());
        let mut missing = Vec::new();
        for (line, row) in rows {
            let card = match card_with(self.engine, &row.number).await? {
                Some(card) if card.batch == Some(self.batch) => card.id,
                Some(_) => return Err(Failure::new(format!("line {line}: a card has this number already"))),
                None => {
                    let new = self.new_card(&row)?;
                    let id = new.card.id;
                    missing.push(new);
                    id
                }
            };
            adopted.push(Adopted { line, card, row });
        }
        if !missing.is_empty() && !self.engine.store().insert_cards(&missing, None).await?.is_empty() {
            return Err(Failure::new("a number of this file was taken meanwhile; import the file again"));
        }
        Ok(adopted)
    }

    fn new_card(&self, row: &Row) -> Result<NewCard> {
        let face_value = (row.state == RowState::Stocked).then_some(row.balance);
        let known = KnownNumber { number: row.number.clone(), pin: row.pin.clone() };
        let mut new = self.engine.adopt_card(self.program, face_value, known)?;
        new.card.batch = Some(self.batch);
        // Activation keeps an end of validity that the card came with.
        new.card.expires_at = row.expires_at;
        Ok(new)
    }

    fn activation(&self, adopted: &Adopted) -> Intent {
        let command = Command::Activate(Activate {
            card: CardRef::Id(adopted.card),
            amount: Some(adopted.row.balance),
            currency: self.program.currency,
            bonus: None,
            place: Place { channel: Channel::parse(CHANNEL).ok(), ..Place::default() },
            funding: None,
        });
        self.intent(adopted, StepOf::Activation, command)
    }

    fn freeze(&self, adopted: &Adopted) -> Intent {
        let reason = "frozen where it was imported from".to_owned();
        let command = Command::Freeze(WithReason { card: CardRef::Id(adopted.card), reason });
        self.intent(adopted, StepOf::Freeze, command)
    }

    fn intent(&self, adopted: &Adopted, step: StepOf, command: Command) -> Intent {
        let key = row_key(self.program, self.digest, adopted.line, step);
        Intent {
            actor: Actor { client: SYSTEM_CLIENT, issuer: self.program.issuer, merchant: None },
            canonical: format!("import:{}:{}", key.to_text(), adopted.card).into_bytes().into_boxed_slice(),
            key,
            command,
            trace: None,
            reference: adopted.row.reference.clone(),
            metadata: None,
        }
    }

    async fn submit(&self, items: Vec<(&Adopted, Intent)>) -> Result {
        if items.is_empty() {
            return Ok(());
        }
        let (adopted, intents): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        let outcomes = submit_patiently(self.engine, intents).await?;
        for (adopted, outcome) in adopted.into_iter().zip(outcomes) {
            let turned_down = match outcome.map(|answer| answer.operation.status) {
                Ok(Status::Approved) => continue,
                Ok(Status::Declined(decline)) => decline.code(),
                Err(refusal) => Refusal::code(refusal),
            };
            return Err(Failure::new(format!("line {}: turned down: {turned_down}", adopted.line)));
        }
        Ok(())
    }
}

async fn submit_patiently(engine: &Engine, intents: Vec<Intent>) -> Result<Vec<engine::Outcome>> {
    loop {
        match engine.submit_many(intents.clone()).await {
            Err(SubmitError::QueueFull) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            done => return Ok(done?),
        }
    }
}

/// A key in the form of a UUID that grows with the line, so that it appends to the index of keys: eight
/// bytes that stand for file and program, five for the line, one for the step.
fn row_key(program: &Program, digest: &[u8; 32], line: u64, step: StepOf) -> IdempotencyKey {
    use sha2::{Digest, Sha256};
    let file = Sha256::new().chain_update(program.id.get().to_be_bytes()).chain_update(digest).finalize();
    let file = hexadecimal(&file[..8]);
    let rest = format!("{:012x}{:04x}", line & 0xffff_ffff_ffff, step as u16);
    let hex = format!("{file}{rest}");
    let text = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
    IdempotencyKey::parse(&text).expect("32 hexadecimal digits in the form of a UUID are a key")
}
