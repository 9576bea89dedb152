//! What the commands do, one file or folder for each.

pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod client;
pub(crate) mod demo;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod reconcile;
pub(crate) mod relocate;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod settle;
pub(crate) mod users;
pub(crate) mod verify;
