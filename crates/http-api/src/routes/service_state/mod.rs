//! How the server is doing, for people who look after it.

pub(crate) mod health;
pub(crate) mod jobs;
