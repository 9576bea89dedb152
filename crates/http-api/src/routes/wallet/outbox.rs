//! What was sent to a phone: where a demonstration runs, and nowhere else.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{IssuerId, program::Status};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use wallet::{Outbox, Phone};

use crate::{
    answer::json,
    error::{Code, Problem},
    extract::Query,
    holder::Stranger,
    state::AppState,
    wire::{card::given, moment::Moment, schema},
};

/// Whose messages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OutboxQuery {
    /// The phone.
    #[param(value_type = schema::Phone)]
    phone: Phone,
    /// In the name of this issuer; without it, of any.
    #[serde(default, deserialize_with = "given")]
    #[param(value_type = Option<schema::IssuerId>, nullable = false)]
    issuer: Option<IssuerId>,
}

/// A message.
#[derive(Serialize, ToSchema)]
pub(crate) struct WalletMessage {
    /// The issuer that sent it.
    #[schema(value_type = schema::IssuerId)]
    issuer: IssuerId,
    /// The sign-in code.
    #[schema(value_type = schema::SignInCode)]
    code: String,
    /// When it was sent.
    #[schema(value_type = schema::Moment)]
    sent_at: Moment,
    /// Until when it is accepted.
    #[schema(value_type = schema::Moment)]
    expires_at: Moment,
}

/// Messages.
#[derive(Serialize, ToSchema)]
pub(crate) struct WalletMessages {
    /// Newest first.
    items: Vec<WalletMessage>,
}

/// Issuers that are looked through.
const ISSUERS: usize = 20;

/// Read what was sent to a phone
///
/// In demonstrations only; elsewhere there is no such route.
#[utoipa::path(
    get,
    path = "/v1/wallet/outbox",
    tag = "wallet",
    operation_id = "read_outbox",
    params(OutboxQuery),
    responses((status = 200, description = "The messages.", body = WalletMessages)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    _stranger: Stranger,
    Query(query): Query<OutboxQuery>,
) -> Result<Response, Problem> {
    if !app.options.demo {
        return Err(Problem::new(Code::RouteUnknown, "there is no such route; see /docs"));
    }
    let catalog = app.engine.catalog();
    let open = catalog.issuers.values().filter(|issuer| issuer.status == Status::Active);
    let asked = open.map(|issuer| issuer.id).filter(|id| query.issuer.is_none_or(|only| only == *id));
    let asked: Vec<IssuerId> = asked.take(ISSUERS).collect();
    let outbox = Outbox::new(app.engine.clone());
    let mut items = Vec::new();
    for issuer in asked {
        for message in outbox.read(issuer, &query.phone).await? {
            items.push(WalletMessage {
                issuer,
                code: message.text.to_string(),
                sent_at: Moment(message.sent_at),
                expires_at: Moment(message.expires_at),
            });
        }
    }
    items.sort_by_key(|message| std::cmp::Reverse(message.sent_at));
    json(StatusCode::OK, &WalletMessages { items })
}
