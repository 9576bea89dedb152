//! Looking a card up by its number: what guessers of numbers and PINs would use.
//!
//! An unknown number, an unsold card, a foreign card and a wrong, missing or locked PIN are answered
//! alike: same status, same body, and at the same time, because failures leave at the strokes of a clock
//! that began with the request. Attempts at a PIN are decided like everything else, so that they count
//! atomically and together with those of redemptions. Failures are limited; see
//! [`crate::lookup_limit`].

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    Card, CardState, Command,
    command::{CardRef, Inquire, NumberIndex},
    operation::Status,
    program::PinRule,
};
use engine::{Intent, issue::job_key};
use serde::{Deserialize, Deserializer, de::Error as _};
use tokio::time::Instant;

use super::program_of;
use crate::{
    answer::{in_time, json},
    auth::Caller,
    error::{Code, Problem},
    extract::Json,
    lookup_limit::Lookup,
    payment_codes::{look_at, next_stroke},
    state::AppState,
    wire::{
        card::given,
        card_view::{self, CardView},
        paying_card::TypedCode,
        schema,
        secret::{Number, TypedPin},
    },
};

/// What to look up.
#[derive(Debug)]
pub(crate) enum LookupRequest {
    /// A number, with its PIN where its program has a rule for PINs.
    Number(Number, Option<TypedPin>),
    /// The payment code that a holder's device shows.
    Code(TypedCode),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(default, deserialize_with = "given")]
    number: Option<Number>,
    pin: Option<TypedPin>,
    #[serde(default, deserialize_with = "given")]
    code: Option<TypedCode>,
}

impl<'de> Deserialize<'de> for LookupRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        match (fields.number, fields.pin, fields.code) {
            (Some(number), pin, None) => Ok(Self::Number(number, pin)),
            (None, None, Some(code)) => Ok(Self::Code(code)),
            (None, _, None) => Err(D::Error::missing_field("number")),
            _ => Err(D::Error::custom("give a number, with its PIN, or a payment code alone")),
        }
    }
}

/// Look a card up
///
/// By number, and PIN where its program has a rule for PINs, or by a payment code, which is not used up. Failures
/// are limited per minute.
#[utoipa::path(
    post,
    path = "/v1/cards/lookup",
    tag = "cards",
    operation_id = "lookup_card",
    request_body = schema::LookupRequest,
    responses((status = 200, description = "The card.", body = CardView)),
)]
pub(crate) async fn lookup(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<LookupRequest>,
) -> Result<Response, Problem> {
    let (number, pin) = match body {
        LookupRequest::Number(number, pin) => (number, pin),
        LookupRequest::Code(code) => return by_code(&app, &caller, code).await,
    };
    let started = Instant::now();
    let indexes = indexes(&app, &number);
    let counted = Lookup { client: caller.0.id, issuer: caller.issuer()?, number: indexes.first().copied() };
    let turn = in_time(&app, app.lookups.turn()).await?;
    let at = app.engine.now();
    app.lookups.count(counted, at, app.nodes())?;
    if let Some(card) = find(&app, &caller, &indexes, pin.as_ref()).await? {
        app.lookups.forgive(counted, at);
        let program = program_of(&app, card.program)?;
        return json(StatusCode::OK, &card_view::card(&card, &program, app.engine.now()));
    }
    drop(turn);
    metrics::counter!("hexiao_lookups_failed_total").increment(1);
    tokio::time::sleep_until(next_stroke(started)).await;
    Err(Problem::new(
        Code::CardNotFound,
        "the number is unknown, or the PIN is wrong, missing or locked; check both",
    ))
}

/// The card that a code stands for, as long as it is bound to the device's holder.
async fn by_code(app: &AppState, caller: &Caller, code: TypedCode) -> Result<Response, Problem> {
    let found = match look_at(app, caller, code).await? {
        CardRef::Held { card, member } => {
            let card = app.engine.store().card(card).await?;
            card.filter(|card| card.member.as_ref() == Some(&member))
        }
        _ => None,
    };
    let unknown = || Problem::new(Code::CardNotFound, "the card of this code is somebody else's by now");
    let card = found.ok_or_else(unknown)?;
    let program = program_of(app, card.program)?;
    json(StatusCode::OK, &card_view::card(&card, &program, app.engine.now()))
}

fn indexes(app: &AppState, number: &Number) -> Vec<NumberIndex> {
    match number {
        Number::Possible(number) => {
            app.engine.vault().indexes(number).map(|(_, index)| NumberIndex(index)).collect()
        }
        Number::Impossible => Vec::new(),
    }
}

/// The card, if the caller may know it.
async fn find(
    app: &AppState,
    caller: &Caller,
    indexes: &[NumberIndex],
    pin: Option<&TypedPin>,
) -> Result<Option<Card>, Problem> {
    let issuer = caller.issuer()?;
    let found = match indexes {
        [] => None,
        indexes => app.engine.store().card_by_number(indexes).await?,
    };
    let Some(card) = found.filter(|card| card.issuer == issuer && card.state != CardState::Stocked) else {
        return Ok(None);
    };
    let rule = program_of(app, card.program)?.rules.pin;
    match pin {
        None if rule == PinRule::Never => Ok(Some(card)),
        None => Ok(None),
        // A PIN that the card does not have is not checked, as everywhere where none is asked for.
        Some(_) if rule == PinRule::Never && card.pin.digest.is_none() => Ok(Some(card)),
        Some(pin) => Ok(inquire(app, caller, &card, pin).await?.then_some(card)),
    }
}

/// Has the PIN checked and counted.
async fn inquire(app: &AppState, caller: &Caller, card: &Card, pin: &TypedPin) -> Result<bool, Problem> {
    let key = job_key(app.engine.next_id(), u64::from_be_bytes(*b"inquire\0"));
    let key = key.ok_or_else(|| Problem::new(Code::Internal, "no key could be made; ask the operator"))?;
    let command = Command::Inquire(Inquire { card: CardRef::Id(card.id), pin: Some(pin.attempt()) });
    let intent = Intent {
        actor: caller.actor()?,
        canonical: format!("inquire:{}", key.to_text()).into_bytes().into(),
        key,
        command,
        trace: None,
        reference: None,
        metadata: None,
    };
    let answer = in_time(app, app.engine.submit(intent)).await??;
    Ok(answer.map_err(Problem::from)?.operation.status == Status::Approved)
}
