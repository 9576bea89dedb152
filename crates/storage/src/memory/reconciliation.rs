//! Reconciliation in memory: maps of whole values, and folds over them.

use std::{collections::BTreeMap, ops::Bound};

use async_trait::async_trait;
use domain::{
    Account, DifferenceId, IssuerId, Operation, OperationId, OperationKind, ReconciliationId, Timestamp,
    account::AccountKind,
};
use reconciliation::{Class, OwnRecord, OwnStatus};

use super::{
    MemoryStore,
    state::{State, conflict},
};
use crate::{
    Ageing, DifferenceEvent, DifferenceFilter, DifferenceRecord, DifferenceStatus, HourCheck, MatchOn,
    OwnQuery, OwnRecords, Page, ReconciledLine, Reconciliation, ReconciliationStatus, ReconciliationStore,
    Result,
    reconciliation_store::{age_bucket, asked_for, grows_by_credit, own_kinds},
};

/// What reconciliation keeps.
#[derive(Default)]
pub(super) struct Reconciliations {
    files: BTreeMap<ReconciliationId, Reconciliation>,
    lines: BTreeMap<(ReconciliationId, u32), ReconciledLine>,
    differences: BTreeMap<DifferenceId, DifferenceRecord>,
    events: BTreeMap<(DifferenceId, u32), DifferenceEvent>,
}

impl Reconciliations {
    fn change(&mut self, record: &DifferenceRecord, event: &DifferenceEvent) -> Result<()> {
        let stored = self.differences.get_mut(&record.id);
        let Some(stored) = stored.filter(|stored| stored.version.checked_add(1) == Some(record.version))
        else {
            return conflict("version");
        };
        *stored = record.clone();
        self.events.insert((event.difference, event.version), event.clone());
        Ok(())
    }
}

fn is_of_file(file: &Reconciliation, issuer: IssuerId, account: Account, digest: [u8; 32]) -> bool {
    file.status == ReconciliationStatus::Complete
        && (file.issuer, file.account, file.digest) == (issuer, account, digest)
}

fn newest<'a, I: Copy + Ord + 'a, T: Clone + 'a>(
    items: &'a BTreeMap<I, T>,
    before: Option<I>,
    limit: usize,
    accepts: impl Fn(&T) -> bool,
    number: impl Fn(I) -> i64,
) -> Page<T> {
    let until = before.map_or(Bound::Unbounded, Bound::Excluded);
    let all = items.range((Bound::Unbounded, until)).rev().filter(|(_, item)| accepts(item));
    let mut found: Vec<(&I, &T)> = all.take(limit.saturating_add(1)).collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(id, _)| number(**id));
    Page { items: found.into_iter().map(|(_, item)| item.clone()).collect(), next }
}

/// What an operation says about an account, if it belongs into the file of the account's owner.
fn own_record(state: &State, operation: &Operation, query: &OwnQuery) -> Option<OwnRecord> {
    let account = query.account;
    let named = match account {
        Account::Merchant(merchant) => operation.merchant == Some(merchant),
        Account::Channel(channel) => operation.channel == Some(channel),
        _ => true,
    };
    let fits = named
        && operation.issuer == query.issuer
        && operation.currency == Some(query.currency)
        && own_kinds(account).contains(&operation.kind);
    if !fits {
        return None;
    }
    let (status, amount) = if operation.is_approved() {
        let sides = state.transfers_of(operation.id).iter().map(|transfer| {
            let amount = transfer.amount.get();
            i64::from(transfer.credit == account) * amount - i64::from(transfer.debit == account) * amount
        });
        let credited: i64 = sides.sum();
        (OwnStatus::Approved, if grows_by_credit(account) { credited } else { -credited })
    } else {
        (OwnStatus::Declined, asked_for(operation.kind, operation.requested.get()))
    };
    let declined_reversal = status == OwnStatus::Declined && operation.kind == OperationKind::Reversal;
    if amount == 0 || declined_reversal {
        return None;
    }
    let reference = match query.match_on {
        MatchOn::Reference => operation.reference.clone().unwrap_or_default(),
        MatchOn::Operation => operation.id.to_string(),
        MatchOn::Key => operation.key.to_text(),
    };
    let undoes = operation.original.filter(|_| operation.kind == OperationKind::Reversal);
    let (operation, at) = (operation.id, operation.at);
    Some(OwnRecord { operation, reference: reference.into(), amount, at, status, undoes })
}

