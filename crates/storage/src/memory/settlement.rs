//! Settlement in memory: maps of whole values, and folds over them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Bound,
};

use async_trait::async_trait;
use domain::{
    Account, AgreementId, BusinessDate, Currency, IssuerId, MerchantId, OperationId, OperationKind, PayeeId,
    PayoutId, StatementId,
};
use settlement::{
    Agreement, CalendarDay, Line, Movement, MovementKind, Payee, Payout, PayoutStatus, Refunded, SplitPart,
    Statement, StatementStatus, fold::add_line,
};

use super::{MemoryStore, state::State};
use crate::{
    Accrual, Closed, Closing, LogPosition, MovementPage, OpenSums, Page, PayoutFilter, Result, Settled,
    SettledBalance, SettledBalances, SettlementProgress, SettlementStore, StatementFilter, StorageError,
    memory::state::conflict, settlement_store::one_each,
};

type Key = (OperationId, MerchantId);

/// What settlement keeps.
#[derive(Default)]
pub(super) struct Settlements {
    calendar: BTreeMap<(IssuerId, i16), Vec<CalendarDay>>,
    agreements: BTreeMap<AgreementId, Agreement>,
    payees: BTreeMap<PayeeId, Payee>,
    progress: HashMap<IssuerId, SettlementProgress>,
    statements: BTreeMap<StatementId, Statement>,
    lines: BTreeMap<Key, (IssuerId, Line)>,
    parts: BTreeMap<(OperationId, MerchantId, MerchantId), SplitPart>,
    refunded: BTreeMap<Key, Refunded>,
    latest: BTreeMap<(IssuerId, MerchantId, Currency), StatementId>,
    payouts: BTreeMap<PayoutId, Payout>,
}

fn damaged(why: &str) -> StorageError {
    StorageError::Corrupt(why.to_owned())
}

/// A page of the items below `before`, newest first.
fn newest<I: Copy + Ord, T: Clone>(
    items: &BTreeMap<I, T>,
    before: Option<I>,
    limit: usize,
    accepts: impl Fn(&T) -> bool,
    number: impl Fn(I) -> i64,
) -> Page<T> {
    let until = before.map_or(Bound::Unbounded, Bound::Excluded);
    let all = items.range((Bound::Unbounded, until)).rev().filter(|(_, item)| accepts(item));
    let mut found: Vec<_> = all.take(limit.saturating_add(1)).collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(id, _)| number(**id));
    Page { items: found.into_iter().map(|(_, item)| item.clone()).collect(), next }
}

impl Settlements {
    fn move_on(&mut self, issuer: IssuerId, expected: i64, to: Option<LogPosition>) -> Result<()> {
        let progress = self.progress.get(&issuer).copied().unwrap_or(SettlementProgress::START);
        if progress.revision != expected {
            return conflict("revision");
        }
        let position = to.unwrap_or(progress.position);
        self.progress.insert(issuer, SettlementProgress { position, revision: expected + 1 });
        Ok(())
    }

    fn has_period(&self, statement: &Statement) -> bool {
        let name = |s: &Statement| (s.merchant, s.currency, s.period_to);
        self.statements.values().any(|other| name(other) == name(statement) && other.id != statement.id)
    }

    fn settled(&self, key: Key) -> Option<Settled> {
        let (_, line) = self.lines.get(&key)?;
        let parts = self.parts.values().filter(|part| (part.operation, part.merchant) == key);
        Some(Settled {
            line: *line,
            parts: parts.copied().collect(),
            refunded: self.refunded.get(&key).copied(),
        })
    }

    fn check_accrual(&self, accrual: &Accrual) -> Result<()> {
        let taken = |s: &Statement| self.statements.contains_key(&s.id) || self.has_period(s);
        if accrual.statements.iter().any(taken) {
            return conflict("statement");
        }
        let mut seen = HashSet::new();
        let doubled = |line: &Line| {
            let key = (line.operation, line.merchant);
            self.lines.contains_key(&key) || !seen.insert(key)
        };
        if accrual.lines.iter().any(doubled) { conflict("line") } else { Ok(()) }
    }

