//! Making cards: numbers and PINs from the vault, stocked cards into the store, activation through the
//! same decisions as everybody else's.

use domain::{
    Amount, BatchId, Card, CardId, CardState, Command, IdempotencyKey, Program,
    card::{DayCounters, PinDigest, PinState},
    command::{Activate, Actor, CardRef, NumberIndex, Place},
    operation::Status,
};
use storage::{Batch, BatchStatus, NewCard, Sealed, StorageError};
use vault::{CardNumber, IssuerPrefix, NumberError, OsRandomness, Pin, SealError, purpose};

use crate::{Engine, EngineConfig, Intent, SubmitError};

/// The most cards of one batch.
pub const MAX_BATCH_CARDS: u32 = 1_000_000;
/// How many cards are written in one transaction.
const CHUNK: u32 = 1000;
/// How often numbers that turn out to be taken are drawn again.
const REDRAWS: u32 = 16;

/// A card just made. The only moment at which its number and PIN are readable.
pub struct IssuedCard {
    /// The card.
    pub card: Card,
    /// Its number.
    pub number: CardNumber,
    /// Its PIN, if its program issues one.
    pub pin: Option<Pin>,
}

/// Why cards could not be made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The program's prefix and length do not make a number.
    #[error("the program's number prefix and length do not fit: {0}")]
    Number(#[from] NumberError),
    /// A secret could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The program's range of numbers is used up.
    #[error("no free number found after {REDRAWS} draws: use a longer number or another prefix")]
    Exhausted,
    /// The program is gone.
    #[error("the program no longer exists")]
    ProgramUnknown,
    /// An activation was turned down.
    #[error("activation of a card was turned down: {0}")]
    Activation(&'static str),
    /// The engine did not take the activations.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A card that already has a number, from another system.
pub struct KnownNumber {
    /// The number.
    pub number: CardNumber,
    /// Its PIN.
    pub pin: Option<Pin>,
}

impl Engine {
    /// Makes one stocked card.
    pub async fn issue_card(
        &self,
        program: &Program,
        face_value: Option<Amount>,
    ) -> Result<IssuedCard, IssueError> {
        let mut random = OsRandomness::new();
        for _ in 0..REDRAWS {
            let drawn = draw(program, &mut random)?;
            let made = self.make(program, None, face_value, drawn)?;
            if self.is_known(&made.number).await? {
                continue;
            }
            let new = self.sealed(&made, false)?;
            if self.store().insert_cards(std::slice::from_ref(&new), None).await?.is_empty() {
                return Ok(made);
            }
        }
        Err(IssueError::Exhausted)
    }

    /// A stocked card with a known number, in the form in which it is stored.
    pub fn adopt_card(
        &self,
        program: &Program,
        face_value: Option<Amount>,
        known: KnownNumber,
    ) -> Result<NewCard, IssueError> {
        let made = self.make(program, None, face_value, known)?;
        self.sealed(&made, false)
    }

    /// Goes on with a batch until it is complete or cannot go on. Each step is one transaction, so that a
    /// crash leaves a batch that this goes on with.
    pub async fn run_batch(&self, mut batch: Batch) -> Result<Batch, IssueError> {
        let catalog = self.catalog();
        let program = catalog.programs.get(&batch.program).ok_or(IssueError::ProgramUnknown)?;
        let mut after = self.resume_activation(&batch).await?;
        while batch.issued < batch.count {
            self.issue_chunk(program, &mut batch).await?;
            if batch.activate {
                after = self.activate_chunk(program, &mut batch, after).await?;
            }
        }
        while batch.activate && batch.activated < batch.count {
            after = self.activate_chunk(program, &mut batch, after).await?;
        }
        batch.status = BatchStatus::Complete;
        batch.completed_at = Some(self.now());
        self.store().insert_cards(&[], Some(&batch)).await?;
        Ok(batch)
    }

    /// Records that a batch cannot go on.
    pub async fn fail_batch(&self, mut batch: Batch, error: &IssueError) -> Result<(), StorageError> {
        batch.status = BatchStatus::Failed;
        batch.failure = Some(error.to_string());
        self.store().insert_cards(&[], Some(&batch)).await.map(|_| ())
    }

    async fn issue_chunk(&self, program: &Program, batch: &mut Batch) -> Result<(), IssueError> {
        let count = CHUNK.min(batch.count - batch.issued);
        let mut random = OsRandomness::new();
        let mut cards = Vec::with_capacity(count as usize);
        for _ in 0..count {
            cards.push(self.new_card(program, batch, &mut random).await?);
        }
        batch.issued += count;
        for _ in 0..REDRAWS {
            let taken = self.store().insert_cards(&cards, Some(batch)).await?;
            if taken.is_empty() {
                return Ok(());
            }
            for position in taken {
                let fresh = self.new_card(program, batch, &mut random).await?;
                if let Some(card) = cards.get_mut(position) {
                    *card = fresh;
                }
            }
        }
        batch.issued -= count;
        Err(IssueError::Exhausted)
    }

    async fn new_card(
        &self,
        program: &Program,
        batch: &Batch,
        random: &mut OsRandomness,
    ) -> Result<NewCard, IssueError> {
        for _ in 0..REDRAWS {
            let drawn = draw(program, random)?;
            let made = self.make(program, Some(batch.id), batch.face_value, drawn)?;
            if !self.is_known(&made.number).await? {
                return self.sealed(&made, true);
            }
        }
        Err(IssueError::Exhausted)
    }

    /// Whether a number exists under an older key. Under the current key the store's unique index tells.
    async fn is_known(&self, number: &CardNumber) -> Result<bool, StorageError> {
        let older: Vec<NumberIndex> =
            self.vault().indexes(number).skip(1).map(|(_, i)| NumberIndex(i)).collect();
        if older.is_empty() {
            return Ok(false);
        }
        Ok(self.store().card_by_number(&older).await?.is_some())
    }

    fn make(
        &self,
        program: &Program,
        batch: Option<BatchId>,
        face_value: Option<Amount>,
        secret: KnownNumber,
    ) -> Result<IssuedCard, IssueError> {
        let id = CardId::new(self.next_id());
        let digest = secret.pin.as_ref().map(|pin| {
            let digest = self.vault().pin_digest(id.get(), pin);
            PinDigest { key_id: digest.key_id, bytes: digest.bytes }
        });
        let card = Card {
            id,
            issuer: program.issuer,
            program: program.id,
            batch,
            last4: secret.number.last4().parse().map_err(|_| IssueError::Exhausted)?,
            state: CardState::Stocked,
            face_value,
            lots: Vec::new(),
            held: Amount::ZERO,
            day: DayCounters::default(),
            pin: PinState { digest, ..PinState::default() },
            member: None,
            activated_at: None,
            expires_at: None,
            last_operation: None,
            created_at: self.now(),
        };
        Ok(IssuedCard { card, number: secret.number, pin: secret.pin })
    }

    /// The stored form. The PIN is kept sealed only where an export will give it out once.
    fn sealed(&self, made: &IssuedCard, keep_pin: bool) -> Result<NewCard, IssueError> {
        let vault = self.vault();
        let id = made.card.id.get();
        let number = vault.seal(id, &made.number);
        let pin = match &made.pin {
            Some(pin) if keep_pin => {
                let sealed = vault.seal_text(id, purpose::PIN_UNTIL_EXPORT, pin.expose())?;
                Some(Sealed { key_id: sealed.key_id, bytes: sealed.bytes })
            }
            _ => None,
        };
        Ok(NewCard {
            card: made.card.clone(),
            index: NumberIndex(vault.index(&made.number)),
            index_key_id: vault.keys().current_id(),
            number: Sealed { key_id: number.key_id, bytes: number.bytes },
            pin,
        })
    }

    /// The last card that is certainly activated: activation goes on behind it.
    async fn resume_activation(&self, batch: &Batch) -> Result<Option<CardId>, StorageError> {
        let mut after = None;
        let mut passed = 0;
        while passed < batch.activated {
            let limit = (batch.activated - passed).min(CHUNK) as usize;
            let cards = self.store().batch_cards(batch.id, after, limit).await?;
            let Some(last) = cards.last() else { break };
            after = Some(last.card);
            passed += u32::try_from(cards.len()).unwrap_or(CHUNK);
        }
        Ok(after)
    }

    /// Activates the next cards. Their keys follow from their ids, so that doing it twice does it once.
    async fn activate_chunk(
        &self,
        program: &Program,
        batch: &mut Batch,
        after: Option<CardId>,
    ) -> Result<Option<CardId>, IssueError> {
        let limit = EngineConfig::MAX_SUBMISSION.min(CHUNK as usize);
        let cards = self.store().batch_cards(batch.id, after, limit).await?;
        let Some(last) = cards.last().map(|row| row.card) else {
            return Err(IssueError::Activation("cards of the batch are missing"));
        };
        let intents = cards.iter().map(|row| activation(program, batch, row.card)).collect::<Option<_>>();
        let intents = intents.ok_or(IssueError::Activation("a card id does not make a key"))?;
        for outcome in self.submit_patiently(intents).await? {
            match outcome.map(|answer| answer.operation.status) {
                Ok(Status::Approved) => {}
                Ok(Status::Declined(decline)) => return Err(IssueError::Activation(decline.code())),
                Err(refusal) => return Err(IssueError::Activation(refusal.code())),
            }
        }
        batch.activated += u32::try_from(cards.len()).unwrap_or(0);
        self.store().insert_cards(&[], Some(batch)).await?;
        Ok(Some(last))
    }

    /// Waits for room in the queue: a batch is never more urgent than a sale.
    async fn submit_patiently(&self, intents: Vec<Intent>) -> Result<Vec<crate::Outcome>, SubmitError> {
        loop {
            match self.submit_many(intents.clone()).await {
                Err(SubmitError::QueueFull) => {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
                done => return done,
            }
        }
    }
}

fn draw(program: &Program, random: &mut OsRandomness) -> Result<KnownNumber, IssueError> {
    let prefix = IssuerPrefix::parse(&program.number_prefix)?;
    let number = CardNumber::generate(&prefix, program.number_length, random)?;
    let pin = program.rules.pin_issued.then(|| Pin::generate(random));
    Ok(KnownNumber { number, pin })
}

/// The activation of a card of a batch, under a time-ordered key that only this card has.
fn activation(program: &Program, batch: &Batch, card: CardId) -> Option<Intent> {
    let key = job_key(card.get(), u64::from_be_bytes(*b"activate"))?;
    Some(Intent {
        actor: Actor { client: batch.client, issuer: batch.issuer, merchant: None },
        key,
        canonical: format!("issue:activate:{card}").into_bytes().into_boxed_slice(),
        command: Command::Activate(Activate {
            card: CardRef::Id(card),
            amount: batch.face_value,
            currency: program.currency,
            bonus: None,
            place: Place::default(),
            funding: None,
        }),
        trace: None,
        reference: None,
        metadata: None,
    })
}

/// A key in the form of a UUID, so that it is stored in order: the id, then what tells several keys of
/// one id apart.
pub fn job_key(id: i64, tag: u64) -> Option<IdempotencyKey> {
    let id = u64::try_from(id).ok()?;
    let text = format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        id >> 32,
        (id >> 16) & 0xffff,
        id & 0xffff,
        tag >> 48,
        tag & 0xffff_ffff_ffff
    );
    IdempotencyKey::parse(&text).ok()
}
