//! The routes as data: registering a route states who may call it, whether it needs an Idempotency-Key,
//! and writes both into its description. What a request may do and what is documented cannot part.

use axum::{Router, http::Method};
use serde_json::{Value, json};
use utoipa::openapi::{
    Components, Info, License, OpenApi, Ref, RefOr, Response, Schema,
    path::{Operation, PathItem},
    schema::AdditionalProperties,
    security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    tag::Tag,
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::{access::Access, routes, state::AppState, wire::schema};

/// Whether a route needs the header Idempotency-Key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// It does.
    Needed,
    /// It does not.
    None,
}

/// A route as the gate knows it.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub path: String,
    pub method: Method,
    pub access: Access,
}

/// All routes with their description.
pub(crate) struct Api {
    pub router: Router<AppState>,
    pub document: OpenApi,
    pub routes: Vec<Registered>,
}

/// Collects routes.
pub(crate) struct Builder {
    router: OpenApiRouter<AppState>,
    routes: Vec<Registered>,
}

impl Builder {
    /// Adds the routes of one handler.
    #[must_use]
    pub(crate) fn add(mut self, access: Access, key: Key, mut routes: UtoipaMethodRouter<AppState>) -> Self {
        for (path, item) in &mut routes.1.paths {
            // A method that is not listed below would have no access, and be open to every client.
            assert!(!operations(item).is_empty(), "{path} has a method that is not registered");
            for (method, operation) in operations(item) {
                describe(operation, access, key);
                self.routes.push(Registered { path: path.clone(), method, access });
            }
        }
        self.router = self.router.routes(routes);
        self
    }
}

fn operations(item: &mut PathItem) -> Vec<(Method, &mut Operation)> {
    let all = [
        (Method::GET, item.get.as_mut()),
        (Method::POST, item.post.as_mut()),
        (Method::PUT, item.put.as_mut()),
        (Method::PATCH, item.patch.as_mut()),
        (Method::DELETE, item.delete.as_mut()),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation?))).collect()
}

/// Everything.
pub(crate) fn api() -> Api {
    let router = OpenApiRouter::with_openapi(blank());
    let builder = routes::register(Builder { router, routes: Vec::new() });
    let (router, mut document) = builder.router.split_for_parts();
    let components = document.components.get_or_insert_with(Components::new);
    for (name, schema) in schema::all() {
        components.schemas.insert(name, schema);
    }
    for (status, description) in PROBLEMS {
        let response = RefOr::T(problem(status, description));
        components.responses.insert(shared_name(status), response);
    }
    for schema in components.schemas.values_mut() {
        close_variants(schema);
    }
    Api { router, document, routes: builder.routes }
}

/// Variants of a tagged enum refuse unknown fields as every request does; the derived description leaves
/// that out.
fn close_variants(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::OneOf(one_of)) = schema else { return };
    for item in &mut one_of.items {
        if let RefOr::T(Schema::Object(object)) = item
            && object.properties.contains_key("kind")
        {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
    }
}

fn blank() -> OpenApi {
    let mut info = Info::new("Hexiao", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Issues, redeems and settles shopping cards. Amounts are whole minor units, ids are prefixed texts, \
         moments are RFC 3339. Declines are 201 with `\"status\": \"declined\"`; errors are problem+json."
            .to_owned(),
    );
    let mut license = License::new("Apache License 2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    info.license = Some(license);
    let mut document = OpenApi::new(info, utoipa::openapi::Paths::new());
    let mut components = Components::new();
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.description = Some("An API key: `Authorization: Bearer hx_…`.".to_owned());
    components.add_security_scheme("api_key", SecurityScheme::Http(bearer));
    let what = "The session of a browser; see POST /v1/sessions. Whatever changes something also sends the \
                header X-CSRF-Token.";
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description("__Host-hexiao", what));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    let what = "The session of a card holder; see POST /v1/wallet/sessions. Whatever changes something also sends \
                the header X-CSRF-Token.";
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description("__Host-hexiao-wallet", what));
    components.add_security_scheme("wallet_session", SecurityScheme::ApiKey(cookie));
    let mut schemas = Vec::new();
    <crate::error::ProblemBody<'_> as utoipa::ToSchema>::schemas(&mut schemas);
    components.schemas.extend(schemas);
    let problem = <crate::error::ProblemBody<'_> as utoipa::PartialSchema>::schema();
    components.schemas.insert("Problem".to_owned(), problem);
    document.components = Some(components);
    document.tags = Some(tags());
    document
}

fn tags() -> Vec<Tag> {
    let tag = |(name, description): (&str, &str)| {
        let mut tag = Tag::new(name);
        tag.description = Some(description.to_owned());
        tag
    };
    [
        ("value", "Moving value: activate, load, redeem, hold, refund, reverse, transfer"),
        ("cards", "Looking cards up and changing them"),
        ("issue", "Making cards"),
        ("operations", "What was done"),
        ("dashboard", "What today looks like"),
        ("ledger", "The books"),
        ("approvals", "What a second person decides"),
        ("settlement", "Agreements, statements and payouts of merchants"),
        ("reconciliation", "Files of others, compared with the books"),
        ("reports", "Accounting, and reports to authorities"),
        ("catalog", "Issuers, programs, merchants, stores, terminals, clients"),
        ("identity", "Signing in, users, roles, the audit trail"),
        ("wallet", "What card holders do: sign in by phone, see cards, show payment codes, give cards"),
        ("service", "The server itself"),
    ]
    .map(tag)
    .into()
}

