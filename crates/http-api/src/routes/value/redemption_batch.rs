//! Up to 1,000 redemptions at once, each with a key and an answer of its own.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use domain::{Command, IdempotencyKey, command::CardRef};
use engine::{EngineConfig, Intent, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{envelope_of, redemptions::RedemptionRequest};
use crate::{
    answer::{in_time, json},
    auth::Caller,
    error::{Code, Problem, ProblemBody},
    extract::read_json_body,
    gate::RequestId,
    idempotency::canonical,
    input,
    payment_codes::cards_of,
    state::AppState,
    wire::{metadata::Metadata, operation::Operation, paying_card::PayingCard},
};

/// The route that an item would have alone: an item and a single request with the same key and body are
/// the same request.
const SINGLE: &str = "POST /v1/redemptions";

/// Redemptions.
#[derive(ToSchema)]
#[schema(as = RedemptionBatchRequest)]
#[serde(deny_unknown_fields)]
#[derive(Deserialize)]
struct Items<'a> {
    /// Each is a redemption request with a `key` beside its other fields. One that is malformed is
    /// answered with a problem and leaves the others as they are.
    #[serde(borrow)]
    #[schema(value_type = Vec<AnyItem>, min_items = 1, max_items = 1000)]
    items: Vec<&'a RawValue>,
}

/// A redemption request with a `key`: see RedemptionRequest for the other fields. What does not fit is
/// answered with a problem in its place of the list.
#[derive(ToSchema)]
#[expect(dead_code, reason = "stands for the schema")]
struct AnyItem {
    /// The Idempotency-Key of this redemption.
    #[schema(value_type = Option<serde_json::Value>)]
    key: String,
}

/// What became of an item.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RedemptionResult)]
#[expect(clippy::large_enum_variant, reason = "nearly all are operations")]
enum ItemResult<'a> {
    /// It was decided, approved or declined.
    Operation(Operation<'a>),
    /// It was refused, and nothing is stored.
    Problem(ProblemBody<'a>),
}

/// What became of each item, in their order.
#[derive(Serialize, ToSchema)]
#[schema(as = RedemptionResults)]
struct Results<'a> {
    results: Vec<ItemResult<'a>>,
}

/// Redeem many
///
/// Up to 1,000 redemptions, each with its own `key`. They do not depend on each other: one that is declined
/// or refused leaves the rest as they are.
#[utoipa::path(
    post,
    path = "/v1/redemptions/batch",
    tag = "value",
    operation_id = "redeem_many",
    request_body = Items,
    responses((status = 200, description = "A result for each item, in their order.", body = Results)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let id = request.extensions().get::<RequestId>().copied();
    let bytes = read_json_body(request, &app, app.options.max_batch_body).await?;
    let intents = intents(&app, &caller, &bytes).await?;
    let outcomes = decide(&app, intents).await?;
    let id = id.as_ref().map_or("", RequestId::as_str);
    let results = outcomes.iter().map(|outcome| match outcome {
        Ok(operation) => ItemResult::Operation(Operation::answer(operation)),
        Err(problem) => ItemResult::Problem(problem.body(id)),
    });
    json(StatusCode::OK, &Results { results: results.collect() })
}

type Decided = Result<std::sync::Arc<domain::Operation>, Problem>;

async fn intents(
    app: &AppState,
    caller: &Caller,
    bytes: &[u8],
) -> Result<Vec<Result<Intent, Problem>>, Problem> {
    let items: Vec<Result<Item, Problem>> = items_of(bytes)?.into_iter().map(item).collect();
    let mut codes = codes(app, caller, &items).await?.into_iter();
    let lost = || Problem::new(Code::Internal, "a code was lost; ask the operator");
    let catalog = app.engine.catalog();
    let mut intents = Vec::with_capacity(items.len());
    for (position, item) in items.into_iter().enumerate() {
        let made = item.and_then(|item| {
            let card = match &item.body.card {
                PayingCard::Named(card) => card.find_by(app.engine.vault(), "/card"),
                PayingCard::Code(_) => codes.next().unwrap_or_else(|| Err(lost())),
            };
            let mut intent = intent(caller, item, card?)?;
            crate::place::bind(caller, &catalog, &mut intent.command)?;
            Ok(intent)
        });
        intents.push(made.map_err(|problem| problem.below(&format!("/items/{position}"))));
    }
    Ok(intents)
}

