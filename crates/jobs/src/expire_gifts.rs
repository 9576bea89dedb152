//! Gifts between card holders that nobody accepted end, interrupted ones are finished, and what the wallet needs no
//! more is forgotten: sessions and sign-in codes that ended, used payment codes, revoked devices.

use engine::Engine;
use wallet::Wallet;

use crate::{
    ROUND,
    runner::{JobError, Round},
};

pub(crate) async fn round(engine: Engine) -> Result<Round, JobError> {
    let done = Wallet::with_outbox(engine).keep_up(ROUND).await?;
    let many = u64::try_from(ROUND).unwrap_or(u64::MAX);
    Ok(Round { done: done.gifts + done.forgotten, more: done.gifts >= many || done.forgotten >= many })
}
