//! The catalog's snapshot in memory, replaced whole when something changes.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use arc_swap::ArcSwap;
use domain::Catalog;
use storage::{CatalogEntry, StorageError, Store};

/// Why a change of the catalog was not made.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Somebody else changed it first.
    #[error("it was changed by somebody else; read it again and repeat the change")]
    VersionConflict,
    /// A unique value is taken.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The snapshot with the means to change it.
pub(crate) struct CatalogCache {
    snapshot: ArcSwap<Catalog>,
    changing: tokio::sync::Mutex<()>,
}

impl CatalogCache {
    pub(crate) fn new(catalog: Catalog) -> Self {
        Self { snapshot: ArcSwap::from_pointee(catalog), changing: tokio::sync::Mutex::new(()) }
    }

    pub(crate) fn get(&self) -> Arc<Catalog> {
        self.snapshot.load_full()
    }

    /// Stores an entry, then lets every later decision see it.
    pub(crate) async fn put(&self, store: &dyn Store, entry: CatalogEntry) -> Result<(), CatalogError> {
        let _one_at_a_time = self.changing.lock().await;
        store.put_catalog(&entry).await.map_err(|error| match error {
            StorageError::Conflict { what: "version" | "id" } => CatalogError::VersionConflict,
            StorageError::Conflict { what } => CatalogError::Taken(what),
            other => CatalogError::Storage(other),
        })?;
        let mut catalog = Catalog::clone(&self.snapshot.load());
        insert(&mut catalog, entry);
        self.snapshot.store(Arc::new(catalog));
        Ok(())
    }
}

/// The longest that a change made on another node stays unseen while the database can be reached.
const LOOK: Duration = Duration::from_millis(500);
/// Between attempts where it cannot.
const RETRY: Duration = Duration::from_millis(200);

impl CatalogCache {
    /// Reads all of it again. Waits for own changes in progress, so that none is overwritten with a state
    /// before it.
    async fn reload(&self, store: &dyn Store) -> storage::Result<()> {
        let _one_at_a_time = self.changing.lock().await;
        let catalog = store.load_catalog().await?;
        self.snapshot.store(Arc::new(catalog));
        Ok(())
    }
}

/// Keeps the snapshot as the database has it, whoever changes it, until the cache is gone.
pub(crate) async fn follow(cache: Weak<CatalogCache>, store: Arc<dyn Store>) {
    // No revision is this, so that what changed since the snapshot was taken is not missed.
    let mut seen = -1;
    loop {
        // The revision is read before the catalog: at worst the same state is read twice.
        let revision = store.await_catalog_change(seen, LOOK).await;
        let Some(cache) = cache.upgrade() else { return };
        let done = match revision {
            Ok(revision) if revision == seen => Ok(()),
            Ok(revision) => cache.reload(&*store).await.map(|()| {
                #[expect(clippy::cast_precision_loss, reason = "a metric")]
                metrics::gauge!("hexiao_catalog_revision").set(revision as f64);
                seen = revision;
            }),
            Err(error) => Err(error),
        };
        drop(cache);
        if let Err(error) = done {
            tracing::warn!(%error, "cannot look for changes of the catalog; trying again");
            tokio::time::sleep(RETRY).await;
        }
    }
}

fn insert(catalog: &mut Catalog, entry: CatalogEntry) {
    match entry {
        CatalogEntry::Issuer(issuer) => {
            catalog.issuers.insert(issuer.id, Arc::new(issuer));
        }
        CatalogEntry::Program(program) => {
            catalog.programs.insert(program.id, Arc::new(program));
        }
        CatalogEntry::Merchant(merchant) => {
            catalog.merchants.insert(merchant.id, Arc::new(merchant));
        }
        CatalogEntry::Store(store) => {
            catalog.stores.insert(store.id, Arc::new(store));
        }
        CatalogEntry::Terminal(terminal) => {
            catalog.terminals.insert(terminal.id, Arc::new(terminal));
        }
        CatalogEntry::Client(client) => {
            if let Some(earlier) = catalog.clients.get(&client.id) {
                catalog.clients_by_secret.remove(&earlier.secret_hash);
            }
            catalog.clients_by_secret.insert(client.secret_hash, client.id);
            catalog.clients.insert(client.id, Arc::new(client));
        }
    }
}
