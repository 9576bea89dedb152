//! Making one card. Its number and PIN are shown in this answer and never again.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{Amount, Program, ProgramId};
use serde::{Deserialize, Serialize};
use storage::ApprovalSubject;
use utoipa::ToSchema;

use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::Json,
    idempotency::canonical,
    routes::{
        approvals::{ApprovalAccepted, execute::Order},
        batches::{
            create::{self, BatchRequest, Count},
            issuable_program,
        },
    },
    second_person::{Asked, Done, done_or_asked},
    state::AppState,
    wire::{
        amount::AnyAmount,
        card_view::{self, CardView},
        schema,
    },
};

/// A card to make.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardRequest {
    /// Its program.
    #[schema(value_type = schema::ProgramId)]
    program: ProgramId,
    /// What it is made to be sold for, in minor units.
    #[schema(value_type = Option<schema::AnyAmount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    face_value: Option<AnyAmount>,
}

/// A card just made, with its secrets.
#[derive(Serialize, ToSchema)]
pub(crate) struct IssuedCard {
    /// The card.
    card: CardView,
    /// Its number, shown this once.
    #[schema(value_type = schema::CardNumber)]
    number: String,
    /// Its PIN, shown this once, if its program issues one.
    #[schema(value_type = Option<schema::Pin>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pin: Option<String>,
}

/// Make a card
///
/// Makes one stocked card and shows its number and PIN this once.
#[utoipa::path(
    post,
    path = "/v1/cards",
    tag = "issue",
    operation_id = "make_card",
    request_body = CardRequest,
    responses(
        (status = 201, description = "The card with its secrets.", body = IssuedCard),
        (
            status = 202, description = "Beyond the limits of the user who asks: a second person decides. The card \
                is then made as a batch of one, whose secrets are exported once as those of every batch.",
            body = ApprovalAccepted
        ),
    ),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<CardRequest>,
) -> Result<Response, Problem> {
    let face_value = body.face_value.map(|amount| amount.0);
    let program = issuable_program(&app, &caller, body.program, face_value)?;
    let asked = asked(&app, &caller, &body)?;
    done_or_asked(&app, &caller, asked, make(&app, &program, face_value)).await
}

/// What a card counts against the limits of a user. It has no key: each request is one of its own.
fn asked(app: &AppState, caller: &Caller, body: &CardRequest) -> Result<Option<Asked>, Problem> {
    if caller.limits().is_none() {
        return Ok(None);
    }
    let canonical = canonical("POST /v1/cards", body)?;
    let batch = create::batch(app, caller, String::new(), &canonical, &batch_of_one(body))?;
    let asked = create::asked(app, ApprovalSubject::Card, &batch, (String::new(), &canonical), body)?;
    Ok(asked.map(|asked| Asked { key: None, ..asked }))
}

fn batch_of_one(body: &CardRequest) -> BatchRequest {
    BatchRequest { program: body.program, count: Count::ONE, face_value: body.face_value, activate: false }
}

/// Does what a second person approved: who approves must not see the secrets, so that they wait for an export.
pub(crate) async fn perform(app: &AppState, order: Order, body: CardRequest) -> Result<Done, Problem> {
    create::perform(app, order, batch_of_one(&body)).await
}

async fn make(app: &AppState, program: &Program, face_value: Option<Amount>) -> Result<Done, Problem> {
    let made = app.engine.issue_card(program, face_value).await?;
    let issued = IssuedCard {
        card: card_view::card(&made.card, program, app.engine.now()),
        number: made.number.expose().to_owned(),
        pin: made.pin.as_ref().map(|pin| pin.expose().to_owned()),
    };
    json(StatusCode::CREATED, &issued).map(Done::Shown)
}