    /// The keys that account numbers are sealed under.
    pub(super) fn key_ids(&self) -> impl Iterator<Item = u8> + '_ {
        self.payees.values().filter_map(|payee| Some(payee.sealed.as_ref()?.key_id))
    }

    fn check_closing(&self, closing: &Closing) -> Result<()> {
        if !one_each(&closing.statements) {
            return conflict("statement");
        }
        for statement in &closing.statements {
            let key = (closing.issuer, statement.merchant, statement.currency);
            let stored = self.statements.get(&statement.id).map(|stored| stored.status);
            let follows = self.latest.get(&key).copied() == statement.previous;
            let is_open = stored.is_none_or(|status| status == StatementStatus::Open);
            if !follows
                || !is_open
                || statement.status != StatementStatus::Closing
                || self.has_period(statement)
            {
                return conflict("statement");
            }
        }
        let payable =
            |payout: &Payout| payout.status == PayoutStatus::Rejected && payout.credited_in.is_none();
        let mut seen = HashSet::new();
        let good =
            |(id, _): &(PayoutId, StatementId)| self.payouts.get(id).is_some_and(payable) && seen.insert(*id);
        if closing.credited.iter().all(good) { Ok(()) } else { conflict("payout") }
    }

    fn check_closed(&self, closed: &[Closed]) -> Result<()> {
        for Closed { statement, payout } in closed {
            let stored = self.statements.get(&statement.id).map(|stored| stored.status);
            if stored != Some(StatementStatus::Closing) {
                return conflict("statement");
            }
            let paid = |payout: &Payout| self.payouts.values().any(|p| p.statement == payout.statement);
            if payout.as_ref().is_some_and(paid) {
                return conflict("payout");
            }
        }
        Ok(())
    }

    fn check_payouts(&self, payouts: &[Payout]) -> Result<()> {
        for payout in payouts {
            let Some(stored) = self.payouts.get(&payout.id) else { return conflict("version") };
            if stored.version.checked_add(1) != Some(payout.version) {
                return conflict("version");
            }
            if !stored.status.may_become(payout.status) {
                return conflict("status");
            }
        }
        Ok(())
    }

    fn open_sums(&self, statement: &Statement) -> Result<Option<OpenSums>> {
        let lines: Vec<Line> = self
            .lines
            .values()
            .map(|(_, line)| *line)
            .filter(|line| line.statement == statement.id)
            .collect();
        let named: HashSet<OperationId> = lines.iter().filter_map(|line| line.previous).collect();
        let Some(newest) = lines.iter().find(|line| !named.contains(&line.operation)) else {
            return Ok(None);
        };
        let mut sums = settlement::StatementSums::default();
        let mut volumes: BTreeMap<i32, i64> = BTreeMap::new();
        for line in &lines {
            add_line(&mut sums, line).ok_or_else(|| damaged("a sum exceeds 64 bits"))?;
            if line.kind == MovementKind::Sale {
                *volumes.entry(line.day.month()).or_default() += line.amount;
            }
        }
        let parts = self.parts.values().filter(|part| part.statement == statement.id);
        sums.splits_out = parts.map(|part| part.amount).sum();
        let volumes = volumes.into_iter().collect();
        Ok(Some(OpenSums { statement: statement.id, sums, newest: *newest, volumes }))
    }
}

/// What an operation changed, by merchant.
fn movements_of(state: &State, id: OperationId, issuer: IssuerId) -> Vec<Movement> {
    let Some(operation) = state.operations.get(&id).filter(|operation| operation.issuer == issuer) else {
        return Vec::new();
    };
    let mut changed: BTreeMap<MerchantId, i64> = BTreeMap::new();
    for transfer in state.transfers_of(id) {
        for (account, sign) in [(transfer.credit, 1), (transfer.debit, -1)] {
            if let Account::Merchant(merchant) = account {
                *changed.entry(merchant).or_default() += transfer.amount.get() * sign;
            }
        }
    }
    let Some(currency) = operation.currency else { return Vec::new() };
    let movement = |(merchant, delta)| Movement {
        operation: id,
        kind: operation.kind,
        at: operation.at,
        issuer,
        merchant,
        named: operation.merchant,
        currency,
        delta,
        original: operation.original,
    };
    changed.into_iter().filter(|(_, delta)| *delta != 0).map(movement).collect()
}

