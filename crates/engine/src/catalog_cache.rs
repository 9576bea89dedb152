//! The catalog's snapshot in memory, replaced whole when something changes.

use std::sync::Arc;

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
