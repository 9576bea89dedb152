//! The catalog: read whole, changed one entry at a time.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{
    Catalog, ClientId, Currency, IssuerId, MerchantId, Program, ProgramId, StoreId, TerminalId,
    catalog::{Client, Issuer, Merchant, Scope, Store, Terminal},
    program::Status,
};
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use storage::{CatalogEntry, CatalogStore, Result, StorageError};

use crate::{
    SqliteStore,
    error::{IntoStorage, corrupt},
    fields::Fields,
};

#[async_trait]
impl CatalogStore for SqliteStore {
    async fn load_catalog(&self) -> Result<Catalog> {
        self.long(load).await
    }

    async fn put_catalog(&self, entry: &CatalogEntry) -> Result<()> {
        let entry = entry.clone();
        let revision = self.write(move |connection| {
            put(connection, &entry)?;
            let grow = "UPDATE catalog_revision SET revision = revision + 1 RETURNING revision";
            let grown = connection.query_row(grow, [], |row| row.get(0)).optional().stored()?;
            grown.ok_or_else(|| corrupt("the catalog has no revision"))
        });
        self.inner.revised.send_replace(revision.await?);
        Ok(())
    }

    async fn catalog_revision(&self) -> Result<i64> {
        self.point(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT revision FROM catalog_revision").stored()?;
            statement.query_row([], |row| row.get(0)).stored()
        })
        .await
    }

    /// Woken by this process's own changes; those of another one, such as a command beside a server, are
    /// found when patience ends.
    async fn await_catalog_change(&self, seen: i64, patience: Duration) -> Result<i64> {
        let mut revised = self.inner.revised.subscribe();
        let revision = self.catalog_revision().await?;
        if revision != seen {
            return Ok(revision);
        }
        let _ = tokio::time::timeout(patience, revised.changed()).await;
        self.catalog_revision().await
    }
}

const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Closed => "closed",
    }
}

fn status_from(name: &str) -> Option<Status> {
    match name {
        "active" => Some(Status::Active),
        "closed" => Some(Status::Closed),
        _ => None,
    }
}

fn load(connection: &Connection) -> Result<Catalog> {
    let mut catalog = Catalog::default();
    each(connection, "SELECT id, name, time_zone, status, created_at, version FROM issuer", |f| {
        let issuer = issuer(f)?;
        catalog.issuers.insert(issuer.id, Arc::new(issuer));
        Ok(())
    })?;
    let programs = "SELECT id, issuer_id, name, currency, number_prefix, number_length, status, rules, \
                    created_at, version FROM program";
    each(connection, programs, |f| {
        let program = program(f)?;
        catalog.programs.insert(program.id, Arc::new(program));
        Ok(())
    })?;
    each(connection, "SELECT id, issuer_id, name, status, created_at, version FROM merchant", |f| {
        let merchant = merchant(f)?;
        catalog.merchants.insert(merchant.id, Arc::new(merchant));
        Ok(())
    })?;
    each(
        connection,
        "SELECT id, issuer_id, merchant_id, name, status, created_at, version FROM store",
        |f| {
            let store = store(f)?;
            catalog.stores.insert(store.id, Arc::new(store));
            Ok(())
        },
    )?;
    each(
        connection,
        "SELECT id, issuer_id, store_id, name, status, created_at, version FROM terminal",
        |f| {
            let terminal = terminal(f)?;
            catalog.terminals.insert(terminal.id, Arc::new(terminal));
            Ok(())
        },
    )?;
    let clients = "SELECT id, issuer_id, merchant_id, name, scopes, secret_hash, rate_per_second, status, \
                   created_at, version FROM client";
    each(connection, clients, |f| {
        let client = client(f)?;
        catalog.clients_by_secret.insert(client.secret_hash, client.id);
        catalog.clients.insert(client.id, Arc::new(client));
        Ok(())
    })?;
    Ok(catalog)
}

