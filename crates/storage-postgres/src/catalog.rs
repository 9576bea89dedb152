//! The catalog: read whole, changed one entry at a time, and watched for changes of other nodes.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{
    Catalog, ClientId, Currency, IssuerId, MerchantId, Program, ProgramId, StoreId, TerminalId,
    catalog::{Client, Issuer, Merchant, Scope, Store, Terminal},
    program::Status,
};
use jiff::tz::TimeZone;
use storage::{CatalogEntry, CatalogStore, Result, StorageError};

use crate::{
    PostgresStore,
    error::corrupt,
    fields::Fields,
    session::Param,
    store::{Reading, Scope as Rows, Writing},
};

mod watch;

pub(crate) use watch::Watch;

/// The channel on which changes of the catalog are told.
const CHANNEL: &str = "hexiao_catalog";
/// How often the revision is looked at beside the channel, which may be silent where a connection is lost.
const POLL: Duration = Duration::from_millis(500);

#[async_trait]
impl CatalogStore for PostgresStore {
    async fn load_catalog(&self) -> Result<Catalog> {
        let reading = self.reading(Rows::All).await?;
        let catalog = load(&reading).await?;
        reading.finish().await?;
        Ok(catalog)
    }

    async fn put_catalog(&self, entry: &CatalogEntry) -> Result<()> {
        let writing = self.writing(Rows::All).await?;
        // The row of the revision first: changes come one after the other.
        let grown = writing.execute("UPDATE catalog_revision SET revision = revision + 1", &[]).await?;
        if grown != 1 {
            return Err(corrupt("the catalog has no revision"));
        }
        match put(&writing, entry).await {
            Ok(()) => {
                // Told at the commit, and not at all without one.
                writing.query("SELECT pg_notify($1, '')", &[&CHANNEL]).await?;
                writing.commit().await
            }
            Err(error) => {
                writing.roll_back().await?;
                Err(error)
            }
        }
    }

    async fn catalog_revision(&self) -> Result<i64> {
        let rows = self.one(Rows::All, "SELECT revision FROM catalog_revision", &[]).await?;
        let row = rows.first().ok_or_else(|| corrupt("the catalog has no revision"))?;
        Fields::new(row).int()
    }

