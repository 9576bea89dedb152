//! Runs the settlement of one issuer: takes the log in, closes what is over, posts, proposes payouts.

use std::collections::BTreeMap;

use domain::{
    Amount, BusinessDate, ClientId, Currency, IssuerId, MerchantId, OperationId, PayoutId, StatementId,
    Timestamp,
    command::{Actor, SYSTEM_CLIENT},
    posting::{MAX_TRANSFERS, PostedTransfer, Posting, PostingKind},
};
use engine::{Engine, EngineConfig, Intent, issue::job_key};
use settlement::{
    Books, Fold, Payout, PayoutStatus, Statement, StatementStatus,
    closing::{self, Early, Frozen, Until},
    fold::{Key, Open, Originals, With},
};
use storage::{Accrual, Closed, Closing, MovementPage, SettlementProgress, StorageError};

use super::{
    agreements::{books, calendar, newest_agreement},
    error::{FinanceError, overflow},
};

/// How many operations are taken in with one transaction. Sales wait for it to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So few that no sale feels it: for what follows sales all day.
    Small,
    /// As many as give the best rate: for a run that somebody waits for.
    Large,
}

impl Step {
    fn operations(self) -> usize {
        match self {
            Self::Small => 1_000,
            Self::Large => 10_000,
        }
    }
}

/// Statements that are closed with one transaction.
const CLOSE_STEP: usize = 500;
/// Rows that are read at a time.
const PAGE: usize = 1000;
/// How long after its end a period is closed, so that what was decided just before is stored. What takes
/// longer is not lost: it is late, on the next statement.
const GRACE_SECONDS: i64 = 5;
/// How often a run begins anew because another node was faster.
const ATTEMPTS: usize = 20;
/// Tells the keys of a statement's postings from other keys with the same id.
const STATEMENT_TAG: u64 = 0x5e77_0000;

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunReport {
    /// Operations that were looked at.
    pub operations: u64,
    /// Lines that were written.
    pub lines: u64,
    /// Statements that were closed.
    pub statements: u64,
    /// Payouts that were proposed.
    pub payouts: u64,
    /// Their sums by currency, in minor units.
    pub amounts: BTreeMap<Currency, i64>,
}

/// The settlement of one issuer, in memory. To be thrown away after an error.
pub struct Settler {
    engine: Engine,
    issuer: IssuerId,
    step: Step,
    books: Books,
    newest_agreement: Option<domain::AgreementId>,
    fold: Fold,
    progress: SettlementProgress,
    ahead: Option<MovementPage>,
    /// Statements that were being closed when an earlier run ended.
    pending: Vec<Frozen>,
}

/// What a run is to close.
#[derive(Clone, Copy, Debug)]
pub struct RunScope {
    /// Only periods that end on this day or earlier.
    pub through: Option<BusinessDate>,
    /// Whose periods that have begun by then are closed too, though they are not over.
    pub early: Option<EarlyClose>,
    /// Who proposes the payouts.
    pub maker: ClientId,
}

/// Whose books are closed before their period is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlyClose {
    /// One merchant's, as when it leaves.
    Merchant(MerchantId),
    /// Those of all, as when the issuer winds its cards up.
    All,
}

/// Takes everything in and closes all periods that are over and end on `through` or earlier, for as long as
/// others interfere. `maker` proposes the payouts.
pub async fn run(
    engine: &Engine,
    issuer: IssuerId,
    through: Option<BusinessDate>,
    maker: ClientId,
) -> Result<RunReport, FinanceError> {
    run_watched(engine, issuer, RunScope { through, early: None, maker }, &|_| {}).await
}