/// Each line, and each movement that was taken in, with what the line says and what the log does.
pub(super) fn against_the_log(state: &State) -> Vec<(String, i64, i64)> {
    let all = &state.settlements;
    let mut found: BTreeMap<Key, (i64, i64)> = BTreeMap::new();
    for (key, (_, line)) in &all.lines {
        found.entry(*key).or_default().0 = line.amount;
    }
    for operation in state.operations.values() {
        let taken_in = all.progress.get(&operation.issuer).map(|progress| progress.position.operation);
        for movement in movements_of(state, operation.id, operation.issuer) {
            let key = (movement.operation, movement.merchant);
            let wanted = movement.line_kind().is_some() && taken_in >= Some(movement.operation);
            if wanted || found.contains_key(&key) {
                found.entry(key).or_default().1 = movement.delta;
            }
        }
    }
    let named =
        |((operation, merchant), (stored, by_log))| (format!("{operation} of {merchant}"), stored, by_log);
    found.into_iter().map(named).collect()
}

/// Every account's balance by the ledger and by its statements.
fn balances(state: &State, issuer: IssuerId) -> SettledBalances {
    let all = &state.settlements;
    let taken_in = all.progress.get(&issuer).map(|progress| progress.position.operation);
    let mut sums: BTreeMap<(MerchantId, Currency), (i64, i64)> = BTreeMap::new();
    let mut add = |merchant, currency, ledger: i64, statements: i64| {
        let sum = sums.entry((merchant, currency)).or_default();
        (sum.0, sum.1) = (sum.0 + ledger, sum.1 + statements);
    };
    for operation in state.operations.values().filter(|operation| operation.issuer == issuer) {
        for movement in movements_of(state, operation.id, issuer) {
            let settled = movement.line_kind().is_none() || taken_in >= Some(operation.id);
            let paid = if movement.kind == OperationKind::MerchantPayment { movement.delta } else { 0 };
            add(movement.merchant, movement.currency, if settled { movement.delta } else { 0 }, paid);
        }
    }
    for ((_, merchant, currency), id) in all.latest.iter().filter(|((of, ..), _)| *of == issuer) {
        let carried = all.statements.get(id).map_or(0, |statement| statement.figures.carried);
        add(*merchant, *currency, 0, carried);
    }
    let own = |statement: &&Statement| statement.issuer == issuer;
    for statement in all.statements.values().filter(own).filter(|s| s.status != StatementStatus::Open) {
        add(statement.merchant, statement.currency, 0, -statement.figures.invoiced.get());
    }
    for payout in all.payouts.values().filter(|payout| payout.issuer == issuer && is_owed(payout)) {
        add(payout.merchant, payout.currency, 0, payout.amount.get());
    }
    for (_, line) in all.lines.values().filter(|(of, _)| *of == issuer) {
        let open = all.statements.get(&line.statement).filter(|s| s.status == StatementStatus::Open);
        if let Some(statement) = open {
            add(line.merchant, statement.currency, 0, line.amount);
        }
    }
    let compared = |merchant: MerchantId, currency: Currency| {
        let of = |s: &&Statement| s.issuer == issuer && s.merchant == merchant && s.currency == currency;
        let mut statements = all.statements.values().filter(of).peekable();
        statements.peek().is_some() && statements.all(|s| s.status != StatementStatus::Closing)
    };
    let mut found = SettledBalances::default();
    for ((merchant, currency), (ledger, statements)) in sums {
        if compared(merchant, currency) {
            found.take(SettledBalance { merchant, currency, ledger, statements });
        }
    }
    found
}

/// Whether a payout's amount has not left the merchant's account, and is on no later statement.
fn is_owed(payout: &Payout) -> bool {
    match payout.status {
        PayoutStatus::Proposed | PayoutStatus::Approved => true,
        PayoutStatus::Rejected => payout.credited_in.is_none(),
        PayoutStatus::Sent | PayoutStatus::Confirmed | PayoutStatus::Returned => false,
    }
}

#[async_trait]
impl SettlementStore for MemoryStore {
    async fn settled_balances(&self, issuer: IssuerId) -> Result<SettledBalances> {
        Ok(balances(&self.read(), issuer))
    }

    async fn put_calendar_year(&self, issuer: IssuerId, year: i16, days: &[CalendarDay]) -> Result<()> {
        let mut days = days.to_vec();
        days.sort_by_key(|day| day.date);
        for day in &mut days {
            day.year = year;
        }
        self.write().settlements.calendar.insert((issuer, year), days);
        Ok(())
    }

