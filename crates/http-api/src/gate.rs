//! The gate: every request passes it, and nothing reaches a handler that it did not let through.
//!
//! Gives the request its id, finds the route's access in the table, authenticates, checks the scope,
//! counts against the client's rate, and on the way back writes problems and common headers.

use std::{
    collections::HashMap,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Instant,
};

use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request},
    http::{
        HeaderName, HeaderValue, Method, StatusCode,
        header::{
            AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use metrics::{Counter, Histogram};

use crate::{
    access::Access,
    address_limit::address_of,
    auth::{Caller, authenticate},
    error::{Code, Problem},
    latency::Latency,
    openapi::{Api, Registered},
    session::Carried,
    state::AppState,
    trail::{Misused, Seen},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Ids of requests: a start that differs with every run, and a count.
pub(crate) struct RequestIds {
    start: u32,
    next: AtomicU64,
}

impl RequestIds {
    /// Ids of a run that began at this engine id.
    pub(crate) fn starting_at(id: i64) -> Self {
        let millis = u64::try_from(id >> domain::ids::SHIFT).unwrap_or(0);
        Self { start: u32::try_from(millis & 0xffff_ffff).unwrap_or(0), next: AtomicU64::new(1) }
    }

    fn next(&self) -> RequestId {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let mut text = *b"req_00000000000000000000";
        hex(&mut text[4..12], u64::from(self.start));
        hex(&mut text[12..24], count);
        RequestId(text)
    }
}

/// The id of a request: `req_` and 20 hexadecimal digits.
#[derive(Clone, Copy)]
pub(crate) struct RequestId([u8; 24]);

impl RequestId {
    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("req_")
    }
}

fn hex(to: &mut [u8], mut value: u64) {
    for byte in to.iter_mut().rev() {
        *byte = b"0123456789abcdef"[usize::try_from(value & 15).unwrap_or(0)];
        value >>= 4;
    }
}

/// What the gate knows of a route.
struct Rule {
    access: Access,
    seconds: Histogram,
    /// By hundreds of the status: 2xx, 3xx, 4xx, 5xx.
    answers: [Counter; 4],
    /// Whether it is a sale: how long those take is shown on the dashboard.
    is_sale: bool,
}

impl Rule {
    fn new(route: &str, method: &str, access: Access) -> Self {
        let counter = |class: &'static str| {
            let labels =
                [("route", route.to_owned()), ("method", method.to_owned()), ("status", class.to_owned())];
            metrics::counter!("hexiao_http_answers_total", &labels)
        };
        let labels = [("route", route.to_owned()), ("method", method.to_owned())];
        Self {
            is_sale: route == "/v1/redemptions" && method == "POST",
            access,
            seconds: metrics::histogram!("hexiao_http_seconds", &labels),
            answers: [counter("2xx"), counter("3xx"), counter("4xx"), counter("5xx")],
        }
    }

    fn record(&self, started: Instant, status: StatusCode, latency: &Latency) {
        let ended = Instant::now();
        let took = ended.saturating_duration_since(started);
        self.seconds.record(took.as_secs_f64());
        if self.is_sale {
            latency.record(took, ended);
        }
        let class = usize::from(status.as_u16() / 100).saturating_sub(2).min(3);
        self.answers[class].increment(1);
    }
}

/// All routes with their rules.
struct Table {
    rules: HashMap<String, Vec<(Method, Rule)>>,
    /// What has no rule of its own: unknown routes and methods.
    rest: Rule,
    app: AppState,
}

impl Table {
    fn new(app: AppState, routes: &[Registered]) -> Self {
        let mut rules: HashMap<String, Vec<(Method, Rule)>> = HashMap::new();
        for route in routes {
            let mut access = route.access;
            if route.path == "/metrics" && app.options.metrics_protected {
                access = crate::routes::service::METRICS_PROTECTED;
            }
            let rule = Rule::new(&route.path, route.method.as_str(), access);
            rules.entry(route.path.clone()).or_default().push((route.method.clone(), rule));
        }
        metrics::describe_histogram!("hexiao_http_seconds", "Seconds from a request's head to its answer");
        metrics::describe_counter!("hexiao_http_answers_total", "Answers by route and class of status");
        metrics::describe_counter!("hexiao_http_panics_total", "Requests during which a handler panicked");
        metrics::describe_counter!("hexiao_lookups_failed_total", "Look-ups by number that found nothing");
        metrics::describe_counter!("hexiao_lookups_limited_total", "Look-ups turned away by their limits");
        metrics::describe_counter!(
            "hexiao_wallet_limited_total",
            "Requests of holders turned away by their limits"
        );
        metrics::describe_counter!(
            "hexiao_csrf_refused_total",
            "Requests with a session that none of our own pages sent"
        );
        metrics::describe_counter!("hexiao_strangers_limited_total", "Requests turned away by their address");
        Self { rules, rest: Rule::new("other", "other", Access::Public), app }
    }

    fn rule(&self, request: &Request) -> Option<&Rule> {
        let path = request.extensions().get::<MatchedPath>()?;
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let rules = self.rules.get(path.as_str())?;
        rules.iter().find(|(found, _)| found == method).map(|(_, rule)| rule)
    }
}

/// Puts the gate in front of all routes.
pub(crate) fn guarded(api: Api, app: AppState) -> Router {
    let table = Arc::new(Table::new(app.clone(), &api.routes));
    let router = crate::routes::service::with_pages(api.router, &api.document);
    router
        .fallback(crate::screens::answer)
        .method_not_allowed_fallback(unknown_method)
        .layer(middleware::from_fn_with_state(table, gate))
        .with_state(app)
}

async fn unknown_method() -> Problem {
    Problem::new(Code::MethodNotAllowed, "the header Allow names the methods of this route")
}

async fn gate(
    axum::extract::State(table): axum::extract::State<Arc<Table>>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id = table.app.request_ids.next();
    let rule = table.rule(&request);
    let private = request.uri().path().starts_with("/v1");
    let mut seen = Seen::of(&table.app, rule.map(|rule| rule.access), &request);
    let admitted = admit(&table.app, rule, private, &mut request).await;
    seen = seen.and_then(|mut seen| seen.note(&table.app, &request).then_some(seen));
    let mut response = match admitted {
        Ok(()) => {
            request.extensions_mut().insert(id);
            run(next, request).await
        }
        Err(problem) => problem.into_response(),
    };
    if let Some(seen) = seen {
        response = seen.record(&table.app, response, id.as_str()).await;
    }
    let response = finish(response, id, private);
    rule.unwrap_or(&table.rest).record(started, response.status(), &table.app.dashboard.latency);
    response
}

/// Runs a handler. One that panics must not leave its caller without an answer: a bug of ours is told as
/// such, under the id of the request, and counted.
async fn run(next: Next, request: Request) -> Response {
    let mut running = pin!(next.run(request));
    let caught = poll_fn(|context| {
        // What the handler left half done is its own: it is never polled again.
        match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    });
    caught.await.unwrap_or_else(|| {
        metrics::counter!("hexiao_http_panics_total").increment(1);
        let detail = "the server met a fault of its own; whether something was stored is not known: send \
                      the same request again under the same key, and tell the operator";
        Problem::new(Code::Internal, detail).into_response()
    })
}

/// Lets a request through, or says why not. Below /v1 nothing is answered to strangers, not even that a
/// route does not exist.
async fn admit(
    app: &AppState,
    rule: Option<&Rule>,
    private: bool,
    request: &mut Request,
) -> Result<(), Problem> {
    let access = rule.map(|rule| rule.access);
    if matches!(access, Some(Access::Public | Access::Holder)) || (access.is_none() && !private) {
        return public(app, request);
    }
    if !app.is_member() {
        let detail = "this node has lost touch with the database; send the same request again in a second";
        return Err(Problem::new(Code::Busy, detail));
    }
    // A key says more than a cookie, which the browser sends by itself.
    let carried = if request.headers().contains_key(AUTHORIZATION) { None } else { Carried::of(request) };
    let caller = match carried {
        Some(carried) => by_session(app, access, carried, request).await?,
        None => by_key(app, request)?,
    };
    // Noted before anything is refused: what a user tried belongs into the trail too.
    request.extensions_mut().insert(caller.clone());
    app.clients.check(&caller.0)?;
    check_access(access, &caller)
}

/// Who calls by the key of a client.
fn by_key(app: &AppState, request: &Request) -> Result<Caller, Problem> {
    authenticate(request.headers(), &app.engine.catalog()).or_else(|problem| {
        if let Some(address) = address_of(request, &app.options.trusted_proxies) {
            app.addresses.failed(address, app.engine.now(), app.nodes())?;
        }
        Err(problem)
    })
}

/// Who calls by the session of a browser. One that has ended is no attack, but what looks sessions up without
/// having one is bounded like any stranger.
async fn by_session(
    app: &AppState,
    access: Option<Access>,
    carried: Carried,
    request: &mut Request,
) -> Result<Caller, Problem> {
    let address = address_of(request, &app.options.trusted_proxies);
    match carried.caller(app, access).await {
        Ok((caller, current)) => {
            request.extensions_mut().insert(current);
            Ok(caller)
        }
        Err(refused) => {
            if let Some(behind) = refused.misused {
                request.extensions_mut().insert(Misused(behind));
            }
            if let Some(address) = address {
                app.addresses.public(address, app.engine.now(), app.nodes())?;
            }
            Err(refused.problem)
        }
    }
}

/// Without a rule only the answers "no such route" and "no such method" are left.
fn check_access(access: Option<Access>, caller: &Caller) -> Result<(), Problem> {
    let Some(access) = access else { return Ok(()) };
    if access.is_personal() {
        let detail = "this is about the person who is signed in; an API key stands for none";
        return caller.user().map(drop).ok_or_else(|| Problem::new(Code::SessionMissing, detail));
    }
    if !access.allows(&caller.0) {
        let names: Vec<&str> = access.scopes().iter().map(|scope| scope.name()).collect();
        let detail = format!("this needs the scope {}; use a client that has it", names.join(" or "));
        return Err(Problem::new(Code::ScopeMissing, detail));
    }
    Ok(())
}

/// Lets anybody in, within the limits of an address. Probes have none, and neither have the files of the screens:
/// they lie in memory, a page needs dozens of them, and a page of which one is refused does not work.
fn public(app: &AppState, request: &Request) -> Result<(), Problem> {
    let path = request.uri().path();
    if matches!(path, "/healthz" | "/readyz") || path.starts_with(crate::screens::FILES) {
        return Ok(());
    }
    match address_of(request, &app.options.trusted_proxies) {
        Some(address) => app.addresses.public(address, app.engine.now(), app.nodes()),
        None => Ok(()),
    }
}

fn finish(mut response: Response, id: RequestId, private: bool) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        write_problem(&mut response, &problem, id);
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_bytes(&id.0) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if private {
        headers.insert(CACHE_CONTROL, NO_STORE);
    }
    response
}

