//! The catalog: low-rate data that decisions need in memory.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    Catalog, Program,
    catalog::{Client, Issuer, Merchant, Store, Terminal},
};

use crate::Result;

/// One thing of the catalog.
#[expect(clippy::large_enum_variant, reason = "a few at a time, when somebody changes the catalog")]
#[derive(Clone, Debug)]
pub enum CatalogEntry {
    /// An issuer.
    Issuer(Issuer),
    /// A program.
    Program(Program),
    /// A merchant.
    Merchant(Merchant),
    /// A store.
    Store(Store),
    /// A terminal.
    Terminal(Terminal),
    /// An API client.
    Client(Client),
}

/// Where the catalog is kept.
#[async_trait]
pub trait CatalogStore: Send + Sync {
    /// Reads all of it.
    async fn load_catalog(&self) -> Result<Catalog>;

    /// Adds a new entry (its version is 1), or replaces the entry whose stored version is one less than
    /// its own. [`crate::StorageError::Conflict`] on `id`, `version` or `secret` otherwise.
    async fn put_catalog(&self, entry: &CatalogEntry) -> Result<()>;

    /// A number that grows with every change, so that a reader can tell cheaply whether its snapshot is
    /// still the newest.
    async fn catalog_revision(&self) -> Result<i64>;

    /// Waits until the revision is not `seen`, at most about `patience`, and returns what it is then. May
    /// return early. Sees changes of every node: at once where the database tells, at the latest when
    /// `patience` is over.
    async fn await_catalog_change(&self, seen: i64, patience: Duration) -> Result<i64>;
}
