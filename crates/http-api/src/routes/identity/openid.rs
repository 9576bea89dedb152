//! Signing in through an identity provider: which there are, being sent to one, and coming back.
//!
//! What ties the two halves together is a secret in a cookie of the browser and a row that is taken once: whoever
//! comes back without that cookie, with another state or a second time is sent to the log-in page. That cookie is
//! `SameSite=Lax`, because the provider's page leads back here; the session's own stays `Strict`, so that a small page
//! of ours goes on to the console by itself, and the browser sends it.

use axum::{
    body::Body,
    extract::{Query as AxumQuery, State},
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{
            CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE, X_FRAME_OPTIONS,
        },
    },
    response::Response,
};
use domain::{IdentityProviderId, IssuerId, UserId};
use identity::{FLOW_SECONDS, Identity, IdentityError, Named, Origin, Signed, Token};
use openid::{Flow, OpenIdError, Provider};
use serde::{Deserialize, Serialize};
use storage::{IdentityProvider, SessionStage, SignInPage};
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::json,
    error::{Code, Problem},
    extract::{Json, Query},
    session::{self, Sender, check_not_foreign},
    state::AppState,
    trail::{Behind, Ended},
    wire::{card::given, schema},
};

/// Keeps the secret of a sign-in while its user is at the provider.
const COOKIE: &str = "__Host-hexiao-openid";
/// The page that goes on has no scripts, styles or pictures.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// Seconds after which asking a provider that did not answer is worth another try.
const RETRY_SECONDS: u64 = 10;

/// Whose log-in page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct OptionsQuery {
    /// That of this issuer. Without, the platform's, and the issuer's where there is but one.
    #[param(value_type = Option<schema::IssuerId>, nullable = false)]
    #[serde(deserialize_with = "given")]
    issuer: Option<IssuerId>,
}

/// A button of a log-in page.
#[derive(Serialize, ToSchema)]
#[schema(as = SignInOption)]
pub(crate) struct OptionView {
    /// The provider.
    #[schema(value_type = schema::IdentityProviderId)]
    provider: IdentityProviderId,
    /// What the button says.
    #[schema(value_type = schema::Name)]
    name: String,
}

/// What a log-in page offers beside a password.
#[derive(Serialize, ToSchema)]
#[schema(as = SignInOptions)]
pub(crate) struct OptionsView {
    /// Identity providers, at most 40.
    identity_providers: Vec<OptionView>,
}

/// List ways to sign in
///
/// What a log-in page shows before anybody has signed in. An issuer that does not exist has none.
#[utoipa::path(
    get,
    path = "/v1/sign-in-options",
    tag = "identity",
    operation_id = "list_sign_in_options",
    params(OptionsQuery),
    responses((status = 200, description = "The ways.", body = OptionsView)),
)]
pub(crate) async fn options(
    State(app): State<AppState>,
    Query(query): Query<OptionsQuery>,
) -> Result<Response, Problem> {
    let found = app.identity.sign_in_options(query.issuer).await?;
    let identity_providers =
        found.into_iter().map(|of| OptionView { provider: of.id, name: of.name }).collect();
    json(StatusCode::OK, &OptionsView { identity_providers })
}

/// Where somebody goes on after signing in.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Page {
    #[default]
    Console,
    Till,
}

/// Through whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OpenIdSignInRequest)]
pub(crate) struct Request {
    /// The provider.
    #[schema(value_type = schema::IdentityProviderId)]
    provider: IdentityProviderId,
    /// Where to go on afterwards; the console if not given.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::SignInPage>, nullable = false)]
    page: Option<Page>,
}

/// Where to go.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenIdSignIn)]
pub(crate) struct SentView {
    /// The provider's page, for this one sign-in within ten minutes.
    authorize_url: String,
}

