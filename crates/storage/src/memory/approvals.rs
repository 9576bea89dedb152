//! Approvals in memory: maps of whole values, and sums over them.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

use async_trait::async_trait;
use domain::{Amount, ApprovalId, BusinessDate, ClientId, Currency, IssuerId, Timestamp, role::LimitKind};

use super::{MemoryStore, state::conflict};
use crate::{
    Approval, ApprovalEvent, ApprovalFilter, ApprovalState, ApprovalStore, Counted, Counting, Page, Result,
    UseStatus,
};

/// What is kept of approvals.
#[derive(Default)]
pub(super) struct Approvals {
    all: BTreeMap<ApprovalId, Approval>,
    events: BTreeMap<(ApprovalId, u32), ApprovalEvent>,
    uses: HashMap<(ClientId, String), Use>,
}

/// A request that was counted.
struct Use {
    counted: Counted,
    kind: LimitKind,
    currency: Currency,
    day: BusinessDate,
    amount: Amount,
    counts: bool,
}

impl Approvals {
    fn used(&self, maker: ClientId, kind: LimitKind, currency: Currency, day: BusinessDate) -> i64 {
        let of_day = self.uses.iter().filter(|((by, _), used)| {
            *by == maker && used.counts && (used.kind, used.currency, used.day) == (kind, currency, day)
        });
        of_day.map(|(_, used)| used.amount.get()).sum()
    }

    fn count(&mut self, counting: &Counting) -> Counted {
        let approval = &counting.approval;
        let key = (approval.maker, counting.key.clone());
        let mut attempt = 1;
        if let Some(earlier) = self.uses.get_mut(&key) {
            earlier.counted.attempt += 1;
            if earlier.counted.status != UseStatus::Released {
                return Counted { before: true, ..earlier.counted.clone() };
            }
            attempt = earlier.counted.attempt;
        }
        let used = self.used(approval.maker, approval.kind(), approval.currency, counting.day);
        let within = counting.is_within(used);
        let counted = Counted {
            id: approval.id,
            fingerprint: counting.fingerprint,
            status: if within { UseStatus::Through } else { UseStatus::Approval },
            attempt,
            before: false,
        };
        let (kind, currency, day, amount) =
            (approval.kind(), approval.currency, counting.day, approval.amount);
        self.uses.insert(key, Use { counted: counted.clone(), kind, currency, day, amount, counts: true });
        if !within {
            self.all.insert(approval.id, approval.clone());
            self.events.insert((approval.id, approval.version), crate::approval_store::asked(approval));
        }
        counted
    }

    fn change(&mut self, approval: &Approval, event: &ApprovalEvent) -> Result<()> {
        let stored = self.all.get_mut(&approval.id);
        let Some(stored) = stored.filter(|stored| stored.version.checked_add(1) == Some(approval.version))
        else {
            return conflict("version");
        };
        *stored = approval.clone();
        self.events.insert((event.approval, event.version), event.clone());
        for used in self.uses.values_mut().filter(|used| used.counted.id == approval.id) {
            used.counts = approval.state.counts();
        }
        Ok(())
    }

    fn by_id(&self, limit: usize, accepts: impl Fn(&Approval) -> bool) -> Vec<Approval> {
        self.all.values().filter(|one| accepts(one)).take(limit).cloned().collect()
    }
}

fn accepts(filter: &ApprovalFilter, one: &Approval) -> bool {
    one.issuer == filter.issuer
        && filter.kind.is_none_or(|kind| one.kind() == kind)
        && filter.state.is_none_or(|state| one.state == state)
        && filter.maker.is_none_or(|maker| one.maker == maker)
}

#[async_trait]
impl ApprovalStore for MemoryStore {
    async fn count_use(&self, counting: &Counting) -> Result<Counted> {
        Ok(self.write().approvals.count(counting))
    }

    async fn uncount_use(&self, maker: ClientId, key: &str, attempt: u32, status: UseStatus) -> Result<()> {
        let mut state = self.write();
        if let Some(used) = state.approvals.uses.get_mut(&(maker, key.to_owned()))
            && (used.counted.status, used.counted.attempt) == (UseStatus::Through, attempt)
        {
            (used.counted.status, used.counts) = (status, false);
        }
        Ok(())
    }

    async fn used(
        &self,
        maker: ClientId,
        kind: LimitKind,
        currency: Currency,
        day: BusinessDate,
    ) -> Result<i64> {
        Ok(self.read().approvals.used(maker, kind, currency, day))
    }

    async fn approval(&self, id: ApprovalId) -> Result<Option<Approval>> {
        Ok(self.read().approvals.all.get(&id).cloned())
    }

    async fn approvals(
        &self,
        filter: &ApprovalFilter,
        before: Option<ApprovalId>,
        limit: usize,
    ) -> Result<Page<Approval>> {
        let state = self.read();
        let until = before.map_or(Bound::Unbounded, Bound::Excluded);
        let all = state.approvals.all.range((Bound::Unbounded, until)).rev().map(|(_, one)| one);
        let fitting = all.filter(|one| accepts(filter, one)).take(limit.saturating_add(1));
        let mut items: Vec<Approval> = fitting.cloned().collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(|one| one.id.get()) } else { None };
        Ok(Page { items, next })
    }

    async fn pending_approvals(&self, issuer: IssuerId) -> Result<u64> {
        let state = self.read();
        let pending = |one: &&Approval| one.issuer == issuer && one.state == ApprovalState::Pending;
        Ok(state.approvals.all.values().filter(pending).count() as u64)
    }

    async fn update_approval(&self, approval: &Approval, event: &ApprovalEvent) -> Result<()> {
        self.write().approvals.change(approval, event)
    }

    async fn approval_events(&self, id: ApprovalId) -> Result<Vec<ApprovalEvent>> {
        let state = self.read();
        let of_one = state.approvals.events.range((id, 0)..=(id, u32::MAX));
        Ok(of_one.map(|(_, event)| event.clone()).collect())
    }

    async fn overdue_approvals(&self, now: Timestamp, limit: usize) -> Result<Vec<Approval>> {
        let overdue = |one: &Approval| one.state == ApprovalState::Pending && one.expires_at <= now;
        Ok(self.read().approvals.by_id(limit, overdue))
    }

    async fn unfinished_approvals(&self, decided_before: Timestamp, limit: usize) -> Result<Vec<Approval>> {
        let unfinished = |one: &Approval| {
            one.state == ApprovalState::Approved
                && one.result.is_none()
                && one.decided_at.is_some_and(|at| at < decided_before)
        };
        Ok(self.read().approvals.by_id(limit, unfinished))
    }
}
