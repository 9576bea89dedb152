//! What only some kinds of operation have, as JSON: written rarely, never searched.

use domain::{
    Amount, Timestamp,
    command::Direction,
    operation::{Destination, Detail},
    policy::{BrokenRule, Funding, Payout, refund::Calculation},
};
use serde::{Deserialize, Serialize};
use storage::Result;

use crate::error::corrupt;

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Stored {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forfeited: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_trace: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_rule: Option<Box<BrokenRule>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    funding: Option<Box<Funding>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payout: Option<Box<Payout>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<Box<Calculation>>,
}

/// The text, or nothing where there is no detail.
pub(crate) fn encode(detail: &Detail) -> Result<Option<String>> {
    if *detail == Detail::default() {
        return Ok(None);
    }
    let direction = detail.direction.map(|direction| match direction {
        Direction::Credit => "credit".to_owned(),
        Direction::Debit => "debit".to_owned(),
    });
    let stored = Stored {
        reason: detail.reason.clone(),
        expires_at: detail.expires_at,
        forfeited: detail.forfeited,
        destination: detail.destination.map(|d| d.name().to_owned()),
        direction,
        member: detail.member.clone(),
        original_key: detail.original_key.clone(),
        duplicate_trace: detail.duplicate_trace,
        broken_rule: detail.broken_rule.clone(),
        funding: detail.funding.clone(),
        payout: detail.payout.clone(),
        refund: detail.refund.clone(),
    };
    serde_json::to_string(&stored).map(Some).map_err(|error| corrupt(error.to_string()))
}

/// The detail.
pub(crate) fn decode(text: Option<&str>) -> Result<Detail> {
    let Some(text) = text else { return Ok(Detail::default()) };
    let damaged = || corrupt("the detail of an operation does not parse");
    let stored: Stored = serde_json::from_str(text).map_err(|_| damaged())?;
    let destination = match stored.destination {
        Some(name) => Some(Destination::from_name(&name).ok_or_else(damaged)?),
        None => None,
    };
    let direction = match stored.direction.as_deref() {
        Some("credit") => Some(Direction::Credit),
        Some("debit") => Some(Direction::Debit),
        Some(_) => return Err(damaged()),
        None => None,
    };
    Ok(Detail {
        reason: stored.reason,
        expires_at: stored.expires_at,
        forfeited: stored.forfeited,
        destination,
        direction,
        member: stored.member,
        original_key: stored.original_key,
        duplicate_trace: stored.duplicate_trace,
        broken_rule: stored.broken_rule,
        funding: stored.funding,
        payout: stored.payout,
        refund: stored.refund,
    })
}