    async fn calendar_days(&self, issuer: IssuerId, from: i16, to: i16) -> Result<Vec<CalendarDay>> {
        let state = self.read();
        Ok(state
            .settlements
            .calendar
            .range((issuer, from)..=(issuer, to))
            .flat_map(|(_, days)| days.clone())
            .collect())
    }

    async fn append_agreement(&self, agreement: &Agreement) -> Result<()> {
        let mut state = self.write();
        let name = |a: &Agreement| (a.issuer, a.merchant, a.currency, a.effective_from);
        let all = &mut state.settlements.agreements;
        if all.values().any(|other| name(other) == name(agreement) || other.id == agreement.id) {
            return conflict("effective_from");
        }
        all.insert(agreement.id, agreement.clone());
        Ok(())
    }

    async fn agreement(&self, id: AgreementId) -> Result<Option<Agreement>> {
        Ok(self.read().settlements.agreements.get(&id).cloned())
    }

    async fn agreements(
        &self,
        issuer: IssuerId,
        merchant: Option<MerchantId>,
        before: Option<AgreementId>,
        limit: usize,
    ) -> Result<Page<Agreement>> {
        let accepts = |a: &Agreement| a.issuer == issuer && (merchant.is_none() || a.merchant == merchant);
        Ok(newest(&self.read().settlements.agreements, before, limit, accepts, AgreementId::get))
    }

    async fn append_payee(&self, payee: &Payee) -> Result<()> {
        let mut state = self.write();
        if state.settlements.payees.contains_key(&payee.id) {
            return conflict("id");
        }
        state.settlements.payees.insert(payee.id, payee.clone());
        Ok(())
    }

    async fn payee(&self, id: PayeeId) -> Result<Option<Payee>> {
        Ok(self.read().settlements.payees.get(&id).cloned())
    }

    async fn payees(
        &self,
        issuer: IssuerId,
        merchant: MerchantId,
        before: Option<PayeeId>,
        limit: usize,
    ) -> Result<Page<Payee>> {
        let accepts = |payee: &Payee| payee.issuer == issuer && payee.merchant == merchant;
        Ok(newest(&self.read().settlements.payees, before, limit, accepts, PayeeId::get))
    }

    async fn accounts_not_under(
        &self,
        current: u8,
        after: Option<PayeeId>,
        limit: usize,
    ) -> Result<Vec<Payee>> {
        let state = self.read();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let all = state.settlements.payees.range((from, Bound::Unbounded)).map(|(_, payee)| payee);
        let others = all.filter(|p| p.sealed.as_ref().is_none_or(|sealed| sealed.key_id != current));
        Ok(others.take(limit).cloned().collect())
    }

    async fn seal_accounts(&self, payees: &[Payee]) -> Result<()> {
        let mut state = self.write();
        for payee in payees {
            if let Some(stored) = state.settlements.payees.get_mut(&payee.id) {
                stored.account_number.clone_from(&payee.account_number);
                stored.sealed.clone_from(&payee.sealed);
            }
        }
        Ok(())
    }

    async fn payees_in_force(
        &self,
        issuer: IssuerId,
        merchants: &[MerchantId],
        on: BusinessDate,
    ) -> Result<Vec<Payee>> {
        let state = self.read();
        let mut found: BTreeMap<(MerchantId, Currency), &Payee> = BTreeMap::new();
        let in_force =
            |p: &&Payee| p.issuer == issuer && merchants.contains(&p.merchant) && p.effective_from <= on;
        for payee in state.settlements.payees.values().filter(in_force) {
            let best = found.entry((payee.merchant, payee.currency)).or_insert(payee);
            if (payee.effective_from, payee.id) > (best.effective_from, best.id) {
                *best = payee;
            }
        }
        Ok(found.into_values().cloned().collect())
    }

    async fn settlement_progress(&self, issuer: IssuerId) -> Result<SettlementProgress> {
        Ok(self.read().settlements.progress.get(&issuer).copied().unwrap_or(SettlementProgress::START))
    }

