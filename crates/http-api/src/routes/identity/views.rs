//! Saved views of lists: how somebody filters them again and again. Nobody else sees them.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::ViewId;
use serde::{Deserialize, Serialize};
use storage::SavedView;
use utoipa::{IntoParams, ToSchema};

use super::nothing;
use crate::{
    answer::json,
    error::{Code, Problem},
    extract::{Json, Named, Query},
    page::PageOf,
    session::Current,
    state::AppState,
    wire::{card::given, moment::Moment, schema, text::Name},
};

/// Which list.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Page(String);

impl TryFrom<String> for Page {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let rest =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
        let fits = (1..=40).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(rest);
        if fits {
            Ok(Self(text))
        } else {
            Err("the name of a list has 1 to 40 small letters, digits, - and _")
        }
    }
}

/// How it is filtered.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Filter(String);

impl TryFrom<String> for Filter {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let fits = text.chars().count() <= 2000 && !text.chars().any(|c| c < ' ' || c == '\u{7f}');
        if fits { Ok(Self(text)) } else { Err("must be at most 2000 characters without control characters") }
    }
}

/// A view to save.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ViewRequest)]
pub(crate) struct Request {
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Name,
    /// Which list.
    #[schema(value_type = schema::ViewPage)]
    page: Page,
    /// How it is filtered.
    #[schema(value_type = schema::ViewQuery)]
    query: Filter,
}

/// A saved view.
#[derive(Serialize, ToSchema)]
#[schema(as = View)]
pub(crate) struct ViewView {
    /// Its id.
    #[schema(value_type = schema::ViewId)]
    id: ViewId,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: String,
    /// Which list.
    #[schema(value_type = schema::ViewPage)]
    page: String,
    /// How it is filtered.
    #[schema(value_type = schema::ViewQuery)]
    query: String,
    /// When it was saved.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
}

impl ViewView {
    fn new(view: SavedView) -> Self {
        Self {
            id: view.id,
            name: view.name,
            page: view.page,
            query: view.query,
            created_at: Moment(view.created_at),
        }
    }
}

/// Which views.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ViewsQuery {
    /// Only those of this list.
    #[param(value_type = Option<schema::ViewPage>, nullable = false)]
    #[serde(deserialize_with = "given")]
    page: Option<Page>,
}

/// List one's saved views
#[utoipa::path(
    get,
    path = "/v1/views",
    tag = "identity",
    operation_id = "list_views",
    params(ViewsQuery),
    responses((status = 200, description = "The views.", body = PageOf<ViewView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    current: Current,
    Query(query): Query<ViewsQuery>,
) -> Result<Response, Problem> {
    let mut all = app.identity.views(current.signed_in.user.id).await?;
    all.retain(|view| query.page.as_ref().is_none_or(|page| page.0 == view.page));
    let items = all.into_iter().map(ViewView::new).collect();
    json(StatusCode::OK, &PageOf { items, next_cursor: None })
}

/// Save a view
///
/// At most 50; names are unique within a list.
#[utoipa::path(
    post,
    path = "/v1/views",
    tag = "identity",
    operation_id = "save_view",
    request_body = Request,
    responses((status = 201, description = "The view.", body = ViewView)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    current: Current,
    Json(body): Json<Request>,
) -> Result<Response, Problem> {
    let user = &current.signed_in.user;
    let view = app.identity.save_view(user, body.name.0, body.page.0, body.query.0).await?;
    json(StatusCode::CREATED, &ViewView::new(view))
}

/// Delete a view
#[utoipa::path(
    delete,
    path = "/v1/views/{id}",
    tag = "identity",
    operation_id = "delete_view",
    params(("id" = schema::ViewId, Path, description = "The view.")),
    responses((status = 204, description = "It is gone.")),
)]
pub(crate) async fn delete(
    State(app): State<AppState>,
    current: Current,
    Named(id): Named<ViewId>,
) -> Result<Response, Problem> {
    if app.identity.delete_view(current.signed_in.user.id, id).await? {
        return Ok(nothing());
    }
    Err(Problem::new(Code::ViewUnknown, "no such saved view of yours; check the id").parameter("id"))
}