/// The same, of any scope; `watch` is told after each step what was done so far.
pub async fn run_watched(
    engine: &Engine,
    issuer: IssuerId,
    scope: RunScope,
    watch: &(dyn Fn(&RunReport) + Sync),
) -> Result<RunReport, FinanceError> {
    let catalog = engine.catalog();
    let own = |merchant| catalog.merchants.get(&merchant).is_some_and(|found| found.issuer == issuer);
    if matches!(scope.early, Some(EarlyClose::Merchant(merchant)) if !own(merchant)) {
        return Err(FinanceError::Unknown("merchant"));
    }
    let mut report = RunReport::default();
    let mut attempt = 0;
    loop {
        attempt += 1;
        match run_once(engine, issuer, scope, watch, &mut report).await {
            // Somebody else took a step in between: what is left is found anew.
            Err(FinanceError::Storage(StorageError::Conflict { .. })) if attempt < ATTEMPTS => {}
            result => return result.map(|()| report),
        }
    }
}

async fn run_once(
    engine: &Engine,
    issuer: IssuerId,
    scope: RunScope,
    watch: &(dyn Fn(&RunReport) + Sync),
    report: &mut RunReport,
) -> Result<(), FinanceError> {
    let mut settler = Settler::resume(engine, issuer, Step::Large).await?;
    let before = engine.now();
    while settler.accrue(report).await? {
        watch(report);
    }
    settler.close_scope(before, scope, watch, report).await?;
    // The parts that were posted to others are on their statements from now on.
    while settler.accrue(report).await? {
        watch(report);
    }
    Ok(())
}

impl Settler {
    /// Goes on where the store is.
    pub async fn resume(engine: &Engine, issuer: IssuerId, step: Step) -> Result<Self, FinanceError> {
        let store = engine.store();
        let progress = store.settlement_progress(issuer).await?;
        let mut settler = Self {
            engine: engine.clone(),
            issuer,
            step,
            books: books(engine, issuer).await?,
            newest_agreement: newest_agreement(store.as_ref(), issuer).await?,
            fold: Fold::new(),
            progress,
            ahead: None,
            pending: Vec::new(),
        };
        settler.load().await?;
        Ok(settler)
    }

    async fn load(&mut self) -> Result<(), FinanceError> {
        let store = self.engine.store();
        let mut after = None;
        loop {
            let page = store.latest_statements(self.issuer, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.merchant, last.currency));
            for statement in page {
                self.fold.resume_last(statement);
            }
        }
        let sums = store.open_sums(self.issuer).await?;
        let mut sums: BTreeMap<StatementId, _> = sums.into_iter().map(|sum| (sum.statement, sum)).collect();
        let mut after = None;
        loop {
            let page = store.unfinished_statements(self.issuer, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for statement in page {
                if statement.status == StatementStatus::Open {
                    let mut open = Open::new(statement);
                    open.receivers = None;
                    if let Some(sum) = sums.remove(&open.statement.id) {
                        open.statement.figures.sums = sum.sums;
                        open.newest = Some(sum.newest.operation);
                        open.residue = sum.newest.residue;
                        open.volumes = sum.volumes.into_iter().collect();
                    }
                    self.fold.resume_open(open);
                } else {
                    self.pending.push(Frozen { statement, receivers: None, last_digest: None });
                }
            }
        }
        Ok(())
    }

    /// The last operation that was taken in or passed over.
    pub fn reached(&self) -> OperationId {
        self.progress.position.operation
    }

    /// Takes agreements and holidays that came up since.
    pub async fn refresh(&mut self) -> Result<(), FinanceError> {
        let newest = newest_agreement(self.engine.store().as_ref(), self.issuer).await?;
        let calendar = calendar(&self.engine, self.issuer).await?;
        if newest != self.newest_agreement || calendar != *self.books.calendar() {
            self.books = books(&self.engine, self.issuer).await?;
            self.newest_agreement = newest;
        }
        Ok(())
    }