fn describe(operation: &mut Operation, access: Access, key: Key) {
    if access == Access::Public {
        operation.security = Some(Vec::new());
        let takes_nothing = operation.parameters.as_ref().is_none_or(Vec::is_empty);
        if operation.request_body.is_none() && takes_nothing {
            common_headers(operation, key);
            return;
        }
    } else {
        describe_access(operation, access);
    }
    if key == Key::Needed {
        let parameter = json!({
            "name": "Idempotency-Key", "in": "header", "required": true,
            "description": "What names this request, for ever, within your client.",
            "schema": {"$ref": "#/components/schemas/IdempotencyKey"}
        });
        operation.parameters.get_or_insert_default().push(read(parameter));
    }
    let has_body = operation.request_body.is_some();
    let has_parameters = operation.parameters.as_ref().is_some_and(|list| !list.is_empty());
    let when = |status: &str| match status {
        "401" | "403" | "429" | "500" | "503" => true,
        "400" | "404" => has_body || has_parameters,
        "409" => has_body || has_parameters || key == Key::Needed,
        "504" => has_body || key == Key::Needed,
        _ => has_body,
    };
    for (status, _) in PROBLEMS {
        let responses = &mut operation.responses.responses;
        // A route that can be answered with more problems than its form shows says so by the status alone.
        let said = matches!(responses.get(status), Some(RefOr::T(response)) if response.content.is_empty());
        if when(status) || said {
            let shared = RefOr::Ref(Ref::from_response_name(shared_name(status)));
            if said {
                responses.insert(status.to_owned(), shared);
            } else {
                responses.entry(status.to_owned()).or_insert(shared);
            }
        }
    }
    common_headers(operation, key);
}

fn describe_access(operation: &mut Operation, access: Access) {
    let said = operation.description.take().unwrap_or_default();
    let by_session = SecurityRequirement::new("session", Vec::<String>::new());
    let (needs, security) = if access == Access::Holder {
        let by_cookie = SecurityRequirement::new("wallet_session", Vec::<String>::new());
        ("Needs the session of a card holder.".to_owned(), vec![by_cookie])
    } else if access.is_personal() {
        ("Needs the session of a user.".to_owned(), vec![by_session])
    } else {
        let scopes: Vec<&str> = access.scopes().iter().map(|scope| scope.name()).collect();
        let by_key = SecurityRequirement::new("api_key", Vec::<String>::new());
        (format!("Needs the scope `{}`.", scopes.join("` or `")), vec![by_key, by_session])
    };
    operation.description = Some(if said.is_empty() { needs } else { format!("{said}\n\n{needs}") });
    operation.security = Some(security);
}

/// What every route can be answered with, described once.
const PROBLEMS: [(&str, &str); 12] = [
    ("400", "The request contradicts this description."),
    ("401", "The API key is missing or not valid."),
    ("403", "The client may not do this."),
    ("404", "It names something that does not exist or is foreign."),
    ("408", "The body did not arrive in time."),
    ("409", "It contradicts the state of things."),
    ("413", "The body is too large."),
    ("415", "The body is not declared as JSON."),
    ("429", "Too many requests."),
    ("500", "The server is at fault. Whether something was stored is not known."),
    ("503", "Too many requests are waiting, or the server is stopping."),
    ("504", "The answer did not come in time. Whether something was stored is not known."),
];

fn shared_name(status: &str) -> String {
    format!("Problem{status}")
}

fn problem(status: &str, description: &str) -> Response {
    let mut headers = serde_json::Map::new();
    let id = json!({"description": "The id of the request.", "schema": {"type": "string"}});
    headers.insert("X-Request-Id".to_owned(), id);
    if matches!(status, "429" | "503") {
        let header = json!({
            "description": "Seconds after which it is worth trying again.",
            "schema": {"type": "integer", "format": "int64", "minimum": 0}
        });
        headers.insert("Retry-After".to_owned(), header);
    }
    if status == "401" {
        let header = json!({"description": "How to authenticate.", "schema": {"type": "string"}});
        headers.insert("WWW-Authenticate".to_owned(), header);
    }
    read(json!({
        "description": description, "headers": headers,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    }))
}

fn common_headers(operation: &mut Operation, key: Key) {
    let text = |description: &str| read(json!({"description": description, "schema": {"type": "string"}}));
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        response.headers.insert("X-Request-Id".to_owned(), text("The id of the request."));
        if key == Key::Needed && status.starts_with('2') {
            let header = read(json!({
                "description": "`true` if this answer was given before to the same request.",
                "schema": {"type": "string", "enum": ["true"]}
            }));
            response.headers.insert("Idempotent-Replayed".to_owned(), header);
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value)
        .unwrap_or_else(|error| panic!("a description of this file is wrong: {error}"))
}
