//! Sending payouts: the file for the bank.

use axum::{extract::State, response::Response};
use domain::PayoutId;
use finance::settlement::{Payer, PayoutFormat, PayoutTemplate, read_template, send_payouts};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{decision, document};
use crate::{
    auth::Caller,
    error::{Code, Problem},
    extract::Json,
    state::AppState,
    wire::{day::Day, schema},
};

/// Payouts to send.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PayoutFileRequest {
    /// 1 to 1000 payouts of one currency, approved or sent before.
    #[schema(value_type = Vec<schema::PayoutId>, min_items = 1, max_items = 1000)]
    payouts: Vec<PayoutId>,
    /// The day the bank is to pay.
    #[schema(value_type = schema::Date)]
    execution: Day,
    /// The account that pays.
    payer: PayerRequest,
    /// What the file looks like: `pain001` (ISO 20022), which is meant if not given, or `template`.
    #[schema(value_type = Option<schema::PayoutFileFormat>)]
    #[serde(default)]
    format: Option<FormatName>,
    /// With `template`, your bank's format as data; see the guide to settlement.
    #[schema(value_type = Option<schema::PayoutTemplate>)]
    #[serde(default)]
    template: Option<serde_json::Map<String, serde_json::Value>>,
    /// With `template`, one of those that come with the program, instead of your own.
    #[schema(value_type = Option<schema::BuiltInPayoutTemplate>)]
    #[serde(default)]
    built_in: Option<BuiltInName>,
}

/// What the file looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FormatName {
    Pain001,
    Template,
}

/// A template that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BuiltInName {
    Delimited,
    Spreadsheet,
}

impl PayoutFileRequest {
    /// The format, and what its file is called and said to be.
    fn format(&self) -> Result<(PayoutFormat, &'static str, &'static str), Problem> {
        let contradiction = |text, pointer| Err(Problem::new(Code::TermsContradict, text).at(pointer));
        let built_in = self.built_in.map(|name| match name {
            BuiltInName::Delimited => PayoutTemplate::DELIMITED,
            BuiltInName::Spreadsheet => PayoutTemplate::SPREADSHEET,
        });
        let template = match (self.format.unwrap_or(FormatName::Pain001), &self.template, built_in) {
            (FormatName::Pain001, None, None) => {
                return Ok((PayoutFormat::Pain001, "application/xml", "payouts.xml"));
            }
            (FormatName::Pain001, ..) => {
                return contradiction("a template needs the format template", "/format");
            }
            (FormatName::Template, Some(own), None) => {
                let text = serde_json::Value::Object(own.clone()).to_string();
                read_template(&text).map_err(|error| Problem::from(error).at("/template"))?
            }
            (FormatName::Template, None, Some(built_in)) => read_template(built_in)?,
            (FormatName::Template, ..) => {
                return contradiction("give either a template or built_in", "/template");
            }
        };
        // The encoding is the template's: no character set is claimed.
        Ok((PayoutFormat::Template(Box::new(template)), "text/csv", "payouts.csv"))
    }
}

/// The account that pays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PayerRequest {
    /// Who holds it, at most 140 characters.
    holder_name: String,
    /// Its number: at most 34 letters, digits and hyphens.
    account_number: String,
    /// The bank with its branch.
    bank_name: Option<String>,
    /// The bank's BIC.
    bic: Option<String>,
    /// The bank's number in the national clearing system (联行号): 12 digits.
    clearing_code: Option<String>,
}

/// Send payouts
///
/// Answers with an ISO 20022 pain.001.001.09 file, or one in your bank's own format by a template, and posts the
/// payouts: from then on the merchants are owed that much less. Payouts that were sent before are in the file as they were, so that a lost answer can be had
/// again; nothing is posted twice.
#[utoipa::path(
    post,
    path = "/v1/payouts/export",
    tag = "settlement",
    operation_id = "export_payouts",
    request_body = PayoutFileRequest,
    responses((status = 200, description = "The file.", content(
        (String = "application/xml"), (Vec<u8> = "text/csv")
    ))),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<PayoutFileRequest>,
) -> Result<Response, Problem> {
    let (format, kind, name) = body.format()?;
    let payer = Payer {
        holder_name: body.payer.holder_name,
        account_number: body.payer.account_number,
        bank_name: body.payer.bank_name,
        bic: body.payer.bic,
        clearing_code: body.payer.clearing_code,
    };
    let by = decision(&caller)?;
    let sent = send_payouts(&app.engine, by, &body.payouts, payer, body.execution.0, format).await?;
    document(sent.bytes, kind, name)
}
