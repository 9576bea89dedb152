//! The write path: a batch in two round trips.
//!
//! The first begins, locks the cards in the order of their ids, and then reads keys, traces, operations and
//! holds. The order matters: under READ COMMITTED every statement has a snapshot of its own, so what comes
//! after the locks sees all that the last holder of a card committed. What is known of an operation or a
//! hold (compensations, captured amounts) changes only under the lock of its card, so those cards are locked
//! as well, found by one look-up inside the same statement.
//!
//! The second writes everything and commits. Unique indexes on keys and traces are the last wall: a
//! violation means that another batch, perhaps of another node, came first, and the batch is tried again.
//!
//! What no card protects is a reversal that comes before its original: it writes a tombstone, and at that
//! moment another batch may be writing the original, on a card that the reversal does not know. So every
//! batch holds a lock in common, and one that writes tombstones has it alone.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::{Arc, LazyLock, atomic::Ordering},
};

use async_trait::async_trait;
use domain::{
    Amount, Card, CardId, HoldId, Operation, OperationId, Transfer,
    command::NumberIndex,
    operation::{Compensation, Recorded},
    working::{Changes, KeyState, Need, TraceKey, Working},
};
use storage::{Durable, Result, StorageError, Transaction, Transactions, durable_already};
use tokio_postgres::Row;

use crate::{
    PostgresStore,
    error::{after_commit_was_sent, busy},
    fields::Fields,
    pool::Lent,
    rows::{arrays, card, hold, operation, transfer},
    session::{Failed, Step},
    store::{BEGIN, COMMIT, Inner, SET_SCOPE, no_warning_since},
};

/// The lock that batches hold in common, and that one which writes tombstones has alone.
const BATCHES: i64 = 0x4845_5849_414F_0002;
/// How long a batch that holds cards waits for more of them, in milliseconds: they are out of order now, and
/// whoever holds them may be waiting for ours.
const LATER_LOCKS_MILLIS: &str = "100";

const OPEN: &str = "SELECT set_config('hexiao.issuer', '*', true), pg_advisory_xact_lock_shared($1)";
const OPEN_ALONE: &str = "SELECT set_config('hexiao.issuer', '*', true), pg_advisory_xact_lock($1)";
const BE_BRIEF: &str = "SELECT set_config('lock_timeout', $1, true)";
/// Fails with a division by zero where another batch is under way.
const BE_ALONE: &str = "SELECT 1 / pg_try_advisory_xact_lock($1)::integer";
/// The same where one of the keys has been used meanwhile.
const STILL_FREE: &str = "SELECT 1 / (NOT EXISTS (SELECT FROM unnest($1::bigint[], $2::bytea[]) AS asked (client_id, key) \
     JOIN operation o ON o.client_id = asked.client_id AND o.key = asked.key))::integer";
const TOMBSTONES: &str = "SELECT t.client_id, t.key, t.reversal_id FROM unnest($1::bigint[], $2::bytea[]) AS asked (client_id, key) \
     JOIN tombstone t ON t.client_id = asked.client_id AND t.key = asked.key";
const COMPENSATIONS: &str =
    "SELECT operation_id, refunded, reversed_by FROM compensation WHERE operation_id = ANY ($1::bigint[])";

static UPDATE_USED: LazyLock<String> = LazyLock::new(|| arrays::update("card", card::Used::COLUMNS));
static UPDATE_CHANGED: LazyLock<String> = LazyLock::new(|| arrays::update("card", card::Changed::COLUMNS));
static INSERT_USUAL: LazyLock<String> =
    LazyLock::new(|| arrays::insert("operation", operation::Usual::COLUMNS));
static INSERT_RARE: LazyLock<String> =
    LazyLock::new(|| arrays::insert("operation", &operation::all_columns()));
static INSERT_TRANSFERS: LazyLock<String> =
    LazyLock::new(|| arrays::insert("transfer", transfer::Transfers::COLUMNS));
static UPSERT_HOLDS: LazyLock<String> = LazyLock::new(hold::upsert);
const UPSERT_COMPENSATIONS: &str = "WITH done AS ( \
         INSERT INTO compensation (operation_id, card_id, issuer_id, refunded, reversed_by) \
         SELECT new.operation_id, o.card_id, o.issuer_id, new.refunded, new.reversed_by \
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS new (operation_id, refunded, reversed_by) \
         JOIN operation o ON o.id = new.operation_id \
         ON CONFLICT (operation_id, card_id) DO UPDATE \
         SET refunded = excluded.refunded, reversed_by = excluded.reversed_by RETURNING 1) \
     SELECT 1 / (count(*) = cardinality($1))::integer FROM done";
