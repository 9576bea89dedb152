//! The catalog in memory.

use std::{collections::HashMap, hash::Hash, sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{
    Catalog, Program,
    catalog::{Client, Issuer, Merchant, Store, Terminal},
};

use super::{MemoryStore, state::conflict};
use crate::{CatalogEntry, CatalogStore, Result};

#[async_trait]
impl CatalogStore for MemoryStore {
    async fn load_catalog(&self) -> Result<Catalog> {
        Ok(self.read().catalog.clone())
    }

    async fn put_catalog(&self, entry: &CatalogEntry) -> Result<()> {
        let _turn = self.turn.lock().await;
        let mut state = self.write();
        put_entry(&mut state.catalog, entry)?;
        state.revision += 1;
        self.revised.send_replace(state.revision);
        Ok(())
    }

    async fn catalog_revision(&self) -> Result<i64> {
        Ok(self.read().revision)
    }

    async fn await_catalog_change(&self, seen: i64, patience: Duration) -> Result<i64> {
        let mut revised = self.revised.subscribe();
        let _ = tokio::time::timeout(patience, revised.wait_for(|revision| *revision != seen)).await;
        self.catalog_revision().await
    }
}

fn put_entry(catalog: &mut Catalog, entry: &CatalogEntry) -> Result<()> {
    match entry {
        CatalogEntry::Issuer(new) => put(&mut catalog.issuers, new.id, new),
        CatalogEntry::Program(new) => put(&mut catalog.programs, new.id, new),
        CatalogEntry::Merchant(new) => put(&mut catalog.merchants, new.id, new),
        CatalogEntry::Store(new) => put(&mut catalog.stores, new.id, new),
        CatalogEntry::Terminal(new) => put(&mut catalog.terminals, new.id, new),
        CatalogEntry::Client(new) => {
            if catalog.clients_by_secret.get(&new.secret_hash).is_some_and(|owner| *owner != new.id) {
                return conflict("secret");
            }
            put(&mut catalog.clients, new.id, new)?;
            catalog.clients_by_secret.retain(|_, owner| *owner != new.id);
            catalog.clients_by_secret.insert(new.secret_hash, new.id);
            Ok(())
        }
    }
}

/// What is changed under a version.
trait Versioned {
    fn version(&self) -> u32;
}

macro_rules! versioned {
    ($($name:ty),*) => { $( impl Versioned for $name { fn version(&self) -> u32 { self.version } } )* };
}
versioned!(Issuer, Program, Merchant, Store, Terminal, Client);

fn put<I: Eq + Hash, E: Versioned + Clone>(map: &mut HashMap<I, Arc<E>>, id: I, new: &E) -> Result<()> {
    match map.get(&id) {
        None if new.version() != 1 => return conflict("version"),
        Some(_) if new.version() == 1 => return conflict("id"),
        Some(old) if old.version() + 1 != new.version() => return conflict("version"),
        _ => {}
    }
    map.insert(id, Arc::new(new.clone()));
    Ok(())
}
