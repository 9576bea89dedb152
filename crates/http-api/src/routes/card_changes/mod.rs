//! Changing a card without moving value. Each request becomes an operation, stored under its key.

pub(crate) mod bind;
pub(crate) mod close;
pub(crate) mod freeze;
pub(crate) mod reactivate;
pub(crate) mod report_lost;
pub(crate) mod unfreeze;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::wire::{schema, text::Reason};

/// Why.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonRequest {
    /// Why.
    #[schema(value_type = schema::Reason)]
    pub reason: Reason,
}

/// Nothing to say: an empty object.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmptyRequest {}
