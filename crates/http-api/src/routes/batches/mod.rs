//! Batches of cards (制卡批次): asked for here, made by a job.

pub(crate) mod create;
pub(crate) mod export;
pub(crate) mod list;
pub(crate) mod read;

use std::sync::Arc;

use domain::{Amount, BatchId, Program, ProgramId, program::Status};
use serde::Serialize;
use storage::Batch;
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::{Code, Problem},
    state::AppState,
    wire::{moment::Moment, schema},
};

/// A batch with its progress.
#[derive(Serialize, ToSchema)]
#[schema(as = Batch)]
pub(crate) struct BatchView {
    /// Its id.
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
    /// How far it is.
    #[schema(value_type = schema::BatchStatus)]
    status: &'static str,
    /// How many are made.
    issued: u32,
    /// How many are activated.
    activated: u32,
    /// Why it cannot go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// When it was asked for.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
    /// When it was complete.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<Moment>,
    /// When its secrets were exported.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    exported_at: Option<Moment>,
}

impl BatchView {
    pub(crate) fn new(batch: Batch) -> Self {
        Self {
            id: batch.id,
            program: batch.program,
            count: batch.count,
            face_value: batch.face_value.map(Amount::get),
            activate: batch.activate,
            status: batch.status.name(),
            issued: batch.issued,
            activated: batch.activated,
            failure: batch.failure,
            created_at: Moment(batch.created_at),
            completed_at: batch.completed_at.map(Moment),
            exported_at: batch.exported_at.map(Moment),
        }
    }
}

/// A batch of the caller's issuer.
pub(crate) async fn own_batch(app: &AppState, caller: &Caller, id: BatchId) -> Result<Batch, Problem> {
    let issuer = caller.issuer()?;
    let found = app.engine.store().batch(id).await?.filter(|batch| batch.issuer == issuer);
    found.ok_or_else(|| {
        Problem::new(Code::BatchUnknown, "no such batch for this client; check the id").parameter("id")
    })
}

/// A program that cards can be made in, for this face value.
pub(crate) fn issuable_program(
    app: &AppState,
    caller: &Caller,
    id: ProgramId,
    face_value: Option<Amount>,
) -> Result<Arc<Program>, Problem> {
    let issuer = caller.issuer()?;
    caller.unbound()?;
    let catalog = app.engine.catalog();
    let found = catalog.programs.get(&id).filter(|program| program.issuer == issuer);
    let program = found.ok_or_else(|| {
        Problem::new(Code::ProgramUnknown, "no such program for this client; check the id").at("/program")
    })?;
    if program.status == Status::Closed {
        return Err(Problem::new(Code::ProgramClosed, "reopen the program, or name another").at("/program"));
    }
    if face_value.is_some_and(|amount| !program.rules.denominations.allow(amount)) {
        let detail = "the program does not sell cards for this amount; see its rules, `denominations`";
        return Err(Problem::new(Code::DenominationNotAllowed, detail).at("/face_value"));
    }
    check_by_law(app, program, face_value)?;
    Ok(Arc::clone(program))
}

/// The pack that a card made now will be under lets it be sold for this amount.
fn check_by_law(app: &AppState, program: &Program, face_value: Option<Amount>) -> Result<(), Problem> {
    let (Some(named), Some(amount)) = (&program.rules.policy_pack, face_value) else { return Ok(()) };
    let catalog = app.engine.catalog();
    let Some(issuer) = catalog.issuers.get(&program.issuer) else { return Ok(()) };
    let law = named.at(app.engine.now(), &issuer.zone).ok_or(domain::Refusal::PolicyPackUnknown)?;
    domain::policy::check_face_value(&law, program.rules.registered, amount)
        .map_err(|breach| Problem::broken(breach, ""))
}