    /// Takes the next part of the log in. Returns whether there is more. The part after it is read meanwhile.
    pub async fn accrue(&mut self, report: &mut RunReport) -> Result<bool, FinanceError> {
        let store = std::sync::Arc::clone(self.engine.store());
        let step = self.step.operations();
        let page = match self.ahead.take() {
            Some(page) => page,
            None => store.movements(self.issuer, self.progress.position, step).await?,
        };
        report.operations += page.operations;
        let position = page.position;
        let Some(accrual) = self.fold_page(page.items, position).await? else {
            self.progress.position = position;
            if !page.caught_up {
                self.ahead = Some(store.movements(self.issuer, position, step).await?);
            }
            return Ok(!page.caught_up);
        };
        let next = async {
            if page.caught_up {
                Ok(None)
            } else {
                store.movements(self.issuer, position, step).await.map(Some)
            }
        };
        let (written, next) = tokio::join!(store.accrue(&accrual), next);
        written?;
        report.lines += accrual.lines.len() as u64;
        self.progress = SettlementProgress { position, revision: self.progress.revision + 1 };
        self.ahead = next?;
        Ok(!page.caught_up)
    }

    /// What movements add. None where they add nothing.
    async fn fold_page(
        &mut self,
        movements: Vec<settlement::Movement>,
        position: storage::LogPosition,
    ) -> Result<Option<Accrual>, FinanceError> {
        if movements.is_empty() {
            return Ok(None);
        }
        let originals = self.originals(&movements).await?;
        let engine = self.engine.clone();
        let mut next_id = || StatementId::new(engine.next_id());
        let with = With { books: &self.books, originals, now: self.engine.now(), next_id: &mut next_id };
        let portion = self.fold.portion(&movements, with)?;
        Ok(Some(Accrual {
            issuer: self.issuer,
            expected: self.progress.revision,
            position,
            statements: portion.statements,
            lines: portion.lines,
            parts: portion.parts,
            refunded: portion.refunded,
        }))
    }

    async fn originals(&self, movements: &[settlement::Movement]) -> Result<Originals, FinanceError> {
        let mut originals = Originals::default();
        let mut wanted = Originals::needed(movements);
        // A reversal of a refund leads to the refund, and that to its sale: two rounds.
        while !wanted.is_empty() {
            let mut further: Vec<Key> = Vec::new();
            for keys in wanted.chunks(PAGE) {
                for settled in self.engine.store().settled(keys).await? {
                    further.extend(originals.add(settled.line, settled.parts, settled.refunded));
                }
            }
            wanted = further;
        }
        Ok(originals)
    }

    /// Closes what was over some seconds before `now`, ends on `through` or earlier, and is taken in.
    pub async fn close(
        &mut self,
        now: Timestamp,
        through: Option<BusinessDate>,
        maker: ClientId,
        report: &mut RunReport,
    ) -> Result<(), FinanceError> {
        self.close_scope(now, RunScope { through, early: None, maker }, &|_| {}, report).await
    }

    async fn close_scope(
        &mut self,
        now: Timestamp,
        scope: RunScope,
        watch: &(dyn Fn(&RunReport) + Sync),
        report: &mut RunReport,
    ) -> Result<(), FinanceError> {
        let pending = std::mem::take(&mut self.pending);
        for frozen in pending.chunks(CLOSE_STEP) {
            self.finish(frozen.to_vec(), scope.maker, report).await?;
            watch(report);
        }
        let until = self.until(now, scope);
        loop {
            let rejected = self.rejected().await?;
            let due = self.due(until, &rejected)?;
            if due.is_empty() {
                return Ok(());
            }
            for statements in due.chunks(CLOSE_STEP) {
                self.begin(statements, &rejected).await?;
                let frozen = self.fold.frozen(statements.to_vec());
                self.finish(frozen, scope.maker, report).await?;
                watch(report);
            }
        }
    }

    fn until(&self, now: Timestamp, scope: RunScope) -> Until {
        let day = scope.through.unwrap_or(BusinessDate::from_stored(99_991_231));
        // What has not begun cannot be closed early.
        let begun = day.min(BusinessDate::of(now, self.books.zone()));
        let early = scope.early.map(|early| match early {
            EarlyClose::Merchant(merchant) => Early { merchant: Some(merchant), begun },
            EarlyClose::All => Early { merchant: None, begun },
        });
        Until { moment: now.plus_seconds(-GRACE_SECONDS), day, early }
    }

