//! Accounting, in memory: the journal is always folded from the log.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::{
    BusinessDate, Currency, IssuerId, Operation, OperationKind, ProgramId, Timestamp, Transfer,
    account::AccountKind, lot::LotSource,
};

use super::{
    MemoryStore,
    queries::{currency_of, line_of, total},
    state::State,
};
use crate::{
    AGE_BOUNDS, AccountingStore, AgedValue, BalanceLine, Days, Figure, FigureKind, JournalLine, JournalTotal,
    LedgerLine, MAX_FIGURES, Queries, Result, RollUp, Setting, StorageError,
};

type LineKey =
    (BusinessDate, Option<ProgramId>, OperationKind, Option<OperationKind>, LedgerLine, LedgerLine, Currency);
type TotalKey = (Option<ProgramId>, OperationKind, Option<OperationKind>, AccountKind, AccountKind, Currency);

#[async_trait]
impl AccountingStore for MemoryStore {
    async fn roll_up_journal(&self, limit: usize) -> Result<RollUp> {
        let _turn = self.turn.lock().await;
        let mut state = self.write();
        let waiting = state.operations.keys().filter(|id| state.journaled.is_none_or(|last| **id > last));
        let waiting: Vec<_> = waiting.copied().collect();
        let taken = waiting.len().min(limit);
        if let Some(last) = taken.checked_sub(1) {
            state.journaled = Some(waiting[last]);
        }
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Ok(RollUp { operations: count(taken), behind: count(waiting.len() - taken) })
    }

    async fn journal(&self, issuer: IssuerId, days: Days) -> Result<Vec<JournalLine>> {
        let sums = fold(&self.read(), issuer, days)?;
        let line = |((day, program, kind, reversed, debit, credit, currency), (operations, amount)): (
            LineKey,
            (i64, i64),
        )| {
            JournalLine { day, program, kind, reversed, debit, credit, currency, operations, amount }
        };
        Ok(sums.into_iter().map(line).collect())
    }

    async fn journal_totals(&self, issuer: IssuerId, days: Days) -> Result<Vec<JournalTotal>> {
        let mut sums: BTreeMap<TotalKey, (i64, i64)> = BTreeMap::new();
        for ((_, program, kind, reversed, debit, credit, currency), (operations, amount)) in
            fold(&self.read(), issuer, days)?
        {
            let key = (program, kind, reversed, debit.kind(), credit.kind(), currency);
            let sum = sums.entry(key).or_default();
            *sum = (total(sum.0, operations)?, total(sum.1, amount)?);
        }
        let shown = |((program, kind, reversed, debit, credit, currency), (operations, amount))| {
            JournalTotal { program, kind, reversed, debit, credit, currency, operations, amount }
        };
        Ok(sums.into_iter().map(shown).collect())
    }

    async fn balances_of_kind(
        &self,
        issuer: IssuerId,
        kind: AccountKind,
        before: Timestamp,
    ) -> Result<Vec<BalanceLine>> {
        let lines = self.trial_balance(issuer, Some(before)).await?;
        Ok(lines.into_iter().filter(|line| line.line.kind() == kind).collect())
    }

    async fn ageing(&self, issuer: IssuerId, bounds: [Timestamp; AGE_BOUNDS]) -> Result<Vec<AgedValue>> {
        let state = self.read();
        let mut sums: BTreeMap<(ProgramId, LotSource, usize), (i64, i64, i64)> = BTreeMap::new();
        for card in state.cards.values().map(|stored| &stored.card).filter(|card| card.issuer == issuer) {
            let since = card.activated_at.unwrap_or(card.created_at);
            let age = bounds.iter().filter(|bound| since < **bound).count();
            for source in LotSource::ALL {
                let (mut remaining, mut claimable) = (0, 0);
                for lot in card.lots.iter().filter(|lot| lot.source == source) {
                    remaining = total(remaining, lot.remaining.get())?;
                    let still = if lot.expired_to_breakage { 0 } else { lot.expired.get() };
                    claimable = total(claimable, still)?;
                }
                if remaining != 0 || claimable != 0 {
                    let sum = sums.entry((card.program, source, age)).or_default();
                    *sum = (sum.0 + 1, total(sum.1, remaining)?, total(sum.2, claimable)?);
                }
            }
        }
        let shown = |((program, source, age), (cards, remaining, claimable))| AgedValue {
            program,
            source,
            age,
            cards,
            remaining,
            claimable,
        };
        Ok(sums.into_iter().map(shown).collect())
    }

