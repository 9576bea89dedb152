//! Following the log, in memory: every operation is there in the order of its id.

use std::ops::Bound;

use async_trait::async_trait;
use domain::{Operation, OperationId, OperationKind, Timestamp, ids::floor_of, operation::Status};

use super::{MemoryStore, state::State};
use crate::{Activity, ActivityPage, ActivityStore, LogPosition, Result, activity_store::is_followed};

fn activity_of(state: &State, operation: &Operation) -> Activity {
    let original = operation.original.filter(|_| operation.kind == OperationKind::Reversal);
    Activity {
        operation: operation.id,
        issuer: operation.issuer,
        kind: operation.kind,
        reversed: original.and_then(|id| state.operations.get(&id)).map(|original| original.kind),
        merchant: operation.merchant,
        currency: operation.currency,
        approved: operation.approved.get(),
        decline: match operation.status {
            Status::Declined(decline) => Some(decline),
            Status::Approved => None,
        },
        at: operation.at,
    }
}

#[async_trait]
impl ActivityStore for MemoryStore {
    async fn activity_start(&self, from: Timestamp) -> Result<LogPosition> {
        Ok(LogPosition { transaction: 0, operation: OperationId::new(floor_of(from).saturating_sub(1)) })
    }

    async fn activity(&self, after: LogPosition, limit: usize) -> Result<ActivityPage> {
        let state = self.read();
        let rest = state.operations.range((Bound::Excluded(after.operation), Bound::Unbounded));
        let found: Vec<_> = rest.take(limit).collect();
        let operation = found.last().map_or(after.operation, |(id, _)| **id);
        let followed = found.iter().filter(|(_, operation)| is_followed(operation.kind));
        Ok(ActivityPage {
            items: followed.map(|(_, operation)| activity_of(&state, operation)).collect(),
            position: LogPosition { transaction: 0, operation },
            caught_up: found.len() < limit,
        })
    }
}