    fn due(&self, until: Until, rejected: &Rejected) -> Result<Vec<Statement>, FinanceError> {
        let amounts = rejected.amounts()?;
        let due = self.fold.due(&self.books, until, &amounts).ok_or_else(overflow)?;
        if !due.is_empty() {
            return Ok(due);
        }
        let engine = self.engine.clone();
        let mut next_id = || StatementId::new(engine.next_id());
        let now = self.engine.now();
        self.fold.idle(&self.books, until, &amounts, now, &mut next_id).ok_or_else(overflow)
    }

    async fn begin(&mut self, statements: &[Statement], rejected: &Rejected) -> Result<(), FinanceError> {
        let credited = statements.iter().flat_map(|statement| {
            let payouts = rejected.of(statement.merchant, statement.currency);
            payouts.iter().map(|payout| (payout.id, statement.id))
        });
        let closing = Closing {
            issuer: self.issuer,
            expected: self.progress.revision,
            statements: statements.to_vec(),
            credited: credited.collect(),
        };
        self.engine.store().begin_closing(&closing).await?;
        self.progress.revision += 1;
        Ok(())
    }

    async fn rejected(&self) -> Result<Rejected, FinanceError> {
        let mut rejected = Rejected::default();
        let mut after: Option<PayoutId> = None;
        loop {
            let page = self.engine.store().uncredited_payouts(self.issuer, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(rejected) };
            after = Some(last.id);
            for payout in page {
                rejected.0.entry((payout.merchant, payout.currency)).or_default().push(payout);
            }
        }
    }

    /// Posts statements whose figures are fixed, closes them and proposes their payouts.
    async fn finish(
        &mut self,
        frozen: Vec<Frozen>,
        maker: ClientId,
        report: &mut RunReport,
    ) -> Result<(), FinanceError> {
        let mut postings = Vec::new();
        for (place, frozen) in frozen.iter().enumerate() {
            let receivers = match &frozen.receivers {
                Some(receivers) => receivers.clone(),
                None => self.receivers(&frozen.statement).await?,
            };
            let transfers = closing::transfers(&frozen.statement, &receivers).ok_or_else(overflow)?;
            for (part, transfers) in transfers.chunks(MAX_TRANSFERS).enumerate() {
                postings.push((place, posting(&frozen.statement, part, transfers)?));
            }
        }
        let operations = self.post(postings).await?;
        let mut closed = Vec::with_capacity(frozen.len());
        for (place, frozen) in frozen.into_iter().enumerate() {
            let last_digest = self.last_digest(&frozen).await?;
            let operation = operations.get(&place).copied();
            let statement = closing::close(frozen.statement, operation, last_digest, self.engine.now());
            let payout = self.payout(&statement, maker);
            closed.push(Closed { statement, payout });
        }
        self.engine.store().finish_closing(&closed).await?;
        let statements: Vec<Statement> = closed.iter().map(|closed| closed.statement.clone()).collect();
        self.fold.closed(&statements);
        report.count(&closed);
        Ok(())
    }

    async fn last_digest(&self, frozen: &Frozen) -> Result<Option<[u8; 32]>, FinanceError> {
        match (frozen.last_digest, frozen.statement.previous) {
            (None, Some(previous)) => {
                Ok(self.engine.store().statement(previous).await?.and_then(|previous| previous.digest))
            }
            (digest, _) => Ok(digest),
        }
    }

