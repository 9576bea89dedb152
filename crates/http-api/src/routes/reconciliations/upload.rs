//! Sending a file: it is put on disk as it arrives, within bounds, then compared.

use std::{io::Write, sync::Arc};

use axum::{
    body::BodyDataStream,
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use domain::Currency;
use finance::reconciliation::FileRequest;
use futures_core::Stream;
use reconciliation::{Format, Limits, Mapping};
use serde::{Deserialize, Deserializer, de::Error};
use sha2::{Digest, Sha256};
use storage::MatchOn;
use utoipa::IntoParams;

use super::ReconciliationView;
use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    extract::Query,
    routes::ledger::AccountName,
    state::AppState,
    wire::schema,
};

/// The longest name of a file, in bytes.
const MAX_NAME: usize = 200;
const USUAL_WINDOW: u32 = 86_400;

/// What the file is compared with, and how it is read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadQuery {
    /// The account that the file speaks of: `merchant:…`, `channel:…` or `bank:…` of your issuer.
    #[param(value_type = schema::Account)]
    account: AccountName,
    /// The format of the file.
    #[param(value_type = schema::FileFormat)]
    format: FormatName,
    /// What you call the file.
    #[param(value_type = Option<schema::FileName>, nullable = false)]
    file_name: Option<String>,
    /// The currency of its amounts, CNY if not given.
    #[param(value_type = Option<schema::Currency>, nullable = false)]
    currency: Option<Currency>,
    /// What its columns mean, as JSON: for csv and xlsx only. See the guide to reconciliation.
    #[param(value_type = Option<String>, nullable = false)]
    mapping: Option<MappingText>,
    /// What its references are compared with, `reference` if not given.
    #[param(value_type = Option<schema::MatchOn>, nullable = false)]
    match_on: Option<MatchOnName>,
    /// How far apart two sides of the same thing may be, in seconds: 86400 if not given, at most 2678400.
    #[param(value_type = Option<schema::WindowSeconds>, nullable = false)]
    window_seconds: Option<Whole>,
    /// The first day that it speaks of; that of its first line if not given.
    #[param(value_type = Option<schema::Date>, nullable = false)]
    from: Option<DayText>,
    /// The last such day.
    #[param(value_type = Option<schema::Date>, nullable = false)]
    to: Option<DayText>,
    /// How many lines it has, where you know it from elsewhere: another number is refused.
    #[param(value_type = Option<schema::LineCount>, nullable = false)]
    expected_lines: Option<Whole>,
    /// What its lines add up to, in minor units, where you know it from elsewhere.
    #[param(value_type = Option<schema::Total>, nullable = false)]
    expected_sum: Option<Signed>,
}

macro_rules! parsed {
    ($($name:ident($type:ty) = $parse:expr, $says:literal;)*) => {
        $(
            #[derive(Clone, Debug)]
            struct $name($type);

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    let parse: fn(&str) -> Option<$type> = $parse;
                    parse(&text).map(Self).ok_or_else(|| D::Error::custom($says))
                }
            }
        )*
    };
}

parsed! {
    FormatName(Format) = Format::from_name, "a format is csv, xlsx, camt.053, wechat or alipay";
    MatchOnName(MatchOn) = MatchOn::from_name, "match_on is reference, operation or key";
    Whole(u32) = |text| text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit())), "write a whole number";
    Signed(i64) = |text| text.parse().ok(), "write a whole number of minor units";
    DayText(jiff::civil::Date) = |text| text.parse().ok().filter(|_| text.len() == 10), "write a date as 2026-09-30";
}

/// A mapping that came as JSON.
#[derive(Clone, Debug)]
struct MappingText(String);

impl<'de> Deserialize<'de> for MappingText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl MappingText {
    fn read(&self) -> Result<Mapping, Problem> {
        serde_json::from_str(&self.0).map_err(|error| {
            let text = format!("the mapping is wrong: {error}");
            Problem::new(Code::TermsContradict, text).parameter("mapping")
        })
    }
}

