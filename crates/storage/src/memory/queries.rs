//! Reading, in memory: every list is a filter and every total a fold.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use domain::{
    Account, Card, CardId, ClientId, Currency, Hold, HoldId, IdempotencyKey, IssuerId, Operation,
    OperationId, Timestamp, Transfer, card::StateCode, command::NumberIndex,
};

use super::{MemoryStore, state::State};
use crate::{
    AccountTotals, BalanceLine, LedgerLine, OperationFilter, Page, Queries, Result, StorageError,
    TransferFilter, TransferRow, queries::ExpirySpan,
};

#[async_trait]
impl Queries for MemoryStore {
    async fn card(&self, id: CardId) -> Result<Option<Card>> {
        Ok(self.read().cards.get(&id).map(|stored| stored.card.clone()))
    }

    async fn card_by_number(&self, indexes: &[NumberIndex]) -> Result<Option<Card>> {
        let state = self.read();
        Ok(state.find(indexes).map(|id| state.cards[&id].card.clone()))
    }

    async fn expiring_cards(&self, span: &ExpirySpan, limit: usize) -> Result<Vec<Card>> {
        let state = self.read();
        let live = |card: &Card| matches!(card.state.code(), StateCode::Active | StateCode::Frozen);
        let ends = |card: &Card| card.expires_at.map(|end| (end, card.id));
        let within = |card: &&Card| {
            ends(card).is_some_and(|end| end > span.after && end.0 <= span.until)
                && card.issuer == span.issuer
                && live(card)
                && !card.posted().is_zero()
        };
        let mut found: Vec<Card> =
            state.cards.values().map(|stored| &stored.card).filter(within).cloned().collect();
        found.sort_unstable_by_key(ends);
        found.truncate(limit);
        Ok(found)
    }

    async fn holds_of(&self, card: CardId, limit: usize) -> Result<Vec<Hold>> {
        let state = self.read();
        Ok(state.holds.values().rev().filter(|hold| hold.card == card).take(limit).cloned().collect())
    }

    async fn hold(&self, id: HoldId) -> Result<Option<Hold>> {
        Ok(self.read().holds.get(&id).cloned())
    }

    async fn newest_operation(&self) -> Result<Option<OperationId>> {
        Ok(self.read().operations.last_key_value().map(|(id, _)| *id))
    }

    async fn operation(&self, id: OperationId) -> Result<Option<Operation>> {
        Ok(self.read().operations.get(&id).map(|operation| Operation::clone(operation)))
    }

    async fn operation_by_key(&self, client: ClientId, key: &IdempotencyKey) -> Result<Option<Operation>> {
        let state = self.read();
        let id = state.keys.get(&(client, key.clone()));
        Ok(id.and_then(|id| state.operations.get(id)).map(|operation| Operation::clone(operation)))
    }

