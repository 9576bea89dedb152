//! Cards whose validity ends soon: whom to warn.

use axum::{extract::State, response::Response};
use domain::{CardId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use storage::ExpirySpan;
use utoipa::{IntoParams, ToSchema};

use super::program_of;
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::Query,
    page::Limit,
    state::AppState,
    wire::{
        card_view::{self, CardView},
        schema,
    },
};
use axum::http::StatusCode;

const DAY_SECONDS: i64 = 86_400;
const MAX_DAYS: i64 = 3_660;

/// How far ahead to look.
#[derive(Clone, Copy, Debug)]
struct Within(i64);

impl<'de> Deserialize<'de> for Within {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let days = text.parse().ok().filter(|days| plain && (1..=MAX_DAYS).contains(days));
        days.map(Self).ok_or_else(|| D::Error::custom("a whole number of days from 1 to 3660"))
    }
}

/// The end of a page: a moment and a card.
#[derive(Clone, Copy, Debug)]
struct After(Timestamp, CardId);

impl After {
    fn to_text(self) -> String {
        format!("e_{}_{}", self.0.micros(), self.1.get())
    }
}

impl<'de> Deserialize<'de> for After {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parts = text.strip_prefix("e_").and_then(|rest| rest.split_once('_'));
        let number =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let found = parts.and_then(|(end, card)| Some((number(end)?, number(card)?)));
        found.map(|(end, card)| Self(Timestamp::from_micros(end), CardId::new(card))).ok_or_else(|| {
            D::Error::custom("a cursor is the next_cursor of the page before; take it unchanged")
        })
    }
}

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExpiringQuery {
    /// Cards whose validity ends within so many days, 1 to 3660.
    #[param(value_type = i32, minimum = 1, maximum = 3660)]
    within_days: Within,
    /// How many items: 1 to 200, 50 if not given.
    #[serde(default)]
    #[param(value_type = Option<schema::Limit>, nullable = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[serde(default)]
    #[param(value_type = Option<String>, nullable = false, pattern = "^e_[0-9]{1,18}_[0-9]{1,18}$")]
    cursor: Option<After>,
}

/// A page of cards whose validity ends soon.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExpiringPage {
    /// The cards, the earliest end first.
    items: Vec<CardView>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List cards that expire soon
///
/// Cards in use with value left whose validity ends within so many days, the earliest end first.
#[utoipa::path(
    get,
    path = "/v1/cards/expiring",
    tag = "cards",
    operation_id = "list_expiring_cards",
    params(ExpiringQuery),
    responses((status = 200, description = "A page of cards.", body = ExpiringPage)),
)]
pub(crate) async fn expiring(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<ExpiringQuery>,
) -> Result<Response, Problem> {
    let (issuer, now) = (caller.issuer()?, app.engine.now());
    let from = query.cursor.map_or((now, CardId::new(i64::MAX)), |after| (after.0, after.1));
    let until = now.plus_seconds(query.within_days.0.saturating_mul(DAY_SECONDS));
    let span = ExpirySpan { issuer, after: from, until };
    let limit = query.limit.0;
    let mut cards = app.engine.store().expiring_cards(&span, limit.saturating_add(1)).await?;
    let more = cards.len() > limit;
    cards.truncate(limit);
    let last = cards.last().and_then(|card| Some(After(card.expires_at?, card.id)));
    let view = |card: &domain::Card| Ok(card_view::card(card, &*program_of(&app, card.program)?, now));
    let items = cards.iter().map(view).collect::<Result<_, Problem>>()?;
    let next_cursor = last.filter(|_| more).map(After::to_text);
    json(StatusCode::OK, &ExpiringPage { items, next_cursor })
}