#[async_trait]
impl ReconciliationStore for MemoryStore {
    async fn begin_reconciliation(&self, reconciliation: &Reconciliation) -> Result<()> {
        let mut state = self.write();
        let files = &mut state.reconciliations.files;
        if files.contains_key(&reconciliation.id) {
            return conflict("id");
        }
        files.insert(reconciliation.id, reconciliation.clone());
        Ok(())
    }

    async fn append_reconciled_lines(
        &self,
        reconciliation: ReconciliationId,
        _issuer: IssuerId,
        lines: &[ReconciledLine],
    ) -> Result<()> {
        let mut state = self.write();
        let kept = &mut state.reconciliations.lines;
        if lines.iter().any(|line| kept.contains_key(&(reconciliation, line.number))) {
            return conflict("id");
        }
        kept.extend(lines.iter().map(|line| ((reconciliation, line.number), line.clone())));
        Ok(())
    }

    async fn finish_reconciliation(
        &self,
        reconciliation: &Reconciliation,
        differences: &[DifferenceRecord],
        cleared: &[(DifferenceRecord, DifferenceEvent)],
    ) -> Result<()> {
        let mut state = self.write();
        let kept = &mut state.reconciliations;
        let same = |file: &Reconciliation| {
            is_of_file(file, reconciliation.issuer, reconciliation.account, reconciliation.digest)
        };
        if kept.files.values().any(same) {
            return conflict("file");
        }
        let current = |record: &DifferenceRecord| {
            let stored = kept.differences.get(&record.id);
            stored.is_some_and(|stored| stored.version.checked_add(1) == Some(record.version))
        };
        if !cleared.iter().all(|(record, _)| current(record)) {
            return conflict("version");
        }
        for (record, event) in cleared {
            kept.change(record, event)?;
        }
        kept.differences.extend(differences.iter().map(|record| (record.id, record.clone())));
        kept.files.insert(reconciliation.id, reconciliation.clone());
        Ok(())
    }

    async fn reconciliation(&self, id: ReconciliationId) -> Result<Option<Reconciliation>> {
        Ok(self.read().reconciliations.files.get(&id).cloned())
    }

    async fn reconciliation_of_file(
        &self,
        issuer: IssuerId,
        account: Account,
        digest: [u8; 32],
    ) -> Result<Option<Reconciliation>> {
        let state = self.read();
        let mut files = state.reconciliations.files.values();
        Ok(files.find(|file| is_of_file(file, issuer, account, digest)).cloned())
    }

    async fn reconciliations(
        &self,
        issuer: IssuerId,
        before: Option<ReconciliationId>,
        limit: usize,
    ) -> Result<Page<Reconciliation>> {
        let files = &self.read().reconciliations.files;
        Ok(newest(files, before, limit, |file| file.issuer == issuer, ReconciliationId::get))
    }

    async fn reconciled_lines(
        &self,
        reconciliation: ReconciliationId,
        after: u32,
        limit: usize,
    ) -> Result<Vec<ReconciledLine>> {
        let state = self.read();
        let range = (Bound::Excluded((reconciliation, after)), Bound::Included((reconciliation, u32::MAX)));
        Ok(state.reconciliations.lines.range(range).take(limit).map(|(_, line)| line.clone()).collect())
    }

    async fn own_records(&self, query: &OwnQuery, after: OperationId, limit: usize) -> Result<OwnRecords> {
        let state = self.read();
        let range = state.operations.range((Bound::Excluded(after), Bound::Excluded(query.below)));
        let part: Vec<_> = range.take(limit).map(|(_, operation)| operation).collect();
        let items = part.iter().filter_map(|operation| own_record(&state, operation, query)).collect();
        let next = part.last().filter(|_| part.len() == limit).map(|operation| operation.id);
        Ok(OwnRecords { items, next })
    }