    async fn movements(&self, issuer: IssuerId, after: LogPosition, limit: usize) -> Result<MovementPage> {
        let state = self.read();
        let rest = state.operations.range((Bound::Excluded(after.operation), Bound::Unbounded));
        let ids: Vec<OperationId> = rest.map(|(id, _)| *id).take(limit).collect();
        let operation = ids.last().copied().unwrap_or(after.operation);
        Ok(MovementPage {
            items: ids.iter().flat_map(|id| movements_of(&state, *id, issuer)).collect(),
            position: LogPosition { transaction: 0, operation },
            operations: u64::try_from(ids.len()).unwrap_or(u64::MAX),
            caught_up: ids.len() < limit,
        })
    }

    async fn accrue(&self, accrual: &Accrual) -> Result<()> {
        let mut state = self.write();
        let all = &mut state.settlements;
        let before = all.progress.get(&accrual.issuer).copied();
        all.move_on(accrual.issuer, accrual.expected, Some(accrual.position))?;
        if let Err(error) = all.check_accrual(accrual) {
            all.progress.insert(accrual.issuer, before.unwrap_or(SettlementProgress::START));
            return Err(error);
        }
        all.statements.extend(accrual.statements.iter().map(|s| (s.id, s.clone())));
        all.lines.extend(accrual.lines.iter().map(|l| ((l.operation, l.merchant), (accrual.issuer, *l))));
        all.parts.extend(accrual.parts.iter().map(|p| ((p.operation, p.merchant, p.receiver), *p)));
        all.refunded.extend(accrual.refunded.iter().map(|r| ((r.original, r.merchant), *r)));
        Ok(())
    }

    async fn unfinished_statements(
        &self,
        issuer: IssuerId,
        after: Option<StatementId>,
        limit: usize,
    ) -> Result<Vec<Statement>> {
        let state = self.read();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let all =
            state.settlements.statements.range((from, Bound::Unbounded)).map(|(_, statement)| statement);
        let unfinished = all.filter(|s| s.issuer == issuer && s.status != StatementStatus::Closed);
        Ok(unfinished.take(limit).cloned().collect())
    }

    async fn open_sums(&self, issuer: IssuerId) -> Result<Vec<OpenSums>> {
        let state = self.read();
        let all = state.settlements.statements.values();
        let open = all.filter(|s| s.issuer == issuer && s.status == StatementStatus::Open);
        open.filter_map(|statement| state.settlements.open_sums(statement).transpose()).collect()
    }

    async fn latest_statements(
        &self,
        issuer: IssuerId,
        after: Option<(MerchantId, Currency)>,
        limit: usize,
    ) -> Result<Vec<Statement>> {
        let state = self.read();
        let all = &state.settlements;
        let later = |key: &(IssuerId, MerchantId, Currency)| {
            key.0 == issuer && after.is_none_or(|after| (key.1, key.2.code()) > (after.0, after.1.code()))
        };
        let mut found: Vec<_> = all.latest.iter().filter(|(key, _)| later(key)).collect();
        found.sort_by_key(|(key, _)| (key.1, key.2.code().to_owned()));
        Ok(found.into_iter().take(limit).filter_map(|(_, id)| all.statements.get(id).cloned()).collect())
    }

    async fn settled(&self, keys: &[(OperationId, MerchantId)]) -> Result<Vec<Settled>> {
        let state = self.read();
        Ok(keys.iter().filter_map(|key| state.settlements.settled(*key)).collect())
    }

    async fn begin_closing(&self, closing: &Closing) -> Result<()> {
        let mut state = self.write();
        let all = &mut state.settlements;
        let before = all.progress.get(&closing.issuer).copied();
        all.move_on(closing.issuer, closing.expected, None)?;
        if let Err(error) = all.check_closing(closing) {
            all.progress.insert(closing.issuer, before.unwrap_or(SettlementProgress::START));
            return Err(error);
        }
        for statement in &closing.statements {
            all.latest.insert((closing.issuer, statement.merchant, statement.currency), statement.id);
            all.statements.insert(statement.id, statement.clone());
        }
        for (payout, statement) in &closing.credited {
            if let Some(payout) = all.payouts.get_mut(payout) {
                payout.credited_in = Some(*statement);
                payout.version += 1;
            }
        }
        Ok(())
    }

