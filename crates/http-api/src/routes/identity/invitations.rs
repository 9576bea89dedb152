//! Invitations: how somebody becomes a user.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use domain::{InvitationId, IssuerId, MerchantId, StoreId};
use identity::NewInvitation;
use serde::{Deserialize, Serialize};
use storage::Invitation;
use utoipa::{IntoParams, ToSchema};

use super::{Code, TypedPassword, nothing, users::RoleNames};
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::{Json, Named, Query},
    page::{Cursor, Limit, PageOf, page},
    session::{check_not_foreign, granter},
    state::AppState,
    trail::Behind,
    wire::{card::given, moment::Moment, schema, text::Name},
};

/// Who is invited, to what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvitationRequest)]
pub(crate) struct Request {
    /// The issuer: only who runs the platform names one, and without one invites somebody who will run it too.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::IssuerId>, nullable = false)]
    issuer: Option<IssuerId>,
    /// What he will sign in with: an e-mail address, or a name without spaces.
    #[schema(value_type = schema::Login)]
    login: Name,
    /// How he is called.
    #[schema(value_type = schema::Name)]
    name: Name,
    /// His roles, by id or code.
    #[schema(value_type = Vec<schema::RoleName>, min_items = 1, max_items = 10)]
    roles: RoleNames,
    /// The merchant to which he will be bound.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::MerchantId>, nullable = false)]
    merchant: Option<MerchantId>,
    /// The store of that merchant to which he will be bound.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::StoreId>, nullable = false)]
    store: Option<StoreId>,
}

/// An invitation.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(crate) struct InvitationView {
    /// Its id.
    #[schema(value_type = schema::InvitationId)]
    id: InvitationId,
    /// What the invited person will sign in with.
    #[schema(value_type = schema::Login)]
    login: String,
    /// How he is called.
    #[schema(value_type = schema::Name)]
    name: String,
    /// Until when it can be accepted.
    #[schema(value_type = schema::Moment)]
    expires_at: Moment,
    /// When it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Moment>, nullable = false)]
    accepted_at: Option<Moment>,
    /// When it was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Moment>, nullable = false)]
    withdrawn_at: Option<Moment>,
}

impl InvitationView {
    fn new(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            login: invitation.login,
            name: invitation.name,
            expires_at: Moment(invitation.expires_at),
            accepted_at: invitation.accepted.map(|(at, _)| Moment(at)),
            withdrawn_at: invitation.withdrawn_at.map(Moment),
        }
    }
}

/// An invitation with its link.
#[derive(Serialize, ToSchema)]
#[schema(as = NewInvitation)]
pub(crate) struct Invited {
    /// The invitation.
    invitation: InvitationView,
    /// The token, shown this once.
    token: String,
    /// Where it is accepted, after the address of this server. Nothing behind the `#` reaches a server's log.
    link: String,
    /// Until when.
    #[schema(value_type = schema::Moment)]
    expires_at: Moment,
}

/// The link of a token, after the address of a server.
pub(crate) fn link(token: &identity::Token) -> String {
    format!("/invitation#token={}", token.expose())
}

/// Invite somebody
///
/// Shows the link this once: give it to the person. It is good for 72 hours, once.
#[utoipa::path(
    post,
    path = "/v1/invitations",
    tag = "identity",
    operation_id = "invite",
    request_body = Request,
    responses((status = 201, description = "The invitation with its link.", body = Invited)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<Request>,
) -> Result<Response, Problem> {
    let new = NewInvitation {
        issuer: body.issuer.or(caller.0.issuer),
        merchant: body.merchant.or(caller.merchant()),
        store: body.store,
        login: body.login.0,
        name: body.name.0,
        roles: body.roles.0,
    };
    let made = app.identity.invite(&granter(&caller), new).await?;
    tracing::info!(invitation = %made.invitation.id, by = %caller.0.id, "somebody was invited");
    let view = Invited {
        expires_at: Moment(made.invitation.expires_at),
        invitation: InvitationView::new(made.invitation),
        token: made.token.expose().to_owned(),
        link: link(&made.token),
    };
    json(StatusCode::CREATED, &view)
}

/// Which invitations.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct InvitationsQuery {
    /// Only those that can be accepted: `open`.
    #[param(value_type = Option<schema::InvitationStatus>, nullable = false)]
    #[serde(deserialize_with = "given")]
    status: Option<Wanted>,
    /// How many items: 1 to 200, 50 if not given.
    #[param(value_type = Option<schema::Limit>, nullable = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<schema::Cursor>, nullable = false)]
    cursor: Option<Cursor>,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    Open,
}

/// List invitations
///
/// Newest first, without their links.
#[utoipa::path(
    get,
    path = "/v1/invitations",
    tag = "identity",
    operation_id = "list_invitations",
    params(InvitationsQuery),
    responses((status = 200, description = "A page of invitations.", body = PageOf<InvitationView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<InvitationsQuery>,
) -> Result<Response, Problem> {
    let before = query.cursor.map(|cursor| InvitationId::new(cursor.0));
    let only_open = matches!(query.status, Some(Wanted::Open));
    let found = app.identity.invitations(&granter(&caller), only_open, before, query.limit.0).await?;
    page(found.items.into_iter().map(InvitationView::new).collect(), found.next)
}

/// Withdraw an invitation
///
/// Its link opens nothing from then on. One that was accepted, withdrawn or is not there is 404: none of them can be
/// accepted.
#[utoipa::path(
    delete,
    path = "/v1/invitations/{id}",
    tag = "identity",
    operation_id = "withdraw_invitation",
    params(("id" = schema::InvitationId, Path, description = "The invitation.")),
    responses((status = 204, description = "It is withdrawn.")),
)]
pub(crate) async fn withdraw(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<InvitationId>,
) -> Result<Response, Problem> {
    app.identity.withdraw_invitation(&granter(&caller), id).await?;
    tracing::info!(invitation = %id, by = %caller.0.id, "an invitation was withdrawn");
    Ok(nothing())
}

/// The token of the link, and the password that one chooses.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptanceRequest)]
pub(crate) struct Acceptance {
    /// The token of the link.
    #[schema(value_type = schema::InvitationToken)]
    token: Code<43, 43>,
    /// The password: at least 12 characters, and not what everybody tries first.
    #[schema(value_type = schema::Password)]
    password: TypedPassword,
}

/// Whom the invitation made.
#[derive(Serialize, ToSchema)]
#[schema(as = Accepted)]
pub(crate) struct AcceptedView {
    /// The user.
    #[schema(value_type = schema::UserId)]
    id: domain::UserId,
    /// What he signs in with.
    #[schema(value_type = schema::Login)]
    login: String,
}

/// Accept an invitation
///
/// Makes the user, who then signs in.
#[utoipa::path(
    post,
    path = "/v1/invitations/accept",
    tag = "identity",
    operation_id = "accept_invitation",
    request_body = Acceptance,
    responses((status = 201, description = "The user.", body = AcceptedView)),
)]
pub(crate) async fn accept(
    State(app): State<AppState>,
    headers: HeaderMap,
    Json(body): Json<Acceptance>,
) -> Result<Response, Problem> {
    check_not_foreign(&headers)?;
    let user = app.identity.accept(&body.token.0, &body.password.0).await?;
    let behind = Behind { issuer: user.issuer, user: Some(user.id), session: None };
    let mut response = json(StatusCode::CREATED, &AcceptedView { id: user.id, login: user.login })?;
    response.extensions_mut().insert(behind);
    Ok(response)
}
