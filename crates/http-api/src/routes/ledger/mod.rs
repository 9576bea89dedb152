//! The books: totals and lines.

pub(crate) mod account;
pub(crate) mod transfers;
pub(crate) mod trial_balance;

use std::str::FromStr;

use domain::{Account, account::AccountKind};
use serde::{Deserialize, Deserializer, de::Error};

use crate::{
    auth::Caller,
    error::{Code, Problem},
    state::AppState,
};

/// An account as a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountName(pub Account);

impl FromStr for AccountName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        Account::parse(text)
            .map(Self)
            .ok_or("an account is its kind, a colon and an id, such as merchant:mer_… or channel:web")
    }
}

impl<'de> Deserialize<'de> for AccountName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The side on which balances of a kind are usually found. Expenses and assets are debit-normal: cash in
/// the bank, cash that a channel owes, promotions. Liabilities and income are credit-normal.
pub(crate) const fn is_debit_normal(kind: AccountKind) -> bool {
    matches!(kind, AccountKind::Bank | AccountKind::Channel | AccountKind::Promotion | AccountKind::Suspense)
}

/// The balance: debits less credits of a debit-normal account, credits less debits of any other.
pub(crate) const fn balance(kind: AccountKind, debits: i64, credits: i64) -> i64 {
    if is_debit_normal(kind) { debits.saturating_sub(credits) } else { credits.saturating_sub(debits) }
}

/// The name of the normal side.
pub(crate) const fn normal_side(kind: AccountKind) -> &'static str {
    if is_debit_normal(kind) { "debit" } else { "credit" }
}

/// Refuses accounts of others as unknown. A client that is bound to a merchant sees its merchant's.
pub(crate) async fn check_own(app: &AppState, caller: &Caller, account: Account) -> Result<(), Problem> {
    let issuer = caller.issuer()?;
    let of_issuer = match account {
        Account::Card(id) => app.engine.store().card(id).await?.is_some_and(|card| card.issuer == issuer),
        Account::Merchant(id) => {
            app.engine.catalog().merchants.get(&id).is_some_and(|merchant| merchant.issuer == issuer)
        }
        Account::Channel(_) => true,
        Account::Promotion(id)
        | Account::Fees(id)
        | Account::Breakage(id)
        | Account::Residual(id)
        | Account::Bank(id)
        | Account::Suspense(id) => id == issuer,
    };
    let visible = match caller.merchant() {
        None => true,
        Some(merchant) => account == Account::Merchant(merchant),
    };
    if of_issuer && visible {
        return Ok(());
    }
    Err(Problem::new(Code::AccountUnknown, "no such account for this client; check kind and id")
        .parameter("account"))
}