    async fn finish_closing(&self, closed: &[Closed]) -> Result<()> {
        let mut state = self.write();
        let all = &mut state.settlements;
        all.check_closed(closed)?;
        for Closed { statement, payout } in closed {
            if let Some(stored) = all.statements.get_mut(&statement.id) {
                stored.status = StatementStatus::Closed;
                (stored.operation, stored.digest) = (statement.operation, statement.digest);
                stored.closed_at = statement.closed_at;
            }
            all.payouts.extend(payout.iter().map(|payout| (payout.id, payout.clone())));
        }
        Ok(())
    }

    async fn receivers(
        &self,
        _: IssuerId,
        statements: &[StatementId],
    ) -> Result<Vec<(StatementId, MerchantId, i64)>> {
        let state = self.read();
        let mut sums: BTreeMap<(StatementId, MerchantId), i64> = BTreeMap::new();
        for part in state.settlements.parts.values().filter(|part| statements.contains(&part.statement)) {
            *sums.entry((part.statement, part.receiver)).or_default() += part.amount;
        }
        Ok(sums.into_iter().map(|((statement, receiver), sum)| (statement, receiver, sum)).collect())
    }

    async fn statement(&self, id: StatementId) -> Result<Option<Statement>> {
        Ok(self.read().settlements.statements.get(&id).cloned())
    }

    async fn statements(
        &self,
        filter: &StatementFilter,
        before: Option<StatementId>,
        limit: usize,
    ) -> Result<Page<Statement>> {
        let accepts = |statement: &Statement| filter.accepts(statement);
        Ok(newest(&self.read().settlements.statements, before, limit, accepts, StatementId::get))
    }

    async fn statement_lines(
        &self,
        statement: StatementId,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Page<Settled>> {
        let state = self.read();
        let all = &state.settlements;
        let nothing = Page { items: Vec::new(), next: None };
        let Some(statement) = all.statements.get(&statement) else { return Ok(nothing) };
        let at = |id| all.settled((id, statement.merchant)).filter(|s| s.line.statement == statement.id);
        let mut next = match before {
            None => statement.newest_line,
            Some(before) => at(before).and_then(|settled| settled.line.previous),
        };
        let mut items: Vec<Settled> = Vec::new();
        while let Some(id) = next.filter(|_| items.len() < limit) {
            let settled = at(id).ok_or_else(|| damaged("a chain is broken"))?;
            next = settled.line.previous;
            items.push(settled);
        }
        let more = next.and_then(|_| items.last().map(|settled| settled.line.operation.get()));
        Ok(Page { items, next: more })
    }

    async fn lines(
        &self,
        issuer: IssuerId,
        after: (OperationId, MerchantId),
        below: OperationId,
        limit: usize,
    ) -> Result<Vec<Line>> {
        let state = self.read();
        let later = state.settlements.lines.range((Bound::Excluded(after), Bound::Unbounded));
        let within = later.take_while(|((operation, _), _)| *operation < below);
        Ok(within.filter(|(_, (of, _))| *of == issuer).map(|(_, (_, line))| *line).take(limit).collect())
    }

    async fn payout(&self, id: PayoutId) -> Result<Option<Payout>> {
        Ok(self.read().settlements.payouts.get(&id).cloned())
    }

    async fn payouts(
        &self,
        filter: &PayoutFilter,
        before: Option<PayoutId>,
        limit: usize,
    ) -> Result<Page<Payout>> {
        let accepts = |payout: &Payout| filter.accepts(payout);
        Ok(newest(&self.read().settlements.payouts, before, limit, accepts, PayoutId::get))
    }

    async fn uncredited_payouts(
        &self,
        issuer: IssuerId,
        after: Option<PayoutId>,
        limit: usize,
    ) -> Result<Vec<Payout>> {
        let state = self.read();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let all = state.settlements.payouts.range((from, Bound::Unbounded)).map(|(_, payout)| payout);
        let rejected =
            |p: &&Payout| p.issuer == issuer && p.status == PayoutStatus::Rejected && p.credited_in.is_none();
        Ok(all.filter(rejected).take(limit).cloned().collect())
    }

    async fn update_payouts(&self, payouts: &[Payout]) -> Result<()> {
        let mut state = self.write();
        state.settlements.check_payouts(payouts)?;
        state.settlements.payouts.extend(payouts.iter().map(|payout| (payout.id, payout.clone())));
        Ok(())
    }
}
