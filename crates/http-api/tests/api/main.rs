//! The interface on a real store: every route, its errors, and what holds for all of them.

mod auth;
mod batches;
mod bodies;
mod cards;
mod catalog;
mod clients;
mod fuzz;
mod idempotency;
mod known_mistakes;
mod law;
mod ledger;
mod limits;
mod lookup;
mod openapi;
mod operations;
mod races;
mod reconciliations;
mod reports;
mod secrecy;
mod service;
mod settlement;
mod snapshots;
mod tenants;
mod value;
mod world;