const INSERT_TOMBSTONES: &str = "INSERT INTO tombstone (client_id, key, key_text, reversal_id) \
     SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::bigint[])";

/// Every statement of the write path, as sessions prepare them.
pub fn statements() -> Vec<String> {
    let fixed = [
        BEGIN,
        COMMIT,
        SET_SCOPE,
        OPEN,
        OPEN_ALONE,
        BE_BRIEF,
        BE_ALONE,
        STILL_FREE,
        TOMBSTONES,
        COMPENSATIONS,
        UPSERT_COMPENSATIONS,
        INSERT_TOMBSTONES,
        card::LOCK_BY_ID,
        card::LOCK_BY_NUMBER,
        card::LOCK_ALL,
        operation::BY_IDS,
        operation::BY_KEYS,
        operation::BY_TRACES,
        transfer::OF_OPERATIONS,
        hold::BY_IDS,
    ];
    let built =
        [&UPDATE_USED, &UPDATE_CHANGED, &INSERT_USUAL, &INSERT_RARE, &INSERT_TRANSFERS, &UPSERT_HOLDS];
    fixed.iter().map(|sql| (*sql).to_owned()).chain(built.iter().map(|sql| (***sql).clone())).collect()
}

/// A client and the bytes of its key.
type Key = (i64, [u8; 17]);

/// A transaction of the engine.
struct PostgresTransaction {
    store: Arc<Inner>,
    session: Option<Lent>,
    begun: bool,
    /// Whether no other batch is under way, on any node.
    alone: bool,
    /// The cards that were read, as far as a sale leaves them alone.
    settled: HashMap<CardId, card::Settled>,
    /// What was asked for, to tell a race from a mistake.
    asked_keys: Vec<Key>,
    asked_traces: Vec<TraceKey>,
}

#[async_trait]
impl Transactions for PostgresStore {
    async fn begin(&self) -> Result<Box<dyn Transaction>> {
        let session = self.inner.writers.get().await;
        let session = self.inner.note(session)?;
        // Nothing is sent yet: the transaction begins with what it reads.
        Ok(Box::new(PostgresTransaction {
            alone: self.inner.take_next_alone(),
            store: Arc::clone(&self.inner),
            session: Some(session),
            begun: false,
            settled: HashMap::new(),
            asked_keys: Vec::new(),
            asked_traces: Vec::new(),
        }))
    }

    fn writers(&self) -> usize {
        self.inner.writer_count
    }
}

impl Drop for PostgresTransaction {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        if !self.begun {
            session.clean();
            return;
        }
        // A frozen leader: its place in the pool is free at once for a session on the next one.
        if session.is_silent() {
            return;
        }
        // Its locks go at once, without anybody waiting for it.
        self.store.runtime.spawn(async move {
            let ended = session.bounded(session.client().batch_execute("ROLLBACK")).await;
            if matches!(ended, Ok(Ok(()))) {
                session.clean();
            }
        });
    }
}

#[async_trait]
impl Transaction for PostgresTransaction {
    async fn load(&mut self, needs: &[Need], working: &mut Working) -> Result<()> {
        if needs.is_empty() {
            return Ok(());
        }
        let asked = Asked::of(needs);
        let found = self.read(&asked).await;
        let found = self.store.note(found)?;
        self.enter(needs, found, working);
        self.asked_keys.extend(asked.clients.iter().copied().zip(asked.key_bytes));
        self.asked_traces.extend(asked.traces);
        Ok(())
    }

    async fn commit(mut self: Box<Self>, changes: &Changes) -> Result<Durable> {
        let written = self.write(changes).await;
        self.store.note(written)?;
        Ok(durable_already())
    }
}

/// What is asked for, as parameters.
#[derive(Default)]
struct Asked<'a> {
    cards: Vec<i64>,
    numbers: Vec<&'a [u8]>,
    operations: Vec<i64>,
    holds: Vec<i64>,
    clients: Vec<i64>,
    keys: Vec<&'a [u8]>,
    key_bytes: Vec<[u8; 17]>,
    traces: Vec<TraceKey>,
    terminals: Vec<i64>,
    dates: Vec<i32>,
    numbers_of_traces: Vec<i64>,
}

