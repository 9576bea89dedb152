//! `hexiao report`: accounting, and reports to authorities, as tables.

use std::{sync::Arc, time::SystemTime};

use domain::{BusinessDate, Catalog, IssuerId, Timestamp};
use finance::accounting::{
    self, Accounting, Table,
    chart::journal_table,
    custody::custody_table,
    invoices::{InvoiceKind, invoices_table},
    quarter::quarterly_table,
};
use serde_json::{Map, Value};
use storage::Days;

use crate::{
    cli::{Global, Report, ReportName},
    failure::{Failure, Result},
    installation::open_to_read,
    output,
};

/// Rows of invoice data that are read at once.
const ROWS_AT_ONCE: usize = 500;

pub(crate) async fn run(global: &Global, asked: &Report) -> Result {
    let store = open_to_read(global).await?;
    let catalog = Arc::new(store.load_catalog().await?);
    let issuer = asked.issuer.map_or_else(|| only_issuer(&catalog), Ok)?;
    let books = Accounting::of(store, catalog, issuer, now()).map_err(failed)?;
    match asked.which {
        ReportName::Journal => journal(global, &books, days(asked)?).await,
        ReportName::Sales => invoices(global, &books, days(asked)?, InvoiceKind::Sale).await,
        ReportName::Loads => invoices(global, &books, days(asked)?, InvoiceKind::Load).await,
        ReportName::Reversals => invoices(global, &books, days(asked)?, InvoiceKind::Reversal).await,
        _ => show(global, &table(&books, asked).await?, true),
    }
}

/// Reports that fit into one table.
async fn table(books: &Accounting, asked: &Report) -> Result<Table> {
    let until = asked.to.unwrap_or_else(|| books.today());
    match asked.which {
        ReportName::Liability => {
            let lines = books.liability(days(asked)?).await.map_err(failed)?;
            Ok(books.liability_table(&lines))
        }
        ReportName::Ageing => Ok(books.ageing_table(&books.ageing().await.map_err(failed)?)),
        ReportName::Breakage => Ok(books.breakage_table(&books.breakage(until).await.map_err(failed)?)),
        ReportName::Custody => Ok(custody_table(&books.custody(until).await.map_err(failed)?)),
        _ => {
            let missing = || Failure::usage("say which quarter, such as --quarter 2026-Q1");
            let quarter = asked.quarter.ok_or_else(missing)?;
            Ok(quarterly_table(&books.quarterly(quarter).await.map_err(failed)?))
        }
    }
}

async fn journal(global: &Global, books: &Accounting, days: Days) -> Result {
    let mut export = books.journal(days).await.map_err(failed)?;
    show(global, &journal_table(&[]), true)?;
    while let Some(entries) = export.next().await.map_err(failed)? {
        show(global, &journal_table(&entries), false)?;
    }
    Ok(())
}

async fn invoices(global: &Global, books: &Accounting, days: Days, kind: InvoiceKind) -> Result {
    show(global, &invoices_table(&[]), true)?;
    let mut before = None;
    loop {
        let found = books.invoices(days, kind, before, ROWS_AT_ONCE).await.map_err(failed)?;
        show(global, &invoices_table(&found.rows), false)?;
        before = found.next.map(domain::OperationId::new);
        if before.is_none() {
            return Ok(());
        }
    }
}

/// Writes a table, or a part of one. For machines, a line with an object for each row.
fn show(global: &Global, table: &Table, with_head: bool) -> Result {
    if global.json {
        for row in &table.rows {
            let cells = table.columns.iter().zip(row);
            let object: Map<String, Value> =
                cells.map(|(name, cell)| ((*name).to_owned(), Value::String(cell.clone()))).collect();
            output::line(&Value::Object(object).to_string())?;
        }
        return Ok(());
    }
    let text = if with_head { table.to_csv() } else { table.body() };
    if text.is_empty() { Ok(()) } else { output::line(text.trim_end_matches("\r\n")) }
}

fn only_issuer(catalog: &Catalog) -> Result<IssuerId> {
    let mut issuers = catalog.issuers.keys();
    match (issuers.next(), issuers.next()) {
        (Some(only), None) => Ok(*only),
        (None, _) => Err(Failure::new("there is no issuer yet".to_owned())),
        _ => Err(Failure::usage("there are several issuers; say which one with --issuer")),
    }
}

fn days(asked: &Report) -> Result<Days> {
    let missing = || Failure::usage("say which days, such as --from 2026-01-01 --to 2026-03-31");
    let (from, to): (BusinessDate, BusinessDate) = asked.from.zip(asked.to).ok_or_else(missing)?;
    accounting::days(from, to).map_err(failed)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: accounting::AccountingError) -> Failure {
    Failure::new(error.to_string())
}

/// A report is about a day; no decision depends on this clock.
#[expect(clippy::disallowed_methods, reason = "the command line has no engine to ask for the time")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
