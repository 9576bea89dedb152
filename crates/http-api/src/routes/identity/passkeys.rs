//! One's own passkeys.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header::ORIGIN},
    response::Response,
};
use domain::PasskeyId;
use serde::{Deserialize, Serialize};
use storage::{Passkey, SessionStage};
use utoipa::ToSchema;

use super::{
    TypedPassword, nothing,
    passkey_wire::{AttestationBody, CreationView, passkey_problem},
};
use crate::{
    answer::json,
    error::{Code, Problem},
    extract::{Json, Named},
    page::PageOf,
    session::{self, Current},
    state::AppState,
    wire::{card::given, moment::Moment, schema, text::Name},
};

/// A passkey.
#[derive(Serialize, ToSchema)]
#[schema(as = Passkey)]
pub(crate) struct PasskeyView {
    /// Its id.
    #[schema(value_type = schema::PasskeyId)]
    id: PasskeyId,
    /// What its owner calls it.
    #[schema(value_type = schema::Name)]
    name: String,
    /// The host that it was made for.
    host: String,
    /// When it was added.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
    /// When it was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Moment>, nullable = false)]
    last_used_at: Option<Moment>,
}

impl PasskeyView {
    fn new(passkey: Passkey) -> Self {
        Self {
            id: passkey.id,
            name: passkey.name,
            host: passkey.rp_id,
            created_at: Moment(passkey.created_at),
            last_used_at: passkey.last_used_at.map(Moment),
        }
    }
}

/// List one's passkeys
#[utoipa::path(
    get,
    path = "/v1/me/passkeys",
    tag = "identity",
    operation_id = "list_passkeys",
    responses((status = 200, description = "The passkeys, at most 10.", body = PageOf<PasskeyView>)),
)]
pub(crate) async fn list(State(app): State<AppState>, current: Current) -> Result<Response, Problem> {
    let own = app.passkeys.of(current.signed_in.user.id).await;
    let own = own.map_err(|error| passkey_problem(error, Code::PasskeyRefused))?;
    let items = own.into_iter().map(PasskeyView::new).collect();
    json(StatusCode::OK, &PageOf { items, next_cursor: None })
}

/// What shows once more who it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyCreationRequest)]
pub(crate) struct BeginRequest {
    /// The password, where the session began more than ten minutes ago.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::Password>, nullable = false)]
    password: Option<TypedPassword>,
}

/// Begin to add a passkey
///
/// Gives what to ask the browser for. Where the session began more than ten minutes ago, the password is needed once
/// more: who finds a session that was left open makes himself no key.
#[utoipa::path(
    post,
    path = "/v1/me/passkeys/challenges",
    tag = "identity",
    operation_id = "begin_passkey",
    request_body = BeginRequest,
    responses((status = 200, description = "What to ask for.", body = CreationView)),
)]
pub(crate) async fn begin(
    State(app): State<AppState>,
    current: Current,
    headers: HeaderMap,
    Json(body): Json<BeginRequest>,
) -> Result<Response, Problem> {
    let signed_in = &current.signed_in;
    let password = body.password.as_ref().map(|password| &password.0);
    let offer = app.passkeys.begin_adding(signed_in, password, page_of(&headers)).await;
    let offer = offer.map_err(|error| passkey_problem(error, Code::PasskeyRefused))?;
    json(StatusCode::OK, &CreationView::new(&offer, &signed_in.user))
}

/// The page that a browser says it is at.
pub(super) fn page_of(headers: &HeaderMap) -> Option<&str> {
    // What is no text is no page of ours.
    headers.get(ORIGIN).map(|value| value.to_str().unwrap_or_default())
}

/// A passkey that the browser made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyRequest)]
pub(crate) struct AddRequest {
    /// What to call it.
    #[schema(value_type = schema::Name)]
    name: Name,
    /// What the browser answered.
    credential: AttestationBody,
}

/// Add a passkey
///
/// At most 10. Completes a session that waited for a second factor to be set up, under a new cookie; otherwise other
/// sessions of the user end.
#[utoipa::path(
    post,
    path = "/v1/me/passkeys",
    tag = "identity",
    operation_id = "add_passkey",
    request_body = AddRequest,
    responses((status = 201, description = "The passkey.", body = PasskeyView)),
)]
pub(crate) async fn add(
    State(app): State<AppState>,
    current: Current,
    Json(body): Json<AddRequest>,
) -> Result<Response, Problem> {
    let signed_in = &current.signed_in;
    let added = app.passkeys.add(signed_in, body.name.0, &body.credential.attestation()).await;
    let added = added.map_err(|error| passkey_problem(error, Code::PasskeyRefused))?;
    let mut response = json(StatusCode::CREATED, &PasskeyView::new(added))?;
    if signed_in.session.stage == SessionStage::Enrolment {
        let completed = app.identity.complete(signed_in).await?;
        session::give(&mut response, &completed.token);
    } else {
        app.identity.end_other_sessions(signed_in.user.id, signed_in.session.id).await?;
    }
    Ok(response)
}

/// Remove a passkey
///
/// Unless it is the last second factor where one is required. Other sessions of the user end.
#[utoipa::path(
    delete,
    path = "/v1/me/passkeys/{id}",
    tag = "identity",
    operation_id = "remove_passkey",
    params(("id" = schema::PasskeyId, Path, description = "The passkey.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, description = "It is the last second factor, and one is required."),
    ),
)]
pub(crate) async fn remove(
    State(app): State<AppState>,
    current: Current,
    Named(id): Named<PasskeyId>,
) -> Result<Response, Problem> {
    let signed_in = &current.signed_in;
    let removed = app.passkeys.remove(signed_in.user.id, id).await;
    removed.map_err(|error| passkey_problem(error, Code::PasskeyRefused))?;
    app.identity.end_other_sessions(signed_in.user.id, signed_in.session.id).await?;
    Ok(nothing())
}
