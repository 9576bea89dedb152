//! What today looks like, for the first page of the console.

pub(crate) mod events;
pub(crate) mod read;