fn write_problem(response: &mut Response, problem: &Problem, id: RequestId) {
    if problem.status().is_server_error() {
        tracing::warn!(request_id = id.as_str(), code = problem.code(), "a request failed");
    }
    let body = serde_json::to_vec(&problem.body(id.as_str())).unwrap_or_default();
    *response.body_mut() = Body::from(body);
    let headers = response.headers_mut();
    headers.remove(axum::http::header::CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(seconds) = problem.retry_seconds() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.status() == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"hexiao\""));
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn broken() -> &'static str {
        tokio::task::yield_now().await;
        panic!("a bug")
    }

    async fn outer(request: Request, next: Next) -> Response {
        let ids = RequestIds { start: 1, next: AtomicU64::new(1) };
        finish(run(next, request).await, ids.next(), true)
    }

    #[tokio::test]
    async fn a_panic_is_answered_as_a_fault_of_the_server() {
        let router = Router::new().route("/", get(broken)).route("/sound", get(|| async { "sound" }));
        let router: Router = router.layer(middleware::from_fn(outer));
        let call = |path: &str| {
            let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
            router.clone().oneshot(request)
        };
        let answer = call("/").await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json");
        let id = answer.headers()[REQUEST_ID].clone();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 16).await.expect("a body");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["code"], "internal_error");
        assert_eq!(body["request_id"].as_str().map(str::as_bytes), Some(id.as_bytes()));
        assert_eq!(call("/sound").await.expect("an answer").status(), StatusCode::OK);
    }
}