/// Begin to sign in through an identity provider
///
/// Answers where to go, and gives a cookie without which nobody comes back.
#[utoipa::path(
    post,
    path = "/v1/sessions/openid",
    tag = "identity",
    operation_id = "begin_openid_sign_in",
    request_body = Request,
    responses((status = 201, description = "Where to go.", body = SentView)),
)]
pub(crate) async fn begin(
    State(app): State<AppState>,
    headers: HeaderMap,
    Sender(origin): Sender,
    Json(body): Json<Request>,
) -> Result<Response, Problem> {
    check_not_foreign(&headers)?;
    let provider = app.identity.open_provider(body.provider).await?;
    let token = Identity::new_flow_token();
    let flow = Flow::of(token.expose());
    let authorize_url = address(&app, &provider, &flow).await?.map_err(|error| {
        tracing::warn!(provider = %provider.id, %error, "nobody can be sent to an identity provider");
        let detail = "the identity provider does not answer as it should; try again, or use your password";
        Problem::new(Code::IdentityProviderUnreachable, detail).retry_after(RETRY_SECONDS)
    })?;
    let page = match body.page.unwrap_or_default() {
        Page::Console => SignInPage::Console,
        Page::Till => SignInPage::Till,
    };
    app.identity.begin_flow(&provider, flow.state(), page, &origin).await?;
    let mut response = json(StatusCode::CREATED, &SentView { authorize_url })?;
    let cookie = format!(
        "{COOKIE}={}; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age={FLOW_SECONDS}",
        token.expose()
    );
    if let Ok(mut value) = HeaderValue::from_str(&cookie) {
        value.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, value);
    }
    Ok(response)
}

/// Where a provider wants people to be sent.
pub(super) async fn address(
    app: &AppState,
    provider: &IdentityProvider,
    flow: &Flow,
) -> Result<Result<String, OpenIdError>, Problem> {
    let secret = app.identity.secret_of(provider)?;
    let known =
        Provider { issuer: &provider.issuer_url, client_id: &provider.client_id, client_secret: &secret.0 };
    Ok(app.openid.address(&known, flow, app.engine.now()).await)
}

/// What a provider sends somebody back with. Everything of it may be missing or wrong: then he is led to the log-in page.
#[derive(Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Back {
    /// What to exchange for who he is.
    #[param(nullable = false)]
    code: Option<String>,
    /// What he was sent with.
    #[param(nullable = false)]
    state: Option<String>,
    /// Which provider this is (RFC 9207).
    #[param(nullable = false)]
    iss: Option<String>,
    /// Why it did not let him in.
    #[param(nullable = false)]
    error: Option<String>,
}

impl Back {
    /// Nothing said twice is believed.
    fn of(uri: &Uri) -> Self {
        let pairs = AxumQuery::<Vec<(String, String)>>::try_from_uri(uri).map(|AxumQuery(pairs)| pairs);
        let pairs = pairs.unwrap_or_default();
        let only = |name: &str| {
            let mut named = pairs.iter().filter(|(found, _)| found == name).map(|(_, value)| value);
            named.next().filter(|_| named.next().is_none()).cloned()
        };
        Self { code: only("code"), state: only("state"), iss: only("iss"), error: only("error") }
    }
}

/// Why somebody is led back to the log-in page, which has words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// He is nobody's here.
    NotLinked,
    /// The provider did not let him in, or its answer does not hold.
    ProviderRefused,
    /// He was not sent there from this browser, too long ago, or came back before.
    Expired,
    /// The provider does not answer.
    Unreachable,
    /// This server is at fault.
    Failed,
}

impl Why {
    const fn name(self) -> &'static str {
        match self {
            Self::NotLinked => "not_linked",
            Self::ProviderRefused => "provider_refused",
            Self::Expired => "expired",
            Self::Unreachable => "unreachable",
            Self::Failed => "failed",
        }
    }
}

/// Somebody who is not let in.
struct Turned {
    why: Why,
    page: SignInPage,
    behind: Option<(Option<IssuerId>, Option<UserId>)>,
}

impl Turned {
    fn new(why: Why, page: SignInPage) -> Self {
        Self { why, page, behind: None }
    }

    fn from(provider: &IdentityProvider, why: Why, page: SignInPage, user: Option<UserId>) -> Self {
        Self { why, page, behind: Some((provider.issuer, user)) }
    }
}