impl<'a> Asked<'a> {
    fn of(needs: &'a [Need]) -> Self {
        let mut asked = Self::default();
        for need in needs {
            match need {
                Need::Key(client, key) => {
                    asked.clients.push(client.get());
                    asked.keys.push(&key.bytes()[..]);
                    asked.key_bytes.push(*key.bytes());
                }
                Need::Trace(key) => {
                    asked.traces.push(*key);
                    asked.terminals.push(key.terminal.get());
                    asked.dates.push(key.date.get());
                    asked.numbers_of_traces.push(key.trace.into());
                }
                Need::Card(id) => asked.cards.push(id.get()),
                Need::Number(indexes) => asked.numbers.extend(indexes.iter().map(|index| &index.0[..])),
                Need::Operation(id) => asked.operations.push(id.get()),
                Need::Hold(id) => asked.holds.push(id.get()),
            }
        }
        asked
    }

    /// Locks the cards. The plain forms are for what nearly every batch is.
    fn lock(&self) -> Option<Step<'_>> {
        let others = !self.operations.is_empty() || !self.holds.is_empty();
        match (self.cards.is_empty(), self.numbers.is_empty(), others) {
            (true, true, false) => None,
            (false, true, false) => Some(Step::new(card::LOCK_BY_ID, vec![&self.cards])),
            (true, false, false) => Some(Step::new(card::LOCK_BY_NUMBER, vec![&self.numbers])),
            _ => Some(Step::new(
                card::LOCK_ALL,
                vec![&self.cards, &self.numbers, &self.operations, &self.holds],
            )),
        }
    }
}

/// What a statement of the reading pipeline answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Nothing,
    Cards,
    Keys,
    Tombstones,
    Traces,
    Operations,
    Transfers,
    Compensations,
    Holds,
}

/// What was found.
#[derive(Default)]
struct Found {
    cards: Vec<(Card, NumberIndex)>,
    keys: HashMap<Key, Operation>,
    tombstones: HashMap<Key, OperationId>,
    traces: HashMap<TraceKey, Arc<Operation>>,
    operations: HashMap<OperationId, Operation>,
    transfers: HashMap<OperationId, Vec<Transfer>>,
    compensations: HashMap<OperationId, Compensation>,
    holds: HashMap<HoldId, domain::Hold>,
}

impl Found {
    fn take(&mut self, answer: Answer, rows: &[Row]) -> Result<()> {
        for row in rows {
            match answer {
                Answer::Nothing => {}
                Answer::Cards => self.cards.push(card::read_with_number(row)?),
                Answer::Keys => {
                    let found = operation::read(row)?;
                    self.keys.insert((found.client.get(), *found.key.bytes()), found);
                }
                Answer::Tombstones => {
                    let mut f = Fields::new(row);
                    let key = (f.int()?, f.bytes()?);
                    self.tombstones.insert(key, OperationId::new(f.int()?));
                }
                Answer::Traces => {
                    let found = operation::read(row)?;
                    if let (Some(terminal), Some(trace)) = (found.terminal, found.trace) {
                        let key = TraceKey { terminal, date: found.business_date, trace };
                        self.traces.insert(key, Arc::new(found));
                    }
                }
                Answer::Operations => {
                    let found = operation::read(row)?;
                    self.operations.insert(found.id, found);
                }
                Answer::Transfers => {
                    let found = transfer::read_row(row)?;
                    self.transfers.entry(found.operation).or_default().push(found);
                }
                Answer::Compensations => {
                    let mut f = Fields::new(row);
                    let id = OperationId::new(f.int()?);
                    let (refunded, reversed_by): (Amount, _) = (f.amount()?, f.opt_int()?);
                    let reversed_by = reversed_by.map(OperationId::new);
                    self.compensations.insert(id, Compensation { refunded, reversed_by });
                }
                Answer::Holds => {
                    let found = hold::read(row)?;
                    self.holds.insert(found.id, found);
                }
            }
        }
        Ok(())
    }

    fn key_state(&self, key: Key) -> KeyState {
        if let Some(found) = self.keys.get(&key) {
            return KeyState::Taken(Arc::new(found.clone()));
        }
        self.tombstones.get(&key).map_or(KeyState::Free, |reversal| KeyState::Tombstone(*reversal))
    }

