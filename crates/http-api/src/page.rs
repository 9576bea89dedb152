//! Pages of lists: `?limit=` and an opaque `?cursor=`.

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use utoipa::{IntoParams, ToSchema};

use crate::{answer::json, error::Problem, wire::schema};
use axum::{http::StatusCode, response::Response};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

/// How many items a page has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(pub usize);

impl Default for Limit {
    fn default() -> Self {
        Self(DEFAULT_LIMIT)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let limit = text.parse().ok().filter(|limit| plain && (1..=MAX_LIMIT).contains(limit));
        limit.map(Self).ok_or_else(|| D::Error::custom("a limit is a whole number from 1 to 200"))
    }
}

/// Where a page goes on. What is inside is nobody's business but ours, and any cursor of the right form
/// is a place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor(pub i64);

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix("c_")?;
        domain::OperationId::parse(&format!("op_{inner}")).ok().map(|id| Self(id.get()))
    }

    /// As it is given out.
    pub(crate) fn to_text(self) -> String {
        domain::OperationId::new(self.0).to_string().replacen("op_", "c_", 1)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom("a cursor is the next_cursor of the page before; take it unchanged")
        })
    }
}

/// The parameters of a list without filters.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// How many items: 1 to 200, 50 if not given.
    #[param(value_type = Option<schema::Limit>, nullable = false)]
    pub limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<schema::Cursor>, nullable = false)]
    pub cursor: Option<Cursor>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PageOf<T> {
    /// The items. A page may be short, or even empty, while there is a next one.
    pub items: Vec<T>,
    /// Where the next page begins; absent at the end.
    #[schema(value_type = Option<schema::Cursor>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Answers with a page.
pub(crate) fn page<T: Serialize>(items: Vec<T>, next: Option<i64>) -> Result<Response, Problem> {
    let next_cursor = next.map(|next| Cursor(next).to_text());
    json(StatusCode::OK, &PageOf { items, next_cursor })
}

/// The page of a list that is in memory whole, by id.
pub(crate) fn page_of<T, V: Serialize>(
    mut all: Vec<(i64, T)>,
    query: &PageQuery,
    show: impl Fn(T) -> V,
) -> Result<Response, Problem> {
    let after = query.cursor.map_or(i64::MIN, |cursor| cursor.0);
    all.retain(|(id, _)| *id > after);
    all.sort_unstable_by_key(|(id, _)| *id);
    let more = all.len() > query.limit.0;
    all.truncate(query.limit.0);
    let next = all.last().map(|(id, _)| *id).filter(|_| more);
    page(all.into_iter().map(|(_, item)| show(item)).collect(), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip() {
        for value in [0, 1, 123_456_789, i64::MAX] {
            assert_eq!(Cursor::parse(&Cursor(value).to_text()), Some(Cursor(value)));
        }
        for bad in ["", "c_", "op_00000003nqk8n", "c_00000003nqk8", "c_zzzzzzzzzzzzz"] {
            assert_eq!(Cursor::parse(bad), None, "{bad}");
        }
    }
}
