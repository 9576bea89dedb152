//! Holder refund (返还预付款): what the law gives back to a holder, calculated line by line. The quote is the
//! decision itself, on what is stored now, without its being written: it cannot differ from the refund.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    Amount, CardId, Command, Decline, Fingerprint, OperationId, Refusal, Request,
    card::PinDigest,
    command::{Canonical, CardRef, HolderRefund, PinAttempt},
    decide::{self, Context, Secrets, Verdict},
    policy::{self, PayoutMeans, refund},
    working::{KeyState, Working},
};
use engine::issue::job_key;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    answer::{Envelope, json, submit},
    auth::Caller,
    error::{Code, Problem},
    extract::{Json, Named},
    idempotency::Keyed,
    routes::cards::own_card,
    state::AppState,
    wire::{
        amount::AnyAmount,
        card::CardName,
        day::Day,
        funding::Payout,
        integer::Integer,
        metadata::Metadata,
        operation::Operation,
        policy_view::{PolicyRule, RefundView},
        schema,
        secret::TypedPin,
        text::Reference,
    },
};

/// A yearly rate in basis points.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(try_from = "Integer<u32>")]
pub(crate) struct Rate(u32);

impl TryFrom<Integer<u32>> for Rate {
    type Error = &'static str;

    fn try_from(Integer(rate): Integer<u32>) -> Result<Self, &'static str> {
        if rate <= refund::MAX_RATE { Ok(Self(rate)) } else { Err("must be 0 to 10000 basis points") }
    }
}

/// The refund of a card to its holder.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HolderRefundRequest {
    /// The card, or one that it replaced or that was merged into it.
    #[schema(value_type = schema::CardName)]
    card: CardName,
    /// Why: `operator`, not the holder's fault; `holder`, the holder's wish; `cooling_off`, unused within days
    /// of payment.
    #[schema(value_type = schema::RefundCause)]
    cause: refund::Cause,
    /// The day on which the contract was rescinded, from which interest runs; no interest if not given.
    #[schema(value_type = Option<schema::Date>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    rescinded_on: Option<Day>,
    /// The yearly rate of interest; the policy pack's if not given.
    #[schema(value_type = Option<schema::InterestRate>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_basis_points: Option<Rate>,
    /// Reasonable cost that is kept, in minor units, where the policy pack lets it be.
    #[schema(value_type = Option<schema::AnyAmount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<AnyAmount>,
    /// How the holder is paid. Needed as far as the policy pack asks for it.
    #[serde(
        default,
        deserialize_with = "crate::wire::object::optional",
        skip_serializing_if = "Option::is_none"
    )]
    payout: Option<Payout>,
    /// The PIN of the card; checked if given.
    #[schema(value_type = Option<schema::Pin>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pin: Option<TypedPin>,
    /// Your own reference.
    #[schema(value_type = Option<schema::Reference>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    /// Your own data.
    #[schema(value_type = Option<schema::Metadata>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
}

/// What a refund would be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuoteRequest {
    /// Why.
    #[schema(value_type = schema::RefundCause)]
    cause: refund::Cause,
    /// The day on which the contract was rescinded, from which interest runs; no interest if not given.
    #[schema(value_type = Option<schema::Date>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    rescinded_on: Option<Day>,
    /// The yearly rate of interest; the policy pack's if not given.
    #[schema(value_type = Option<schema::InterestRate>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_basis_points: Option<Rate>,
    /// Reasonable cost that is kept, in minor units, where the policy pack lets it be.
    #[schema(value_type = Option<schema::AnyAmount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<AnyAmount>,
}

/// What a refund would be now.
#[derive(Serialize, ToSchema)]
pub(crate) struct Quote<'a> {
    /// The card that would be refunded and closed.
    #[schema(value_type = schema::CardId)]
    card: CardId,
    /// Whether it would be approved.
    #[schema(value_type = schema::OperationStatus)]
    status: &'static str,
    /// Why it would be declined.
    #[schema(value_type = Option<schema::DeclineCode>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    decline: Option<&'static str>,
    /// The rule of the policy pack that it would be declined for.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_rule: Option<PolicyRule<'a>>,
    /// The currency.
    #[schema(value_type = Option<schema::Currency>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    /// The calculation.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<RefundView<'a>>,
}

fn claim(
    cause: refund::Cause,
    rescinded_on: Option<Day>,
    rate: Option<Rate>,
    cost: Option<AnyAmount>,
) -> refund::Claim {
    let cost: Option<Amount> = cost.map(|amount| amount.0);
    refund::Claim { cause, rescinded_on: rescinded_on.map(|day| day.0), rate: rate.map(|rate| rate.0), cost }
}

