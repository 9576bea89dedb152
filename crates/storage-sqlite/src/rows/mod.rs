//! How domain values lie in rows: one file per table, each with its columns in one order for reading and
//! writing.

pub(crate) mod card;
pub(crate) mod detail;
pub(crate) mod hold;
pub(crate) mod operation;
pub(crate) mod transfer;
