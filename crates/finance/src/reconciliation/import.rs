//! From a file to differences: read, load our side, compare, keep.

use std::{collections::HashMap, fs::File};

use domain::{
    Account, ClientId, Currency, DifferenceId, IssuerId, OperationId, ReconciliationId, Timestamp,
    ids::{SHIFT, floor_of},
};
use jiff::{civil::Date, tz::TimeZone};
use reconciliation::{
    Class, Difference, Format, Limits, Line, Mapping, Outcome, OwnRecord, OwnStatus, Rules, Settings,
    Statement, Verdict, compare, read,
};
use storage::{
    DifferenceEvent, DifferenceRecord, DifferenceStatus, MatchOn, OwnQuery, ReconciledLine, Reconciliation,
    ReconciliationStatus, StorageError, Store,
};

use super::{ReconcileError, Reconciler, error::field};

/// Own records that one file is compared with, at most.
pub const MAX_OWN_RECORDS: usize = 2_000_000;
/// Differences of one file, at most: a file with more is compared with the wrong account, period or unit.
pub const MAX_DIFFERENCES: usize = 50_000;
/// Operations that are looked at in one read.
const READ: usize = 50_000;
/// Lines that are written in one transaction, so that sales wait for no more.
const WRITE: usize = 10_000;
/// Beyond the window, how much of the log before and after the file's period is looked at: what is late.
const MARGIN_SECONDS: i64 = 3 * 86_400;
/// The widest window: a month.
const MAX_WINDOW_SECONDS: u32 = 31 * 86_400;
/// How often a file is completed again after somebody worked on what it clears.
const ATTEMPTS: usize = 5;

/// A file, and what it is compared with.
#[derive(Clone, Debug)]
pub struct FileRequest {
    /// The issuer.
    pub issuer: IssuerId,
    /// Who sends it.
    pub client: ClientId,
    /// The account that it speaks of.
    pub account: Account,
    /// Its format.
    pub format: Format,
    /// What its owner calls it.
    pub file_name: String,
    /// SHA-256 of its bytes.
    pub digest: [u8; 32],
    /// The currency of its amounts.
    pub currency: Currency,
    /// What its columns mean, where the format does not say.
    pub mapping: Option<Mapping>,
    /// What its references are compared with.
    pub match_on: MatchOn,
    /// How far apart two sides of the same thing may be, in seconds.
    pub window_seconds: u32,
    /// The first day it speaks of; by its lines where nobody says.
    pub from: Option<Date>,
    /// The last such day.
    pub to: Option<Date>,
    /// How many lines it has, where its owner says so elsewhere.
    pub expected_lines: Option<u32>,
    /// What they add up to, in minor units.
    pub expected_sum: Option<i64>,
}

/// A file that is reconciled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The reconciliation.
    pub reconciliation: Reconciliation,
    /// Whether it was already there.
    pub replayed: bool,
}

impl Reconciler {
    /// Reconciles a file. The same bytes for the same account are the same reconciliation.
    pub async fn import(&self, request: FileRequest, file: File) -> Result<Imported, ReconcileError> {
        let store = self.engine.store();
        let zone = self.check(&request)?;
        let known = || store.reconciliation_of_file(request.issuer, request.account, request.digest);
        if let Some(reconciliation) = known().await? {
            return Ok(Imported { reconciliation, replayed: true });
        }
        let _turn = self.turn.try_acquire().map_err(|_| ReconcileError::Busy)?;
        let statement = parse(&request, zone.clone(), file).await?;
        let mut begun = self.begin(&request, &statement, &zone)?;
        let own = load(&**store, &begun).await?;
        let rules = Rules { from: begun.from, to: begun.to, window_seconds: begun.window_seconds };
        let compared = move || {
            let outcome = compare(&statement.lines, &own, &rules);
            Compared { statement, own, outcome }
        };
        let compared = blocking(compared).await?;
        figures(&mut begun, &compared)?;
        store.begin_reconciliation(&begun).await?;
        write_lines(&**store, &begun, &compared).await?;
        match self.finish(&begun, &compared).await {
            Ok(reconciliation) => Ok(Imported { reconciliation, replayed: false }),
            // Somebody sent the same file at the same time, to another node.
            Err(ReconcileError::Storage(StorageError::Conflict { what: "file" })) => {
                let reconciliation = known().await?.ok_or(ReconcileError::Unknown("reconciliation"))?;
                Ok(Imported { reconciliation, replayed: true })
            }
            Err(error) => Err(error),
        }
    }