    async fn enter_figure(&self, figure: &Figure) -> Result<Figure> {
        let mut state = self.write();
        let same = |f: &&Figure| key_of(f) == key_of(figure);
        let newest = state.figures.iter().filter(same).max_by_key(|f| f.version).cloned();
        if let Some(newest) = &newest
            && newest.amount == figure.amount
            && newest.note == figure.note
        {
            return Ok(newest.clone());
        }
        let entered = Figure { version: newest.map_or(0, |f| f.version) + 1, ..figure.clone() };
        state.figures.push(entered.clone());
        Ok(entered)
    }

    async fn figures(&self, issuer: IssuerId, kind: FigureKind, from: i32, to: i32) -> Result<Vec<Figure>> {
        let state = self.read();
        let mut newest: BTreeMap<(i32, Currency), &Figure> = BTreeMap::new();
        for figure in &state.figures {
            let wanted =
                figure.issuer == issuer && figure.kind == kind && (from..=to).contains(&figure.period);
            let slot = (figure.period, figure.currency);
            if wanted && newest.get(&slot).is_none_or(|other| other.version < figure.version) {
                newest.insert(slot, figure);
            }
        }
        Ok(newest.into_values().take(MAX_FIGURES).cloned().collect())
    }

    async fn enter_setting(&self, setting: &Setting) -> Result<Setting> {
        let newest = self.setting(setting.issuer, &setting.name).await?;
        if let Some(newest) = &newest
            && newest.value == setting.value
        {
            return Ok(newest.clone());
        }
        let entered = Setting { version: newest.map_or(0, |s| s.version) + 1, ..setting.clone() };
        self.write().settings.push(entered.clone());
        Ok(entered)
    }

    async fn setting(&self, issuer: IssuerId, name: &str) -> Result<Option<Setting>> {
        let state = self.read();
        let wanted = state.settings.iter().filter(|s| s.issuer == issuer && s.name == name);
        Ok(wanted.max_by_key(|s| s.version).cloned())
    }
}

fn key_of(figure: &Figure) -> (IssuerId, FigureKind, i32, Currency) {
    (figure.issuer, figure.kind, figure.period, figure.currency)
}

/// Operations and value, by everything that a line of the journal is about.
fn fold(state: &State, issuer: IssuerId, days: Days) -> Result<BTreeMap<LineKey, (i64, i64)>> {
    let mut sums = BTreeMap::new();
    let counted = |o: &&std::sync::Arc<Operation>| o.issuer == issuer && days.contain(o.business_date);
    for operation in state.operations.values().filter(counted) {
        for transfer in state.transfers_of(operation.id) {
            let sum: &mut (i64, i64) = sums.entry(line_key(state, operation, transfer)?).or_default();
            *sum = (sum.0 + i64::from(transfer.seq == 1), total(sum.1, transfer.amount.get())?);
        }
    }
    Ok(sums)
}

fn line_key(state: &State, operation: &Operation, transfer: &Transfer) -> Result<LineKey> {
    let reversed = match (operation.kind, operation.original) {
        (OperationKind::Reversal, Some(original)) => {
            let original = state.operations.get(&original);
            let missing = || StorageError::Corrupt(format!("{} reverses nothing", operation.id));
            Some(original.ok_or_else(missing)?.kind)
        }
        _ => None,
    };
    let (debit, credit) = (line_of(state, transfer.debit)?, line_of(state, transfer.credit)?);
    let currency = currency_of(operation)?;
    let of_card = [debit, credit].into_iter().find_map(|line| match line {
        LedgerLine::Cards(program) => Some(program),
        LedgerLine::Account(_) => None,
    });
    let program = operation.program.or(of_card);
    Ok((operation.business_date, program, operation.kind, reversed, debit, credit, currency))
}