/// Come back from an identity provider
///
/// Not for programs: a provider leads a browser here. Answers with the session's cookie and a page that goes on to the
/// console or the till, or leads to the log-in page with `sign_in=` and why: `not_linked`, `provider_refused`,
/// `expired`, `unreachable` or `failed`.
#[utoipa::path(
    get,
    path = "/v1/sessions/openid/callback",
    tag = "identity",
    operation_id = "end_openid_sign_in",
    params(Back),
    responses(
        (status = 200, description = "Signed in, or a second factor is needed.", body = String, content_type = "text/html"),
        (status = 303, description = "Not signed in; the log-in page says why."),
    ),
)]
pub(crate) async fn callback(
    State(app): State<AppState>,
    headers: HeaderMap,
    Sender(origin): Sender,
    uri: Uri,
) -> Response {
    let mut response = match come_back(&app, &headers, &origin, &Back::of(&uri)).await {
        Ok((signed, page)) => welcome(&signed, page),
        Err(turned) => lead_back(&turned),
    };
    let gone = "__Host-hexiao-openid=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0";
    response.headers_mut().append(SET_COOKIE, HeaderValue::from_static(gone));
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

async fn come_back(
    app: &AppState,
    headers: &HeaderMap,
    origin: &Origin,
    back: &Back,
) -> Result<(Signed, SignInPage), Turned> {
    let expired = || Turned::new(Why::Expired, SignInPage::Console);
    let token = session::cookie_named(headers, COOKIE).and_then(Token::parse).ok_or_else(expired)?;
    let flow = Flow::of(token.expose());
    // From the browser that was sent, and for what it was sent for.
    let state = back.state.as_deref().filter(|state| *state == flow.state()).ok_or_else(expired)?;
    let begun = app.identity.take_flow(state).await;
    let (provider, page) = begun.map_err(|error| failed(&error))?.ok_or_else(expired)?;
    let turned = |why, user| Turned::from(&provider, why, page, user);
    let is_other = back.iss.as_ref().is_some_and(|iss| *iss != provider.issuer_url);
    let code = back.code.as_deref().filter(|_| back.error.is_none() && !is_other);
    let code = code.ok_or_else(|| turned(Why::ProviderRefused, None))?;
    let secret = app.identity.secret_of(&provider).map_err(|error| failed(&error))?;
    let known =
        Provider { issuer: &provider.issuer_url, client_id: &provider.client_id, client_secret: &secret.0 };
    let person = app.openid.person(&known, &flow, code, app.engine.now()).await.map_err(|error| {
        tracing::warn!(provider = %provider.id, %error, "nobody is let in");
        match error {
            OpenIdError::Unreachable(_) => turned(Why::Unreachable, None),
            OpenIdError::Refused(_) => turned(Why::ProviderRefused, None),
        }
    })?;
    let named = Named {
        subject: &person.subject,
        verified_email: person.verified_email.as_deref(),
        two_factors: person.two_factors,
    };
    match app.identity.sign_in_named(&provider, named, origin).await {
        Ok(signed) => Ok((signed, page)),
        Err((IdentityError::LoginFailed, user)) => Err(turned(Why::NotLinked, user.map(|user| user.id))),
        Err((error, _)) => Err(failed(&error)),
    }
}

fn failed(error: &IdentityError) -> Turned {
    let why = match error {
        // Closed while somebody was there.
        IdentityError::ProviderUnknown => Why::NotLinked,
        error => {
            tracing::error!(%error, "signing in through an identity provider is at fault");
            Why::Failed
        }
    };
    Turned::new(why, SignInPage::Console)
}

/// The pages where somebody signs in, and where he goes on.
const fn places(page: SignInPage) -> (&'static str, &'static str) {
    match page {
        SignInPage::Console => ("/login", "/"),
        SignInPage::Till => ("/till", "/till"),
    }
}

fn lead_back(turned: &Turned) -> Response {
    let (login, _) = places(turned.page);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let target = format!("{login}?sign_in={}", turned.why.name());
    if let Ok(target) = HeaderValue::from_str(&target) {
        response.headers_mut().insert(LOCATION, target);
    }
    if let Some((issuer, user)) = turned.behind {
        response.extensions_mut().insert(Behind { issuer, user, session: None });
        response.extensions_mut().insert(Ended { status: 401, code: turned.why.name() });
    }
    response
}

/// A page of our own: what the browser asks for from here on is asked for by us, and carries the session.
fn welcome(signed: &Signed, page: SignInPage) -> Response {
    let (login, home) = places(page);
    let target = match signed.session.stage {
        SessionStage::Complete => home.to_owned(),
        SessionStage::SecondFactor => {
            format!("{login}?sign_in=second_factor_needed&amp;factors={}", signed.factors.join("."))
        }
        SessionStage::Enrolment => format!("{login}?sign_in=second_factor_enrolment_needed"),
    };
    let text = format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>Hexiao 核销</title>\
         <meta http-equiv=\"refresh\" content=\"0; url={target}\"></head><body><p>正在打开 · Opening \
         <a href=\"{target}\">Hexiao 核销</a></p></body></html>"
    );
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    session::give(&mut response, &signed.token);
    let (user, session) = (Some(signed.user.id), Some(signed.session.id));
    response.extensions_mut().insert(Behind { issuer: signed.user.issuer, user, session });
    response
}
