//! The gateway for sign-in codes, as the options name it.

use std::{io::Read, sync::Arc};

use code_webhook::Webhook;
use wallet::Gateway;
use zeroize::Zeroizing;

use crate::{
    cli::Serve,
    failure::{Failure, Result},
};

const SECRET_VARIABLE: &str = "HEXIAO_CODE_SENDER_SECRET";
/// Longer than any secret, and short enough to refuse a file that was named by mistake.
const LONGEST_FILE: u64 = 4096;

/// The gateway; none where no option names one.
pub(super) fn gateway(args: &Serve) -> Result<Option<Arc<dyn Gateway>>> {
    let Some(address) = &args.code_sender else { return Ok(None) };
    let hook = Webhook::new(address, &secret(args)?);
    let hook = hook.map_err(|error| Failure::usage(format!("--code-sender: {error}")))?;
    Ok(Some(Arc::new(hook)))
}

fn secret(args: &Serve) -> Result<Zeroizing<String>> {
    if let Some(path) = &args.code_sender_secret {
        let mut text = Zeroizing::new(String::new());
        let file = std::fs::File::open(path);
        let read = file.and_then(|file| file.take(LONGEST_FILE).read_to_string(&mut text));
        read.map_err(|error| {
            Failure::from(error).while_doing(&format!("--code-sender-secret {}", path.display()))
        })?;
        return Ok(text);
    }
    let secret = std::env::var(SECRET_VARIABLE).map(Zeroizing::new);
    secret.map_err(|_| {
        Failure::usage(format!(
            "--code-sender needs a secret: set {SECRET_VARIABLE}, or name a file with \
                                --code-sender-secret"
        ))
    })
}
