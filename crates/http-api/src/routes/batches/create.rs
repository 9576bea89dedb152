//! Asking for a batch. Recorded here, so that nothing is lost; made by a job.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header::LOCATION},
    response::Response,
};
use domain::{ApprovalId, BatchId, ProgramId};
use engine::issue::MAX_BATCH_CARDS;
use serde::{Deserialize, Serialize};
use storage::{ApprovalSubject, Batch, BatchStatus, StorageError};
use utoipa::ToSchema;

use super::issuable_program;
use crate::{
    answer::{json, replayed},
    auth::Caller,
    error::{Code, Problem},
    extract::Json,
    idempotency::Keyed,
    routes::approvals::{ApprovalAccepted, execute::Order},
    second_person::{Asked, Done, done_or_asked, stored, times},
    state::AppState,
    wire::{amount::AnyAmount, integer::Integer, moment::Moment, schema},
};

/// Cards to make.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchRequest {
    /// Their program.
    #[schema(value_type = schema::ProgramId)]
    pub(crate) program: ProgramId,
    /// How many.
    #[schema(value_type = schema::BatchCount)]
    pub(crate) count: Count,
    /// What each is made to be sold for, in minor units.
    #[schema(value_type = Option<schema::AnyAmount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) face_value: Option<AnyAmount>,
    /// Whether each is activated at once, for its face value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) activate: bool,
}

/// 1 to 1,000,000.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(try_from = "Integer<u32>")]
pub(crate) struct Count(u32);

impl Count {
    /// One.
    pub(crate) const ONE: Self = Self(1);
}

impl TryFrom<Integer<u32>> for Count {
    type Error = &'static str;

    fn try_from(Integer(count): Integer<u32>) -> Result<Self, &'static str> {
        let fits = (1..=MAX_BATCH_CARDS).contains(&count);
        if fits { Ok(Self(count)) } else { Err("must be 1 to 1000000 cards; ask for several batches") }
    }
}

/// What a request for a batch is answered with. Stands for it in the description.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(
    dead_code,
    clippy::large_enum_variant,
    reason = "only described: each is answered by its own function"
)]
pub(crate) enum BatchAnswer {
    /// It will be made.
    Made(BatchAccepted),
    /// A second person decides.
    Asked(ApprovalAccepted),
}

/// A batch that will be made. Says only what never changes, so that a replay is the same.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchAccepted {
    /// Its id; read its progress under it.
    #[schema(value_type = schema::BatchId)]
    id: BatchId,
    /// The program of its cards.
    #[schema(value_type = schema::ProgramId)]
    program: ProgramId,
    /// How many cards.
    #[schema(value_type = schema::BatchCount)]
    count: u32,
    /// What each is made to be sold for, in minor units.
    #[schema(value_type = Option<schema::AnyAmount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    face_value: Option<i64>,
    /// Whether each is activated at once.
    activate: bool,
    /// When it was asked for.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
}

/// Make a batch of cards
///
/// Recorded at once and made in the background; read its progress at the address in `Location`.
#[utoipa::path(
    post,
    path = "/v1/batches",
    tag = "issue",
    operation_id = "make_batch",
    request_body = BatchRequest,
    responses((
        status = 202, description = "The batch will be made; or, beyond the limits of the user who asks, a second \
            person decides.", body = BatchAnswer,
        headers(("Location" = String, description = "Where its progress is read."))
    )),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Json(body): Json<BatchRequest>,
) -> Result<Response, Problem> {
    let canonical = keyed.canonical(&body)?;
    let key = keyed.key.to_text();
    if let Some(earlier) = app.engine.store().batch_by_key(caller.0.id, &key).await? {
        return replay(&app, earlier, &canonical)?.response();
    }
    let batch = batch(&app, &caller, key, &canonical, &body)?;
    let asked = asked(&app, ApprovalSubject::Batch, &batch, (keyed.key.to_text(), &canonical), &body)?;
    done_or_asked(&app, &caller, asked, keep(&app, batch, &canonical)).await
}

