//! How domain values lie in rows: one file per table, each with its columns in one order for reading, and
//! as arrays for writing many at once.

pub(crate) mod arrays;
pub(crate) mod card;
pub(crate) mod detail;
pub(crate) mod hold;
pub(crate) mod operation;
pub(crate) mod transfer;
