//! The journal in the accounts of the issuer's general ledger.

use axum::{body::Bytes, extract::State, http::StatusCode, response::Response};
use domain::{Currency, ProgramId};
use finance::accounting::{
    chart::{Entry, GlAccount, JournalExport, journal_table},
    table::Table,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{DaysQuery, Format, ListOf, books, csv, days};
use crate::{
    answer::json,
    auth::Caller,
    csv_stream::{self, Writer},
    error::{Code, Problem},
    extract::Query,
    state::AppState,
    wire::{day::Day, schema},
};

/// The most entries of an answer in JSON. As CSV there are as many as there are.
const MAX_ENTRIES: usize = 10_000;

/// One side of an entry.
#[derive(Serialize, ToSchema)]
pub(crate) struct JournalSide {
    /// The account here, or `cards:prog_…` for all cards of a program.
    account: String,
    /// Its code in the general ledger.
    code: String,
    /// Its name there.
    name: String,
}

/// All of a day that moved value of one kind from one account to another.
#[derive(Serialize, ToSchema)]
pub(crate) struct JournalEntry {
    /// The business day.
    #[schema(value_type = schema::Date)]
    day: Day,
    /// What the operations did.
    #[schema(value_type = schema::OperationKind)]
    kind: &'static str,
    /// What the operations undid had done, where they are reversals.
    #[schema(value_type = Option<schema::OperationKind>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reversed: Option<&'static str>,
    /// The program, where cards took part.
    #[schema(value_type = Option<schema::ProgramId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<ProgramId>,
    /// What is debited.
    debit: JournalSide,
    /// What is credited.
    credit: JournalSide,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// How much.
    #[schema(value_type = schema::Total)]
    amount: i64,
    /// How many operations have their first transfer here.
    operations: i64,
}

/// Journal
///
/// A line for each business day, kind of operation and pair of accounts. In JSON at most 10,000 entries; as
/// CSV all of them, which an answer that ends properly (in HTTP/1.1 with the last chunk) has.
#[utoipa::path(
    get,
    path = "/v1/reports/journal",
    tag = "reports",
    operation_id = "report_journal",
    params(DaysQuery),
    responses((status = 200, description = "The journal.", content(
        (ListOf<JournalEntry> = "application/json"), (String = "text/csv"),
    ))),
)]
pub(crate) async fn journal(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<DaysQuery>,
) -> Result<Response, Problem> {
    let mut export = books(&app, &caller)?.journal(days(query.from.0, query.to.0)?).await?;
    if query.format == Format::Csv {
        let (writer, body) = csv_stream::body();
        tokio::spawn(send(export, writer));
        return csv("journal", body);
    }
    let mut items = Vec::new();
    while let Some(entries) = export.next().await? {
        if items.len() + entries.len() > MAX_ENTRIES {
            let detail = "these days have more than 10000 entries; ask for fewer days, or for format=csv";
            return Err(Problem::new(Code::TooManyItems, detail));
        }
        items.extend(entries.iter().map(show));
    }
    json(StatusCode::OK, &ListOf { items })
}

/// A reader that went away, or a store that failed, leaves the body unfinished.
async fn send(mut export: JournalExport, rows: Writer) {
    if rows.send(Bytes::from(journal_table(&[]).head())).await.is_err() {
        return;
    }
    loop {
        match export.next().await {
            Ok(Some(entries)) => {
                let table: Table = journal_table(&entries);
                if rows.send(Bytes::from(table.body())).await.is_err() {
                    return;
                }
            }
            Ok(None) => return rows.finish(),
            Err(error) => return tracing::warn!(%error, "the export of a journal broke off"),
        }
    }
}

fn show(entry: &Entry) -> JournalEntry {
    let side = |(account, gl): &(String, GlAccount)| JournalSide {
        account: account.clone(),
        code: gl.code.clone(),
        name: gl.name.clone(),
    };
    JournalEntry {
        day: Day(entry.day),
        kind: entry.kind.name(),
        reversed: entry.reversed.map(domain::OperationKind::name),
        program: entry.program,
        debit: side(&entry.debit),
        credit: side(&entry.credit),
        currency: entry.currency,
        amount: entry.amount,
        operations: entry.operations,
    }
}
