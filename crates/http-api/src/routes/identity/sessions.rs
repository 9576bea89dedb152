//! Where somebody is signed in, and ending that.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{SessionId, UserId, catalog::Scope};
use serde::{Deserialize, Serialize};
use storage::User;
use utoipa::{IntoParams, ToSchema};

use super::nothing;
use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    extract::{Named, Query},
    page::PageOf,
    session::{Current, granter},
    state::AppState,
    wire::{card::given, moment::Moment, schema},
};

/// Whose sessions.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct SessionsQuery {
    /// Those of this user; one's own if not given. Needs the scope `users`.
    #[param(value_type = Option<schema::UserId>, nullable = false)]
    #[serde(deserialize_with = "given")]
    user: Option<UserId>,
}

/// A session.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionView {
    /// Its id, to end it by.
    #[schema(value_type = schema::SessionId)]
    id: SessionId,
    /// When it began.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
    /// When it was last used, to within half a minute.
    #[schema(value_type = schema::Moment)]
    last_seen_at: Moment,
    /// When it ends in any case.
    #[schema(value_type = schema::Moment)]
    expires_at: Moment,
    /// From which address it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    address: Option<String>,
    /// What the browser called itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_agent: Option<String>,
    /// Whether it is the one in which this was asked.
    current: bool,
}

/// List sessions
///
/// Those that live, newest first.
#[utoipa::path(
    get,
    path = "/v1/sessions",
    tag = "identity",
    operation_id = "list_sessions",
    params(SessionsQuery),
    responses((status = 200, description = "The sessions.", body = PageOf<SessionView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    current: Current,
    Query(query): Query<SessionsQuery>,
) -> Result<Response, Problem> {
    let user = subject(&app, &caller, &current, query.user).await?;
    let own = current.signed_in.session.id;
    let items = app.identity.sessions_of(&user).await?.into_iter().map(|session| SessionView {
        id: session.id,
        created_at: Moment(session.created_at),
        last_seen_at: Moment(session.last_seen_at),
        expires_at: Moment(session.expires_at),
        address: session.address,
        user_agent: session.agent,
        current: session.id == own,
    });
    json(StatusCode::OK, &PageOf { items: items.collect(), next_cursor: None })
}

/// Oneself, or somebody within reach of who may manage users.
async fn subject(
    app: &AppState,
    caller: &Caller,
    current: &Current,
    named: Option<UserId>,
) -> Result<User, Problem> {
    let own = &current.signed_in.user;
    match named {
        Some(id) if id != own.id => {
            if !caller.0.scopes.contains(&Scope::Users) && !caller.is_platform() {
                return Err(Problem::new(Code::ScopeMissing, "sessions of others need the scope users"));
            }
            Ok(app.identity.user(&granter(caller), id).await?)
        }
        _ => Ok(own.clone()),
    }
}

/// End a session
///
/// One's own, or with `?user=` that of somebody else. Whoever has it is signed out at once, and at other nodes within
/// two seconds.
#[utoipa::path(
    delete,
    path = "/v1/sessions/{id}",
    tag = "identity",
    operation_id = "end_session",
    params(("id" = schema::SessionId, Path, description = "The session."), SessionsQuery),
    responses((status = 204, description = "It has ended.")),
)]
pub(crate) async fn end(
    State(app): State<AppState>,
    caller: Caller,
    current: Current,
    Named(id): Named<SessionId>,
    Query(query): Query<SessionsQuery>,
) -> Result<Response, Problem> {
    let user = subject(&app, &caller, &current, query.user).await?;
    if app.identity.end_session(user.id, id).await? {
        return Ok(nothing());
    }
    let detail = "no such session that lives; check the id, and the user";
    Err(Problem::new(Code::SessionUnknown, detail).parameter("id"))
}
