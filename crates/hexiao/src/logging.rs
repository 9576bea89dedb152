//! Logs: on standard error, so that standard output holds results only.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt};

use crate::{
    cli::{Global, LogFormat},
    failure::{Failure, Result},
};

/// Starts logging as the options say.
pub(crate) fn start(global: &Global) -> Result {
    let filter = EnvFilter::builder().parse(&global.log).map_err(|error| {
        Failure::usage(format!("--log (or RUST_LOG) {:?}: {error}; say for example info", global.log))
    })?;
    let lines = fmt().with_env_filter(filter).with_writer(io::stderr);
    match global.log_format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).with_target(false).init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).init(),
    }
    Ok(())
}
