//! The one export of a batch's numbers and PINs.
//!
//! The batch is claimed first, so that of two exports at once one gets nothing. Numbers and PINs are
//! opened as they are sent, and the sealed PINs are erased when the last row is out or the reader has
//! gone: secrets leave exactly once. A download that breaks off is not repeated; close its cards and make
//! others.

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{
        HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::Response,
};
use domain::{BatchId, CardId};
use engine::Engine;
use storage::{BatchStatus, ExportRow};
use tokio::sync::mpsc;
use vault::{SealedNumber, SealedText, purpose};

use super::own_batch;
use crate::{
    auth::Caller,
    csv_stream,
    error::{Code, Problem},
    extract::Named,
    state::AppState,
    wire::schema,
};

const ROWS_AT_ONCE: usize = 1000;

/// Export the secrets of a batch
///
/// As CSV with the columns `card,number,pin,face_value`, exactly once.
#[utoipa::path(
    post,
    path = "/v1/batches/{id}/export",
    tag = "issue",
    operation_id = "export_batch",
    params(("id" = schema::BatchId, Path, description = "The batch.")),
    responses(
        (status = 200, description = "Numbers and PINs.", body = String, content_type = "text/csv"),
        (status = 409, description = "Not complete, or exported before.", body = crate::error::ProblemBody,
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
    if !app.engine.store().claim_export(id, app.engine.now()).await? {
        let detail = "numbers and PINs of a batch leave once only; make another batch if they were lost";
        return Err(Problem::new(Code::AlreadyExported, detail));
    }
    tracing::info!(batch = %id, client = %caller.0.id, "the secrets of a batch are exported");
    let (rows, body) = csv_stream::body();
    tokio::spawn(send(app.engine.clone(), id, rows));
    Ok(csv(body))
}

fn csv(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"cards.csv\""));
    response
}

type Rows = mpsc::Sender<std::io::Result<Bytes>>;

async fn send(engine: Engine, id: BatchId, rows: Rows) {
    let sent = send_rows(&engine, id, &rows).await;
    if let Err(error) = engine.store().erase_pins(id).await {
        tracing::error!(batch = %id, %error, "the sealed PINs of an exported batch could not be erased");
    }
    if let Err(error) = sent {
        tracing::error!(batch = %id, %error, "an export broke off");
        let _ = rows.send(Err(std::io::Error::other("the export broke off"))).await;
    }
}

async fn send_rows(
    engine: &Engine,
    id: BatchId,
    rows: &Rows,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    rows.send(Ok(Bytes::from_static(b"card,number,pin,face_value\r\n"))).await?;
    let mut after: Option<CardId> = None;
    loop {
        let cards = engine.store().batch_cards(id, after, ROWS_AT_ONCE).await?;
        let Some(last) = cards.last() else { return Ok(()) };
        after = Some(last.card);
        let mut text = String::with_capacity(cards.len() * 64);
        for card in &cards {
            write_row(engine, card, &mut text)?;
        }
        rows.send(Ok(Bytes::from(text))).await?;
    }
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