/// Refund a card to its holder
///
/// Pays back what the law says, forfeits the rest, and closes the card. The answer has the calculation line by
/// line, as `refund`.
#[utoipa::path(
    post,
    path = "/v1/holder-refunds",
    tag = "value",
    operation_id = "refund_holder",
    request_body = HolderRefundRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Json(body): Json<HolderRefundRequest>,
) -> Result<Response, Problem> {
    let vault = app.engine.vault();
    let envelope = Envelope {
        reference: body.reference.as_ref().map(|text| text.0.clone()),
        metadata: body.metadata.clone(),
        ..Envelope::default()
    };
    let command = Command::HolderRefund(HolderRefund {
        card: body.card.find_by(vault, "/card")?,
        claim: claim(body.cause, body.rescinded_on, body.rate_basis_points, body.cost),
        payout: body.payout.as_ref().map(|it| it.to_domain(vault, &keyed.key)).transpose()?,
        pin: body.pin.as_ref().map(TypedPin::attempt),
    });
    submit(&app, &caller, keyed, &body, command, envelope).await
}

/// Quote a refund
///
/// What `POST /v1/holder-refunds` would decide now, with facts of payment that no rule is against. Nothing is
/// written.
#[utoipa::path(
    post,
    path = "/v1/cards/{id}/holder-refund-quotes",
    tag = "cards",
    operation_id = "quote_holder_refund",
    params(("id" = schema::CardId, Path, description = "The card.")),
    request_body = QuoteRequest,
    responses((status = 200, description = "What the refund would be.", body = Quote)),
)]
pub(crate) async fn quote(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<CardId>,
    Json(body): Json<QuoteRequest>,
) -> Result<Response, Problem> {
    own_card(&app, &caller, id).await?;
    let claim = claim(body.cause, body.rescinded_on, body.rate_basis_points, body.cost);
    let request = as_asked(&app, &caller, id, claim)?;
    let working = read(&app, &request, id).await?;
    let catalog = app.engine.catalog();
    let context =
        Context { catalog: &catalog, now: app.engine.now(), id: OperationId::new(0), secrets: &NoPin };
    let verdict = decide::decide(&request, &working, &context).map_err(|refusal| match refusal {
        Refusal::CardUnknown => Problem::from(refusal).card_at(""),
        other => other.into(),
    })?;
    let Verdict::Decided(decision) = verdict else {
        return Err(Problem::from(Refusal::Inconsistent));
    };
    let operation = &decision.operation;
    let decline = match operation.status {
        domain::operation::Status::Approved => None,
        domain::operation::Status::Declined(decline) => Some(Decline::code(decline)),
    };
    let quote = Quote {
        card: operation.card.map_or(id, |card| card.id),
        status: if decline.is_none() { "approved" } else { "declined" },
        decline,
        policy_rule: operation.detail.broken_rule.as_deref().map(PolicyRule::new),
        currency: operation.currency.as_ref().map(domain::Currency::code),
        refund: operation.detail.refund.as_deref().map(RefundView::new),
    };
    json(StatusCode::OK, &quote)
}

/// The request that would be decided.
fn as_asked(app: &AppState, caller: &Caller, id: CardId, claim: refund::Claim) -> Result<Request, Problem> {
    let key = job_key(app.engine.next_id(), u64::from_be_bytes(*b"quote\0\0\0"));
    let key = key.ok_or_else(|| Problem::new(Code::Internal, "no key could be made; ask the operator"))?;
    let account = policy::BankAccount { ending: String::new(), sealed: String::new() };
    let payout = policy::Payout {
        means: PayoutMeans::BankTransfer,
        identity_verified: true,
        same_name: true,
        account: Some(account),
    };
    let refund = HolderRefund { card: CardRef::Id(id), claim, payout: Some(Box::new(payout)), pin: None };
    Ok(Request {
        actor: caller.actor()?,
        key,
        fingerprint: Fingerprint { key_id: 0, bytes: [0; 16] },
        canonical: Canonical(Box::default()),
        command: Command::HolderRefund(refund),
        trace: None,
        reference: None,
        metadata: None,
    })
}

/// The card, and those that took its place.
async fn read(app: &AppState, request: &Request, id: CardId) -> Result<Working, Problem> {
    let mut working = Working::default();
    working.keys.insert((request.actor.client, request.key.clone()), KeyState::Free);
    let mut next = Some(id);
    for _ in 0..=domain::plan::MAX_SUCCESSORS {
        let Some(id) = next else { break };
        let card = app.engine.store().card(id).await?;
        next = card.as_ref().and_then(|card| card.state.successor());
        working.cards.insert(id, card);
    }
    Ok(working)
}

/// A quote has no PIN to compare.
struct NoPin;

impl Secrets for NoPin {
    fn pin_matches(&self, _: CardId, _: &PinDigest, _: &PinAttempt) -> bool {
        false
    }

    fn fingerprint(&self, _: u8, _: &[u8]) -> Option<[u8; 16]> {
        None
    }
}