fn each(
    connection: &Connection,
    sql: &str,
    mut take: impl FnMut(&mut Fields<'_, '_>) -> Result<()>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(sql).stored()?;
    let mut rows = statement.query([]).stored()?;
    while let Some(row) = rows.next().stored()? {
        let row: &Row<'_> = row;
        take(&mut Fields::new(row))?;
    }
    Ok(())
}

fn issuer(f: &mut Fields<'_, '_>) -> Result<Issuer> {
    let id = IssuerId::new(f.int()?);
    let name = f.text()?.to_owned();
    let time_zone = f.text()?.to_owned();
    let zone = TimeZone::get(&time_zone);
    let zone = zone.map_err(|_| corrupt(format!("{id} has the unknown time zone {time_zone}")))?;
    let status = f.named(status_from)?;
    Ok(Issuer { id, name, time_zone, zone, status, created_at: f.time()?, version: f.narrow()? })
}

fn program(f: &mut Fields<'_, '_>) -> Result<Program> {
    let id = ProgramId::new(f.int()?);
    let issuer = IssuerId::new(f.int()?);
    let name = f.text()?.to_owned();
    let currency = f.named(|code| Currency::parse(code).ok())?;
    let number_prefix = f.text()?.to_owned();
    let number_length = f.narrow()?;
    let status = f.named(status_from)?;
    let rules = serde_json::from_str(f.text()?)
        .map_err(|error| corrupt(format!("the rules of {id} do not parse: {error}")))?;
    let (created_at, version) = (f.time()?, f.narrow()?);
    Ok(Program {
        id,
        issuer,
        name,
        currency,
        number_prefix,
        number_length,
        status,
        rules,
        created_at,
        version,
    })
}

fn merchant(f: &mut Fields<'_, '_>) -> Result<Merchant> {
    Ok(Merchant {
        id: MerchantId::new(f.int()?),
        issuer: IssuerId::new(f.int()?),
        name: f.text()?.to_owned(),
        status: f.named(status_from)?,
        created_at: f.time()?,
        version: f.narrow()?,
    })
}

fn store(f: &mut Fields<'_, '_>) -> Result<Store> {
    Ok(Store {
        id: StoreId::new(f.int()?),
        issuer: IssuerId::new(f.int()?),
        merchant: MerchantId::new(f.int()?),
        name: f.text()?.to_owned(),
        status: f.named(status_from)?,
        created_at: f.time()?,
        version: f.narrow()?,
    })
}

fn terminal(f: &mut Fields<'_, '_>) -> Result<Terminal> {
    Ok(Terminal {
        id: TerminalId::new(f.int()?),
        issuer: IssuerId::new(f.int()?),
        store: StoreId::new(f.int()?),
        name: f.text()?.to_owned(),
        status: f.named(status_from)?,
        created_at: f.time()?,
        version: f.narrow()?,
    })
}

fn client(f: &mut Fields<'_, '_>) -> Result<Client> {
    let id = ClientId::new(f.int()?);
    let issuer = f.opt_int()?.map(IssuerId::new);
    let merchant = f.opt_int()?.map(MerchantId::new);
    let name = f.text()?.to_owned();
    let scopes = f.named(|names| {
        names
            .split(' ')
            .filter(|name| !name.is_empty())
            .map(Scope::from_name)
            .collect::<Option<BTreeSet<_>>>()
    })?;
    Ok(Client {
        id,
        issuer,
        merchant,
        name,
        scopes,
        secret_hash: f.bytes()?,
        rate_per_second: f.narrow()?,
        status: f.named(status_from)?,
        created_at: f.time()?,
        version: f.narrow()?,
    })
}

