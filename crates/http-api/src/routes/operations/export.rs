//! Operations as a file: the list with the same filters, streamed, so that a hundred thousand rows never lie in memory.

use std::{fmt::Write, time::Duration};

use axum::{
    body::Bytes,
    extract::State,
    http::{
        HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::Response,
};
use domain::{
    CardId, ClientId, MerchantId, Operation, OperationId, OperationKind, StoreId, TerminalId,
    operation::Status,
};
use engine::Engine;
use serde::Deserialize;
use storage::OperationFilter;
use tokio::sync::Semaphore;
use utoipa::IntoParams;

use super::list::{Decided, OperationsQuery, filter_of, kind};
use crate::{
    auth::Caller,
    csv_stream::{self, Writer},
    error::{Code, Problem},
    extract::Query,
    state::AppState,
    wire::{moment::Moment, schema},
};

/// The most rows of a file.
const MOST: usize = 100_000;
const ROWS_AT_ONCE: usize = 1_000;
/// A reader that takes longer is broken off.
const LONGEST: Duration = Duration::from_mins(5);
/// Files that are written at once. Each reads much of the log.
static EXPORTS: Semaphore = Semaphore::const_new(2);

const HEAD: &str = "id,at,business_date,kind,status,decline,currency,requested,approved,card,last4,program,merchant,\
                    store,terminal,channel,client,original,reference\r\n";

/// Which operations.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportQuery {
    /// A card, as first or second card.
    #[param(value_type = Option<schema::CardId>, nullable = false)]
    card: Option<CardId>,
    /// A kind.
    #[param(value_type = Option<schema::OperationKind>, nullable = false)]
    #[serde(deserialize_with = "kind")]
    kind: Option<OperationKind>,
    /// Approved or declined.
    #[param(value_type = Option<schema::OperationStatus>, nullable = false)]
    status: Option<Decided>,
    /// A merchant.
    #[param(value_type = Option<schema::MerchantId>, nullable = false)]
    merchant: Option<MerchantId>,
    /// A store.
    #[param(value_type = Option<schema::StoreId>, nullable = false)]
    store: Option<StoreId>,
    /// A terminal.
    #[param(value_type = Option<schema::TerminalId>, nullable = false)]
    terminal: Option<TerminalId>,
    /// The client that asked.
    #[param(value_type = Option<schema::ClientId>, nullable = false)]
    client: Option<ClientId>,
    /// Not before this moment.
    #[param(value_type = Option<schema::Moment>, nullable = false)]
    from: Option<Moment>,
    /// Before this moment.
    #[param(value_type = Option<schema::Moment>, nullable = false)]
    to: Option<Moment>,
}

/// Export operations
///
/// As CSV, newest first, with the filters of the list, and at most 100,000 rows: ask for what is older with the `at` of
/// the last row as `to`. Amounts are minor units. Texts of callers are marked where a spreadsheet would take them for
/// formulas. An answer that breaks off is not complete.
#[utoipa::path(
    get,
    path = "/v1/operations.csv",
    tag = "operations",
    operation_id = "export_operations",
    params(ExportQuery),
    responses((status = 200, description = "The operations.", body = String, content_type = "text/csv")),
)]
pub(crate) async fn export(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let query = OperationsQuery {
        card: query.card,
        kind: query.kind,
        status: query.status,
        merchant: query.merchant,
        store: query.store,
        terminal: query.terminal,
        client: query.client,
        from: query.from,
        to: query.to,
        ..OperationsQuery::default()
    };
    let filter = filter_of(&caller, &query)?;
    let permit = EXPORTS.try_acquire().map_err(|_| {
        Problem::new(
            Code::Busy,
            "other files are being written; send the same request again in a few seconds",
        )
    })?;
    let (rows, body) = csv_stream::body();
    let engine = app.engine.clone();
    tokio::spawn(async move {
        let _permit = permit;
        match tokio::time::timeout(LONGEST, send(&engine, filter, &rows)).await {
            Ok(Ok(())) => rows.finish(),
            Ok(Err(error)) => tracing::warn!(%error, "an export of operations broke off"),
            Err(_) => tracing::warn!("an export of operations took too long and was broken off"),
        }
    });
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"operations.csv\""));
    Ok(response)
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Sends the head and all rows; only the head where there is nothing to see.
async fn send(engine: &Engine, filter: Option<OperationFilter>, rows: &Writer) -> Result<(), Failed> {
    rows.send(Bytes::from_static(HEAD.as_bytes())).await?;
    let Some(filter) = filter else { return Ok(()) };
    let (mut before, mut left) = (None, MOST);
    while left > 0 {
        let page = engine.store().operations(&filter, before, left.min(ROWS_AT_ONCE)).await?;
        left = left.saturating_sub(page.items.len());
        let mut text = String::with_capacity(page.items.len() * 256);
        for operation in &page.items {
            write_row(operation, &mut text)?;
        }
        if !text.is_empty() {
            rows.send(Bytes::from(text)).await?;
        }
        let Some(next) = page.next else { break };
        before = Some(OperationId::new(next));
    }
    Ok(())
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn write_row(operation: &Operation, text: &mut String) -> std::fmt::Result {
    let (status, decline) = match operation.status {
        Status::Approved => ("approved", ""),
        Status::Declined(decline) => ("declined", decline.code()),
    };
    let card = operation.card.as_ref();
    write!(text, "{},{},{},", operation.id, operation.at, operation.business_date)?;
    write!(text, "{},{status},{decline},", operation.kind.name())?;
    write!(text, "{},", operation.currency.map(|currency| currency.code().to_owned()).unwrap_or_default())?;
    write!(text, "{},{},", operation.requested.get(), operation.approved.get())?;
    write!(text, "{},", shown(card.map(|card| card.id)))?;
    write!(text, "{},", card.map(|card| format!("{:04}", card.last4)).unwrap_or_default())?;
    write!(text, "{},{},", shown(operation.program), shown(operation.merchant))?;
    write!(text, "{},{},", shown(operation.store), shown(operation.terminal))?;
    write!(text, "{},", shown(operation.channel))?;
    write!(text, "{},{},", operation.client, shown(operation.original))?;
    text.push_str(&cell(operation.reference.as_deref().unwrap_or_default()));
    text.push_str("\r\n");
    Ok(())
}

/// A text of a caller: marked with an apostrophe on each line that a spreadsheet would run, and quoted where CSV needs
/// it. The full-width signs count: Excel reads them as the narrow ones where the system is Chinese or Japanese.
fn cell(text: &str) -> String {
    const RISKY: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| if line.starts_with(RISKY) { format!("'{line}") } else { line.to_owned() })
        .collect();
    let text = lines.join("\n");
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn texts_of_callers_are_neither_formulas_nor_columns() {
        for (text, expect) in [
            ("", ""),
            ("订单 7", "订单 7"),
            ("=1+1", "'=1+1"),
            ("-2", "'-2"),
            ("＝cmd", "'＝cmd"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\""),
            ("a\n=b", "\"a\n'=b\""),
            ("\tx", "'\tx"),
            ("1-2", "1-2"),
        ] {
            assert_eq!(cell(text), expect, "{text:?}");
        }
    }
}
