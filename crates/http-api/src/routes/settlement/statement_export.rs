//! A statement as a document.

use axum::{extract::State, response::Response};
use domain::StatementId;
use finance::settlement::{DocumentFormat, DocumentLanguage, export_statement};
use serde::Deserialize;
use settlement::StatementStatus;
use utoipa::IntoParams;

use super::{
    document,
    statements::{own, still_open},
};
use crate::{
    auth::Caller,
    error::Problem,
    extract::{Named, Query},
    state::AppState,
    wire::schema,
};

/// What the document looks like.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportQuery {
    /// `csv`, `xlsx` or `pdf`; `pdf` if not given.
    #[param(value_type = Option<schema::DocumentFormat>, nullable = false)]
    format: FormatName,
    /// `zh` or `en`; `zh` if not given.
    #[param(value_type = Option<schema::Language>, nullable = false)]
    language: LanguageName,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FormatName {
    Csv,
    Xlsx,
    #[default]
    Pdf,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LanguageName {
    #[default]
    Zh,
    En,
}

/// Export a statement
///
/// With all its lines, oldest first, as CSV in UTF-8, as a workbook, or as PDF.
#[utoipa::path(
    get,
    path = "/v1/statements/{id}/export",
    tag = "settlement",
    operation_id = "export_statement",
    params(("id" = schema::StatementId, Path, description = "The statement."), ExportQuery),
    responses(
        (status = 200, description = "The document.", content(
            (String = "text/csv"), (String = "application/pdf"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 409, description = "The statement is still open.", body = crate::error::ProblemBody,
            content_type = "application/problem+json")
    ),
)]
pub(crate) async fn export(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<StatementId>,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let statement = own(&app, &caller, id).await?;
    if statement.status == StatementStatus::Open {
        return Err(still_open());
    }
    let (format, kind, extension) = match query.format {
        FormatName::Csv => (DocumentFormat::Csv { bom: true }, "text/csv; charset=utf-8", "csv"),
        FormatName::Xlsx => (
            DocumentFormat::Xlsx,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "xlsx",
        ),
        FormatName::Pdf => (DocumentFormat::Pdf, "application/pdf", "pdf"),
    };
    let language = match query.language {
        LanguageName::Zh => DocumentLanguage::Chinese,
        LanguageName::En => DocumentLanguage::English,
    };
    let bytes = export_statement(&app.engine, &statement, format, language).await?;
    document(bytes, kind, &format!("{id}.{extension}"))
}
