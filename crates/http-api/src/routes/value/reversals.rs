//! Reversal (冲正): undoing a request by its key.

use axum::{extract::State, response::Response};
use domain::{Command, IdempotencyKey, command};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use utoipa::ToSchema;

use crate::{
    answer::{Envelope, submit},
    auth::Caller,
    error::Problem,
    extract::Json,
    idempotency::Keyed,
    state::AppState,
    wire::{metadata::Metadata, operation::Operation, schema, text::Reference},
};

/// What to undo.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReversalRequest {
    /// The Idempotency-Key of the original, of the same client.
    #[schema(value_type = schema::IdempotencyKey)]
    pub original_key: OriginalKey,
    /// Your own reference.
    #[schema(value_type = Option<schema::Reference>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Your own data.
    #[schema(value_type = Option<schema::Metadata>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// A key as a text.
#[derive(Clone, Debug)]
pub(crate) struct OriginalKey(IdempotencyKey);

impl OriginalKey {
    /// The key.
    pub(crate) const fn key(&self) -> &IdempotencyKey {
        &self.0
    }
}

impl Serialize for OriginalKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_text())
    }
}

impl<'de> Deserialize<'de> for OriginalKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        IdempotencyKey::parse(&text).map(Self).map_err(D::Error::custom)
    }
}

/// Reverse
///
/// Undoes a request whose outcome you do not want or do not know. An original that arrives later is declined;
/// a second reversal gives the answer of the first.
#[utoipa::path(
    post,
    path = "/v1/reversals",
    tag = "value",
    operation_id = "reverse",
    request_body = ReversalRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Json(body): Json<ReversalRequest>,
) -> Result<Response, Problem> {
    let envelope = Envelope {
        reference: body.reference.as_ref().map(|text| text.0.clone()),
        metadata: body.metadata.clone(),
        ..Envelope::card_at("")
    };
    let command = Command::Reverse(command::Reverse { original: body.original_key.0.clone() });
    submit(&app, &caller, keyed, &body, command, envelope).await
}
