//! What was done.

pub(crate) mod export;
pub(crate) mod list;
pub(crate) mod lookup;
pub(crate) mod read;