    /// What goes to each receiver, from the lines: for statements that were opened before this process.
    async fn receivers(&self, statement: &Statement) -> Result<BTreeMap<MerchantId, i64>, FinanceError> {
        let mut receivers: BTreeMap<MerchantId, i64> = BTreeMap::new();
        if statement.newest_line.is_none() || !self.books.may_split(statement.merchant, statement.currency) {
            return Ok(receivers);
        }
        let mut before = None;
        loop {
            let page = self.engine.store().statement_lines(statement.id, before, PAGE).await?;
            for part in page.items.iter().flat_map(|settled| &settled.parts) {
                let sum = receivers.entry(part.receiver).or_default();
                *sum = sum.checked_add(part.amount).ok_or_else(overflow)?;
            }
            let Some(next) = page.next else { return Ok(receivers) };
            before = Some(OperationId::new(next));
        }
    }

    /// Posts, and returns the first operation of each statement.
    async fn post(
        &self,
        postings: Vec<(usize, Intent)>,
    ) -> Result<BTreeMap<usize, OperationId>, FinanceError> {
        let mut operations = BTreeMap::new();
        for chunk in postings.chunks(EngineConfig::MAX_SUBMISSION) {
            let intents = chunk.iter().map(|(_, intent)| intent.clone()).collect();
            let outcomes = self.engine.submit_many(intents).await?;
            for ((place, _), outcome) in chunk.iter().zip(outcomes) {
                let answer = outcome.map_err(FinanceError::Refused)?;
                operations.entry(*place).or_insert(answer.operation.id);
            }
        }
        Ok(operations)
    }

    fn payout(&self, statement: &Statement, maker: ClientId) -> Option<Payout> {
        let amount = statement.figures.payout;
        (!amount.is_zero()).then(|| Payout {
            id: PayoutId::new(self.engine.next_id()),
            issuer: self.issuer,
            merchant: statement.merchant,
            statement: statement.id,
            currency: statement.currency,
            amount,
            due_on: statement.due_on,
            due_estimated: statement.due_estimated,
            status: PayoutStatus::Proposed,
            payee: None,
            proposed_by: maker,
            decided_by: None,
            reason: None,
            operation: None,
            return_operation: None,
            credited_in: None,
            created_at: self.engine.now(),
            decided_at: None,
            sent_at: None,
            finished_at: None,
            version: 1,
        })
    }
}

/// Who settlement acts as. Always the same, so that its keys are the same whoever asked for the run.
pub(crate) fn system(issuer: IssuerId) -> Actor {
    Actor { client: SYSTEM_CLIENT, issuer, merchant: None }
}

fn posting(statement: &Statement, part: usize, transfers: &[PostedTransfer]) -> Result<Intent, FinanceError> {
    let posting = Posting {
        kind: PostingKind::Settlement,
        currency: statement.currency,
        merchant: Some(statement.merchant),
        transfers: transfers.to_vec(),
        reason: None,
    };
    let key = job_key(statement.id.get(), STATEMENT_TAG + part as u64).ok_or_else(overflow)?;
    Ok(Intent::post(system(statement.issuer), key, posting, Some(statement.id.to_string())))
}

impl RunReport {
    fn count(&mut self, closed: &[Closed]) {
        self.statements += closed.len() as u64;
        for payout in closed.iter().filter_map(|closed| closed.payout.as_ref()) {
            self.payouts += 1;
            let sum = self.amounts.entry(payout.currency).or_default();
            *sum = sum.saturating_add(payout.amount.get());
        }
    }
}

/// Payouts that were rejected and that no statement has taken up again.
#[derive(Default)]
struct Rejected(BTreeMap<(MerchantId, Currency), Vec<Payout>>);

impl Rejected {
    fn of(&self, merchant: MerchantId, currency: Currency) -> &[Payout] {
        self.0.get(&(merchant, currency)).map_or(&[], Vec::as_slice)
    }

    fn amounts(&self) -> Result<BTreeMap<(MerchantId, Currency), Amount>, FinanceError> {
        let sum = |payouts: &[Payout]| Amount::checked_sum(payouts.iter().map(|payout| payout.amount));
        let sums = self.0.iter().map(|(key, payouts)| Some((*key, sum(payouts)?)));
        sums.collect::<Option<_>>().ok_or_else(overflow)
    }
}