/// Reconcile a file
///
/// The body is the file itself, of any content type, at most 512 MiB and 1,000,000 lines. It is read to its
/// end, compared with the books and kept with what does not agree; nothing of a file that is refused is kept.
/// The same file for the same account again is answered with the same reconciliation and status 200.
#[utoipa::path(
    post,
    path = "/v1/reconciliations",
    tag = "reconciliation",
    operation_id = "create_reconciliation",
    params(UploadQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file."),
    responses(
        (status = 201, description = "The reconciliation.", body = ReconciliationView),
        (status = 200, description = "The reconciliation that this file had before.", body = ReconciliationView),
    ),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let issuer = caller.issuer()?;
    let name = query.file_name.unwrap_or_else(|| "file".to_owned());
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        let text = "a name of a file has 1 to 200 bytes and no control characters";
        return Err(Problem::new(Code::TermsContradict, text).parameter("file_name"));
    }
    let busy = || {
        Problem::new(Code::Busy, "another file is being sent; send this one again in a minute")
            .retry_after(30)
    };
    let _turn = Arc::clone(&app.uploads).try_acquire_owned().map_err(|_| busy())?;
    let (file, digest) = receive(&app, request.into_body().into_data_stream()).await?;
    let wanted = FileRequest {
        issuer,
        client: caller.0.id,
        account: query.account.0,
        format: query.format.0,
        file_name: name,
        digest,
        currency: query.currency.unwrap_or(Currency::CNY),
        mapping: query.mapping.map(|mapping| mapping.read()).transpose()?,
        match_on: query.match_on.map_or(MatchOn::Reference, |on| on.0),
        window_seconds: query.window_seconds.map_or(USUAL_WINDOW, |window| window.0),
        from: query.from.map(|day| day.0),
        to: query.to.map(|day| day.0),
        expected_lines: query.expected_lines.map(|lines| lines.0),
        expected_sum: query.expected_sum.map(|sum| sum.0),
    };
    let imported = app.reconciler.import(wanted, file).await?;
    let status = if imported.replayed { StatusCode::OK } else { StatusCode::CREATED };
    json(status, &ReconciliationView::new(imported.reconciliation))
}

/// Puts a body into a file without a name, which is gone when it is closed, and says what its digest is.
async fn receive(app: &AppState, mut body: BodyDataStream) -> Result<(std::fs::File, [u8; 32]), Problem> {
    let most = Limits::default().file_bytes;
    let too_large =
        || Problem::new(Code::BodyTooLarge, format!("a file may have {most} bytes; split it by day"));
    let unwritten = |error: std::io::Error| {
        tracing::error!(%error, "a file that was sent cannot be put on disk");
        Problem::new(Code::Internal, "the file cannot be put on disk; ask the operator")
    };
    let mut file = tempfile::tempfile().map_err(unwritten)?;
    let (mut digest, mut size) = (Sha256::new(), 0_u64);
    loop {
        let next = std::future::poll_fn(|context| std::pin::Pin::new(&mut body).poll_next(context));
        let part = tokio::time::timeout(app.options.body_timeout, next).await;
        let late = || Problem::new(Code::BodyTimeout, "the file did not arrive in time; send it again");
        let Some(part) = part.map_err(|_| late())? else { break };
        let part = part.map_err(|_| late())?;
        size = size.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
        if size > most {
            return Err(too_large());
        }
        digest.update(&part);
        let write = move || file.write_all(&part).map(|()| file);
        let written = tokio::task::spawn_blocking(write).await;
        file = written.map_err(|error| unwritten(std::io::Error::other(error)))?.map_err(unwritten)?;
    }
    if size == 0 {
        return Err(Problem::new(Code::FileRefused, "the body is empty: send the file itself as the body"));
    }
    std::io::Seek::rewind(&mut file).map_err(unwritten)?;
    Ok((file, digest.finalize().into()))
}
