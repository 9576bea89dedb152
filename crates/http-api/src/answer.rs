//! From a command to its answer.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use domain::{Command, IdempotencyKey};
use engine::{Answer, Intent};
use serde::Serialize;

use crate::{
    auth::Caller,
    error::{Code, Problem},
    idempotency::Keyed,
    state::AppState,
    wire::{metadata::Metadata, operation::Operation},
};

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Nearly every operation fits.
const TYPICAL_BODY: usize = 768;

/// What a request carries beside its command.
#[derive(Default)]
pub(crate) struct Envelope {
    /// The terminal's own number of the transaction.
    pub trace: Option<u32>,
    /// The caller's own reference.
    pub reference: Option<String>,
    /// The caller's own data.
    pub metadata: Option<Metadata>,
    /// Where the body names the card, if not in `/card`; empty if the path does.
    pub card_at: Option<&'static str>,
}

impl Envelope {
    /// Nothing but where the card is named.
    pub(crate) fn card_at(pointer: &'static str) -> Self {
        Self { card_at: Some(pointer), ..Self::default() }
    }
}

/// Has a command decided and answers with its operation.
pub(crate) async fn submit(
    app: &AppState,
    caller: &Caller,
    keyed: Keyed,
    body: &impl Serialize,
    command: Command,
    envelope: Envelope,
) -> Result<Response, Problem> {
    let canonical = keyed.canonical(body)?;
    answered(&decided(app, caller, (keyed.key, canonical), command, envelope).await?)
}

/// Has a command decided under a key, with what makes two requests under it the same.
pub(crate) async fn decided(
    app: &AppState,
    caller: &Caller,
    (key, canonical): (IdempotencyKey, Box<[u8]>),
    mut command: Command,
    envelope: Envelope,
) -> Result<Answer, Problem> {
    crate::place::bind(caller, &app.engine.catalog(), &mut command)?;
    let intent = Intent {
        actor: caller.actor()?,
        canonical,
        key,
        command,
        trace: envelope.trace,
        reference: envelope.reference,
        metadata: envelope.metadata.map(Metadata::into_text),
    };
    let outcome = in_time(app, app.engine.submit(intent)).await??;
    let card_at = envelope.card_at.unwrap_or("/card");
    outcome.map_err(|refusal| Problem::from(refusal).card_at(card_at))
}

/// Waits for the engine, but not for ever.
pub(crate) async fn in_time<T>(app: &AppState, work: impl Future<Output = T>) -> Result<T, Problem> {
    tokio::time::timeout(app.options.answer_timeout, work).await.map_err(|_| {
        Problem::new(
            Code::OutcomeUnknown,
            "the answer did not come in time, so that it is not known whether the request is stored; send the \
             same request with the same key again",
        )
    })
}

/// Answers with an operation.
pub(crate) fn answered(answer: &Answer) -> Result<Response, Problem> {
    let mut response = json(StatusCode::CREATED, &Operation::answer(&answer.operation))?;
    if answer.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Marks an answer as one that was given before.
pub(crate) fn replayed(mut response: Response) -> Response {
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// An answer in JSON.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<Response, Problem> {
    let mut bytes = Vec::with_capacity(TYPICAL_BODY);
    serde_json::to_writer(&mut bytes, body).map_err(|error| {
        tracing::error!(%error, "an answer could not be written");
        Problem::new(Code::Internal, "the answer could not be written; ask the operator")
    })?;
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
