//! Evidence (证据): everything that is recorded about a card, to be handed over. Records that an operator
//! withholds count against it (interpretation 2025-4, art. 25).
//!
//! JSON lines, written while they are read: first the card, then its operations, newest first, each with its
//! transfers and with the bank accounts of its payment opened, then a line that says how many there were. A
//! file without that line is not complete.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderValue, header::CONTENT_TYPE},
    response::Response,
};
use domain::{CardId, OperationId, policy};
use serde::Serialize;
use storage::{OperationFilter, TransferFilter};

use super::{own_card, program_of};
use crate::{
    auth::Caller,
    csv_stream::{self, Writer},
    error::Problem,
    extract::Named,
    routes::operations::list::everything_of,
    state::AppState,
    wire::{
        card_view::{self, CardDetail},
        funding,
        operation::Operation,
        schema,
    },
};

/// How many operations are read at once.
const PAGE: usize = 100;
const MAX_HOLDS: usize = 100;

#[expect(clippy::large_enum_variant, reason = "one at a time, and written at once")]
#[derive(Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Line<'a> {
    Card {
        #[serde(flatten)]
        detail: CardDetail,
        policy_pack: Option<&'a str>,
    },
    Operation {
        #[serde(flatten)]
        operation: Operation<'a>,
        accounts: Accounts,
        transfers: Vec<Moved>,
    },
    End {
        operations: u64,
        transfers: u64,
    },
}

/// The bank accounts of a payment, in full. Absent: not recorded, or the key that sealed it is gone.
#[derive(Default, Serialize)]
struct Accounts {
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payee: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payout: Option<String>,
}

#[derive(Serialize)]
struct Moved {
    debit: String,
    debit_lot: Option<u16>,
    credit: String,
    credit_lot: Option<u16>,
    amount: i64,
}

/// Export what is recorded about a card
///
/// JSON lines: the card, its operations with their transfers, newest first, and a last line that counts them.
/// Bank accounts are shown in full.
#[utoipa::path(
    get,
    path = "/v1/cards/{id}/evidence",
    tag = "cards",
    operation_id = "export_card_evidence",
    params(("id" = schema::CardId, Path, description = "The card.")),
    responses((
        status = 200, description = "JSON lines.", body = String, content_type = "application/x-ndjson"
    )),
)]
pub(crate) async fn evidence(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<CardId>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let card = own_card(&app, &caller, id).await?;
    let program = program_of(&app, card.program)?;
    let holds = app.engine.store().holds_of(card.id, MAX_HOLDS).await?;
    let filter = OperationFilter { card: Some(card.id), ..everything_of(&caller)? };
    let first = Line::Card {
        detail: card_view::detail(&card, &program, &holds, app.engine.now()),
        policy_pack: program.rules.policy_pack.as_ref().map(|named| named.id.as_str()),
    };
    let first = line(&first)?;
    let (writer, body) = csv_stream::body();
    tokio::spawn(async move {
        if let Err(why) = write(&app, &filter, first, writer).await {
            tracing::warn!(card = %id, %why, "an export of evidence broke off");
        }
    });
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(response)
}

fn line(record: &Line<'_>) -> Result<Bytes, Problem> {
    let mut bytes = serde_json::to_vec(record).map_err(|_| {
        Problem::new(crate::error::Code::Internal, "a record could not be written; ask the operator")
    })?;
    bytes.push(b'\n');
    Ok(bytes.into())
}

async fn write(app: &AppState, filter: &OperationFilter, first: Bytes, writer: Writer) -> Result<(), String> {
    let problem = |problem: Problem| problem.code().to_owned();
    let gone = |gone: csv_stream::Gone| gone.to_string();
    writer.send(first).await.map_err(gone)?;
    let (mut operations, mut transfers) = (0, 0);
    let mut before: Option<OperationId> = None;
    loop {
        let page = app.engine.store().operations(filter, before, PAGE).await.map_err(|e| e.to_string())?;
        for operation in &page.items {
            let moved = moved(app, filter, operation.id).await?;
            operations += 1;
            transfers += moved.len() as u64;
            let record = Line::Operation {
                operation: Operation::record(operation),
                accounts: accounts(app, operation),
                transfers: moved,
            };
            writer.send(line(&record).map_err(problem)?).await.map_err(gone)?;
        }
        let Some(next) = page.next else { break };
        before = Some(OperationId::new(next));
    }
    let end = line(&Line::End { operations, transfers }).map_err(problem)?;
    writer.send(end).await.map_err(gone)?;
    writer.finish();
    Ok(())
}

async fn moved(app: &AppState, filter: &OperationFilter, id: OperationId) -> Result<Vec<Moved>, String> {
    let of =
        TransferFilter { issuer: filter.issuer, account: None, operation: Some(id), from: None, to: None };
    let found = app.engine.store().transfers(&of, None, PAGE).await.map_err(|e| e.to_string())?;
    let row = |row: storage::TransferRow| Moved {
        debit: row.transfer.debit.to_string(),
        debit_lot: row.transfer.debit_lot.map(|lot| lot.0),
        credit: row.transfer.credit.to_string(),
        credit_lot: row.transfer.credit_lot.map(|lot| lot.0),
        amount: row.transfer.amount.get(),
    };
    Ok(found.items.into_iter().map(row).collect())
}

fn accounts(app: &AppState, operation: &domain::Operation) -> Accounts {
    let open = |account: Option<&policy::BankAccount>| {
        account.and_then(|account| funding::open(app.engine.vault(), &operation.key, account))
    };
    let funded = operation.detail.funding.as_deref();
    let paid = operation.detail.payout.as_deref();
    Accounts {
        payer: open(funded.and_then(|funding| funding.payer.as_ref())),
        payee: open(funded.and_then(|funding| funding.payee.as_ref())),
        payout: open(paid.and_then(|payout| payout.account.as_ref())),
    }
}