/// Does what a second person approved.
pub(crate) async fn perform(app: &AppState, order: Order, body: BatchRequest) -> Result<Done, Problem> {
    let key = order.key.to_text();
    if let Some(earlier) = app.engine.store().batch_by_key(order.caller.0.id, &key).await? {
        return replay(app, earlier, &order.canonical);
    }
    let batch = batch(app, &order.caller, key, &order.canonical, &body)?;
    keep(app, batch, &order.canonical).await
}

/// What a batch counts against the limits of a user: what its cards are made to be sold for, whether or not they are
/// activated at once.
pub(crate) fn asked(
    app: &AppState,
    subject: ApprovalSubject,
    batch: &Batch,
    (key, canonical): (String, &[u8]),
    body: &impl Serialize,
) -> Result<Option<Asked>, Problem> {
    let catalog = app.engine.catalog();
    let (Some(face_value), Some(program)) = (batch.face_value, catalog.programs.get(&batch.program)) else {
        return Ok(None);
    };
    let asked = Asked {
        id: ApprovalId::new(app.engine.next_id()),
        subject,
        amount: times(batch.count, face_value),
        currency: program.currency,
        key: Some(key),
        canonical: canonical.into(),
        body: stored(body)?,
    };
    Ok((!asked.amount.is_zero()).then_some(asked))
}

/// Records a batch.
async fn keep(app: &AppState, batch: Batch, canonical: &[u8]) -> Result<Done, Problem> {
    let store = app.engine.store();
    match store.create_batch(&batch).await {
        Ok(()) => {}
        // The same key came twice at once.
        Err(StorageError::Conflict { .. }) => {
            let earlier = store.batch_by_key(batch.client, &batch.key).await?;
            let earlier = earlier.ok_or_else(|| Problem::new(Code::Busy, "send the same request again"))?;
            return replay(app, earlier, canonical);
        }
        Err(error) => return Err(error.into()),
    }
    if let Some(wake) = &app.options.wake_issuing {
        wake();
    }
    Ok(Done::Batch(Box::new(batch), false))
}

/// A batch that can be made.
pub(crate) fn batch(
    app: &AppState,
    caller: &Caller,
    key: String,
    canonical: &[u8],
    body: &BatchRequest,
) -> Result<Batch, Problem> {
    let face_value = body.face_value.map(|amount| amount.0);
    let program = issuable_program(app, caller, body.program, face_value)?;
    if body.activate && program.rules.policy_pack.is_some() {
        let detail = "the program's policy pack asks who buys each card and how it is paid for; activate them one \
                      by one, with `funding`";
        return Err(Problem::new(Code::PolicyPackUnsuited, detail).at("/activate"));
    }
    if body.activate && face_value.is_none() {
        let detail = "cards that are activated at once need a face value";
        return Err(Problem::new(Code::FaceValueRequired, detail).at("/face_value"));
    }
    Ok(Batch {
        id: BatchId::new(app.engine.next_id()),
        issuer: program.issuer,
        program: program.id,
        client: caller.0.id,
        key,
        fingerprint: app.engine.vault().fingerprint(canonical),
        count: body.count.0,
        face_value,
        activate: body.activate,
        issued: 0,
        activated: 0,
        status: BatchStatus::Running,
        failure: None,
        created_at: app.engine.now(),
        completed_at: None,
        exported_at: None,
    })
}

fn replay(app: &AppState, earlier: Batch, canonical: &[u8]) -> Result<Done, Problem> {
    let (key_id, bytes) = earlier.fingerprint;
    if app.engine.vault().fingerprint_with(key_id, canonical) != Some(bytes) {
        return Err(domain::Refusal::IdempotencyConflict.into());
    }
    Ok(Done::Batch(Box::new(earlier), true))
}

/// Says that a batch will be made; `before`, that it was said already.
pub(crate) fn accepted(batch: &Batch, before: bool) -> Result<Response, Problem> {
    let accepted = BatchAccepted {
        id: batch.id,
        program: batch.program,
        count: batch.count,
        face_value: batch.face_value.map(domain::Amount::get),
        activate: batch.activate,
        created_at: Moment(batch.created_at),
    };
    let mut response = json(StatusCode::ACCEPTED, &accepted)?;
    if let Ok(location) = HeaderValue::try_from(format!("/v1/batches/{}", batch.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(if before { replayed(response) } else { response })
}
