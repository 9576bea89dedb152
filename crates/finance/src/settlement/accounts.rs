//! Numbers of merchants' bank accounts: sealed under the key ring when they are stored, opened when a file for the
//! bank is written, and nowhere else.

use domain::PayeeId;
use settlement::{Payee, SealedAccount};
use storage::Store;
use vault::{SealedText, Vault, purpose};

use super::error::FinanceError;

/// Accounts that are sealed with one transaction.
const STEP: usize = 500;

/// The account with its number sealed under the current key.
pub(crate) fn seal(vault: &Vault, payee: Payee) -> Result<Payee, FinanceError> {
    let number = open(vault, &payee)?;
    let sealed = vault.seal_text(payee.id.get(), purpose::PAYEE_ACCOUNT, &number);
    let sealed = sealed.map_err(|error| FinanceError::Damaged(error.to_string()))?;
    Ok(payee.under(SealedAccount { key_id: sealed.key_id, bytes: sealed.bytes }))
}

/// The number of an account, in plain.
pub(crate) fn open(vault: &Vault, payee: &Payee) -> Result<String, FinanceError> {
    let Some(sealed) = &payee.sealed else { return Ok(payee.account_number.clone()) };
    let text = SealedText { key_id: sealed.key_id, bytes: sealed.bytes.clone() };
    let opened = vault.open_text(payee.id.get(), purpose::PAYEE_ACCOUNT, &text);
    let opened = opened.map_err(|error| FinanceError::Damaged(format!("{}: {error}", payee.id)))?;
    Ok((*opened).clone())
}

/// Seals what is plain or under an older key. Says how many. May be broken off and done again.
pub async fn seal_accounts(store: &dyn Store, vault: &Vault) -> Result<u64, FinanceError> {
    let current = vault.keys().current_id();
    let (mut after, mut done): (Option<PayeeId>, u64) = (None, 0);
    loop {
        let found = store.accounts_not_under(current, after, STEP).await?;
        let Some(last) = found.last() else { return Ok(done) };
        after = Some(last.id);
        let sealed: Vec<Payee> =
            found.into_iter().map(|payee| seal(vault, payee)).collect::<Result<_, _>>()?;
        store.seal_accounts(&sealed).await?;
        done += sealed.len() as u64;
    }
}
