//! The vault from outside: formats, refusals, secrecy, unpredictability.

mod client_secret;
mod key_ring;
mod number;
mod parsers;
mod prediction;
mod secrecy;
mod support;
mod vault;
