//! The HTTP interface: what `/v1` accepts, who may call it, and how it answers.
//!
//! One endpoint, one file under [`routes`]. Wire types stay here; conversion to the domain happens at the
//! edge. Every request passes one gate ([`gate`]) that knows, from the same table that registered the
//! route and described it in OpenAPI, which scope it needs: a route that is not in that table is refused.
//!
//! Invariant: nothing that a caller sent is quoted in an error or a log, so that no card number or PIN can
//! be.

mod access;
mod address_limit;
mod answer;
mod auth;
mod csv_stream;
mod dashboard;
mod error;
mod extract;
mod gate;
mod holder;
mod idempotency;
mod input;
mod latency;
mod lookup_limit;
mod openapi;
mod page;
mod payment_codes;
mod place;
mod rate_limit;
mod routes;
mod screens;
mod second_person;
mod session;
mod settlement_runs;
mod shared_limits;
mod state;
mod trail;
mod usage_kinds;
mod wallet_limit;
mod window_counts;
mod wire;

pub use address_limit::{AddressLimits, Proxies};
pub use lookup_limit::LookupLimits;
pub use routes::service_state::jobs::JobReport;
pub use state::{AppState, Options};
pub use wallet_limit::WalletLimits;

/// All routes, ready to be served.
pub fn router(state: AppState) -> axum::Router {
    gate::guarded(openapi::api(), state)
}

/// What the routes accept and answer, in OpenAPI 3.1.
pub fn openapi() -> utoipa::openapi::OpenApi {
    openapi::api().document
}

/// Every error and decline code with its meaning, in Markdown.
pub fn error_reference() -> String {
    error::reference()
}