    async fn await_catalog_change(&self, seen: i64, patience: Duration) -> Result<i64> {
        let began = tokio::time::Instant::now();
        let mut told = self.inner.catalog.subscribe();
        loop {
            told.mark_unchanged();
            let revision = self.catalog_revision().await?;
            let left = patience.saturating_sub(began.elapsed());
            if revision != seen || left.is_zero() {
                return Ok(revision);
            }
            // Whether it was told or the time is over, the revision says what is so.
            let _ = tokio::time::timeout(left.min(POLL), told.changed()).await;
        }
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

async fn load(reading: &Reading) -> Result<Catalog> {
    let mut catalog = Catalog::default();
    let issuers = "SELECT id, name, time_zone, status, created_at, version FROM issuer";
    each(reading, issuers, |f| {
        let issuer = issuer(f)?;
        catalog.issuers.insert(issuer.id, Arc::new(issuer));
        Ok(())
    })
    .await?;
    let programs = "SELECT id, issuer_id, name, currency, number_prefix, number_length, status, rules, \
                    created_at, version FROM program";
    each(reading, programs, |f| {
        let program = program(f)?;
        catalog.programs.insert(program.id, Arc::new(program));
        Ok(())
    })
    .await?;
    each(reading, "SELECT id, issuer_id, name, status, created_at, version FROM merchant", |f| {
        let merchant = merchant(f)?;
        catalog.merchants.insert(merchant.id, Arc::new(merchant));
        Ok(())
    })
    .await?;
    let stores = "SELECT id, issuer_id, merchant_id, name, status, created_at, version FROM store";
    each(reading, stores, |f| {
        let store = store(f)?;
        catalog.stores.insert(store.id, Arc::new(store));
        Ok(())
    })
    .await?;
    let terminals = "SELECT id, issuer_id, store_id, name, status, created_at, version FROM terminal";
    each(reading, terminals, |f| {
        let terminal = terminal(f)?;
        catalog.terminals.insert(terminal.id, Arc::new(terminal));
        Ok(())
    })
    .await?;
    let clients = "SELECT id, issuer_id, merchant_id, name, scopes, secret_hash, rate_per_second, status, \
                   created_at, version FROM client";
    each(reading, clients, |f| {
        let client = client(f)?;
        catalog.clients_by_secret.insert(client.secret_hash, client.id);
        catalog.clients.insert(client.id, Arc::new(client));
        Ok(())
    })
    .await?;
    Ok(catalog)
}

async fn each(
    reading: &Reading,
    sql: &str,
    mut take: impl FnMut(&mut Fields<'_>) -> Result<()>,
) -> Result<()> {
    for row in &reading.query(sql, &[]).await? {
        take(&mut Fields::new(row))?;
    }
    Ok(())
}

fn issuer(f: &mut Fields<'_>) -> Result<Issuer> {
    let id = IssuerId::new(f.int()?);
    let name = f.text()?.to_owned();
    let time_zone = f.text()?.to_owned();
    let zone = TimeZone::get(&time_zone);
    let zone = zone.map_err(|_| corrupt(format!("{id} has the unknown time zone {time_zone}")))?;
    let status = f.named(status_from)?;
    Ok(Issuer { id, name, time_zone, zone, status, created_at: f.time()?, version: f.narrow()? })
}

fn program(f: &mut Fields<'_>) -> Result<Program> {
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

fn merchant(f: &mut Fields<'_>) -> Result<Merchant> {
    Ok(Merchant {
        id: MerchantId::new(f.int()?),
        issuer: IssuerId::new(f.int()?),
        name: f.text()?.to_owned(),
        status: f.named(status_from)?,
        created_at: f.time()?,
        version: f.narrow()?,
    })
}

fn store(f: &mut Fields<'_>) -> Result<Store> {
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

fn terminal(f: &mut Fields<'_>) -> Result<Terminal> {
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

fn client(f: &mut Fields<'_>) -> Result<Client> {
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

/// Adds or replaces an entry.
async fn put(writing: &Writing, entry: &CatalogEntry) -> Result<()> {
    match entry {
        CatalogEntry::Issuer(i) => {
            let (status, at) = (status_name(i.status), i.created_at.micros());
            let columns = ["name", "time_zone", "status", "created_at"];
            let values: [Param<'_>; 4] = [&i.name, &i.time_zone, &status, &at];
            write(writing, "issuer", &columns, &values, i.version, i.id.get()).await
        }
        CatalogEntry::Program(p) => put_program(writing, p).await,
        CatalogEntry::Merchant(m) => {
            let (issuer, status, at) = (m.issuer.get(), status_name(m.status), m.created_at.micros());
            let columns = ["issuer_id", "name", "status", "created_at"];
            let values: [Param<'_>; 4] = [&issuer, &m.name, &status, &at];
            write(writing, "merchant", &columns, &values, m.version, m.id.get()).await
        }
        CatalogEntry::Store(s) => {
            let (issuer, merchant) = (s.issuer.get(), s.merchant.get());
            let (status, at) = (status_name(s.status), s.created_at.micros());
            let columns = ["issuer_id", "merchant_id", "name", "status", "created_at"];
            let values: [Param<'_>; 5] = [&issuer, &merchant, &s.name, &status, &at];
            write(writing, "store", &columns, &values, s.version, s.id.get()).await
        }
        CatalogEntry::Terminal(t) => {
            let (issuer, store) = (t.issuer.get(), t.store.get());
            let (status, at) = (status_name(t.status), t.created_at.micros());
            let columns = ["issuer_id", "store_id", "name", "status", "created_at"];
            let values: [Param<'_>; 5] = [&issuer, &store, &t.name, &status, &at];
            write(writing, "terminal", &columns, &values, t.version, t.id.get()).await
        }
        CatalogEntry::Client(c) => put_client(writing, c).await,
    }
}

async fn put_program(writing: &Writing, p: &Program) -> Result<()> {
    let rules = serde_json::to_string(&p.rules).map_err(|error| corrupt(error.to_string()))?;
    let (issuer, currency, length) = (p.issuer.get(), p.currency.code(), i32::from(p.number_length));
    let (status, at) = (status_name(p.status), p.created_at.micros());
    let values: [Param<'_>; 8] =
        [&issuer, &p.name, &currency, &p.number_prefix, &length, &status, &rules, &at];
    let columns =
        ["issuer_id", "name", "currency", "number_prefix", "number_length", "status", "rules", "created_at"];
    write(writing, "program", &columns, &values, p.version, p.id.get()).await
}

async fn put_client(writing: &Writing, c: &Client) -> Result<()> {
    let scopes = c.scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ");
    let (issuer, merchant) = (c.issuer.map(IssuerId::get), c.merchant.map(MerchantId::get));
    let (secret, rate) = (&c.secret_hash[..], i64::from(c.rate_per_second));
    let (status, at) = (status_name(c.status), c.created_at.micros());
    let values: [Param<'_>; 8] = [&issuer, &merchant, &c.name, &scopes, &secret, &rate, &status, &at];
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
    write(writing, "client", &columns, &values, c.version, c.id.get()).await
}

async fn write(
    writing: &Writing,
    table: &str,
    columns: &[&str],
    values: &[Param<'_>],
    version: u32,
    id: i64,
) -> Result<()> {
    let stored = stored_version(writing, table, id).await?;
    let sql = match stored {
        None if version == 1 => insert(table, columns),
        Some(_) if version == 1 => return Err(StorageError::Conflict { what: "id" }),
        Some(stored) if stored.checked_add(1) == Some(version) => update(table, columns),
        _ => return Err(StorageError::Conflict { what: "version" }),
    };
    let version = i64::from(version);
    let mut values = values.to_vec();
    values.push(&version);
    values.push(&id);
    let changed = writing.execute_unique(&sql, &values, "secret").await?;
    if changed == 1 { Ok(()) } else { Err(StorageError::Conflict { what: "version" }) }
}

async fn stored_version(writing: &Writing, table: &str, id: i64) -> Result<Option<u32>> {
    let sql = format!("SELECT version FROM {table} WHERE id = $1");
    let rows = writing.query(&sql, &[&id]).await?;
    rows.first().map(|row| Fields::new(row).narrow()).transpose()
}

fn insert(table: &str, columns: &[&str]) -> String {
    let marks: Vec<String> = (1..=columns.len() + 2).map(|n| format!("${n}")).collect();
    format!("INSERT INTO {table} ({}, version, id) VALUES ({})", columns.join(", "), marks.join(", "))
}

fn update(table: &str, columns: &[&str]) -> String {
    let set: Vec<String> =
        columns.iter().zip(1..).map(|(name, n): (_, usize)| format!("{name} = ${n}")).collect();
    let last = columns.len();
    format!("UPDATE {table} SET {}, version = ${} WHERE id = ${}", set.join(", "), last + 1, last + 2)
}