/// The cards of those items that name theirs by a payment code, in their order.
async fn codes(
    app: &AppState,
    caller: &Caller,
    items: &[Result<Item, Problem>],
) -> Result<Vec<Result<CardRef, Problem>>, Problem> {
    let code = |item: &Item| match &item.body.card {
        PayingCard::Code(code) => Some((*code, item.key.to_text())),
        PayingCard::Named(_) => None,
    };
    let codes: Vec<_> = items.iter().flatten().filter_map(code).collect();
    if codes.is_empty() { Ok(Vec::new()) } else { cards_of(app, caller, &codes).await }
}

fn items_of(bytes: &[u8]) -> Result<Vec<&RawValue>, Problem> {
    // The fast way keeps the items as they stand in the body; the slow way only explains what is wrong.
    let parsed = serde_json::from_slice::<Items<'_>>(bytes).ok().filter(|_| input::is_object(bytes));
    let Some(Items { items }) = parsed else { return Err(explain(bytes)) };
    if items.is_empty() || items.len() > EngineConfig::MAX_SUBMISSION {
        let detail = format!("give 1 to {} items at once", EngineConfig::MAX_SUBMISSION);
        return Err(Problem::new(Code::TooManyItems, detail).at("/items"));
    }
    if let Some(position) = items.iter().position(|item| !item.get().starts_with('{')) {
        let problem = Problem::new(Code::InvalidField, "an item is a JSON object");
        return Err(problem.at(format!("/items/{position}")));
    }
    Ok(items)
}

fn explain(bytes: &[u8]) -> Problem {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shape {
        #[serde(rename = "items")]
        _items: Vec<serde::de::IgnoredAny>,
    }
    match input::parse::<Shape>(bytes) {
        Err(problem) => problem,
        Ok(_) => Problem::new(Code::MalformedJson, "the body is not JSON in UTF-8"),
    }
}

/// An item that was read.
struct Item {
    body: RedemptionRequest,
    key: IdempotencyKey,
}

fn item(raw: &RawValue) -> Result<Item, Problem> {
    let body: RedemptionRequest = input::parse(raw.get().as_bytes())?;
    let Some(key) = &body.key else {
        let detail = "each item has a key that names it for ever; a UUIDv7 or ULID is best";
        return Err(Problem::new(Code::KeyMissing, detail).at("/key"));
    };
    let key = IdempotencyKey::parse(key)
        .map_err(|error| Problem::new(Code::KeyInvalid, error.to_string()).at("/key"))?;
    Ok(Item { body, key })
}

fn intent(caller: &Caller, Item { body, key }: Item, card: CardRef) -> Result<Intent, Problem> {
    let envelope = envelope_of!(body);
    Ok(Intent {
        actor: caller.actor()?,
        key,
        canonical: canonical(SINGLE, &body)?,
        command: Command::Redeem(body.payment(card)),
        trace: envelope.trace,
        reference: envelope.reference,
        metadata: envelope.metadata.map(Metadata::into_text),
    })
}

/// Has the well-formed ones decided, and puts every answer into the place of its item.
async fn decide(app: &AppState, intents: Vec<Result<Intent, Problem>>) -> Result<Vec<Decided>, Problem> {
    let mut problems = Vec::with_capacity(intents.len());
    let mut sound = Vec::with_capacity(intents.len());
    for intent in intents {
        match intent {
            Ok(intent) => {
                sound.push(intent);
                problems.push(None);
            }
            Err(problem) => problems.push(Some(problem)),
        }
    }
    let outcomes: Vec<Outcome> =
        if sound.is_empty() { Vec::new() } else { in_time(app, app.engine.submit_many(sound)).await?? };
    let mut outcomes = outcomes.into_iter();
    let decided = problems.into_iter().enumerate().map(|(position, problem)| match problem {
        Some(problem) => Err(problem),
        None => match outcomes.next() {
            Some(Ok(answer)) => Ok(answer.operation),
            Some(Err(refusal)) => Err(Problem::from(refusal).below(&format!("/items/{position}"))),
            None => Err(Problem::new(Code::Internal, "an answer is missing; ask the operator")),
        },
    });
    Ok(decided.collect())
}