    async fn operations(
        &self,
        filter: &OperationFilter,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Page<Operation>> {
        let state = self.read();
        let candidates = match filter.card {
            Some(card) => chain(&state, card),
            None => state.operations.values().rev().collect(),
        };
        let mut found = candidates
            .into_iter()
            .filter(|operation| before.is_none_or(|end| operation.id < end) && accepts(filter, operation));
        let items: Vec<_> = found.by_ref().take(limit).map(|operation| Operation::clone(operation)).collect();
        let next = found.next().and_then(|_| items.last()).map(|operation| operation.id.get());
        Ok(Page { items, next })
    }

    async fn transfers(
        &self,
        filter: &TransferFilter,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Page<TransferRow>> {
        let state = self.read();
        let mut items: Vec<TransferRow> = Vec::new();
        for operation in state.operations.values().rev() {
            let outside = before.is_some_and(|end| operation.id >= end)
                || filter.operation.is_some_and(|only| operation.id != only)
                || operation.issuer != filter.issuer
                || !within(filter.from, filter.to, operation.at);
            if outside {
                continue;
            }
            let rows = rows_of(&state, filter, operation)?;
            if rows.is_empty() {
                continue;
            }
            if items.len() >= limit {
                let next = items.last().map(|row| row.transfer.operation.get());
                return Ok(Page { items, next });
            }
            items.extend(rows);
        }
        Ok(Page { items, next: None })
    }

    async fn trial_balance(&self, issuer: IssuerId, at: Option<Timestamp>) -> Result<Vec<BalanceLine>> {
        let state = self.read();
        let mut totals: BTreeMap<(LedgerLine, Currency), (i64, i64)> = BTreeMap::new();
        for (operation, transfer) in transfers_before(&state, issuer, at) {
            let (currency, amount) = (currency_of(operation)?, transfer.amount.get());
            let debits = &mut totals.entry((line_of(&state, transfer.debit)?, currency)).or_default().0;
            *debits = total(*debits, amount)?;
            let credits = &mut totals.entry((line_of(&state, transfer.credit)?, currency)).or_default().1;
            *credits = total(*credits, amount)?;
        }
        let lines = totals.into_iter();
        let lines = lines.map(|((line, currency), (debits, credits))| BalanceLine {
            line,
            currency,
            debits,
            credits,
        });
        Ok(lines.collect())
    }

    async fn account_totals(
        &self,
        issuer: IssuerId,
        account: Account,
        at: Option<Timestamp>,
    ) -> Result<Vec<AccountTotals>> {
        let state = self.read();
        let mut totals: BTreeMap<Currency, (i64, i64)> = BTreeMap::new();
        for (operation, transfer) in transfers_before(&state, issuer, at) {
            if transfer.debit != account && transfer.credit != account {
                continue;
            }
            let (debits, credits) = totals.entry(currency_of(operation)?).or_default();
            if transfer.debit == account {
                *debits = total(*debits, transfer.amount.get())?;
            }
            if transfer.credit == account {
                *credits = total(*credits, transfer.amount.get())?;
            }
        }
        let totals = totals.into_iter();
        Ok(totals.map(|(currency, (debits, credits))| AccountTotals { currency, debits, credits }).collect())
    }
}

/// The currency of what an operation moved. One that moved nothing may have none.
pub(super) fn currency_of(operation: &Operation) -> Result<Currency> {
    let missing = || StorageError::Corrupt(format!("{} moves value without a currency", operation.id));
    operation.currency.ok_or_else(missing)
}

pub(super) fn total(sum: i64, amount: i64) -> Result<i64> {
    sum.checked_add(amount).ok_or_else(|| StorageError::Corrupt("a total exceeds 64 bits".to_owned()))
}

fn within(from: Option<Timestamp>, to: Option<Timestamp>, at: Timestamp) -> bool {
    from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to)
}

fn accepts(filter: &OperationFilter, operation: &Operation) -> bool {
    fn same<T: PartialEq + Copy>(wanted: Option<T>, found: Option<T>) -> bool {
        wanted.is_none() || wanted == found
    }
    operation.issuer == filter.issuer
        && same(filter.kind, Some(operation.kind))
        && same(filter.approved, Some(operation.is_approved()))
        && same(filter.merchant, operation.merchant)
        && same(filter.store, operation.store)
        && same(filter.terminal, operation.terminal)
        && same(filter.client, Some(operation.client))
        && within(filter.from, filter.to, operation.at)
}

/// The operation on a card before this one.
pub(super) fn previous(operation: &Operation, card: CardId) -> Option<OperationId> {
    let after = [operation.card, operation.counterpart].into_iter().flatten().find(|a| a.id == card);
    after.and_then(|after| after.previous)
}

/// The operations of a card, newest first.
pub(super) fn chain(state: &State, card: CardId) -> Vec<&Arc<Operation>> {
    let mut next = state.cards.get(&card).and_then(|stored| stored.card.last_operation);
    let mut found = Vec::new();
    while let Some(operation) = next.and_then(|id| state.operations.get(&id)) {
        next = previous(operation, card).filter(|id| *id < operation.id);
        found.push(operation);
    }
    found
}

fn rows_of(state: &State, filter: &TransferFilter, operation: &Operation) -> Result<Vec<TransferRow>> {
    let wanted = |t: &&Transfer| filter.account.is_none_or(|a| t.debit == a || t.credit == a);
    let transfers = state.transfers_of(operation.id).iter().filter(wanted);
    let (kind, at) = (operation.kind, operation.at);
    let row =
        |t: &Transfer| Ok(TransferRow { transfer: t.clone(), currency: currency_of(operation)?, kind, at });
    transfers.map(row).collect()
}

fn transfers_before(
    state: &State,
    issuer: IssuerId,
    at: Option<Timestamp>,
) -> impl Iterator<Item = (&Operation, &Transfer)> {
    let operations =
        state.operations.values().filter(move |o| o.issuer == issuer && at.is_none_or(|at| o.at < at));
    operations.flat_map(|operation| {
        state.transfers_of(operation.id).iter().map(move |transfer| (operation.as_ref(), transfer))
    })
}

pub(super) fn line_of(state: &State, account: Account) -> Result<LedgerLine> {
    let Account::Card(id) = account else { return Ok(LedgerLine::Account(account)) };
    let stored = state.cards.get(&id);
    let stored = stored.ok_or_else(|| StorageError::Corrupt(format!("transfer of unknown {id}")))?;
    Ok(LedgerLine::Cards(stored.card.program))
}