    fn recorded(&self, id: OperationId) -> Option<Recorded> {
        let operation = Arc::new(self.operations.get(&id)?.clone());
        let transfers = self.transfers.get(&id).cloned().unwrap_or_default();
        let compensation = self.compensations.get(&id).copied().unwrap_or_default();
        Some(Recorded { operation, transfers, compensation })
    }
}

fn gone() -> StorageError {
    StorageError::Fatal("the session of a transaction vanished".to_owned())
}

impl PostgresTransaction {
    async fn read(&mut self, asked: &Asked<'_>) -> Result<Found> {
        let mut steps = self.opening();
        let brief = LATER_LOCKS_MILLIS.to_owned();
        if let Some(lock) = asked.lock() {
            if self.begun {
                steps.push((Answer::Nothing, Step::new(BE_BRIEF, vec![&brief])));
            }
            steps.push((Answer::Cards, lock));
        }
        add_look_ups(asked, &mut steps);
        let session = self.session.as_ref().ok_or_else(gone)?;
        session.dirty();
        self.begun = true;
        let (answers, steps): (Vec<Answer>, Vec<Step<'_>>) = steps.into_iter().unzip();
        let rows = session.pipeline(&steps).await?;
        let mut found = Found::default();
        for (answer, rows) in answers.into_iter().zip(rows) {
            found.take(answer, &rows)?;
        }
        Ok(found)
    }

    /// What a transaction begins with.
    fn opening<'s>(&self) -> Vec<(Answer, Step<'s>)> {
        if self.begun {
            return Vec::with_capacity(10);
        }
        let open = if self.alone { OPEN_ALONE } else { OPEN };
        vec![(Answer::Nothing, Step::new(BEGIN, vec![])), (Answer::Nothing, Step::new(open, vec![&BATCHES]))]
    }

    fn enter(&mut self, needs: &[Need], mut found: Found, working: &mut Working) {
        let mut by_number = HashMap::with_capacity(found.cards.len());
        for (card, number) in std::mem::take(&mut found.cards) {
            by_number.insert(number, card.id);
            // What is there already may have been changed by this batch, and counts.
            if let Entry::Vacant(entry) = working.cards.entry(card.id) {
                self.settled.insert(card.id, card::Settled::of(&card));
                entry.insert(Some(card));
            }
        }
        for need in needs {
            match need {
                Need::Key(client, key) => {
                    let state = found.key_state((client.get(), *key.bytes()));
                    working.keys.insert((*client, key.clone()), state);
                }
                Need::Trace(key) => {
                    working.traces.insert(*key, found.traces.get(key).cloned());
                }
                Need::Card(id) => {
                    working.cards.entry(*id).or_insert(None);
                }
                Need::Number(indexes) => {
                    if let Some(first) = indexes.first() {
                        let card = indexes.iter().find_map(|index| by_number.get(index)).copied();
                        working.numbers.insert(*first, card);
                    }
                }
                Need::Operation(id) => {
                    working.operations.insert(*id, found.recorded(*id));
                }
                Need::Hold(id) => {
                    working.holds.insert(*id, found.holds.get(id).cloned());
                }
            }
        }
    }
}

/// What comes after the locks.
fn add_look_ups<'s>(asked: &'s Asked<'_>, steps: &mut Vec<(Answer, Step<'s>)>) {
    let mut add = |answer, sql, params| steps.push((answer, Step::new(sql, params)));
    if !asked.keys.is_empty() {
        add(Answer::Keys, operation::BY_KEYS, vec![&asked.clients, &asked.keys]);
        add(Answer::Tombstones, TOMBSTONES, vec![&asked.clients, &asked.keys]);
    }
    if !asked.traces.is_empty() {
        add(
            Answer::Traces,
            operation::BY_TRACES,
            vec![&asked.terminals, &asked.dates, &asked.numbers_of_traces],
        );
    }
    if !asked.operations.is_empty() {
        add(Answer::Operations, operation::BY_IDS, vec![&asked.operations]);
        add(Answer::Transfers, transfer::OF_OPERATIONS, vec![&asked.operations]);
        add(Answer::Compensations, COMPENSATIONS, vec![&asked.operations]);
    }
    if !asked.holds.is_empty() {
        add(Answer::Holds, hold::BY_IDS, vec![&asked.holds]);
    }
}

