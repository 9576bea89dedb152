//! Payments of sales channels (渠道回款): what a channel owes for the cards it sold, as its money arrives.

use axum::{extract::State, response::Response};
use domain::{Account, Channel, Command, Currency, PostedTransfer, Posting, PostingKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    answer::{Envelope, submit},
    auth::Caller,
    error::Problem,
    extract::Json,
    idempotency::Keyed,
    state::AppState,
    wire::{
        amount::Positive,
        metadata::Metadata,
        operation::Operation,
        schema,
        text::{Reason, Reference},
    },
};

/// A payment of a sales channel.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChannelPaymentRequest {
    /// The channel.
    #[schema(value_type = schema::Channel)]
    channel: Channel,
    /// How much, in minor units.
    #[schema(value_type = schema::Amount)]
    amount: Positive,
    /// Its currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// `received` from the channel, or `returned` to it; `received` if not given.
    #[schema(value_type = Option<schema::PaymentDirection>)]
    #[serde(default)]
    direction: Option<PaymentDirection>,
    /// Why, where there is something to say.
    #[schema(value_type = Option<schema::Reason>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// Your own reference, such as the number on the bank statement.
    #[schema(value_type = Option<schema::Reference>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    /// Your own data.
    #[schema(value_type = Option<schema::Metadata>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
}

/// Which way the money went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PaymentDirection {
    #[default]
    Received,
    Returned,
}

impl ChannelPaymentRequest {
    /// The request with what it leaves open filled in: saying so or not is the same request.
    fn settled(mut self) -> Self {
        self.direction = Some(self.direction.unwrap_or_default());
        self
    }

    fn posting(&self, bank: Account) -> Posting {
        let channel = Account::Channel(self.channel);
        let (debit, credit) = match self.direction.unwrap_or_default() {
            PaymentDirection::Received => (bank, channel),
            PaymentDirection::Returned => (channel, bank),
        };
        Posting {
            kind: PostingKind::ChannelPayment,
            currency: self.currency,
            merchant: None,
            transfers: vec![PostedTransfer { debit, credit, amount: self.amount.0 }],
            reason: self.reason.as_ref().map(|text| text.0.clone()),
        }
    }
}

/// Post a payment of a sales channel
///
/// Money that a channel paid for what it sold, or that went back to it. The balance of `channel:…` is what the
/// channel still owes.
#[utoipa::path(
    post,
    path = "/v1/channel-payments",
    tag = "settlement",
    operation_id = "post_channel_payment",
    request_body = ChannelPaymentRequest,
    responses((status = 201, description = "The operation.", body = Operation)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Json(body): Json<ChannelPaymentRequest>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let body = body.settled();
    let command = Command::Post(body.posting(Account::Bank(caller.issuer()?)));
    let envelope = Envelope {
        reference: body.reference.as_ref().map(|text| text.0.clone()),
        metadata: body.metadata.clone(),
        ..Envelope::default()
    };
    submit(&app, &caller, keyed, &body, command, envelope).await
}