/// Adds or replaces an entry. The last two parameters of every statement are its version and its id.
fn put(connection: &Connection, entry: &CatalogEntry) -> Result<()> {
    match entry {
        CatalogEntry::Issuer(i) => {
            let values = params![i.name, i.time_zone, status_name(i.status), i.created_at.micros()];
            write(
                connection,
                "issuer",
                &["name", "time_zone", "status", "created_at"],
                values,
                i.version,
                i.id.get(),
            )
        }
        CatalogEntry::Program(p) => put_program(connection, p),
        CatalogEntry::Merchant(m) => {
            let values = params![m.issuer.get(), m.name, status_name(m.status), m.created_at.micros()];
            let columns = ["issuer_id", "name", "status", "created_at"];
            write(connection, "merchant", &columns, values, m.version, m.id.get())
        }
        CatalogEntry::Store(s) => {
            let values = params![
                s.issuer.get(),
                s.merchant.get(),
                s.name,
                status_name(s.status),
                s.created_at.micros()
            ];
            let columns = ["issuer_id", "merchant_id", "name", "status", "created_at"];
            write(connection, "store", &columns, values, s.version, s.id.get())
        }
        CatalogEntry::Terminal(t) => {
            let values =
                params![t.issuer.get(), t.store.get(), t.name, status_name(t.status), t.created_at.micros()];
            let columns = ["issuer_id", "store_id", "name", "status", "created_at"];
            write(connection, "terminal", &columns, values, t.version, t.id.get())
        }
        CatalogEntry::Client(c) => put_client(connection, c),
    }
}

fn put_program(connection: &Connection, p: &Program) -> Result<()> {
    let rules = serde_json::to_string(&p.rules).map_err(|error| corrupt(error.to_string()))?;
    let values = params![
        p.issuer.get(),
        p.name,
        p.currency.code(),
        p.number_prefix,
        p.number_length,
        status_name(p.status),
        rules,
        p.created_at.micros()
    ];
    let columns =
        ["issuer_id", "name", "currency", "number_prefix", "number_length", "status", "rules", "created_at"];
    write(connection, "program", &columns, values, p.version, p.id.get())
}

fn put_client(connection: &Connection, c: &Client) -> Result<()> {
    let scopes = c.scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ");
    let values = params![
        c.issuer.map(IssuerId::get),
        c.merchant.map(MerchantId::get),
        c.name,
        scopes,
        &c.secret_hash[..],
        c.rate_per_second,
        status_name(c.status),
        c.created_at.micros()
    ];
    let columns = [
        "issuer_id",
        "merchant_id",
        "name",
        "scopes",
        "secret_hash",
        "rate_per_second",
        "status",
        "created_at",
    ];
    // The id is checked first, so a unique value that is taken can only be the secret.
    write(connection, "client", &columns, values, c.version, c.id.get())
}

fn write(
    connection: &Connection,
    table: &str,
    columns: &[&str],
    values: &[&dyn ToSql],
    version: u32,
    id: i64,
) -> Result<()> {
    let stored = stored_version(connection, table, id)?;
    let mut values = values.to_vec();
    values.extend_from_slice(params![version, id]);
    let sql = match stored {
        None if version == 1 => insert(table, columns),
        Some(_) if version == 1 => return Err(StorageError::Conflict { what: "id" }),
        Some(stored) if stored.checked_add(1) == Some(version) => update(table, columns),
        _ => return Err(StorageError::Conflict { what: "version" }),
    };
    let changed =
        connection.prepare_cached(&sql).and_then(|mut s| s.execute(&values[..])).unique("secret")?;
    if changed == 1 { Ok(()) } else { Err(StorageError::Conflict { what: "version" }) }
}

fn stored_version(connection: &Connection, table: &str, id: i64) -> Result<Option<u32>> {
    let sql = format!("SELECT version FROM {table} WHERE id = ?1");
    let mut statement = connection.prepare_cached(&sql).stored()?;
    statement.query_row([id], |row| row.get(0)).optional().stored()
}

fn insert(table: &str, columns: &[&str]) -> String {
    let marks = vec!["?"; columns.len() + 2].join(", ");
    format!("INSERT INTO {table} ({}, version, id) VALUES ({marks})", columns.join(", "))
}

fn update(table: &str, columns: &[&str]) -> String {
    format!("UPDATE {table} SET {} = ?, version = ? WHERE id = ?", columns.join(" = ?, "))
}