/// Everything that a batch writes, as parameters.
struct Written<'a> {
    issuers: String,
    used: card::Used<'a>,
    changed: card::Changed<'a>,
    usual: operation::Usual<'a>,
    /// The usual columns of the rare ones.
    rare_usual: operation::Usual<'a>,
    rare: operation::Rare<'a>,
    transfers: transfer::Transfers<'a>,
    holds: hold::Holds<'a>,
    compensated: Vec<i64>,
    refunded: Vec<i64>,
    reversed_by: Vec<Option<i64>>,
    tomb_clients: Vec<i64>,
    tomb_keys: Vec<&'a [u8]>,
    tomb_texts: Vec<Option<&'a str>>,
    tomb_reversals: Vec<i64>,
}

impl<'a> Written<'a> {
    fn of(changes: &'a Changes, settled: &HashMap<CardId, card::Settled>) -> Result<Self> {
        let (rows, given, tombs) =
            (changes.operations.len(), changes.compensations.len(), changes.tombstones.len());
        let mut written = Self {
            issuers: issuers_of(changes),
            used: card::Used::with_capacity(changes.cards.len()),
            changed: card::Changed::with_capacity(0),
            usual: operation::Usual::with_capacity(rows),
            rare_usual: operation::Usual::with_capacity(0),
            rare: operation::Rare::with_capacity(0),
            transfers: transfer::Transfers::with_capacity(changes.transfers.len()),
            holds: hold::Holds::with_capacity(changes.holds.len()),
            compensated: Vec::with_capacity(given),
            refunded: Vec::with_capacity(given),
            reversed_by: Vec::with_capacity(given),
            tomb_clients: Vec::with_capacity(tombs),
            tomb_keys: Vec::with_capacity(tombs),
            tomb_texts: Vec::with_capacity(tombs),
            tomb_reversals: Vec::with_capacity(tombs),
        };
        for card in &changes.cards {
            if settled.get(&card.id).is_some_and(|before| before.holds_for(card)) {
                written.used.push(card);
            } else {
                written.changed.push(card);
            }
        }
        for operation in &changes.operations {
            if operation::is_rare(operation) {
                written.rare_usual.push(operation);
                written.rare.push(operation)?;
            } else {
                written.usual.push(operation);
            }
        }
        written.add_transfers(changes)?;
        changes.holds.iter().for_each(|hold| written.holds.push(hold));
        for (id, compensation) in &changes.compensations {
            written.compensated.push(id.get());
            written.refunded.push(compensation.refunded.get());
            written.reversed_by.push(compensation.reversed_by.map(OperationId::get));
        }
        for tombstone in &changes.tombstones {
            written.tomb_clients.push(tombstone.client.get());
            written.tomb_keys.push(&tombstone.key.bytes()[..]);
            written.tomb_texts.push(tombstone.key.stored_text());
            written.tomb_reversals.push(tombstone.reversal.get());
        }
        Ok(written)
    }

    /// Transfers come in the order of their operations.
    fn add_transfers(&mut self, changes: &'a Changes) -> Result<()> {
        let mut operations = changes.operations.iter();
        let mut of = operations.next();
        for transfer in &changes.transfers {
            while of.is_some_and(|operation| operation.id != transfer.operation) {
                of = operations.next();
            }
            let of = of.ok_or(StorageError::Conflict { what: "transfer" })?;
            self.transfers.push(transfer, of);
        }
        Ok(())
    }

    /// The statements, in an order in which each finds what it needs.
    fn steps(&'a self, steps: &mut Vec<Step<'a>>) {
        steps.push(Step::new(SET_SCOPE, vec![&self.issuers]));
        if !self.used.id.is_empty() {
            steps.push(Step::new(&UPDATE_USED, self.used.params()));
        }
        if !self.changed.id.is_empty() {
            steps.push(Step::new(&UPDATE_CHANGED, self.changed.params()));
        }
        if !self.usual.id.is_empty() {
            steps.push(Step::new(&INSERT_USUAL, self.usual.params()));
        }
        if !self.rare_usual.id.is_empty() {
            let params = [self.rare_usual.params(), self.rare.params()].concat();
            steps.push(Step::new(&INSERT_RARE, params));
        }
        if !self.transfers.amount.is_empty() {
            steps.push(Step::new(&INSERT_TRANSFERS, self.transfers.params()));
        }
        if !self.holds.id.is_empty() {
            steps.push(Step::new(&UPSERT_HOLDS, self.holds.params()));
        }
        if !self.compensated.is_empty() {
            let params = vec![&self.compensated as _, &self.refunded as _, &self.reversed_by as _];
            steps.push(Step::new(UPSERT_COMPENSATIONS, params));
        }
        if !self.tomb_clients.is_empty() {
            let params = vec![
                &self.tomb_clients as _,
                &self.tomb_keys as _,
                &self.tomb_texts as _,
                &self.tomb_reversals as _,
            ];
            steps.push(Step::new(INSERT_TOMBSTONES, params));
        }
        steps.push(Step::new(COMMIT, vec![]));
    }
}