    /// What is wrong before the file is opened; the issuer's time zone.
    fn check(&self, request: &FileRequest) -> Result<TimeZone, ReconcileError> {
        let catalog = self.engine.catalog();
        let issuer = catalog.issuers.get(&request.issuer).ok_or(ReconcileError::Unknown("issuer"))?;
        match request.account {
            Account::Merchant(merchant) => {
                let known = catalog.merchants.get(&merchant).is_some_and(|m| m.issuer == request.issuer);
                if !known {
                    return Err(ReconcileError::Unknown("merchant"));
                }
            }
            Account::Channel(_) => {}
            Account::Bank(owner) if owner == request.issuer => {}
            _ => {
                return field("account", "a file speaks of merchant:…, channel:… or the issuer's own bank:…");
            }
        }
        if request.format.needs_mapping() != request.mapping.is_some() {
            return field("mapping", "csv and xlsx files need a mapping, and the other formats have none");
        }
        if let Some(mapping) = &request.mapping {
            mapping.check()?;
        }
        if request.window_seconds > MAX_WINDOW_SECONDS {
            return field("window_seconds", "the window is at most 2678400 seconds (31 days)");
        }
        if request.from.zip(request.to).is_some_and(|(from, to)| to < from) {
            return field("to", "the last day is before the first");
        }
        Ok(issuer.zone.clone())
    }

    fn begin(
        &self,
        request: &FileRequest,
        statement: &Statement,
        zone: &TimeZone,
    ) -> Result<Reconciliation, ReconcileError> {
        let (from, to) = period(request, statement, zone)?;
        Ok(Reconciliation {
            id: ReconciliationId::new(self.engine.next_id()),
            issuer: request.issuer,
            account: request.account,
            format: request.format.name().to_owned(),
            file_name: request.file_name.clone(),
            digest: request.digest,
            currency: request.currency,
            from,
            to,
            window_seconds: request.window_seconds,
            match_on: request.match_on,
            status: ReconciliationStatus::Running,
            lines: count(statement.lines.len()),
            passed_over: statement.passed_over,
            lines_sum: statement.sum().unwrap_or(i64::MAX),
            totals_checked: statement.totals_checked || request.expected_sum.is_some(),
            records: 0,
            records_sum: 0,
            matched: 0,
            cancelled: 0,
            differences: 0,
            created_by: request.client,
            created_at: self.engine.now(),
            completed_at: None,
        })
    }