    async fn difference(&self, id: DifferenceId) -> Result<Option<DifferenceRecord>> {
        Ok(self.read().reconciliations.differences.get(&id).cloned())
    }

    async fn differences(
        &self,
        filter: &DifferenceFilter,
        before: Option<DifferenceId>,
        limit: usize,
    ) -> Result<Page<DifferenceRecord>> {
        let differences = &self.read().reconciliations.differences;
        Ok(newest(differences, before, limit, |record| filter.accepts(record), DifferenceId::get))
    }

    async fn open_missing_there(
        &self,
        issuer: IssuerId,
        account: Account,
        after: Option<DifferenceId>,
        limit: usize,
    ) -> Result<Vec<DifferenceRecord>> {
        let state = self.read();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let all = state.reconciliations.differences.range((from, Bound::Unbounded)).map(|(_, record)| record);
        let open = all.filter(|record| {
            (record.issuer, record.account) == (issuer, account)
                && record.status == DifferenceStatus::Open
                && record.class == Class::MissingThere
        });
        Ok(open.take(limit).cloned().collect())
    }

    async fn update_difference(&self, record: &DifferenceRecord, event: &DifferenceEvent) -> Result<()> {
        self.write().reconciliations.change(record, event)
    }

    async fn difference_events(&self, id: DifferenceId) -> Result<Vec<DifferenceEvent>> {
        let state = self.read();
        Ok(state
            .reconciliations
            .events
            .range((id, 0)..=(id, u32::MAX))
            .map(|(_, event)| event.clone())
            .collect())
    }

    async fn difference_ageing(&self, issuer: IssuerId, now: Timestamp) -> Result<Vec<Ageing>> {
        let state = self.read();
        let mut found: BTreeMap<_, (u64, i64)> = BTreeMap::new();
        let open = state.reconciliations.differences.values();
        for record in open.filter(|record| record.issuer == issuer && record.status.is_open()) {
            let sum = found.entry((age_bucket(record.at, now), record.currency)).or_default();
            sum.0 += 1;
            sum.1 = sum.1.saturating_add(record.suggested.saturating_abs());
        }
        let aged = |((bucket, currency), (count, amount))| Ageing { bucket, currency, count, amount };
        Ok(found.into_iter().map(aged).collect())
    }

    async fn unposted_corrections(&self, limit: usize) -> Result<Vec<DifferenceRecord>> {
        let state = self.read();
        let waits = |record: &&DifferenceRecord| {
            let moves = record.proposal.as_ref().is_some_and(|proposal| proposal.correction.is_some());
            record.status == DifferenceStatus::Approved && moves && record.correction.is_none()
        };
        Ok(state.reconciliations.differences.values().filter(waits).take(limit).cloned().collect())
    }

    /// Totals here are always folded from transfers, so that nothing can disagree.
    async fn check_hour(&self, hour: i64) -> Result<HourCheck> {
        const MILLIS: i64 = 3_600_000;
        let state = self.read();
        let rolled_up = state.rolled_up;
        let in_hour = |id: &OperationId| {
            (id.get() >> domain::ids::SHIFT) / MILLIS == hour && rolled_up.is_some_and(|last| *id <= last)
        };
        let transfers: Vec<_> =
            state.transfers.iter().filter(|(id, _)| in_hour(id)).flat_map(|(_, all)| all).collect();
        let mut accounts: Vec<_> = transfers.iter().flat_map(|t| [t.debit, t.credit]).collect();
        accounts.retain(|account| account.kind() != AccountKind::Card);
        accounts.sort_unstable();
        accounts.dedup();
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Ok(HourCheck {
            transfers: count(transfers.len()),
            accounts: count(accounts.len()),
            mismatches: Vec::new(),
        })
    }
}