/// The issuers that a batch works for, as the policies read them: nothing of any other can be written.
fn issuers_of(changes: &Changes) -> String {
    let mut ids: Vec<i64> = changes.operations.iter().map(|operation| operation.issuer.get()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

impl PostgresTransaction {
    async fn write(&mut self, changes: &Changes) -> Result<()> {
        let written = Written::of(changes, &self.settled)?;
        let first_has_tombstones = !changes.tombstones.is_empty();
        self.alone |= first_has_tombstones && !self.begun;
        let mut steps: Vec<Step<'_>> = self.opening().into_iter().map(|(_, step)| step).collect();
        let opened = steps.len();
        if first_has_tombstones && !self.alone {
            steps.push(Step::new(BE_ALONE, vec![&BATCHES]));
            steps.push(Step::new(STILL_FREE, vec![&written.tomb_clients, &written.tomb_keys]));
        }
        let guarded = steps.len();
        written.steps(&mut steps);
        let session = self.session.as_ref().ok_or_else(gone)?;
        session.dirty();
        self.begun = true;
        let before = session.warnings();
        match session.pipeline(&steps).await {
            Ok(_) => {
                no_warning_since(session, before)?;
                self.begun = false;
                session.clean();
                Ok(())
            }
            Err(failed) => {
                // The commit after what failed has rolled back, unless nobody knows.
                let failed_at = failed.position.as_ref().map(|position| position.at);
                let known = !matches!(failed.error, StorageError::Unavailable(_)) && failed_at.is_some();
                if known {
                    self.begun = false;
                    session.clean();
                }
                if failed_at.is_some_and(|at| (opened..guarded).contains(&at))
                    && matches!(failed.error, StorageError::Conflict { .. })
                {
                    self.store.next_alone.store(true, Ordering::Release);
                    return Err(busy("tombstone", "a reversal without its original is decided alone"));
                }
                Err(after_commit_was_sent(self.explain(failed, changes)))
            }
        }
    }

    /// A key or trace that was free when this batch read it, and is taken now, is another batch's: the same
    /// again finds it. One that was never asked for, or comes twice, is the caller's mistake.
    fn explain(&self, failed: Failed, changes: &Changes) -> StorageError {
        let constraint = failed.position.and_then(|position| position.constraint);
        match constraint.as_deref() {
            Some("operation_key" | "tombstone_key") if self.asked_all_keys(changes) => {
                busy("key", "another batch used one of the keys first")
            }
            Some("operation_by_trace") if self.asked_all_traces(changes) => {
                busy("trace", "another batch used one of the trace numbers first")
            }
            Some("operation_key" | "tombstone_key") => StorageError::Conflict { what: "key" },
            Some("operation_by_trace") => StorageError::Conflict { what: "trace" },
            _ => failed.error,
        }
    }

    fn asked_all_keys(&self, changes: &Changes) -> bool {
        let asked: HashSet<&Key> = self.asked_keys.iter().collect();
        let mut seen = HashSet::new();
        let operations = changes.operations.iter().map(|o| (o.client.get(), *o.key.bytes()));
        operations.into_iter().all(|key| asked.contains(&key) && seen.insert(key))
            && changes.tombstones.iter().all(|t| asked.contains(&(t.client.get(), *t.key.bytes())))
    }

    fn asked_all_traces(&self, changes: &Changes) -> bool {
        let asked: HashSet<&TraceKey> = self.asked_traces.iter().collect();
        let mut seen = HashSet::new();
        changes.operations.iter().all(|operation| {
            let (Some(terminal), Some(trace)) = (operation.terminal, operation.trace) else { return true };
            let key = TraceKey { terminal, date: operation.business_date, trace };
            asked.contains(&key) && seen.insert(key)
        })
    }
}
