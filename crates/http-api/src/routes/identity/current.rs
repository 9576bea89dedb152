//! The session in which the caller is.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{IssuerId, MerchantId, StoreId, UserId, catalog::Scope};
use serde::Serialize;
use utoipa::ToSchema;

use super::nothing;
use crate::{
    answer::json,
    error::Problem,
    session::{self, Current},
    state::AppState,
    wire::{moment::Moment, schema},
};

/// The caller's session.
#[derive(Serialize, ToSchema)]
#[schema(as = CurrentSession)]
pub(crate) struct CurrentView {
    /// Who it is.
    user: CurrentUser,
    /// His issuer; those who run the platform have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    issuer: Option<IssuerPart>,
    /// The only merchant he acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    merchant: Option<MerchantPart>,
    /// The only store he works in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    store: Option<StorePart>,
    /// His roles.
    roles: Vec<RolePart>,
    /// What they permit together.
    #[schema(value_type = Vec<schema::Scope>)]
    permissions: Vec<Scope>,
    /// His second factors.
    second_factors: Vec<&'static str>,
    /// What to send as X-CSRF-Token with everything that changes something.
    csrf_token: String,
    /// When it ends if nothing is done in it.
    #[schema(value_type = schema::Moment)]
    idle_until: Moment,
    /// When it ends in any case.
    #[schema(value_type = schema::Moment)]
    expires_at: Moment,
    /// Whether this server is a demo.
    demo: bool,
}

/// A person.
#[derive(Serialize, ToSchema)]
pub(crate) struct CurrentUser {
    /// The user's id.
    #[schema(value_type = schema::UserId)]
    id: UserId,
    /// What he signs in with.
    #[schema(value_type = schema::Login)]
    login: String,
    /// How he is called.
    #[schema(value_type = schema::Name)]
    name: String,
}

/// An issuer, as far as every page needs it.
#[derive(Serialize, ToSchema)]
#[schema(as = SessionIssuer)]
struct IssuerPart {
    /// Its id.
    #[schema(value_type = schema::IssuerId)]
    id: IssuerId,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: String,
    /// Its time zone.
    #[schema(value_type = schema::TimeZone)]
    time_zone: String,
    /// The currency of its programs, where they have the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Currency>, nullable = false)]
    currency: Option<String>,
}

/// A merchant, by name.
#[derive(Serialize, ToSchema)]
#[schema(as = SessionMerchant)]
struct MerchantPart {
    /// Its id.
    #[schema(value_type = schema::MerchantId)]
    id: MerchantId,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: String,
}

/// A store, by name.
#[derive(Serialize, ToSchema)]
#[schema(as = SessionStore)]
struct StorePart {
    /// Its id.
    #[schema(value_type = schema::StoreId)]
    id: StoreId,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: String,
}

/// A role, by name.
#[derive(Serialize, ToSchema)]
#[schema(as = SessionRole)]
struct RolePart {
    /// Its name for programs.
    #[schema(value_type = schema::RoleCode)]
    code: String,
    /// Its name in Chinese.
    #[schema(value_type = schema::Name)]
    name_zh: String,
    /// Its name in English.
    #[schema(value_type = schema::Name)]
    name_en: String,
}

/// Read one's session
///
/// Who is signed in, with what, and until when. Asking does not keep it alive.
#[utoipa::path(
    get,
    path = "/v1/sessions/current",
    tag = "identity",
    operation_id = "read_current_session",
    responses((status = 200, description = "The session.", body = CurrentView)),
)]
pub(crate) async fn read(State(app): State<AppState>, current: Current) -> Result<Response, Problem> {
    let signed_in = &current.signed_in;
    let user = &signed_in.user;
    let catalog = app.engine.catalog();
    let issuer = user.issuer.and_then(|id| catalog.issuers.get(&id)).map(|issuer| {
        let own = catalog.programs.values().filter(|program| program.issuer == issuer.id);
        let mut currencies: Vec<&str> = own.map(|program| program.currency.code()).collect();
        currencies.sort_unstable();
        currencies.dedup();
        let currency = match currencies.as_slice() {
            [only] => Some((*only).to_owned()),
            _ => None,
        };
        let (name, time_zone) = (issuer.name.clone(), issuer.time_zone.clone());
        IssuerPart { id: issuer.id, name, time_zone, currency }
    });
    let merchant = user.merchant.and_then(|id| catalog.merchants.get(&id));
    let store = user.store.and_then(|id| catalog.stores.get(&id));
    let role = |role: &domain::Role| RolePart {
        code: role.code.clone(),
        name_zh: role.name_zh.clone(),
        name_en: role.name_en.clone(),
    };
    let view = CurrentView {
        user: CurrentUser { id: user.id, login: user.login.clone(), name: user.name.clone() },
        issuer,
        merchant: merchant.map(|merchant| MerchantPart { id: merchant.id, name: merchant.name.clone() }),
        store: store.map(|store| StorePart { id: store.id, name: store.name.clone() }),
        roles: signed_in.roles.iter().map(role).collect(),
        permissions: signed_in.permissions.iter().copied().collect(),
        second_factors: app.identity.factors_of(user.id).await?,
        csrf_token: current.token.csrf(),
        idle_until: Moment(app.identity.idle_until(&signed_in.session)),
        expires_at: Moment(signed_in.session.expires_at),
        demo: app.options.demo,
    };
    json(StatusCode::OK, &view)
}

/// Sign out
///
/// Ends the session at once.
#[utoipa::path(
    delete,
    path = "/v1/sessions/current",
    tag = "identity",
    operation_id = "sign_out",
    responses((status = 204, description = "Signed out.")),
)]
pub(crate) async fn end(State(app): State<AppState>, current: Current) -> Result<Response, Problem> {
    let signed_in = &current.signed_in;
    app.identity.end_session(signed_in.user.id, signed_in.session.id).await?;
    let mut response = nothing();
    session::take(&mut response);
    Ok(response)
}
