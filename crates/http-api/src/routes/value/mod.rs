//! Moving value. Each request becomes one operation, stored under its Idempotency-Key.

pub(crate) mod activations;
pub(crate) mod adjustments;
pub(crate) mod captures;
pub(crate) mod cash_outs;
pub(crate) mod exchanges;
pub(crate) mod holder_refunds;
pub(crate) mod holds;
pub(crate) mod loads;
pub(crate) mod merges;
pub(crate) mod redemption_batch;
pub(crate) mod redemptions;
pub(crate) mod refunds;
pub(crate) mod releases;
pub(crate) mod replacements;
pub(crate) mod reversals;
pub(crate) mod transfers;
pub(crate) mod unlinked_refunds;

use serde::{Deserialize, Deserializer, de::Error};

use crate::wire::integer::Integer;

/// Where a request happens, from the fields that it has for it.
macro_rules! place_of {
    ($body:expr) => {
        domain::command::Place {
            merchant: $body.merchant,
            store: $body.store,
            terminal: $body.terminal,
            channel: $body.channel,
        }
    };
}
pub(crate) use place_of;

/// What a request carries beside its command, from the fields that it has for it.
macro_rules! envelope_of {
    ($body:expr) => {
        crate::answer::Envelope {
            trace: $body.trace,
            reference: $body.reference.as_ref().map(|text| text.0.clone()),
            metadata: $body.metadata.clone(),
            card_at: None,
        }
    };
}
pub(crate) use envelope_of;

const MAX_TRACE: u32 = 999_999;

/// Reads a trace number: 0 to 999999.
pub(crate) fn trace<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let trace = Option::<Integer<u32>>::deserialize(deserializer)?.map(|trace| trace.0);
    if trace.is_some_and(|trace| trace > MAX_TRACE) {
        return Err(D::Error::custom("a trace number is 0 to 999999"));
    }
    Ok(trace)
}