    /// Completes it, with what an earlier file missed and this one brings. Somebody may be working on that.
    async fn finish(
        &self,
        begun: &Reconciliation,
        compared: &Compared,
    ) -> Result<Reconciliation, ReconcileError> {
        let store = self.engine.store();
        let done = Reconciliation {
            status: ReconciliationStatus::Complete,
            completed_at: Some(self.engine.now()),
            ..begun.clone()
        };
        let found: Vec<DifferenceRecord> = compared
            .outcome
            .differences
            .iter()
            .map(|difference| self.record(begun, compared, difference))
            .collect();
        let mut attempt = 1;
        loop {
            let cleared = self.cleared(begun, compared).await?;
            match store.finish_reconciliation(&done, &found, &cleared).await {
                Ok(()) => return Ok(done),
                Err(StorageError::Conflict { what: "version" }) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn record(&self, of: &Reconciliation, compared: &Compared, difference: &Difference) -> DifferenceRecord {
        let line = difference.line.and_then(|line| compared.statement.lines.get(index(line)));
        let own = difference.own.and_then(|own| compared.own.get(index(own)));
        let reference = line.map(|line| &*line.reference).filter(|name| !name.is_empty());
        DifferenceRecord {
            id: DifferenceId::new(self.engine.next_id()),
            issuer: of.issuer,
            reconciliation: of.id,
            account: of.account,
            currency: of.currency,
            class: difference.class,
            line: line.map(|line| line.number),
            reference: reference.or(own.map(|own| &*own.reference)).unwrap_or_default().to_owned(),
            operation: own.map(|own| own.operation),
            here: difference.here,
            there: difference.there,
            suggested: difference.correction(),
            at: own.map(|own| own.at).or(line.map(|line| line.from)).unwrap_or(of.from),
            status: DifferenceStatus::Open,
            proposal: None,
            decided: None,
            correction: None,
            cleared_by: None,
            version: 1,
        }
    }

    async fn cleared(
        &self,
        by: &Reconciliation,
        compared: &Compared,
    ) -> Result<Vec<(DifferenceRecord, DifferenceEvent)>, ReconcileError> {
        let mut waiting: HashMap<OperationId, DifferenceRecord> = HashMap::new();
        let mut after = None;
        loop {
            let page = self.engine.store().open_missing_there(by.issuer, by.account, after, WRITE).await?;
            after = page.last().map(|record| record.id);
            let full = page.len() == WRITE;
            waiting.extend(page.into_iter().filter_map(|record| Some((record.operation?, record))));
            if !full {
                break;
            }
        }
        let found = compared.outcome.verdicts.iter().filter_map(|verdict| match verdict {
            Verdict::Matched(own) | Verdict::Differs(_, Some(own)) => compared.own.get(index(*own)),
            _ => None,
        });
        let cleared = found.filter_map(|own| waiting.remove(&own.operation)).map(|record| {
            let version = record.version.saturating_add(1);
            let (status, cleared_by) = (DifferenceStatus::Cleared, Some(by.id));
            let event = DifferenceEvent {
                difference: record.id,
                version,
                at: self.engine.now(),
                by: None,
                action: "cleared".to_owned(),
                note: by.id.to_string(),
            };
            (DifferenceRecord { status, cleared_by, version, ..record }, event)
        });
        Ok(cleared.collect())
    }
}

/// Both sides, and what came of comparing them.
struct Compared {
    statement: Statement,
    own: Vec<OwnRecord>,
    outcome: Outcome,
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn index(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ReconcileError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| ReconcileError::TooMuch("the file could not be worked on; send it again".to_owned()))
}

async fn parse(request: &FileRequest, zone: TimeZone, file: File) -> Result<Statement, ReconcileError> {
    let format = request.format;
    let (currency, mapping) = (request.currency, request.mapping.clone());
    let settings = Settings { currency, zone, mapping, limits: Limits::default() };
    let statement = blocking(move || read(format, file, &settings)).await??;
    let lines = count(statement.lines.len());
    if request.expected_lines.is_some_and(|expected| expected != lines) {
        return field("expected_lines", format!("the file has {lines} lines"));
    }
    let sum = statement.sum().unwrap_or(i64::MAX);
    if request.expected_sum.is_some_and(|expected| expected != sum) {
        return field("expected_sum", format!("the lines that succeeded add up to {sum} minor units"));
    }
    Ok(statement)
}

/// The days that were named, or those of the first and the last line.
fn period(
    request: &FileRequest,
    statement: &Statement,
    zone: &TimeZone,
) -> Result<(Timestamp, Timestamp), ReconcileError> {
    let first = statement.lines.iter().map(|line: &Line| line.from).min();
    let last = statement.lines.iter().map(|line| line.to).max();
    let from = request.from.or(first.map(|at| at.date_in(zone)));
    let to = request.to.or(last.map(|at| at.date_in(zone)));
    let Some((from, to)) = from.zip(to) else {
        return field("from", "the file has no lines; say from which day to which it speaks (from, to)");
    };
    let before = from.yesterday().map_or(Timestamp::from_micros(-1), |day| Timestamp::end_of(day, zone));
    Ok((Timestamp::from_micros(before.micros().saturating_add(1)), Timestamp::end_of(to, zone)))
}

/// Our side of the period, with a margin for what is late.
async fn load(store: &dyn Store, of: &Reconciliation) -> Result<Vec<OwnRecord>, ReconcileError> {
    let margin = i64::from(of.window_seconds).saturating_add(MARGIN_SECONDS);
    let first = floor_of(of.from.plus_seconds(-margin)).saturating_sub(1);
    let below = floor_of(of.to.plus_seconds(margin)).saturating_add(1 << SHIFT);
    let query = OwnQuery {
        issuer: of.issuer,
        account: of.account,
        currency: of.currency,
        match_on: of.match_on,
        below: OperationId::new(below),
    };
    let (mut own, mut after) = (Vec::new(), Some(OperationId::new(first)));
    while let Some(from) = after {
        let part = store.own_records(&query, from, READ).await?;
        own.extend(part.items);
        if own.len() > MAX_OWN_RECORDS {
            let text = format!(
                "we have more than {MAX_OWN_RECORDS} records of that period; reconcile fewer days at once"
            );
            return Err(ReconcileError::TooMuch(text));
        }
        after = part.next;
    }
    Ok(own)
}

fn figures(of: &mut Reconciliation, compared: &Compared) -> Result<(), ReconcileError> {
    let differences = compared.outcome.differences.len();
    if differences > MAX_DIFFERENCES {
        let text = format!(
            "the file disagrees with our books in {differences} places, and at most {MAX_DIFFERENCES} are taken \
             in: check the account, the period, the unit of amounts and the column of references"
        );
        return Err(ReconcileError::TooMuch(text));
    }
    let spoken_of = compared.own.iter().filter(|own| (of.from..=of.to).contains(&own.at));
    let mut sum = 0_i64;
    for own in spoken_of {
        of.records = of.records.saturating_add(1);
        if own.status == OwnStatus::Approved {
            sum = sum.checked_add(own.amount).ok_or_else(|| {
                ReconcileError::TooMuch(
                    "our records of that period add up to more than 64 bits hold".to_owned(),
                )
            })?;
        }
    }
    of.records_sum = sum;
    of.matched = compared.outcome.matched;
    of.cancelled = compared.outcome.cancelled;
    of.differences = count(differences);
    Ok(())
}

async fn write_lines(
    store: &dyn Store,
    of: &Reconciliation,
    compared: &Compared,
) -> Result<(), ReconcileError> {
    let verdicts = compared.outcome.verdicts.chunks(WRITE);
    for (lines, verdicts) in compared.statement.lines.chunks(WRITE).zip(verdicts) {
        let rows: Vec<ReconciledLine> =
            lines.iter().zip(verdicts).map(|(line, verdict)| row(line, *verdict, &compared.own)).collect();
        store.append_reconciled_lines(of.id, of.issuer, &rows).await?;
    }
    Ok(())
}

fn row(line: &Line, verdict: Verdict, own: &[OwnRecord]) -> ReconciledLine {
    let (class, position): (Option<Class>, Option<u32>) = match verdict {
        Verdict::Matched(own) => (None, Some(own)),
        Verdict::Differs(class, own) => (Some(class), own),
        Verdict::NoEffect => (None, None),
    };
    ReconciledLine {
        number: line.number,
        place: line.place,
        reference: line.reference.clone(),
        amount: line.amount,
        from: line.from,
        to: line.to,
        status: line.status,
        operation: position.and_then(|own_at| own.get(index(own_at))).map(|own| own.operation),
        class,
    }
}
