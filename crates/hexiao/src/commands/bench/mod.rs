//! `hexiao bench`.
use crate::{cli::{Bench, Global}, failure::{Failure, Result}};
pub(crate) async fn run(_: &Global, _: &Bench) -> Result { Err(Failure::new("not there yet")) }
