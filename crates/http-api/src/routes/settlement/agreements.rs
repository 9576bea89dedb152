//! Settlement agreements (结算协议), in versions.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{AgreementId, Amount, ApprovalId, ClientId, Currency, MerchantId};
use finance::settlement::{NewAgreement, add_agreement};
use serde::{Deserialize, Serialize};
use settlement::{Agreement, Terms};
use storage::ApprovalSubject;
use utoipa::{IntoParams, ToSchema};

use super::{merchant, unknown};
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::{Json, Named, Query},
    idempotency::canonical,
    page::{Cursor, Limit, PageOf, page},
    routes::approvals::{ApprovalAccepted, execute::Order},
    second_person::{Asked, Done, done_or_asked, stored},
    state::AppState,
    wire::{day::Day, moment::Moment, schema},
};

/// Versions that are read at once.
const PAGE: usize = 200;

/// A version to add.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgreementRequest {
    /// The merchant; without one, for all merchants that have no agreement of their own.
    #[schema(value_type = Option<schema::MerchantId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<MerchantId>,
    /// The currency that it settles, and of its amounts.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// The first settlement day on which it applies. No statement may exist of that day or later.
    #[schema(value_type = schema::Date)]
    effective_from: Day,
    /// The terms.
    #[schema(value_type = schema::Terms)]
    terms: Terms,
}

/// A version of an agreement.
#[derive(Serialize, ToSchema)]
#[schema(as = Agreement)]
pub(crate) struct AgreementView {
    /// Its id.
    #[schema(value_type = schema::AgreementId)]
    id: AgreementId,
    /// Its merchant; absent where it is for all that have none of their own.
    #[schema(value_type = Option<schema::MerchantId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<MerchantId>,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// The first settlement day on which it applies.
    #[schema(value_type = schema::Date)]
    effective_from: Day,
    /// The terms.
    #[schema(value_type = schema::Terms)]
    terms: Terms,
    /// Who made it.
    #[schema(value_type = schema::ClientId)]
    created_by: ClientId,
    /// When it was made.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
}

impl AgreementView {
    pub(crate) fn new(of: Agreement) -> Self {
        Self {
            id: of.id,
            merchant: of.merchant,
            currency: of.currency,
            effective_from: Day(of.effective_from),
            terms: of.terms,
            created_by: of.created_by,
            created_at: Moment(of.created_at),
        }
    }
}

/// Which agreements.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct AgreementsQuery {
    /// How many items: 1 to 200, 50 if not given.
    #[param(value_type = Option<schema::Limit>, nullable = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<schema::Cursor>, nullable = false)]
    cursor: Option<Cursor>,
    /// A merchant.
    #[param(value_type = Option<schema::MerchantId>, nullable = false)]
    merchant: Option<MerchantId>,
}

/// Add a version of an agreement
///
/// Versions are never changed: what changes is a new version from a later day on. A sale and its refunds are
/// settled by the version in force on the settlement day of the sale.
#[utoipa::path(
    post,
    path = "/v1/agreements",
    tag = "settlement",
    operation_id = "create_agreement",
    request_body = AgreementRequest,
    responses(
        (status = 201, description = "The version.", body = AgreementView),
        (
            status = 202, description = "Beyond the limits of the user who asks: a second person decides.",
            body = ApprovalAccepted
        ),
    ),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<AgreementRequest>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let canonical = canonical("POST /v1/agreements", &body)?;
    let asked = Asked {
        id: ApprovalId::new(app.engine.next_id()),
        subject: ApprovalSubject::Agreement,
        amount: Amount::ZERO,
        currency: body.currency,
        // Each request is one of its own: of two alike only one can be done.
        key: None,
        canonical,
        body: stored(&body)?,
    };
    done_or_asked(&app, &caller, Some(asked), add(&app, &caller, body)).await
}

async fn add(app: &AppState, caller: &Caller, body: AgreementRequest) -> Result<Done, Problem> {
    let actor = caller.actor()?;
    let new = NewAgreement {
        merchant: body.merchant,
        currency: body.currency,
        effective_from: body.effective_from.0,
        terms: body.terms,
    };
    let agreement = add_agreement(&app.engine, actor.issuer, actor.client, new).await?;
    Ok(Done::Agreement(Box::new(agreement)))
}

/// Does what a second person approved. There is one version for a merchant, currency and day: if it is there and what
/// was approved, it was added before a crash.
pub(crate) async fn perform(app: &AppState, order: Order, body: AgreementRequest) -> Result<Done, Problem> {
    let actor = order.caller.actor()?;
    let mut before = None;
    loop {
        let page = app.engine.store().agreements(actor.issuer, body.merchant, before, PAGE).await?;
        let same = |found: &Agreement| {
            (found.created_by, found.merchant, found.currency) == (actor.client, body.merchant, body.currency)
                && found.effective_from == body.effective_from.0
                && found.terms == body.terms
        };
        if let Some(found) = page.items.into_iter().find(same) {
            return Ok(Done::Agreement(Box::new(found)));
        }
        let Some(next) = page.next else { break };
        before = Some(AgreementId::new(next));
    }
    add(app, &order.caller, body).await
}

/// List versions of agreements
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/agreements",
    tag = "settlement",
    operation_id = "list_agreements",
    params(AgreementsQuery),
    responses((status = 200, description = "A page of versions.", body = PageOf<AgreementView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<AgreementsQuery>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    let merchant = merchant(&caller, query.merchant)?;
    let before = query.cursor.map(|cursor| AgreementId::new(cursor.0));
    let found = app.engine.store().agreements(issuer, merchant, before, query.limit.0).await?;
    page(found.items.into_iter().map(AgreementView::new).collect(), found.next)
}

/// Read a version of an agreement
///
/// As it was made.
#[utoipa::path(
    get,
    path = "/v1/agreements/{id}",
    tag = "settlement",
    operation_id = "read_agreement",
    params(("id" = schema::AgreementId, Path, description = "The agreement.")),
    responses((status = 200, description = "The version.", body = AgreementView)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<AgreementId>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    let found = app.engine.store().agreement(id).await?;
    let own = found
        .filter(|found| found.issuer == issuer && (found.merchant.is_none() || caller.sees(found.merchant)));
    let own = own.ok_or_else(|| unknown("agreement").parameter("id"))?;
    json(StatusCode::OK, &AgreementView::new(own))
}
