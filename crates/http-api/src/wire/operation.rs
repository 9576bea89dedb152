//! An operation as it is answered. A pure function of the stored operation, so that a replay is the same
//! to the byte.

use domain::{
    CardId, ClientId, HoldId, MerchantId, OperationId, ProgramId, StoreId, TerminalId,
    command::Direction,
    operation::{self, Status},
};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    moment::Moment,
    policy_view::{FundingView, PayoutView, PolicyRule, RefundView},
    schema,
};

/// A card as an operation left it.
#[derive(Serialize, ToSchema)]
pub(crate) struct CardAfter {
    /// The card.
    #[schema(value_type = schema::CardId)]
    id: CardId,
    /// The last four digits of its number.
    #[schema(value_type = schema::Last4)]
    last4: Last4,
    /// Its state.
    #[schema(value_type = schema::CardState)]
    state: &'static str,
    /// The sum of its lots, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    balance: i64,
    /// What open holds set aside, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    held: i64,
    /// What can be spent, in minor units. Show this.
    #[schema(value_type = schema::AnyAmount)]
    available: i64,
}

/// Four digits with their leading zeros.
#[derive(Clone, Copy)]
pub(crate) struct Last4(pub u16);

impl Serialize for Last4 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:04}", self.0))
    }
}

/// Why the card's rules turned a request down.
#[derive(Serialize, ToSchema)]
pub(crate) struct Decline {
    /// The stable code.
    #[schema(value_type = schema::DeclineCode)]
    code: &'static str,
    /// Whether the same request under a new key can succeed later.
    retryable: bool,
}

/// An operation: a request as it was decided and stored.
#[derive(Serialize, ToSchema)]
#[schema(as = Operation)]
pub(crate) struct Operation<'a> {
    /// Its id.
    #[schema(value_type = schema::OperationId)]
    id: OperationId,
    /// What it did.
    #[schema(value_type = schema::OperationKind)]
    kind: &'static str,
    /// How it was decided.
    #[schema(value_type = schema::OperationStatus)]
    status: &'static str,
    /// How much was asked for, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    requested: i64,
    /// How much was done, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    approved: i64,
    /// What is left to pay by other means, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    outstanding: i64,
    /// The currency. Only a reversal of an unknown original has none.
    #[schema(value_type = Option<schema::Currency>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    /// The card as this operation left it. What moved value between other accounts has none, nor has a
    /// reversal of an unknown original.
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<CardAfter>,
    /// Why it was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    decline: Option<Decline>,
    /// The card that received: of a transfer, merge or replacement.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<CardAfter>,
    /// The program of the card.
    #[schema(value_type = Option<schema::ProgramId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<ProgramId>,
    /// The operation that it gives back, takes from or undoes.
    #[schema(value_type = Option<schema::OperationId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<OperationId>,
    /// The hold that it makes, takes from or ends.
    #[schema(value_type = Option<schema::HoldId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<HoldId>,
    /// The merchant.
    #[schema(value_type = Option<schema::MerchantId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<MerchantId>,
    /// The store.
    #[schema(value_type = Option<schema::StoreId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<StoreId>,
    /// The terminal.
    #[schema(value_type = Option<schema::TerminalId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal: Option<TerminalId>,
    /// The sales channel.
    #[schema(value_type = Option<schema::Channel>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// The terminal's own number of the transaction.
    #[schema(value_type = Option<schema::Trace>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<u32>,
    /// The caller's own reference.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    /// The caller's own data.
    #[schema(value_type = Option<schema::Metadata>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a RawValue>,
    /// When the hold, or the card, now ends.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Moment>,
    /// Value that a cash-out or holder refund forfeited, in minor units.
    #[schema(value_type = Option<schema::AnyAmount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    forfeited: Option<i64>,
    /// Where a refund or reversal put the value.
    #[schema(value_type = Option<schema::Destination>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<&'static str>,
    /// Which way an adjustment went.
    #[schema(value_type = Option<schema::Direction>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'static str>,
    /// Why it was done.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// The member that the card was bound to.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'a str>,
    /// The key of the original that a reversal named.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    original_key: Option<&'a str>,
    /// The rule of a policy pack that it was declined for.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_rule: Option<PolicyRule<'a>>,
    /// How the card was paid for.
    #[serde(skip_serializing_if = "Option::is_none")]
    funding: Option<FundingView<'a>>,
    /// How the holder was paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    payout: Option<PayoutView<'a>>,
    /// What a holder refund was made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<RefundView<'a>>,
    /// The client that asked; in look-ups only.
    #[schema(value_type = Option<schema::ClientId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<ClientId>,
    /// The Idempotency-Key of the request; in look-ups only.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// The date in the issuer's time zone.
    #[schema(value_type = schema::Date)]
    business_date: Text<domain::BusinessDate>,
    /// When it was decided.
    #[schema(value_type = schema::Moment)]
    at: Moment,
}

/// Anything that is shown by its text.
struct Text<T>(T);

impl<T: std::fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

fn card_after(card: &operation::CardAfter) -> CardAfter {
    CardAfter {
        id: card.id,
        last4: Last4(card.last4),
        state: card.state.name(),
        balance: card.balance.get(),
        held: card.held.get(),
        available: card.available.get(),
    }
}

/// The name of a direction in texts.
pub(crate) const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Credit => "credit",
        Direction::Debit => "debit",
    }
}

impl<'a> Operation<'a> {
    /// As the answer to its request.
    pub(crate) fn answer(operation: &'a domain::Operation) -> Self {
        let decline = match operation.status {
            Status::Approved => None,
            Status::Declined(decline) => {
                Some(Decline { code: decline.code(), retryable: decline.retryable() })
            }
        };
        let detail = &operation.detail;
        Self {
            id: operation.id,
            kind: operation.kind.name(),
            status: if decline.is_none() { "approved" } else { "declined" },
            requested: operation.requested.get(),
            approved: operation.approved.get(),
            outstanding: operation.requested.saturating_sub(operation.approved).get(),
            currency: operation.currency.as_ref().map(domain::Currency::code),
            card: operation.card.as_ref().map(card_after),
            decline,
            to: operation.counterpart.as_ref().map(card_after),
            program: operation.program,
            original: operation.original,
            hold: operation.hold,
            merchant: operation.merchant,
            store: operation.store,
            terminal: operation.terminal,
            channel: operation.channel.map(domain::Channel::name),
            trace: operation.trace,
            reference: operation.reference.as_deref(),
            metadata: operation.metadata.as_deref().and_then(|text| serde_json::from_str(text).ok()),
            expires_at: detail.expires_at.map(Moment),
            forfeited: detail.forfeited.map(domain::Amount::get),
            destination: detail.destination.map(operation::Destination::name),
            direction: detail.direction.map(direction_name),
            reason: detail.reason.as_deref(),
            member: detail.member.as_deref(),
            original_key: detail.original_key.as_deref(),
            policy_rule: detail.broken_rule.as_deref().map(PolicyRule::new),
            funding: detail.funding.as_deref().map(FundingView::new),
            payout: detail.payout.as_deref().map(PayoutView::new),
            refund: detail.refund.as_deref().map(RefundView::new),
            client: None,
            key: None,
            business_date: Text(operation.business_date),
            at: Moment(operation.at),
        }
    }

    /// As it is looked up.
    pub(crate) fn record(operation: &'a domain::Operation) -> Self {
        Self { client: Some(operation.client), key: Some(operation.key.to_text()), ..Self::answer(operation) }
    }
}
