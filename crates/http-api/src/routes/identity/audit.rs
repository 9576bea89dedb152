//! The audit trail.

use std::collections::HashMap;

use axum::{extract::State, response::Response};
use domain::{AuditEventId, SessionId, UserId};
use serde::{Deserialize, Serialize};
use storage::{AuditEvent, AuditFilter};
use utoipa::{IntoParams, ToSchema};

use crate::{
    auth::Caller,
    error::Problem,
    extract::Query,
    page::{Cursor, Limit, PageOf, page},
    state::AppState,
    wire::{card::given, moment::Moment, schema, text::Text},
};

/// Which events.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Only this user's.
    #[param(value_type = Option<schema::UserId>, nullable = false)]
    #[serde(deserialize_with = "given")]
    user: Option<UserId>,
    /// Only those with this action.
    #[param(value_type = Option<schema::AuditAction>, nullable = false)]
    #[serde(deserialize_with = "given")]
    action: Option<Text<200>>,
    /// Not before this moment.
    #[param(value_type = Option<schema::Moment>, nullable = false)]
    #[serde(deserialize_with = "given")]
    from: Option<Moment>,
    /// Before this moment.
    #[param(value_type = Option<schema::Moment>, nullable = false)]
    #[serde(deserialize_with = "given")]
    to: Option<Moment>,
    /// How many items: 1 to 200, 50 if not given.
    #[param(value_type = Option<schema::Limit>, nullable = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<schema::Cursor>, nullable = false)]
    cursor: Option<Cursor>,
}

/// An event.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub(crate) struct EventView {
    /// Its id.
    #[schema(value_type = schema::AuditEventId)]
    id: AuditEventId,
    /// When.
    #[schema(value_type = schema::Moment)]
    at: Moment,
    /// Who, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<Who>,
    /// In which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::SessionId>, nullable = false)]
    session: Option<SessionId>,
    /// From which address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    address: Option<String>,
    /// What: a method and a route.
    #[schema(value_type = schema::AuditAction)]
    action: String,
    /// On which object, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    object: Option<String>,
    /// How it ended.
    #[schema(value_type = schema::AuditOutcome)]
    outcome: &'static str,
    /// The HTTP status of the answer.
    status: u16,
    /// The code of the problem, where it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    code: Option<String>,
    /// The id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request_id: Option<String>,
}

/// Who did it.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditUser)]
struct Who {
    /// The user's id.
    #[schema(value_type = schema::UserId)]
    id: UserId,
    /// How he is called now.
    #[schema(value_type = schema::Name)]
    name: String,
}

/// List events of the audit trail
///
/// Everything that people changed or tried to change, and every try to sign in, newest first. Of requests that another
/// site made somebody's browser send there is one event for each session and minute. Of the caller's issuer; of
/// the platform for who runs it.
#[utoipa::path(
    get,
    path = "/v1/audit-events",
    tag = "identity",
    operation_id = "list_audit_events",
    params(EventsQuery),
    responses((status = 200, description = "A page of events.", body = PageOf<EventView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<EventsQuery>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let filter = AuditFilter {
        issuer: caller.0.issuer,
        user: query.user,
        action: query.action.map(|text| text.0),
        from: query.from.map(|moment| moment.0),
        to: query.to.map(|moment| moment.0),
    };
    let before = query.cursor.map(|cursor| AuditEventId::new(cursor.0));
    let found = app.identity.events(&filter, before, query.limit.0).await?;
    let mut ids: Vec<UserId> = found.items.iter().filter_map(|event| event.user).collect();
    ids.sort_unstable();
    ids.dedup();
    let names: HashMap<UserId, String> = app.identity.names(&ids).await?.into_iter().collect();
    page(found.items.into_iter().map(|event| view(event, &names)).collect(), found.next)
}

fn view(event: AuditEvent, names: &HashMap<UserId, String>) -> EventView {
    let who = |id: UserId| Who { id, name: names.get(&id).cloned().unwrap_or_else(|| id.to_string()) };
    EventView {
        id: event.id,
        at: Moment(event.at),
        user: event.user.map(who),
        session: event.session,
        address: event.address,
        action: event.action,
        object: event.object,
        outcome: match event.status {
            ..400 => "succeeded",
            400..500 => "refused",
            500.. => "failed",
        },
        status: event.status,
        code: event.code,
        request_id: event.request_id,
    }
}
