//! Leases in memory. The database's clock is the machine's.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use domain::Timestamp;

use super::{
    MemoryStore,
    state::{HeldLease, LentNode, State},
};
use crate::{NODES, NodeLease, NodeStore, Result};

#[expect(clippy::disallowed_methods, reason = "this is the database's clock, which every node shares")]
pub(super) fn database_now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

pub(super) fn after(at: Timestamp, time: Duration) -> Timestamp {
    let time = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(at.micros().saturating_add(time))
}

#[async_trait]
impl NodeStore for MemoryStore {
    async fn lease_node(&self, _name: &str, at: Timestamp, time: Duration) -> Result<Option<NodeLease>> {
        let now = database_now();
        let mut state = self.write();
        let is_free = |node: &u16| state.nodes.get(node).is_none_or(|lent| lent.expires_at <= now);
        let Some(node) = (0..NODES).find(is_free) else { return Ok(None) };
        let last = state.nodes.get(&node).copied();
        let ids_from = last.map_or(Timestamp::from_micros(0), |lent| lent.ids_until);
        let lent = LentNode {
            term: last.map_or(0, |lent| lent.term) + 1,
            expires_at: after(now, time),
            ids_until: after(now.max(at).max(ids_from), time),
        };
        state.nodes.insert(node, lent);
        Ok(Some(lease(&state, node, lent, ids_from, now)))
    }

    async fn renew_node(&self, held: &NodeLease, at: Timestamp, time: Duration) -> Result<Option<NodeLease>> {
        let now = database_now();
        let mut state = self.write();
        let Some(lent) = state.nodes.get_mut(&held.node).filter(|lent| lent.term == held.term) else {
            return Ok(None);
        };
        lent.expires_at = lent.expires_at.max(after(now, time));
        lent.ids_until = lent.ids_until.max(after(now.max(at), time));
        let lent = *lent;
        Ok(Some(lease(&state, held.node, lent, held.ids_from, now)))
    }

    async fn release_node(&self, held: &NodeLease, ids_until: Timestamp) -> Result<()> {
        let now = database_now();
        let mut state = self.write();
        if let Some(lent) = state.nodes.get_mut(&held.node).filter(|lent| lent.term == held.term) {
            // The term moves on, so that a renewal that comes late finds nothing.
            *lent = LentNode { term: lent.term + 1, expires_at: now, ids_until };
        }
        Ok(())
    }

    async fn hold_leases(&self, names: &[&str], holder: &str, time: Duration) -> Result<Vec<bool>> {
        let now = database_now();
        let mut state = self.write();
        let mut hold = |name: &&str| {
            let free =
                state.leases.get(*name).is_none_or(|held| held.expires_at <= now || held.holder == holder);
            if free {
                let held = HeldLease { holder: holder.to_owned(), expires_at: after(now, time) };
                state.leases.insert((*name).to_owned(), held);
            }
            free
        };
        Ok(names.iter().map(&mut hold).collect())
    }

    async fn release_leases(&self, holder: &str) -> Result<()> {
        self.write().leases.retain(|_, held| held.holder != holder);
        Ok(())
    }
}

fn lease(state: &State, node: u16, lent: LentNode, ids_from: Timestamp, now: Timestamp) -> NodeLease {
    let nodes = state.nodes.values().filter(|lent| lent.expires_at > now).count();
    let nodes = u16::try_from(nodes).unwrap_or(NODES);
    NodeLease { node, term: lent.term, ids_from, ids_until: lent.ids_until, now, nodes }
}
