//! The log written into the store in memory, which refuses what contradicts itself, and its audit.

use domain::Program;
use storage::{Audit, CatalogEntry, CatalogStore, IssueStore, Transactions, memory::MemoryStore};

use super::{Finding, Ground, ensure};
use crate::simulation::Simulation;

pub(super) async fn check(simulation: &Simulation, ground: &Ground<'_>) -> Finding {
    let store = MemoryStore::new();
    for program in ground.catalog.programs.values() {
        let entry = CatalogEntry::Program(Program::clone(program));
        store.put_catalog(&entry).await.map_err(|error| error.to_string())?;
    }
    store.insert_cards(ground.cards, None).await.map_err(|error| error.to_string())?;
    let commits = simulation.database.with_log(<[_]>::len);
    for position in 0..commits {
        let transaction = store.begin().await.map_err(|error| error.to_string())?;
        let changes = simulation.database.with_log(|log| crate::database::copy(&log[position].changes));
        let committed = transaction.commit(&changes).await;
        let durable = committed.map_err(|error| format!("commit {position}: {error}"))?;
        durable.await.map_err(|error| error.to_string())?;
    }
    let report = store.audit().await.map_err(|error| error.to_string())?;
    let first = report.violations.first();
    ensure(first.is_none(), || first.map_or_else(String::new, |first| format!("{first:?}")))
}
