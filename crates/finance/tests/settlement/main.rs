//! Settlement end to end, on SQLite: sales through the engine, statements, payouts, and runs that are killed.

mod crashes;
mod payouts;
mod statements;
mod world;
