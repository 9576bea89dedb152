//! How a command ends that does not do what it was asked: a message for people and a code for scripts.

use std::process::ExitCode;

/// The command failed, or found what it looked for: something wrong.
const FAILED: u8 = 1;
/// The options contradict each other or the data, as `clap` reports its own findings.
const USAGE: u8 = 2;

/// Why a command did not do what it was asked.
///
/// Deliberately no [`std::error::Error`]: so that `?` turns every error into one.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: u8,
}

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    /// It failed, or found something wrong.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: FAILED }
    }

    /// The options do not fit together, or do not fit the data.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: USAGE }
    }

    /// The same with what was being done in front.
    pub(crate) fn while_doing(self, what: &str) -> Self {
        Self { message: format!("{what}: {}", self.message), code: self.code }
    }

    /// Tells standard error and gives the exit code.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        if json {
            eprintln!("{}", serde_json::json!({ "error": self.message }));
        } else {
            eprintln!("hexiao: {}", self.message);
        }
        ExitCode::from(self.code)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Many errors repeat their cause in their own text.
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = error.source();
        }
        Self::new(message)
    }
}
