//! The one export of a batch's numbers and PINs.
//!
//! The batch is claimed first, so that of two exports at once one gets nothing. Numbers and PINs are
//! opened as they are sent. When the last row has been handed to the connection, the batch is marked as
//! exported, the answer ends, and the sealed PINs are erased: whoever reads the end of the answer has all of
//! it, and nobody gets it again. When the connection breaks before that, the claim is given up and the batch
//! can be exported again. A server that dies gives nothing up: its claim lapses.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{
        HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::Response,
};
use domain::{BatchId, CardId, Timestamp};
use engine::Engine;
use storage::{BatchStatus, ExportRow};
use vault::{SealedNumber, SealedText, purpose};

use super::own_batch;
use crate::{
    auth::Caller,
    csv_stream::{self, Writer},
    error::{Code, Problem},
    extract::Named,
    state::AppState,
    wire::schema,
};

const ROWS_AT_ONCE: usize = 1000;
/// After so many seconds a claim is that of a server that died.
const CLAIM_SECONDS: i64 = 600;
/// An export that takes longer is broken off, well before somebody else may begin another.
const LONGEST: Duration = Duration::from_mins(9);

/// Export the secrets of a batch
///
/// As CSV with the columns `card,number,pin,face_value`, exactly once. An answer that ends properly (in
/// HTTP/1.1 with the last chunk) is complete, and the PINs are erased. One that breaks off is not: ask again.
/// If the server died while it answered, ask again after ten minutes. An export may take nine minutes.
#[utoipa::path(
    post,
    path = "/v1/batches/{id}/export",
    tag = "issue",
    operation_id = "export_batch",
    params(("id" = schema::BatchId, Path, description = "The batch.")),
    responses(
        (status = 200, description = "Numbers and PINs.", body = String, content_type = "text/csv"),
        (status = 409, description = "Not complete, being exported, or exported before.", body = crate::error::ProblemBody,
         content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn export(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<BatchId>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let batch = own_batch(&app, &caller, id).await?;
    if batch.status != BatchStatus::Complete {
        let detail = "wait until the batch is complete; see GET /v1/batches/{id}";
        return Err(Problem::new(Code::BatchNotComplete, detail));
    }
    let claimed_at = app.engine.now();
    let lapsed = claimed_at.plus_seconds(-CLAIM_SECONDS);
    if !app.engine.store().claim_export(id, claimed_at, lapsed).await? {
        return Err(refused(&app, id).await?);
    }
    tracing::info!(batch = %id, client = %caller.0.id, "the secrets of a batch are exported");
    let (rows, body) = csv_stream::body();
    tokio::spawn(send(app.engine.clone(), Claim { id, claimed_at }, rows));
    Ok(csv(body))
}

/// Why a batch could not be claimed.
async fn refused(app: &AppState, id: BatchId) -> Result<Problem, Problem> {
    let batch = app.engine.store().batch(id).await?;
    if batch.is_some_and(|batch| batch.exported_at.is_none()) {
        let detail = "wait for the end of the other export; if it broke off, ask again, and if its server \
                      died, after ten minutes";
        return Ok(Problem::new(Code::ExportUnderWay, detail));
    }
    let detail = "numbers and PINs of a batch leave once only; make another batch if they were lost";
    Ok(Problem::new(Code::AlreadyExported, detail))
}

fn csv(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"cards.csv\""));
    response
}

/// The right to export a batch.
#[derive(Clone, Copy)]
struct Claim {
    id: BatchId,
    claimed_at: Timestamp,
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

async fn send(engine: Engine, claim: Claim, rows: Writer) {
    let sent = async {
        tokio::time::timeout(LONGEST, send_rows(&engine, claim.id, &rows)).await??;
        if !engine.store().finish_export(claim.id, claim.claimed_at, engine.now()).await? {
            return Err(Failed::from("its claim has lapsed"));
        }
        Ok(())
    };
    match sent.await {
        Ok(()) => {
            // The answer ends here: erasing the PINs of a large batch takes a while.
            rows.finish();
            erase(&engine, claim.id).await;
        }
        Err(error) => release(&engine, claim, error).await,
    }
}

async fn erase(engine: &Engine, id: BatchId) {
    if let Err(error) = engine.store().erase_pins(id).await {
        tracing::error!(batch = %id, %error, "the sealed PINs of an exported batch could not be erased");
    }
}

async fn release(engine: &Engine, claim: Claim, error: Failed) {
    tracing::warn!(batch = %claim.id, %error, "an export broke off");
    if let Err(error) = engine.store().release_export(claim.id, claim.claimed_at).await {
        tracing::error!(batch = %claim.id, %error, "an export that broke off can be repeated only later");
    }
}

/// Sends all rows. It ends when the connection has taken the last of them.
async fn send_rows(engine: &Engine, id: BatchId, rows: &Writer) -> Result<(), Failed> {
    rows.send(Bytes::from_static(b"card,number,pin,face_value\r\n")).await?;
    let mut after: Option<CardId> = None;
    loop {
        let cards = engine.store().batch_cards(id, after, ROWS_AT_ONCE).await?;
        let Some(last) = cards.last() else { break };
        after = Some(last.card);
        let mut text = String::with_capacity(cards.len() * 64);
        for card in &cards {
            write_row(engine, card, &mut text)?;
        }
        rows.send(Bytes::from(text)).await?;
    }
    rows.taken().await?;
    Ok(())
}

/// Digits, ids and whole numbers only: nothing that a spreadsheet could take for a formula.
fn write_row(engine: &Engine, row: &ExportRow, text: &mut String) -> Result<(), vault::OpenError> {
    let card = row.card.get();
    let sealed = SealedNumber { key_id: row.number.key_id, bytes: row.number.bytes.clone() };
    let number = engine.vault().open(card, &sealed)?;
    text.push_str(&row.card.to_string());
    text.push(',');
    text.push_str(number.expose());
    text.push(',');
    if let Some(pin) = &row.pin {
        let sealed = SealedText { key_id: pin.key_id, bytes: pin.bytes.clone() };
        text.push_str(&engine.vault().open_text(card, purpose::PIN_UNTIL_EXPORT, &sealed)?);
    }
    text.push(',');
    if let Some(amount) = row.face_value {
        text.push_str(&amount.to_string());
    }
    text.push_str("\r\n");
    Ok(())
}
